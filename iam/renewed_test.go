package iam

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// TestRenewed is S-228 for what goes on after its request was let in: a credential that is gone is found so, and one whose
// policy has changed has its new bounds.
func TestRenewed(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := clocked(t, &now)
	alice := identity(t, s, "alice", "readwrite")
	key := func(name string) *Identity {
		_, cred, err := s.CreateAccessKey(t.Context(), NewAccessKey{Parent: "alice", AccessKey: name})
		if err != nil {
			t.Fatal(err)
		}
		return cred.Identity
	}
	policy, off := json.RawMessage(onlyList), false
	for name, tt := range map[string]struct {
		id   *Identity
		lose func(*Identity) error
		want error
	}{
		"kept":        {key("kept-key-000"), func(*Identity) error { return nil }, nil},
		"key deleted": {key("deleted-key-0"), func(id *Identity) error { return s.DeleteAccessKey(t.Context(), id.AccessKey) }, ErrNoSuchKey},
		"key disabled": {key("disabled-key0"), func(id *Identity) error {
			_, err := s.UpdateAccessKey(t.Context(), id.AccessKey, AccessKeyUpdate{Enabled: &off})
			return err
		}, ErrDisabled},
		"session":         {newSession(t, s, NewSession{By: alice}).Identity, func(*Identity) error { return nil }, nil},
		"session revoked": {newSession(t, s, NewSession{By: alice}).Identity, func(id *Identity) error { return s.RevokeSession(t.Context(), id.AccessKey) }, ErrNoSuchKey},
		"root":            {s.root.Identity, func(*Identity) error { return nil }, nil},
		"anonymous":       {nil, func(*Identity) error { return nil }, nil},
	} {
		if err := tt.lose(tt.id); err != nil {
			t.Fatal(err)
		}
		if id, err := s.Renewed(tt.id); !errors.Is(err, tt.want) || err == nil && (id == nil) != (tt.id == nil) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	narrow := key("narrowed-key0")
	if _, err := s.UpdateAccessKey(t.Context(), narrow.AccessKey, AccessKeyUpdate{Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	if id, err := s.Renewed(narrow); err != nil || !id.Restricted() || may(s, id, "s3:GetObject", "b", "k") {
		t.Errorf("a key that was narrowed: %+v, %v", id, err)
	}
	ss := newSession(t, s, NewSession{By: alice}).Identity
	now = now.Add(2 * time.Hour)
	if _, err := s.Renewed(ss); !errors.Is(err, ErrExpired) {
		t.Errorf("a session that is over: %v", err)
	}
	if err := s.DeleteUser(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	identity(t, s, "alice", "readwrite") // another one
	if _, err := s.Renewed(alice); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("a key that is another user's now: %v", err)
	}
}
