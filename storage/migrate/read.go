package migrate

import (
	"context"

	"github.com/objsrv/objsrv/storage"
)

// opened is what a read gives.
type opened struct {
	o *storage.Object
	c storage.Content
}

// GetObject implements storage.Objects.
func (s *Store) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	v, err := either(s, ctx, ref, func() (v opened, err error) {
		v.o, v.c, err = s.local.GetObject(ctx, ref)
		return v, err
	}, func() (v opened, err error) {
		v.o, v.c, err = s.source.GetObject(ctx, ref)
		plain(v.o)
		return v, err
	})
	return v.o, v.c, err
}

// OpenPart implements storage.PartReader.
func (s *Store) OpenPart(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	v, err := either(s, ctx, ref, func() (v opened, err error) {
		v.o, v.c, err = s.local.GetObject(ctx, ref)
		return v, err
	}, func() (v opened, err error) {
		v.o, v.c, err = s.source.OpenPart(ctx, ref)
		plain(v.o)
		return v, err
	})
	return v.o, v.c, err
}

// StatObject implements storage.Objects.
func (s *Store) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	return either(s, ctx, ref,
		func() (*storage.Object, error) { return s.local.StatObject(ctx, ref) },
		func() (*storage.Object, error) {
			o, err := s.source.StatObject(ctx, ref)
			plain(o)
			return o, err
		})
}

// Parts implements storage.Objects.
func (s *Store) Parts(ctx context.Context, ref storage.Ref) ([]storage.Part, error) {
	return either(s, ctx, ref,
		func() ([]storage.Part, error) { return s.local.Parts(ctx, ref) },
		func() ([]storage.Part, error) { return s.source.Parts(ctx, ref) })
}
