package iam

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// sharing is what a service does about a store that other processes write as well: it knows how
// old its memory may be, and finds sessions that others have issued a moment ago. Nil for a store
// of the process's own.
type sharing struct {
	trust time.Duration
	began time.Time

	mu    sync.Mutex
	fresh time.Duration       // after began, when memory was last known to be as the store
	gone  map[string]struct{} // access keys of sessions that the store does not have
}

const (
	// readThrough bounds what a request waits for a session that memory does not have.
	readThrough = 5 * time.Second
	// maxGone bounds the sessions of which is remembered that they are gone: whoever holds a token that was
	// revoked shall not have the store asked for each of his requests.
	maxGone = 4096
	// The limits of the pause between two looks at the store.
	minLook, maxLook = 50 * time.Millisecond, 10 * time.Second
)

func newSharing(trust time.Duration) *sharing {
	return &sharing{trust: trust, began: time.Now(), gone: map[string]struct{}{}}
}

// look compares memory with the store now and then, until ctx ends. A watch that stays silent may
// have nothing to tell or be cut off; the revision of the last commit tells which.
func (s *Service) look(ctx context.Context) {
	h := s.shared
	for {
		select {
		case <-time.After(min(max(h.trust/10, minLook), maxLook)):
		case <-ctx.Done():
			return
		}
		asked := time.Since(h.began)
		one, cancel := context.WithTimeout(ctx, h.trust)
		revision, err := s.store.Commit(one) // of nothing: it tells the revision
		if err == nil {
			err = s.await(one, revision)
		}
		cancel()
		if err == nil {
			h.mu.Lock()
			h.fresh = asked
			h.mu.Unlock()
		}
	}
}

// await returns when memory has the commit of a revision.
func (s *Service) await(ctx context.Context, revision uint64) error {
	for {
		changed := s.Changed()
		if s.snap.Load().revision >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			return fmt.Errorf("%w: the service is closed", ErrUnavailable)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// trusted returns ErrUnavailable when the store has been out of reach for so long that memory
// counts no more: what was revoked meanwhile would go on.
func (h *sharing) trusted() error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	fresh := h.fresh
	h.mu.Unlock()
	if age := time.Since(h.began) - fresh; age > h.trust {
		return fmt.Errorf("%w: it has not been reached for %s", ErrUnavailable, age.Round(time.Second))
	}
	return nil
}

// fetchSession waits until memory has a session that the store has. It returns ErrNotFound of package
// store when that has none either, which is final: access keys of sessions are never used again.
func (s *Service) fetchSession(accessKey string) error {
	h := s.shared
	h.mu.Lock()
	_, gone := h.gone[accessKey]
	h.mu.Unlock()
	if gone {
		return store.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(context.Background(), readThrough)
	defer cancel()
	r, err := s.store.Get(ctx, kindSession, accessKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		h.mu.Lock()
		if len(h.gone) >= maxGone {
			clear(h.gone)
		}
		h.gone[accessKey] = struct{}{}
		h.mu.Unlock()
		return err
	case err != nil:
		return domainError(err)
	}
	if err := s.await(ctx, r.Revision); err != nil {
		return fmt.Errorf("%w: it tells its changes late: %w", ErrUnavailable, err)
	}
	return nil
}

// Fresh returns why what is in memory may be old, nil when it is as the store was a moment ago: for
// probes of a service over a store that others write as well.
func (s *Service) Fresh() error { return s.shared.trusted() }
