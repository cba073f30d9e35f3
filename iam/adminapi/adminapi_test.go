package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/sigv4"
)

const secret = "correct horse battery"

// server is the face over a fresh service; the header X-Test-User authenticates.
type server struct {
	svc *iam.Service
	h   http.Handler
}

func newServer(t *testing.T) *server {
	t.Helper()
	st := mem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: "objroot", RootPassword: secret, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close(); st.Close() })
	return &server{svc, Handler(svc, func(r *http.Request) (*iam.Identity, error) {
		switch name := r.Header.Get("X-Test-User"); name {
		case "":
			return nil, nil
		case "forged":
			return nil, &sigv4.Error{Code: "SignatureDoesNotMatch", Message: "no match"}
		case "failing":
			return nil, errors.New("secret detail")
		default:
			c, err := svc.Credential(name, "")
			return c.Identity, err
		}
	})}
}

func (s *server) send(user, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Test-User", user)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// user creates a user who may do the given actions and nothing else.
func (s *server) user(t *testing.T, name string, actions ...string) {
	t.Helper()
	n := iam.NewUser{Name: name, Secret: secret}
	if len(actions) > 0 {
		doc, err := json.Marshal(map[string]any{"Statement": map[string]any{"Effect": "Allow", "Action": actions}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.svc.SetPolicy(t.Context(), name, doc); err != nil {
			t.Fatal(err)
		}
		n.Policies = []string{name}
	}
	if _, _, err := s.svc.CreateUser(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

const readPolicy = `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

// requests has one request for each route, or for each kind of change where the action
// depends on it, with the actions that it needs.
func requests() []struct {
	method, path, body string
	actions            []string
	status             int
} {
	return []struct {
		method, path, body string
		actions            []string
		status             int
	}{
		{"GET", "users", "", []string{ActionListUsers}, 200},
		{"GET", "users/victim", "", []string{ActionGetUser}, 200},
		{"PUT", "users/newcomer", `{}`, []string{ActionCreateUser}, 201},
		{"PUT", "users/newcomer", `{"policies":["readonly"]}`, []string{ActionCreateUser, ActionAttachPolicy}, 201},
		{"PATCH", "users/victim", `{"enabled":false}`, []string{ActionDisableUser}, 200},
		{"PATCH", "users/victim", `{"enabled":true}`, []string{ActionEnableUser}, 200},
		{"PATCH", "users/victim", `{"secret":"another secret"}`, []string{ActionCreateUser}, 200},
		{"PATCH", "users/victim", `{"policies":["consoleAdmin"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"attach":["consoleAdmin"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"detach":["readonly"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"enabled":true,"attach":["readwrite"]}`, []string{ActionEnableUser, ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{}`, []string{ActionGetUser}, 200},
		{"DELETE", "users/victim", "", []string{ActionDeleteUser}, 204},
		{"GET", "policies", "", []string{ActionListPolicies}, 200},
		{"GET", "policies/readonly", "", []string{ActionGetPolicy}, 200},
		{"PUT", "policies/fresh", readPolicy, []string{ActionSetPolicy}, 200},
		{"DELETE", "policies/unused", "", []string{ActionDeletePolicy}, 204},
	}
}

func allActions() []string {
	return []string{
		ActionListUsers, ActionGetUser, ActionCreateUser, ActionDeleteUser, ActionEnableUser, ActionDisableUser,
		ActionAttachPolicy, ActionListPolicies, ActionGetPolicy, ActionSetPolicy, ActionDeletePolicy,
	}
}

// TestMatrix is S-229, S-075, S-042 and S-083: every route for the anonymous caller, a
// user without rights, one with every action but one that is needed, one with exactly
// the needed ones, and root.
func TestMatrix(t *testing.T) {
	covered := map[string]bool{"GET whoami": true}
	for _, req := range requests() {
		resource, _, named := strings.Cut(req.path, "/")
		covered[fmt.Sprint(req.method, " ", resource, named)] = true
		try := func(who string, want int) {
			t.Helper()
			s := newServer(t)
			s.user(t, "victim")
			s.user(t, "plain")
			s.user(t, "exact", req.actions...)
			for i, needed := range req.actions {
				others := slices.DeleteFunc(append(allActions(), "s3:*", "kms:*", "sts:*", "admin:ServerInfo"), func(a string) bool { return a == needed })
				s.userAnywhere(t, fmt.Sprint("others", i), others)
			}
			if _, err := s.svc.SetPolicy(t.Context(), "unused", []byte(readPolicy)); err != nil {
				t.Fatal(err)
			}
			before := s.state(t)
			w := s.send(who, req.method, Prefix+req.path, req.body)
			if w.Code != want {
				t.Errorf("%s %s %s as %q: %d %s, want %d", req.method, req.path, req.body, who, w.Code, w.Body, want)
			}
			if want == 403 {
				if s.state(t) != before {
					t.Errorf("%s %s %s as %q is refused and has an effect", req.method, req.path, req.body, who)
				}
				wantError(t, w, "")
			}
		}
		for _, who := range []string{"", "forged", "failing", "nobody", "plain", "others0"} {
			try(who, 403)
		}
		if len(req.actions) > 1 {
			try("others1", 403)
		}
		try("exact", req.status)
		try("objroot", req.status)
	}
	for _, rt := range routes() {
		if rt.named || rt.resource != "whoami" {
			if key := fmt.Sprint(rt.method, " ", rt.resource, rt.named); !covered[key] {
				t.Errorf("route %s is not in the matrix", key)
			}
		}
	}
}

// userAnywhere creates a user with actions of every service.
func (s *server) userAnywhere(t *testing.T, name string, actions []string) {
	t.Helper()
	doc, err := json.Marshal(map[string]any{"Statement": map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.SetPolicy(t.Context(), name, doc); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: name, Secret: secret, Policies: []string{name}}); err != nil {
		t.Fatal(err)
	}
}

// state is everything that a request could change.
func (s *server) state(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal([]any{s.svc.Users(), s.svc.Policies()})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range s.svc.Users() {
		if c, err := s.svc.Credential(u.Name, ""); err == nil {
			b = append(b, c.Secret...)
		}
	}
	return string(b)
}

func wantError(t *testing.T, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var e Error
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code == "" || e.Message == "" {
		t.Errorf("error body %q: %v", w.Body, err)
	}
	if code != "" && e.Code != code {
		t.Errorf("code %s (%s), want %s", e.Code, e.Message, code)
	}
	if strings.Contains(w.Body.String(), "secret detail") {
		t.Errorf("the answer shows an inner error: %s", w.Body)
	}
}

// TestStrict has requests that root may make and that are wrong.
func TestStrict(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	tests := []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", "users/bob", `{"secrets":"x"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"Secret":"correct horse battery"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"secret":"correct horse battery","secret":"another horse battery"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"policies":"readonly"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{} {}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `[]`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `null`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{`, 400, "MalformedJSON"},
		{"PUT", "users/bob", "{\"secret\":\"\xff\"}", 400, "MalformedJSON"},
		{"PUT", "users/bob", strings.Repeat("[", 60000), 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"secret":"` + strings.Repeat("x", maxBody) + `"}`, 413, "EntityTooLarge"},
		{"PUT", "users/bob", `{"secret":"short"}`, 400, "InvalidArgument"},
		{"PUT", "users/bob", `{"policies":["nothing"]}`, 404, "NoSuchPolicy"},
		{"PUT", "users/bob", `{"policies":["../x"]}`, 400, "InvalidArgument"},
		{"PUT", "users/alice", `{}`, 409, "EntityAlreadyExists"},
		{"PUT", "users/objroot", `{}`, 403, "ReservedName"},
		{"PUT", "users/OBJROOT", `{}`, 403, "ReservedName"},
		{"PUT", "users/root", `{}`, 403, "ReservedName"},
		{"PUT", "users/objroot%20", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/ab", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/" + strings.Repeat("a", 129), `{}`, 400, "InvalidArgument"},
		{"PUT", "users/...", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%2Fb", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%00b", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%0Ab", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/al%C3%AFce", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/bob%FF", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users/", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users/bob/x", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users", `{}`, 405, "MethodNotAllowed"},
		{"POST", "users/bob", `{}`, 405, "MethodNotAllowed"},
		{"PUT", "users/bob?x=1", `{}`, 400, "InvalidArgument"},
		{"GET", "users?marker=a", "", 400, "InvalidArgument"},
		{"GET", "users", "{}", 400, "MalformedJSON"},
		{"GET", "nothing", "", 404, "NoSuchRoute"},
		{"GET", "users/nobody", "", 404, "NoSuchUser"},
		{"PATCH", "users/nobody", `{"enabled":true}`, 404, "NoSuchUser"},
		{"PATCH", "users/alice", `{"enabled":"yes"}`, 400, "MalformedJSON"},
		{"PATCH", "users/alice", ``, 400, "MalformedJSON"},
		{"PATCH", "users/alice", `{"attach":["nothing"]}`, 404, "NoSuchPolicy"},
		{"PATCH", "users/objroot", `{"enabled":false}`, 403, "ReservedName"},
		{"DELETE", "users/objroot", "", 403, "ReservedName"},
		{"DELETE", "users/nobody", "", 404, "NoSuchUser"},
		{"GET", "policies/nothing", "", 404, "NoSuchPolicy"},
		{"PUT", "policies/readonly", readPolicy, 403, "ReservedName"},
		{"PUT", "policies/p", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject"}]}`, 400, "MalformedPolicy"},
		{"PUT", "policies/a%2Cb", readPolicy, 400, "InvalidArgument"},
		{"DELETE", "policies/readonly", "", 403, "ReservedName"},
		{"DELETE", "policies/nothing", "", 404, "NoSuchPolicy"},
	}
	before := s.state(t)
	for _, tt := range tests {
		w := s.send("objroot", tt.method, Prefix+tt.path, tt.body)
		if w.Code != tt.status {
			t.Errorf("%s %s %.60s: %d %s, want %d", tt.method, tt.path, tt.body, w.Code, w.Body, tt.status)
		}
		wantError(t, w, tt.code)
	}
	if s.state(t) != before {
		t.Error("a refused request has an effect")
	}
}

func TestLife(t *testing.T) {
	s := newServer(t)
	var created CreatedUser
	decodeAnswer(t, s.send("objroot", "PUT", Prefix+"users/alice", `{"policies":["readonly"]}`), 201, &created)
	if cred, err := s.svc.Credential("alice", ""); err != nil || cred.Secret != created.Secret || len(created.Secret) < 32 {
		t.Errorf("made secret %q, %v", created.Secret, err)
	}
	var me WhoAmI
	decodeAnswer(t, s.send("alice", "GET", Prefix+"whoami", ""), 200, &me)
	if me.Name != "alice" || me.Root || !slices.Equal(me.Policies, []string{"readonly"}) || me.ID != created.ID {
		t.Errorf("whoami %+v", me)
	}
	decodeAnswer(t, s.send("objroot", "GET", Prefix+"whoami", ""), 200, &me)
	if !me.Root || me.ARN != "arn:aws:iam::"+s.svc.Account()+":root" {
		t.Errorf("whoami of root %+v", me)
	}
	var list UserList
	w := s.send("objroot", "GET", Prefix+"users", "")
	decodeAnswer(t, w, 200, &list)
	if len(list.Users) != 1 || strings.Contains(w.Body.String(), created.Secret) {
		t.Errorf("users %s", w.Body)
	}
	decodeAnswer(t, s.send("objroot", "PATCH", Prefix+"users/alice", `{"enabled":false}`), 200, &list)
	if w := s.send("alice", "GET", Prefix+"whoami", ""); w.Code != 403 {
		t.Errorf("S-228: disabled user: %d", w.Code)
	}
	var p iam.Policy
	decodeAnswer(t, s.send("objroot", "PUT", Prefix+"policies/mine", readPolicy), 200, &p)
	decodeAnswer(t, s.send("objroot", "PATCH", Prefix+"users/alice", `{"attach":["mine"]}`), 200, &list)
	if w := s.send("objroot", "DELETE", Prefix+"policies/mine", ""); w.Code != 409 {
		t.Errorf("policy in use: %d", w.Code)
	}
}

func decodeAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, v any) {
	t.Helper()
	if w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d %s, want %d", w.Code, w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Error(err)
	}
}
