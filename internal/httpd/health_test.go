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
