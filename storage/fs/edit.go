package fs

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// edit is a batch of changes within one bucket, with what they do to its counters and
// which blobs they drop. Its user holds the locks of the keys and of the bucket.
type edit struct {
	s     *Store
	bk    *bucket
	b     *pebble.Batch
	r     pebble.Reader // the index, or the batch over it when it has to see itself
	use   usage
	drops []drop
	key   []byte // room for keys
	val   []byte // room for values
}

// drop is a blob whose reference count has been lowered.
type drop struct{ blob, seq uint64 }

func (s *Store) edit(bk *bucket) *edit {
	return &edit{s: s, bk: bk, b: s.db.NewBatch(), r: s.db}
}

// editSelf is an edit that reads its own changes.
func (s *Store) editSelf(bk *bucket) *edit {
	b := s.db.NewIndexedBatch()
	return &edit{s: s, bk: bk, b: b, r: b}
}

func (e *edit) close() { _ = e.b.Close() } // a batch is memory

// commit makes the changes durable, then counts them and has the dropped blobs reclaimed.
func (e *edit) commit() error {
	if !e.use.zero() {
		k := countKey(e.bk.id)
		_ = e.b.Merge(k, encodeSum(k, e.use.objects, e.use.versions, e.use.markers, e.use.bytes), nil)
	}
	if err := e.s.commit(e.b); err != nil {
		return err
	}
	if !e.use.zero() {
		e.bk.add(e.use)
	}
	e.s.reclaim.queue(e.drops)
	return nil
}

// objectKey makes a key of rangeObject, valid until the next call.
func (e *edit) objectKey(key string) []byte {
	e.key = appendKey(e.key[:0], rangeObject, e.bk.id, key)
	return e.key
}

// addRef raises a blob's reference count.
func (e *edit) addRef(blob uint64) {
	k := keyOf(rangeRef, blob)
	_ = e.b.Merge(k, encodeSum(k, 1), nil)
}

// newBlob counts the first reference of a blob, and moves the low water mark when it
// has fallen far behind.
func (e *edit) newBlob(blob uint64) {
	e.addRef(blob)
	old := e.s.lowMark.Load()
	if blob < old+blobBlock {
		return
	}
	if low := e.s.blobs.low(); low >= old+blobBlock && e.s.lowMark.CompareAndSwap(old, low) {
		k := markKey("low")
		_ = e.b.Set(k, encodeMark(k, low), nil)
	}
}

// dropBlob lowers a blob's reference count and queues it.
func (e *edit) dropBlob(blob uint64) error {
	seq, err := e.s.seq.take()
	if err != nil {
		return err
	}
	k := keyOf(rangeRef, blob)
	_ = e.b.Merge(k, encodeSum(k, -1), nil)
	_ = e.b.Set(reclaimKey(blob, seq), []byte{recordVersion}, nil)
	e.drops = append(e.drops, drop{blob, seq})
	return nil
}

// dropRecord lets go of a version's content and takes it out of the counters.
func (e *edit) dropRecord(r *record) error {
	if r.marker {
		e.use.markers--
		return nil
	}
	e.use.versions--
	e.use.bytes -= r.size
	switch r.place {
	case placeInline:
		_ = e.b.Delete(dataKey(r.loc), nil)
	case placeBlob, placeManifest:
		return e.dropBlob(r.loc)
	}
	return nil
}

// put stores a record as the current live version.
func (e *edit) put(key string, r *record) {
	k := e.objectKey(key)
	e.val = appendRecordAt(e.val[:0], r, k[1:])
	_ = e.b.Set(k, e.val, nil)
}

// keyState is what is stored about a key's current version.
type keyState struct {
	cur *record // the current version when it is live
	raw []byte  // its value, to be moved; only where versions are kept
}

// versioned tells whether the bucket may have anything in rangeVersion.
func (e *edit) versioned() bool { return e.bk.info.Load().Versioning != storage.VersioningUnset }

