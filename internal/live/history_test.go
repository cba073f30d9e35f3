package live

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// handClock is moved by the test.
type handClock struct{ nanos atomic.Int64 }

func (c *handClock) now() time.Time       { return time.Unix(0, c.nanos.Load()) }
func (c *handClock) pass(d time.Duration) { c.nanos.Add(int64(d)) }

func newTestHistory() (*History, *handClock) {
	c := &handClock{}
	c.nanos.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return NewHistory(func() Gauges { return Gauges{Memory: 7, Goroutines: 8, Connections: 9, DiskFree: 10, DiskTotal: 11} }, c.now), c
}

func (h *History) request(c *handClock, status int, took time.Duration) {
	h.Add(&reqlog.Event{Op: "GetObject", Status: status, Start: c.now().Add(-took), BytesIn: 1, BytesOut: 10})
}

func TestHistory(t *testing.T) {
	h, c := newTestHistory()
	if list, begun := h.Since(time.Time{}); len(list) != 0 || !begun.Equal(c.now()) {
		t.Errorf("%+v since %v", list, begun)
	}
	for range 98 {
		h.request(c, 200, time.Millisecond)
	}
	h.request(c, 404, 2*time.Second)
	h.request(c, 500, 2*time.Second)
	h.Add(&reqlog.Event{Op: "AdminListUsers", Status: 500, Start: c.now()})
	h.Add(&reqlog.Event{Op: "Health", Status: 200, Start: c.now()})
	list, _ := h.Since(time.Time{})
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	s := list[0]
	if !s.At.Equal(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)) || s.Requests != 100 || s.Errors4xx != 1 || s.Errors5xx != 1 || s.BytesIn != 100 || s.BytesOut != 1000 {
		t.Errorf("%+v", s)
	}
	near := func(got, want time.Duration) bool { return got >= want && got < want*5/4 }
	if !near(s.P50, time.Millisecond) || !near(s.P99, 2*time.Second) || s.Memory != 7 || s.DiskTotal != 11 {
		t.Errorf("%+v", s)
	}
	// A pause leaves a gap, not samples.
	c.pass(3*time.Minute + 20*time.Second)
	h.request(c, 200, time.Second)
	list, _ = h.Since(time.Time{})
	if len(list) != 2 || list[1].At.Sub(list[0].At) != 3*time.Minute || list[0].Requests != 100 || list[1].Requests != 1 || !near(list[1].P50, time.Second) {
		t.Errorf("%+v", list)
	}
	if list, _ = h.Since(list[1].At); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	// A clock that is set back changes nothing that was.
	c.pass(-time.Hour)
	h.request(c, 200, time.Second)
	if list, _ = h.Since(time.Time{}); len(list) != 2 || list[1].Requests != 2 {
		t.Errorf("%+v", list)
	}
}

// TestHistoryBounds: no more than a day is kept, the oldest goes, and any latency has a class.
func TestHistoryBounds(t *testing.T) {
	h, c := newTestHistory()
	first := c.now()
	for range MaxSamples + 100 {
		h.request(c, 200, time.Millisecond)
		c.pass(Interval)
	}
	list, _ := h.Since(time.Time{})
	if len(list) != MaxSamples+1 || list[0].At.Before(first.Add(98*Interval)) {
		t.Errorf("%d samples from %v", len(list), list[0].At)
	}
	for i := 1; i < len(list); i++ {
		if list[i].At.Sub(list[i-1].At) != Interval {
			t.Fatalf("%v after %v", list[i].At, list[i-1].At)
		}
	}
	for _, d := range []time.Duration{-time.Second, 0, 1, time.Microsecond, time.Hour, 1 << 62} {
		if i := classOf(d); i < 0 || i >= classes {
			t.Errorf("%v is of class %d", d, i)
		}
	}
}

// TestHistoryConcurrency: no request is lost between minutes.
func TestHistoryConcurrency(t *testing.T) {
	h, c := newTestHistory()
	var all sync.WaitGroup
	const each, workers = 500, 4
	for range workers {
		all.Go(func() {
			for i := range each {
				if i%100 == 0 {
					c.pass(time.Minute)
				}
				h.request(c, 200, time.Millisecond)
				if i%50 == 0 {
					h.Since(time.Time{})
				}
			}
		})
	}
	all.Wait()
	list, _ := h.Since(time.Time{})
	var n int64
	for _, s := range list {
		n += s.Requests
	}
	if n != each*workers {
		t.Errorf("%d requests of %d", n, each*workers)
	}
}

func BenchmarkHistory(b *testing.B) {
	h := NewHistory(func() Gauges { return Gauges{} }, nil)
	e := &reqlog.Event{Op: "GetObject", Status: 200, Start: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		h.Add(e)
	}
}
