package adminapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// TraceBegins is the first line of a trace.
type TraceBegins struct {
	Trace string `json:"trace"` // "begins"
}

// TraceEntry is a request that has ended: a line of GET trace. Secrets are masked.
type TraceEntry struct {
	Time         time.Time   `json:"time"` // when it began
	ID           string      `json:"id"`
	Op           string      `json:"op"`
	Method       string      `json:"method"`
	URI          string      `json:"uri"`
	Bucket       string      `json:"bucket,omitempty"`
	Key          string      `json:"key,omitempty"`
	Version      string      `json:"version,omitempty"`
	Remote       string      `json:"remote"`
	TLS          bool        `json:"tls"`
	UserAgent    string      `json:"userAgent,omitempty"`
	AccessKey    string      `json:"accessKey,omitempty"`
	Principal    string      `json:"principal,omitempty"`
	Status       int         `json:"status"` // 0 when the answer was cut before it began
	Code         string      `json:"code,omitempty"`
	Milliseconds float64     `json:"ms"`
	FirstByte    float64     `json:"firstByteMs,omitempty"`
	BytesIn      int64       `json:"bytesIn"`
	BytesOut     int64       `json:"bytesOut"`
	Request      http.Header `json:"requestHeader,omitempty"` // with ?headers=true
	Answer       http.Header `json:"answerHeader,omitempty"`
}

// traceFilter is what somebody wants to see.
type traceFilter struct {
	op, bucket, user string
	status, class    int // class is 4 of "4xx"; 0 for any
	errors, internal bool
	slow             time.Duration
}

// flag reads a parameter that is true, or false as when it is absent.
func (c *call) flag(name string) (bool, error) {
	switch v := c.query.Get(name); {
	case !c.query.Has(name), v == "false":
		return false, nil
	case v == "true":
		return true, nil
	}
	return false, badArgument("The parameter %s is true or false.", name)
}

func (c *call) traceFilter() (f traceFilter, err error) {
	f = traceFilter{op: c.query.Get("op"), bucket: c.query.Get("bucket"), user: c.query.Get("user")}
	if f.errors, err = c.flag("errors"); err != nil {
		return f, err
	}
	if f.internal, err = c.flag("internal"); err != nil {
		return f, err
	}
	if v := c.query.Get("slow"); v != "" {
		ms, err := strconv.ParseFloat(v, 64)
		if err != nil || !(ms >= 0 && ms <= 1e9) {
			return f, badArgument("The parameter slow is a number of milliseconds.")
		}
		f.slow = time.Duration(ms * float64(time.Millisecond))
	}
	v := c.query.Get("status")
	if v == "" {
		return f, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(v, "xx"))
	switch {
	case err == nil && strings.HasSuffix(v, "xx") && len(v) == 3 && n >= 1 && n <= 5:
		f.class = n
	case err == nil && len(v) == 3 && n >= 100 && n <= 599:
		f.status = n
	default:
		return f, badArgument("The parameter status is a status such as 404, or a class such as 4xx.")
	}
	return f, nil
}

func (f *traceFilter) keep(t *live.Trace) bool {
	op, prefix := strings.CutSuffix(f.op, "*")
	switch {
	case !f.internal && t.Internal(),
		f.op != "" && t.Op != op && !(prefix && strings.HasPrefix(t.Op, op)),
		f.bucket != "" && t.Bucket != f.bucket,
		f.user != "" && !strings.Contains(t.AccessKey, f.user) && !strings.Contains(t.Principal, f.user),
		f.status != 0 && t.Status != f.status,
		f.class != 0 && t.Status/100 != f.class,
		f.errors && t.Status != 0 && t.Status < http.StatusBadRequest,
		t.Took < f.slow:
		return false
	}
	return true
}

// watchRequests answers with the requests that end from now on, until the client goes.
func (c *call) watchRequests() error {
	f, err := c.traceFilter()
	if err != nil {
		return err
	}
	headers, err := c.flag("headers")
	if err != nil {
		return err
	}
	w, err := c.config.Host.Requests().Watch(c.id.ID, f.keep)
	if err != nil {
		return watchRefusal(err)
	}
	defer w.Close()
	enc := c.lines()
	if enc.Encode(TraceBegins{"begins"}) != nil {
		return nil // the client is gone
	}
	return follow(c, ActionTrace, enc, w, func(t *live.Trace) any { return newTraceEntry(t, headers) })
}

func newTraceEntry(t *live.Trace, headers bool) TraceEntry {
	e := TraceEntry{
		Time: t.Start.UTC(), ID: t.ID, Op: t.Op, Method: t.Method, URI: t.URI, Bucket: t.Bucket, Key: t.Key, Version: t.Version, Remote: t.Remote, TLS: t.TLS,
		UserAgent: t.UserAgent, AccessKey: t.AccessKey, Principal: t.Principal, Status: t.Status, Code: t.Code,
		Milliseconds: milliseconds(t.Took), FirstByte: milliseconds(t.FirstByte), BytesIn: t.BytesIn, BytesOut: t.BytesOut,
	}
	if headers {
		e.Request, e.Answer = t.Header, t.Answer
	}
	return e
}
