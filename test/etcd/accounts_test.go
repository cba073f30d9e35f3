package etcd_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	server "github.com/objsrv/objsrv/test/etcd"
)

// TestAccountsAtTwoGateways makes an account at one gateway. Its root administers it at the other at once, and gets at nothing
// else there; at both it is the same principal.
func TestAccountsAtTwoGateways(t *testing.T) {
	c := server.Start(t, server.Options{})
	a, b := shared(t, c, time.Hour), shared(t, c, time.Hour)
	if _, _, err := a.CreateUser(t.Context(), iam.NewUser{Name: "local"}); err != nil {
		t.Fatal(err)
	}
	const id = "222222222222"
	_, made, err := a.CreateAccount(t.Context(), iam.NewAccount{ID: id, Name: "tenant", Root: "tenant-root"})
	if err != nil {
		t.Fatal(err)
	}
	root, err := b.Credential("tenant-root", "")
	if err != nil || root.Secret != made.Secret || root.Identity.ARN != "arn:aws:iam::"+id+":root" || root.Identity.ID != id {
		t.Fatalf("%+v %v", root.Identity, err)
	}
	for action, want := range map[string]bool{"admin:CreateUser": true, "admin:ServerInfo": false} {
		if d := b.Authorize(&iam.Request{Identity: root.Identity, Action: action}); d.Allowed != want {
			t.Errorf("%s: %+v", action, d)
		}
	}
	there := b.Admin(root.Identity)
	_, worker, err := there.CreateUser(t.Context(), iam.NewUser{Name: "worker", Policies: []string{"readwrite"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := there.AddMembers(t.Context(), "team", "worker"); err != nil {
		t.Fatal(err)
	}
	got, err := a.Credential("worker", "")
	if err != nil || got.Secret != worker.Secret || got.Identity.Account != id {
		t.Fatalf("%+v %v", got.Identity, err)
	}
	for owner, want := range map[string]bool{id: true, "": false} {
		if d := a.Authorize(&iam.Request{Identity: got.Identity, Action: "s3:PutObject", Bucket: "b", Key: "k", Owner: owner}); d.Allowed != want {
			t.Errorf("a bucket of %q: %+v", owner, d)
		}
	}
	policies := []string{"consoleAdmin"}
	for _, s := range []*iam.Service{a, b} {
		admin := s.Admin(root.Identity)
		if _, err := admin.UpdateUser(t.Context(), "local", iam.UserUpdate{Policies: &policies}); !errors.Is(err, iam.ErrNoSuchUser) {
			t.Error("S-231 the rights of another account's user:", err)
		}
		if err := admin.DeleteUser(t.Context(), "local"); !errors.Is(err, iam.ErrNoSuchUser) {
			t.Error("S-231 another account's user is deleted:", err)
		}
		if _, _, err := admin.CreateAccessKey(t.Context(), iam.NewAccessKey{By: root.Identity, Parent: "root-access"}); !errors.Is(err, iam.ErrNoSuchUser) {
			t.Error("S-098 a key of the server's root:", err)
		}
	}
}

// TestAccountDeletedThere has one gateway add users and groups to accounts that the other deletes: either of them succeeds,
// there is never a user or group of no account, and no gateway gives the id again.
func TestAccountDeletedThere(t *testing.T) {
	c := server.Start(t, server.Options{})
	a, b := shared(t, c, time.Hour), shared(t, c, time.Hour)
	for i := range 10 {
		id := fmt.Sprintf("99998888%d", 7000+i)
		if _, _, err := a.CreateAccount(t.Context(), iam.NewAccount{ID: id, Name: "account-" + id, Root: "root-" + id}); err != nil {
			t.Fatal(err)
		}
		var made, deleted error
		var wg sync.WaitGroup
		wg.Go(func() {
			if i%2 == 0 {
				_, _, made = a.CreateUser(t.Context(), iam.NewUser{Name: "user-" + id, Account: id})
			} else {
				_, made = a.CreateGroup(t.Context(), iam.NewGroup{Name: "group-" + id, Account: id})
			}
		})
		wg.Go(func() { deleted = b.DeleteAccount(t.Context(), id) })
		wg.Wait()
		if (made == nil) == (deleted == nil) {
			t.Fatalf("made %v, deleted %v", made, deleted)
		}
		if deleted != nil {
			continue
		}
		for _, s := range []*iam.Service{a, b} {
			if _, _, err := s.CreateAccount(t.Context(), iam.NewAccount{ID: id, Name: "heir", Root: "heir"}); !errors.Is(err, iam.ErrExists) {
				t.Errorf("the id of a deleted account is given again: %v", err)
			}
		}
	}
}
