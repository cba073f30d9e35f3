package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/storage"
)

// bucketKind is the kind of the records that hold the settings of a gateway's buckets, by their names.
const bucketKind = "bucket"

// bucketRecords keeps the settings of buckets beside the identities, in memory and followed: the policy that one
// gateway sets counts at the others as soon as the store tells it. It implements s3gw.Records.
type bucketRecords struct {
	store  store.Store
	report func(error)
	stop   context.CancelFunc
	rest   sync.WaitGroup

	snap atomic.Pointer[map[string]store.Record]

	mu      sync.Mutex // of whoever replaces snap
	at      uint64     // revision of snap
	changed chan struct{}
}

// openBucketRecords reads the records and follows them until close. report is told of trouble.
func openBucketRecords(st store.Store, report func(error)) (*bucketRecords, error) {
	ctx, stop := context.WithCancel(context.Background())
	r := &bucketRecords{store: st, report: report, stop: stop, changed: make(chan struct{})}
	w, err := r.resync(ctx)
	if err != nil {
		stop()
		return nil, fmt.Errorf("read the settings of buckets: %w", err)
	}
	r.rest.Go(func() { r.follow(ctx, w) })
	return r, nil
}

// close stops following.
func (r *bucketRecords) close() {
	r.stop()
	r.rest.Wait()
}

// resync reads all records and returns a watcher for what follows. A damaged record keeps its place: whoever
// asks for its bucket is told, and nothing is taken for a bucket without a policy.
func (r *bucketRecords) resync(ctx context.Context) (store.Watcher, error) {
	w, err := r.store.Watch(ctx)
	if err != nil {
		return nil, err
	}
	l, err := r.store.List(ctx, bucketKind)
	damaged, partial := store.Damage(err)
	if err != nil && !partial {
		w.Close()
		return nil, err
	}
	m := make(map[string]store.Record, len(l.Records))
	for _, rec := range l.Records {
		m[rec.Name] = rec
	}
	for _, d := range damaged {
		r.report(d)
		if d.Kind == bucketKind {
			m[d.Name] = store.Record{Kind: d.Kind, Name: d.Name, Revision: store.Any}
		}
	}
	r.publish(m, l.Revision)
	return w, nil
}

func (r *bucketRecords) publish(m map[string]store.Record, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snap.Store(&m)
	r.at = revision
	close(r.changed)
	r.changed = make(chan struct{})
}

// follow applies what w brings, and reads everything anew when something was lost.
func (r *bucketRecords) follow(ctx context.Context, w store.Watcher) {
	for {
		ev, err := w.Next(ctx)
		if err == nil {
			r.apply(&ev)
			continue
		}
		w.Close()
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			if ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
				return
			}
			if w, err = r.resync(ctx); err == nil {
				break
			}
			r.report(fmt.Errorf("read the settings of buckets: %w", err))
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		}
	}
}

func (r *bucketRecords) apply(ev *store.Event) {
	m := *r.snap.Load()
	copied := false
	for i := range ev.Records {
		c := &ev.Records[i]
		if c.Kind != bucketKind || m[c.Name].Revision > ev.Revision && m[c.Name].Revision != store.Any {
			continue
		}
		if !copied {
			m, copied = maps.Clone(m), true
		}
		if c.Deleted {
			delete(m, c.Name)
		} else {
			m[c.Name] = c.Record
		}
	}
	r.publish(m, max(ev.Revision, r.at))
}

// Record implements s3gw.Records.
func (r *bucketRecords) Record(bucket string) ([]byte, uint64) {
	rec := (*r.snap.Load())[bucket]
	return rec.Value, rec.Revision
}

// Names implements s3gw.Records.
func (r *bucketRecords) Names() []string { return slices.Collect(maps.Keys(*r.snap.Load())) }

// Fetch implements s3gw.Records.
func (r *bucketRecords) Fetch(ctx context.Context, bucket string) ([]byte, uint64, error) {
	rec, err := r.store.Get(ctx, bucketKind, bucket)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, nil
	}
	return rec.Value, rec.Revision, storageError(err)
}

// Write implements s3gw.Records.
func (r *bucketRecords) Write(ctx context.Context, bucket string, value []byte, revision uint64) (bool, error) {
	c := store.Change{Kind: bucketKind, Name: bucket, Value: value, Revision: revision}
	if value == nil {
		c.Op = store.Delete
	}
	at, err := r.store.Commit(ctx, c)
	switch {
	case errors.Is(err, store.ErrConflict):
		return false, nil
	case err != nil:
		return false, storageError(err)
	}
	return true, storageError(r.await(ctx, at))
}

// await returns when memory has the commit of a revision.
func (r *bucketRecords) await(ctx context.Context, revision uint64) error {
	for {
		r.mu.Lock()
		at, changed := r.at, r.changed
		r.mu.Unlock()
		if at >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// storageError says an error of the identity store in the words of package storage.
func storageError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrDamaged):
		return fmt.Errorf("settings of a bucket: %w: %w", storage.ErrDamaged, err)
	case errors.Is(err, store.ErrFull):
		return fmt.Errorf("settings of a bucket: %w: %w", storage.ErrFull, err)
	case errors.Is(err, store.ErrInvalid):
		return fmt.Errorf("settings of a bucket: %w: %w", storage.ErrNotSupported, err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return fmt.Errorf("settings of a bucket: %w: %w", storage.ErrUnavailable, err)
}
