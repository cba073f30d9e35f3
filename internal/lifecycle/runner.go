package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// errChanged says that what was to be deleted, or the rules, are not what they were.
var errChanged = errors.New("changed meanwhile")

// Errors of New and of requests.
var (
	ErrNoCalendar = errors.New("the store notes no changes by day")
	ErrNoRules    = errors.New("the bucket has no lifecycle rules")
)

// Config is what a Runner is made of. All but Now and Mono must be set.
type Config struct {
	Backend storage.Backend // a storage.Calendar too
	// Rules reads the rules of a bucket that has storage.DocLifecycle.
	Rules func(*storage.Bucket) (*Rules, error)
	// Locked tells whether a version must not be deleted now, and until when; the zero time for as long as it is not told.
	Locked func(o *storage.Object, now time.Time) (until time.Time, locked bool)
	// Announce is told of what is about to be deleted; nothing of it is when that fails. So whoever must learn of each
	// deletion can note it before, and find out after a crash whether it was done.
	Announce func(context.Context, *storage.Bucket, []Removal) (Announced, error)
	Report   func(error)          // is told of what went wrong
	Now      func() time.Time     // nil means time.Now
	Mono     func() time.Duration // time that has passed, whatever the clock says; nil means that of the process
}

// Removal is something that a rule deletes.
type Removal struct {
	Action Action
	Object storage.Object // what was judged; of an upload the key alone
}

// Announced is told what becomes of removals that were announced.
type Announced interface {
	// Removed tells that the removal of this place is done; marker is the version of the delete marker that was made,
	// "" when a version went for good.
	Removed(i int, marker string)
	// End is called last, in any case. With unknown, of those that Removed was not called for it is not known whether
	// they are done.
	End(unknown bool)
}

// Runner does what rules ask for, when it is due. It sleeps until then, and for ever when no bucket has rules.
type Runner struct {
	Config
	calendar storage.Calendar
	day      time.Duration
	margin   time.Duration
	wake     chan struct{}
	quit     context.CancelFunc
	ended    sync.WaitGroup

	mu     sync.Mutex
	clock  clock
	states map[string]*bucketState
	next   time.Time // when the timer goes off; zero for never
	totals Counts
}

// bucketState is a bucket as the runner remembers it.
type bucketState struct {
	doc []byte // of the rules that st belongs to
	st  state
	// again asks for a walk, next is when something may be due, and err what went wrong last.
	again bool
	next  time.Time
	err   error
	tries int // that failed in a row
}

// New makes a runner; ErrNoCalendar when the backend is none.
func New(c Config) (*Runner, error) {
	cal, ok := c.Backend.(storage.Calendar)
	if !ok {
		return nil, ErrNoCalendar
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Mono == nil {
		start := time.Now()
		c.Mono = func() time.Duration { return time.Since(start) }
	}
	day := cal.Day()
	r := &Runner{Config: c, calendar: cal, day: day, margin: min(time.Minute, day/20), wake: make(chan struct{}, 1), states: map[string]*bucketState{}}
	r.totals.Actions = map[Action]int64{}
	r.clock = clock{wall: c.Now, mono: c.Mono, day: day}
	return r, nil
}

// Start begins the work in the background.
func (r *Runner) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.quit = cancel
	r.ended.Go(func() { r.loop(ctx) })
}

// Close ends the work; what is left is done after the next start.
func (r *Runner) Close() {
	if r.quit != nil {
		r.quit()
		r.ended.Wait()
	}
}

// Changed has the runner look at a bucket whose rules have been changed.
func (r *Runner) Changed() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run has the runner walk through a bucket now, instead of when something is due by what it remembers. The clock is
// believed from now on.
func (r *Runner) Run(ctx context.Context, bucket string) error {
	b, _, err := r.ruled(ctx, bucket)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.clock.trust()
	r.state(b).again = true
	r.mu.Unlock()
	r.Changed()
	return nil
}

