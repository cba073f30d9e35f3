package fs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// bucket is a bucket as it is kept in memory.
type bucket struct {
	id   uint64
	info atomic.Pointer[storage.Bucket]
	// mu is held shared while something is published in the bucket and exclusively
	// while its settings change or it is deleted.
	mu   sync.RWMutex
	gone bool
	use  [4]atomic.Int64 // as the counters in the index, once durable
}

// usage is a change of a bucket's counters.
type usage struct{ objects, versions, markers, bytes int64 }

func (u usage) zero() bool { return u == usage{} }

func (b *bucket) add(u usage) {
	for i, n := range [...]int64{u.objects, u.versions, u.markers, u.bytes} {
		if n != 0 {
			b.use[i].Add(n)
		}
	}
}

// bucketTable holds all buckets, for reading without a lock.
type bucketTable struct {
	mu  sync.Mutex // held while the set of buckets changes
	cur atomic.Pointer[bucketSet]
}

type bucketSet struct {
	byName map[string]*bucket
	names  []string // in order
}

func newBucketSet(m map[string]*bucket) *bucketSet {
	return &bucketSet{byName: m, names: slices.Sorted(maps.Keys(m))}
}

// load reads all buckets and their counters.
func (t *bucketTable) load(db *pebble.DB) error {
	m := map[string]*bucket{}
	err := scan(db, []byte{rangeBucket}, []byte{rangeBucket + 1}, func(k, v []byte) (bool, error) {
		id, info, err := decodeBucket(string(k[1:]), v)
		if err != nil {
			return false, err
		}
		b := &bucket{id: id}
		b.info.Store(info)
		m[info.Name] = b
		ck := countKey(id)
		_, err = get(db, ck, func(v []byte) error {
			sum, _, err := decodeSum(ck, v)
			for i := range b.use {
				b.use[i].Store(sum[i])
			}
			return err
		})
		return true, err
	})
	if err != nil {
		return fmt.Errorf("load buckets: %w", err)
	}
	t.cur.Store(newBucketSet(m))
	return nil
}

// bucket finds a bucket by name.
func (s *Store) bucket(name string) (*bucket, error) {
	if b := s.buckets.cur.Load().byName[name]; b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("bucket %q: %w", name, storage.ErrNoSuchBucket)
}

// share takes the bucket's lock for a publication; ErrNoSuchBucket when it has been
// deleted meanwhile.
func (b *bucket) share() error {
	b.mu.RLock()
	if b.gone {
		b.mu.RUnlock()
		return fmt.Errorf("bucket %q: %w", b.info.Load().Name, storage.ErrNoSuchBucket)
	}
	return nil
}

// CreateBucket implements storage.Buckets.
func (s *Store) CreateBucket(_ context.Context, in storage.Bucket) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	t := &s.buckets
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.cur.Load()
	if old.byName[in.Name] != nil {
		return fmt.Errorf("create bucket %q: %w", in.Name, storage.ErrBucketExists)
	}
	if err := s.space.take(blockSize); err != nil {
		return err
	}
	info := cloneBucket(&in)
	if info.Created.IsZero() {
		info.Created = s.opts.Now()
	}
	info.Created = info.Created.Truncate(time.Millisecond).UTC()
	id, err := s.seq.take()
	if err != nil {
		return err
	}
	if err := s.setBucket(id, info); err != nil {
		return err
	}
	b := &bucket{id: id}
	b.info.Store(info)
	m := maps.Clone(old.byName)
	m[in.Name] = b
	t.cur.Store(newBucketSet(m))
	return nil
}

// cloneBucket copies a bucket so that nothing of it can be changed from outside.
func cloneBucket(b *storage.Bucket) *storage.Bucket {
	c := b.Clone()
	for k, v := range c.Docs {
		c.Docs[k] = slices.Clone(v)
	}
	return c
}

