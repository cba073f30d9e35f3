package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/objsrv/objsrv/storage"
)

func uploadStripe(seq uint64) int { return int(seq % stripeCount) }

// upload finds an open upload without a lock.
func (s *Store) upload(ref storage.UploadRef, full bool) (*bucket, *uploadRecord, error) {
	none := func() error {
		return fmt.Errorf("upload %q of %s/%s: %w", ref.ID, ref.Bucket, ref.Key, storage.ErrNoSuchUpload)
	}
	seq, rnd, ok := parseID(ref.ID)
	bk, err := s.bucket(ref.Bucket)
	if err != nil || !ok {
		return nil, nil, none()
	}
	k := uploadKey(bk.id, ref.Key, seq)
	var u *uploadRecord
	if _, err := get(s.db, k, func(v []byte) (err error) {
		u, err = decodeUpload(k, v, ref.Bucket, ref.Key, seq, full)
		return err
	}); err != nil {
		return nil, nil, s.noteDamage(fmt.Errorf("upload %q of %s/%s: %w", ref.ID, ref.Bucket, ref.Key, err))
	}
	if u == nil || u.rnd != rnd {
		return nil, nil, none()
	}
	return bk, u, nil
}

// sharedUpload finds an open upload once what is seen of it is durable.
func (s *Store) sharedUpload(ref storage.UploadRef) (bk *bucket, u *uploadRecord, unlock func(), err error) {
	seq, _, _ := parseID(ref.ID)
	lock := &s.uploads[uploadStripe(seq)]
	lock.RLock()
	if bk, u, err = s.upload(ref, true); err != nil {
		lock.RUnlock()
		return nil, nil, nil, err
	}
	return bk, u, lock.RUnlock, nil
}

