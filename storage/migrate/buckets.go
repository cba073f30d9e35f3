package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// know takes over a bucket that is not known yet. It asks the source only until all of its buckets are here.
func (s *Store) know(ctx context.Context, name string) error {
	s.mu.Lock()
	b, over, ready := s.buckets[name], s.state.Adopted, s.settings != nil
	s.mu.Unlock()
	if b == nil && (over || !ready) || b != nil && (b.stage() != stageSettings || b.isApplying(ready)) {
		return nil
	}
	return s.adopt(ctx, name)
}

func (b *bucket) stage() stage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rec.Stage
}

// isApplying tells whether the settings of the bucket are being set, through this very store, or can't be yet.
func (b *bucket) isApplying(ready bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.applying || !ready
}

func (b *bucket) setApplying(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.applying = on
}

// adopt takes a bucket of the source over, with its settings. A bucket that the source does not have is no error.
func (s *Store) adopt(ctx context.Context, name string) error {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	s.mu.Lock()
	b := s.buckets[name]
	s.mu.Unlock()
	if b != nil && b.stage() != stageSettings {
		return nil
	}
	info, err := s.source.Bucket(ctx, name)
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at bucket %s of the source: %w", name, err)
	}
	if b == nil {
		if b, err = s.register(ctx, info); err != nil {
			return err
		}
	}
	if b.stage() != stageSettings {
		return nil
	}
	if err := s.make(ctx, info); err != nil {
		return err
	}
	b.setApplying(true)
	notes, err := s.carry(ctx, info)
	b.setApplying(false)
	if err != nil {
		return err
	}
	return s.change(ctx, b, func(r *record) { r.Stage, r.Notes = stageCopying, notes })
}

// register begins the record of a bucket, before anything of it is here.
func (s *Store) register(ctx context.Context, info *storage.Bucket) (*bucket, error) {
	b := newBucket(info.Name)
	rec := record{Stage: stageSettings, Simple: info.Versioning == storage.VersioningUnset}
	_, err := s.local.Bucket(ctx, info.Name)
	switch {
	case err == nil:
		rec.Stage = stageForeign
		rec.Notes = []string{"not carried: there is a bucket of this name here already; delete or rename it and begin anew to take over that of the source"}
	case !errors.Is(err, storage.ErrNoSuchBucket):
		return nil, err
	}
	if err := s.change(ctx, b, func(r *record) { *r = rec }); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.buckets[info.Name] = b
	s.mu.Unlock()
	return b, nil
}

// make creates the bucket here, with what can't be set later.
func (s *Store) make(ctx context.Context, info *storage.Bucket) error {
	err := s.local.CreateBucket(ctx, storage.Bucket{
		Name: info.Name, Created: info.Created, Owner: s.o.Owner, Versioning: info.Versioning, ObjectLock: info.ObjectLock, Docs: map[string][]byte{},
	})
	if errors.Is(err, storage.ErrBucketExists) {
		return nil // it was cut off behind this
	}
	return err
}

// documents are the settings of buckets: sub-resources of S3, the files of MinIO's archives that have them, in the order in which
// they are to be set.
var documents = []struct{ name, file string }{
	{"versioning", "versioning.xml"}, // for what it may except
	{"object-lock", "object-lock.xml"},
	{"tagging", "tagging.xml"},
	{"ownershipControls", "ownership-controls.xml"},
	{"policy", "policy.json"},
	{"publicAccessBlock", "public-access-block.xml"},
	{"cors", "cors.xml"},
	{"encryption", "bucket-encryption.xml"},
	{"lifecycle", "lifecycle.xml"},
	{"notification", "notification.xml"},
	{"replication", "replication.xml"},
	{"website", "website.xml"},
	{"logging", "logging.xml"},
}

