package storetest

import (
	"strconv"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
)

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
			ev, err := either(t, w, n%2 == 1)
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
		if ev, ok := w.Poll(); ok {
			t.Errorf("after the last event: %+v", ev)
		}
		w.Close()
		if ev, ok := w.Poll(); ok {
			t.Errorf("of a closed watcher: %+v", ev)
		}
	}
}

// either returns the next event by Poll, if it is asked to and there is one, else by Next.
func either(t *testing.T, w store.Watcher, poll bool) (store.Event, error) {
	if poll {
		if ev, ok := w.Poll(); ok {
			return ev, nil
		}
	}
	return w.Next(t.Context())
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

// testWatchSeesEveryCommit has commits that change nothing: watchers see them pass, since
// whoever commits may wait for that. Checks are no commits to them.
func testWatchSeesEveryCommit(t *testing.T, f Factory) {
	s := f.Open(t)
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	last := uint64(0)
	for range 3 {
		for _, changes := range [][]store.Change{
			{del("k", "absent", store.Any)},
			{del("k", "absent", 0), del("k", "other", 0)},
			{put("k", "short", "", 0), del("k", "short", store.Any)},
		} {
			rev := commit(t, s, changes...)
			if rev <= last {
				t.Fatalf("revision %d after %d", rev, last)
			}
			last = rev
			if got := commit(t, s, check("k", "absent", 0)); got != rev {
				t.Errorf("checks return %d, want %d", got, rev)
			}
			if l, err := s.List(t.Context(), ""); err != nil || l.Revision != rev || len(l.Records) != 0 {
				t.Errorf("list %+v, %v, want revision %d", l, err, rev)
			}
			ev, err := w.Next(t.Context())
			if err != nil || ev.Revision != rev {
				t.Fatalf("event %+v, %v, want revision %d", ev, err, rev)
			}
			for _, r := range ev.Records {
				if !r.Deleted {
					t.Errorf("event with %+v", r)
				}
			}
		}
	}
}

// testWatchOthers follows the commits of another store.
func testWatchOthers(t *testing.T, f Factory) {
	if !f.Shared {
		t.Skip("the store has one user at a time")
	}
	a, b := f.Open(t), f.Open(t)
	w, err := a.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	model := map[string]string{}
	var last uint64
	for i := range 50 {
		s := []store.Store{a, b}[i%2]
		c := put("k", strconv.Itoa(i%7), strconv.Itoa(i), store.Any)
		if i%5 == 4 {
			c = del("k", c.Name, store.Any)
		}
		last = commit(t, s, c)
	}
	follow(t, w, model, 0, last)
	compare(t, a, model)
	compare(t, b, model)
}
