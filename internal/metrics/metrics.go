// Package metrics counts what the server does and serves it to Prometheus. It owns the
// Prometheus client, imports reqlog and storage, and keeps everything in a registry of
// its own, so that two servers in one process do not meet.
//
// Names start with objsrv_ and follow Prometheus' naming rules: base units (seconds,
// bytes), _total for counters.
package metrics

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/storage"
)

// latencies are the upper bounds of the latency histogram in seconds: from a cached
// read to a large upload over a slow line.
var latencies = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}

// unrouted is the operation of requests that were refused before they had one.
const unrouted = "none"

// Options of New.
type Options struct {
	Version     string
	Connections func() int // open connections; may be nil
	// Dropped counts what administrators who watch the server were too slow for; may be nil.
	Dropped func() int64
}

// Stat is a figure of the store.
type Stat struct {
	Name    string // without prefix, such as "damage_total"
	Help    string
	Counter bool // only ever grows; else a gauge
	Value   float64
}

// Metrics counts requests. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	ops      sync.Map // operation -> *opSeries
	inFlight atomic.Int64
	now      func() time.Time

	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	in, out  *prometheus.CounterVec
}

// opSeries are the series of one operation, resolved once.
type opSeries struct {
	status  [6]prometheus.Counter // by class: 2 is 2xx
	seconds prometheus.Observer
	in, out prometheus.Counter
}

// New returns a set of metrics.
func New(o Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		now:      time.Now,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "objsrv_requests_total", Help: "Requests answered, by operation and class of status.",
		}, []string{"operation", "status"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "objsrv_request_errors_total", Help: "Requests answered with an error, by operation and error code.",
		}, []string{"operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "objsrv_request_duration_seconds", Help: "Time from the end of a request's header to the end of its answer, by operation.",
			Buckets: latencies,
		}, []string{"operation"}),
		in: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "objsrv_request_received_bytes_total", Help: "Bytes of request bodies read, as on the wire.",
		}, []string{"operation"}),
		out: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "objsrv_response_sent_bytes_total", Help: "Bytes of response bodies.",
		}, []string{"operation"}),
	}
	m.registry.MustRegister(m.requests, m.errors, m.seconds, m.in, m.out,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "objsrv_requests_in_flight", Help: "Requests being served now."},
			func() float64 { return float64(m.inFlight.Load()) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "objsrv_build_info", Help: "Always 1; the labels tell the build.",
			ConstLabels: prometheus.Labels{"version": o.Version}}, func() float64 { return 1 }))
	if o.Connections != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "objsrv_connections", Help: "Open client connections."},
			func() float64 { return float64(o.Connections()) }))
	}
	if o.Dropped != nil {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "objsrv_watch_dropped_total",
			Help: "Entries of traces and logs that who watched them was too slow for."}, func() float64 { return float64(o.Dropped()) }))
	}
	return m
}

// AddStore adds the usage of buckets and the figures of a store, which are asked for at
// every scrape. It is called once at most.
func (m *Metrics) AddStore(b storage.Buckets, figures func() []Stat) {
	m.registry.MustRegister(&usage{b}, &stats{"objsrv_store_", figures})
}

// AddFigures adds figures whose names get a prefix; they are asked for at every scrape. It is called once at most for a
// prefix.
func (m *Metrics) AddFigures(prefix string, figures func() []Stat) {
	m.registry.MustRegister(&stats{prefix, figures})
}

// Begin notes that a request is being served.
func (m *Metrics) Begin() { m.inFlight.Add(1) }

// InFlight counts the requests that are being served.
func (m *Metrics) InFlight() int64 { return m.inFlight.Load() }

// End counts a request that Begin was called for.
func (m *Metrics) End(e *reqlog.Event) {
	m.inFlight.Add(-1)
	op := e.Op
	if op == "" {
		op = unrouted
	}
	s := m.series(op)
	s.status[class(e.Status)].Inc()
	s.seconds.Observe(m.now().Sub(e.Start).Seconds())
	if e.BytesIn > 0 {
		s.in.Add(float64(e.BytesIn))
	}
	if e.BytesOut > 0 {
		s.out.Add(float64(e.BytesOut))
	}
	if e.Code != "" {
		m.errors.WithLabelValues(op, e.Code).Inc()
	}
}

// classes are the values of the label status; 0 is a request whose answer was cut
// before it began.
var classes = [6]string{"cut", "1xx", "2xx", "3xx", "4xx", "5xx"}

func class(status int) int {
	if c := status / 100; c >= 1 && c <= 5 {
		return c
	}
	return 0
}

// series returns the series of an operation. Operations come from the tables of the
// faces, so there are few.
func (m *Metrics) series(op string) *opSeries {
	if s, ok := m.ops.Load(op); ok {
		return s.(*opSeries)
	}
	s := &opSeries{seconds: m.seconds.WithLabelValues(op), in: m.in.WithLabelValues(op), out: m.out.WithLabelValues(op)}
	for i, name := range classes {
		s.status[i] = m.requests.WithLabelValues(op, name)
	}
	actual, _ := m.ops.LoadOrStore(op, s)
	return actual.(*opSeries)
}

// Handler serves the metrics in the formats of Prometheus. It does not authenticate.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
