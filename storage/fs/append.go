package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// appendJoined is up to which size an object's last piece and what is appended become one file. Many small appends make
// few files and a short manifest that way, and each rewrites no more than this.
const appendJoined = 32 << 10

// appending is an AppendObject whose body has been read.
type appending struct {
	s     *Store
	in    *storage.AppendInput
	bk    *bucket
	body  *received
	added storage.Digest
	// fresh are the files that the attempt under way has made beside the version's own, and parts what the version is to
	// be made of.
	fresh []*blobWriter
	parts []partRecord
}

// AppendObject implements storage.Objects. The files of the object are shared by the version that replaces it, and what
// is appended goes into one more; an object that is small stays in the index.
func (s *Store) AppendObject(_ context.Context, in storage.AppendInput) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	o, err := s.appendObject(&in)
	if own, ok := err.(callerError); ok {
		return nil, own.error
	}
	if err != nil {
		return nil, fmt.Errorf("append to %s/%s: %w", in.Bucket, in.Key, err)
	}
	return o, nil
}

func (s *Store) appendObject(in *storage.AppendInput) (*storage.Object, error) {
	if err := s.gate.err(); err != nil {
		return nil, err
	}
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	a := &appending{s: s, in: in, bk: bk}
	if err := a.early(); err != nil {
		return nil, err
	}
	owner := &blobOwner{kind: kindPart, bucket: in.Bucket, bucketID: bk.id, key: in.Key, part: in.Number}
	if a.body, err = s.receive(in.Body, in.Size, appendJoined, owner); err != nil {
		return nil, err
	}
	defer a.body.release()
	o, err := a.publish()
	if blob := a.body.blob; blob != nil {
		if err != nil {
			blob.failed(err)
		} else {
			blob.published()
		}
	}
	return o, err
}

// early tells what is wrong before the body is read.
func (a *appending) early() error {
	if a.bk.info.Load().Versioning != storage.VersioningUnset {
		return fmt.Errorf("in a bucket with versioning: %w", storage.ErrNotSupported)
	}
	lock := &a.s.keys[stripeOf(a.bk.id, a.in.Key)]
	lock.RLock()
	defer lock.RUnlock()
	r, _, err := a.s.lookup(a.bk, storage.Ref{Bucket: a.in.Bucket, Key: a.in.Key}, false)
	if err != nil {
		return err
	}
	return a.atEnd(r)
}

func (a *appending) atEnd(r *record) error {
	if r.size != a.in.Offset {
		return fmt.Errorf("at %d of %d: %w", a.in.Offset, r.size, storage.ErrOffset)
	}
	return nil
}

// publish tries until the object has not been changed while its successor was made.
func (a *appending) publish() (*storage.Object, error) {
	if a.body.size == 0 {
		return nil, fmt.Errorf("nothing: %w", storage.ErrSize)
	}
	a.added = a.in.Digest()
	if a.body.blob != nil {
		if err := a.body.blob.finish(nil); err != nil {
			return nil, err
		}
	}
	for attempt := 1; ; attempt++ {
		o, err := a.attempt()
		for _, w := range a.fresh {
			if err != nil {
				w.failed(err)
			} else {
				w.published()
			}
		}
		if a.fresh = nil; !errors.Is(err, errSourceGone) {
			return o, err
		}
		if attempt == copyAttempts {
			return nil, fmt.Errorf("%w: %w", storage.ErrPrecondition, err)
		}
	}
}

// attempt makes a version that shares what the present one has, and publishes it in its place.
func (a *appending) attempt() (*storage.Object, error) {
	src, err := a.s.openSource(storage.Ref{Bucket: a.in.Bucket, Key: a.in.Key}, "")
	if err != nil {
		return nil, err
	}
	defer src.c.Close()
	if err := a.atEnd(src.rec); err != nil {
		return nil, err
	}
	p, err := a.next(src)
	if err != nil {
		return nil, err
	}
	store := p.with
	p.check = func(cur *record) error { return a.mayReplace(src, cur) }
	p.with = func(e *edit) error {
		for _, w := range a.fresh {
			e.newBlob(w.id)
		}
		for i := range a.parts {
			for _, x := range a.parts[i].extents {
				switch {
				case a.body.blob != nil && x.blob == a.body.blob.id:
					e.newBlob(x.blob)
				case slices.ContainsFunc(a.fresh, func(w *blobWriter) bool { return w.id == x.blob }):
				default:
					e.addRef(x.blob)
				}
			}
		}
		if store == nil {
			return nil
		}
		return store(e)
	}
	return a.s.publishBlob(a.bk, p, stripeOf(a.bk.id, a.in.Key))
}

// mayReplace checks under the key's lock that the object is as it was, and asks the caller.
func (a *appending) mayReplace(src *source, cur *record) error {
	if a.bk.info.Load().Versioning != storage.VersioningUnset {
		return fmt.Errorf("in a bucket with versioning: %w", storage.ErrNotSupported)
	}
	if cur == nil || !cur.same(src.rec) {
		return errSourceGone
	}
	if a.in.Check != nil {
		if err := a.in.Check(cur.object(a.in.Key, true)); err != nil {
			return callerError{err}
		}
	}
	return nil
}