// load reads the current version of a key. full fills all of its record.
func (e *edit) load(key string, full bool) (st keyState, err error) {
	k := e.objectKey(key)
	_, err = get(e.r, k, func(v []byte) error {
		st.cur = new(record)
		if e.versioned() {
			st.raw = append([]byte{}, v...)
		}
		return decodeRecordAt(st.cur, v, k[1:], &arena{chunk: 64}, full)
	})
	if err != nil {
		return st, fmt.Errorf("current version of %q: %w", key, err)
	}
	return st, nil
}

// meets checks conditions against the current version.
func (st *keyState) meets(c *storage.Conditions, key string) error {
	switch {
	case c.Zero():
		return nil
	case st.cur == nil:
		return c.Check(nil)
	}
	return c.Check(st.cur.object(key, true))
}

// found is a version in rangeVersion.
type found struct {
	rec *record
	raw []byte
	key []byte
}

// top finds the newest version of a key in rangeVersion, except the one with the
// sequence skip. nil when there is none.
func top(r pebble.Reader, bucket uint64, key string, skip uint64, full bool) (f *found, err error) {
	lower := escapedKey(rangeVersion, bucket, key)
	err = scan(r, lower, successor(lower), func(k, v []byte) (bool, error) {
		rec := new(record)
		if err := decodeRecord(rec, v, bucket, []byte(key), &arena{chunk: 64}, full); err != nil {
			return false, err
		}
		if rec.seq == skip {
			return true, nil
		}
		f = &found{rec: rec, raw: append([]byte{}, v...), key: append([]byte{}, k...)}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("versions of %q: %w", key, err)
	}
	return f, nil
}

// version finds the version of a key with a sequence in rangeVersion.
func version(r pebble.Reader, bucket uint64, key string, seq uint64, full bool) (f *found, err error) {
	k := versionKey(bucket, key, seq)
	_, err = get(r, k, func(v []byte) error {
		f = &found{rec: new(record), raw: append([]byte{}, v...), key: k}
		return decodeRecord(f.rec, v, bucket, []byte(key), &arena{chunk: 64}, full)
	})
	if err != nil {
		return nil, fmt.Errorf("version of %q: %w", key, err)
	}
	return f, nil
}

// named finds the version of a key with an id, other than "null", in rangeVersion; nil when it is not there. An id that
// another store has given does not tell where its version lies: all of the key's are looked at for it.
func named(r pebble.Reader, bucket uint64, key, id string, full bool) (*found, error) {
	if seq, _, ok := parseID(id); ok {
		f, err := version(r, bucket, key, seq, full)
		if err != nil || f != nil && f.rec.is(id) {
			return f, err
		}
	}
	var seq uint64
	rec := new(record)
	lower := escapedKey(rangeVersion, bucket, key)
	err := scan(r, lower, successor(lower), func(_, v []byte) (bool, error) {
		if err := decodeRecord(rec, v, bucket, []byte(key), &arena{chunk: 64}, false); err != nil {
			return false, err
		}
		if rec.given == id {
			seq = rec.seq
		}
		return seq == 0, nil
	})
	if err != nil {
		return nil, fmt.Errorf("versions of %q: %w", key, err)
	}
	if seq == 0 {
		return nil, nil
	}
	return version(r, bucket, key, seq, full)
}

// nullSeq tells which version in rangeVersion is the null version.
func nullSeq(r pebble.Reader, bucket uint64, key string) (seq uint64, ok bool, err error) {
	k := nullKey(bucket, key)
	ok, err = get(r, k, func(v []byte) (err error) { seq, err = decodeMark(k, v); return err })
	if err != nil {
		return 0, false, fmt.Errorf("null version of %q: %w", key, err)
	}
	return seq, ok, nil
}

// nullVersion finds the null version in rangeVersion; nil when it is not there.
func nullVersion(r pebble.Reader, bucket uint64, key string, full bool) (*found, error) {
	seq, ok, err := nullSeq(r, bucket, key)
	if err != nil || !ok {
		return nil, err
	}
	f, err := version(r, bucket, key, seq, full)
	if err == nil && f == nil {
		err = fmt.Errorf("null version of %q is missing: %w", key, storage.ErrDamaged)
	}
	return f, err
}

// demote moves the current version to the noncurrent ones. The caller then sets or
// deletes the entry of the current version.
func (e *edit) demote(key string, st *keyState) {
	_ = e.b.Set(versionKey(e.bk.id, key, st.cur.seq), st.raw, nil)
	if st.cur.null {
		e.setNull(key, st.cur.seq)
	}
	st.cur = nil
}

func (e *edit) setNull(key string, seq uint64) {
	k := nullKey(e.bk.id, key)
	_ = e.b.Set(k, encodeMark(k, seq), nil)
}

// removeNoncurrent removes a version from rangeVersion for good.
func (e *edit) removeNoncurrent(key string, f *found) error {
	_ = e.b.Delete(f.key, nil)
	if f.rec.null {
		_ = e.b.Delete(nullKey(e.bk.id, key), nil)
	}
	return e.dropRecord(f.rec)
}

// removeNull removes the null version wherever it is.
func (e *edit) removeNull(key string, st *keyState) error {
	if st.cur != nil && st.cur.null {
		err := e.dropRecord(st.cur)
		st.cur = nil
		return err
	}
	if !e.versioned() {
		return nil
	}
	f, err := nullVersion(e.r, e.bk.id, key, false)
	if err != nil || f == nil {
		return err
	}
	return e.removeNoncurrent(key, f)
}

// promote makes the newest version of rangeVersion, except the one with the sequence
// removed, the current one when it is live. It tells whether there is one.
func (e *edit) promote(key string, removed uint64) (bool, error) {
	next, err := top(e.r, e.bk.id, key, removed, false)
	if err != nil || next == nil || next.rec.marker {
		return false, err
	}
	_ = e.b.Set(e.objectKey(key), next.raw, nil)
	_ = e.b.Delete(next.key, nil)
	if next.rec.null {
		_ = e.b.Delete(nullKey(e.bk.id, key), nil)
	}
	return true, nil
}

// marker makes a delete marker.
func (e *edit) marker(owner string, null bool) (*record, error) {
	r := &record{marker: true, modified: e.s.now(), owner: owner}
	return r, e.s.name(r, null)
}

// addTop puts a delete marker on top of a key's versions.
func (e *edit) addTop(key string, r *record, st *keyState) {
	if r.null {
		e.setNull(key, r.seq)
	}
	_ = e.b.Set(versionKey(e.bk.id, key, r.seq), appendRecord(nil, r, e.bk.id, key), nil)
	e.use.markers++
	if st.cur != nil {
		e.demote(key, st)
		e.unset(key)
	}
	e.note(key, r.modified)
}

// dropUploads removes all uploads of the bucket.
func (e *edit) dropUploads() error {
	lower := keyOf(rangeUpload, e.bk.id)
	return scan(e.s.db, lower, successor(lower), func(k, _ []byte) (bool, error) {
		if len(k) < 17 {
			return false, fmt.Errorf("upload: %w: %w", errKeyForm, storage.ErrDamaged)
		}
		_ = e.b.Delete(k, nil)
		return true, e.dropParts(binary.BigEndian.Uint64(k[len(k)-8:]), nil)
	})
}

// dropParts removes all parts of an upload, and drops the content of those that keep
// does not name.
func (e *edit) dropParts(upload uint64, keep map[int]bool) error {
	lower := keyOf(rangePart, upload)
	return scan(e.s.db, lower, successor(lower), func(k, v []byte) (bool, error) {
		p, err := decodePart(k, v)
		if err != nil {
			return false, err
		}
		_ = e.b.Delete(k, nil)
		if keep[p.Number] {
			return true, nil
		}
		return true, e.dropPart(p)
	})
}

func (e *edit) dropPart(p *partRecord) error {
	for _, x := range p.extents {
		if err := e.dropBlob(x.blob); err != nil {
			return err
		}
	}
	return nil
}
