// Package feed hands the commits of a store within one process to its watchers. It
// imports package store only.
package feed

import (
	"context"
	"sync"

	"github.com/objsrv/objsrv/iam/store"
)

// limit is the number of events that wait for one watcher before it counts as lagged.
const limit = 1 << 16

// Feed is the zero value ready to use, safe for concurrent use.
type Feed struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	closed   bool
}

// Publish hands ev to every watcher. The caller publishes in the order of revisions.
func (f *Feed) Publish(ev store.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		w.add(ev)
	}
}

// Watch returns a watcher of all events published from now on.
func (f *Feed) Watch() (store.Watcher, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, store.ErrClosed
	}
	w := &watcher{feed: f, wake: make(chan struct{}, 1)}
	if f.watchers == nil {
		f.watchers = make(map[*watcher]struct{})
	}
	f.watchers[w] = struct{}{}
	return w, nil
}

// Close ends all watchers with ErrClosed.
func (f *Feed) Close() { f.Fail(store.ErrClosed) }

// Fail ends all watchers: they get err after the events that wait for them. The feed is
// closed. The first error counts.
func (f *Feed) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for w := range f.watchers {
		w.end(err)
	}
	f.watchers = nil
}

type watcher struct {
	feed *Feed
	wake chan struct{}

	mu    sync.Mutex
	queue []store.Event
	err   error
}

func (w *watcher) add(ev store.Event) {
	w.mu.Lock()
	switch {
	case w.err != nil:
	case len(w.queue) >= limit:
		w.queue, w.err = nil, store.ErrLagged
	default:
		w.queue = append(w.queue, ev)
	}
	w.mu.Unlock()
	w.signal()
}

func (w *watcher) end(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.mu.Unlock()
	w.signal()
}

func (w *watcher) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Next implements store.Watcher. Events that were queued before the end are delivered first.
func (w *watcher) Next(ctx context.Context) (store.Event, error) {
	for {
		if ev, ok := w.Poll(); ok {
			return ev, nil
		}
		w.mu.Lock()
		waiting, err := len(w.queue) > 0, w.err
		w.mu.Unlock()
		if waiting {
			continue
		}
		if err != nil {
			return store.Event{}, err
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return store.Event{}, ctx.Err()
		}
	}
}

// Poll implements store.Watcher.
func (w *watcher) Poll() (ev store.Event, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.queue = nil
		return ev, false
	}
	ev = w.queue[0]
	w.queue[0] = store.Event{}
	w.queue = w.queue[1:]
	return ev, true
}

// Close implements store.Watcher.
func (w *watcher) Close() {
	w.feed.mu.Lock()
	delete(w.feed.watchers, w)
	w.feed.mu.Unlock()
	w.end(store.ErrClosed)
}
