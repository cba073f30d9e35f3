package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

const (
	firstWait = time.Second
	lastWait  = time.Minute
	keyTries  = 5 // of a key that fails while the source answers otherwise

	saveKeys  = 1000 // the cursor is written after so many keys
	saveAfter = 2 * time.Second
)

// run copies until nothing is left.
func (s *Store) run(ctx context.Context) {
	defer func() {
		s.mu.Lock()
		s.copying = false
		s.mu.Unlock()
	}()
	if err := s.copyAll(ctx); err != nil && ctx.Err() == nil {
		s.o.Report("the migration has stopped; it goes on when the server starts again", err)
		s.trouble(err)
	}
}

func (s *Store) copyAll(ctx context.Context) error {
	if err := s.persist(ctx, func() error { return s.adoptAll(ctx) }); err != nil {
		return err
	}
	if err := abortOwn(ctx, s.local); err != nil {
		return fmt.Errorf("abort uploads of the copier: %w", err)
	}
	buckets := s.sorted()
	s.spawn(func() {
		for _, b := range buckets {
			if err := s.count(ctx, b); err != nil {
				return // the copier tells what is wrong
			}
		}
	}, nil)
	for _, b := range buckets {
		again := b.failures()
		if b.stage() == stageCopying {
			if err := s.copyBucket(ctx, b); err != nil {
				return fmt.Errorf("copy bucket %s: %w", b.name, err)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(again)) {
			if err := s.settle(ctx, b, key); err != nil && ctx.Err() != nil {
				return err // what failed before may fail again, and is known
			}
		}
	}
	return s.conclude(ctx, false)
}

// conclude notes that nothing is left, or, unless it is to be quiet, reports what is.
func (s *Store) conclude(ctx context.Context, quiet bool) error {
	s.mu.Lock()
	over := !s.state.Adopted || !s.state.Complete.IsZero()
	s.mu.Unlock()
	if over {
		return nil
	}
	left := 0
	for _, b := range s.sorted() {
		if st := b.stage(); st == stageSettings || st == stageCopying {
			return nil
		}
		left += len(b.failures())
	}
	if left > 0 && quiet {
		return nil
	}
	if left > 0 {
		s.o.Report("the migration is not complete", fmt.Errorf("%d keys could not be copied; `objsrv admin migrate status` names them", left))
		return nil
	}
	if err := s.setState(ctx, func(st *state) { st.Complete = s.o.Now().UTC().Truncate(time.Millisecond) }); err != nil {
		return err
	}
	s.o.Report("the migration is complete: start without --migrate-from to cut over", nil)
	return nil
}

// sorted returns the buckets in order.
func (s *Store) sorted() []*bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*bucket
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		list = append(list, s.buckets[name])
	}
	return list
}

func (b *bucket) failures() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.fail)
}

// transient tells whether an error will pass.
func transient(err error) bool {
	return errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrFull)
}

// trouble notes what the copier waits for; nil when it goes on.
func (s *Store) trouble(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastErr = text
}

