package fs_test

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// operations are what a client can do; before makes what the operation needs.
var operations = []struct {
	name   string
	before func(t *testing.T, s *fs.Store)
	do     func(s *fs.Store) error
	// done tells whether the operation has taken place.
	done func(s *fs.Store) bool
}{
	{"CreateBucket", nil,
		func(s *fs.Store) error { return s.CreateBucket(ctx, storage.Bucket{Name: "new"}) },
		func(s *fs.Store) bool { _, err := s.Bucket(ctx, "new"); return err == nil }},
	{"UpdateBucket", nil,
		func(s *fs.Store) error {
			return s.UpdateBucket(ctx, "b", func(b *storage.Bucket) error { b.Owner = "changed"; return nil })
		},
		func(s *fs.Store) bool { b, err := s.Bucket(ctx, "b"); return err == nil && b.Owner == "changed" }},
	{"put inline", nil, put("k", 1000), has("k", 1000)},
	{"put blob", nil, put("k", 200_000), has("k", 200_000)},
	{"overwrite blob", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", bytesOf(9, 100_000)) }, put("k", 200_000), has("k", 200_000)},
	{"delete", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", bytesOf(9, 100_000)) },
		func(s *fs.Store) error {
			res, err := s.DeleteObjects(ctx, "b", []storage.DeleteInput{{Key: "k"}})
			if err == nil {
				err = res[0].Err
			}
			return err
		},
		func(s *fs.Store) bool {
			_, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k"})
			return isOneOf(err, storage.ErrNoSuchKey)
		}},
	{"copy blob", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "src", bytesOf(1, 100_000)) },
		func(s *fs.Store) error {
			_, err := s.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: "b", Key: "src"}, Bucket: "b", Key: "k"})
			return err
		}, has("k", 100_000)},
	{"rename inline", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "src", bytesOf(1, 1000)) }, rename, renamed(1000)},
	{"rename blob", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "src", bytesOf(1, 100_000)) }, rename, renamed(100_000)},
	{"rename over blob", func(t *testing.T, s *fs.Store) {
		mustPut(t, s, "b", "src", bytesOf(1, 100_000))
		mustPut(t, s, "b", "k", bytesOf(9, 90_000))
	}, rename, renamed(100_000)},
	{"append inline", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", bytesOf(1, 1000)) }, grow(1000, 500), has("k", 1500)},
	{"append beyond inline", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", bytesOf(1, 1000)) }, grow(1000, 100_000), has("k", 101_000)},
	{"append blob", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", bytesOf(1, 100_000)) }, grow(100_000, 100_000), has("k", 200_000)},
	{"append to small tail", func(t *testing.T, s *fs.Store) {
		mustPut(t, s, "b", "k", bytesOf(1, 100_000))
		if err := grow(100_000, 500)(s); err != nil {
			t.Fatal(err)
		}
	}, grow(100_500, 500), has("k", 101_000)},
	{"rename a version", func(t *testing.T, s *fs.Store) {
		alter(t, s, func(b *storage.Bucket) { b.Versioning = storage.VersioningEnabled })
		mustPut(t, s, "b", "src", bytesOf(1, 100_000))
	}, rename, renamed(100_000)},
	{"SetProps", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", nil) },
		func(s *fs.Store) error {
			_, err := s.SetProps(ctx, storage.Ref{Bucket: "b", Key: "k"}, func(*storage.Object) (map[string]string, error) {
				return map[string]string{storage.PropLegalHold: "ON"}, nil
			})
			return err
		},
		func(s *fs.Store) bool {
			o, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k"})
			return err == nil && o.Props[storage.PropLegalHold] == "ON"
		}},
	{"put with its note", ruled, put("k", 100_000), func(s *fs.Store) bool { return noted(s, "k") && has("k", 100_000)(s) }},
	{"AddNotes", ruled,
		func(s *fs.Store) error {
			return s.AddNotes(ctx, "b", []storage.Note{{Day: 1, Key: "k"}, {Late: true, Day: 2, Key: "k"}})
		},
		func(s *fs.Store) bool { return noted(s, "k") }},
	{"complete", nil,
		func(s *fs.Store) error {
			u, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: "b", Key: "k"})
			if err != nil {
				return err
			}
			content := bytesOf(1, 100_000)
			in := putInput("b", "k", content)
			p, err := s.PutPart(ctx, storage.PartInput{Upload: u.UploadRef, Number: 1, Body: in.Body, Size: in.Size, Digest: in.Digest})
			if err != nil {
				return err
			}
			_, err = s.CompleteUpload(ctx, storage.CompleteInput{
				Upload: u.UploadRef, Parts: []storage.CompletePart{{Number: 1, ETag: p.ETag}},
				Digest: func(*storage.Upload, []storage.Part) (storage.Digest, error) { return in.Digest(), nil },
			})
			return err
		}, has("k", 100_000)},
	{"SetTags", func(t *testing.T, s *fs.Store) { mustPut(t, s, "b", "k", nil) },
		func(s *fs.Store) error {
			_, err := s.SetTags(ctx, storage.Ref{Bucket: "b", Key: "k"}, []storage.Tag{{Key: "a", Value: "b"}})
			return err
		},
		func(s *fs.Store) bool {
			o, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k"})
			return err == nil && len(o.Tags) == 1
		}},
}

