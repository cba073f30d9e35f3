package fs_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

var ctx = context.Background()

// bytesOf makes n bytes that are not the same in any two places or seeds.
func bytesOf(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// putInput describes a put of content.
func putInput(bucket, key string, content []byte) storage.PutInput {
	return storage.PutInput{
		Bucket: bucket, Key: key, Body: bytes.NewReader(content), Size: int64(len(content)),
		Meta:   storage.Meta{Owner: "123456789012", Attrs: []storage.Attr{{Name: "content-type", Value: "text/plain"}}},
		Digest: digest(content),
	}
}

func digest(content []byte) func() storage.Digest {
	sum := md5.Sum(content)
	return func() storage.Digest { return storage.Digest{ETag: hex.EncodeToString(sum[:])} }
}

func mustPut(t testing.TB, s storage.Backend, bucket, key string, content []byte) *storage.Object {
	t.Helper()
	o, err := s.PutObject(ctx, putInput(bucket, key, content))
	if err != nil {
		t.Fatalf("PutObject %s: %v", key, err)
	}
	return o
}

func mustBucket(t testing.TB, s storage.Backend, name string, v storage.Versioning) {
	t.Helper()
	if err := s.CreateBucket(ctx, storage.Bucket{Name: name, Owner: "123456789012", Versioning: v}); err != nil {
		t.Fatalf("CreateBucket: %v", err)
	}
}

func mustDelete(t testing.TB, s storage.Backend, bucket, key, version string) {
	t.Helper()
	res, err := s.DeleteObjects(ctx, bucket, []storage.DeleteInput{{Key: key, Version: version}})
	if err != nil || res[0].Err != nil {
		t.Fatalf("DeleteObjects %s: %v, %v", key, err, res)
	}
}

// mustMultipart makes an object of parts.
func mustMultipart(t testing.TB, s storage.Backend, bucket, key string, parts ...[]byte) *storage.Object {
	t.Helper()
	u, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: bucket, Key: key, Meta: storage.Meta{Owner: "123456789012"}})
	if err != nil {
		t.Fatalf("CreateUpload: %v", err)
	}
	in := storage.CompleteInput{Upload: u.UploadRef, Digest: func(*storage.Upload, []storage.Part) (storage.Digest, error) {
		return storage.Digest{ETag: fmt.Sprintf("%032x-%d", len(parts), len(parts))}, nil
	}}
	for i, content := range parts {
		p, err := s.PutPart(ctx, storage.PartInput{
			Upload: u.UploadRef, Number: i + 1, Body: bytes.NewReader(content), Size: -1, Digest: digest(content),
		})
		if err != nil {
			t.Fatalf("PutPart: %v", err)
		}
		in.Parts = append(in.Parts, storage.CompletePart{Number: i + 1, ETag: p.ETag})
	}
	o, err := s.CompleteUpload(ctx, in)
	if err != nil {
		t.Fatalf("CompleteUpload: %v", err)
	}
	return o
}

// read returns the content of a version.
func read(s storage.Backend, bucket, key, version string) ([]byte, error) {
	o, c, err := s.GetObject(ctx, storage.Ref{Bucket: bucket, Key: key, Version: version})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(c.Range(0, o.Size))
}

func mustRead(t testing.TB, s storage.Backend, bucket, key, version string, want []byte) {
	t.Helper()
	got, err := read(s, bucket, key, version)
	if err != nil {
		t.Fatalf("read %s %s: %v", key, version, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("read %s %s: %d bytes are not the %d that were stored", key, version, len(got), len(want))
	}
}

// check returns what an open store's check finds.
func check(t testing.TB, s *fs.Store) (list []fs.Problem, st fs.CheckStats) {
	t.Helper()
	st, err := s.Check(ctx, func(p fs.Problem) { list = append(list, p) })
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	return list, st
}

func mustBeSound(t testing.TB, s *fs.Store) {
	t.Helper()
	list, _ := check(t, s)
	for _, p := range list {
		t.Errorf("check finds: %s", p)
	}
}

// eventually waits for a condition that background work brings about.
func eventually(t testing.TB, s *fs.Store, what string, ok func() bool) {
	t.Helper()
	for range 50_000 {
		if ok() {
			return
		}
		// Each call gives the background work a turn.
		_, _ = s.Check(ctx, func(fs.Problem) {})
	}
	t.Fatalf("never: %s", what)
}

// disk is a file system in memory that can fail, and lose power.
type disk struct {
	mem *vfs.MemFS

	mu    sync.Mutex
	rng   *rand.Rand
	armed int // operations until something happens; 0 for never
	then  func() error
	ops   int
}

func newDisk(seed uint64) *disk {
	return &disk{mem: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 0))}
}

// fs is the disk as a store sees it.
func (d *disk) fs() vfs.FS { return errorfs.Wrap(d.mem, errorfs.InjectorFunc(d.inject)) }

func (d *disk) inject(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpLock {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	if d.armed == 0 {
		return nil
	}
	if d.armed--; d.armed > 0 {
		return nil
	}
	return d.then()
}

// arm has then called at the n-th changing operation from now on.
func (d *disk) arm(n int, then func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed, d.then = n, then
}

// cut is what the disk holds when the power fails now: what was synced, and a random
// share of the rest.
func (d *disk) cut() *vfs.MemFS {
	share := [...]int{0, 0, 30, 70, 100}[d.rng.IntN(5)]
	return d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: share, RNG: d.rng})
}

// isOneOf tells whether err is one of the targets.
func isOneOf(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
