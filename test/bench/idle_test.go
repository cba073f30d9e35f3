package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/loadgen"
)

// idleVariable names the environment variable that says how long TestIdle watches.
const idleVariable = "OBJSRV_TEST_IDLE"

// TestIdle proves that a server with data, which nobody talks to, writes nothing to the disk
// and uses no processor time to speak of.
func TestIdle(t *testing.T) {
	if _, err := os.Stat("/proc/self/io"); err != nil {
		t.Skipf("TestIdle needs Linux's /proc: %v", err)
	}
	watch := 10 * time.Second
	if v := os.Getenv(idleVariable); v != "" {
		var err error
		if watch, err = time.ParseDuration(v); err != nil {
			t.Fatalf("%s: %v", idleVariable, err)
		}
	} else if testing.Short() {
		t.Skipf("TestIdle takes more than %s; not with -short", watch)
	}
	dir := t.TempDir()
	if inMemory, err := loadgen.InMemory(dir); err != nil {
		t.Fatal(err)
	} else if inMemory {
		t.Skipf("TestIdle needs a directory on a disk for temporary files, and %s is in memory; set TMPDIR", dir)
	}
	binary, err := loadgen.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	server, err := loadgen.Start(t.Context(), binary, filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()

	proc := loadgen.DefaultProc()
	before, err := proc.Usage(server.PIDs)
	if err != nil {
		t.Fatal(err)
	}
	store(t, server)
	loaded, err := proc.Usage(server.PIDs)
	if err != nil {
		t.Fatal(err)
	}
	// Without this the test could not fail: the counter might not count here.
	if used := loaded.Sub(before); used.Written < stored {
		t.Fatalf("%d bytes were stored, and %s/io says that %d were written", stored, proc.Root, used.Written)
	}
	if err := loadgen.Settle(t.Context(), proc, server.PIDs, time.Minute); err != nil {
		t.Fatal(err)
	}
	used, err := loadgen.Idle(t.Context(), proc, server.PIDs, watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes written, %s of processor time", watch, used.Written, used.CPU)
	if err := loadgen.CheckIdle(used, watch); err != nil {
		t.Error(err)
	}
}

// The objects of TestIdle: some that are stored inline and one that is not.
const (
	smallObjects = 50
	smallSize    = 4 << 10
	largeSize    = 1 << 20
	stored       = smallObjects*smallSize + largeSize
)

func store(t *testing.T, server *loadgen.Server) {
	t.Helper()
	put := func(path string, body []byte) {
		if _, err := server.One(t.Context(), http.MethodPut, path, nil, loadgen.NewPayload(body)); err != nil {
			t.Fatal(err)
		}
	}
	put("/idle", nil)
	for i := range smallObjects {
		put(fmt.Sprintf("/idle/small/%d", i), bytes.Repeat([]byte{byte(i)}, smallSize))
	}
	put("/idle/large", bytes.Repeat([]byte("large"), largeSize/5+1)[:largeSize])
	body, err := server.One(t.Context(), http.MethodGet, "/idle/small/7", nil, loadgen.Payload{})
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat([]byte{7}, smallSize); !bytes.Equal(body, want) {
		t.Error("an object is not what was stored")
	}
}
