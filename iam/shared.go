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
	asked looks               // for long-term keys
}

const (
	// readThrough bounds what a request waits for a session that memory does not have.
	readThrough = 5 * time.Second
	// maxGone bounds the sessions of which is remembered that they are gone: whoever holds a token that was
	// revoked shall not have the store asked for each of his requests.
	maxGone = 4096
	// readKey bounds what one waits for a long-term key. Whoever makes one up shall not hold a request for long.
	readKey = time.Second
	// keysPerSecond, and keysAtOnce after a pause, are the looks for keys that memory does not have: who makes keys up shall not
	// keep the store busy. What has been created elsewhere is in memory within moments without them.
	keysPerSecond, keysAtOnce = 20, 100
	// keyPause is how long a key that was looked for is not looked for again, and maxAsked how many are remembered: one client
	// with a wrong key shall not use up the looks for all.
	keyPause, maxAsked = 2 * time.Second, 4096
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

// fetchKey waits until memory has a long-term key that the store has: it may have been created by another process a
// moment ago. It tells whether there is something new in memory; that a key can't be looked for now counts as that there is none,
// but for a store that does not answer: ErrUnavailable.
func (s *Service) fetchKey(accessKey string) (bool, error) {
	h := s.shared
	if h == nil || store.CheckKey(kindKey, accessKey) != nil {
		return false, nil
	}
	h.mu.Lock()
	may := h.asked.take(accessKey, time.Now())
	h.mu.Unlock()
	if !may {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readKey)
	defer cancel()
	r, err := s.store.Get(ctx, kindKey, accessKey)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged): // what is damaged memory tells by itself
		return false, nil
	case err == nil:
		err = s.await(ctx, r.Revision)
	}
	if err != nil {
		return false, fmt.Errorf("%w: look for an access key: %w", ErrUnavailable, err)
	}
	return true, nil
}

// looks bounds the looks for keys.
type looks struct {
	at   time.Time // of the last one
	left float64
	keys map[string]time.Time
}

// take tells whether there may be a look for a key now.
func (l *looks) take(key string, now time.Time) bool {
	if l.keys == nil {
		l.keys, l.left = map[string]time.Time{}, keysAtOnce
	}
	if before, ok := l.keys[key]; ok && now.Sub(before) < keyPause {
		return false
	}
	if !l.at.IsZero() {
		l.left = min(keysAtOnce, l.left+keysPerSecond*now.Sub(l.at).Seconds())
	}
	l.at = now
	if l.left < 1 {
		return false
	}
	l.left--
	if len(l.keys) >= maxAsked {
		clear(l.keys)
	}
	l.keys[key] = now
	return true
}

// Fresh returns why what is in memory may be old, nil when it is as the store was a moment ago: for
// probes of a service over a store that others write as well.
func (s *Service) Fresh() error { return s.shared.trusted() }