// CreateUpload implements storage.Uploads.
func (s *Store) CreateUpload(_ context.Context, in storage.UploadInput) (*storage.Upload, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if err := s.space.take(blockSize); err != nil {
		return nil, err
	}
	seq, err := s.seq.take()
	if err != nil {
		return nil, err
	}
	u := &uploadRecord{seq: seq, rnd: random(), Upload: storage.Upload{
		Meta: in.Meta, Initiator: in.Initiator, Begun: time.UnixMilli(s.now()).UTC(),
		ChecksumAlgorithm: in.ChecksumAlgorithm, ChecksumType: in.ChecksumType,
	}}
	u.UploadRef = storage.UploadRef{Bucket: in.Bucket, Key: in.Key, ID: formatID(seq, u.rnd)}
	if err := bk.share(); err != nil {
		return nil, err
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	k := uploadKey(bk.id, in.Key, seq)
	v := encodeUpload(k, u)
	_ = e.b.Set(k, v, nil)
	e.note(in.Key, u.Begun.UnixMilli())
	if err := e.commit(); err != nil {
		return nil, err
	}
	if u, err = decodeUpload(k, v, in.Bucket, in.Key, seq, true); err != nil {
		return nil, err
	}
	return &u.Upload, nil
}

// Upload implements storage.Uploads.
func (s *Store) Upload(_ context.Context, ref storage.UploadRef) (*storage.Upload, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	_, u, unlock, err := s.sharedUpload(ref)
	if err != nil {
		return nil, err
	}
	unlock()
	return &u.Upload, nil
}

// PutPart implements storage.Uploads.
func (s *Store) PutPart(_ context.Context, in storage.PartInput) (*storage.Part, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, _, err := s.upload(in.Upload, false)
	if err != nil {
		return nil, err
	}
	p := &partRecord{Part: storage.Part{Number: in.Number, Size: in.Size}}
	part, err := s.storePart(bk, in.Upload, p, in.Body, in.Digest)
	if err != nil {
		return nil, fmt.Errorf("put part %d of %s/%s: %w", in.Number, in.Upload.Bucket, in.Upload.Key, err)
	}
	return part, nil
}

func (p *partRecord) setDigest(d storage.Digest) {
	p.ETag, p.Checksum = d.ETag, d.Checksum
	if d.Coded {
		p.Size = d.Size
	}
}

// storePart reads the body of a part into a blob and stores the part. p has its number
// and announced size, and its digest when digest is nil.
func (s *Store) storePart(bk *bucket, ref storage.UploadRef, p *partRecord, body io.Reader, digest func() storage.Digest) (*storage.Part, error) {
	if err := s.gate.err(); err != nil {
		return nil, err
	}
	owner := &blobOwner{kind: kindPart, bucket: ref.Bucket, bucketID: bk.id, key: ref.Key, upload: ref.ID, part: p.Number}
	r, err := s.receive(body, p.Size, 0, owner)
	if err != nil {
		return nil, err
	}
	r.release()
	p.Size = r.size
	if digest != nil {
		p.setDigest(digest())
	}
	if r.blob == nil {
		return s.setPart(ref, p, nil, nil)
	}
	p.extents = []extent{{r.blob.id, r.size}}
	part, err := func() (*storage.Part, error) {
		if err := r.blob.finish(nil); err != nil {
			return nil, err
		}
		return s.setPart(ref, p, r.blob, nil)
	}()
	if err != nil {
		r.blob.failed(err)
		return nil, err
	}
	r.blob.published()
	return part, nil
}

// setPart stores a part in place of one of the same number. blob is its new file; src
// is the source that it shares blobs with.
func (s *Store) setPart(ref storage.UploadRef, p *partRecord, blob *blobWriter, src *source) (*storage.Part, error) {
	seq, _, _ := parseID(ref.ID)
	defer s.uploads.lock(uploadStripe(seq))()
	bk, _, err := s.upload(ref, false)
	if err != nil {
		return nil, err
	}
	if src != nil {
		defer s.keys.lock(stripeOf(src.bk.id, src.ref.Key))()
		if err := src.unchanged(s); err != nil {
			return nil, err
		}
	}
	if err := bk.share(); err != nil {
		return nil, fmt.Errorf("upload %q: %w", ref.ID, storage.ErrNoSuchUpload)
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	k := partKey(seq, p.Number)
	var old *partRecord
	if _, err := get(s.db, k, func(v []byte) (err error) { old, err = decodePart(k, v); return err }); err != nil {
		return nil, s.noteDamage(fmt.Errorf("part %d of upload %q: %w", p.Number, ref.ID, err))
	}
	if old != nil {
		if err := e.dropPart(old); err != nil {
			return nil, err
		}
	}
	for _, x := range p.extents {
		if blob != nil {
			e.newBlob(x.blob)
		} else {
			e.addRef(x.blob)
		}
	}
	p.setStored()
	p.Modified = time.UnixMilli(s.now()).UTC()
	_ = e.b.Set(k, encodePart(k, p), nil)
	if err := e.commit(); err != nil {
		return nil, err
	}
	part := p.Part
	return &part, nil
}

// ListParts implements storage.Uploads.
func (s *Store) ListParts(_ context.Context, ref storage.UploadRef, after, limit int) (list []storage.Part, more bool, err error) {
	if err := s.enter(); err != nil {
		return nil, false, err
	}
	defer s.leave()
	_, u, unlock, err := s.sharedUpload(ref)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if limit <= 0 {
		return nil, false, nil
	}
	lower := partKey(u.seq, max(after, -1)+1)
	err = scan(s.db, lower, successor(keyOf(rangePart, u.seq)), func(k, v []byte) (bool, error) {
		if len(list) == limit {
			more = true
			return false, nil
		}
		p, err := decodePart(k, v)
		if err == nil {
			list = append(list, p.Part)
		}
		return true, err
	})
	if err != nil {
		return nil, false, s.noteDamage(fmt.Errorf("parts of upload %q: %w", ref.ID, err))
	}
	return list, more, nil
}

// AbortUpload implements storage.Uploads.
func (s *Store) AbortUpload(_ context.Context, in storage.AbortInput) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	seq, _, _ := parseID(in.Upload.ID)
	defer s.uploads.lock(uploadStripe(seq))()
	bk, u, err := s.upload(in.Upload, false)
	if err != nil {
		return err
	}
	if !in.IfBegun.IsZero() && !in.IfBegun.Truncate(time.Second).Equal(u.Begun.Truncate(time.Second)) {
		return fmt.Errorf("upload %q was begun at another time: %w", in.Upload.ID, storage.ErrPrecondition)
	}
	if err := bk.share(); err != nil {
		return fmt.Errorf("upload %q: %w", in.Upload.ID, storage.ErrNoSuchUpload)
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	_ = e.b.Delete(uploadKey(bk.id, in.Upload.Key, seq), nil)
	if err := e.dropParts(seq, nil); err != nil {
		return s.noteDamage(fmt.Errorf("abort upload %q: %w", in.Upload.ID, err))
	}
	return e.commit()
}

// CompleteUpload implements storage.Uploads.
func (s *Store) CompleteUpload(_ context.Context, in storage.CompleteInput) (*storage.Object, error) {
	return s.complete(&in, nil)
}

// complete is CompleteUpload, or ImportUpload with an origin.
func (s *Store) complete(in *storage.CompleteInput, origin *storage.Origin) (*storage.Object, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	o, err := s.completeUpload(in, origin)
	if own, ok := err.(callerError); ok {
		return nil, own.error
	}
	if errors.Is(err, storage.ErrNoSuchUpload) {
		done, ferr := s.completed(in.Upload)
		if done != nil || ferr != nil {
			return done, ferr
		}
	}
	if err != nil {
		return nil, fmt.Errorf("complete upload %q: %w", in.Upload.ID, err)
	}
	return o, nil
}

// callerError is an error of the caller's own, returned as it is.
type callerError struct{ error }

func (s *Store) completeUpload(in *storage.CompleteInput, origin *storage.Origin) (*storage.Object, error) {
	seq, _, _ := parseID(in.Upload.ID)
	defer s.uploads.lock(uploadStripe(seq))()
	bk, u, err := s.upload(in.Upload, true)
	if err != nil {
		return nil, err
	}
	m, err := s.chooseParts(u, in)
	if err != nil {
		// The bucket may have gone since, and the upload's parts with it.
		if _, _, gone := s.upload(in.Upload, false); gone != nil {
			return nil, gone
		}
		return nil, s.noteDamage(err)
	}
	list := make([]storage.Part, len(m.parts))
	keep := make(map[int]bool, len(m.parts))
	for i := range m.parts {
		list[i] = m.parts[i].Part
		keep[list[i].Number] = true
	}
	d, err := in.Digest(&u.Upload, list)
	if err != nil {
		return nil, callerError{err}
	}
	if err := s.space.take(int64(128*len(list)) + 2*blockSize); err != nil {
		return nil, err
	}
	size, stored := m.size()
	d.Coded = false // the parts have told
	p := &publication{key: in.Upload.Key, cond: &in.If, rec: s.newRecord(&u.Meta, size, stored, d)}
	p.rec.partCount, p.rec.uploadID = len(list), in.Upload.ID
	p.from(origin)
	if err := s.addManifest(bk, p, m); err != nil {
		return nil, err
	}
	set := p.with
	p.with = func(e *edit) error {
		_ = e.b.Delete(uploadKey(bk.id, in.Upload.Key, seq), nil)
		if err := e.dropParts(seq, keep); err != nil {
			return err
		}
		return set(e)
	}
	return s.publishBlob(bk, p, stripeOf(bk.id, in.Upload.Key))
}

// chooseParts finds the parts that a CompleteUpload names and checks them, in the order
// of mistakes that storage.CompleteInput gives.
func (s *Store) chooseParts(u *uploadRecord, in *storage.CompleteInput) (*manifest, error) {
	for i := 1; i < len(in.Parts); i++ {
		if in.Parts[i].Number <= in.Parts[i-1].Number {
			return nil, fmt.Errorf("part %d: %w", in.Parts[i].Number, storage.ErrPartOrder)
		}
	}
	if len(in.Parts) == 0 {
		return nil, fmt.Errorf("no parts: %w", storage.ErrInvalidPart)
	}
	m := &manifest{parts: make([]partRecord, 0, len(in.Parts))}
	lower := keyOf(rangePart, u.seq)
	err := scan(s.db, lower, successor(lower), func(k, v []byte) (bool, error) {
		p, err := decodePart(k, v)
		if err != nil {
			return false, err
		}
		if n := len(m.parts); n < len(in.Parts) && in.Parts[n].Number == p.Number {
			m.parts = append(m.parts, *p)
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	small := 0
	for i, want := range in.Parts {
		if i >= len(m.parts) {
			return nil, fmt.Errorf("part %d: %w", want.Number, storage.ErrInvalidPart)
		}
		p := &m.parts[i]
		if p.ETag != want.ETag || want.Checksum != "" && want.Checksum != p.Checksum.Value {
			return nil, fmt.Errorf("part %d: %w", want.Number, storage.ErrInvalidPart)
		}
		if small == 0 && i < len(in.Parts)-1 && p.Size < in.MinPartSize {
			small = p.Number
		}
	}
	if small != 0 {
		return nil, fmt.Errorf("part %d: %w", small, storage.ErrPartTooSmall)
	}
	return m, nil
}

// completed finds the version that was completed from an upload. It is newer than the
// upload, so that older versions are not looked at.
func (s *Store) completed(ref storage.UploadRef) (*storage.Object, error) {
	bk, err := s.bucket(ref.Bucket)
	seq, _, ok := parseID(ref.ID)
	if err != nil || !ok {
		return nil, nil
	}
	lock := &s.keys[stripeOf(bk.id, ref.Key)]
	lock.RLock()
	defer lock.RUnlock()
	r, latest, err := s.find(bk, storage.Ref{Bucket: ref.Bucket, Key: ref.Key}, true)
	if err == nil && r != nil && r.uploadID == ref.ID {
		return r.object(ref.Key, latest), nil
	}
	var o *storage.Object
	if err == nil {
		lower := escapedKey(rangeVersion, bk.id, ref.Key)
		err = scan(s.db, lower, versionKey(bk.id, ref.Key, seq), func(_, v []byte) (bool, error) {
			r := new(record)
			if err := decodeRecord(r, v, bk.id, []byte(ref.Key), &arena{chunk: 64}, true); err != nil {
				return false, err
			}
			if r.uploadID == ref.ID {
				o = r.object(ref.Key, false)
			}
			return o == nil, nil
		})
	}
	if err != nil {
		return nil, s.noteDamage(fmt.Errorf("versions of %s/%s: %w", ref.Bucket, ref.Key, err))
	}
	return o, nil
}
