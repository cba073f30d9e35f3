package iam

import (
	"errors"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

func TestPublicAccess(t *testing.T) {
	st := mem.Open()
	defer st.Close()
	reopen := func(report func(error)) *Service {
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Report: report})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := reopen(func(err error) { t.Error(err) })
	const other = "210987654321"
	want := func(s *Service, account string, p PublicAccess, set bool) {
		t.Helper()
		if got, ok := s.PublicAccess(account); got != p || ok != set {
			t.Errorf("%s: %+v %v, want %+v %v", account, got, ok, p, set)
		}
	}
	set := func(account string, p *PublicAccess) {
		t.Helper()
		if err := s.SetPublicAccess(t.Context(), account, p); err != nil {
			t.Fatal(err)
		}
	}
	want(s, s.Account(), PublicAccess{}, false)
	policies := PublicAccess{BlockPublicPolicy: true, RestrictPublicBuckets: true}
	set(s.Account(), &policies)
	set(other, &PublicAccess{})
	want(s, s.Account(), policies, true)
	want(s, other, PublicAccess{}, true)
	want(reopen(nil), s.Account(), policies, true)
	set(s.Account(), &PublicAccess{IgnorePublicAcls: true})
	want(s, s.Account(), PublicAccess{IgnorePublicAcls: true}, true)
	set(s.Account(), nil)
	set(s.Account(), nil)
	want(s, s.Account(), PublicAccess{}, false)
	for _, account := range []string{"", "12345", "1234567890123", "12345678901x", "../../654321"} {
		if err := s.SetPublicAccess(t.Context(), account, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", account, err)
		}
	}
	s.Close()
	// A record that can't be read blocks everything, until it is written anew.
	for _, value := range []string{"{", `{"v":1,"account":"` + s.Account() + `"}`, `{"v":99,"account":"` + other + `"}`, `{"v":1,"account":"` + other + `","more":1}`} {
		if _, err := st.Commit(t.Context(), store.Change{Kind: kindAccount, Name: other, Value: []byte(value), Revision: store.Any}); err != nil {
			t.Fatal(err)
		}
		reported := 0
		damaged := reopen(func(error) { reported++ })
		want(damaged, other, PublicAccess{true, true, true, true}, true)
		if reported != 1 {
			t.Errorf("%s is reported %d times", value, reported)
		}
		if err := damaged.SetPublicAccess(t.Context(), other, &policies); err != nil {
			t.Fatal(err)
		}
		want(damaged, other, policies, true)
	}
}
