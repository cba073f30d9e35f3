package iam

import (
	"testing"
	"time"
)

// TestProviders: sessions are known by the provider of their people, end with it, and only with it.
func TestProviders(t *testing.T) {
	s := open(t)
	session := func(user, provider string) string {
		t.Helper()
		ss, _, err := s.CreateSession(t.Context(), NewSession{External: user, Duration: time.Hour, Grants: &Grants{Provider: provider, Policies: []string{"readonly"}}})
		if err != nil {
			t.Fatal(err)
		}
		return ss.AccessKey
	}
	_, local, err := s.CreateUser(t.Context(), NewUser{Name: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	own, _, err := s.CreateSession(t.Context(), NewSession{By: local.Identity, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	a, b, old := session("openid:a", "corp"), session("openid:b", "lab"), session("openid:c", "")
	ldap := session("ldap:cn=d", "")
	session("tls:e", "")
	live := func() (n int) { return len(s.Sessions("")) }
	alive := func(want ...string) {
		t.Helper()
		for _, key := range want {
			if _, err := s.Session(key); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		if live() != len(want) {
			t.Errorf("%d sessions, want %d", live(), len(want))
		}
	}
	for provider, want := range map[string]int{"openid": 3, "openid:corp": 2, "openid:lab": 2, "openid:co": 1, "ldap": 1, "tls": 1, "custom": 0, "": 0} {
		if got := s.SessionsOf(provider); len(got) != want {
			t.Errorf("%q: %+v", provider, got)
		}
	}
	if ss, err := s.Session(a); err != nil || ss.Provider != "openid:corp" {
		t.Errorf("%+v, %v", ss, err)
	}
	if n, err := s.RevokeProvider(t.Context(), "tls"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	alive(own.AccessKey, a, b, old, ldap)
	// One of which the name is not known belongs to whichever is left.
	if n, err := s.KeepProviders(t.Context(), []string{"ldap", "openid:lab"}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	alive(own.AccessKey, b, old, ldap)
	if n, err := s.KeepProviders(t.Context(), nil); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	alive(own.AccessKey)
	if _, err := s.CreateGroup(t.Context(), NewGroup{Name: "staff"}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteGroup(t.Context(), "staff"); err != nil {
		t.Fatal(err)
	}
	want := Counts{Users: len(s.Users()), Policies: len(s.Policies()), Keys: len(s.AccessKeys("")), Sessions: 1}
	if got := s.Counts(); got != want || got.Users != 6 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := s.SessionsByProvider(); len(got) != 1 || got[""] != 1 {
		t.Errorf("%v", got)
	}
}
