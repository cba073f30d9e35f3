// Package storetest is the contract of store.Store as a test. Every implementation runs it.
package storetest

import (
	"errors"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
)

// Factory makes stores for one test.
type Factory struct {
	// Open opens the store of this test: empty at first, and with what was committed
	// when it is called again after Close.
	Open func(t *testing.T) store.Store
	// Persistent tells that the content survives Close.
	Persistent bool
	// Shared tells that Open may be called again before Close, as another server does.
	Shared bool
}

// Run runs the suite. newFactory is called once for each test.
func Run(t *testing.T, newFactory func(t *testing.T) Factory) {
	tests := []struct {
		name string
		run  func(t *testing.T, f Factory)
	}{
		{"PutGetDelete", testPutGetDelete},
		{"Names", testNames},
		{"List", testList},
		{"Revisions", testRevisions},
		{"Atomic", testAtomic},
		{"SameRecordTwice", testSameRecordTwice},
		{"ChecksOnly", testChecksOnly},
		{"Limits", testLimits},
		{"LargeCommit", testLargeCommit},
		{"Expiry", testExpiry},
		{"Copies", testCopies},
		{"Counter", testCounter},
		{"Writers", testWriters},
		{"SharedCounter", testSharedCounter},
		{"SharedWriters", testSharedWriters},
		{"WatchOrder", testWatchOrder},
		{"WatchFollowsList", testWatchFollowsList},
		{"WatchSeesEveryCommit", testWatchSeesEveryCommit},
		{"WatchOthers", testWatchOthers},
		{"Closed", testClosed},
		{"Cancelled", testCancelled},
		{"Reopen", testReopen},
		{"Random", testRandom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, newFactory(t)) })
	}
}

func put(kind, name, value string, rev uint64) store.Change {
	return store.Change{Kind: kind, Name: name, Value: []byte(value), Revision: rev}
}

func del(kind, name string, rev uint64) store.Change {
	return store.Change{Op: store.Delete, Kind: kind, Name: name, Revision: rev}
}

func check(kind, name string, rev uint64) store.Change {
	return store.Change{Op: store.Check, Kind: kind, Name: name, Revision: rev}
}

func commit(t *testing.T, s store.Store, changes ...store.Change) uint64 {
	t.Helper()
	rev, err := s.Commit(t.Context(), changes...)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return rev
}

func wantConflict(t *testing.T, s store.Store, changes ...store.Change) {
	t.Helper()
	if _, err := s.Commit(t.Context(), changes...); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("commit: %v, want a conflict", err)
	}
}

func wantValue(t *testing.T, s store.Store, kind, name, value string, rev uint64) {
	t.Helper()
	r, err := s.Get(t.Context(), kind, name)
	if err != nil {
		t.Fatalf("get %s/%q: %v", kind, name, err)
	}
	if string(r.Value) != value || r.Revision != rev || r.Kind != kind || r.Name != name {
		t.Fatalf("get %s/%q: %+v, want value %q revision %d", kind, name, r, value, rev)
	}
}

func wantAbsent(t *testing.T, s store.Store, kind, name string) {
	t.Helper()
	if r, err := s.Get(t.Context(), kind, name); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("get %s/%q: %+v, %v, want ErrNotFound", kind, name, r, err)
	}
}
