package live

import (
	"math"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Limits of a History.
const (
	MaxSamples = 24 * 60     // minutes that are kept
	resolution = 1.15        // each class of latencies ends this much later than the one before
	fastest    = 20 * 1e-6   // seconds; the end of the first class
	classes    = 120         // the last one ends after 5 minutes
	Interval   = time.Minute // that one sample stands for
)

// Gauges are what a server has at one moment.
type Gauges struct {
	Memory      int64 // bytes of the process
	Goroutines  int64
	Connections int64
	DiskFree    int64 // bytes
	DiskTotal   int64 // bytes
}

// Sample is one minute of a server. Latencies are told to 15 percent.
type Sample struct {
	At                   time.Time // when the minute began, UTC
	Requests             int64
	Errors4xx, Errors5xx int64
	BytesIn, BytesOut    int64 // of bodies
	P50, P99             time.Duration
	Gauges
}

// History keeps a day of figures of the requests of clients, by the minute, in memory: 200 kilobytes at most.
// It has no clock of its own: a minute begins with its first request, and one without requests has no sample, so
// that an idle server sleeps. Those of administration, console and probes do not count. Safe for concurrent use.
type History struct {
	gauges func() Gauges
	now    func() time.Time

	mu      sync.Mutex
	samples []Sample // a ring once it is full
	next    int      // where the oldest is then
	running minute
	begun   time.Time
}

// minute is the one that is running.
type minute struct {
	Sample
	open  bool
	took  [classes]uint32
	total int64
}

// NewHistory returns an empty history. gauges is asked at most twice a minute and for each reading, never
// while a request waits; now is the clock, nil for time.Now.
func NewHistory(gauges func() Gauges, now func() time.Time) *History {
	if now == nil {
		now = time.Now
	}
	return &History{gauges: gauges, now: now, begun: now().UTC()}
}

// Add counts a request that ends now.
func (h *History) Add(e *reqlog.Event) {
	if e.Internal() {
		return
	}
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open(now) {
		go h.measure(h.running.At)
	}
	m := &h.running
	m.Requests++
	switch e.Status / 100 {
	case 4:
		m.Errors4xx++
	case 5:
		m.Errors5xx++
	}
	m.BytesIn += e.BytesIn
	m.BytesOut += e.BytesOut
	m.took[classOf(now.Sub(e.Start))]++
	m.total++
}

// open begins the minute of now, unless it is running, and tells whether it did. A clock that is set back
// begins none.
func (h *History) open(now time.Time) bool {
	at := now.UTC().Truncate(Interval)
	if h.running.open && !at.After(h.running.At) {
		return false
	}
	if h.running.open {
		h.keep(h.running.close())
	}
	h.running = minute{Sample: Sample{At: at}, open: true}
	return true
}

func (h *History) keep(s Sample) {
	if len(h.samples) < MaxSamples {
		h.samples = append(h.samples, s)
		return
	}
	h.samples[h.next] = s
	h.next = (h.next + 1) % MaxSamples
}

// close returns the sample of a minute.
func (m *minute) close() Sample {
	s := m.Sample
	s.P50, s.P99 = m.quantile(0.50), m.quantile(0.99)
	return s
}

// measure notes the gauges of the minute that began at, if it is still running.
func (h *History) measure(at time.Time) {
	g := h.gauges()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running.At.Equal(at) {
		h.running.Gauges = g
	}
}

// Since returns the samples of the minutes that began at t or later, the oldest first, with the running one if
// it has requests, and when the history began.
func (h *History) Since(t time.Time) (samples []Sample, begun time.Time) {
	g := h.gauges()
	h.mu.Lock()
	defer h.mu.Unlock()
	samples = []Sample{}
	take := func(s Sample) {
		if !s.At.Before(t) {
			samples = append(samples, s)
		}
	}
	for i := range h.samples {
		take(h.samples[(h.next+i)%len(h.samples)])
	}
	if h.running.open {
		if h.now().UTC().Truncate(Interval).Equal(h.running.At) {
			h.running.Gauges = g
		}
		take(h.running.close())
	}
	return samples, h.begun
}

// Now returns the gauges as they are.
func (h *History) Now() Gauges { return h.gauges() }

// classOf returns the class of a latency.
func classOf(d time.Duration) int {
	s := d.Seconds()
	if s <= fastest {
		return 0
	}
	return min(classes-1, int(math.Ceil(math.Log(s/fastest)/math.Log(resolution))))
}

// quantile returns the end of the class in which the quantile lies.
func (m *minute) quantile(q float64) time.Duration {
	if m.total == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(m.total)))
	for i, n := range m.took {
		if rank -= int64(n); rank <= 0 {
			return time.Duration(fastest * math.Pow(resolution, float64(i)) * float64(time.Second))
		}
	}
	return 0
}
