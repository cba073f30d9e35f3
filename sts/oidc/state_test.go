package oidc

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts"
)

// TestState: what is known of a provider follows from asking it; an administrator's question is asked at once,
// whenever the last one was, and its answer counts for tokens, too.
func TestState(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config(""), i.config("other", "CLIENT_ID", "other"))
	if st := ps.State("default"); st.Asked || st.Err != nil || st.Keys != 0 || !st.Fetched.IsZero() {
		t.Errorf("unused: %+v", st)
	}
	i.set(wellKnown, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) })
	for n := 1; n <= 3; n++ { // no pause between
		if err := ps.Check(t.Context(), "default"); err == nil || !strings.Contains(err.Error(), "503") || i.requests(wellKnown) != n {
			t.Errorf("down: %v after %d requests", err, i.requests(wellKnown))
		}
	}
	if st := ps.State("default"); !st.Asked || st.Err == nil || !st.ErrAt.Equal(i.clock()) || st.Keys != 0 {
		t.Errorf("down: %+v", st)
	}
	i.set(wellKnown, nil)
	i.pass(time.Second)
	if err := ps.Check(t.Context(), "default"); err != nil {
		t.Error(err)
	}
	if st := ps.State("default"); st.Err != nil || st.Keys != 1 || !st.Fetched.Equal(i.clock()) {
		t.Errorf("up: %+v", st)
	}
	if _, err := ps.Verify(t.Context(), sts.WebToken{Token: i.token()}); err != nil {
		t.Errorf("what the check has found does not count: %v", err)
	}
	// Keys that have been fetched stay when it is down again.
	i.set("/keys", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"keys":[]}`)) })
	i.pass(time.Second)
	if err := ps.Check(t.Context(), "default"); err == nil {
		t.Error("no keys, no error")
	}
	if st := ps.State("default"); st.Err == nil || st.Keys != 1 || !st.Fetched.Equal(i.clock().Add(-time.Second)) {
		t.Errorf("down again: %+v", st)
	}
	if st := ps.State("other"); st.Asked {
		t.Errorf("nobody has asked this one: %+v", st)
	}
	if err := ps.Check(t.Context(), "none"); err == nil || ps.State("none") != (State{}) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ps.Check(ctx, "other"); err == nil {
		t.Error("a question that nobody waits for has an answer")
	}
}
