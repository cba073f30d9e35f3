package fs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/objsrv/objsrv/storage"
)

// RenameObject implements storage.Objects. It is a copy that shares what blobs there are and the deletion of the
// source, in one commit: a file of the source names the key that it was written for, and so can't become
// the content of another.
func (s *Store) RenameObject(_ context.Context, in storage.RenameInput) (o *storage.Object, source storage.DeleteResult, err error) {
	if err := s.enter(); err != nil {
		return nil, source, err
	}
	defer s.leave()
	for attempt := 1; ; attempt++ {
		o, source, err = s.renameObject(&in)
		if own, ok := err.(callerError); ok {
			return nil, source, own.error
		}
		if errors.Is(err, errSourceGone) && attempt < copyAttempts {
			continue
		}
		if errors.Is(err, errSourceGone) {
			err = fmt.Errorf("%w: %w", storage.ErrPrecondition, err)
		}
		if err != nil {
			return nil, source, fmt.Errorf("rename %s/%s to %s: %w", in.Bucket, in.Source, in.Key, err)
		}
		return o, source, nil
	}
}

func (s *Store) renameObject(in *storage.RenameInput) (o *storage.Object, source storage.DeleteResult, err error) {
	if in.Source == in.Key {
		return nil, source, fmt.Errorf("onto itself: %w", storage.ErrNotSupported)
	}
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, source, err
	}
	src, err := s.openSource(storage.Ref{Bucket: in.Bucket, Key: in.Source}, "")
	if err != nil {
		return nil, source, err
	}
	defer src.c.Close()
	if err := s.space.take(int64(len(src.c.data)) + 2*blockSize); err != nil {
		return nil, source, err
	}
	from := src.rec
	p := &publication{key: in.Key, cond: new(storage.Conditions)}
	p.rec = s.newRecord(&storage.Meta{
		Owner: from.owner, Class: from.class, Attrs: from.attrs, Tags: from.tags, Props: in.Props,
	}, from.size, from.stored, storage.Digest{ETag: from.etag, Checksum: from.checksum})
	if bk.info.Load().Versioning == storage.VersioningUnset {
		p.rec.modified = from.modified
	}
	p.check = func(cur *record) error { return src.mayMove(s, in, cur) }
	share := func(*edit) error { return nil }
	if data, ok := src.c.Bytes(); ok {
		p.rec.place, p.inline = from.place, data
	} else {
		m := src.copyManifest(false)
		p.rec.partCount = from.partCount
		if err := s.addManifest(bk, p, m); err != nil {
			return nil, source, err
		}
		share = p.with
	}
	p.with = func(e *edit) error {
		for _, x := range src.c.extents {
			e.addRef(x.blob)
		}
		if err := share(e); err != nil {
			return err
		}
		var err error
		source, err = e.delete(&storage.DeleteInput{Key: in.Source, Owner: in.Owner})
		return errors.Join(err, source.Err)
	}
	o, err = s.publishBlob(bk, p, stripeOf(bk.id, in.Source), stripeOf(bk.id, in.Key))
	return o, source, err
}

// same tells whether r is the version o with all that was known of it.
func (r *record) same(o *record) bool {
	return r.seq == o.seq && r.rnd == o.rnd && r.place == o.place && r.loc == o.loc && r.marker == o.marker &&
		slices.Equal(r.attrs, o.attrs) && slices.Equal(r.tags, o.tags) && maps.Equal(r.props, o.props)
}

// mayMove checks under the locks of both keys that the source is still the current version of its key, and asks the
// caller.
func (src *source) mayMove(s *Store, in *storage.RenameInput, cur *record) error {
	r, _, err := s.find(src.bk, storage.Ref{Bucket: in.Bucket, Key: in.Source}, true)
	if err != nil {
		return err
	}
	if r == nil || !r.same(src.rec) {
		return errSourceGone
	}
	if in.Check == nil {
		return nil
	}
	var to *storage.Object
	if cur != nil {
		to = cur.object(in.Key, true)
	}
	if err := in.Check(r.object(in.Source, true), to); err != nil {
		return callerError{err}
	}
	return nil
}
