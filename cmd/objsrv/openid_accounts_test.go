package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// fakeAccounts knows accounts of one issuer by their subjects.
type fakeAccounts map[string]bool

func (f fakeAccounts) Active(_ context.Context, issuer, subject string) (active, known bool, err error) {
	active, ok := f[subject]
	switch {
	case issuer != "https://idp.example.com":
		return false, false, nil
	case !ok:
		return false, false, errors.New("it does not answer")
	}
	return active, true, nil
}

// TestCheckAccounts: who is disabled at the provider has no credentials any more, and nobody else
// loses any.
func TestCheckAccounts(t *testing.T) {
	p, _, stderr := start(t, environ{"MINIO_ROOT_PASSWORD": testPassword}, t.TempDir())
	s, ctx := p.services, t.Context()
	session := func(user, issuer, subject string) iam.Credential {
		t.Helper()
		_, cred, err := s.iam.CreateSession(ctx, iam.NewSession{External: user, Duration: time.Hour, Grants: &iam.Grants{
			Policies: []string{"readwrite"}, Claims: map[string][]string{"jwt:iss": {issuer}, "jwt:sub": {subject}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return cred
	}
	const idp = "https://idp.example.com"
	alice, bob := session("openid:a", idp, "alice"), session("openid:b", idp, "bob")
	elsewhere, down := session("openid:c", "https://other.example.com", "bob"), session("openid:d", idp, "unknown")
	ldap := session("ldap:cn=bob", idp, "bob")
	_, key, err := s.iam.CreateAccessKey(ctx, iam.NewAccessKey{By: bob.Identity, Parent: "openid:b"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err = s.checkAccounts(ctx, fakeAccounts{"alice": true, "bob": false})
		if err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%v", err)
		}
	}
	for name, tt := range map[string]struct {
		cred iam.Credential
		want bool
	}{"active": {alice, true}, "disabled": {bob, false}, "its key": {key, false}, "of another issuer": {elsewhere, true}, "of a provider that is down": {down, true}, "of LDAP": {ldap, true}} {
		if _, err := s.iam.Credential(tt.cred.AccessKey, tt.cred.SessionToken); (err == nil) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := strings.Count(stderr.String(), "its credentials were taken"); n != 1 {
		t.Errorf("told %d times", n)
	}
	if _, err := s.iam.AccessKey(key.AccessKey); err != nil {
		t.Errorf("the key is gone: %v", err)
	}
	session("openid:b", idp, "bob")   // the user itself is not disabled
	s.watchAccounts(fakeAccounts{})() // it ends when it is told to
}
