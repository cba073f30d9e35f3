package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Factory {
		path := filepath.Join(t.TempDir(), "iam.db")
		return storetest.Factory{Persistent: true, Open: func(t *testing.T) store.Store { return reopen(t, path) }}
	})
}

func reopen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(name, value string, rev uint64) store.Change {
	return store.Change{Kind: "user", Name: name, Value: []byte(value), Revision: rev}
}

// filled returns the path of a closed store with n users.
func filled(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "iam.db")
	s := reopen(t, path)
	for i := range n {
		if _, err := s.Commit(t.Context(), put(fmt.Sprintf("user-%04d", i), fmt.Sprintf("value-%04d", i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileMode(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "iam.db")
	reopen(t, path).Close()
	for range 2 {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("S-253: mode %v, %v", info.Mode(), err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		reopen(t, path).Close()
	}
}

func TestSecondProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iam.db")
	reopen(t, path)
	if s, err := Open(path); err == nil {
		s.Close()
		t.Fatal("a file was opened twice")
	}
}

// TestFlippedByte flips every byte of the sound copy of each record in the file, one at a
// time: what is read afterwards is right, or an error; a record is never absent.
func TestFlippedByte(t *testing.T) {
	path := filled(t, 3)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	for from := 0; ; {
		i := bytes.Index(sound[from:], []byte("user-0001"))
		if i < 0 {
			break
		}
		from += i + 1
		places = append(places, from-1)
	}
	if len(places) < 2 {
		t.Fatal("the record is not in the file")
	}
	caught := 0
	for _, place := range places {
		for off := place - 40; off < place+40; off++ {
			damaged := bytes.Clone(sound)
			damaged[off] ^= 0x04
			p := filepath.Join(t.TempDir(), "iam.db")
			if err := os.WriteFile(p, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if readsRight(t, p, off) {
				continue
			}
			caught++
		}
	}
	if caught == 0 {
		t.Error("no flipped byte was noticed")
	}
}

// readsRight tells whether the store shows all three users; what it shows otherwise must
// be an error.
func readsRight(t *testing.T, path string, off int) bool {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		return false
	}
	defer s.Close()
	l, err := s.List(t.Context(), "")
	for _, r := range l.Records {
		if string(r.Value) != "value-"+r.Name[len("user-"):] {
			t.Errorf("flip at %d: %q has the value %q", off, r.Name, r.Value)
		}
	}
	if err != nil {
		return false
	}
	if len(l.Records) != 3 {
		t.Errorf("flip at %d: %d records and no error", off, len(l.Records))
	}
	return true
}

// TestDamagedRecord damages values in place: reads, lists and checked commits fail,
// overwriting without a check heals.
func TestDamagedRecord(t *testing.T) {
	path := filled(t, 3)
	tamper(t, path, func(b *bbolt.Bucket) error {
		if err := b.Put(recordKey("user", "user-0000"), []byte("garbage")); err != nil {
			return err
		}
		// A sound value under a foreign key.
		return b.Put(recordKey("user", "user-0001"), bytes.Clone(b.Get(recordKey("user", "user-0002"))))
	})
	s := reopen(t, path)
	for _, name := range []string{"user-0000", "user-0001"} {
		if _, err := s.Get(t.Context(), "user", name); !errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
			t.Errorf("get %s: %v", name, err)
		}
		for _, rev := range []uint64{0, 1} {
			if _, err := s.Commit(t.Context(), put(name, "x", rev)); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("put %s at %d: %v", name, rev, err)
			}
		}
	}
	l, err := s.List(t.Context(), "")
	damaged, partial := store.Damage(err)
	if !partial || len(damaged) != 2 || len(l.Records) != 1 || damaged[1].ClaimedName != "user-0002" {
		t.Fatalf("list %+v, %v", l, err)
	}
	if _, err := s.Commit(t.Context(), put("user-0000", "healed", store.Any), store.Change{
		Op: store.Delete, Kind: "user", Name: "user-0001", Revision: store.Any}); err != nil {
		t.Fatal(err)
	}
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 2 {
		t.Errorf("after healing: %+v, %v", l, err)
	}
}

// TestVanishedRecord removes a record behind the store's back, as a damaged page does.
func TestVanishedRecord(t *testing.T) {
	path := filled(t, 3)
	tamper(t, path, func(b *bbolt.Bucket) error { return b.Delete(recordKey("user", "user-0001")) })
	s := reopen(t, path)
	for _, kind := range []string{"", "user"} {
		l, err := s.List(t.Context(), kind)
		if _, partial := store.Damage(err); !errors.Is(err, store.ErrDamaged) || partial || len(l.Records) != 0 {
			t.Errorf("list %q: %+v, %v", kind, l, err)
		}
	}
}

func tamper(t *testing.T, path string, f func(*bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bbolt.Tx) error { return f(tx.Bucket(bucketRecords)) }); err != nil {
		t.Fatal(err)
	}
}

