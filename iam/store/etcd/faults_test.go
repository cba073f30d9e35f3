package etcd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	server "github.com/objsrv/objsrv/test/etcd"
)

// linked returns a store behind a link, one that has etcd to itself, and etcd's client.
func linked(t *testing.T, timeout time.Duration) (*server.Link, *Store, *Store, *clientv3.Client) {
	t.Helper()
	c := server.Start(t, server.Options{})
	link := server.NewLink(t, c.Members[0])
	behind := openStore(t, Options{Endpoints: []string{link.Endpoint}, Timeout: timeout})
	return link, behind, openStore(t, Options{Endpoints: c.Endpoints()}), rawClient(t, c, "", "")
}

func watch(t *testing.T, s store.Store) store.Watcher {
	t.Helper()
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func wantEvents(t *testing.T, w store.Watcher, names ...string) {
	t.Helper()
	for _, name := range names {
		ev, err := w.Next(t.Context())
		if err != nil || len(ev.Records) != 1 || ev.Records[0].Name != name {
			t.Fatalf("event %+v, %v, want %s", ev, err, name)
		}
	}
}

// compact drops etcd's history up to now.
func compact(t *testing.T, raw *clientv3.Client) {
	t.Helper()
	resp, err := raw.Get(t.Context(), "x")
	if err == nil {
		_, err = raw.Compact(t.Context(), resp.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWatchAcrossReconnect cuts the connection: the watcher sees what was committed
// meanwhile, in order and once.
func TestWatchAcrossReconnect(t *testing.T) {
	link, behind, other, _ := linked(t, 0)
	w := watch(t, behind)
	commit(t, other, put("before", "", 0))
	wantEvents(t, w, "before")
	for i := range 3 {
		link.Cut()
		var names []string
		for j := range 50 {
			names = append(names, fmt.Sprint(i, "-", j))
			commit(t, other, put(names[j], "", 0))
		}
		link.Mend()
		wantEvents(t, w, names...)
	}
	commit(t, behind, put("after", "", 0))
	wantEvents(t, w, "after")
}

// TestWatchAcrossCompaction compacts what a cut watcher has missed: it says so, and a new
// one with a listing has everything.
func TestWatchAcrossCompaction(t *testing.T) {
	link, behind, other, raw := linked(t, 0)
	w := watch(t, behind)
	commit(t, other, put("before", "", 0))
	// What was seen may be compacted.
	wantEvents(t, w, "before")
	compact(t, raw)
	commit(t, other, put("seen", "", 0))
	wantEvents(t, w, "seen")
	// What was missed may not.
	link.Cut()
	commit(t, other, put("missed", "", 0))
	commit(t, other, put("last", "", 0))
	compact(t, raw)
	link.Mend()
	if ev, err := w.Next(t.Context()); !errors.Is(err, store.ErrLagged) {
		t.Fatalf("event %+v, %v", ev, err)
	}
	w = watch(t, behind)
	if l, err := behind.List(t.Context(), ""); err != nil || len(l.Records) != 4 {
		t.Errorf("list %+v, %v", l, err)
	}
	commit(t, other, put("next", "", 0))
	wantEvents(t, w, "next")
}

// TestListAcrossCompaction compacts while listings read their pages.
func TestListAcrossCompaction(t *testing.T) {
	_, s, other, raw := linked(t, 0)
	for i := range 5 {
		changes := many(100, 1000)
		for j := range changes {
			changes[j].Name += fmt.Sprint("-", i)
		}
		commit(t, other, changes...)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			commit(t, other, put("busy", fmt.Sprint(i), store.Any))
			if i%10 == 0 {
				compact(t, raw)
			}
		}
	})
	for range 50 {
		l, err := s.List(t.Context(), "")
		if err != nil && !errors.Is(err, errCompacted) || err == nil && len(l.Records) < 500 {
			t.Errorf("%d records, %v", len(l.Records), err)
		}
	}
	close(stop)
	wg.Wait()
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 501 {
		t.Errorf("%d records, %v", len(l.Records), err)
	}
}

// TestKilled kills the server again and again while 32 writers are at work: what was
// acknowledged is there, and the watcher has seen it, in order and once.
func TestKilled(t *testing.T) {
	c := server.Start(t, server.Options{})
	s := openStore(t, Options{Endpoints: c.Endpoints(), Timeout: 2 * time.Second})
	survive(t, s, 3, func() {
		c.Members[0].Kill()
		c.Members[0].Restart()
	})
}

// TestLeaderKilled kills the leader of three servers, likewise.
func TestLeaderKilled(t *testing.T) {
	t.Parallel()
	c := server.Start(t, server.Options{Members: 3})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints(), Timeout: time.Second})
	survive(t, s, 1, func() {
		for _, m := range c.Members {
			st, err := raw.Status(t.Context(), m.Endpoint)
			if err == nil && st.Leader == st.Header.MemberId {
				m.Kill()
				eventually(t, func() error { _, err := s.Commit(t.Context(), put("without leader", "", store.Any)); return err })
				m.Restart()
				return
			}
		}
		t.Error("no leader")
	})
}

