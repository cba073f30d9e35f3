package httpd

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Health answers the questions of orchestrators and load balancers, without
// authentication: whether the process lives, and whether it should be sent requests.
// The zero value is starting.
type Health struct {
	// Check asks whether the store can serve; nil means it can. It is called for each
	// question and must be cheap.
	Check func(context.Context) error
	state atomic.Int32
}

const (
	starting int32 = iota
	running
	draining
)

// checkTimeout bounds Check, so that a hanging disk is an answer.
const checkTimeout = 5 * time.Second

// Run says that requests are served.
func (h *Health) Run() { h.state.Store(running) }

// Drain says that the process is about to end.
func (h *Health) Drain() { h.state.Store(draining) }

// Ready returns why requests should go elsewhere: nil, or a word for a person.
func (h *Health) Ready(ctx context.Context) (reason string) {
	switch h.state.Load() {
	case starting:
		return "starting"
	case draining:
		return "draining"
	}
	if h.Check == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.Check(ctx) }()
	select {
	case err := <-done:
		if err != nil {
			return "store unavailable"
		}
		return ""
	case <-ctx.Done():
		return "store does not answer"
	}
}

// Serve answers the probe name: live, ready, cluster or cluster/read; false when there is no such
// probe. Why it is not ready is told without details. The cluster is this one server: its probes say
// so in MinIO's headers, which `mc ready` reads, and answer 412 to ?maintenance=true, which asks
// whether requests would be served without it.
func (h *Health) Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	switch name {
	case "live", "ready", "cluster", "cluster/read":
	default:
		return false
	}
	reqlog.From(r.Context()).Op = "Health"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		Text(w, http.StatusMethodNotAllowed, "method not allowed")
		return true
	}
	if name != "live" {
		if reason := h.Ready(r.Context()); reason != "" {
			w.Header().Set("Retry-After", "5")
			Text(w, http.StatusServiceUnavailable, reason)
			return true
		}
	}
	switch name {
	case "cluster":
		w.Header().Set("X-Minio-Write-Quorum", "1")
	case "cluster/read":
		w.Header().Set("X-Minio-Read-Quorum", "1")
	default:
		Text(w, http.StatusOK, "ok")
		return true
	}
	if r.URL.Query().Get("maintenance") == "true" {
		Text(w, http.StatusPreconditionFailed, "this is the only server")
		return true
	}
	Text(w, http.StatusOK, "ok")
	return true
}