// TestTruncated cuts the file at every page: opening or listing fails, and nothing panics.
func TestTruncated(t *testing.T) {
	path := filled(t, 300)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(sound); n += 4096 {
		p := filepath.Join(t.TempDir(), "iam.db")
		if err := os.WriteFile(p, sound[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(p)
		if err != nil {
			continue
		}
		l, err := s.List(t.Context(), "")
		if err == nil && len(l.Records) != 300 {
			t.Errorf("cut at %d: %d records and no error", n, len(l.Records))
		}
		s.Close()
	}
}

// TestFailedSync fails a sync: it is not acknowledged, and nothing is written after it
// until the file is opened again.
func TestFailedSync(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iam.db")
	s := reopen(t, path)
	if _, err := s.Commit(t.Context(), put("a", "1", 0)); err != nil {
		t.Fatal(err)
	}
	syncs := 0
	s.sync = func(tx *bbolt.Tx) error {
		syncs++
		return syscall.EIO
	}
	for range 3 {
		if _, err := s.Commit(t.Context(), put("b", "1", 0)); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("commit: %v", err)
		}
	}
	if syncs != 1 {
		t.Errorf("%d syncs after the first failure", syncs)
	}
	s.Close()
	s = reopen(t, path)
	if _, err := s.Get(t.Context(), "user", "a"); err != nil {
		t.Error(err)
	}
	if _, err := s.Commit(t.Context(), put("c", "1", 0)); err != nil {
		t.Error(err)
	}
}

// TestFull runs out of space: the commit is refused and the next one works.
func TestFull(t *testing.T) {
	s := reopen(t, filepath.Join(t.TempDir(), "iam.db"))
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.sync = func(tx *bbolt.Tx) error {
		return fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "iam.db", Err: syscall.ENOSPC})
	}
	if _, err := s.Commit(t.Context(), put("a", "1", 0)); !errors.Is(err, store.ErrFull) {
		t.Fatalf("commit: %v", err)
	}
	s.sync = (*bbolt.Tx).Commit
	if _, err := s.Get(t.Context(), "user", "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	rev, err := s.Commit(t.Context(), put("a", "2", 0))
	if err != nil {
		t.Fatal(err)
	}
	if ev, err := w.Next(t.Context()); err != nil || ev.Revision != rev || string(ev.Records[0].Value) != "2" {
		t.Errorf("event %+v, %v", ev, err)
	}
}

// TestSharedSync holds one sync while others queue up: they share the next one.
func TestSharedSync(t *testing.T) {
	s := reopen(t, filepath.Join(t.TempDir(), "iam.db"))
	var syncs atomic.Int32
	held, release := make(chan struct{}), make(chan struct{})
	s.sync = func(tx *bbolt.Tx) error {
		if syncs.Add(1) == 1 {
			close(held)
			<-release
		}
		return tx.Commit()
	}
	var wg sync.WaitGroup
	start := func(name string) {
		wg.Go(func() {
			if _, err := s.Commit(t.Context(), put(name, "", 0)); err != nil {
				t.Error(err)
			}
		})
	}
	start("first")
	<-held
	const others = 20
	for i := range others {
		start(fmt.Sprint(i))
	}
	for queued := 0; queued < others; {
		s.mu.Lock()
		queued = len(s.queue)
		s.mu.Unlock()
	}
	close(release)
	wg.Wait()
	if n := syncs.Load(); n != 2 {
		t.Errorf("%d syncs for %d commits, want 2", n, others+1)
	}
}

func BenchmarkCommit(b *testing.B) {
	s := reopen(b, filepath.Join(b.TempDir(), "iam.db"))
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Commit(b.Context(), put(fmt.Sprint(n.Add(1)), "value", 0)); err != nil {
				b.Error(err)
			}
		}
	})
}
