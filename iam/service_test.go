package iam

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

const (
	rootUser   = "objroot"
	rootSecret = "a-very-long-root-secret"
)

func open(t testing.TB) *Service {
	t.Helper()
	return openOn(t, mem.Open())
}

// openOn opens a service on a store, which it closes.
func openOn(t testing.TB, st store.Store) *Service {
	t.Helper()
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: "123456789012", Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); st.Close() })
	return s
}

func TestUserLife(t *testing.T) {
	s, ctx := open(t), context.Background()
	u, cred, err := s.CreateUser(ctx, NewUser{Name: "alice", Policies: []string{"readonly"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Credential("alice", "")
	if err != nil || got.Secret != cred.Secret || got.Identity.ID != u.ID {
		t.Fatalf("credential %+v, %v", got, err)
	}
	may := func(action string) bool {
		return s.Authorize(&Request{Identity: got.Identity, Action: action, Bucket: "b", Key: "k"}).Allowed
	}
	if !may("s3:GetObject") || may("s3:PutObject") {
		t.Error("readonly grants the wrong actions")
	}
	if _, err := s.AttachPolicy(ctx, "alice", "writeonly"); err != nil || !may("s3:PutObject") {
		t.Error("attached policy is not in force", err)
	}
	_, session, err := s.CreateSession(ctx, NewSession{By: got.Identity, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetStatus(ctx, "alice", false); err != nil || may("s3:GetObject") {
		t.Error("disabled user is allowed", err)
	}
	if _, err := s.Credential(session.AccessKey, session.SessionToken); err == nil {
		t.Error("a disabled user has a session")
	}
	if _, err := s.SetStatus(ctx, "alice", true); err != nil || !may("s3:GetObject") {
		t.Error("enabled user is not allowed", err)
	}
	if _, err := s.Credential(session.AccessKey, session.SessionToken); err != nil {
		t.Error("as in MinIO, who is enabled again has the sessions again:", err)
	}
	if _, err := s.SetStatus(ctx, "alice", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential("alice", ""); !errors.Is(err, ErrDisabled) || !errors.Is(err, ErrNoSuchKey) {
		t.Error("disabled user has a credential:", err)
	}
	if err := s.DeleteUser(ctx, "alice"); err != nil || may("s3:GetObject") {
		t.Error("deleted user is allowed", err)
	}
	again, _, err := s.CreateUser(ctx, NewUser{Name: "alice", Policies: []string{"readwrite"}})
	if err != nil || again.ID == u.ID {
		t.Error("the name's new user has the old identity", err)
	}
	if may("s3:GetObject") {
		t.Error("the old identity has the new user's rights")
	}
}
