// Package storetest is the contract of store.Store as a test. Every implementation runs it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Factory makes stores for one test.
type Factory struct {
	// Open opens the store of this test: empty at first, and with what was committed
	// when it is called again after Close.
	Open func(t *testing.T) store.Store
	// Persistent tells that the content survives Close.
	Persistent bool
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
		{"Expiry", testExpiry},
		{"Copies", testCopies},
		{"Counter", testCounter},
		{"Writers", testWriters},
		{"WatchOrder", testWatchOrder},
		{"WatchFollowsList", testWatchFollowsList},
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

func testPutGetDelete(t *testing.T, f Factory) {
	s := f.Open(t)
	wantAbsent(t, s, "user", "a")
	r1 := commit(t, s, put("user", "a", "1", 0))
	wantValue(t, s, "user", "a", "1", r1)
	wantAbsent(t, s, "use", "ra")
	wantAbsent(t, s, "policy", "a")
	r2 := commit(t, s, put("user", "a", "", r1))
	if r2 <= r1 {
		t.Fatalf("revision %d after %d", r2, r1)
	}
	wantValue(t, s, "user", "a", "", r2)
	commit(t, s, del("user", "a", r2))
	wantAbsent(t, s, "user", "a")
	commit(t, s, del("user", "a", store.Any))
	commit(t, s, del("user", "a", 0))
	r3 := commit(t, s, put("user", "a", "3", 0))
	wantValue(t, s, "user", "a", "3", r3)
}

func testNames(t *testing.T, f Factory) {
	s := f.Open(t)
	names := []string{"a", "A", "a ", "a/b", "../x", "a\x00b", "\xff\xfe", "ä", "\x00", string(make([]byte, store.MaxName))}
	for i, n := range names {
		commit(t, s, put("k", n, strconv.Itoa(i), 0))
	}
	for i, n := range names {
		r, err := s.Get(t.Context(), "k", n)
		if err != nil || string(r.Value) != strconv.Itoa(i) || r.Name != n {
			t.Errorf("name %q: %+v, %v", n, r, err)
		}
	}
}

func testList(t *testing.T, f Factory) {
	s := f.Open(t)
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 0 {
		t.Fatalf("list of nothing: %+v, %v", l, err)
	}
	commit(t, s, put("user", "b", "ub", 0), put("key", "z", "kz", 0))
	last := commit(t, s, put("user", "a", "ua", 0), put("users", "a", "x", 0))
	tests := []struct{ kind, want string }{
		{"", "key/z=kz user/a=ua user/b=ub users/a=x "},
		{"user", "user/a=ua user/b=ub "},
		{"key", "key/z=kz "},
		{"use", ""},
	}
	for _, tt := range tests {
		l, err := s.List(t.Context(), tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range l.Records {
			got += r.Kind + "/" + r.Name + "=" + string(r.Value) + " "
		}
		if got != tt.want || l.Revision != last {
			t.Errorf("list %q: %q at %d, want %q at %d", tt.kind, got, l.Revision, tt.want, last)
		}
	}
}

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

func testLimits(t *testing.T, f Factory) {
	s := f.Open(t)
	long := string(make([]byte, store.MaxName+1))
	for _, c := range []store.Change{
		put("", "a", "", 0), put("user", "", "", 0), put("User", "a", "", 0), put("a/b", "a", "", 0),
		put("a\x00b", "a", "", 0), put("user", long, "", 0), {Kind: "user", Name: "a", Value: make([]byte, store.MaxValue+1)},
		{Op: 9, Kind: "user", Name: "a"},
	} {
		if _, err := s.Commit(t.Context(), c); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("commit of kind %q, name of %d bytes: %v", c.Kind, len(c.Name), err)
		}
	}
	if _, err := s.Get(t.Context(), "user", ""); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("get of an empty name: %v", err)
	}
	big := store.Change{Kind: "user", Name: "big", Value: make([]byte, store.MaxValue)}
	commit(t, s, big)
	if r, err := s.Get(t.Context(), "user", "big"); err != nil || len(r.Value) != store.MaxValue {
		t.Errorf("largest value: %d bytes, %v", len(r.Value), err)
	}
}

func testExpiry(t *testing.T, f Factory) {
	s := f.Open(t)
	soon := time.Now().Add(50 * time.Millisecond)
	later := time.Now().Add(time.Hour).Round(0)
	var changes []store.Change
	for i := range 100 {
		c := put("session", strconv.Itoa(i), "x", 0)
		c.Expires = soon
		changes = append(changes, c)
	}
	keep := put("session", "keep", "x", 0)
	keep.Expires = later
	old := put("session", "old", "x", 0)
	old.Expires = time.Unix(0, 0)
	rev := commit(t, s, append(changes, keep, old)...)
	wantAbsent(t, s, "session", "old")
	prolonged := put("session", "1", "y", rev)
	prolonged.Expires = later
	if _, err := s.Commit(t.Context(), prolonged); err != nil && time.Now().Before(soon) {
		t.Fatal(err)
	} else if err != nil {
		prolonged.Revision = 0
		commit(t, s, prolonged)
	}
	for time.Now().Before(soon) {
		time.Sleep(time.Until(soon))
	}
	wantAbsent(t, s, "session", "0")
	wantConflict(t, s, put("session", "2", "x", rev))
	commit(t, s, put("session", "2", "again", 0))
	for range 3 {
		commit(t, s, put("user", "a", "", store.Any))
	}
	l, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, r := range l.Records {
		got += r.Name + " "
		if r.Name == "keep" && !r.Expires.Equal(later) {
			t.Errorf("expiry %v, want %v", r.Expires, later)
		}
		if r.Name == "2" && !r.Expires.IsZero() {
			t.Errorf("expiry %v, want none", r.Expires)
		}
	}
	if got != "1 2 keep a " {
		t.Errorf("records %q", got)
	}
}

