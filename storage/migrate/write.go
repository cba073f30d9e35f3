package migrate

import (
	"context"
	"fmt"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

// first settles a key before a request that changes it. A write that replaces the one version that a key has needs no copy.
func (s *Store) first(ctx context.Context, name, key string, replaces bool) error {
	if err := s.know(ctx, name); err != nil {
		return err
	}
	b := s.of(name)
	if b == nil {
		return nil
	}
	if replaces && b.view().simple {
		info, err := s.local.Bucket(ctx, name)
		if err != nil || info.Versioning == storage.VersioningUnset {
			return err
		}
	}
	return s.settle(ctx, b, key)
}

// after follows a write that may have replaced what could not be copied.
func (s *Store) after(ctx context.Context, name, key string, err error) error {
	if b := s.of(name); err == nil && b != nil && b.failed(key) {
		return s.mark(ctx, b, key, true)
	}
	return err
}

// PutObject implements storage.Objects.
func (s *Store) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	if err := s.first(ctx, in.Bucket, in.Key, in.If.Zero()); err != nil {
		return nil, err
	}
	o, err := s.local.PutObject(ctx, in)
	return o, s.after(ctx, in.Bucket, in.Key, err)
}

// CopyObject implements storage.Objects. The source of the copy comes here first.
func (s *Store) CopyObject(ctx context.Context, in storage.CopyInput) (*storage.Object, error) {
	if err := s.first(ctx, in.Source.Bucket, in.Source.Key, false); err != nil {
		return nil, err
	}
	if err := s.first(ctx, in.Bucket, in.Key, in.If.Zero()); err != nil {
		return nil, err
	}
	o, err := s.local.CopyObject(ctx, in)
	return o, s.after(ctx, in.Bucket, in.Key, err)
}

// RenameObject implements storage.Objects.
func (s *Store) RenameObject(ctx context.Context, in storage.RenameInput) (*storage.Object, storage.DeleteResult, error) {
	for _, key := range []string{in.Source, in.Key} {
		err := s.first(ctx, in.Bucket, key, false)
		if err == nil {
			err = s.touch(ctx, in.Bucket, key)
		}
		if err != nil {
			return nil, storage.DeleteResult{}, err
		}
	}
	return s.local.RenameObject(ctx, in)
}

// AppendObject implements storage.Objects.
func (s *Store) AppendObject(ctx context.Context, in storage.AppendInput) (*storage.Object, error) {
	if err := s.alter(ctx, storage.Ref{Bucket: in.Bucket, Key: in.Key}); err != nil {
		return nil, err
	}
	return s.local.AppendObject(ctx, in)
}

// SetTags implements storage.Objects.
func (s *Store) SetTags(ctx context.Context, ref storage.Ref, tags []storage.Tag) (*storage.Object, error) {
	if err := s.alter(ctx, ref); err != nil {
		return nil, err
	}
	return s.local.SetTags(ctx, ref, tags)
}

// SetProps implements storage.Objects.
func (s *Store) SetProps(ctx context.Context, ref storage.Ref, change func(*storage.Object) (map[string]string, error)) (*storage.Object, error) {
	if err := s.alter(ctx, ref); err != nil {
		return nil, err
	}
	return s.local.SetProps(ctx, ref, change)
}

// alter settles a key of which a request changes a version.
func (s *Store) alter(ctx context.Context, ref storage.Ref) error {
	if err := s.first(ctx, ref.Bucket, ref.Key, false); err != nil {
		return err
	}
	return s.touch(ctx, ref.Bucket, ref.Key)
}

// deletions is how many keys of one request are settled at once: marks share syncs.
const deletions = 32

// DeleteObjects implements storage.Objects.
func (s *Store) DeleteObjects(ctx context.Context, name string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	if err := s.know(ctx, name); err != nil {
		return nil, err
	}
	info, err := s.local.Bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(in))
	slots := make(chan struct{}, deletions)
	var wg sync.WaitGroup
	for i := range in {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = s.beforeDelete(ctx, info, &in[i])
		})
	}
	wg.Wait()
	return s.deleteRest(ctx, name, in, errs)
}

// deleteRest deletes what is not refused yet.
func (s *Store) deleteRest(ctx context.Context, name string, in []storage.DeleteInput, errs []error) ([]storage.DeleteResult, error) {
	out := make([]storage.DeleteResult, len(in))
	var rest []storage.DeleteInput
	var at []int
	for i := range in {
		if errs[i] != nil {
			out[i].Err = fmt.Errorf("delete %s/%q: %w", name, in[i].Key, errs[i])
			continue
		}
		rest, at = append(rest, in[i]), append(at, i)
	}
	res, err := s.local.DeleteObjects(ctx, name, rest)
	if err != nil {
		return nil, err
	}
	for i := range res {
		out[at[i]] = res[i]
	}
	return out, nil
}

// beforeDelete settles the key of one deletion, and leaves a mark where it may remove something for good.
func (s *Store) beforeDelete(ctx context.Context, info *storage.Bucket, in *storage.DeleteInput) error {
	b := s.of(info.Name)
	if b == nil {
		if in.Version == "" && info.Versioning == storage.VersioningEnabled {
			return nil
		}
		return s.touch(ctx, info.Name, in.Key)
	}
	if b.view().simple && info.Versioning == storage.VersioningUnset && in.If.Zero() && (in.Version == "" || in.Version == storage.NullVersion) {
		return s.claim(ctx, b, in.Key)
	}
	if err := s.settle(ctx, b, in.Key); err != nil {
		return err
	}
	if in.Version == "" && info.Versioning == storage.VersioningEnabled {
		return nil
	}
	return s.touch(ctx, info.Name, in.Key)
}
