// Package reqlog holds the event that accompanies one HTTP request: made outermost,
// filled on the way, emitted once as an access line and as metrics. The event is the
// only value of ours that travels in a context. It imports nothing of ours.
package reqlog

import (
	"context"
	"net/http"
	"time"
)

// Event is what is known about one request.
type Event struct {
	ID        string // request id, sent as x-amz-request-id
	Start     time.Time
	Remote    string // client address without port, after trusted proxies
	TLS       bool
	Method    string
	Host      string
	URI       string // as sent, secrets in the query masked when printed
	UserAgent string

	Op        string // operation name of the table, "" before routing
	Bucket    string
	Key       string
	Version   string
	AccessKey string // as claimed; proven only when Principal is set
	Principal string // ARN of the authenticated principal

	Status   int
	Code     string // error code of the answer, "" on success
	Err      error  // cause of a 5xx, or of a body cut short
	BytesIn  int64
	BytesOut int64

	// Header is the request's and Answer the answer's, as they are: they hold secrets, change, and
	// are nobody's once the request has ended.
	Header, Answer http.Header
	Answered       time.Time // when the answer began; zero unless somebody watches requests
}

type key struct{}

// With returns a context that carries e.
func With(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, key{}, e)
}

// From returns the event of ctx, or a throw-away one when there is none, so that
// callers need not check.
func From(ctx context.Context) *Event {
	if e, ok := ctx.Value(key{}).(*Event); ok {
		return e
	}
	return &Event{}
}
