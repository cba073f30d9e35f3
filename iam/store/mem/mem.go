// Package mem is a store.Store in memory: the reference model of package storetest and
// the store of tests. Nothing survives Close. It imports package store and its feed.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/feed"
)

type key struct{ kind, name string }

// Store implements store.Store.
type Store struct {
	feed feed.Feed
	now  func() time.Time

	mu       sync.Mutex
	records  map[key]store.Record
	revision uint64
	closed   bool
}

// Open returns an empty store.
func Open() *Store {
	return &Store{records: make(map[key]store.Record), now: time.Now}
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, kind, name string) (store.Record, error) {
	if err := store.CheckKey(kind, name); err != nil {
		return store.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return store.Record{}, err
	}
	r, ok := s.live(key{kind, name})
	if !ok {
		return store.Record{}, fmt.Errorf("%s/%q: %w", kind, name, store.ErrNotFound)
	}
	return clone(r), nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, kind string) (store.Listing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return store.Listing{}, err
	}
	l := store.Listing{Revision: s.revision}
	for k := range s.records {
		if kind != "" && k.kind != kind {
			continue
		}
		if r, ok := s.live(k); ok {
			l.Records = append(l.Records, clone(r))
		}
	}
	sort.Slice(l.Records, func(i, j int) bool {
		a, b := &l.Records[i], &l.Records[j]
		if a.Kind != b.Kind {
			return a.Kind < b.Kind
		}
		return a.Name < b.Name
	})
	return l, nil
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, changes ...store.Change) (uint64, error) {
	if err := store.CheckChanges(changes); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	staged := make(map[key]store.Changed, len(changes))
	next := s.revision + 1
	var order []key
	for _, c := range changes {
		k := key{c.Kind, c.Name}
		if err := s.check(k, c.Revision, staged); err != nil {
			return 0, err
		}
		if c.Op == store.Check {
			continue
		}
		ch := store.Changed{Record: store.Record{Kind: c.Kind, Name: c.Name, Revision: next}, Deleted: c.Op == store.Delete}
		if c.Op == store.Put {
			ch.Value, ch.Expires = bytes.Clone(c.Value), c.Expires
		}
		if _, seen := staged[k]; !seen {
			order = append(order, k)
		}
		staged[k] = ch
	}
	if len(order) == 0 {
		return s.revision, nil
	}
	ev := store.Event{Revision: next}
	for _, k := range order {
		ch := staged[k]
		if ch.Deleted {
			delete(s.records, k)
		} else {
			s.records[k] = ch.Record
		}
		ev.Records = append(ev.Records, ch)
	}
	s.revision = next
	s.feed.Publish(ev)
	return next, nil
}

func (s *Store) check(k key, want uint64, staged map[key]store.Changed) error {
	if want == store.Any {
		return nil
	}
	var have uint64
	if ch, ok := staged[k]; ok {
		if !ch.Deleted {
			have = ch.Revision
		}
	} else if r, ok := s.live(k); ok {
		have = r.Revision
	}
	if have != want {
		return fmt.Errorf("%s/%q has revision %d, not %d: %w", k.kind, k.name, have, want, store.ErrConflict)
	}
	return nil
}

// live returns the record of k unless it has expired.
func (s *Store) live(k key) (store.Record, bool) {
	r, ok := s.records[k]
	if ok && !r.Expires.IsZero() && !s.now().Before(r.Expires) {
		delete(s.records, k)
		return store.Record{}, false
	}
	return r, ok
}

func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

func clone(r store.Record) store.Record {
	r.Value = bytes.Clone(r.Value)
	return r
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context) (store.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.feed.Watch()
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.feed.Close()
	return nil
}
