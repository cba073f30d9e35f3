package adminapi

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestLDAPTest: administrators see what would become of a login, with the reasons that it would not tell.
func TestLDAPTest(t *testing.T) {
	s := newServer(t)
	ask := func(name string) (out LDAPTest, all string) {
		t.Helper()
		w := s.send(root, "POST", "ldap/test", `{"name":"`+name+`"}`)
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return out, w.Body.String()
	}
	if out, all := ask("bob"); out.Allowed || out.User != "" || len(out.Steps) != 1 || !out.Steps[0].Failed {
		t.Error(all)
	}
	if out, all := ask("ann"); out.Allowed || out.User != "ldap:cn=ann,dc=test" || !strings.Contains(all, "no policy is attached") || !strings.Contains(all, "made with the first login") {
		t.Error(all)
	}
	must := func(_ iam.Group, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.svc.CreateGroup(t.Context(), iam.NewGroup{Name: "ldap:cn=bare,dc=test"}))
	must(s.svc.CreateGroup(t.Context(), iam.NewGroup{Name: "ldap:cn=crew,dc=test", Policies: []string{"readonly"}}))
	if out, all := ask("ann"); !out.Allowed || !strings.Contains(all, "ldap:cn=crew,dc=test is enabled, with the policies readonly") || !strings.Contains(all, "cn=bare,dc=test is enabled, with the policies (none)") {
		t.Error(all)
	}
	must(s.svc.CreateGroup(t.Context(), iam.NewGroup{Name: "ldap:cn=off,dc=test", Disabled: true}))
	if out, all := ask("ann"); out.Allowed || !strings.Contains(all, "locks the person out") {
		t.Error(all)
	}
	if err := s.svc.DeleteGroup(t.Context(), "ldap:cn=off,dc=test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "ldap:cn=ann,dc=test", Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if out, all := ask("ann"); out.Allowed || !strings.Contains(all, "ldap:cn=ann,dc=test is disabled") {
		t.Error(all)
	}
	s.h.(*handler).config.Directory = nil
	var w *httptest.ResponseRecorder
	if w = s.send(root, "POST", "ldap/test", `{"name":"ann"}`); w.Code != 501 {
		t.Errorf("without a directory: %d %s", w.Code, w.Body)
	}
}
