package iam

import (
	"errors"
	"testing"
)

// TestGrants: what an identity provider has said of a person counts for the credential and for
// those made with it, and for nobody else.
func TestGrants(t *testing.T) {
	s, ctx := open(t), t.Context()
	if _, _, err := s.CreateUser(ctx, NewUser{Name: "openid:abc", Secret: "a-secret-of-some-length"}); !errors.Is(err, ErrInvalid) {
		t.Error("an external user with a secret:", err)
	}
	u, cred, err := s.CreateUser(ctx, NewUser{Name: "openid:abc"})
	if err != nil || u.Source != SourceOpenID || cred.AccessKey != "" || len(u.AccessKeys) != 0 {
		t.Fatalf("%+v, %+v, %v", u, cred, err)
	}
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "dev", Policies: []string{"writeonly"}}); err != nil {
		t.Fatal(err)
	}
	doc := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${jwt:sub}/*"}]}`)
	if _, err := s.SetPolicy(ctx, "home", doc); err != nil {
		t.Fatal(err)
	}
	person := &Identity{Account: u.Account, ID: u.ID, Name: u.Name, ARN: u.ARN}
	session := newSession(t, s, NewSession{By: person, Grants: &Grants{
		Policies: []string{"home", "no-such-policy"}, Groups: []string{"dev", "no-such-group"}, Claims: map[string][]string{"jwt:sub": {"abc"}},
	}}).Identity
	child := newKey(t, s, NewAccessKey{By: session, Parent: u.Name})
	narrow := newKey(t, s, NewAccessKey{By: session, Parent: u.Name, Policy: []byte(onlyList)})
	other := newKey(t, s, NewAccessKey{Parent: u.Name})
	if _, _, err := s.CreateUser(ctx, NewUser{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	foreign := newKey(t, s, NewAccessKey{By: session, Parent: "bob"})
	for _, tt := range []struct {
		name        string
		id          *Identity
		bucket, key string
		action      string
		want        bool
	}{
		{"session at home", session, "home", "abc/k", "s3:GetObject", true},
		{"session elsewhere", session, "home", "abcd/k", "s3:GetObject", false},
		{"session by group", session, "b", "k", "s3:PutObject", true},
		{"child at home", child, "home", "abc/k", "s3:GetObject", true},
		{"child by group", child, "b", "k", "s3:PutObject", true},
		{"narrow child", narrow, "home", "abc/k", "s3:GetObject", false},
		{"a key that the person made for somebody else", foreign, "home", "abc/k", "s3:GetObject", false},
		{"the same by the person's group", foreign, "b", "k", "s3:PutObject", false},
		{"another key", other, "home", "abc/k", "s3:GetObject", false},
	} {
		if may(s, tt.id, tt.action, tt.bucket, tt.key) != tt.want {
			t.Errorf("%s: %v is wrong", tt.name, !tt.want)
		}
	}
	if err := s.DeleteUser(ctx, u.Name); err != nil || may(s, session, "s3:PutObject", "b", "k") || may(s, child, "s3:PutObject", "b", "k") {
		t.Error("S-228: credentials outlive the person:", err)
	}
	for _, g := range []*Grants{
		{Policies: []string{"a/b"}}, {Groups: []string{""}}, {Claims: map[string][]string{"s3:prefix\n": {"x"}}},
		{Claims: map[string][]string{"jwt:Sub": {"x"}}}, {Claims: map[string][]string{"jwt:sub": {string(make([]byte, maxClaimBytes))}}},
	} {
		if g.check() == nil {
			t.Errorf("%+v is accepted", g)
		}
	}
}