// next makes the version that follows the one of src.
func (a *appending) next(src *source) (*publication, error) {
	old := src.rec
	if old.stored != old.size && !a.added.Coded {
		return nil, fmt.Errorf("what is not coded to what is: %w", storage.ErrPrecondition)
	}
	part := &partRecord{Part: storage.Part{Number: a.in.Number, Size: a.body.size, Modified: time.UnixMilli(a.s.now()).UTC()}}
	part.setDigest(a.added)
	part.extents = []extent{{size: a.body.size}} // the file follows
	part.setStored()
	d, err := a.in.Whole(old.object(a.in.Key, true), part.Part)
	if err != nil {
		return nil, callerError{err}
	}
	d.Coded = false // the sizes are told
	p := &publication{key: a.in.Key, cond: new(storage.Conditions)}
	p.rec = a.s.newRecord(&storage.Meta{Owner: old.owner, Class: old.class, Attrs: old.attrs, Tags: old.tags, Props: old.props},
		old.size+part.Size, old.stored+a.body.size, d)
	if joined := a.join(src); joined != nil {
		return p, a.small(p, joined)
	}
	m, err := a.manifest(src, part)
	if err != nil {
		return nil, err
	}
	if !m.flat {
		p.rec.partCount = len(m.parts)
	}
	a.parts = m.parts
	return p, a.s.addManifest(a.bk, p, m)
}

// join returns the content of an object that is one small piece with what is appended, else nil. What is coded is
// never joined: each piece has a beginning and an end of its own.
func (a *appending) join(src *source) []byte {
	data, inline := src.c.Bytes()
	if a.added.Coded || a.body.blob != nil || !inline {
		return nil
	}
	return slices.Concat(data, a.body.data)
}

// small makes a version of content that is in memory.
func (a *appending) small(p *publication, content []byte) error {
	a.parts = nil
	if err := a.s.space.take(int64(len(content)) + 2*blockSize); err != nil {
		return err
	}
	if len(content) <= a.s.opts.InlineLimit {
		p.rec.place, p.inline = placeInline, content
		return nil
	}
	w, err := a.write(&blobOwner{kind: kindObject, bucket: a.in.Bucket, bucketID: a.bk.id, key: a.in.Key}, content)
	if err != nil {
		return err
	}
	p.blob, p.rec.place, p.rec.loc = w, placeBlob, w.id
	return nil
}

// write begins a file with content that is in memory.
func (a *appending) write(o *blobOwner, content []byte) (*blobWriter, error) {
	buf := a.s.bodies.get()
	defer a.s.bodies.put(buf)
	w, err := a.s.newBlob(o, buf[:headerSize])
	if err != nil {
		return nil, err
	}
	if err := w.begin(buf, content); err != nil {
		w.failed(err)
		return nil, err
	}
	return w, nil
}

// piece writes the file of one part, which is to be published with the attempt.
func (a *appending) piece(number int, content []byte) (extent, error) {
	if err := a.s.space.take(int64(len(content)) + 2*blockSize); err != nil {
		return extent{}, err
	}
	size := int64(len(content))
	w, err := a.write(&blobOwner{kind: kindPart, bucket: a.in.Bucket, bucketID: a.bk.id, key: a.in.Key, part: number}, content)
	if err != nil {
		return extent{}, err
	}
	a.fresh = append(a.fresh, w)
	return extent{w.id, size}, w.finish(nil)
}

// manifest lists the parts of the object with the new one. Its last piece and the new one become one where both are
// small; in an object that was completed from an upload each part stays one, since clients see them.
func (a *appending) manifest(src *source, part *partRecord) (*manifest, error) {
	m := &manifest{flat: true}
	if data, ok := src.c.Bytes(); !ok {
		old := src.copyManifest(false)
		m.flat, m.parts = old.flat, slices.Clone(old.parts)
	} else if len(data) > 0 {
		x, err := a.piece(wholePart, slices.Clone(data))
		if err != nil {
			return nil, err
		}
		r := src.rec
		first := partRecord{Part: storage.Part{Number: wholePart, Size: r.size, ETag: r.etag, Checksum: r.checksum, Modified: time.UnixMilli(r.modified)}, extents: []extent{x}}
		first.setStored()
		m.parts = []partRecord{first}
	}
	if err := a.s.space.take(int64(128*len(m.parts)) + 2*blockSize); err != nil {
		return nil, err
	}
	last := wholePart
	if n := len(m.parts); n > 0 {
		last = m.parts[n-1].Number
		if tail := &m.parts[n-1]; m.flat && !a.added.Coded && a.body.blob == nil && len(tail.extents) == 1 && tail.Size+a.body.size <= appendJoined {
			return m, a.joinTail(src, tail)
		}
	}
	if part.Number <= last {
		if part.Number != 0 {
			return nil, errSourceGone
		}
		part.Number = last + 1
	}
	if len(m.parts) >= a.in.MaxParts || !m.flat && part.Number > a.in.MaxParts {
		return nil, fmt.Errorf("%d parts: %w", len(m.parts), storage.ErrTooManyParts)
	}
	if blob := a.body.blob; blob != nil {
		part.extents[0].blob = blob.id
	} else {
		x, err := a.piece(part.Number, slices.Clone(a.body.data))
		if err != nil {
			return nil, err
		}
		part.extents[0] = x
	}
	m.parts = append(m.parts, *part)
	return m, nil
}

// joinTail writes an object's last piece anew, with what is appended.
func (a *appending) joinTail(src *source, tail *partRecord) error {
	content := make([]byte, tail.Size, tail.Size+a.body.size)
	if _, err := io.ReadFull(src.c.Range(src.c.size-tail.Size, tail.Size), content); err != nil {
		return fmt.Errorf("read the end of the object: %w", err)
	}
	x, err := a.piece(tail.Number, append(content, a.body.data...))
	tail.Size += a.body.size
	tail.ETag, tail.Checksum, tail.extents = "", storage.Checksum{}, []extent{x}
	return err
}
