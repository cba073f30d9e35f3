package madmin

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// The kinds of traces that this server makes, as bits of MinIO's.
const (
	traceS3       = 1 << 2
	traceInternal = 1 << 3
)

// Parameters of a trace: traceKinds ask for kinds, most of which are of parts that this server does
// not have, so that nothing comes of them.
const (
	traceKinds = "s3 internal storage os scanner decommission healing batch-replication batch-keyrotation batch-expire rebalance " +
		"replication-resync bootstrap ftp ilm kms formatting tables tables-scan purgeondelete systeminventory tables-compaction all"
	traceParams = traceKinds + " err threshold threshold-ttfb"
)

// traceInfo is one request in a trace.
type traceInfo struct {
	Type     int           `json:"type"`
	NodeName string        `json:"nodename"`
	FuncName string        `json:"funcname"`
	Time     time.Time     `json:"time"`
	Path     string        `json:"path"`
	Took     time.Duration `json:"dur"`
	Bytes    int64         `json:"bytes,omitempty"`
	Error    string        `json:"error,omitempty"`
	HTTP     traceHTTP     `json:"http"`
}

type traceHTTP struct {
	Request struct {
		Time     time.Time   `json:"time"`
		Proto    string      `json:"proto"`
		Method   string      `json:"method"`
		Path     string      `json:"path,omitempty"`
		RawQuery string      `json:"rawquery,omitempty"`
		Headers  http.Header `json:"headers,omitempty"`
		Client   string      `json:"client"`
	} `json:"request"`
	Response struct {
		Time       time.Time   `json:"time"`
		Headers    http.Header `json:"headers,omitempty"`
		StatusCode int         `json:"statuscode,omitempty"`
	} `json:"response"`
	Stats struct {
		InputBytes  int64         `json:"inputbytes,omitempty"`
		OutputBytes int64         `json:"outputbytes,omitempty"`
		FirstByte   time.Duration `json:"timetofirstbyte"`
	} `json:"stats"`
}

// traceFilter is what a client wants to see.
type traceFilter struct {
	kinds            int
	errors           bool
	atLeast, firstAt time.Duration
}

func (c *call) traceFilter() (f traceFilter, err error) {
	for _, name := range fields(traceKinds + " err") {
		on, err := c.flag(name)
		if err != nil {
			return f, err
		}
		switch {
		case !on:
		case name == "s3":
			f.kinds |= traceS3
		case name == "internal":
			f.kinds |= traceInternal
		case name == "all":
			f.kinds |= traceS3 | traceInternal
		case name == "err":
			f.errors = true
		}
	}
	for name, d := range map[string]*time.Duration{"threshold": &f.atLeast, "threshold-ttfb": &f.firstAt} {
		if v := c.param(name); v != "" {
			if *d, err = time.ParseDuration(v); err != nil || *d < 0 {
				return f, invalid("The parameter " + name + " is a duration such as 5ms.")
			}
		}
	}
	return f, nil
}

func (f *traceFilter) keep(t *live.Trace) bool {
	return f.kinds&traceKind(t) != 0 && t.Took >= f.atLeast && t.FirstByte >= f.firstAt &&
		(!f.errors || t.Status >= http.StatusBadRequest || t.Status == 0)
}

// traceKind tells requests of S3 and STS from those of probes and of administration.
func traceKind(t *live.Trace) int {
	if t.Internal() {
		return traceInternal
	}
	return traceS3
}

func (c *call) trace() error {
	f, err := c.traceFilter()
	if err != nil {
		return err
	}
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	w, err := c.Host.Requests().Watch(c.id.ID, f.keep)
	if err != nil {
		return watchError(err)
	}
	return stream(c, "admin:ServerTrace", nil, w, func(t *live.Trace) any { return newTraceInfo(t, s.Node) })
}

func newTraceInfo(t *live.Trace, node string) traceInfo {
	path, query, _ := strings.Cut(t.URI, "?")
	if p, err := url.PathUnescape(path); err == nil {
		path = p
	}
	kind, prefix := traceKind(t), "s3."
	if kind == traceInternal {
		prefix = "internal."
	}
	op := t.Op
	if op == "" {
		op = "Unknown"
	}
	out := traceInfo{Type: kind, NodeName: node, FuncName: prefix + op, Time: t.Start, Path: path, Took: t.Took, Bytes: t.BytesIn + t.BytesOut, Error: t.Code}
	r := &out.HTTP.Request
	r.Time, r.Proto, r.Method, r.Path, r.RawQuery, r.Client = t.Start, "HTTP/1.1", t.Method, path, query, t.Remote
	r.Headers = t.Header
	a := &out.HTTP.Response
	a.Time, a.Headers, a.StatusCode = t.Start.Add(t.Took), t.Answer, t.Status
	st := &out.HTTP.Stats
	st.InputBytes, st.OutputBytes, st.FirstByte = t.BytesIn, t.BytesOut, t.FirstByte
	return out
}
