package s3api

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Limits bound how many requests are served at once. The zero value bounds nothing and costs nothing.
type Limits struct {
	// Requests of all clients; further ones wait for their turn up to Wait and are then refused. 0 for any number.
	Requests int
	Wait     time.Duration
	// PerAddress are those of one client address, waiting ones included; further ones are refused at once. 0 for any
	// number. Of IPv6 the first 64 bits are the address: who has one has all of the rest.
	PerAddress int
}

// limiter enforces Limits.
type limiter struct {
	limits Limits
	slots  chan struct{} // nil without a bound on all

	mu sync.Mutex
	by map[netip.Prefix]int // requests by address, where that is bounded
}

// newLimiter returns nil when nothing is bounded.
func newLimiter(l Limits) *limiter {
	if l.Requests <= 0 && l.PerAddress <= 0 {
		return nil
	}
	m := &limiter{limits: l, by: map[netip.Prefix]int{}}
	if l.Requests > 0 {
		m.slots = make(chan struct{}, l.Requests)
	}
	return m
}

// enter waits for a request's turn, and returns what ends it. remote is the client's address as the server believes it.
func (m *limiter) enter(ctx context.Context, remote string) (leave func(), err error) {
	address, counted := m.count(remote)
	if !counted {
		return nil, errSlowDown("Your address has too many requests under way. Please reduce your request rate.")
	}
	if !m.turn(ctx) {
		m.uncount(address)
		return nil, errSlowDown("The server has too many requests under way. Please reduce your request rate.")
	}
	return func() {
		if m.slots != nil {
			<-m.slots
		}
		m.uncount(address)
	}, nil
}

func errSlowDown(message string) *Error {
	return errorf("SlowDown", "%s", message).header("Retry-After", "1")
}

// turn takes a slot, if one gets free in time.
func (m *limiter) turn(ctx context.Context) bool {
	if m.slots == nil {
		return true
	}
	select {
	case m.slots <- struct{}{}:
		return true
	default:
	}
	if m.limits.Wait <= 0 {
		return false
	}
	end := time.NewTimer(m.limits.Wait)
	defer end.Stop()
	select {
	case m.slots <- struct{}{}:
		return true
	case <-end.C:
	case <-ctx.Done():
	}
	return false
}

// count notes one more request of an address, unless it has as many as it may. What is no address counts as one.
func (m *limiter) count(remote string) (netip.Prefix, bool) {
	if m.limits.PerAddress <= 0 {
		return netip.Prefix{}, true
	}
	var p netip.Prefix
	if a, err := netip.ParseAddr(remote); err == nil {
		bits := 32
		if a = a.Unmap().WithZone(""); a.Is6() {
			bits = 64
		}
		p, _ = a.Prefix(bits) // of a valid length
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[p] >= m.limits.PerAddress {
		return p, false
	}
	m.by[p]++
	return p, true
}

func (m *limiter) uncount(p netip.Prefix) {
	if m.limits.PerAddress <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[p]--; m.by[p] == 0 {
		delete(m.by, p)
	}
}
