package mem

import (
	"context"
	"fmt"
	"slices"

	"github.com/objsrv/objsrv/storage"
)

// AppendObject implements storage.Objects.
func (s *Store) AppendObject(_ context.Context, in storage.AppendInput) (*storage.Object, error) {
	if _, _, err := s.appendable(&in); err != nil { // what is told before the body has been read
		return nil, err
	}
	body, digest, err := readBody(in.Body, in.Size, in.Digest)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("append nothing to %q: %w", in.Key, storage.ErrSize)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, old, err := s.appendableLocked(&in)
	if err != nil {
		return nil, err
	}
	if old.obj.Stored != 0 && !digest.Coded {
		return nil, fmt.Errorf("append what is not coded to %q, which is: %w", in.Key, storage.ErrPrecondition)
	}
	parts := slices.Clone(old.parts)
	if parts == nil {
		parts = []storage.Part{{Size: old.obj.Size, Stored: old.obj.Stored, ETag: old.obj.ETag, Checksum: old.obj.Checksum, Modified: old.obj.Modified}}
	}
	last := parts[len(parts)-1].Number
	if in.Number != 0 && in.Number <= last {
		return nil, fmt.Errorf("append part %d behind %d to %q: %w", in.Number, last, in.Key, storage.ErrPrecondition)
	}
	p := storage.Part{Number: max(in.Number, last+1), Size: int64(len(body)), ETag: digest.ETag, Checksum: digest.Checksum, Modified: s.time()}
	if digest.Coded {
		p.Size, p.Stored = digest.Size, int64(len(body))
	}
	if old.obj.PartCount > 0 && (len(parts) >= in.MaxParts || p.Number > in.MaxParts) {
		return nil, fmt.Errorf("append to %q: %w", in.Key, storage.ErrTooManyParts)
	}
	whole, err := in.Whole(old.give(true), p)
	if err != nil {
		return nil, err
	}
	if in.Check != nil {
		if err := in.Check(old.give(true)); err != nil {
			return nil, err
		}
	}
	v := &version{obj: *old.give(false), body: slices.Concat(old.body, body), parts: append(parts, p)}
	v.obj.ETag, v.obj.Checksum, v.obj.UploadID = whole.ETag, whole.Checksum, ""
	v.obj.Size = old.obj.Size + p.Size
	if v.obj.Stored = int64(len(v.body)); v.obj.Stored == v.obj.Size {
		v.obj.Stored = 0
	}
	if v.obj.PartCount > 0 {
		v.obj.PartCount++
	}
	s.publish(b, v)
	return v.give(true), nil
}

func (s *Store) appendable(in *storage.AppendInput) (*bucket, *version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.appendableLocked(in)
}

func (s *Store) appendableLocked(in *storage.AppendInput) (*bucket, *version, error) {
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, nil, err
	}
	if b.info.Versioning != storage.VersioningUnset {
		return nil, nil, fmt.Errorf("append in a bucket with versioning: %w", storage.ErrNotSupported)
	}
	_, _, v, err := s.readable(storage.Ref{Bucket: in.Bucket, Key: in.Key})
	if err == nil && v.obj.Size != in.Offset {
		err = fmt.Errorf("append to %q at %d of %d: %w", in.Key, in.Offset, v.obj.Size, storage.ErrOffset)
	}
	return b, v, err
}
