package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/sigv4"
)

// listen opens a stream of a user.
func (a *accounts) listen(user, target string) func() []events.Record {
	a.t.Helper()
	sum := sha256.Sum256(nil)
	secret := user + "-key-secret"
	if user == "root-key" {
		secret = "root-key-secret"
	}
	r := a.request("GET", target, "")
	s := &sigv4.Signer{AccessKey: user, Secret: secret, Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
	return a.streamOf(r)
}

// TestListenAccounts is S-231: who listens to all buckets hears those of the own account, and root hears all.
func TestListenAccounts(t *testing.T) {
	a := newAccounts(t, "")
	var feed live.Feed[events.Event]
	a.s.Events = &feed
	a.wants(200, "", "owner", "PUT", "/owners", "")
	a.wants(200, "", "stranger", "PUT", "/strangers", "")
	heard := map[string]func() []events.Record{}
	for _, user := range []string{"owner", "stranger", "root-key"} {
		heard[user] = a.listen(user, "/?"+allEvents)
	}
	a.wants(200, "", "owner", "PUT", "/owners/k", "k")
	a.wants(200, "", "stranger", "PUT", "/strangers/k", "k")
	a.wants(200, "", "root-key", "PUT", "/strangers/r", "r")
	feed.Close()
	for user, want := range map[string][]string{
		"owner":    {"s3:ObjectCreated:Put owners/k 1"},
		"stranger": {"s3:ObjectCreated:Put strangers/k 1", "s3:ObjectCreated:Put strangers/r 1"},
		"root-key": {"s3:ObjectCreated:Put owners/k 1", "s3:ObjectCreated:Put strangers/k 1", "s3:ObjectCreated:Put strangers/r 1"},
	} {
		if got := told(heard[user]()); !slices.Equal(got, want) {
			t.Errorf("%s heard %q", user, got)
		}
	}
}

// TestListenRevoked is S-228 for streams: who has lost the right to listen hears nothing more.
func TestListenRevoked(t *testing.T) {
	off := false
	for name, lose := range map[string]func(*accounts) error{
		"disabled": func(a *accounts) error { _, err := a.svc.SetStatus(t.Context(), "stranger", false); return err },
		"deleted":  func(a *accounts) error { return a.svc.DeleteUser(t.Context(), "stranger") },
		"detached": func(a *accounts) error {
			_, err := a.svc.DetachPolicy(t.Context(), "stranger", "readwrite")
			return err
		},
		"key disabled": func(a *accounts) error {
			_, err := a.svc.UpdateAccessKey(t.Context(), "stranger", iam.AccessKeyUpdate{Enabled: &off})
			return err
		},
		"another's bucket": func(a *accounts) error {
			a.wants(204, "", "stranger", "DELETE", "/bkt-l", "")
			a.wants(200, "", "owner", "PUT", "/bkt-l", "")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccounts(t, "")
			var feed live.Feed[events.Event]
			a.s.Events = &feed
			a.wants(200, "", "stranger", "PUT", "/bkt-l", "")
			heard := []func() []events.Record{a.listen("stranger", "/?"+allEvents), a.listen("stranger", "/bkt-l?"+allEvents)}
			if name == "another's bucket" {
				heard = heard[1:]
			}
			if err := lose(a); err != nil {
				t.Fatal(err)
			}
			a.wants(200, "", "root-key", "PUT", "/bkt-l/k", "k")
			feed.Close()
			for _, of := range heard {
				if got := told(of()); len(got) > 0 {
					t.Errorf("heard %q", got)
				}
			}
		})
	}
}
