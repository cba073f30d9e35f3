package httpd

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
)

func TestHealth(t *testing.T) {
	var storeErr error
	h := &Health{Check: func(context.Context) error { return storeErr }}
	ask := func(method, name string) int {
		w := httptest.NewRecorder()
		if !h.Serve(w, httptest.NewRequest(method, "/-/health/"+name, nil), name) {
			return 0
		}
		return w.Code
	}
	want := func(state string, live, ready int) {
		t.Helper()
		for _, method := range []string{"GET", "HEAD"} {
			if got := ask(method, "live"); got != live {
				t.Errorf("%s: %s live %d, want %d", state, method, got, live)
			}
			for _, name := range []string{"ready", "cluster", "cluster/read"} {
				if got := ask(method, name); got != ready {
					t.Errorf("%s: %s %s %d, want %d", state, method, name, got, ready)
				}
			}
		}
	}
	want("starting", 200, 503)
	h.Run()
	want("running", 200, 200)
	storeErr = errors.New("disk gone")
	want("store unavailable", 200, 503)
	storeErr = nil
	want("healed", 200, 200)
	h.Drain()
	want("draining", 200, 503)
	if got := ask("POST", "live"); got != 405 {
		t.Errorf("POST: %d", got)
	}
	if got := ask("GET", "other"); got != 0 {
		t.Errorf("unknown probe: %d", got)
	}
}

// TestHealthOfCluster has what mc ready asks for.
func TestHealthOfCluster(t *testing.T) {
	h := &Health{}
	h.Run()
	for _, tc := range []struct {
		name, query, write, read string
		status                   int
	}{
		{"cluster", "", "1", "", 200},
		{"cluster", "?maintenance=false", "1", "", 200},
		{"cluster", "?maintenance=true", "1", "", 412},
		{"cluster/read", "", "", "1", 200},
		{"cluster/read", "?maintenance=true", "", "1", 412},
		{"ready", "?maintenance=true", "", "", 200},
		{"live", "?maintenance=true", "", "", 200},
	} {
		w := httptest.NewRecorder()
		h.Serve(w, httptest.NewRequest("GET", "/minio/health/"+tc.name+tc.query, nil), tc.name)
		if hd := w.Header(); w.Code != tc.status || hd.Get("X-Minio-Write-Quorum") != tc.write || hd.Get("X-Minio-Read-Quorum") != tc.read {
			t.Errorf("%s%s: %d %v", tc.name, tc.query, w.Code, hd)
		}
	}
	h.Drain()
	w := httptest.NewRecorder()
	if h.Serve(w, httptest.NewRequest("GET", "/-/health/cluster?maintenance=true", nil), "cluster"); w.Code != 503 {
		t.Errorf("draining: %d", w.Code)
	}
}

func TestHealthOfHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := &Health{Check: func(context.Context) error { <-release; return nil }}
		h.Run()
		if reason := h.Ready(t.Context()); reason != "store does not answer" {
			t.Errorf("reason %q", reason)
		}
		close(release)
	})
}