// survive lets writers work while trouble happens.
func survive(t *testing.T, s *Store, times int, trouble func()) {
	t.Helper()
	w := watch(t, s)
	var mu sync.Mutex
	acknowledged := map[string]uint64{}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprint(i, "-", j)
				rev, err := s.Commit(t.Context(), put(name, name, 0))
				switch {
				case err == nil:
					mu.Lock()
					acknowledged[name] = rev
					mu.Unlock()
				case !errors.Is(err, store.ErrUnavailable):
					t.Errorf("commit: %v", err) // ErrConflict would mean that it was sent twice
				}
			}
		})
	}
	for range times {
		have := count()
		eventually(t, func() error {
			if count() < have+100 {
				return errors.New("the writers do not get on")
			}
			return nil
		})
		trouble()
	}
	close(stop)
	wg.Wait()
	eventually(t, func() error { _, err := s.Commit(t.Context(), put("end", "", store.Any)); return err })
	seen, last := map[string]uint64{}, uint64(0)
	for {
		ev, err := w.Next(t.Context())
		if err != nil || ev.Revision <= last {
			t.Fatalf("event %+v after %d, %v", ev, last, err)
		}
		last = ev.Revision
		if ev.Records[0].Name == "end" {
			break
		}
		seen[ev.Records[0].Name] = ev.Revision
	}
	l, err := s.List(t.Context(), "user")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]uint64{}
	for _, r := range l.Records {
		there[r.Name] = r.Revision
	}
	for name, rev := range acknowledged {
		if there[name] != rev || seen[name] != rev {
			t.Errorf("%s was acknowledged at %d, is there at %d, was seen at %d", name, rev, there[name], seen[name])
		}
	}
	t.Logf("%d acknowledged, %d there", len(acknowledged), len(there))
}

