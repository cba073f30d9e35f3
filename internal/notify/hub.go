package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// Config is one target of a Hub.
type Config struct {
	Kind, ID string
	Target   Target
	Dir      string // of its queue
	Limit    int    // events that may wait in it, above 0
}

// Hub hands events to targets. It implements events.Notifier, and may be used by several goroutines.
type Hub struct {
	log     *slog.Logger
	senders map[string]*sender
	look    func(context.Context, events.Event) ([]events.Event, error)
	stop    context.CancelFunc
	running sync.WaitGroup
}

// The states of a target.
const (
	Unused  State = "unused"  // nothing was sent to it since the server started
	OK      State = "ok"      // it took the last event
	Failing State = "failing" // it did not
)

// State tells how a target is.
type State string

// Status is how a target is, since the server started.
type Status struct {
	Target      string // KIND:ID
	Kind        string
	State       State
	Waiting     int // events in its queue
	Expected    int // events of requests that run
	Limit       int
	Sent        int64
	Failures    int64 // attempts that failed
	Dropped     int64 // events for which there was no room
	LastError   string
	LastErrorAt time.Time
	LastSent    time.Time
	Addresses   []string
	// Refused are events that it has refused for good, which are kept; RefusedTotal are those since the server started.
	Refused      int
	RefusedTotal int64
}

// Open opens the queues of targets, which it takes over whatever it returns. Nothing is sent before Start.
func Open(list []Config, log *slog.Logger) (h *Hub, err error) {
	h = &Hub{log: log, senders: map[string]*sender{}}
	for i, c := range list {
		name := c.Kind + ":" + c.ID
		q, qerr := openQueue(c.Dir, c.Limit, log)
		var kept *letters
		if qerr == nil {
			if kept, qerr = openLetters(c.Dir, c.Limit); qerr != nil {
				qerr = errors.Join(fmt.Errorf("read the events that were refused: %w", qerr), q.close())
			}
		}
		if qerr != nil {
			for _, rest := range list[i:] {
				rest.Target.Close()
			}
			return nil, errors.Join(fmt.Errorf("target of events %s: %w", name, qerr), h.Close())
		}
		h.senders[name] = &sender{name: name, kind: c.Kind, target: c.Target, queue: q, letters: kept, log: log, wait: firstWait, state: Unused}
	}
	return h, nil
}

// Start begins to send. Before that it ends what earlier runs have left open: look returns what has become of an
// event that was expected, which may be several events or none. Later it is asked about requests whose end is not
// known. When it fails, the question stays for the next start.
func (h *Hub) Start(ctx context.Context, look func(context.Context, events.Event) ([]events.Event, error)) {
	h.look = look
	run, stop := context.WithCancel(context.Background())
	h.stop = stop
	for _, s := range h.senders {
		for id, e := range s.queue.expectedNow() {
			h.settle(ctx, s, id, e)
		}
		h.running.Go(func() { s.run(run) })
	}
}

// settle finds out what has become of an event that was expected.
func (h *Hub) settle(ctx context.Context, s *sender, id uint64, e events.Event) {
	found, err := h.look(ctx, e)
	if err != nil {
		h.log.Error("what has become of a request can't be seen; its event waits for the next start", "target", s.name, "bucket", e.Bucket, "key", e.Key, "error", err)
		return
	}
	for i := range found {
		found[i].Name, found[i].Rule = e.Name, e.Rule
		if s.happened(0, &found[i]) != nil {
			return
		}
	}
	if len(found) > 0 && s.queue.flush() != nil {
		return
	}
	if err := s.queue.end([]uint64{id}); err != nil {
		h.log.Error("queue of events", "target", s.name, "error", err)
	}
}

// Close ends sending and closes queues and targets. What waits is sent after the next Open.
func (h *Hub) Close() error {
	if h.stop != nil {
		h.stop()
	}
	h.running.Wait()
	var err error
	for _, s := range h.senders {
		err = errors.Join(err, s.queue.close(), s.target.Close())
	}
	return err
}

// Known implements events.Notifier.
func (h *Hub) Known(target string) bool { return h.senders[target] != nil }

// Status returns how the targets are, in the order of their names.
func (h *Hub) Status() []Status {
	out := make([]Status, 0, len(h.senders))
	for _, name := range slices.Sorted(maps.Keys(h.senders)) {
		out = append(out, h.senders[name].status())
	}
	return out
}

// Check asks a target whether it would take events; ok is false when there is no such target.
func (h *Hub) Check(ctx context.Context, target string) (ok bool, err error) {
	s := h.senders[target]
	if s == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return true, s.target.Check(ctx)
}

// Refused returns events that a target has refused, the oldest first and at most so many, and how many there are; ok is
// false when there is no such target.
func (h *Hub) Refused(target string, most int) (list []Letter, count int, ok bool, err error) {
	s := h.senders[target]
	if s == nil {
		return nil, 0, false, nil
	}
	list, count, err = s.letters.first(most)
	return list, count, true, err
}

// Retry puts events that a target has refused behind those that wait for it, as far as there is room, and returns how
// many: ErrFull when there is room for none. ok is false when there is no such target.
func (h *Hub) Retry(target string) (moved int, ok bool, err error) {
	s := h.senders[target]
	if s == nil {
		return 0, false, nil
	}
	moved, err = s.letters.move(func(e *events.Event) error { return s.queue.happened(0, e) }, s.queue.flush)
	return moved, true, err
}

// Discard forgets the events that a target has refused, and returns how many there were; ok is false when there is no
// such target.
func (h *Hub) Discard(target string) (count int, ok bool, err error) {
	s := h.senders[target]
	if s == nil {
		return 0, false, nil
	}
	count, err = s.letters.discard()
	return count, true, err
}

// reachTimeout bounds a look at whether anybody is at an address.
const reachTimeout = time.Second

// Reachable tells for each target whether it takes connections, with dial.
func (h *Hub) Reachable(ctx context.Context, dial Dial) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	out := map[string]bool{}
	for name, s := range h.senders {
		for _, address := range s.target.Addresses() {
			asking.Go(func() {
				conn, err := dial(ctx, "tcp", address)
				if err != nil {
					return
				}
				conn.Close()
				mu.Lock()
				defer mu.Unlock()
				out[name] = true
			})
		}
	}
	asking.Wait()
	return out
}

// HostPort completes an address with a port.
func HostPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}
