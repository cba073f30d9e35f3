package fs_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// TestEachCallFails lets the 1st, 2nd, ... change of the disk by each operation fail,
// once or from then on: the operation fails or succeeds, and after a restart the
// store holds what that says.
func TestEachCallFails(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC} {
		for _, forever := range []bool{false, true} {
			if testing.Short() && (forever || fault == syscall.ENOSPC) {
				continue // the long run has all four
			}
			for _, op := range operations {
				t.Run(fmt.Sprintf("%v/forever=%t/%s", fault, forever, op.name), func(t *testing.T) {
					for n := 1; failAt(t, n, fault, forever, op.before, op.do, op.done); n++ {
						if n > 100 {
							t.Fatal("operation does not end")
						}
					}
				})
			}
		}
	}
}

// failAt tells whether the operation has got as far as the n-th call.
func failAt(t *testing.T, n int, fault error, forever bool, before func(*testing.T, *fs.Store), do func(*fs.Store) error, done func(*fs.Store) bool) bool {
	t.Helper()
	d := newDisk(uint64(n))
	s := prepare(t, d, before)
	reached := false
	var fail func() error
	fail = func() error {
		reached = true
		if forever {
			d.armed = 1
		}
		return fault
	}
	d.arm(n, fail)
	err := do(s)
	d.arm(0, nil)
	switch {
	case err == nil, isOneOf(err, storage.ErrUnavailable):
	case fault == syscall.ENOSPC && !isOneOf(err, storage.ErrFull):
		t.Errorf("call %d: a full disk gave %v", n, err)
	default:
		if done(s) {
			t.Errorf("call %d: failed (%v) but has taken place", n, err)
		}
	}
	if isOneOf(err, storage.ErrUnavailable) {
		if s.Stats().Available {
			t.Errorf("call %d: unavailable (%v), but the store says it is not", n, err)
		}
		if werr := put("other", 10)(s); !isOneOf(werr, storage.ErrUnavailable) {
			t.Errorf("call %d: a write after a failed log write gave %v", n, werr)
		}
	} else {
		mustRead(t, s, "b", "stays", "", bytesOf(7, 50_000))
		// What follows an operation that was done, such as the removal of what it has replaced, may be what meets the fault:
		// the store is shut then, and says so.
		werr := put("other", 10)(s)
		shut := err == nil && reached && isOneOf(werr, storage.ErrUnavailable) && !s.Stats().Available
		if werr != nil && !shut {
			t.Errorf("call %d: a write after the fault: %v", n, werr)
		}
	}
	_ = s.Close()
	r := recovered(t, d.mem)
	if err == nil && !done(r) {
		t.Errorf("call %d: was acknowledged and is lost", n)
	}
	if err != nil && !isOneOf(err, storage.ErrUnavailable) && done(r) {
		t.Errorf("call %d: failed (%v) but has taken place after a restart", n, err)
	}
	eventually(t, r, "what is left over is removed", func() bool { return r.Stats().BlobsReclaim == 0 })
	mustBeSound(t, r)
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return reached
}

// TestFailedLogSync lets a sync of the log fail once: nothing that was waiting for it is
// acknowledged, everything afterwards is refused, reads go on, and OnFatal is told once.
func TestFailedLogSync(t *testing.T) {
	d := newDisk(1)
	fatal := 0
	s, err := fs.Open(fs.Options{FS: d.fs(), Dir: "data", OnFatal: func(error) { fatal++ }})
	if err != nil {
		t.Fatal(err)
	}
	mustBucket(t, s, "b", storage.VersioningUnset)
	mustPut(t, s, "b", "old", []byte("old"))
	d.arm(2, func() error { return syscall.EIO }) // a write, then the sync
	if err := put("new", 10)(s); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("put with a failing log: %v", err)
	}
	for range 3 {
		if err := put("newer", 10)(s); !errors.Is(err, storage.ErrUnavailable) {
			t.Fatalf("put after a failed log: %v", err)
		}
	}
	mustRead(t, s, "b", "old", "", []byte("old"))
	if fatal != 1 {
		t.Errorf("OnFatal was called %d times", fatal)
	}
	if err := s.Close(); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Close after a failed log: %v", err)
	}
	r := openStore(t, fs.Options{FS: d.mem.CrashClone(vfs.CrashCloneCfg{}), Dir: "data"})
	mustRead(t, r, "b", "old", "", []byte("old"))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestFullDisk fills a disk to the reserve: writes are refused with ErrFull and change
