package iam

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

// heldStore delivers no event until held is closed: another gateway's changes are not known yet.
type heldStore struct {
	store.Store
	held chan struct{} // closed to go on
}

type heldWatcher struct {
	store.Watcher
	s *heldStore
}

func (s *heldStore) Watch(ctx context.Context) (store.Watcher, error) {
	w, err := s.Store.Watch(ctx)
	return heldWatcher{w, s}, err
}

func (w heldWatcher) Next(ctx context.Context) (store.Event, error) {
	select {
	case <-w.s.held:
	case <-ctx.Done():
		return store.Event{}, ctx.Err()
	}
	return w.Watcher.Next(ctx)
}

func (w heldWatcher) Poll() (store.Event, bool) { return store.Event{}, false }

// TestSessionOfStaleUser asks a service that has not heard of a user's change or end for a session.
func TestSessionOfStaleUser(t *testing.T) {
	st := mem.Open()
	o := Options{RootUser: rootUser, RootPassword: rootSecret}
	first, err := Open(st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	identity(t, first, "gone", "readonly")
	identity(t, first, "changed", "readonly")
	hs := &heldStore{Store: st, held: make(chan struct{})}
	behind, err := Open(hs, o)
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	if err := first.DeleteUser(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	attach := []string{"readwrite"}
	if _, err := first.UpdateUser(t.Context(), "changed", UserUpdate{Attach: attach}); err != nil {
		t.Fatal(err)
	}
	by := func(name string) *Identity {
		c, err := behind.Credential(name, "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Identity
	}
	if _, _, err := behind.CreateSession(t.Context(), NewSession{By: by("gone"), Duration: time.Hour}); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("session of a user that is gone: %v", err)
	}
	if l, err := st.List(t.Context(), kindSession); err != nil || len(l.Records) != 0 {
		t.Errorf("%d sessions are stored, %v", len(l.Records), err)
	}
	if _, _, err := behind.issue(t.Context(), &NewSession{By: by("changed"), Duration: time.Hour}, false); !errors.Is(err, store.ErrConflict) {
		t.Errorf("what is in memory was good enough: %v", err)
	}
	done := make(chan error)
	go func() {
		_, _, err := behind.CreateSession(t.Context(), NewSession{By: by("changed"), Duration: time.Hour})
		done <- err
	}()
	close(hs.held)
	if err := <-done; err != nil {
		t.Errorf("session of a user that was changed: %v", err)
	}
}
