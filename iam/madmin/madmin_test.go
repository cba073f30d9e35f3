package madmin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/sigv4"
)

const secret = "correct horse battery"

// server is the face over a fresh service; the header X-Test-User authenticates.
type server struct {
	t               *testing.T
	svc             *iam.Service
	h               http.Handler
	rows            []route
	sealer          *sealer
	secrets, tokens map[string]string // of access keys, when the secret is not the usual one
}

func newServer(t *testing.T) *server {
	t.Helper()
	st := mem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: "objroot", RootPassword: secret, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close(); st.Close() })
	authn := func(r *http.Request) (iam.Credential, error) {
		switch name := r.Header.Get("X-Test-User"); name {
		case "":
			return iam.Credential{}, nil
		case "forged":
			return iam.Credential{}, &sigv4.Error{Code: "SignatureDoesNotMatch", Message: "no match"}
		case "failing":
			return iam.Credential{}, errors.New("secret detail")
		default:
			return svc.Credential(name, r.Header.Get("X-Test-Token"))
		}
	}
	h := Handler(Config{IAM: svc, Authenticate: authn, Host: newTestHost(t)})
	h.(*handler).sealer = cheapSealer()
	return &server{t: t, svc: svc, h: h, rows: routes(), sealer: cheapSealer(), secrets: map[string]string{}, tokens: map[string]string{}}
}

// request is one call: where is method, path below admin/v3/ and query.
type request struct {
	as, method, path string
	query            string
	body             string
}

// send sends a request, sealed when its row says so, and opens the answer.
func (s *server) send(q request) (int, string) {
	s.t.Helper()
	body, seals := []byte(q.body), false
	values, _ := url.ParseQuery(q.query)
	for i := range s.rows {
		rt := &s.rows[i]
		if _, ok := match(rt.path, "admin/v3/"+q.path); !ok || rt.method != q.method || !rt.takes(values) {
			continue
		}
		if seals = rt.seals; rt.sealed && q.body != "" {
			var err error
			if body, err = s.sealer.seal(s.t.Context(), s.secret(q.as), body); err != nil {
				s.t.Fatal(err)
			}
		}
		break
	}
	r := httptest.NewRequest(q.method, Root+"admin/v3/"+q.path+"?"+q.query, bytes.NewReader(body))
	r.Header.Set("X-Test-User", q.as)
	r.Header.Set("X-Test-Token", s.tokens[q.as])
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	out := w.Body.Bytes()
	if seals && w.Code == http.StatusOK {
		var err error
		if out, err = s.sealer.open(s.t.Context(), s.secret(q.as), out); err != nil {
			s.t.Fatalf("%v: answer: %v", q, err)
		}
	}
	return w.Code, string(out)
}

// cheapSealer seals with the key derivation that needs no 64 MiB.
func cheapSealer() *sealer {
	s := newSealer()
	s.algorithm = pbkdf2AESGCM
	return s
}

func (s *server) secret(accessKey string) string {
	if v, ok := s.secrets[accessKey]; ok {
		return v
	}
	return secret
}

// key makes a service key of a user, with a policy unless it is "", and returns it.
func (s *server) key(parent, policy string) string {
	s.t.Helper()
	k, cred, err := s.svc.CreateAccessKey(s.t.Context(), iam.NewAccessKey{Parent: parent, Policy: json.RawMessage(policy)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.secrets[k.AccessKey] = cred.Secret
	return k.AccessKey
}

// session makes a session of whoever has an access key.
func (s *server) session(accessKey, policy, revokeType string) string {
	s.t.Helper()
	by, err := s.svc.Credential(accessKey, s.tokens[accessKey])
	if err != nil {
		s.t.Fatal(err)
	}
	ss, cred, err := s.svc.CreateSession(s.t.Context(), iam.NewSession{By: by.Identity, Policy: json.RawMessage(policy), Duration: time.Hour, RevokeType: revokeType})
	if err != nil {
		s.t.Fatal(err)
	}
	s.secrets[ss.AccessKey], s.tokens[ss.AccessKey] = cred.Secret, cred.SessionToken
	return ss.AccessKey
}

// want sends a request and checks the status and a part of the answer.
func (s *server) want(q request, status int, part string) string {
	s.t.Helper()
	got, body := s.send(q)
	if got != status || !strings.Contains(body, part) {
		s.t.Errorf("%s: %s %s?%s %s: %d %s, want %d with %s", q.as, q.method, q.path, q.query, q.body, got, body, status, part)
	}
	return body
}

// user creates a user who may do the given actions and nothing else.
func (s *server) user(name string, actions ...string) {
	s.t.Helper()
	n := iam.NewUser{Name: name, Secret: secret}
	if len(actions) > 0 {
		doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{"Effect": "Allow", "Action": actions}})
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := s.svc.SetPolicy(s.t.Context(), name, doc); err != nil {
			s.t.Fatal(err)
		}
		n.Policies = []string{name}
	}
	if _, _, err := s.svc.CreateUser(s.t.Context(), n); err != nil {
		s.t.Fatal(err)
	}
}

// allActions are the actions of all rows.
func allActions() []string {
	var out []string
	for _, rt := range routes() {
		out = append(out, rt.rule.actions...)
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// TestTable checks what the other tests and the routing stand on.
func TestTable(t *testing.T) {
	rows := routes()
	if len(rows) < 126 {
		t.Errorf("%d rows, MinIO has 126", len(rows))
	}
	for i, rt := range rows {
		if len(rt.rule.actions) == 0 && rt.path != "admin/v3/accountinfo" {
			t.Errorf("%s %s needs no action", rt.method, rt.path)
		}
		for _, other := range rows[:i] {
			if other.method == rt.method && other.path == rt.path && other.query == rt.query {
				t.Errorf("%s %s?%s is there twice", rt.method, rt.path, rt.query)
			}
		}
		if rt.sealed && rt.max == 0 && rt.serve != nil {
			t.Errorf("%s %s takes no body", rt.method, rt.path)
		}
	}
}
