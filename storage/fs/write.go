package fs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/objsrv/objsrv/storage"
)

// publication is a new version that is ready but for its place among the others.
type publication struct {
	key  string
	rec  *record
	cond *storage.Conditions
	// check, when set, is asked with the current version, which is read in full for it.
	check func(cur *record) error
	// inline is the content of a version with placeInline.
	inline []byte
	// blob is the file of a version with placeBlob or placeManifest.
	blob *blobWriter
	// with adds to the commit what else belongs to it.
	with func(e *edit) error
	// origin is set for a version that another store had before.
	origin *storage.Origin
}

// null tells whether the version's id will be "null".
func (p *publication) null(b *storage.Bucket) bool {
	if p.origin != nil {
		return p.origin.VersionID == storage.NullVersion
	}
	return b.Versioning != storage.VersioningEnabled
}

// publish makes a version the current one of its key. The caller holds the key's lock.
func (s *Store) publish(bk *bucket, p *publication) (*storage.Object, error) {
	if err := bk.share(); err != nil {
		return nil, err
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	st, err := e.load(p.key, p.check != nil)
	if err != nil {
		return nil, s.noteDamage(err)
	}
	if err := st.meets(p.cond, p.key); err != nil {
		return nil, err
	}
	if p.check != nil {
		if err := p.check(st.cur); err != nil {
			return nil, err
		}
	}
	if err := e.absent(p, &st); err != nil {
		return nil, s.noteDamage(err)
	}
	if err := e.number(p, &st); err != nil {
		return nil, s.noteDamage(err)
	}
	if err := e.publish(p, &st); err != nil {
		return nil, s.noteDamage(err)
	}
	if err := e.commit(); err != nil {
		return nil, err
	}
	return p.rec.object(p.key, true), nil
}

// publish puts the version in the place of, or before, the current one.
func (e *edit) publish(p *publication, st *keyState) error {
	r := p.rec
	if st.cur == nil {
		e.use.objects++
	}
	e.use.versions++
	e.use.bytes += r.size
	if r.null {
		if err := e.removeNull(p.key, st); err != nil {
			return err
		}
	}
	if st.cur != nil {
		e.demote(p.key, st)
	}
	switch r.place {
	case placeInline:
		r.loc = r.seq
		r.crc = contentCRC(r.loc, p.inline)
		_ = e.b.Set(dataKey(r.loc), p.inline, nil)
	case placeBlob, placeManifest:
		e.newBlob(r.loc)
	}
	if p.with != nil {
		if err := p.with(e); err != nil {
			return err
		}
	}
	e.put(p.key, r)
	e.note(p.key, r.modified)
	return nil
}

// number gives the version its id. The file of a large one already holds one from
// before the lock was taken; when another version of the key has come in between, or
// the bucket's versioning has changed, the record in the file is replaced.
func (e *edit) number(p *publication, st *keyState) error {
	r := p.rec
	null := p.null(e.bk.info.Load())
	if p.blob != nil && null == r.null {
		newest := uint64(0)
		if st.cur != nil {
			newest = st.cur.seq
		} else if e.versioned() {
			t, err := top(e.r, e.bk.id, p.key, 0, false)
			if err != nil {
				return err
			}
			if t != nil {
				newest = t.rec.seq
			}
		}
		if r.seq > newest {
			return nil
		}
	}
	if err := e.s.name(r, null); err != nil {
		return err
	}
	if p.blob != nil {
		return p.blob.amend(appendRecord(nil, r, e.bk.id, p.key))
	}
	return nil
}

// name gives a record the next sequence number.
func (s *Store) name(r *record, null bool) (err error) {
	r.null, r.rnd = null, 0
	if !null {
		r.rnd = random()
	}
	r.seq, err = s.seq.take()
	return err
}

// newRecord makes the record of a new version, but for its id and content. stored is the
// length of what is kept, size that of the content unless the digest knows it better.
func (s *Store) newRecord(m *storage.Meta, size, stored int64, d storage.Digest) *record {
	if d.Coded {
		size = d.Size
	}
	return &record{
		modified: s.now(), size: size, stored: stored, etag: d.ETag, checksum: d.Checksum,
		owner: m.Owner, class: m.Class, attrs: m.Attrs, tags: m.Tags, props: m.Props,
	}
}

// PutObject implements storage.Objects.
func (s *Store) PutObject(_ context.Context, in storage.PutInput) (*storage.Object, error) {
	return s.putObject(&in, nil)
}

// putObject is PutObject, or ImportObject with an origin.
func (s *Store) putObject(in *storage.PutInput, origin *storage.Origin) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := s.gate.err(); err != nil {
		return nil, err
	}
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	owner := &blobOwner{kind: kindObject, bucket: in.Bucket, bucketID: bk.id, key: in.Key}
	body, err := s.receive(in.Body, in.Size, s.opts.InlineLimit, owner)
	if err != nil {
		return nil, fmt.Errorf("put %s/%s: %w", in.Bucket, in.Key, err)
	}
	defer body.release()
	p := &publication{key: in.Key, cond: &in.If, inline: body.data, blob: body.blob}
	p.rec = s.newRecord(&in.Meta, body.size, body.size, digestOf(in.Digest))
	p.from(origin)
	switch {
	case body.blob != nil:
		p.rec.place, p.rec.loc = placeBlob, body.blob.id
	case body.size > 0:
		p.rec.place = placeInline
	}
	o, err := s.publishBlob(bk, p, stripeOf(bk.id, in.Key))
	if err != nil {
		return nil, fmt.Errorf("put %s/%s: %w", in.Bucket, in.Key, err)
	}
	return o, nil
}

