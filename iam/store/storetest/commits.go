package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
)

func testRevisions(t *testing.T, f Factory) {
	s := f.Open(t)
	wantConflict(t, s, put("user", "a", "x", 7))
	r1 := commit(t, s, put("user", "a", "1", 0))
	wantConflict(t, s, put("user", "a", "x", 0))
	wantConflict(t, s, put("user", "a", "x", r1+1))
	wantConflict(t, s, del("user", "a", 0))
	wantConflict(t, s, del("user", "a", r1+1))
	r2 := commit(t, s, put("user", "b", "1", 0))
	wantConflict(t, s, put("user", "a", "x", r2))
	wantValue(t, s, "user", "a", "1", r1)
	r3 := commit(t, s, put("user", "a", "2", store.Any))
	wantConflict(t, s, put("user", "a", "x", r1))
	wantValue(t, s, "user", "a", "2", r3)
	commit(t, s, del("user", "a", r3))
	wantConflict(t, s, put("user", "a", "x", r3))
	r4 := commit(t, s, put("user", "a", "4", 0))
	wantConflict(t, s, put("user", "a", "x", r3))
	wantValue(t, s, "user", "a", "4", r4)
}

func testAtomic(t *testing.T, f Factory) {
	s := f.Open(t)
	r1 := commit(t, s, put("user", "a", "1", 0), put("user", "b", "1", 0))
	wantConflict(t, s, put("user", "a", "2", r1), put("user", "c", "2", 0), del("user", "b", r1), check("user", "d", r1))
	wantValue(t, s, "user", "a", "1", r1)
	wantValue(t, s, "user", "b", "1", r1)
	wantAbsent(t, s, "user", "c")
	r2 := commit(t, s, check("user", "d", 0), check("user", "a", r1), del("user", "b", r1), put("user", "c", "2", 0))
	wantValue(t, s, "user", "a", "1", r1)
	wantAbsent(t, s, "user", "b")
	wantValue(t, s, "user", "c", "2", r2)
}

func testSameRecordTwice(t *testing.T, f Factory) {
	s := f.Open(t)
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	wantConflict(t, s, put("user", "a", "1", 0), put("user", "a", "2", 0))
	r := commit(t, s, put("user", "a", "1", 0), del("user", "a", store.Any), put("user", "a", "2", 0))
	wantValue(t, s, "user", "a", "2", r)
	ev, err := w.Next(t.Context())
	if err != nil || len(ev.Records) != 1 || string(ev.Records[0].Value) != "2" {
		t.Fatalf("event %+v, %v: want the final state once", ev, err)
	}
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 1 {
		t.Fatalf("list %+v, %v", l, err)
	}
}

func testChecksOnly(t *testing.T, f Factory) {
	s := f.Open(t)
	r := commit(t, s, put("user", "a", "1", 0))
	if got := commit(t, s, check("user", "a", r), check("user", "b", 0)); got != r {
		t.Errorf("revision %d, want %d", got, r)
	}
	wantConflict(t, s, check("user", "a", 0))
	if next := commit(t, s, put("user", "b", "1", 0)); next != r+1 {
		t.Errorf("checks took a revision: %d after %d", next, r)
	}
}

// testLargeCommit has as many changes and bytes as every store takes.
func testLargeCommit(t *testing.T, f Factory) {
	s := f.Open(t)
	const records = 100
	changes := make([]store.Change, records)
	for i := range changes {
		changes[i] = put("k", strconv.Itoa(i), "", 0)
		changes[i].Value = make([]byte, store.MaxValue/records)
	}
	wantConflict(t, s, append(changes[:records-1:records-1], put("k", "last", "x", 1))...)
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 0 {
		t.Fatalf("%d records of a commit that was refused, %v", len(l.Records), err)
	}
	r := commit(t, s, changes...)
	for i := range changes {
		changes[i] = check("k", strconv.Itoa(i), r)
	}
	commit(t, s, changes...)
	for i := range changes {
		changes[i].Op = store.Delete
	}
	commit(t, s, changes...)
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 0 {
		t.Errorf("%d records are left, %v", len(l.Records), err)
	}
}

const writers = 32

// testCounter has 32 writers increment one counter by compare-and-swap: none is lost.
func testCounter(t *testing.T, f Factory) { countTogether(t, f.Open(t)) }

// testSharedCounter does so through two stores.
func testSharedCounter(t *testing.T, f Factory) {
	if !f.Shared {
		t.Skip("the store has one user at a time")
	}
	countTogether(t, f.Open(t), f.Open(t))
}

func countTogether(t *testing.T, stores ...store.Store) {
	t.Helper()
	const each = 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				if err := increment(t.Context(), stores[w%len(stores)]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		r, err := s.Get(t.Context(), "counter", "c")
		if err != nil || string(r.Value) != strconv.Itoa(writers*each) {
			t.Fatalf("counter %q, %v, want %d", r.Value, err, writers*each)
		}
	}
}

func increment(ctx context.Context, s store.Store) error {
	for {
		n := 0
		r, err := s.Get(ctx, "counter", "c")
		if err == nil {
			if n, err = strconv.Atoi(string(r.Value)); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		_, err = s.Commit(ctx, put("counter", "c", strconv.Itoa(n+1), r.Revision))
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// testWriters has 32 writers write records of their own, in pairs: all are there, each
// pair under one revision, no revision twice.
func testWriters(t *testing.T, f Factory) { writeTogether(t, f.Open(t)) }

// testSharedWriters does so through two stores.
func testSharedWriters(t *testing.T, f Factory) {
	if !f.Shared {
		t.Skip("the store has one user at a time")
	}
	writeTogether(t, f.Open(t), f.Open(t))
}

func writeTogether(t *testing.T, stores ...store.Store) {
	t.Helper()
	const each = 20
	var wg sync.WaitGroup
	var mu sync.Mutex
	revisions := map[uint64]string{}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("%d-%d", w, i)
				rev, err := stores[w%len(stores)].Commit(t.Context(), put("left", name, name, 0), put("right", name, name, 0))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if other, ok := revisions[rev]; ok {
					t.Errorf("revision %d for %s and %s", rev, name, other)
				}
				revisions[rev] = name
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		for rev, name := range revisions {
			wantValue(t, s, "left", name, name, rev)
			wantValue(t, s, "right", name, name, rev)
		}
		if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 2*writers*each || len(revisions) != writers*each {
			t.Errorf("%d records, %d revisions, %v", len(l.Records), len(revisions), err)
		}
	}
}
