package iam

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
)

func may(s *Service, id *Identity, action, bucket, key string) bool {
	return s.Authorize(&Request{Identity: id, Action: action, Bucket: bucket, Key: key}).Allowed
}

func TestGroups(t *testing.T) {
	s, ctx := open(t), t.Context()
	alice, bob := identity(t, s, "alice"), identity(t, s, "bob", "readonly")
	if err := s.AddMembers(ctx, "dev", "alice", "nobody"); !errors.Is(err, ErrNoSuchUser) {
		t.Fatal("an unknown member:", err)
	}
	if _, err := s.Group("dev"); !errors.Is(err, ErrNoSuchGroup) {
		t.Error("a refused change has made the group:", err)
	}
	if err := s.AddMembers(ctx, "dev", "alice", "bob", "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "dev"}); !errors.Is(err, ErrExists) {
		t.Error("created twice:", err)
	}
	g, err := s.UpdateGroup(ctx, "dev", GroupUpdate{Attach: []string{"writeonly"}})
	if err != nil || !slices.Equal(g.Members, []string{"alice", "bob"}) || !slices.Equal(g.Policies, []string{"writeonly"}) {
		t.Fatalf("%+v, %v", g, err)
	}
	if !may(s, alice, "s3:PutObject", "b", "k") || may(s, alice, "s3:GetObject", "b", "k") || !may(s, bob, "s3:GetObject", "b", "k") {
		t.Error("the group's policy is not in force as it should be")
	}
	u, err := s.User("alice")
	if err != nil || !slices.Equal(u.Groups, []string{"dev"}) {
		t.Errorf("%+v, %v", u, err)
	}
	off, on := false, true
	if _, err := s.UpdateGroup(ctx, "dev", GroupUpdate{Enabled: &off}); err != nil || may(s, alice, "s3:PutObject", "b", "k") || may(s, bob, "s3:GetObject", "b", "k") {
		t.Error("a disabled group does not lock its members out:", err)
	}
	if d := s.Authorize(&Request{Identity: bob, Action: "s3:GetObject", Bucket: "b", Key: "k"}); d.Statement != "group dev is disabled" {
		t.Errorf("%+v", d)
	}
	if _, err := s.UpdateGroup(ctx, "dev", GroupUpdate{Enabled: &on}); err != nil || !may(s, alice, "s3:PutObject", "b", "k") {
		t.Error("an enabled group grants nothing:", err)
	}
	if err := s.DeleteGroup(ctx, "dev"); !errors.Is(err, ErrNotEmpty) {
		t.Error("a group with members is deleted:", err)
	}
	if err := s.DeletePolicy(ctx, "writeonly"); !errors.Is(err, ErrReserved) {
		t.Error(err)
	}
	if err := s.RemoveMembers(ctx, "dev", "alice", "bob"); err != nil || may(s, alice, "s3:PutObject", "b", "k") {
		t.Error("who has left the group keeps its rights:", err)
	}
	if err := s.DeleteGroup(ctx, "dev"); err != nil {
		t.Error(err)
	}
	if _, err := s.Group("dev"); !errors.Is(err, ErrNoSuchGroup) {
		t.Error(err)
	}
}