func alter(t *testing.T, s *fs.Store, f func(*storage.Bucket)) {
	t.Helper()
	if err := s.UpdateBucket(ctx, "b", func(b *storage.Bucket) error { f(b); return nil }); err != nil {
		t.Fatal(err)
	}
}

// ruled gives the bucket rules, so that its changes are noted.
func ruled(t *testing.T, s *fs.Store) {
	alter(t, s, func(b *storage.Bucket) { b.Docs = map[string][]byte{storage.DocLifecycle: []byte("x")} })
}

// noted tells whether there is a note of a key, on whatever day.
func noted(s *fs.Store, key string) bool {
	list, _, err := s.Notes(ctx, storage.NotesInput{Bucket: "b", From: 0, To: 1 << 40, Limit: 1000})
	return err == nil && slices.ContainsFunc(list, func(n storage.Note) bool { return n.Key == key })
}

func put(key string, n int) func(*fs.Store) error {
	return func(s *fs.Store) error {
		_, err := s.PutObject(ctx, putInput("b", key, bytesOf(1, n)))
		return err
	}
}

// grow appends, so that the object has the bytes of one that was put whole.
func grow(from, n int) func(*fs.Store) error {
	return func(s *fs.Store) error {
		added := putInput("b", "k", bytesOf(1, from+n)[from:])
		_, err := s.AppendObject(ctx, storage.AppendInput{Bucket: "b", Key: "k", Offset: int64(from), Body: added.Body, Size: added.Size, Digest: added.Digest, MaxParts: 10,
			Whole: func(*storage.Object, storage.Part) (storage.Digest, error) { return storage.Digest{ETag: "grown"}, nil }})
		return err
	}
}

func rename(s *fs.Store) error {
	_, _, err := s.RenameObject(ctx, storage.RenameInput{Bucket: "b", Source: "src", Key: "k"})
	return err
}

// renamed tells whether the new name has the content and the old one is gone. Both, or neither, in an operation that
// has been cut off, is what mustBeSound can't see.
func renamed(n int) func(*fs.Store) bool {
	return func(s *fs.Store) bool {
		_, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "src"})
		return isOneOf(err, storage.ErrNoSuchKey) && has("k", n)(s)
	}
}

func has(key string, n int) func(*fs.Store) bool {
	return func(s *fs.Store) bool {
		got, err := read(s, "b", key, "")
		return err == nil && string(got) == string(bytesOf(1, n))
	}
}

// prepare opens a store on a disk, with what the operation needs and something that
// must stay.
func prepare(t *testing.T, d *disk, before func(*testing.T, *fs.Store)) *fs.Store {
	t.Helper()
	s, err := fs.Open(fs.Options{FS: d.fs(), Dir: "data", CacheSize: 1 << 20})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	mustBucket(t, s, "b", storage.VersioningUnset)
	mustPut(t, s, "b", "stays", bytesOf(7, 50_000))
	mustMultipart(t, s, "b", "stays too", bytesOf(5, 70_000), bytesOf(6, 10))
	if before != nil {
		before(t, s)
	}
	// A fault is for the operation, not for the work behind what was before. The log may hold the end of that work back until
	// something is synced.
	eventually(t, s, "what is left over is removed", func() bool { return s.Stats().BlobsReclaim == 0 })
	mustPut(t, s, "b", "synced", bytesOf(3, 10))
	return s
}

// recovered opens what a fault has left and checks it.
func recovered(t *testing.T, left vfs.FS) *fs.Store {
	t.Helper()
	s := openStore(t, fs.Options{FS: left, Dir: "data", CacheSize: 1 << 20})
	mustBeSound(t, s)
	mustRead(t, s, "b", "stays", "", bytesOf(7, 50_000))
	mustRead(t, s, "b", "stays too", "", append(bytesOf(5, 70_000), bytesOf(6, 10)...))
	return s
}

// TestPowerCutAfterEachOperation cuts the power right after an operation has been
// acknowledged, without any other traffic.
func TestPowerCutAfterEachOperation(t *testing.T) {
	for _, op := range operations {
		for round := range 5 {
			d := newDisk(uint64(round))
			s := prepare(t, d, op.before)
			if err := op.do(s); err != nil {
				t.Fatalf("%s: %v", op.name, err)
			}
			left := d.cut()
			r := recovered(t, left)
			if !op.done(r) {
				t.Errorf("%s was acknowledged and is lost", op.name)
			}
			_, _ = r.Close(), s.Close()
		}
	}
}

