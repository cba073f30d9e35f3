package migrate_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
	"github.com/objsrv/objsrv/storage/migrate"
)

// openFS opens a store in memory, which must find no damage.
func openFS(t testing.TB, mem *vfs.MemFS) *fs.Store {
	t.Helper()
	s, err := fs.Open(fs.Options{Dir: "data", FS: mem, OnDamage: func(err error) { t.Errorf("damage: %v", err) }, OnError: func(err error) { t.Errorf("background: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// source is a store that is left. down makes it unreachable; gate, when it is set, is asked before each content is opened.
type source struct {
	*fs.Store
	down   atomic.Bool
	asked  atomic.Int64
	docs   map[string]string // "bucket/name"
	gate   func(ref storage.Ref) error
	noPart bool
}

func (s *source) up() error {
	s.asked.Add(1)
	if s.down.Load() {
		return fmt.Errorf("source: %w", storage.ErrUnavailable)
	}
	return nil
}

func (s *source) Bucket(ctx context.Context, name string) (*storage.Bucket, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Bucket(ctx, name)
}

func (s *source) ListBuckets(ctx context.Context, prefix, after string, limit int) ([]*storage.Bucket, bool, error) {
	if err := s.up(); err != nil {
		return nil, false, err
	}
	return s.Store.ListBuckets(ctx, prefix, after, limit)
}

func (s *source) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	if err := s.up(); err != nil {
		return nil, nil, err
	}
	if s.gate != nil {
		if err := s.gate(ref); err != nil {
			return nil, nil, err
		}
	}
	return s.Store.GetObject(ctx, ref)
}

func (s *source) OpenPart(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	return s.GetObject(ctx, ref)
}

func (s *source) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.StatObject(ctx, ref)
}

func (s *source) Parts(ctx context.Context, ref storage.Ref) ([]storage.Part, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	if s.noPart {
		return nil, storage.ErrNotSupported
	}
	return s.Store.Parts(ctx, ref)
}

func (s *source) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.ListObjects(ctx, in)
}

func (s *source) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.ListVersions(ctx, in)
}

func (s *source) Document(_ context.Context, bucket, name string) ([]byte, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	if d, ok := s.docs[bucket+"/"+name]; ok {
		return []byte(d), nil
	}
	return nil, nil
}

// settings notes what is applied.
type settings struct{ applied []string }

func (s *settings) Apply(_ context.Context, bucket, file string, document []byte) error {
	if file == "lifecycle.xml" {
		return errors.New("NotImplemented: lifecycle")
	}
	s.applied = append(s.applied, bucket+"/"+file+"="+string(document))
	return nil
}

// world is a source and the store that takes its place.
type world struct {
	t       testing.TB
	ctx     context.Context
	old     *source
	oldMem  *vfs.MemFS
	mem     *vfs.MemFS
	store   *migrate.Store
	local   *fs.Store
	applied settings
	rate    int64
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, ctx: context.Background(), oldMem: vfs.NewMem(), mem: vfs.NewMem()}
	w.old = &source{Store: openFS(t, w.oldMem), docs: map[string]string{}}
	return w
}

// open opens the migration without copying.
func (w *world) open() *migrate.Store {
	w.t.Helper()
	w.local = openFS(w.t, w.mem)
	s, err := migrate.Open(w.ctx, migrate.Options{
		Local: w.local, Source: keepOpen{w.old}, URL: "http://old", Workers: 3, Rate: w.rate,
		Report: func(m string, err error) { w.t.Log("report:", m, err) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = s
	return s
}

// keepOpen leaves the source open for the next store.
type keepOpen struct{ *source }

func (keepOpen) Close() error { return nil }

func (w *world) close() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

// eventually waits for a condition.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s; %+v", what, w.store.Status())
		}
	}
}

// finish copies everything.
func (w *world) finish() {
	w.t.Helper()
	w.store.Start(&w.applied)
	w.eventually("the copier ends", func() bool { return !w.store.Status().Copying })
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) bucket(b storage.Backend, name string, v storage.Versioning) {
	w.t.Helper()
	if err := b.CreateBucket(w.ctx, storage.Bucket{Name: name, Versioning: v}); err != nil {
		w.t.Fatal(err)
	}
}

type putter interface {
	PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error)
}

func digest(body string) func() storage.Digest {
	return func() storage.Digest {
		sum := md5.Sum([]byte(body))
		return storage.Digest{ETag: hex.EncodeToString(sum[:])}
	}
}

