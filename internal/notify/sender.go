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
)

// sender empties the queue of one target.
type sender struct {
	name   string
	kind   string
	target Target
	queue  *queue
	log    *slog.Logger
	wait   time.Duration // before the first repetition; doubles up to longestWait

	sent, failures, dropped atomic.Int64
	lost                    atomic.Bool // an event was dropped since there was last room

	mu      sync.Mutex
	state   State
	lastErr string
	errAt   time.Time
	sentAt  time.Time
}

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) {
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

// deliver sends a batch, again and again until the target has all of it; it tells whether to go on.
func (s *sender) deliver(ctx context.Context, list []taken) bool {
	messages, err := messagesOf(list)
	if err != nil { // of an event that was read from JSON: there is none
		s.failed(err)
		return false
	}
	for wait := s.wait; len(messages) > 0; {
		sctx, cancel := context.WithTimeout(ctx, sendTimeout)
		n, err := s.target.Send(sctx, messages)
		cancel()
		if n > 0 {
			wait = s.wait
			s.succeeded(n)
			if err := s.queue.done(list[:n]); err != nil {
				s.failed(err)
			}
			list, messages = list[n:], messages[n:]
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return false
		}
		if refused := (*Refusal)(nil); errors.As(err, &refused) && len(messages) > 0 {
			s.refuse(list[0].event, err)
			if err := s.queue.done(list[:1]); err != nil {
				s.failed(err)
			}
			list, messages = list[1:], messages[1:]
			continue
		}
		s.failed(err)
		if !sleep(ctx, wait) {
			return false
		}
		wait = min(2*wait, longestWait)
	}
	return true
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

// refuse drops an event that the target will never take.
func (s *sender) refuse(e *events.Event, err error) {
	s.dropped.Add(1)
	s.log.Error("an event is dropped", "target", s.name, "bucket", e.Bucket, "key", e.Key, "event", string(e.Name), "error", err)
}

// happened queues an event, or counts it as dropped.
func (s *sender) happened(id uint64, e *events.Event) error {
	err := s.queue.happened(id, e)
	if err == nil {
		return nil
	}
	s.dropped.Add(1)
	if !s.lost.Swap(true) {
		s.log.Error("an event is dropped", "target", s.name, "bucket", e.Bucket, "key", e.Key, "event", string(e.Name), "error", err)
	}
	return err
}

func (s *sender) status() Status {
	waiting, open := s.queue.figures()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Target: s.name, Kind: s.kind, State: s.state, Waiting: waiting, Expected: open, Limit: s.queue.limit, Sent: s.sent.Load(), Failures: s.failures.Load(), Dropped: s.dropped.Load(),
		LastError: s.lastErr, LastErrorAt: s.errAt, LastSent: s.sentAt, Addresses: s.target.Addresses()}
}
