package migrate

import (
	"context"
	"sync"
	"time"
)

// limiter spreads bytes over time.
type limiter struct {
	rate int64 // bytes a second; 0 for no bound
	mu   sync.Mutex
	next time.Time // when what was let through so far has had its time
}

// wait returns when n bytes that have been read are paid for.
func (l *limiter) wait(ctx context.Context, n int) error {
	if l.rate <= 0 {
		return nil
	}
	l.mu.Lock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	l.next = l.next.Add(time.Duration(float64(n) / float64(l.rate) * float64(time.Second)))
	d := l.next.Sub(now)
	l.mu.Unlock()
	return pause(ctx, d)
}

// pause waits, or returns why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// window is the time that the speed is told of.
const window = 10 * time.Second

// meter tells how fast it goes: what came in the window that is under way and in the one before.
type meter struct {
	mu        sync.Mutex
	began     time.Time
	cur, last amount
}

func (m *meter) add(now time.Time, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	m.cur.add(1, bytes)
}

// turn begins a new window when it is time.
func (m *meter) turn(now time.Time) {
	switch d := now.Sub(m.began); {
	case d >= 2*window:
		m.began, m.cur, m.last = now, amount{}, amount{}
	case d >= window:
		m.began, m.last, m.cur = m.began.Add(window), m.cur, amount{}
	}
}

// rate returns versions and bytes a second.
func (m *meter) rate(now time.Time) (versions, bytes float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	d := now.Sub(m.began).Seconds()
	if m.last != (amount{}) {
		d += window.Seconds()
	}
	d = max(d, 1)
	return float64(m.cur.Versions+m.last.Versions) / d, float64(m.cur.Bytes+m.last.Bytes) / d
}
