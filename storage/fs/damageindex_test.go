package fs_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

const rottenObjects = 60

// smallDisk is a disk so small that the index takes little memory, and opens fast.
func smallDisk() *vfs.MemFS {
	disk := vfs.NewMem()
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 30 << 20, TotalBytes: 32 << 20})
	return disk
}

// rottenStore is a closed store of small objects, on a disk in memory.
func rottenStore(t *testing.T) *vfs.MemFS {
	t.Helper()
	disk := smallDisk()
	for life := range 2 {
		s := openStore(t, fs.Options{Dir: "data", FS: disk})
		if life == 0 {
			mustBucket(t, s, "b", storage.VersioningUnset)
		}
		for i := life; i < rottenObjects; i += 2 {
			mustPut(t, s, "b", fmt.Sprintf("k%03d", i), bytesOf(byte(i), 100+i*30))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

// rot flips one bit of a file in a copy of a disk.
func rot(t *testing.T, disk *vfs.MemFS, name string, at int, bit byte) *vfs.MemFS {
	t.Helper()
	bad := smallDisk()
	if _, err := vfs.Clone(disk, bad, "data", "data"); err != nil {
		t.Fatal(err)
	}
	f, err := bad.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], int64(at)); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << bit
	if _, err := f.WriteAt(b[:], int64(at)); err != nil {
		t.Fatal(err)
	}
	return bad
}

// TestRottenIndexFiles flips a bit in each byte of the end of every kind of file of the
// index (footers, indexes, properties), and of some before: the check names the file,
// and reading gives what was stored, or an error that says damaged and is counted.
func TestRottenIndexFiles(t *testing.T) {
	disk := rottenStore(t)
	names, err := disk.List("data/index")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	slices.Sort(names)
	for _, name := range slices.Backward(names) { // the newest manifest is the one in use
		kind, _, _ := strings.Cut(name, "-")
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			kind = name[i:]
		}
		if kind != ".sst" && kind != ".blob" && kind != "MANIFEST" || strings.HasPrefix(name, "marker") || tried[kind] > 0 {
			continue
		}
		full := "data/index/" + name
		info, err := disk.Stat(full)
		if err != nil {
			t.Fatal(err)
		}
		size := int(info.Size())
		for at := 0; at < size; at++ {
			if at < size-60 && at%(size/12+1) != 0 && os.Getenv("OBJSRV_TEST_LONG") == "" {
				continue
			}
			tried[kind]++
			what := fmt.Sprintf("%s at %d of %d", name, at, size)
			bad := rot(t, disk, full, at, byte(at%8))
			named := false
			if _, err := fs.Check(ctx, fs.Options{Dir: "data", FS: bad, CacheSize: 1 << 20}, func(p fs.Problem) { named = named || p.Kind == "index" }); err != nil {
				t.Fatalf("%s: check: %v", what, err)
			}
			if !named {
				t.Errorf("%s: the check finds nothing", what)
			}
			rottenReads(t, what, bad)
		}
	}
	if tried[".sst"] < 60 || tried[".blob"] < 60 || tried["MANIFEST"] < 60 {
		t.Errorf("places that were damaged: %v", tried)
	}
}

// rottenReads reads everything of a store whose index is damaged somewhere.
func rottenReads(t *testing.T, what string, disk vfs.FS) {
	t.Helper()
	var damage atomic.Int64
	s, err := fs.Open(fs.Options{Dir: "data", FS: disk, CacheSize: 1 << 20, OnDamage: func(error) { damage.Add(1) }})
	if err != nil {
		return // it says so, and names --rebuild-index
	}
	defer s.Close()
	failed := 0 // each failure costs Pebble a search for the bit, so not all are read
	for i := 0; i < rottenObjects; i += 6 {
		got, err := read(s, "b", fmt.Sprintf("k%03d", i), "")
		switch {
		case errors.Is(err, storage.ErrDamaged):
			failed++
		case err != nil:
			t.Errorf("%s: object %d: %v", what, i, err)
		case string(got) != string(bytesOf(byte(i), 100+i*30)):
			t.Errorf("%s: object %d has wrong bytes", what, i)
		}
	}
	page, err := s.ListObjects(ctx, storage.ListInput{Bucket: "b", Limit: 1000})
	if errors.Is(err, storage.ErrDamaged) {
		failed++
	} else if err != nil || len(page.Objects) != rottenObjects {
		t.Errorf("%s: list: %v", what, err)
	}
	if failed > 0 && damage.Load() == 0 {
		t.Errorf("%s: %d errors, and no damage is counted", what, failed)
	}
}

// TestRottenLog flips bits in the log that a killed store leaves, in its last block too:
// what was acknowledged before the last write is there, or the store refuses to open.
func TestRottenLog(t *testing.T) {
	disk := vfs.NewMem()
	s := openStore(t, fs.Options{Dir: "data", FS: disk})
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range rottenObjects {
		mustPut(t, s, "b", fmt.Sprintf("k%03d", i), bytesOf(byte(i), 100+i*30))
	}
	killed := vfs.NewMem()
	if _, err := vfs.Clone(disk, killed, "data", "data"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := killed.List("data/index")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		info, err := killed.Stat("data/index/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < int(info.Size())-2*(100+rottenObjects*30); at += 997 {
			what := fmt.Sprintf("%s at %d of %d", name, at, info.Size())
			bad := rot(t, killed, "data/index/"+name, at, byte(at%8))
			if _, err := fs.Open(fs.Options{Dir: "data", FS: bad}); !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("%s: Open: %v", what, err)
				continue
			}
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("refused %d times", refused)
	}
	rottenReads(t, "an unharmed log", killed)
}