// TestPowerCutAtEachStep cuts the power at the 1st, 2nd, ... change of the disk by each
// operation: afterwards it has taken place or not, nothing else is touched, and nothing
// is left over.
func TestPowerCutAtEachStep(t *testing.T) {
	for _, op := range operations {
		steps := 0
		for n := 1; ; n++ {
			d := newDisk(uint64(n))
			s := prepare(t, d, op.before)
			var left *vfs.MemFS
			d.arm(n, func() error { left = d.cut(); return nil })
			if err := op.do(s); err != nil {
				t.Fatalf("%s: %v", op.name, err)
			}
			d.mu.Lock()
			cut := left
			d.armed = 0
			d.mu.Unlock()
			_ = s.Close()
			if cut == nil {
				break
			}
			steps++
			r := recovered(t, cut)
			eventually(t, r, "files without a commit are removed", func() bool { return r.Stats().BlobsReclaim == 0 })
			mustBeSound(t, r)
			_ = r.Close()
		}
		t.Logf("%s: %d steps", op.name, steps)
	}
}

// TestPowerCutDuringRecovery cuts the power while the store recovers from a cut.
func TestPowerCutDuringRecovery(t *testing.T) {
	d := newDisk(1)
	s := prepare(t, d, nil)
	for i := range 20 {
		mustPut(t, s, "b", fmt.Sprint("k", i), bytesOf(byte(i), 3000*i))
	}
	d.mem = d.cut()
	_ = s.Close()
	for n := 1; n < 40; n++ {
		var left *vfs.MemFS
		d.arm(n, func() error { left = d.cut(); return nil })
		r, err := fs.Open(fs.Options{FS: d.fs(), Dir: "data", CacheSize: 1 << 20})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		_ = r.Close()
		d.mu.Lock()
		d.armed = 0
		if left != nil {
			d.mem = left
		}
		d.mu.Unlock()
		r = recovered(t, d.mem)
		for i := range 20 {
			mustRead(t, r, "b", fmt.Sprint("k", i), "", bytesOf(byte(i), 3000*i))
		}
		_ = r.Close()
	}
}

// TestKillThenPowerCut: what a store that was killed has made, or who made its directory, and had no time to make durable, must not
// take away in a power cut what the next one has acknowledged.
func TestKillThenPowerCut(t *testing.T) {
	opened := func(mem *vfs.MemFS) *fs.Store {
		t.Helper()
		s, err := fs.Open(fs.Options{FS: mem, Dir: "/top/data", CacheSize: 1 << 20, Known: []string{"identities"}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, row := range []struct {
		dir  string
		made bool // the store was there before
	}{{"/top", false}, {"/top/data", false}, {"/top/data/identities", false}, {"/top/data/blobs", false}, {"/top/data/blobs/0", true}} {
		mem := vfs.NewCrashableMem()
		if row.made {
			s := opened(mem)
			if err := s.CreateBucket(ctx, storage.Bucket{Name: "b"}); err != nil || s.Close() != nil {
				t.Fatal(err)
			}
		}
		if row.dir == "/top/data/blobs" { // killed while the store is made
			if err := mem.MkdirAll("/top/data", 0o700); err != nil {
				t.Fatal(err)
			}
			f, err := mem.Create("/top/data/format.json", vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(`{"format":1,"deployment":"0123456789abcdef0123456789abcdef","state":"creating"}`)); err != nil || f.Close() != nil {
				t.Fatal(err)
			}
		}
		if err := mem.MkdirAll(row.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s := opened(mem)
		if !row.made {
			if err := s.CreateBucket(ctx, storage.Bucket{Name: "b"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := put("k", 100_000)(s); err != nil {
			t.Fatal(err)
		}
		r := opened(mem.CrashClone(vfs.CrashCloneCfg{}))
		if !has("k", 100_000)(r) {
			t.Errorf("with %s from before: an object that was acknowledged is lost", row.dir)
		}
		_, _ = r.Close(), s.Close()
	}
}

// fixedRoot is a file system whose root can't be synced, as that of an image that can't be written.
type fixedRoot struct{ vfs.FS }

func (f fixedRoot) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil || name != "/" {
		return d, err
	}
	return fixedDir{d}, nil
}

type fixedDir struct{ vfs.File }

func (fixedDir) Sync() error { return &os.PathError{Op: "sync", Path: "/", Err: syscall.EINVAL} }

// TestFixedRoot: a volume in a system whose root is an image is a place for a store like any other.
func TestFixedRoot(t *testing.T) {
	s, err := fs.Open(fs.Options{FS: fixedRoot{vfs.NewMem()}, Dir: "/volume/data", CacheSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