// nothing, reads and deletes go on, and there is room again after them.
func TestFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	usage := func(free uint64) {
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: free, TotalBytes: 1 << 30, UsedBytes: 1<<30 - free})
	}
	usage(500 << 20)
	s := openStore(t, fs.Options{FS: mem, Dir: "data"})
	mustBucket(t, s, "b", storage.VersioningUnset)
	mustPut(t, s, "b", "k", bytesOf(1, 10))
	u, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: "b", Key: "up"})
	if err != nil {
		t.Fatal(err)
	}
	usage(1 << 20)
	// How much is free is asked for now and then.
	eventually(t, s, "the full disk is noticed", func() bool { return errors.Is(put("k", 10)(s), storage.ErrFull) })
	for _, n := range []int{0, 10, 100_000} {
		if err := put("k", n)(s); !errors.Is(err, storage.ErrFull) {
			t.Errorf("put of %d bytes on a full disk: %v", n, err)
		}
	}
	in := putInput("b", "up", []byte("x"))
	if _, err := s.PutPart(ctx, storage.PartInput{Upload: u.UploadRef, Number: 1, Body: in.Body, Size: 1, Digest: in.Digest}); !errors.Is(err, storage.ErrFull) {
		t.Errorf("PutPart on a full disk: %v", err)
	}
	if err := s.CreateBucket(ctx, storage.Bucket{Name: "c"}); !errors.Is(err, storage.ErrFull) {
		t.Errorf("CreateBucket on a full disk: %v", err)
	}
	if _, err := s.SetTags(ctx, storage.Ref{Bucket: "b", Key: "k"}, nil); !errors.Is(err, storage.ErrFull) {
		t.Errorf("SetTags on a full disk: %v", err)
	}
	for name, do := range map[string]func() error{
		"append": func() error { return grow(10, 100)(s) },
		"rename": func() error {
			_, _, err := s.RenameObject(ctx, storage.RenameInput{Bucket: "b", Source: "k", Key: "renamed"})
			return err
		},
		"copy": func() error {
			_, err := s.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: "b", Key: "k"}, Bucket: "b", Key: "copy"})
			return err
		},
		"SetProps": func() error {
			_, err := s.SetProps(ctx, storage.Ref{Bucket: "b", Key: "k"}, func(*storage.Object) (map[string]string, error) { return map[string]string{"a": "b"}, nil })
			return err
		},
		"UpdateBucket": func() error {
			return s.UpdateBucket(ctx, "b", func(b *storage.Bucket) error { b.Owner = "other"; return nil })
		},
		"AddNotes":     func() error { return s.AddNotes(ctx, "b", []storage.Note{{Day: 1, Key: "k"}}) },
		"CreateUpload": func() error { _, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: "b", Key: "up"}); return err },
	} {
		if err := do(); !errors.Is(err, storage.ErrFull) {
			t.Errorf("%s on a full disk: %v", name, err)
		}
	}
	for _, key := range []string{"renamed", "copy"} {
		if _, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: key}); !errors.Is(err, storage.ErrNoSuchKey) {
			t.Errorf("%s: %v", key, err)
		}
	}
	mustRead(t, s, "b", "k", "", bytesOf(1, 10))
	if err := s.AbortUpload(ctx, storage.AbortInput{Upload: u.UploadRef}); err != nil {
		t.Errorf("AbortUpload on a full disk: %v", err)
	}
	mustDelete(t, s, "b", "k", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, fs.Options{FS: mem, Dir: "data"})
	if err := put("k", 10)(s); !errors.Is(err, storage.ErrFull) {
		t.Errorf("put on a full disk after a restart: %v", err)
	}
	usage(500 << 20)
	eventually(t, s, "the free disk is noticed", func() bool { return put("k", 10)(s) == nil })
	if err := errors.Join(grow(10, 100)(s), rename(s)); !errors.Is(err, storage.ErrNoSuchKey) { // there is no src
		t.Errorf("with room again: %v", err)
	}
	mustRead(t, s, "b", "k", "", bytesOf(1, 110))
	mustPut(t, s, "b", "k", bytesOf(2, 100_000))
	mustBeSound(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
