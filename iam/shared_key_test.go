package iam

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

// countedStore counts reads of single records.
type countedStore struct {
	heldStore
	gets atomic.Int64
}

func (s *countedStore) Get(ctx context.Context, kind, name string) (store.Record, error) {
	s.gets.Add(1)
	return s.heldStore.Get(ctx, kind, name)
}

// TestKeyOfOther uses a long-term key at a service that has not heard of it: it is looked for in the store, and the answer
// waits until memory has it with its user. Keys that are made up are not looked for each time.
func TestKeyOfOther(t *testing.T) {
	st := mem.Open()
	o := Options{RootUser: rootUser, RootPassword: rootSecret, Trust: time.Hour}
	first, err := Open(st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	cs := &countedStore{heldStore: heldStore{Store: st, held: make(chan struct{})}}
	behind, err := Open(cs, o)
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	identity(t, first, "new-user", "readonly")
	got := make(chan error)
	go func() {
		cred, err := behind.Credential("new-user", "")
		if err == nil && cred.Identity.Name != "new-user" {
			err = fmt.Errorf("the key is of %s", cred.Identity.Name)
		}
		got <- err
	}()
	for cs.gets.Load() == 0 {
		select {
		case err := <-got:
			t.Fatalf("answered without a look at the store: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	close(cs.held)
	if err := <-got; err != nil {
		t.Errorf("a key of a moment ago: %v", err)
	}
	began := cs.gets.Load()
	for range 1000 {
		if _, err := behind.Credential("made-up", ""); !errors.Is(err, ErrNoSuchKey) {
			t.Fatal(err)
		}
	}
	if n := cs.gets.Load() - began; n > 10 { // once in keyPause
		t.Errorf("the store was asked %d times for one key", n)
	}
	began = cs.gets.Load()
	start := time.Now()
	for i := range 2000 {
		if _, err := behind.Credential(fmt.Sprintf("made-up-%d", i), ""); !errors.Is(err, ErrNoSuchKey) {
			t.Fatal(err)
		}
	}
	most := keysAtOnce + int64(keysPerSecond*time.Since(start).Seconds()) + 1
	if n := cs.gets.Load() - began; n < 10 || n > most {
		t.Errorf("the store was asked %d times for 2000 keys, at most %d wanted", n, most)
	}
	if _, err := behind.Credential("new-user", ""); err != nil {
		t.Errorf("a key that is known, after all that: %v", err)
	}
	for _, strange := range []string{"", "\x00", string(make([]byte, 5000))} {
		if _, err := behind.Credential(strange, ""); !errors.Is(err, ErrNoSuchKey) {
			t.Errorf("key %.10q: %v", strange, err)
		}
	}
}
