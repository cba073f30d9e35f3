package sts

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// reviewing runs a Review with a short interval until the test ends.
func reviewing(t *testing.T, s *server, d Directory) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	r := Review{IAM: s.Service, Directory: d, Interval: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	go func() { defer close(done); r.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// TestReview: S-216, who has gone from the directory loses what the login gave, and who is there nothing.
func TestReview(t *testing.T) {
	b := newBook()
	s := start(t, Config{Directory: b})
	s.group("ldap:cn=staff,ou=groups,dc=test", "readwrite")
	reviewing(t, s, b)
	for range 20 { // nobody has credentials: it does not ask
		time.Sleep(time.Millisecond)
	}
	if n := b.count(); n != 0 {
		t.Errorf("asked %d times about nobody", n)
	}
	alice, carl := s.credential(s.ldap("alice", "alice-secret")), s.credential(s.ldap("carl!", "carl!-secret"))
	key := func(by *iam.Identity, parent string) iam.Credential {
		_, k, err := s.CreateAccessKey(t.Context(), iam.NewAccessKey{By: by, Parent: parent})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	aliceKey, carlKey, made := key(alice.Identity, alice.Identity.Name), key(carl.Identity, carl.Identity.Name), key(nil, alice.Identity.Name)
	local := s.user("local", "readwrite")
	alive := func(c iam.Credential) bool { _, err := s.Credential(c.AccessKey, c.SessionToken); return err == nil }
	asked := b.count()
	eventually(t, "a review", func() bool { return b.count() > asked+2 })
	if !alive(alice) || !alive(carl) || !alive(aliceKey) || !alive(carlKey) {
		t.Fatal("who is there has lost something")
	}
	eventually(t, "the key that an administrator made has alice's groups", func() bool {
		k, err := s.AccessKey(made.AccessKey)
		return err == nil && k.Grants != nil && slices.Equal(k.Grants.Groups, []string{"ldap:cn=staff,ou=groups,dc=test"})
	})
	if c, err := s.Credential(made.AccessKey, ""); err != nil || !s.may(c, "s3:GetObject", "b", "k") {
		t.Errorf("it has no rights of the group: %v", err)
	}
	// The directory is down: nothing changes, be it for long.
	b.mu.Lock()
	b.down = errors.New("down")
	b.mu.Unlock()
	b.set("carl!", nil)
	asked = b.count()
	eventually(t, "reviews while it is down", func() bool { return b.count() > asked+3 })
	if !alive(carl) || !alive(carlKey) {
		t.Fatal("a directory that is down has taken something")
	}
	b.mu.Lock()
	b.down = nil
	b.mu.Unlock()
	eventually(t, "carl's credentials end", func() bool { return !alive(carl) && !alive(carlKey) })
	if k, err := s.AccessKey(carlKey.AccessKey); err != nil || k.Enabled {
		t.Errorf("the key is deleted or enabled: %+v, %v", k, err)
	}
	if !alive(alice) || !alive(aliceKey) || !alive(local) {
		t.Error("others have lost something")
	}
	// Who comes back can log in; the key waits for somebody to enable it.
	b.set("carl!", &DirectoryEntry{DN: "uid=carl!,dc=test", Groups: []string{staffDN}})
	s.credential(s.ldap("carl!", "carl!-secret"))
	// Who leaves a group loses the session that has rights of it, and keys have the groups of now.
	b.set("alice", &DirectoryEntry{DN: aliceDN, Groups: []string{"cn=other,dc=test"}})
	eventually(t, "alice's session ends", func() bool { return !alive(alice) })
	eventually(t, "alice's key has no rights of the group", func() bool {
		c, err := s.Credential(aliceKey.AccessKey, "")
		return err == nil && !s.may(c, "s3:GetObject", "b", "k")
	})
	k, err := s.AccessKey(aliceKey.AccessKey)
	if err != nil || !slices.Equal(k.Grants.Claims["ldap:groups"], []string{"cn=other,dc=test"}) || !slices.Equal(k.Grants.Claims["ldap:attrib_mail"], []string{"a@test"}) {
		t.Errorf("%+v, %v", k.Grants, err)
	}
}
