// Package live lets administrators watch a server: a feed of the requests as they end (Trace), and
// the last lines of its log with those that follow (Log). It imports the request event only.
//
// Watching costs requests nothing while nobody watches: Publish is then one atomic load. Nobody
// can slow the server down by reading slowly: entries that a watcher has no room for are dropped
// and counted. What is watched holds no secret: queries and headers are masked before they enter.
package live

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Limits of the watchers of one feed.
const (
	MaxOfOne = 8    // of one user
	MaxAll   = 64   // of all
	MaxQueue = 1024 // entries that wait for one watcher
)

// ErrTooMany refuses a watcher.
var ErrTooMany = errors.New("too many watchers")

// Feed hands entries to its watchers. The zero value is ready. Safe for concurrent use.
type Feed[T any] struct {
	active  atomic.Int32 // watchers
	dropped atomic.Int64

	mu       sync.Mutex
	watchers map[*Watcher[T]]bool
	closed   bool
}

// Watcher is one reader of a feed.
type Watcher[T any] struct {
	feed    *Feed[T]
	owner   string
	keep    func(*T) bool
	entries chan T
	dropped atomic.Int64
}

// Active tells whether anybody watches, so that an entry need not be made for nobody.
func (f *Feed[T]) Active() bool { return f.active.Load() > 0 }

// Dropped counts the entries that watchers had no room for.
func (f *Feed[T]) Dropped() int64 { return f.dropped.Load() }

// Publish gives v to every watcher that wants it. It never waits.
func (f *Feed[T]) Publish(v T) {
	if !f.Active() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		w.offer(v)
	}
}

// offer is called under the feed's lock.
func (w *Watcher[T]) offer(v T) {
	if w.keep != nil && !w.keep(&v) {
		return
	}
	select {
	case w.entries <- v:
	default:
		w.dropped.Add(1)
		w.feed.dropped.Add(1)
	}
}

// Watch adds a watcher for owner, who may have MaxOfOne of them: ErrTooMany. keep chooses entries,
// quickly and without changing them; nil takes all. A watcher of a closed feed has nothing to read.
// The caller closes it.
func (f *Feed[T]) Watch(owner string, keep func(*T) bool) (*Watcher[T], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watch(owner, keep)
}

func (f *Feed[T]) watch(owner string, keep func(*T) bool) (*Watcher[T], error) {
	w := &Watcher[T]{feed: f, owner: owner, keep: keep, entries: make(chan T, MaxQueue)}
	if f.closed {
		close(w.entries)
		return w, nil
	}
	of := 0
	for other := range f.watchers {
		if other.owner == owner {
			of++
		}
	}
	if of >= MaxOfOne || len(f.watchers) >= MaxAll {
		return nil, ErrTooMany
	}
	if f.watchers == nil {
		f.watchers = map[*Watcher[T]]bool{}
	}
	f.watchers[w] = true
	f.active.Add(1)
	return w, nil
}

// Entries is where the watcher reads; it is closed with the watcher or its feed.
func (w *Watcher[T]) Entries() <-chan T { return w.entries }

// Dropped counts the entries that this watcher had no room for.
func (w *Watcher[T]) Dropped() int64 { return w.dropped.Load() }

// Close ends the watcher. It may be called more than once.
func (w *Watcher[T]) Close() {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	w.close()
}

func (w *Watcher[T]) close() {
	if w.feed.watchers[w] {
		delete(w.feed.watchers, w)
		w.feed.active.Add(-1)
		close(w.entries)
	}
}

// Close ends all watchers, and those that come later, so that a server can stop. Entries that
// wait can still be read.
func (f *Feed[T]) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, w := range slices.Collect(maps.Keys(f.watchers)) {
		w.close()
	}
}
