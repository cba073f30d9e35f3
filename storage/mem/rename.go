package mem

import (
	"context"
	"fmt"
	"maps"

	"github.com/objsrv/objsrv/storage"
)

// RenameObject implements storage.Objects.
func (s *Store) RenameObject(_ context.Context, in storage.RenameInput) (o *storage.Object, source storage.DeleteResult, err error) {
	if in.Source == in.Key {
		return nil, source, fmt.Errorf("rename %q onto itself: %w", in.Key, storage.ErrNotSupported)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, _, src, err := s.readable(storage.Ref{Bucket: in.Bucket, Key: in.Source})
	if err != nil {
		return nil, source, err
	}
	if in.Check != nil {
		to := b.current(in.Key)
		if to != nil && to.DeleteMarker {
			to = nil
		}
		if err := in.Check(src.give(true), to); err != nil {
			return nil, source, err
		}
	}
	v := &version{obj: *src.give(false), body: src.body, parts: src.parts}
	v.obj.Key, v.obj.UploadID, v.obj.Props = in.Key, "", maps.Clone(in.Props)
	s.publish(b, v)
	if b.info.Versioning == storage.VersioningUnset {
		v.obj.Modified = src.obj.Modified
		s.note(b, in.Key, v.obj.Modified)
	}
	source = s.delete(b, &storage.DeleteInput{Key: in.Source, Owner: in.Owner})
	return v.give(true), source, nil
}
