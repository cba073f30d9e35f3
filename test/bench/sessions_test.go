package bench

import (
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/internal/loadgen"
)

// TestSessionsSurviveKill kills the server in the midst of AssumeRole: every session that it has acknowledged
// is good after the next start.
func TestSessionsSurviveKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts the program")
	}
	dir := t.TempDir()
	binary, err := loadgen.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	server, err := loadgen.Start(t.Context(), binary, filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	user, err := server.User(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	const callers, enough = 16, 300
	var mu sync.Mutex
	var issued []*loadgen.Target
	reached := make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for {
				temp, err := user.Assume(t.Context())
				if err != nil {
					return // the server is gone
				}
				mu.Lock()
				if issued = append(issued, temp); len(issued) == enough {
					close(reached)
				}
				mu.Unlock()
			}
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	select {
	case <-reached:
	case <-ended:
		t.Fatalf("AssumeRole failed after %d sessions", len(issued))
	}
	server.Kill()
	<-ended
	if _, err := server.Up(t.Context(), http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
	for i, temp := range issued {
		if _, err := temp.One(t.Context(), http.MethodGet, "/", nil, loadgen.Payload{}); err != nil {
			t.Fatalf("session %d of %d that were acknowledged: %v", i+1, len(issued), err)
		}
	}
}