// carry sets here what is set there. It returns what could not be carried.
func (s *Store) carry(ctx context.Context, info *storage.Bucket) (notes []string, err error) {
	s.mu.Lock()
	settings := s.settings
	s.mu.Unlock()
	for _, d := range documents {
		doc, err := s.source.Document(ctx, info.Name, d.name)
		if errors.Is(err, storage.ErrUnavailable) {
			return nil, fmt.Errorf("read %s of bucket %s of the source: %w", d.name, info.Name, err)
		}
		if err == nil && doc != nil {
			err = settings.Apply(ctx, info.Name, d.file, doc)
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("not carried: %s: %v", d.name, err))
		}
	}
	return notes, nil
}

// adoptAll takes all buckets of the source over.
func (s *Store) adoptAll(ctx context.Context) error {
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	if st.Adopted {
		return nil
	}
	if err := eachBucket(ctx, s.source, func(b *storage.Bucket) error { return s.adopt(ctx, b.Name) }); err != nil {
		return err
	}
	return s.setState(ctx, func(st *state) { st.Adopted = true })
}

// setState alters the record of the migration.
func (s *Store) setState(ctx context.Context, f func(*state)) error {
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	f(&st)
	if err := s.save(ctx, stateKey, &st); err != nil {
		return fmt.Errorf("remember the migration: %w", err)
	}
	s.mu.Lock()
	s.state = st
	s.mu.Unlock()
	return nil
}

// Bucket implements storage.Buckets.
func (s *Store) Bucket(ctx context.Context, name string) (*storage.Bucket, error) {
	if err := s.know(ctx, name); err != nil {
		return nil, err
	}
	return s.local.Bucket(ctx, name)
}

// ListBuckets implements storage.Buckets.
func (s *Store) ListBuckets(ctx context.Context, prefix, after string, limit int) (list []*storage.Bucket, more bool, err error) {
	s.mu.Lock()
	ready := s.settings != nil
	s.mu.Unlock()
	if ready {
		if err := s.adoptAll(ctx); err != nil {
			return nil, false, err
		}
	}
	if limit <= 0 {
		return nil, false, nil
	}
	// The bucket of the state comes before all others.
	return s.local.ListBuckets(ctx, prefix, max(after, stateBucket), limit)
}

// CreateBucket implements storage.Buckets.
func (s *Store) CreateBucket(ctx context.Context, b storage.Bucket) error {
	if err := s.know(ctx, b.Name); err != nil {
		return err
	}
	s.mu.Lock()
	old := s.buckets[b.Name]
	s.mu.Unlock()
	if old != nil && old.stage() != stageGone {
		// Where the source's has been deleted, the new one is none of it.
		if _, err := s.local.Bucket(ctx, b.Name); err == nil {
			return fmt.Errorf("create bucket %q: %w", b.Name, storage.ErrBucketExists)
		}
		if err := s.change(ctx, old, func(r *record) { r.Stage = stageGone }); err != nil {
			return err
		}
	}
	return s.local.CreateBucket(ctx, b)
}

// UpdateBucket implements storage.Buckets.
func (s *Store) UpdateBucket(ctx context.Context, name string, change func(*storage.Bucket) error) error {
	if err := s.know(ctx, name); err != nil {
		return err
	}
	return s.local.UpdateBucket(ctx, name, change)
}

// DeleteBucket implements storage.Buckets. What is not here yet keeps a bucket from being empty.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	if err := s.know(ctx, name); err != nil {
		return err
	}
	if b := s.of(name); b != nil {
		p, err := s.ListVersions(ctx, storage.ListInput{Bucket: name, Limit: 1})
		if err != nil {
			return err
		}
		if len(p.Objects) > 0 {
			return fmt.Errorf("delete bucket %q: %w", name, storage.ErrBucketNotEmpty)
		}
	}
	if err := s.local.DeleteBucket(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	b := s.buckets[name]
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	return s.change(ctx, b, func(r *record) { r.Stage = stageGone })
}

// Usage implements storage.Buckets: of what is here.
func (s *Store) Usage(ctx context.Context, name string) (storage.Usage, error) {
	if err := s.know(ctx, name); err != nil {
		return storage.Usage{}, err
	}
	return s.local.Usage(ctx, name)
}
