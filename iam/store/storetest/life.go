package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
)

func testClosed(t *testing.T, f Factory) {
	s := f.Open(t)
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closedEarly, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closedEarly.Close()
	if _, err := closedEarly.Next(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("next of a closed watcher: %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := w.Next(context.Background())
		waiting <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; !errors.Is(err, store.ErrClosed) {
		t.Errorf("next: %v", err)
	}
	w.Close()
	if _, err := s.Get(t.Context(), "k", "n"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.List(t.Context(), ""); !errors.Is(err, store.ErrClosed) {
		t.Errorf("list: %v", err)
	}
	if _, err := s.Commit(t.Context(), put("k", "n", "", 0)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	if _, err := s.Watch(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("watch: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func testCancelled(t *testing.T, f Factory) {
	s := f.Open(t)
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := w.Next(ctx)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("next: %v", err)
	}
	if _, err := s.Get(ctx, "k", "n"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Commit(ctx, put("k", "n", "", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	wantAbsent(t, s, "k", "n")
	commit(t, s, put("k", "n", "", 0))
	if ev, err := w.Next(t.Context()); err != nil || ev.Records[0].Name != "n" {
		t.Errorf("the watcher does not go on after a cancelled Next: %+v, %v", ev, err)
	}
}

func testReopen(t *testing.T, f Factory) {
	if !f.Persistent {
		t.Skip("the store keeps nothing")
	}
	s := f.Open(t)
	r1 := commit(t, s, put("user", "a", "1", 0), put("user", "b", "1", 0))
	r2 := commit(t, s, put("user", "a", "2", r1), del("user", "b", r1))
	for range 3 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = f.Open(t)
	}
	wantValue(t, s, "user", "a", "2", r2)
	wantAbsent(t, s, "user", "b")
	if r3 := commit(t, s, put("user", "b", "3", 0)); r3 <= r2 {
		t.Errorf("revision %d after %d", r3, r2)
	}
}

// testRandom compares a random program with a map.
func testRandom(t *testing.T, f Factory) {
	s := f.Open(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	type entry struct {
		value string
		rev   uint64
	}
	model := map[string]entry{}
	for step := range 300 {
		if f.Persistent && rnd.IntN(50) == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = f.Open(t)
		}
		var changes []store.Change
		names := rnd.Perm(6)[:1+rnd.IntN(3)]
		conflict := false
		for _, n := range names {
			name := strconv.Itoa(n)
			c := store.Change{Op: store.Op(rnd.IntN(3)), Kind: "k", Name: name, Value: []byte(strconv.Itoa(step))}
			switch rnd.IntN(4) {
			case 0:
				c.Revision = store.Any
			case 1:
				c.Revision = uint64(rnd.IntN(step + 1))
			default:
				c.Revision = model[name].rev
			}
			conflict = conflict || c.Revision != store.Any && c.Revision != model[name].rev
			changes = append(changes, c)
		}
		rev, err := s.Commit(t.Context(), changes...)
		if conflict != errors.Is(err, store.ErrConflict) || !conflict && err != nil {
			t.Fatalf("step %d: %v, want conflict %v", step, err, conflict)
		}
		for _, c := range changes {
			switch {
			case conflict || c.Op == store.Check:
			case c.Op == store.Delete:
				delete(model, c.Name)
			default:
				model[c.Name] = entry{string(c.Value), rev}
			}
		}
		l, err := s.List(t.Context(), "k")
		if err != nil || len(l.Records) != len(model) {
			t.Fatalf("step %d: %d records, want %d, %v", step, len(l.Records), len(model), err)
		}
		for _, r := range l.Records {
			if m := model[r.Name]; m.value != string(r.Value) || m.rev != r.Revision {
				t.Fatalf("step %d: %+v, want %+v", step, r, m)
			}
		}
	}
}