func testCopies(t *testing.T, f Factory) {
	s := f.Open(t)
	v := []byte("value")
	rev := commit(t, s, store.Change{Kind: "k", Name: "n", Value: v})
	v[0] = 'X'
	wantValue(t, s, "k", "n", "value", rev)
	r, _ := s.Get(t.Context(), "k", "n")
	r.Value[0] = 'Y'
	wantValue(t, s, "k", "n", "value", rev)
	l, _ := s.List(t.Context(), "")
	l.Records[0].Value[0] = 'Z'
	wantValue(t, s, "k", "n", "value", rev)
}

// testCounter has 32 writers increment one counter by compare-and-swap: none is lost.
func testCounter(t *testing.T, f Factory) {
	s := f.Open(t)
	const writers, each = 32, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if err := increment(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	r, err := s.Get(t.Context(), "counter", "c")
	if err != nil || string(r.Value) != strconv.Itoa(writers*each) {
		t.Fatalf("counter %q, %v, want %d", r.Value, err, writers*each)
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

// testWriters has 32 writers write records of their own, some in pairs: all are there,
// each pair under one revision, no revision twice.
func testWriters(t *testing.T, f Factory) {
	s := f.Open(t)
	const writers, each = 32, 20
	var wg sync.WaitGroup
	var mu sync.Mutex
	revisions := map[uint64]string{}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("%d-%d", w, i)
				rev, err := s.Commit(t.Context(), put("left", name, name, 0), put("right", name, name, 0))
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
	for rev, name := range revisions {
		wantValue(t, s, "left", name, name, rev)
		wantValue(t, s, "right", name, name, rev)
	}
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 2*writers*each || len(revisions) != writers*each {
		t.Errorf("%d records, %d revisions, %v", len(l.Records), len(revisions), err)
	}
}

func testWatchOrder(t *testing.T, f Factory) {
	s := f.Open(t)
	commit(t, s, put("k", "before", "", 0))
	var watchers []store.Watcher
	for range 3 {
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		watchers = append(watchers, w)
	}
	var wg sync.WaitGroup
	const writers, each = 8, 20
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				if _, err := s.Commit(t.Context(), put("k", strconv.Itoa(i), strconv.Itoa(j), store.Any)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	commit(t, s, del("k", "0", store.Any), put("k", "end", "", 0))
	for _, w := range watchers {
		next := map[string]int{}
		last := uint64(0)
		for n := 0; ; n++ {
			ev, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if ev.Revision <= last {
				t.Fatalf("revision %d after %d", ev.Revision, last)
			}
			last = ev.Revision
			r := ev.Records[0]
			if r.Deleted {
				if n != writers*each || r.Name != "0" || len(ev.Records) != 2 || ev.Records[1].Name != "end" {
					t.Fatalf("event %d: %+v", n, ev)
				}
				break
			}
			if string(r.Value) != strconv.Itoa(next[r.Name]) || r.Revision != ev.Revision {
				t.Fatalf("event %d: %+v, want value %d", n, ev, next[r.Name])
			}
			next[r.Name]++
		}
	}
}

// testWatchFollowsList rebuilds the content from a listing and the events after it while
// writers are at work.
func testWatchFollowsList(t *testing.T, f Factory) {
	s := f.Open(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-stop:
					return
				default:
				}
				c := put("k", strconv.Itoa(i*100+j%7), strconv.Itoa(j), store.Any)
				if j%3 == 2 {
					c = del("k", c.Name, store.Any)
				}
				if _, err := s.Commit(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for {
		l, err := s.List(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if l.Revision < 20 {
			continue
		}
		close(stop)
		wg.Wait()
		end := commit(t, s, put("k", "end", "", 0))
		model := map[string]string{}
		for _, r := range l.Records {
			model[r.Name] = string(r.Value)
		}
		follow(t, w, model, l.Revision, end)
		compare(t, s, model)
		return
	}
}

func follow(t *testing.T, w store.Watcher, model map[string]string, from, to uint64) {
	t.Helper()
	for {
		ev, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ev.Revision > from {
			for _, r := range ev.Records {
				if r.Deleted {
					delete(model, r.Name)
				} else {
					model[r.Name] = string(r.Value)
				}
			}
		}
		if ev.Revision >= to {
			return
		}
	}
}

func compare(t *testing.T, s store.Store, model map[string]string) {
	t.Helper()
	l, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Records) != len(model) {
		t.Errorf("%d records, want %d", len(l.Records), len(model))
	}
	for _, r := range l.Records {
		if v, ok := model[r.Name]; !ok || v != string(r.Value) {
			t.Errorf("record %q is %q, want %q, %v", r.Name, r.Value, v, ok)
		}
	}
}

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
