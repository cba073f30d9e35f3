package iam

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store/mem"
)

// TestHeld: what gives somebody rights is named: the user's own, the groups', and what the credential brings.
func TestHeld(t *testing.T) {
	s, ctx := open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, policies := range map[string][]string{"crew": {"writeonly"}, "guests": {"diagnostics"}, "others": {"consoleAdmin"}} {
		_, err := s.CreateGroup(ctx, NewGroup{Name: name, Policies: policies})
		must(err)
	}
	wants := func(id *Identity, policies, groups []string) {
		t.Helper()
		if p, g := s.Held(id); !slices.Equal(p, policies) || !slices.Equal(g, groups) {
			t.Errorf("%s: %v %v, want %v %v", id.Name, p, g, policies, groups)
		}
	}
	_, cred, err := s.CreateUser(ctx, NewUser{Name: "alice", Policies: []string{"readonly"}})
	must(err)
	wants(cred.Identity, []string{"readonly"}, []string{})
	must(s.AddMembers(ctx, "crew", "alice"))
	wants(cred.Identity, []string{"readonly", "writeonly"}, []string{"crew"})
	_, external, err := s.CreateSession(ctx, NewSession{External: "openid:x", Duration: time.Hour, Grants: &Grants{Policies: []string{"readonly", "nosuch"}, Groups: []string{"guests", "gone"}}})
	must(err)
	wants(external.Identity, []string{"diagnostics", "readonly"}, []string{"guests"})
	must(s.RemoveMembers(ctx, "crew", "alice"))
	wants(cred.Identity, []string{"readonly"}, []string{})
	must(s.DeleteUser(ctx, "alice"))
	wants(cred.Identity, []string{}, []string{})
	root, err := s.Credential(rootUser, "")
	must(err)
	wants(root.Identity, []string{}, []string{})
}

// TestDeriveKey: keys differ by purpose and deployment, and are the same in every server over one store.
func TestDeriveKey(t *testing.T) {
	st := mem.Open()
	defer st.Close()
	again := func() *Service {
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	one, two, other := again(), again(), open(t)
	key := one.DeriveKey("a")
	switch {
	case len(key) != 32 || !bytes.Equal(key, two.DeriveKey("a")):
		t.Error("two servers have two keys")
	case bytes.Equal(key, one.DeriveKey("b")), bytes.Equal(key, other.DeriveKey("a")), bytes.Equal(key, one.tokenKey):
		t.Error("keys are shared")
	}
}
