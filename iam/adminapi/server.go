package adminapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// History is the answer to GET metrics/history, with ?minutes=N: the figures of the last minutes that had
// requests, the oldest first.
type History struct {
	Now      time.Time       `json:"now"`
	Interval int             `json:"intervalSeconds"`
	Since    time.Time       `json:"since"` // what was before is not known
	Samples  []HistorySample `json:"samples"`
}

// HistorySample is one minute; the last one may be running.
type HistorySample struct {
	At          time.Time `json:"at"` // when the minute began
	Requests    int64     `json:"requests"`
	Errors4xx   int64     `json:"errors4xx"`
	Errors5xx   int64     `json:"errors5xx"`
	BytesIn     int64     `json:"bytesIn"`
	BytesOut    int64     `json:"bytesOut"`
	P50ms       float64   `json:"p50ms"`
	P99ms       float64   `json:"p99ms"`
	MemoryBytes int64     `json:"memoryBytes"`
	Goroutines  int64     `json:"goroutines"`
	Connections int64     `json:"connections"`
	DiskFree    int64     `json:"diskFreeBytes"`
	DiskTotal   int64     `json:"diskTotalBytes"`
}

// Restarting is the answer to POST restart.
type Restarting struct {
	Restarting bool `json:"restarting"`
}

const usualMinutes = 60

// noBody refuses a body that is not the empty object.
func (c *call) noBody() error {
	if len(c.body) == 0 {
		return nil
	}
	return parse(c.body, &struct{}{})
}

func (c *call) server() error {
	s, err := c.config.Host.Server(c.r.Context())
	if err != nil {
		return err
	}
	n := c.config.Service.Counts()
	s.Identities = Identities{Users: n.Users, Groups: n.Groups, Policies: n.Policies, Keys: n.Keys, Sessions: n.Sessions}
	return c.reply(http.StatusOK, s)
}

func (c *call) history() error {
	minutes := usualMinutes
	if c.query.Has("minutes") {
		var err error
		if minutes, err = strconv.Atoi(c.query.Get("minutes")); err != nil || minutes < 1 || minutes > live.MaxSamples {
			return badArgument("The parameter minutes is a number from 1 to %d.", live.MaxSamples)
		}
	}
	now := time.Now().UTC()
	samples, since := c.config.Host.History().Since(now.Truncate(live.Interval).Add(-time.Duration(minutes-1) * live.Interval))
	out := History{Now: now, Interval: int(live.Interval / time.Second), Since: since, Samples: make([]HistorySample, len(samples))}
	for i := range samples {
		s := &samples[i]
		out.Samples[i] = HistorySample{
			At: s.At, Requests: s.Requests, Errors4xx: s.Errors4xx, Errors5xx: s.Errors5xx, BytesIn: s.BytesIn, BytesOut: s.BytesOut,
			P50ms: milliseconds(s.P50), P99ms: milliseconds(s.P99),
			MemoryBytes: s.Memory, Goroutines: s.Goroutines, Connections: s.Connections, DiskFree: s.DiskFree, DiskTotal: s.DiskTotal,
		}
	}
	return c.reply(http.StatusOK, out)
}

// milliseconds returns d, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (c *call) restart() error {
	if err := c.noBody(); err != nil {
		return err
	}
	c.config.Host.Restart()
	return c.reply(http.StatusAccepted, Restarting{true})
}
