package fs

import (
	"context"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// lookup finds the version that a reference names. The caller holds the key's lock, at
// least shared. Errors are those of storage.Objects.
func (s *Store) lookup(bk *bucket, ref storage.Ref, full bool) (r *record, latest bool, err error) {
	r, latest, err = s.find(bk, ref, full)
	if err != nil {
		return nil, false, s.noteDamage(fmt.Errorf("%s/%s: %w", ref.Bucket, ref.Key, err))
	}
	if r == nil {
		if ref.Version == "" {
			return nil, false, fmt.Errorf("%s/%s: %w", ref.Bucket, ref.Key, storage.ErrNoSuchKey)
		}
		return nil, false, fmt.Errorf("%s/%s version %q: %w", ref.Bucket, ref.Key, ref.Version, storage.ErrNoSuchVersion)
	}
	if r.marker {
		return nil, false, &storage.MarkerError{
			VersionID: versionName(r), Modified: time.UnixMilli(r.modified).UTC(), Named: ref.Version != "",
		}
	}
	return r, latest, nil
}

// find is lookup that gives delete markers, and nil for what is not there.
func (s *Store) find(bk *bucket, ref storage.Ref, full bool) (r *record, latest bool, err error) {
	key := objectKey(bk.id, ref.Key)
	cur := new(record)
	found, err := get(s.db, key, func(v []byte) error {
		return decodeRecordAt(cur, v, key[1:], &arena{chunk: len(v) + 128}, full)
	})
	if err != nil {
		return nil, false, err
	}
	versioned := bk.info.Load().Versioning != storage.VersioningUnset
	switch {
	case found && (ref.Version == "" || cur.is(ref.Version)):
		return cur, true, nil
	case !versioned:
		return nil, false, nil
	}
	f, err := s.findOther(bk, ref, full)
	if err != nil || f == nil {
		return nil, false, err
	}
	if !found && f.rec.marker {
		t := f
		if ref.Version != "" {
			if t, err = top(s.db, bk.id, ref.Key, 0, false); err != nil {
				return nil, false, err
			}
		}
		latest = t != nil && t.rec.seq == f.rec.seq
	}
	return f.rec, latest, nil
}

// findOther finds what a reference names among the versions that are not current.
func (s *Store) findOther(bk *bucket, ref storage.Ref, full bool) (*found, error) {
	switch ref.Version {
	case "":
		return top(s.db, bk.id, ref.Key, 0, full)
	case storage.NullVersion:
		return nullVersion(s.db, bk.id, ref.Key, full)
	}
	return named(s.db, bk.id, ref.Key, ref.Version, full)
}

// StatObject implements storage.Objects.
func (s *Store) StatObject(_ context.Context, ref storage.Ref) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return nil, err
	}
	lock := &s.keys[stripeOf(bk.id, ref.Key)]
	lock.RLock()
	r, latest, err := s.lookup(bk, ref, true)
	lock.RUnlock()
	if err != nil {
		return nil, err
	}
	return r.object(ref.Key, latest), nil
}

// GetObject implements storage.Objects.
func (s *Store) GetObject(_ context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	if err := s.enter(); err != nil {
		return nil, nil, err
	}
	defer s.leave()
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return nil, nil, err
	}
	// What the version holds is opened under the key's lock: until then nothing
	// that it refers to can be reclaimed.
	lock := &s.keys[stripeOf(bk.id, ref.Key)]
	lock.RLock()
	r, latest, err := s.lookup(bk, ref, true)
	if err != nil {
		lock.RUnlock()
		return nil, nil, err
	}
	c, err := s.openContent(r, ref.Bucket, ref.Key)
	lock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	return r.object(ref.Key, latest), c, nil
}

// openContent opens the content of a version. The caller holds the key's lock.
func (s *Store) openContent(r *record, bucket, key string) (*content, error) {
	c := &content{s: s, size: r.stored, bucket: bucket, key: key}
	var err error
	switch r.place {
	case placeNone:
		if r.stored != 0 {
			err = fmt.Errorf("no content: %w", storage.ErrDamaged)
		}
		c.data = []byte{}
	case placeInline:
		err = c.loadInline(r)
	case placeBlob:
		c.extents = []extent{{r.loc, r.stored}}
		c.one, err = s.openBlob(r.loc, r.stored)
	case placeManifest:
		err = c.loadManifest(r)
	}
	if err != nil {
		_ = c.Close()
		return nil, s.noteDamage(fmt.Errorf("content of %s/%s: %w", bucket, key, err))
	}
	return c, nil
}

// loadInline copies the content out of the index, so that a slow client holds no part
// of the index in memory.
func (c *content) loadInline(r *record) error {
	if r.stored < 0 || r.stored > writeBuffer {
		return fmt.Errorf("inline content of %d bytes: %w", r.stored, storage.ErrDamaged)
	}
	c.buf = c.s.bodies.get()
	c.data = c.buf[:r.stored]
	var key [9]byte
	k := appendKey(key[:0], rangeData, r.loc, "")
	found, err := get(c.s.db, k, func(v []byte) error {
		if int64(len(v)) != r.stored {
			return fmt.Errorf("%d of %d bytes: %w", len(v), r.stored, storage.ErrDamaged)
		}
		copy(c.data, v)
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("bytes %x are missing: %w", r.loc, storage.ErrDamaged)
	}
	if err == nil && contentCRC(r.loc, c.data) != r.crc {
		err = fmt.Errorf("checksum: %w", storage.ErrDamaged)
	}
	return err
}

// loadManifest reads the manifest and pins it.
func (c *content) loadManifest(r *record) error {
	m, err := c.s.manifest(r)
	if err != nil {
		return err
	}
	c.extents = make([]extent, 0, len(m.parts))
	for i := range m.parts {
		c.extents = append(c.extents, m.parts[i].extents...)
	}
	c.s.pins.pin(r.loc)
	c.manifest, c.of = r.loc, r
	return nil
}

// Parts implements storage.Parted. The manifest is pinned while the content is open, and is read again: holding it
// would cost every reader of a large object.
func (c *content) Parts() ([]storage.Part, error) {
	if c.of == nil {
		return nil, nil
	}
	if err := c.s.enter(); err != nil {
		return nil, err
	}
	defer c.s.leave()
	m, err := c.s.manifest(c.of)
	if err != nil {
		return nil, c.s.noteDamage(fmt.Errorf("parts of %s/%s: %w", c.bucket, c.key, err))
	}
	if m.whole() {
		return nil, nil
	}
	return m.list(), nil
}

// manifest reads the manifest of a version.
func (s *Store) manifest(r *record) (m *manifest, err error) {
	found, err := get(s.db, keyOf(rangeManifest, r.loc), func(v []byte) (err error) {
		m, err = decodeManifest(r.loc, v)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("manifest %x is missing: %w", r.loc, storage.ErrDamaged)
	}
	if err == nil {
		err = m.check(r)
	}
	return m, err
}

// Parts implements storage.Objects.
func (s *Store) Parts(_ context.Context, ref storage.Ref) ([]storage.Part, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return nil, err
	}
	lock := &s.keys[stripeOf(bk.id, ref.Key)]
	lock.RLock()
	defer lock.RUnlock()
	r, _, err := s.lookup(bk, ref, false)
	if err != nil || r.place != placeManifest || r.partCount == 0 {
		return nil, err
	}
	m, err := s.manifest(r)
	if err != nil {
		return nil, s.noteDamage(fmt.Errorf("parts of %s/%s: %w", ref.Bucket, ref.Key, err))
	}
	return m.list(), nil
}