func (s *Store) setBucket(id uint64, info *storage.Bucket) error {
	b := s.db.NewBatch()
	defer b.Close()
	_ = b.Set(bucketKey(info.Name), encodeBucket(id, info), nil)
	return s.commit(b)
}

// Bucket implements storage.Buckets.
func (s *Store) Bucket(_ context.Context, name string) (*storage.Bucket, error) {
	if s.closed.Load() {
		return nil, storage.ErrClosed
	}
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	return b.info.Load(), nil
}

// ListBuckets implements storage.Buckets.
func (s *Store) ListBuckets(_ context.Context, prefix, after string, limit int) ([]*storage.Bucket, bool, error) {
	if s.closed.Load() {
		return nil, false, storage.ErrClosed
	}
	if limit <= 0 {
		return nil, false, nil
	}
	set := s.buckets.cur.Load()
	i, found := slices.BinarySearch(set.names, max(prefix, after))
	if found && after >= prefix && after != "" {
		i++
	}
	var list []*storage.Bucket
	for ; i < len(set.names) && strings.HasPrefix(set.names[i], prefix); i++ {
		if len(list) == limit {
			return list, true, nil
		}
		list = append(list, set.byName[set.names[i]].info.Load())
	}
	return list, false, nil
}

// UpdateBucket implements storage.Buckets. Changes of Name and Created are undone.
func (s *Store) UpdateBucket(_ context.Context, name string, change func(*storage.Bucket) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.info.Load()
	if b.gone {
		return fmt.Errorf("bucket %q: %w", name, storage.ErrNoSuchBucket)
	}
	info := cloneBucket(old)
	if err := change(info); err != nil {
		return err
	}
	info.Name, info.Created = old.Name, old.Created
	if info.Versioning == storage.VersioningUnset && old.Versioning != storage.VersioningUnset {
		return fmt.Errorf("update bucket %q: versioning can be suspended, not unset", name)
	}
	info = cloneBucket(info) // change may have kept what it was given
	if err := s.space.take(blockSize); err != nil {
		return err
	}
	if err := s.setBucket(b.id, info); err != nil {
		return err
	}
	b.info.Store(info)
	return nil
}

// DeleteBucket implements storage.Buckets.
func (s *Store) DeleteBucket(_ context.Context, name string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	t := &s.buckets
	t.mu.Lock()
	defer t.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rng := range []byte{rangeObject, rangeVersion} {
		lower := keyOf(rng, b.id)
		empty := true
		err := scan(s.db, lower, successor(lower), func(_, _ []byte) (bool, error) { empty = false; return false, nil })
		if err != nil {
			return s.noteDamage(fmt.Errorf("delete bucket %q: %w", name, err))
		}
		if !empty {
			return fmt.Errorf("delete bucket %q: %w", name, storage.ErrBucketNotEmpty)
		}
	}
	e := s.edit(b)
	defer e.close()
	if err := e.dropUploads(); err != nil {
		return s.noteDamage(fmt.Errorf("delete bucket %q: %w", name, err))
	}
	_ = e.b.Delete(bucketKey(name), nil)
	_ = e.b.Delete(countKey(b.id), nil)
	if err := e.dropNotes(); err != nil {
		return s.noteDamage(fmt.Errorf("delete bucket %q: %w", name, err))
	}
	if err := e.commit(); err != nil {
		return err
	}
	b.gone = true
	m := maps.Clone(t.cur.Load().byName)
	delete(m, name)
	t.cur.Store(newBucketSet(m))
	return nil
}

// Usage implements storage.Buckets.
func (s *Store) Usage(_ context.Context, name string) (storage.Usage, error) {
	if s.closed.Load() {
		return storage.Usage{}, storage.ErrClosed
	}
	b, err := s.bucket(name)
	if err != nil {
		return storage.Usage{}, err
	}
	return storage.Usage{
		Objects: b.use[0].Load(), Versions: b.use[1].Load(), Markers: b.use[2].Load(), Bytes: b.use[3].Load(),
	}, nil
}
