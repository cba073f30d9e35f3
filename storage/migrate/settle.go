package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/objsrv/objsrv/storage"
)

// flight is the work on one key, of which there is one at a time.
type flight struct {
	done   chan struct{}
	cancel context.CancelCauseFunc
	urgent atomic.Bool // a request waits for it
}

// errClaimed ends a copy that nobody wants any more: its key is being deleted.
var errClaimed = errors.New("the key is being deleted")

// enter makes the caller the one who works on a key, or returns who does. ctx is for the work.
func (s *Store) enter(ctx context.Context, k id) (context.Context, *flight, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights[k]; f != nil {
		return nil, f, false
	}
	f := &flight{done: make(chan struct{})}
	ctx, f.cancel = context.WithCancelCause(ctx)
	s.flights[k] = f
	return ctx, f, true
}

func (s *Store) leave(k id, f *flight) {
	s.mu.Lock()
	delete(s.flights, k)
	s.mu.Unlock()
	f.cancel(context.Canceled)
	close(f.done)
}

// settle brings everything that the source has of a key here, unless that has happened, and marks the key.
func (s *Store) settle(ctx context.Context, b *bucket, key string) error {
	k := id{b.name, key}
	for {
		if b.settled(key) {
			return nil
		}
		// The work goes on when the request is given up: what is copied stays copied.
		work, f, mine := s.enter(s.ctx, k)
		if !mine {
			f.urgent.Store(true)
			select {
			case <-f.done:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		f.urgent.Store(true)
		out := make(chan error, 1)
		if !s.spawn(func() {
			err := s.bring(work, b, key, f)
			if errors.Is(context.Cause(work), errClaimed) {
				err = errClaimed
			}
			s.leave(k, f)
			out <- err
		}, nil) {
			s.leave(k, f)
			return storage.ErrClosed
		}
		select {
		case err := <-out:
			if errors.Is(err, errClaimed) {
				continue
			}
			if err != nil {
				return fmt.Errorf("bring %s/%q here from the source: %w", b.name, key, err)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// bring is settle for who has entered.
func (s *Store) bring(ctx context.Context, b *bucket, key string, f *flight) error {
	if b.settled(key) {
		return nil
	}
	list, err := s.history(ctx, b, key)
	if err != nil {
		return err
	}
	if _, err := s.copyKey(ctx, b, key, list, f); err != nil {
		return err
	}
	return s.mark(ctx, b, key, false)
}

// history lists what the source has of a key, newest first.
func (s *Store) history(ctx context.Context, b *bucket, key string) ([]storage.Object, error) {
	return versions(ctx, s.source, b.name, key)
}

// versionLister is what history needs of a side.
type versionLister interface {
	ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error)
}

// versions lists all versions of one key.
func versions(ctx context.Context, l versionLister, bucket, key string) ([]storage.Object, error) {
	var list []storage.Object
	// The key is the first of those that begin with it, and most have few versions.
	in := storage.ListInput{Bucket: bucket, Prefix: key, Limit: 20}
	for {
		p, err := l.ListVersions(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range p.Objects {
			if p.Objects[i].Key != key {
				return list, nil
			}
			list = append(list, p.Objects[i])
		}
		if !p.Truncated {
			return list, nil
		}
		in.After, in.AfterID, in.Limit = p.NextAfter, p.NextID, 1000
	}
}

// claim settles a key of which neither side keeps versions without copying it: it is to be deleted. A copy
// that is under way is ended.
func (s *Store) claim(ctx context.Context, b *bucket, key string) error {
	k := id{b.name, key}
	for {
		_, f, mine := s.enter(ctx, k)
		if mine {
			defer s.leave(k, f)
			return s.mark(ctx, b, key, true)
		}
		f.cancel(errClaimed)
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// copyKey copies what is not here of a key's versions (newest first), oldest first.
func (s *Store) copyKey(ctx context.Context, b *bucket, key string, list []storage.Object, f *flight) (copied amount, err error) {
	have, err := versions(ctx, s.local, b.name, key)
	if err != nil {
		return copied, err
	}
	if b.view().simple && len(have) > 0 {
		return copied, nil // what is here has replaced it, or is it
	}
	known := make(map[string]bool, len(have))
	for i := range have {
		known[have[i].VersionID] = true
	}
	for _, v := range slices.Backward(list) {
		if known[v.VersionID] {
			continue
		}
		err := s.copyVersion(ctx, b, &v, f)
		if errors.Is(err, storage.ErrPrecondition) {
			continue // it has come meanwhile, or been replaced
		}
		if err != nil {
			if cause := context.Cause(ctx); errors.Is(cause, errClaimed) {
				err = cause
			}
			return copied, fmt.Errorf("version %q: %w", v.VersionID, err)
		}
		copied.add(1, v.Size)
		s.meter.add(s.o.Now(), v.Size)
	}
	return copied, nil
}
