package sts

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// TestLoginKey: a login at a face gives what AssumeRole gives, by the same rules.
func TestLoginKey(t *testing.T) {
	s := start(t, Config{})
	svc := New(Config{IAM: s.Service, Region: "us-east-1"})
	l := Login{W: httptest.NewRecorder(), Duration: time.Hour, RevokeType: "console:x"}
	ev := &reqlog.Event{ID: "R1", Remote: "192.0.2.7"}
	l.R = httptest.NewRequest("POST", "/", nil)
	l.R = l.R.WithContext(reqlog.With(l.R.Context(), ev))
	ann := s.user("ann", "readwrite")
	got, err := svc.LoginKey(l, "ann", ann.Secret, "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Session.Parent != "ann" || got.Session.RevokeType != "console:x" || got.Session.Remote != "192.0.2.7" || got.Session.Expires.Sub(got.Session.Created) > time.Hour ||
		got.Credential.Identity.Kind != iam.SessionKey || !strings.HasSuffix(got.Session.ARN, ":assumed-role/ann/console") {
		t.Errorf("%+v", got.Session)
	}
	for name, try := range map[string][3]string{
		"another secret": {"ann", "wrong-secret", ""}, "nobody": {"nobody", "wrong-secret", ""}, "no secret": {"nobody", "", ""}, "root": {rootUser, "wrong-secret", ""},
		"a token that is none": {"ann", ann.Secret, "x"}, "a session without its token": {got.Credential.AccessKey, got.Credential.Secret, ""},
	} {
		_, err := svc.LoginKey(l, try[0], try[1], try[2])
		if e := AsError(err); !errors.Is(err, ErrWrongKey) || e.Status != http.StatusForbidden || e.Message != "The access key or the secret key is wrong, or they have expired." {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, err := svc.LoginKey(l, got.Credential.AccessKey, got.Credential.Secret, got.Credential.SessionToken)
	if err != nil || again.Session.AccessKey != got.Session.AccessKey {
		t.Errorf("a session of its own: %+v, %v", again.Session, err)
	}
	if _, err := s.SetPolicy(t.Context(), "no-sessions", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole"}]}`)); err != nil {
		t.Fatal(err)
	}
	bob := s.user("bob", "readwrite", "no-sessions")
	if _, err := svc.LoginKey(l, "bob", bob.Secret, ""); err == nil || errors.Is(err, ErrWrongKey) || AsError(err).Code != "AccessDenied" {
		t.Errorf("a Deny of sts:AssumeRole: %v", err)
	}
	if _, err := s.SetStatus(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.LoginKey(l, "ann", ann.Secret, ""); !errors.Is(err, ErrWrongKey) {
		t.Errorf("disabled: %v", err)
	}
	fixed := New(Config{IAM: s.Service, Region: "us-east-1", Duration: 30 * time.Minute})
	root, err := fixed.LoginKey(l, rootUser, rootSecret, "")
	if err != nil || root.Session.Expires.Sub(root.Session.Created).Round(time.Minute) != 30*time.Minute || !root.Credential.Identity.Root {
		t.Errorf("MINIO_STS_DURATION: %+v, %v", root.Session, err)
	}
}
