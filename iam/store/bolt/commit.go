package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"

	"go.etcd.io/bbolt"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

const (
	maxBatch = 1024 // commits that share one sync
	maxSweep = 64   // expired records removed along with a batch
	fill     = 0.9  // of a page that is split: most that is written, sessions, comes in the order of its keys
)

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, changes ...store.Change) (uint64, error) {
	if err := store.CheckChanges(changes); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if onlyChecks(changes) {
		return s.checkOnly(ctx, changes)
	}
	r := &request{changes: changes, done: make(chan struct{})}
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return 0, store.ErrClosed
	case s.failed != nil:
		err := s.failed
		s.mu.Unlock()
		return 0, err
	}
	s.queue = append(s.queue, r)
	if !s.running {
		s.running = true
		go s.drain()
	}
	s.mu.Unlock()
	// The changes belong to the caller, so it is held until they are no longer read.
	<-r.done
	return r.revision, r.err
}

func onlyChecks(changes []store.Change) bool {
	for i := range changes {
		if changes[i].Op != store.Check {
			return false
		}
	}
	return true
}

func (s *Store) checkOnly(ctx context.Context, changes []store.Change) (revision uint64, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		st, err := decodeState(tx.Bucket(bucketMeta).Get(keyState))
		if err != nil {
			return err
		}
		b := &batch{s: s, records: tx.Bucket(bucketRecords)}
		revision = st.revision
		for i := range changes {
			if _, _, err := b.check(&changes[i], nil, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return revision, err
}

// gather lets commits that are on their way join the queue, as long as some do: each of them saves a
// sync. It costs a lone commit nothing, for there is nobody to make way for.
func (s *Store) gather() {
	for n, more := 0, true; more; {
		runtime.Gosched()
		s.mu.Lock()
		n, more = len(s.queue), len(s.queue) > n
		s.mu.Unlock()
	}
}

// drain commits what is queued, batch by batch, until nothing is.
func (s *Store) drain() {
	for {
		s.gather()
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.running = false
			s.idle.Broadcast()
			s.mu.Unlock()
			return
		}
		n := min(len(s.queue), maxBatch)
		reqs := s.queue[:n:n]
		s.queue = s.queue[n:]
		failed := s.failed
		s.mu.Unlock()

		var events []store.Event
		if failed == nil {
			events, failed = s.commit(reqs)
		}
		if failed == nil {
			for _, ev := range events {
				s.feed.Publish(ev)
			}
		}
		for _, r := range reqs {
			if failed != nil && r.err == nil {
				r.revision, r.err = 0, failed
			}
			close(r.done)
		}
	}
}

// commit writes reqs in one transaction. Each gets its own verdict; the error returned
// is that of all which would have succeeded.
func (s *Store) commit(reqs []*request) (events []store.Event, err error) {
	synced := false
	err = guard(func() error {
		tx, err := s.db.Begin(true)
		if err != nil {
			return fmt.Errorf("begin commit: %w", err)
		}
		defer tx.Rollback()
		b, err := newBatch(s, tx)
		if err != nil {
			return err
		}
		for _, r := range reqs {
			ev, err := b.add(r)
			if err != nil {
				return err
			}
			if r.err == nil {
				events = append(events, ev)
			}
		}
		if len(events) == 0 {
			return nil
		}
		if err := b.finish(tx); err != nil {
			return err
		}
		synced = true
		return s.sync(tx)
	})
	switch {
	case err == nil:
		return events, nil
	case full(err):
		return nil, fmt.Errorf("%w: %w", store.ErrFull, err)
	case synced:
		// What the file holds now is unknown, and a second sync would only pretend to
		// know: nothing more is written until the file is opened anew.
		err = fmt.Errorf("%w: commit: %w", store.ErrUnavailable, err)
		s.mu.Lock()
		s.failed = err
		s.mu.Unlock()
	}
	return nil, err
}

// batch is a transaction in the making.
type batch struct {
	s       *Store
	records *bbolt.Bucket
	expiry  *bbolt.Bucket
	state   state
}

func newBatch(s *Store, tx *bbolt.Tx) (*batch, error) {
	b := &batch{s: s, records: tx.Bucket(bucketRecords), expiry: tx.Bucket(bucketExpiry)}
	b.records.FillPercent, b.expiry.FillPercent = fill, fill
	var err error
	b.state, err = decodeState(tx.Bucket(bucketMeta).Get(keyState))
	return b, err
}

// staged is what a request has done to a record so far.
type staged struct {
	key     []byte
	changed store.Changed
}

// add checks a request and writes it. A request that is refused gets its err and leaves
// no trace; the error returned concerns the whole batch.
func (b *batch) add(r *request) (store.Event, error) {
	next := b.state.revision + 1
	var todo []staged
	index := map[string]int{} // of todo by key
	for i := range r.changes {
		c := &r.changes[i]
		key, at, err := b.check(c, todo, index)
		if err != nil {
			r.err = err
			return store.Event{}, nil
		}
		if c.Op == store.Check {
			continue
		}
		ch := store.Changed{Record: store.Record{Kind: c.Kind, Name: c.Name, Revision: next}, Deleted: c.Op == store.Delete}
		if c.Op == store.Put {
			ch.Value, ch.Expires = bytes.Clone(c.Value), c.Expires
		}
		if at < 0 {
			index[string(key)] = len(todo)
			todo = append(todo, staged{key, ch})
		} else {
			todo[at].changed = ch
		}
	}
	ev := store.Event{Revision: next}
	for i := range todo {
		if err := b.write(&todo[i]); err != nil {
			return store.Event{}, fmt.Errorf("write record: %w", err)
		}
		ev.Records = append(ev.Records, todo[i].changed)
	}
	b.state.revision, r.revision = next, next
	return ev, nil
}

// check compares the revision that c demands, and returns the record's key and its
// place in todo, or -1.
func (b *batch) check(c *store.Change, todo []staged, index map[string]int) (key []byte, at int, err error) {
	key = recordKey(c.Kind, c.Name)
	at, ok := index[string(key)]
	if !ok {
		at = -1
	}
	if c.Revision == store.Any {
		return key, at, nil
	}
	var have uint64
	if at >= 0 {
		if !todo[at].changed.Deleted {
			have = todo[at].changed.Revision
		}
	} else if v := b.records.Get(key); v != nil {
		r, err := decodeHead(key, v)
		if err != nil {
			return key, at, err
		}
		if !b.s.expired(&r) {
			have = r.Revision
		}
	}
	if have != c.Revision {
		return key, at, fmt.Errorf("%s/%q has revision %d, not %d: %w", c.Kind, c.Name, have, c.Revision, store.ErrConflict)
	}
	return key, at, nil
}

// write puts or deletes one record with its place in the order of expiry.
func (b *batch) write(st *staged) error {
	old := b.records.Get(st.key)
	if old != nil {
		// A damaged record's place in the order is left to sweep.
		if r, err := decodeHead(st.key, old); err == nil && !r.Expires.IsZero() {
			if err := b.expiry.Delete(expiryKey(r.Expires, st.key)); err != nil {
				return err
			}
		}
	}
	kind := st.changed.Kind
	if st.changed.Deleted {
		if old == nil {
			return nil
		}
		b.state.counts[kind]--
		return b.records.Delete(st.key)
	}
	if old == nil {
		b.state.counts[kind]++
	}
	if err := b.records.Put(st.key, record.Encode(&st.changed.Record)); err != nil {
		return err
	}
	if st.changed.Expires.IsZero() {
		return nil
	}
	return b.expiry.Put(expiryKey(st.changed.Expires, st.key), []byte{})
}

// finish removes some expired records along the way and writes the state.
func (b *batch) finish(tx *bbolt.Tx) error {
	if err := b.sweep(); err != nil {
		return fmt.Errorf("remove expired records: %w", err)
	}
	return tx.Bucket(bucketMeta).Put(keyState, encodeState(&b.state))
}

// sweep removes the records that expired first. An entry whose record lives on, or is
// damaged, goes alone.
func (b *batch) sweep() error {
	limit := expiryKey(b.s.now(), nil)
	var due [][]byte
	c := b.expiry.Cursor()
	for k, _ := c.First(); k != nil && len(due) < maxSweep && len(k) > 8 && bytes.Compare(k[:8], limit) <= 0; k, _ = c.Next() {
		due = append(due, bytes.Clone(k))
	}
	for _, k := range due {
		if err := b.expiry.Delete(k); err != nil {
			return err
		}
		key := k[8:]
		v := b.records.Get(key)
		if v == nil {
			continue
		}
		r, err := decodeHead(key, v)
		if err != nil || !b.s.expired(&r) {
			continue
		}
		if err := b.records.Delete(key); err != nil {
			return err
		}
		if b.state.counts[r.Kind] == 0 {
			return errors.New("more records than were counted")
		}
		b.state.counts[r.Kind]--
	}
	return nil
}
