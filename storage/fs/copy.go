package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// errSourceGone says that the source of a copy that shares blobs is another one by the
// time its lock is held.
var errSourceGone = errors.New("source has changed meanwhile")

// copyAttempts is how often a copy, rename or append that shares blobs starts again when its source is replaced while its
// manifest is written. Each loss is another's success, so that it bounds only how unlucky one may be among many.
const copyAttempts = 64

// source is an opened source of a copy.
type source struct {
	bk  *bucket
	ref storage.Ref
	rec *record
	c   *content
	m   *manifest // of placeManifest
}

// openSource opens the source of a copy.
func (s *Store) openSource(ref storage.Ref, etag string) (*source, error) {
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return nil, err
	}
	lock := &s.keys[stripeOf(bk.id, ref.Key)]
	lock.RLock()
	defer lock.RUnlock()
	r, _, err := s.lookup(bk, ref, true)
	if err != nil {
		return nil, err
	}
	if etag != "" && etag != r.etag {
		return nil, fmt.Errorf("source %s/%s has changed: %w", ref.Bucket, ref.Key, storage.ErrPrecondition)
	}
	src := &source{bk: bk, ref: ref, rec: r}
	src.ref.Version = versionName(r)
	if src.c, err = s.openContent(r, ref.Bucket, ref.Key); err != nil {
		return nil, err
	}
	if r.place == placeManifest {
		if src.m, err = s.manifest(r); err != nil {
			_ = src.c.Close()
			return nil, s.noteDamage(fmt.Errorf("source %s/%s: %w", ref.Bucket, ref.Key, err))
		}
	}
	return src, nil
}

// unchanged checks under the source's lock that its blobs are still referred to.
func (src *source) unchanged(s *Store) error {
	r, _, err := s.find(src.bk, src.ref, false)
	if err != nil {
		return err
	}
	if r == nil || r.marker || r.place != src.rec.place || r.loc != src.rec.loc {
		return errSourceGone
	}
	return nil
}

// CopyObject implements storage.Objects. Blobs are shared, by a manifest of the copy's
// own; inline content is copied.
func (s *Store) CopyObject(_ context.Context, in storage.CopyInput) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	for attempt := 1; ; attempt++ {
		o, err := s.copyObject(&in)
		if errors.Is(err, errSourceGone) && attempt < copyAttempts {
			continue
		}
		if errors.Is(err, errSourceGone) {
			err = fmt.Errorf("%w: %w", storage.ErrPrecondition, err)
		}
		if err != nil {
			return nil, fmt.Errorf("copy %s/%s to %s/%s: %w", in.Source.Bucket, in.Source.Key, in.Bucket, in.Key, err)
		}
		return o, nil
	}
}

func (s *Store) copyObject(in *storage.CopyInput) (*storage.Object, error) {
	src, err := s.openSource(in.Source, in.SourceETag)
	if err != nil {
		return nil, err
	}
	defer src.c.Close()
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	d := storage.Digest{ETag: in.ETag, Checksum: in.Checksum}
	if d.ETag == "" {
		d.ETag = src.rec.etag
	}
	if d.Checksum == (storage.Checksum{}) {
		d.Checksum = src.rec.checksum
	}
	p := &publication{key: in.Key, cond: &in.If, rec: s.newRecord(&in.Meta, src.rec.size, src.rec.stored, d)}
	if err := s.space.take(int64(len(src.c.data)) + 2*blockSize); err != nil {
		return nil, err
	}
	dst := stripeOf(bk.id, in.Key)
	if data, ok := src.c.Bytes(); ok {
		p.rec.place, p.inline = src.rec.place, data
		return s.publishBlob(bk, p, dst)
	}
	m := src.copyManifest(in.Flatten)
	if !m.flat {
		p.rec.partCount = len(m.parts)
	}
	if err := s.addManifest(bk, p, m); err != nil {
		return nil, err
	}
	share := p.with
	p.with = func(e *edit) error {
		if err := src.unchanged(s); err != nil {
			return err
		}
		for _, x := range src.c.extents {
			e.addRef(x.blob)
		}
		return share(e)
	}
	return s.publishBlob(bk, p, stripeOf(src.bk.id, src.ref.Key), dst)
}