func (w *world) put(b putter, bucket, key, body string) *storage.Object {
	w.t.Helper()
	return must[*storage.Object](w.t)(b.PutObject(w.ctx, storage.PutInput{
		Bucket: bucket, Key: key, Body: strings.NewReader(body), Size: int64(len(body)), Digest: digest(body),
		Meta: storage.Meta{Attrs: []storage.Attr{{Name: "content-type", Value: "text/x"}, {Name: "x-amz-meta-k", Value: key}}, Tags: []storage.Tag{{Key: "tag", Value: body[:min(len(body), 9)]}}},
	}))
}

func (w *world) del(b storage.Objects, bucket, key, version string) storage.DeleteResult {
	w.t.Helper()
	res, err := b.DeleteObjects(w.ctx, bucket, []storage.DeleteInput{{Key: key, Version: version}})
	if err != nil || res[0].Err != nil {
		w.t.Fatalf("delete %s: %v, %+v", key, err, res)
	}
	return res[0]
}

// multipart uploads an object of parts.
func (w *world) multipart(b storage.Uploads, bucket, key string, parts ...string) *storage.Object {
	w.t.Helper()
	u := must[*storage.Upload](w.t)(b.CreateUpload(w.ctx, storage.UploadInput{Bucket: bucket, Key: key}))
	all := md5.New()
	in := storage.CompleteInput{Upload: u.UploadRef, Digest: func(*storage.Upload, []storage.Part) (storage.Digest, error) {
		return storage.Digest{ETag: fmt.Sprintf("%x-%d", all.Sum(nil), len(parts))}, nil
	}}
	for i, p := range parts {
		part := must[*storage.Part](w.t)(b.PutPart(w.ctx, storage.PartInput{Upload: u.UploadRef, Number: i + 1, Body: strings.NewReader(p), Size: int64(len(p)), Digest: digest(p)}))
		sum := md5.Sum([]byte(p))
		all.Write(sum[:])
		in.Parts = append(in.Parts, storage.CompletePart{Number: part.Number, ETag: part.ETag})
	}
	return must[*storage.Object](w.t)(b.CompleteUpload(w.ctx, in))
}

// get reads an object, "!" and the kind of error when it can't be.
func (w *world) get(b storage.Objects, bucket, key, version string) string {
	w.t.Helper()
	o, c, err := b.GetObject(w.ctx, storage.Ref{Bucket: bucket, Key: key, Version: version})
	if err != nil {
		for name, e := range map[string]error{"key": storage.ErrNoSuchKey, "version": storage.ErrNoSuchVersion, "marker": storage.ErrMarker, "down": storage.ErrUnavailable} {
			if errors.Is(err, e) {
				return "!" + name
			}
		}
		w.t.Fatalf("get %s/%s %s: %v", bucket, key, version, err)
	}
	defer c.Close()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, c.Range(0, o.Size)); err != nil {
		w.t.Fatalf("read %s/%s %s: %v", bucket, key, version, err)
	}
	return buf.String()
}

// dump lists all versions by pages of a size, in one line each.
func (w *world) dump(b storage.Lister, in storage.ListInput) (out []string) {
	w.t.Helper()
	for {
		p := must[*storage.ListPage](w.t)(b.ListVersions(w.ctx, in))
		n := len(p.Objects) + len(p.Prefixes)
		if n > in.Limit {
			w.t.Fatalf("%d entries in a page of %d", n, in.Limit)
		}
		i := 0
		for _, o := range p.Objects {
			for ; i < len(p.Prefixes) && p.Prefixes[i] < o.Key; i++ {
				out = append(out, p.Prefixes[i])
			}
			out = append(out, fmt.Sprintf("%s %s latest=%t marker=%t %d %s %s", o.Key, o.VersionID, o.Latest, o.DeleteMarker, o.Size, o.ETag, o.Modified.Format(time.RFC3339Nano)))
		}
		out = append(out, p.Prefixes[i:]...)
		if !p.Truncated {
			return out
		}
		in.After, in.AfterID = p.NextAfter, p.NextID
	}
}

// keys lists current keys and common prefixes by pages of a size.
func (w *world) keys(b storage.Lister, in storage.ListInput) (out []string) {
	w.t.Helper()
	for {
		p := must[*storage.ListPage](w.t)(b.ListObjects(w.ctx, in))
		i := 0
		for _, o := range p.Objects {
			for ; i < len(p.Prefixes) && p.Prefixes[i] < o.Key; i++ {
				out = append(out, p.Prefixes[i])
			}
			out = append(out, o.Key)
		}
		out = append(out, p.Prefixes[i:]...)
		if !p.Truncated {
			return out
		}
		if len(p.Objects)+len(p.Prefixes) != in.Limit {
			w.t.Fatalf("a page of %d where %d are wanted and there are more", len(p.Objects)+len(p.Prefixes), in.Limit)
		}
		in.After = p.NextAfter
	}
}