// ruled returns a bucket and its rules; ErrNoRules when it has none.
func (r *Runner) ruled(ctx context.Context, bucket string) (*storage.Bucket, *Rules, error) {
	b, err := r.Backend.Bucket(ctx, bucket)
	if err != nil {
		return nil, nil, err
	}
	if b.Docs[storage.DocLifecycle] == nil {
		return nil, nil, fmt.Errorf("bucket %q: %w", bucket, ErrNoRules)
	}
	rules, err := r.Rules(b)
	return b, rules, err
}

// state returns what is remembered of a bucket with rules; the caller holds the lock.
func (r *Runner) state(b *storage.Bucket) *bucketState {
	doc := b.Docs[storage.DocLifecycle]
	s := r.states[b.Name]
	if s == nil || !bytes.Equal(s.doc, doc) {
		s = &bucketState{doc: doc, st: loadState(b, r.day)}
		r.states[b.Name] = s
	}
	return s
}

// loop works until ctx ends.
func (r *Runner) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	if !timer.Stop() {
		<-timer.C
	}
	r.begin(ctx)
	for ctx.Err() == nil {
		next := r.round(ctx)
		r.mu.Lock()
		r.next = next
		now, held := r.clock.read()
		r.mu.Unlock()
		var due <-chan time.Time
		if !next.IsZero() {
			wait := max(next.Sub(now), 0)
			if held { // look again when the clock may be believed
				wait = min(wait, r.day/holdPart)
			}
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
			timer.Stop()
		case <-due:
		}
	}
}

// begin sets the clock by what the buckets remember.
func (r *Runner) begin(ctx context.Context) {
	var seen time.Time
	r.eachRuled(ctx, func(b *storage.Bucket) {
		if s := loadState(b, r.day); s.Seen.After(seen) {
			seen = s.Seen
		}
	})
	r.mu.Lock()
	r.clock.startAt(seen)
	r.mu.Unlock()
}

// eachRuled calls use for each bucket with rules.
func (r *Runner) eachRuled(ctx context.Context, use func(*storage.Bucket)) {
	for after, more := "", true; more && ctx.Err() == nil; {
		var list []*storage.Bucket
		var err error
		if list, more, err = r.Backend.ListBuckets(ctx, "", after, pageSize); err != nil {
			if !errors.Is(err, storage.ErrClosed) {
				r.Report(fmt.Errorf("lifecycle: list buckets: %w", err))
			}
			return
		}
		for _, b := range list {
			after = b.Name
			if b.Docs[storage.DocLifecycle] != nil {
				use(b)
			}
		}
		more = more && len(list) > 0
	}
}

// round does what is due in all buckets, and returns when something will be; zero for never.
func (r *Runner) round(ctx context.Context) (next time.Time) {
	there := map[string]bool{}
	r.eachRuled(ctx, func(b *storage.Bucket) {
		there[b.Name] = true
		if at := r.visit(ctx, b); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range r.states {
		if !there[name] {
			delete(r.states, name)
		}
	}
	return next
}

// visit does what is due in one bucket and returns when to come again; zero for never. It works on a copy of the state,
// which others may ask for meanwhile.
func (r *Runner) visit(ctx context.Context, b *storage.Bucket) time.Time {
	rules, err := r.Rules(b)
	r.mu.Lock()
	s := r.state(b)
	now, _ := r.clock.read()
	if s.again {
		s.again, s.st.Walked, s.st.Walk, s.st.Stage = false, false, nil, 0
	} else if now.Before(s.next) && err == nil {
		defer r.mu.Unlock()
		return s.next
	}
	w := newWork(r, b, rules, s, now)
	r.mu.Unlock()
	if err == nil {
		err = w.do(ctx)
	}
	var next time.Time
	if err == nil {
		next = w.next()
	} else {
		w.back()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.publish()
	s.err = nil
	switch {
	case err == nil:
		s.tries = 0
	case ctx.Err() != nil || errors.Is(err, storage.ErrClosed) || errors.Is(err, storage.ErrNoSuchBucket):
		return time.Time{}
	case errors.Is(err, errChanged): // the rules: whoever changed them has woken us
		next = now
	default:
		s.err = err
		next = now.Add(min(r.day/1440<<min(s.tries, 6), r.day/24))
		s.tries++
		r.Report(fmt.Errorf("lifecycle of bucket %q: %w", b.Name, err))
	}
	s.next = next
	return next
}