// persist does what can be done again until it succeeds, with growing pauses. It gives up with ctx alone.
func (s *Store) persist(ctx context.Context, do func() error) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := do()
		if err == nil {
			s.trouble(nil)
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, storage.ErrClosed) {
			return err
		}
		s.trouble(err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// task is a key on its way.
type task struct {
	key      string
	list     []storage.Object // newest first
	all      amount
	copied   amount
	err      error
	finished chan struct{}
}

// copyBucket copies what lies behind the cursor.
func (s *Store) copyBucket(ctx context.Context, b *bucket) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobs, ordered := make(chan *task), make(chan *task, saveKeys)
	var workers sync.WaitGroup
	for range s.o.Workers {
		workers.Go(func() {
			for t := range jobs {
				t.err = s.process(ctx, b, t)
				close(t.finished)
			}
		})
	}
	listed := make(chan error, 1)
	go func() {
		err := s.tasks(ctx, b, func(t *task) error {
			select {
			case ordered <- t:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			jobs <- t // a worker takes it, whatever becomes of it
			return nil
		})
		close(jobs)
		close(ordered)
		listed <- err
	}()
	err := s.advance(ctx, b, ordered)
	if err != nil {
		stop(err)
		for range ordered { // until the lister has noticed
		}
	}
	workers.Wait()
	if lerr := <-listed; err == nil {
		err = lerr
	}
	if _, gone := s.local.Bucket(ctx, b.name); errors.Is(gone, storage.ErrNoSuchBucket) {
		return s.change(ctx, b, func(r *record) { r.Stage = stageGone }) // it has been deleted
	}
	if err != nil {
		return err
	}
	return s.change(ctx, b, func(r *record) { r.Stage, r.Cursor = stageDone, "" })
}

// advance moves the cursor over what is finished, in order.
func (s *Store) advance(ctx context.Context, b *bucket, ordered <-chan *task) error {
	var sum record
	cursor, keys, last := "", 0, s.o.Now()
	save := func() error {
		if keys == 0 {
			return nil
		}
		add, to := sum, cursor
		sum, keys, last = record{}, 0, s.o.Now()
		return s.change(ctx, b, func(r *record) {
			r.Cursor = to
			r.Done.add(add.Done.Versions, add.Done.Bytes)
			r.Copied.add(add.Copied.Versions, add.Copied.Bytes)
		})
	}
	for t := range ordered {
		<-t.finished
		if t.err != nil {
			return errors.Join(t.err, save())
		}
		cursor, keys = t.key, keys+1
		sum.Done.add(t.all.Versions, t.all.Bytes)
		sum.Copied.add(t.copied.Versions, t.copied.Bytes)
		if keys >= saveKeys || s.o.Now().Sub(last) >= saveAfter {
			if err := save(); err != nil {
				return err
			}
		}
	}
	return save()
}

// tasks gives out the keys behind the cursor, in order.
func (s *Store) tasks(ctx context.Context, b *bucket, give func(*task) error) error {
	var t *task
	err := s.eachVersion(ctx, b, b.view().cursor, func(o *storage.Object) error {
		if t != nil && t.key != o.Key {
			if err := give(t); err != nil {
				return err
			}
			t = nil
		}
		if t == nil {
			t = &task{key: o.Key, finished: make(chan struct{})}
		}
		t.list = append(t.list, *o)
		t.all.add(1, o.Size)
		return nil
	})
	if err == nil && t != nil {
		err = give(t)
	}
	return err
}

// eachVersion calls f with all that the source lists of a bucket behind a key.
func (s *Store) eachVersion(ctx context.Context, b *bucket, after string, f func(*storage.Object) error) error {
	in := storage.ListInput{Bucket: b.name, After: after, Limit: maxPage}
	for {
		var p *storage.ListPage
		if err := s.persist(ctx, func() (err error) {
			p, err = s.source.ListVersions(ctx, in)
			return err
		}); err != nil {
			return err
		}
		for i := range p.Objects {
			if err := f(&p.Objects[i]); err != nil {
				return err
			}
		}
		if !p.Truncated {
			return nil
		}
		in.After, in.AfterID = p.NextAfter, p.NextID
	}
}

// count learns how much there is, for those who ask how much is left.
func (s *Store) count(ctx context.Context, b *bucket) error {
	b.mu.Lock()
	needless := b.rec.Counted || b.rec.Stage != stageCopying
	b.mu.Unlock()
	if needless {
		return nil
	}
	var sum amount
	if err := s.eachVersion(ctx, b, "", func(o *storage.Object) error {
		sum.add(1, o.Size)
		return nil
	}); err != nil {
		return err
	}
	return s.change(ctx, b, func(r *record) { r.Total, r.Counted = sum, true })
}

// process copies one key. A key that can't be copied is remembered and left behind; only what concerns the migration
// as a whole is an error.
func (s *Store) process(ctx context.Context, b *bucket, t *task) error {
	for try, wait := 1, firstWait; ; wait = min(2*wait, lastWait) {
		err := s.attempt(ctx, b, t)
		if err == nil {
			return nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if _, gone := s.local.Bucket(ctx, b.name); gone != nil {
			return gone
		}
		switch {
		case errors.Is(err, errClaimed):
			continue
		case errors.Is(err, storage.ErrFull), s.ping(ctx) != nil:
			s.trouble(err) // waiting helps, and is nobody's fault
		case !worthRetrying(err) || try == keyTries:
			return s.blame(ctx, b, t.key, err)
		default:
			try++
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		s.trouble(nil)
		if list, err := s.history(ctx, b, t.key); err == nil {
			t.list = list
		}
	}
}

// worthRetrying tells whether a copy may do better the next time while the source answers.
func worthRetrying(err error) bool {
	return !errors.Is(err, storage.ErrNotSupported)
}

// ping asks whether the source is there.
func (s *Store) ping(ctx context.Context) error {
	_, _, err := s.source.ListBuckets(ctx, "", "", 1)
	if transient(err) {
		return err
	}
	return nil
}

// attempt copies a key once, or finds that this is done.
func (s *Store) attempt(ctx context.Context, b *bucket, t *task) error {
	k := id{b.name, t.key}
	for {
		work, f, mine := s.enter(ctx, k)
		if !mine {
			select {
			case <-f.done:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		defer s.leave(k, f)
		if b.settled(t.key) {
			return nil
		}
		copied, err := s.copyKey(work, b, t.key, t.list, f)
		t.copied.add(copied.Versions, copied.Bytes)
		return err
	}
}