// TestGroupOfTheSameName: a membership is of the group that was, not of a later one (S-218's
// deny of a group counts as well).
func TestGroupOfTheSameName(t *testing.T) {
	s, ctx := open(t), t.Context()
	alice := identity(t, s, "alice", "readwrite")
	if err := s.AddMembers(ctx, "dev", "alice"); err != nil {
		t.Fatal(err)
	}
	deny := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`)
	if _, err := s.SetPolicy(ctx, "no-delete", deny); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateGroup(ctx, "dev", GroupUpdate{Attach: []string{"no-delete"}}); err != nil {
		t.Fatal(err)
	}
	d := s.Authorize(&Request{Identity: alice, Action: "s3:DeleteObject", Bucket: "b", Key: "k"})
	if d.Allowed || !d.Explicit || d.Statement != "no-delete[0]" {
		t.Errorf("S-218: the group's deny: %+v", d)
	}
	if err := s.DeletePolicy(ctx, "no-delete"); !errors.Is(err, ErrInUse) {
		t.Error("a group's policy is deleted:", err)
	}
	// The group goes behind the service's back, with a member left in it.
	if _, err := s.store.Commit(ctx, store.Change{Op: store.Delete, Kind: kindGroup, Name: "dev", Revision: store.Any}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "dev", Policies: []string{"consoleAdmin"}}); err != nil {
		t.Fatal(err)
	}
	if may(s, alice, "admin:CreateUser", "", "") {
		t.Error("the new group has the old one's members")
	}
	if g, err := s.Group("dev"); err != nil || len(g.Members) != 0 {
		t.Errorf("%+v, %v", g, err)
	}
}

// TestDamagedGroup: what a damaged group would have denied is unknown, so its members may nothing.
func TestDamagedGroup(t *testing.T) {
	s, ctx := open(t), t.Context()
	s.report = func(error) {}
	alice := identity(t, s, "alice", "readwrite")
	if err := s.AddMembers(ctx, "dev", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := s.commit(ctx, store.Change{Kind: kindGroup, Name: "dev", Value: []byte("{"), Revision: store.Any}); err != nil {
		t.Fatal(err)
	}
	if d := s.Authorize(&Request{Identity: alice, Action: "s3:GetObject", Bucket: "b", Key: "k"}); d.Allowed || d.Statement != "group dev is unreadable" {
		t.Errorf("%+v", d)
	}
	if err := s.DeleteGroup(ctx, "dev"); err != nil || !may(s, alice, "s3:GetObject", "b", "k") {
		t.Error("the damaged group is still there:", err)
	}
}

// TestConcurrentMembers: changes of one user's groups that meet lose nothing.
func TestConcurrentMembers(t *testing.T) {
	s := open(t)
	identity(t, s, "alice")
	names := []string{"g01", "g02", "g03", "g04", "g05", "g06", "g07", "g08"}
	var wg sync.WaitGroup
	for _, g := range names {
		wg.Go(func() {
			if err := s.AddMembers(context.Background(), g, "alice"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if u, err := s.User("alice"); err != nil || !slices.Equal(u.Groups, names) {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestCallerAttributes: what a policy asks about its caller comes from the caller's record, and
// the faces' conditions never answer for it (S-036).
func TestCallerAttributes(t *testing.T) {
	s, ctx := open(t), t.Context()
	alice, bob := identity(t, s, "alice"), identity(t, s, "bob")
	doc := []byte(`{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:groups":"dev"}}},
 {"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}}]}`)
	if _, err := s.SetPolicy(ctx, "devs", doc); err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{"alice", "bob"} {
		if _, err := s.AttachPolicy(ctx, u, "devs"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddMembers(ctx, "dev", "alice"); err != nil {
		t.Fatal(err)
	}
	session := newSession(t, s, NewSession{By: alice}).Identity
	claim := liar{"aws:groups": {"dev"}, "aws:tokenissuetime": {"2026-01-01T00:00:00Z"}}
	for _, tt := range []struct {
		id     *Identity
		action string
		want   bool
	}{
		{alice, "s3:GetObject", true}, {session, "s3:GetObject", true}, {bob, "s3:GetObject", false},
		{alice, "s3:PutObject", false}, {session, "s3:PutObject", true}, {bob, "s3:PutObject", false},
	} {
		d := s.Authorize(&Request{Identity: tt.id, Action: tt.action, Bucket: "b", Key: "k", Conditions: claim})
		if d.Allowed != tt.want {
			t.Errorf("%s %s: %+v", tt.id.AccessKey, tt.action, d)
		}
	}
}

// liar is a face that answers keys which are not its own.
type liar map[string][]string

// Values implements Conditions.
func (l liar) Values(key string) ([]string, bool) {
	v, ok := l[key]
	return v, ok
}
