package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// Limits of sending.
const (
	batchSize   = 64
	sendTimeout = 30 * time.Second // of a batch
	firstWait   = 100 * time.Millisecond
	longestWait = 30 * time.Second
	// refusalsEnough is how often a target must refuse an event until that is believed.
	refusalsEnough = 3
)

// sender empties the queue of one target.
type sender struct {
	name    string
	kind    string
	target  Target
	queue   *queue
	letters *letters
	log     *slog.Logger
	wait    time.Duration // before the first repetition; doubles up to longestWait

	// Of run alone.
	pause    time.Duration // before the next repetition
	refusals int           // of the event that is next, in a row
	proved   bool          // an event was taken since the last one that was refused for good

	sent, failures, dropped, refusedTotal atomic.Int64
	lost                                  atomic.Bool // an event was dropped since there was last room

	mu      sync.Mutex
	state   State
	lastErr string
	errAt   time.Time
	sentAt  time.Time
}

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) {
	s.pause = s.wait
	for {
		list, err := s.queue.take(batchSize)
		if err != nil {
			s.failed(err)
			if !sleep(ctx, longestWait) {
				return
			}
			continue
		}
		if len(list) == 0 {
			select {
			case <-s.queue.more:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !s.deliver(ctx, list) {
			return
		}
	}
}

// deliver tries once to send a batch; it tells whether to go on, when the time for that has come.
func (s *sender) deliver(ctx context.Context, list []taken) bool {
	messages, err := messagesOf(list)
	if err != nil { // of an event that was read from JSON: there is none
		s.failed(err)
		return false
	}
	sctx, cancel := context.WithTimeout(ctx, sendTimeout)
	n, err := s.target.Send(sctx, messages)
	cancel()
	if n > 0 {
		s.pause, s.refusals = s.wait, 0
		s.succeeded(n)
		s.done(list[:n])
	}
	if err == nil {
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	if refused := (*Refusal)(nil); !errors.As(err, &refused) || n == len(list) {
		s.refusals = 0
		s.failed(err)
	} else if s.refused(ctx, list[n].event, messages[n:], refused) {
		s.pause, s.refusals = s.wait, 0
		s.done(list[n : n+1])
		return true
	}
	wait := s.pause
	s.pause = min(2*wait, longestWait)
	return sleep(ctx, wait)
}

func (s *sender) done(list []taken) {
	if err := s.queue.done(list); err != nil {
		s.failed(err)
	}
}

func messagesOf(list []taken) ([]Message, error) {
	out := make([]Message, len(list))
	for i := range list {
		var err error
		if out[i], err = newMessage(list[i].event); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sleep tells whether the time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *sender) succeeded(n int) {
	s.sent.Add(int64(n))
	s.proved = true
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Failing {
		s.log.Info("the target of events takes them again", "target", s.name)
	}
	s.state, s.sentAt = OK, time.Now()
	if s.lost.Swap(false) {
		s.log.Warn("events were dropped while the queue of the target was full", "target", s.name, "dropped", s.dropped.Load())
	}
}

// failed notes a failure; the log has the first of a row.
func (s *sender) failed(err error) {
	s.failures.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Failing {
		s.log.Error("the target of events does not take them; they wait in its queue", "target", s.name, "error", err)
	}
	s.state, s.lastErr, s.errAt = Failing, err.Error(), time.Now()
}

// refused judges the refusal of the first message, and tells whether the queue is rid of the event: it is with the
// letters then, or dropped when there is no room for it.
func (s *sender) refused(ctx context.Context, e *events.Event, messages []Message, refusal *Refusal) bool {
	s.refusals++
	if s.refusals < refusalsEnough {
		s.failures.Add(1)
		return false
	}
	if !s.takesOthers(ctx, messages[1:]) {
		s.failed(refusal)
		return false
	}
	if err := s.letters.add(Letter{Time: time.Now().UTC(), Error: refusal.Err.Error(), Event: *e}); errors.Is(err, ErrFull) {
		s.drop(e, refusal)
	} else if err != nil { // it is not lost: the queue has it
		s.failed(err)
		return false
	} else {
		s.refusedTotal.Add(1)
		s.log.Error("the target of events refuses one of them; it is kept with those that were refused", "target", s.name, "bucket", e.Bucket, "key", e.Key, "event", string(e.Name), "error", refusal.Err)
	}
	s.proved = false
	return true
}

// takesOthers tells whether a target that refuses an event takes others, or at least a test: else it is not the event
// that is wrong, but how the target is set up, and all would be refused. Others that are taken come a second time, in their
// order. What was taken since the last refusal proves it as well.
func (s *sender) takesOthers(ctx context.Context, others []Message) bool {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if s.proved || s.target.Check(ctx) == nil {
		return true
	}
	for i := range others {
		if n, _ := s.target.Send(ctx, others[i:i+1]); n == 1 {
			return true
		}
		if ctx.Err() != nil {
			break
		}
	}
	return false
}

// drop counts an event that is lost.
func (s *sender) drop(e *events.Event, err error) {
	s.dropped.Add(1)
	if !s.lost.Swap(true) {
		s.log.Error("an event is dropped", "target", s.name, "bucket", e.Bucket, "key", e.Key, "event", string(e.Name), "error", err)
	}
}

// happened queues an event, or counts it as dropped.
func (s *sender) happened(id uint64, e *events.Event) error {
	err := s.queue.happened(id, e)
	if err == nil {
		return nil
	}
	s.drop(e, err)
	return err
}

func (s *sender) status() Status {
	waiting, open := s.queue.figures()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Target: s.name, Kind: s.kind, State: s.state, Waiting: waiting, Expected: open, Limit: s.queue.limit, Sent: s.sent.Load(), Failures: s.failures.Load(), Dropped: s.dropped.Load(),
		Refused: s.letters.figure(), RefusedTotal: s.refusedTotal.Load(), LastError: s.lastErr, LastErrorAt: s.errAt, LastSent: s.sentAt, Addresses: s.target.Addresses()}
}
