package adminapi

import (
	"errors"
	"net/http"
	"slices"
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
	s.absent(t, "tenant-root", "POST", "keys", `{"parent":"objroot"}`)
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

// absent sends a request about what is another account's: it is not there, and nothing happens.
func (s *server) absent(t *testing.T, who, method, path, body string) {
	t.Helper()
	before := s.state(t)
	if w := s.send(who, method, path, body); w.Code != http.StatusNotFound || s.state(t) != before {
		t.Errorf("%s %s %.80s as %q: %d %s, want 404 and no effect", method, path, body, who, w.Code, w.Body)
	}
}

// TestAccountMatrix is S-229 and S-231 across accounts: the root of an account, and a user of it with every policy, send all
// requests of the matrix, which speak of what the deployment has. It is not there for them; what is not theirs at all
// is refused with the action's name; lists have nothing of it; what they make is their account's.
func TestAccountMatrix(t *testing.T) {
	const id = "222222222222"
	own := iam.AccountActions()
	for _, req := range requests(archive(t)) {
		for _, as := range []string{"alpha-root", "alpha-admin", "DERIVED"} {
			s := newServer(t)
			s.fixture(t)
			s.done(t, root, "PUT", "accounts/alpha", `{"id":"`+id+`","root":"alpha-root"}`)
			s.done(t, root, "PUT", "users/alpha-admin", `{"account":"`+id+`","policies":["consoleAdmin"]}`)
			s.done(t, "alpha-root", "POST", "keys", `{"accessKey":"DERIVED"}`)
			path := strings.Replace(req.path, "SESSION", s.tokens["SESSION"], 1)
			rt, before := routeOf(t, req.method, req.path), s.state(t)
			w := s.send(as, req.method, path, req.body)
			what := strings.Join([]string{req.method, req.path, req.body, "as", as}, " ")
			body := w.Body.String()
			foreign := slices.IndexFunc(req.actions, func(a string) bool { return !slices.Contains(own, a) })
			switch {
			case foreign >= 0:
				if w.Code != http.StatusForbidden || !strings.Contains(body, req.actions[foreign]) {
					t.Errorf("%s: %d %s, want 403 that names %s", what, w.Code, body, req.actions[foreign])
				}
			case rt.op == "AdminCreateAccount" || rt.op == "AdminDeleteAccount" || rt.op == "AdminDeletePolicy" || strings.Contains(req.body, "provider"):
				if w.Code != http.StatusForbidden {
					t.Errorf("%s: %d %s, want 403", what, w.Code, body)
				}
			case rt.op == "AdminCreateUser" || rt.op == "AdminCreateGroup" || rt.op == "AdminSetPolicy":
				if w.Code != req.status || !strings.Contains(body, `"account":"`+id+`"`) {
					t.Errorf("%s: %d %s", what, w.Code, body)
				}
				continue
			case strings.HasPrefix(path, "policies") || rt.method == "GET" && rt.pattern != "users/{name}" && w.Code == http.StatusOK:
				for _, theirs := range []string{"victim", "VICTIM", "ROOTKEY", "crew", "333333333333"} {
					if w.Code != http.StatusOK || strings.Contains(body, theirs) && rt.op != "AdminListPolicies" {
						t.Errorf("%s: %d %s", what, w.Code, body)
					}
				}
			case w.Code != http.StatusNotFound:
				t.Errorf("%s: %d %s, want 404", what, w.Code, body)
			}
			if s.state(t) != before {
				t.Errorf("%s has an effect", what)
			}
		}
	}
}

// TestAccountRootAdministers has the root of an account do what an administrator does.
func TestAccountRootAdministers(t *testing.T) {
	s := newServer(t)
	s.done(t, root, "PUT", "accounts/alpha", `{"id":"222222222222","root":"alpha-root"}`)
	for _, step := range [][3]string{
		{"PUT", "policies/mine", readPolicy},
		{"PUT", "users/worker", `{"policies":["readonly","mine"]}`},
		{"GET", "policies/mine/entities", ""},
		{"PATCH", "users/worker", `{"attach":["readwrite"],"enabled":false}`},
		{"PATCH", "users/worker", `{"enabled":true}`},
		{"PUT", "groups/team", `{"policies":["diagnostics"]}`},
		{"PATCH", "groups/team", `{"add":["worker"]}`},
		{"POST", "keys", `{"parent":"worker","accessKey":"WORKERKEY"}`},
		{"PATCH", "keys/WORKERKEY", `{"name":"of the worker"}`},
		{"GET", "keys?user=worker", ""},
		{"GET", "policies/readonly", ""},
		{"PATCH", "users/alpha-root", `{"secret":"another secret"}`},
		{"GET", "sessions?all=true", ""},
		{"POST", "sessions/revoke", `{"user":"worker"}`},
		{"DELETE", "keys/WORKERKEY", ""},
		{"PATCH", "groups/team", `{"remove":["worker"]}`},
		{"DELETE", "groups/team", ""},
		{"DELETE", "users/worker", ""},
		{"DELETE", "policies/mine", ""},
	} {
		s.done(t, "alpha-root", step[0], step[1], step[2])
	}
	if body := s.done(t, "alpha-root", "GET", "whoami", ""); !strings.Contains(body, `"arn":"arn:aws:iam::222222222222:root"`) || !strings.Contains(body, `"accountRoot":true`) || !strings.Contains(body, `"root":false`) {
		t.Error(body)
	}
	if body := s.done(t, "alpha-root", "GET", "accounts", ""); strings.Contains(body, s.svc.Account()) || !strings.Contains(body, `"id":"222222222222"`) {
		t.Error(body)
	}
	s.refused(t, "alpha-root", "PATCH", "users/alpha-root", `{"enabled":true}`)
}