// TestLostAnswer loses the answer to a commit that etcd has applied.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	link, behind, other, _ := linked(t, time.Second)
	commit(t, behind, put("a", "1", 0))
	link.Deafen()
	if _, err := behind.Commit(t.Context(), put("lost", "1", 0)); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrConflict) {
		t.Errorf("commit: %v", err)
	}
	if _, err := other.Get(t.Context(), "user", "lost"); err != nil {
		t.Errorf("the commit was applied, but: %v", err)
	}
	if _, err := behind.Get(t.Context(), "user", "a"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("get: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for what, err := range map[string]error{
		"get":    second(behind.Get(ctx, "user", "a")),
		"list":   second(behind.List(ctx, "user")),
		"watch":  second(behind.Watch(ctx)),
		"commit": second(behind.Commit(ctx, put("b", "1", store.Any))),
	} {
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s with a context that ends: %v", what, err)
		}
	}
	link.Mend()
	eventually(t, func() error { _, err := behind.Get(t.Context(), "user", "a"); return err })

	// When the connection comes back within the timeout, the mark tells what became of it,
	// whatever others have committed since.
	patient := openStore(t, Options{Endpoints: []string{link.Endpoint}, Timeout: 20 * time.Second})
	link.Deafen()
	done := make(chan error, 1)
	var rev uint64
	go func() {
		var err error
		rev, err = patient.Commit(t.Context(), put("b", "1", 0))
		done <- err
	}()
	var want store.Record
	eventually(t, func() error {
		var err error
		want, err = other.Get(t.Context(), "user", "b")
		return err
	})
	for i := range 20 {
		commit(t, other, put(fmt.Sprint("other-", i), "", 0))
	}
	link.Mend()
	if err := <-done; err != nil || rev != want.Revision {
		t.Errorf("commit: %d, %v, want %d", rev, err, want.Revision)
	}
}

func second[T any](_ T, err error) error { return err }

// TestCloseBreaksOff closes a store while it waits for answers.
func TestCloseBreaksOff(t *testing.T) {
	t.Parallel()
	link, behind, _, _ := linked(t, time.Second)
	w := watch(t, behind)
	link.Deafen()
	results := make(chan error, 3)
	go func() { results <- second(behind.Get(context.WithoutCancel(t.Context()), "user", "a")) }()
	go func() { results <- second(behind.List(context.WithoutCancel(t.Context()), "")) }()
	go func() { results <- second(w.Next(context.WithoutCancel(t.Context()))) }()
	committed := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		close(began)
		committed <- second(behind.Commit(context.WithoutCancel(t.Context()), put("a", "", store.Any)))
	}()
	<-began
	if err := behind.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		// A read that was over before Close had ended in the timeout.
		if err := <-results; !errors.Is(err, store.ErrClosed) && !errors.Is(err, store.ErrUnavailable) {
			t.Error(err)
		}
	}
	if err := <-committed; !errors.Is(err, store.ErrClosed) && !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
}

// TestRestoredFromBackup sets etcd back to an older state: the watcher, whose revisions
// will come again, learns of it as soon as there is a connection.
func TestRestoredFromBackup(t *testing.T) {
	c := server.Start(t, server.Options{})
	m := c.Members[0]
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	commit(t, s, put("old", "", 0))
	m.Kill()
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(m.Dir)); err != nil {
		t.Fatal(err)
	}
	m.Restart()
	w := watch(t, s)
	for i := range 20 {
		name := fmt.Sprint("lost-", i)
		commit(t, s, put(name, "", 0))
		wantEvents(t, w, name)
	}
	m.Kill()
	if err := os.RemoveAll(m.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, m.Dir); err != nil {
		t.Fatal(err)
	}
	m.Restart()
	if ev, err := w.Next(t.Context()); !errors.Is(err, store.ErrLagged) || !strings.Contains(err.Error(), "went back") {
		t.Fatalf("event %+v, %v", ev, err)
	}
	w = watch(t, s)
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 1 {
		t.Errorf("list %+v, %v", l, err)
	}
	commit(t, s, put("new", "", 0))
	wantEvents(t, w, "new")
}

// TestSlowWatcher has a consumer that lets more events pile up than are kept.
func TestSlowWatcher(t *testing.T) {
	_, s, _, _ := linked(t, 0)
	w := watch(t, s)
	for i := range 70_000 {
		key := s.keys.record("user", fmt.Sprint(i))
		ev := &clientv3.Event{Type: mvccpb.DELETE, Kv: &mvccpb.KeyValue{Key: []byte(key), ModRevision: int64(i + 10)}}
		if err := w.(*watcher).publish([]*clientv3.Event{ev}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrLagged) {
		t.Errorf("next: %v", err)
	}
}