func digestOf(f func() storage.Digest) storage.Digest {
	if f == nil {
		return storage.Digest{}
	}
	return f()
}

// publishBlob finishes the file of the version, when it has one, and publishes it under
// the lock of its key and of others. The file is given up when that fails.
func (s *Store) publishBlob(bk *bucket, p *publication, locks ...int) (*storage.Object, error) {
	o, err := func() (*storage.Object, error) {
		if p.blob != nil {
			if err := s.name(p.rec, p.null(bk.info.Load())); err != nil {
				return nil, err
			}
			if err := p.blob.finish(appendRecord(nil, p.rec, bk.id, p.key)); err != nil {
				return nil, err
			}
		}
		defer s.keys.lock(locks...)()
		return s.publish(bk, p)
	}()
	if p.blob != nil {
		if err != nil {
			p.blob.failed(err)
		} else {
			p.blob.published()
		}
	}
	return o, err
}

// SetTags implements storage.Objects.
func (s *Store) SetTags(_ context.Context, ref storage.Ref, tags []storage.Tag) (*storage.Object, error) {
	return s.amend(ref, func(r *record, _ bool) error {
		r.tags = slices.Clone(tags)
		return nil
	})
}

// SetProps implements storage.Objects. change must not call the store.
func (s *Store) SetProps(_ context.Context, ref storage.Ref, change func(*storage.Object) (map[string]string, error)) (*storage.Object, error) {
	return s.amend(ref, func(r *record, latest bool) error {
		props, err := change(r.object(ref.Key, latest))
		r.props = maps.Clone(props)
		return err
	})
}

// amend replaces the record of one version by what change makes of it.
func (s *Store) amend(ref storage.Ref, change func(r *record, latest bool) error) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return nil, err
	}
	if err := s.space.take(blockSize); err != nil {
		return nil, err
	}
	defer s.keys.lock(stripeOf(bk.id, ref.Key))()
	if err := bk.share(); err != nil {
		return nil, err
	}
	defer bk.mu.RUnlock()
	r, latest, err := s.lookup(bk, ref, true)
	if err != nil {
		return nil, err
	}
	if err := change(r, latest); err != nil {
		return nil, err
	}
	e := s.edit(bk)
	defer e.close()
	// A live version that is the latest lies in the range of current versions.
	if latest {
		e.put(ref.Key, r)
	} else {
		_ = e.b.Set(versionKey(bk.id, ref.Key, r.seq), appendRecord(nil, r, bk.id, ref.Key), nil)
	}
	e.noteLate(ref.Key)
	if err := e.commit(); err != nil {
		return nil, err
	}
	return r.object(ref.Key, latest), nil
}
