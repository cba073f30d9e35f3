package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sigv4"
)

const (
	root   = "objroot"
	secret = "correct horse battery"
)

const readPolicy = `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

// bucketPolicy is that of the bucket "public", which the server has.
const bucketPolicy = `{"Statement":[{"Sid":"all","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::public/*"}]}`

// server is the face over a fresh service; the header X-Test-User authenticates by access key.
type server struct {
	svc    *iam.Service
	h      http.Handler
	host   *testHost
	tokens map[string]string // of sessions, by access key
}

func newServer(t *testing.T) *server {
	t.Helper()
	st := mem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: root, RootPassword: secret, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close(); st.Close() })
	s := &server{svc: svc, host: newTestHost(t), tokens: map[string]string{}}
	s.host.requests.Close() // streams end at once
	s.host.log.Close()
	s.h = Handler(Config{Service: svc, Host: s.host, Authenticate: s.authenticate, BucketPolicy: func(_ context.Context, bucket string) ([]byte, string, error) {
		switch bucket {
		case "public":
			return []byte(bucketPolicy), svc.Account(), nil
		case "broken":
			return nil, "", errors.New("secret detail")
		}
		return nil, "", nil
	}, Encryption: testKeys{}, Migration: testMigration{}, Directory: func(_ context.Context, name string) ([]TestStep, string, []string) {
		if name != "ann" {
			return []TestStep{{Step: "person", Result: "nobody", Failed: true}}, "", nil
		}
		return []TestStep{{Step: "person", Result: "found"}}, "CN=Ann,dc=test", []string{"cn=Crew,dc=test", "cn=none,dc=test", "cn=off,dc=test", "cn=bare,dc=test"}
	}, Tokens: func(_ *http.Request, in TestOpenID) (OpenIDTest, error) {
		if in.Token != "t" {
			return OpenIDTest{}, &Refusal{Status: 404, Code: "NoSuchProvider", Message: "There is none."}
		}
		return OpenIDTest{Allowed: true}, nil
	}})
	return s
}

func (s *server) authenticate(r *http.Request) (*iam.Identity, error) {
	switch name := r.Header.Get("X-Test-User"); name {
	case "":
		return nil, nil
	case "forged":
		return nil, &sigv4.Error{Code: "SignatureDoesNotMatch", Message: "no match"}
	case "failing":
		return nil, errors.New("secret detail")
	default:
		c, err := s.svc.Credential(name, s.tokens[name])
		return c.Identity, err
	}
}

// send sends a request to a path below Prefix, as the holder of an access key. Its request id
// is "id-of-" and the access key.
func (s *server) send(user, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, Prefix+path, strings.NewReader(body))
	r.Header.Set("X-Test-User", user)
	ev := &reqlog.Event{ID: "id-of-" + user, Remote: "192.0.2.7"}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r.WithContext(reqlog.With(r.Context(), ev)))
	return w
}

// policyOf returns a document that allows actions of administration.
func policyOf(t *testing.T, effect string, actions ...string) []byte {
	t.Helper()
	st := map[string]any{"Effect": effect, "Action": actions}
	if slices.ContainsFunc(actions, func(a string) bool { return strings.HasPrefix(a, "s3:") }) {
		st["Resource"] = "*"
	}
	doc, err := json.Marshal(map[string]any{"Statement": st})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// user creates a user who may do the given actions and nothing else.
func (s *server) user(t *testing.T, name string, actions ...string) {
	t.Helper()
	s.userWith(t, name, "Allow", actions...)
}

func (s *server) userWith(t *testing.T, name, effect string, actions ...string) {
	t.Helper()
	n := iam.NewUser{Name: name, Secret: secret}
	if len(actions) > 0 {
		if _, err := s.svc.SetPolicy(t.Context(), name, policyOf(t, effect, actions...)); err != nil {
			t.Fatal(err)
		}
		n.Policies = []string{name}
	}
	if _, _, err := s.svc.CreateUser(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// key creates a service key; without policy it may what its parent may.
func (s *server) key(t *testing.T, accessKey, parent string, policy []byte) string {
	t.Helper()
	_, _, err := s.svc.CreateAccessKey(t.Context(), iam.NewAccessKey{AccessKey: accessKey, Parent: parent, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return accessKey
}

// session creates a session of the holder of an access key and returns its access key.
func (s *server) session(t *testing.T, of string, policy []byte) string {
	t.Helper()
	c, err := s.svc.Credential(of, "")
	if err != nil {
		t.Fatal(err)
	}
	_, cred, err := s.svc.CreateSession(t.Context(), iam.NewSession{By: c.Identity, Policy: policy, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.tokens[cred.AccessKey] = cred.SessionToken
	return cred.AccessKey
}

// state is everything that a request could change.
func (s *server) state(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal([]any{s.svc.Users(), s.svc.Groups(), s.svc.Policies(), s.svc.AccessKeys(""), s.svc.Sessions("")})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range s.svc.AccessKeys("") {
		if c, err := s.svc.Credential(k.AccessKey, ""); err == nil {
			b = append(b, c.Secret...)
		}
	}
	return string(b)
}

// wantError checks the form of a refusal, and its code when one is given.
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

func decodeAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, v any) {
	t.Helper()
	if w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d %s, want %d", w.Code, w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Error(err)
	}
}

// refused sends a request that must be denied without an effect.
func (s *server) refused(t *testing.T, who, method, path, body string) {
	t.Helper()
	before := s.state(t)
	w := s.send(who, method, path, body)
	if w.Code != http.StatusForbidden {
		t.Errorf("%s %s %.80s as %q: %d %s, want 403", method, path, body, who, w.Code, w.Body)
	}
	wantError(t, w, "")
	if s.state(t) != before {
		t.Errorf("%s %s %.80s as %q is refused and has an effect", method, path, body, who)
	}
}

// done sends a request that must succeed.
func (s *server) done(t *testing.T, who, method, path, body string) string {
	t.Helper()
	w := s.send(who, method, path, body)
	if w.Code/100 != 2 {
		t.Errorf("%s %s %.80s as %q: %d %s", method, path, body, who, w.Code, w.Body)
	}
	return w.Body.String()
}
