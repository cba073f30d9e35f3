package adminapi

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// TestStreamRevoked is S-228 for streams: who has lost the right to watch is shown nothing more.
func TestStreamRevoked(t *testing.T) {
	s := newServer(t)
	for name, lose := range map[string]func() error{
		"disabled": func() error { _, err := s.svc.SetStatus(t.Context(), "disabled", false); return err },
		"deleted":  func() error { return s.svc.DeleteUser(t.Context(), "deleted") },
		"detached": func() error {
			_, err := s.svc.UpdateUser(t.Context(), "detached", iam.UserUpdate{Policies: &[]string{}})
			return err
		},
	} {
		s.host = newTestHost(t)
		s.h.(*handler).config.Host = s.host
		srv := httptest.NewServer(s.h)
		defer srv.Close()
		s.user(t, name, ActionTrace, ActionLog)
		lines, resp, _ := s.streamAs(t, srv, name, "trace")
		if resp.StatusCode != 200 || !lines.Scan() {
			t.Fatal(resp.Status)
		}
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		s.host.requests.Publish(live.NewTrace(&reqlog.Event{Op: "GetObject", Status: 200, Start: time.Now()}, time.Now()))
		s.host.requests.Close()
		s.host.log.Close()
		for lines.Scan() {
			t.Errorf("%s: %s", name, lines.Text())
		}
	}
}
