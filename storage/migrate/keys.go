package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// id names a key.
type id struct{ bucket, key string }

func markKey(bucket, key string) string { return markPrefix + bucket + "/" + key }

// touched is the content of a mark whose key a request has changed or removed versions of.
const touched = "touched"

// of returns the source's part of a bucket; nil when the local store alone answers for it.
func (s *Store) of(name string) *bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rec.Stage == stageForeign || b.rec.Stage == stageGone || b.rec.Stage == stageDone && len(b.fail) == 0 {
		return nil
	}
	return b
}

// mark settles a key for good. With touch it also notes that a request has changed what it holds.
func (s *Store) mark(ctx context.Context, b *bucket, key string, touch bool) error {
	var content []byte
	if touch {
		content = []byte(touched)
	}
	if err := s.put(ctx, markKey(b.name, key), content); err != nil {
		return fmt.Errorf("mark %s/%q: %w", b.name, key, err)
	}
	b.marked(key)
	if b.failed(key) {
		return s.forgive(ctx, b, key)
	}
	return nil
}

// touch notes that a request changes what a key holds, so that a later comparison with the source does not wonder.
func (s *Store) touch(ctx context.Context, name, key string) error {
	s.mu.Lock()
	b := s.buckets[name]
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	return s.mark(ctx, b, key, true)
}

// blame remembers why a key can't be copied.
func (s *Store) blame(ctx context.Context, b *bucket, key string, why error) error {
	text := why.Error()
	if err := s.save(ctx, failPrefix+b.name+"/"+key, text); err != nil {
		return err
	}
	b.mu.Lock()
	b.fail[key] = text
	b.mu.Unlock()
	s.o.Report("an object of the source is not copied", fmt.Errorf("%s/%q: %w", b.name, key, why))
	return nil
}

// forgive forgets that a key failed: it is settled now.
func (s *Store) forgive(ctx context.Context, b *bucket, key string) error {
	if _, err := s.local.DeleteObjects(ctx, stateBucket, []storage.DeleteInput{{Key: failPrefix + b.name + "/" + key}}); err != nil {
		return fmt.Errorf("forget a failure: %w", err)
	}
	b.mu.Lock()
	delete(b.fail, key)
	b.mu.Unlock()
	return s.conclude(ctx, true)
}

// side is where a read of a key goes: the local store, or the source when it is not here.
func (s *Store) side(ctx context.Context, ref storage.Ref) (b *bucket, here bool, err error) {
	if err := s.know(ctx, ref.Bucket); err != nil {
		return nil, false, err
	}
	b = s.of(ref.Bucket)
	return b, b == nil || b.settled(ref.Key), nil
}

// either reads a version from the side that has it.
func either[T any](s *Store, ctx context.Context, ref storage.Ref, local, source func() (T, error)) (T, error) {
	b, here, err := s.side(ctx, ref)
	if err != nil {
		var none T
		return none, err
	}
	if here {
		return local()
	}
	if b.view().simple {
		// What is here has replaced what is there.
		v, err := local()
		if !errors.Is(err, storage.ErrNoSuchKey) && !errors.Is(err, storage.ErrNoSuchVersion) {
			return v, err
		}
		var marker *storage.MarkerError
		if errors.As(err, &marker) {
			return v, err
		}
	}
	return source()
}
