package live

import (
	"net/http"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Trace is a request that has ended, with its secrets masked.
type Trace struct {
	reqlog.Event               // URI masked, Header and Answer masked copies
	Took         time.Duration // from the end of the request's header to the end of the answer
	FirstByte    time.Duration // to the answer's header; 0 when not known
}

// NewTrace makes the entry of a request that ends now.
func NewTrace(e *reqlog.Event, now time.Time) Trace {
	t := Trace{Event: *e, Took: now.Sub(e.Start)}
	t.URI = cut(reqlog.MaskURI(e.URI))
	t.UserAgent, t.Key = cut(e.UserAgent), cut(e.Key)
	t.Header, t.Answer = maskHeader(e.Header), maskHeader(e.Answer)
	t.Header["Host"] = []string{cut(e.Host)} // net/http keeps it elsewhere
	if !e.Answered.IsZero() {
		t.FirstByte = e.Answered.Sub(e.Start)
	}
	return t
}

// maskHeader copies a header without its secrets.
func maskHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if reqlog.IsSecretHeader(name) {
			out[name] = []string{reqlog.Masked}
			continue
		}
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = cut(v)
		}
		out[name] = list
	}
	return out
}
