package adminapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestDeleteAccount: an account goes when nothing belongs to it any more, and its root works until then.
func TestDeleteAccount(t *testing.T) {
	s := newServer(t)
	const id = "222222222222"
	s.done(t, root, "PUT", "accounts/tenant", `{"id":"`+id+`","root":"tenant-root"}`)
	s.done(t, root, "PUT", "users/tenant-user", `{"account":"`+id+`"}`)
	works := func() bool {
		_, err := s.svc.Credential("tenant-root", "")
		return err == nil
	}
	conflict := func(why string) {
		t.Helper()
		w := s.send(root, "DELETE", "accounts/"+id, "")
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), why) || !works() {
			t.Errorf("%d %s, want a conflict that names %q", w.Code, w.Body, why)
		}
	}
	conflict("users")
	s.done(t, root, "DELETE", "users/tenant-user", "")
	s.host.owned = map[string][]string{id: {"first", "second"}}
	conflict("first")
	if body := s.done(t, root, "GET", "accounts/"+id, ""); !strings.Contains(body, `"buckets":["first","second"]`) || !strings.Contains(body, iam.CanonicalID(id)) {
		t.Error(body)
	}
	s.host.owned = nil
	s.refused(t, root, "DELETE", "users/tenant-root", "")
	s.refused(t, root, "DELETE", "accounts/"+s.svc.Account(), "")
	s.refused(t, "tenant-root", "DELETE", "accounts/"+id, "")
	s.refused(t, "tenant-root", "GET", "users", "")
	s.refused(t, "tenant-root", "POST", "keys", `{"parent":"objroot"}`)
	s.done(t, "tenant-root", "POST", "keys", `{"accessKey":"TENANTKEY"}`)
	s.done(t, root, "DELETE", "accounts/"+id, "")
	if _, err := s.svc.Credential("TENANTKEY", ""); works() || !errors.Is(err, iam.ErrNoSuchKey) {
		t.Error("credentials outlive their account", err)
	}
	for _, request := range [][3]string{{"DELETE", "accounts/" + id, ""}, {"GET", "accounts/" + id, ""}, {"PUT", "users/late", `{"account":"` + id + `"}`}} {
		if w := s.send(root, request[0], request[1], request[2]); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "NoSuchAccount") {
			t.Errorf("%v: %d %s", request, w.Code, w.Body)
		}
	}
}
