package fs_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
	"github.com/objsrv/objsrv/storage/storagetest"
)

// inlineLimits are what random programs are run with: the usual one, one that keeps
// nearly everything in files, and one that keeps half of the programs' contents there.
var inlineLimits = map[string]int{"usual": 0, "files": 1, "mixed": 4096}

// TestModel runs random programs on the store and on the reference model.
func TestModel(t *testing.T) {
	for name, inline := range inlineLimits {
		t.Run(name, func(t *testing.T) {
			disks := map[storage.Backend]vfs.FS{}
			open := func(t *testing.T, disk vfs.FS) storage.Backend {
				s := openStore(t, fs.Options{Dir: "data", FS: disk, InlineLimit: inline})
				disks[s] = disk
				return s
			}
			storagetest.Programs(t, storagetest.ProgramOptions{
				Open: func(t *testing.T) storage.Backend { return open(t, vfs.NewMem()) },
				Reopen: func(t *testing.T, b storage.Backend) storage.Backend {
					if err := b.Close(); err != nil {
						t.Fatalf("Close: %v", err)
					}
					return open(t, disks[b])
				},
			})
		})
	}
}

// TestPowerCuts runs random programs with power cuts in them.
func TestPowerCuts(t *testing.T) {
	for name, inline := range inlineLimits {
		for _, kept := range []int{0, 50} {
			t.Run(name+map[int]string{0: "-unsynced-lost", 50: "-unsynced-torn"}[kept], func(t *testing.T) {
				storagetest.Crashes(t, func(t *testing.T) storagetest.Machine {
					m := &machine{t: t, inline: inline, kept: kept, disk: vfs.NewCrashableMem(), rnd: rand.New(rand.NewPCG(1, uint64(kept)))}
					m.mkdir()
					return m
				}, storagetest.ProgramOptions{})
			})
		}
	}
}

// machine is a storagetest.Machine with a disk in memory that knows what was synced.
type machine struct {
	t      *testing.T
	inline int
	kept   int // percentage of blocks and directory entries that survive unsynced

	mu   sync.Mutex // guards what follows; the store's goroutines write to the disk
	rnd  *rand.Rand
	disk *vfs.MemFS
	left int        // operations on the disk until the cut; 0 for no cut
	cut  *vfs.MemFS // what the cut has left, or nil
}

// mkdir makes the store's directory, as who installs a server does.
func (m *machine) mkdir() {
	err := m.disk.MkdirAll("data", 0o700)
	if err == nil {
		var root vfs.File
		if root, err = m.disk.OpenDir(""); err == nil {
			err = root.Sync()
		}
	}
	if err != nil {
		m.t.Fatalf("make directory: %v", err)
	}
}

// Open implements storagetest.Machine.
func (m *machine) Open() (storage.Backend, error) {
	m.mu.Lock()
	disk := m.disk
	m.mu.Unlock()
	watched := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			m.operation(disk)
		}
		return nil
	}))
	return openStore(m.t, fs.Options{Dir: "data", FS: watched, InlineLimit: m.inline}), nil
}

// operation counts one operation that is about to change a disk.
func (m *machine) operation(disk *vfs.MemFS) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if disk != m.disk || m.left == 0 {
		return
	}
	if m.left--; m.left == 0 {
		m.take()
	}
}

// take keeps what a power cut would leave. The caller holds the lock.
func (m *machine) take() {
	m.cut = m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: m.kept, RNG: m.rnd})
}

// Cut implements storagetest.Machine.
func (m *machine) Cut(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut, m.left = nil, n
	if n == 0 {
		m.take()
	}
}

// Happened implements storagetest.Machine.
func (m *machine) Happened() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut != nil
}

// Restart implements storagetest.Machine.
func (m *machine) Restart(b storage.Backend) (storage.Backend, error) {
	m.mu.Lock()
	m.disk, m.cut, m.left = m.cut, nil, 0
	m.mu.Unlock()
	_ = b.Close() // it goes on with the disk of before, which nobody looks at any more
	return m.Open()
}

// TestClock has the clock jump.
func TestClock(t *testing.T) {
	storagetest.Clock(t, func(t *testing.T, now func() time.Time) storage.Backend {
		s := openStore(t, fs.Options{Dir: "data", FS: vfs.NewMem(), Now: now})
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

// TestCalendar checks the notes of the days on which keys changed.
func TestCalendar(t *testing.T) {
	storagetest.Calendar(t, func(t *testing.T, now func() time.Time) storage.Backend {
		s := openStore(t, fs.Options{Dir: "data", FS: vfs.NewMem(), Now: now})
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

// TestCalendarKept: notes are there when the store is opened again, and not in a bucket of the same name that comes later.
func TestCalendarKept(t *testing.T) {
	ctx, mem := t.Context(), vfs.NewMem()
	open := func() *fs.Store { return openStore(t, fs.Options{Dir: "data", FS: mem}) }
	s := open()
	notes := func() int {
		list, _, err := s.Notes(ctx, storage.NotesInput{Bucket: "b", From: -1 << 40, To: 1 << 40, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	ruled := storage.Bucket{Name: "b", Docs: map[string][]byte{storage.DocLifecycle: []byte("x")}}
	if err := s.CreateBucket(ctx, ruled); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutObject(ctx, storage.PutInput{Bucket: "b", Key: "k", Body: strings.NewReader("x"), Size: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	if notes() != 1 {
		t.Error("the note is gone")
	}
	if _, err := s.DeleteObjects(ctx, "b", []storage.DeleteInput{{Key: "k"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteBucket(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateBucket(ctx, ruled); err != nil || notes() != 0 {
		t.Errorf("%v, %d notes", err, notes())
	}
	if _, err := s.Check(ctx, func(p fs.Problem) { t.Errorf("%+v", p) }); err != nil {
		t.Error(err)
	}
}
