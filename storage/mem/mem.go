// Package mem is the reference model of storage.Backend: maps and sorted slices
// under one mutex, nothing clever, so that it can be read against the contract in
// package storage sentence by sentence. The conformance suite compares the other
// implementations with it, and tests of protocols use it as their backend.
//
// It keeps everything in memory and forgets it when the process ends. It imports
// package storage alone.
package mem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Options sets up a Store.
type Options struct {
	// Now tells the time that buckets, versions, uploads and parts are stamped with;
	// nil for time.Now. The order of versions does not depend on it.
	Now func() time.Time
	// Day is the length of a day of the calendar (storage.Calendar); 0 for 24 hours.
	Day time.Duration
}

// Store is a storage.Backend in memory.
type Store struct {
	now func() time.Time
	day time.Duration

	mu      sync.RWMutex // guards everything below
	closed  bool
	seq     uint64 // of the latest version or upload; only ever grows
	buckets map[string]*bucket
}

var _ storage.Backend = (*Store)(nil)

// bucket is a bucket and all that is in it.
type bucket struct {
	info    *storage.Bucket // replaced as a whole, never changed in place
	objects index[*version] // newest first
	uploads index[*upload]  // oldest first
	notes   map[storage.Note]bool
}

// New makes an empty store.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Day == 0 {
		o.Day = 24 * time.Hour
	}
	return &Store{now: o.Now, day: o.Day, buckets: map[string]*bucket{}}
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.buckets = nil
	return nil
}

// time is what a change made now is stamped with.
func (s *Store) time() time.Time { return s.now().UTC().Round(0) }

// nextSeq numbers a new version or upload. The caller holds the lock.
func (s *Store) nextSeq() uint64 {
	s.seq++
	return s.seq
}

// bucket finds a bucket; the caller holds the lock.
func (s *Store) bucket(name string) (*bucket, error) {
	if s.closed {
		return nil, storage.ErrClosed
	}
	b := s.buckets[name]
	if b == nil {
		return nil, fmt.Errorf("bucket %q: %w", name, storage.ErrNoSuchBucket)
	}
	return b, nil
}

// CreateBucket implements storage.Buckets.
func (s *Store) CreateBucket(_ context.Context, b storage.Bucket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	if s.buckets[b.Name] != nil {
		return fmt.Errorf("create bucket %q: %w", b.Name, storage.ErrBucketExists)
	}
	info := b.Clone()
	if info.Created.IsZero() {
		info.Created = s.time()
	}
	s.buckets[b.Name] = &bucket{info: info}
	return nil
}

// Bucket implements storage.Buckets.
func (s *Store) Bucket(_ context.Context, name string) (*storage.Bucket, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	return b.info, nil
}

// ListBuckets implements storage.Buckets.
func (s *Store) ListBuckets(_ context.Context, prefix, after string, limit int) ([]*storage.Bucket, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, storage.ErrClosed
	}
	var list []*storage.Bucket
	for name, b := range s.buckets {
		if strings.HasPrefix(name, prefix) && name > after {
			list = append(list, b.info)
		}
	}
	slices.SortFunc(list, func(a, b *storage.Bucket) int { return strings.Compare(a.Name, b.Name) })
	if limit <= 0 {
		return nil, false, nil
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// UpdateBucket implements storage.Buckets. A change of Name or Created is undone; one
// of Versioning back to VersioningUnset is an error.
func (s *Store) UpdateBucket(_ context.Context, name string, change func(*storage.Bucket) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	info := b.info.Clone()
	if err := change(info); err != nil {
		return err
	}
	if info.Versioning == storage.VersioningUnset && b.info.Versioning != storage.VersioningUnset {
		return fmt.Errorf("update bucket %q: versioning can be suspended, not unset", name)
	}
	info.Name, info.Created = b.info.Name, b.info.Created
	b.info = info.Clone() // change may have kept the map
	return nil
}

// DeleteBucket implements storage.Buckets.
func (s *Store) DeleteBucket(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	if len(b.objects.keys) > 0 {
		return fmt.Errorf("delete bucket %q: %w", name, storage.ErrBucketNotEmpty)
	}
	delete(s.buckets, name)
	return nil
}

// Usage implements storage.Buckets. It counts anew each time, which can't go wrong.
func (s *Store) Usage(_ context.Context, name string) (storage.Usage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var u storage.Usage
	b, err := s.bucket(name)
	if err != nil {
		return u, err
	}
	for _, versions := range b.objects.at {
		for i, v := range versions {
			switch {
			case v.obj.DeleteMarker:
				u.Markers++
			case i == 0:
				u.Objects++
				fallthrough
			default:
				u.Versions++
				u.Bytes += v.obj.Size
			}
		}
	}
	return u, nil
}

// Clone returns an independent copy of the store, for tests that must reckon with two
// outcomes of one call.
func (s *Store) Clone() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{now: s.now, day: s.day, closed: s.closed, seq: s.seq, buckets: map[string]*bucket{}}
	for name, b := range s.buckets {
		n := &bucket{info: b.info, notes: maps.Clone(b.notes)}
		for _, key := range b.objects.keys {
			n.objects.set(key, copyEach(b.objects.at[key]))
		}
		for _, key := range b.uploads.keys {
			ups := copyEach(b.uploads.at[key])
			for _, u := range ups {
				u.parts = maps.Clone(u.parts)
			}
			n.uploads.set(key, ups)
		}
		c.buckets[name] = n
	}
	return c
}

// copyEach copies what a list points at.
func copyEach[V any](list []*V) []*V {
	out := make([]*V, len(list))
	for i, v := range list {
		c := *v
		out[i] = &c
	}
	return out
}
