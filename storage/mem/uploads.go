package mem

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// upload is an open multipart upload.
type upload struct {
	info  storage.Upload
	seq   uint64
	parts map[int]*part
}

// part is one part of an open upload; never changed, only replaced.
type part struct {
	info storage.Part
	body []byte
}

// give returns the upload, sharing nothing that a caller could change.
func (u *upload) give() *storage.Upload {
	c := u.info
	c.Meta.Attrs = slices.Clone(c.Meta.Attrs)
	c.Meta.Tags = slices.Clone(c.Meta.Tags)
	c.Meta.Props = maps.Clone(c.Meta.Props)
	return &c
}

// upload finds an open upload; the caller holds the lock.
func (s *Store) upload(ref storage.UploadRef) (*bucket, *upload, error) {
	if s.closed {
		return nil, nil, storage.ErrClosed
	}
	if b := s.buckets[ref.Bucket]; b != nil {
		for _, u := range b.uploads.at[ref.Key] {
			if u.info.ID == ref.ID {
				return b, u, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("upload %q of key %q: %w", ref.ID, ref.Key, storage.ErrNoSuchUpload)
}

// end removes an open upload and its parts; the caller holds the lock.
func (b *bucket) end(u *upload) {
	key := u.info.Key
	b.uploads.set(key, slices.DeleteFunc(slices.Clone(b.uploads.at[key]), func(o *upload) bool { return o == u }))
}

// CreateUpload implements storage.Uploads.
func (s *Store) CreateUpload(_ context.Context, in storage.UploadInput) (*storage.Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	seq := s.nextSeq()
	u := &upload{seq: seq, parts: map[int]*part{}, info: storage.Upload{
		UploadRef: storage.UploadRef{Bucket: in.Bucket, Key: in.Key, ID: formatID(seq)},
		Meta:      in.Meta, Initiator: in.Initiator, Begun: s.time(),
		ChecksumAlgorithm: in.ChecksumAlgorithm, ChecksumType: in.ChecksumType,
	}}
	u.info = *u.give() // the caller keeps its own metadata
	b.uploads.set(in.Key, append(slices.Clone(b.uploads.at[in.Key]), u))
	s.note(b, in.Key, u.info.Begun)
	return u.give(), nil
}

// Upload implements storage.Uploads.
func (s *Store) Upload(_ context.Context, ref storage.UploadRef) (*storage.Upload, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, err := s.upload(ref)
	if err != nil {
		return nil, err
	}
	return u.give(), nil
}

// PutPart implements storage.Uploads.
func (s *Store) PutPart(ctx context.Context, in storage.PartInput) (*storage.Part, error) {
	if _, err := s.Upload(ctx, in.Upload); err != nil {
		return nil, err
	}
	body, digest, err := readBody(in.Body, in.Size, in.Digest)
	if err != nil {
		return nil, err
	}
	return s.setPart(in.Upload, in.Number, body, digest)
}

// CopyPart implements storage.Uploads.
func (s *Store) CopyPart(ctx context.Context, in storage.CopyPartInput) (*storage.Part, error) {
	if _, err := s.Upload(ctx, in.Upload); err != nil {
		return nil, err
	}
	s.mu.RLock()
	_, _, src, err := s.source(in.Source, in.SourceETag)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	size := int64(len(src.body))
	if in.Off < 0 || in.Length < 0 || in.Off > size || in.Length > size-in.Off {
		return nil, fmt.Errorf("copy bytes %d+%d of %d: %w", in.Off, in.Length, size, storage.ErrSize)
	}
	body := src.body[in.Off : in.Off+in.Length]
	if _, err := in.Sum.Write(body); err != nil {
		return nil, fmt.Errorf("sum part: %w", err)
	}
	return s.setPart(in.Upload, in.Number, body, in.Digest())
}

// setPart stores a part in place of one of the same number.
func (s *Store) setPart(ref storage.UploadRef, number int, body []byte, d storage.Digest) (*storage.Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, u, err := s.upload(ref)
	if err != nil {
		return nil, err
	}
	p := &part{body: body, info: storage.Part{
		Number: number, Size: int64(len(body)), ETag: d.ETag, Modified: s.time(), Checksum: d.Checksum,
	}}
	if d.Coded {
		p.info.Size = d.Size
	}
	if n := int64(len(body)); n != p.info.Size {
		p.info.Stored = n
	}
	u.parts[number] = p
	info := p.info
	return &info, nil
}

// ListParts implements storage.Uploads.
func (s *Store) ListParts(_ context.Context, ref storage.UploadRef, after, limit int) ([]storage.Part, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, err := s.upload(ref)
	if err != nil || limit <= 0 {
		return nil, false, err
	}
	var list []storage.Part
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= after {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		list = append(list, u.parts[n].info)
	}
	return list, false, nil
}

// choose checks the parts that a CompleteUpload names and returns them.
func (u *upload) choose(in *storage.CompleteInput) ([]*part, error) {
	for i := 1; i < len(in.Parts); i++ {
		if in.Parts[i].Number <= in.Parts[i-1].Number {
			return nil, fmt.Errorf("part %d: %w", in.Parts[i].Number, storage.ErrPartOrder)
		}
	}
	if len(in.Parts) == 0 {
		return nil, fmt.Errorf("no parts: %w", storage.ErrInvalidPart)
	}
	var chosen []*part
	for _, want := range in.Parts {
		p := u.parts[want.Number]
		if p == nil || p.info.ETag != want.ETag || want.Checksum != "" && p.info.Checksum.Value != want.Checksum {
			return nil, fmt.Errorf("part %d: %w", want.Number, storage.ErrInvalidPart)
		}
		chosen = append(chosen, p)
	}
	for _, p := range chosen[:len(chosen)-1] {
		if p.info.Size < in.MinPartSize {
			return nil, fmt.Errorf("part %d: %w", p.info.Number, storage.ErrPartTooSmall)
		}
	}
	return chosen, nil
}

// completed finds the version that was made from an upload; the caller holds the lock.
func (s *Store) completed(ref storage.UploadRef) *storage.Object {
	b := s.buckets[ref.Bucket]
	if b == nil {
		return nil
	}
	for i, v := range b.objects.at[ref.Key] {
		if v.obj.UploadID != "" && v.obj.UploadID == ref.ID {
			return v.give(i == 0)
		}
	}
	return nil
}

// CompleteUpload implements storage.Uploads.
func (s *Store) CompleteUpload(_ context.Context, in storage.CompleteInput) (*storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, u, err := s.upload(in.Upload)
	if err != nil {
		if done := s.completed(in.Upload); done != nil {
			return done, nil
		}
		return nil, err
	}
	chosen, err := u.choose(&in)
	if err != nil {
		return nil, err
	}
	var parts []storage.Part
	var bodies [][]byte
	for _, p := range chosen {
		parts = append(parts, p.info)
		bodies = append(bodies, p.body)
	}
	digest, err := in.Digest(u.give(), slices.Clone(parts))
	if err != nil {
		return nil, err
	}
	if err := in.If.Check(b.current(in.Upload.Key)); err != nil {
		return nil, err
	}
	body := bytes.Join(bodies, nil)
	var size int64
	for i := range parts {
		size += parts[i].Size
	}
	digest.Coded = false // the parts have told
	v := &version{obj: newObject(in.Upload.Key, u.info.Meta, size, int64(len(body)), digest), body: body, parts: parts}
	v.obj.PartCount = len(parts)
	v.obj.UploadID = u.info.ID
	s.publish(b, v)
	b.end(u)
	return v.give(true), nil
}

// AbortUpload implements storage.Uploads.
func (s *Store) AbortUpload(_ context.Context, in storage.AbortInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, u, err := s.upload(in.Upload)
	if err != nil {
		return err
	}
	if !in.IfBegun.IsZero() && !in.IfBegun.Truncate(time.Second).Equal(u.info.Begun.Truncate(time.Second)) {
		return fmt.Errorf("upload %q was begun at another time: %w", in.Upload.ID, storage.ErrPrecondition)
	}
	b.end(u)
	return nil
}

// ListUploads implements storage.Lister.
func (s *Store) ListUploads(_ context.Context, in storage.ListInput) (*storage.UploadPage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	p := list(&b.uploads, in, view[*upload]{
		visible: func(uploads []*upload) []*upload { return uploads },
		behind: func(uploads []*upload, id string) []*upload {
			if seq, ok := parseID(id); ok {
				for len(uploads) > 0 && uploads[0].seq <= seq {
					uploads = uploads[1:]
				}
			}
			return uploads
		},
		id: func(u *upload) string { return u.info.ID },
	})
	out := &storage.UploadPage{
		Uploads: make([]storage.Upload, len(p.entries)), Prefixes: p.prefixes,
		Truncated: p.truncated, NextAfter: p.nextAfter, NextID: p.nextID,
	}
	for i, u := range p.entries {
		out.Uploads[i] = u.info
		out.Uploads[i].Meta = storage.Meta{Owner: u.info.Meta.Owner, Class: u.info.Meta.Class}
	}
	return out, nil
}
