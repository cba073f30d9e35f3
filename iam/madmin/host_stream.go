package madmin

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// keepAlive is how often a stream without entries sends a space, as MinIO's do, which readers of JSON skip:
// proxies keep the connection, and one that is gone shows.
const keepAlive = 2 * time.Second

// watches tells whether the caller may still do what its stream began with: its credential and its rights may have gone
// since.
func (c *call) watches(action string) bool {
	id, err := c.handler.IAM.Renewed(c.id)
	if err != nil {
		return false
	}
	c.id = id
	return c.decide(action).Allowed
}

// stream sends entries as JSON, one in a line, until the client goes, may watch no longer, or the feed ends. first are those
// that were there before.
func stream[T any](c *call, action string, first []T, w *live.Watcher[T], encode func(*T) any) error {
	defer w.Close()
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close") // the end of a stream is the end of its connection
	c.ev.Status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	out := json.NewEncoder(c.w)
	for i := range first {
		if err := out.Encode(encode(&first[i])); err != nil {
			return nil // the client is gone
		}
	}
	control := http.NewResponseController(c.w)
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		if len(w.Entries()) == 0 {
			if control.Flush() != nil {
				return nil
			}
		}
		select {
		case v, ok := <-w.Entries():
			if !ok || !c.watches(action) || out.Encode(encode(&v)) != nil {
				return nil
			}
		case <-tick.C:
			if !c.watches(action) {
				return nil
			}
			if _, err := c.w.Write([]byte{' '}); err != nil {
				return nil
			}
		case <-c.ctx.Done():
			return nil
		}
	}
}

// watchError answers for a stream that is refused.
func watchError(err error) error {
	if errors.Is(err, live.ErrTooMany) {
		return &Refusal{http.StatusServiceUnavailable, "SlowDown", "You watch too many streams already; end one of them."}
	}
	return err
}