// copyManifest is the manifest of a copy of the source.
func (src *source) copyManifest(flatten bool) *manifest {
	if src.m == nil {
		r := src.rec
		return &manifest{flat: true, parts: []partRecord{{
			Part:    storage.Part{Number: wholePart, Size: r.size, ETag: r.etag, Modified: time.UnixMilli(r.modified)},
			extents: src.c.extents,
		}}}
	}
	return &manifest{flat: flatten || src.rec.partCount == 0, parts: src.m.parts}
}

// addManifest writes the file of a manifest and makes it the version's content.
func (s *Store) addManifest(bk *bucket, p *publication, m *manifest) error {
	buf := s.bodies.get()
	defer s.bodies.put(buf)
	o := &blobOwner{kind: kindManifest, bucket: bk.info.Load().Name, bucketID: bk.id, key: p.key}
	w, err := s.newBlob(o, buf[:headerSize])
	if err != nil {
		return err
	}
	if err := w.begin(buf, encodeManifest(w.id, m)); err != nil {
		w.failed(err)
		return err
	}
	p.blob, p.rec.place, p.rec.loc = w, placeManifest, w.id
	value := encodeManifest(w.id, m) // what was written may have been changed by the file system
	p.with = func(e *edit) error {
		_ = e.b.Set(keyOf(rangeManifest, w.id), value, nil)
		return nil
	}
	return nil
}

// CopyPart implements storage.Uploads. A range that is exactly some whole blobs shares
// them; any other is copied.
func (s *Store) CopyPart(_ context.Context, in storage.CopyPartInput) (*storage.Part, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	part, err := s.copyPart(&in)
	if err != nil {
		return nil, fmt.Errorf("copy part of %s/%s: %w", in.Source.Bucket, in.Source.Key, err)
	}
	return part, nil
}

func (s *Store) copyPart(in *storage.CopyPartInput) (*storage.Part, error) {
	bk, _, err := s.upload(in.Upload, false)
	if err != nil {
		return nil, err
	}
	src, err := s.openSource(in.Source, in.SourceETag)
	if err != nil {
		return nil, err
	}
	defer src.c.Close()
	if in.Off < 0 || in.Length < 0 || in.Off > src.c.size || in.Length > src.c.size-in.Off {
		return nil, fmt.Errorf("range %d+%d of %d bytes: %w", in.Off, in.Length, src.c.size, storage.ErrSize)
	}
	p := &partRecord{Part: storage.Part{Number: in.Number, Size: in.Length}}
	if shared := wholeExtents(src.c.extents, in.Off, in.Length); shared != nil {
		if _, err := io.Copy(in.Sum, src.c.Range(in.Off, in.Length)); err != nil {
			return nil, fmt.Errorf("read source: %w", err)
		}
		p.setDigest(in.Digest())
		p.extents = shared
		part, err := s.setPart(in.Upload, p, nil, src)
		if !errors.Is(err, errSourceGone) {
			return part, err
		}
		// The content is still open, so that its bytes can be copied all the same.
		return s.storePart(bk, in.Upload, p, src.c.Range(in.Off, in.Length), nil)
	}
	return s.storePart(bk, in.Upload, p, io.TeeReader(src.c.Range(in.Off, in.Length), in.Sum), in.Digest)
}

// wholeExtents returns those extents that are exactly the range, or nil.
func wholeExtents(list []extent, off, n int64) []extent {
	first := 0
	for first < len(list) && off > 0 {
		off -= list[first].size
		first++
	}
	last := first
	for last < len(list) && n > 0 {
		n -= list[last].size
		last++
	}
	if off != 0 || n != 0 || first == last {
		return nil
	}
	return list[first:last]
}
