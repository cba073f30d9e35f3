package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// pending are events that were expected; it implements events.Expected.
type pending struct {
	hub  *Hub
	list []events.Addressed
	ids  []uint64 // 0 for one that is not in its queue, or not any more
	over []bool   // it has happened
}

// Expect implements events.Notifier.
func (h *Hub) Expect(list []events.Addressed) (events.Expected, error) {
	p := &pending{hub: h, list: list, ids: make([]uint64, len(list)), over: make([]bool, len(list))}
	by := map[*sender][]int{}
	for i := range list {
		s := h.senders[list[i].Target]
		if s != nil {
			by[s] = append(by[s], i)
		}
	}
	for s, places := range by {
		wanted := make([]events.Event, len(places))
		for n, i := range places {
			wanted[n] = list[i].Event
		}
		ids, err := s.queue.expect(wanted)
		if err != nil {
			p.End(false)
			return nil, err
		}
		for n, i := range places {
			p.ids[i] = ids[n]
		}
	}
	for s, places := range by {
		if !slices.ContainsFunc(places, func(i int) bool { return p.ids[i] != 0 }) {
			continue
		}
		if err := s.queue.flush(); err != nil {
			p.End(false)
			return nil, err
		}
	}
	return p, nil
}

// Happened implements events.Expected.
func (p *pending) Happened(i int, e events.Event) {
	s := p.hub.senders[p.list[i].Target]
	if s == nil {
		return
	}
	p.over[i] = true
	// A failure leaves the note, and the next start finds out what has happened; without one the event is counted as dropped.
	if s.happened(p.ids[i], &e) == nil && (p.ids[i] == 0 || s.queue.long()) {
		if err := s.queue.flush(); err != nil {
			s.failed(err)
		}
	}
}

// End implements events.Expected.
func (p *pending) End(unknown bool) {
	by := map[*sender][]uint64{}
	for i, id := range p.ids {
		s := p.hub.senders[p.list[i].Target]
		switch {
		case id == 0 || p.over[i] || s == nil:
		case unknown:
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			p.hub.settle(ctx, s, id, p.list[i].Event)
			cancel()
		default:
			by[s] = append(by[s], id)
		}
	}
	for s, ids := range by {
		if err := s.queue.end(ids); err != nil {
			p.hub.log.Error("queue of events", "target", s.name, "error", err)
		}
	}
}

// Send implements events.Notifier.
func (h *Hub) Send(a events.Addressed, lasting bool) error {
	s := h.senders[a.Target]
	if s == nil {
		return fmt.Errorf("there is no target %s", a.Target)
	}
	if err := s.happened(0, &a.Event); err != nil {
		return err
	}
	if lasting || s.queue.long() {
		return s.queue.flush()
	}
	return nil
}
