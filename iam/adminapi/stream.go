package adminapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// keepAlive is how often a stream without entries sends an empty line: proxies keep the connection, and one that
// is gone shows.
const keepAlive = 15 * time.Second

// Dropped is a line of a stream: so many entries were lost before it, since the reader was too slow.
type Dropped struct {
	Dropped int64 `json:"dropped"`
}

// lines begins an answer of JSON values, one in a line.
func (c *call) lines() *json.Encoder {
	h := c.w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // nginx sends on what comes
	c.ev.Status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	enc := json.NewEncoder(c.w)
	enc.SetEscapeHTML(false)
	return enc
}

// watches tells whether the caller may still do what its stream began with: its credential and its rights may have gone
// since.
func (c *call) watches(action string) bool {
	id, err := c.config.Service.Renewed(c.id)
	if err != nil {
		return false
	}
	c.id = id
	q := c.question(action)
	q.RequestID = "" // the end of a stream is no refusal
	return c.config.Service.Authorize(q).Allowed
}

// follow sends entries until the client goes, may watch no longer, or the feed ends. Who reads slowly loses entries, and is told so;
// who does not read at all is cut by the listener.
func follow[T any](c *call, action string, enc *json.Encoder, w *live.Watcher[T], encode func(*T) any) error {
	control := http.NewResponseController(c.w)
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	told := int64(0)
	for {
		if len(w.Entries()) == 0 {
			if n := w.Dropped(); n > told {
				if enc.Encode(Dropped{n - told}) != nil {
					return nil
				}
				told = n
			}
			if control.Flush() != nil {
				return nil
			}
		}
		select {
		case v, ok := <-w.Entries():
			if !ok || !c.watches(action) || enc.Encode(encode(&v)) != nil {
				return nil // the server stops, or the client is gone
			}
		case <-tick.C:
			if !c.watches(action) {
				return nil
			}
			if _, err := c.w.Write([]byte{'\n'}); err != nil {
				return nil
			}
		case <-c.r.Context().Done():
			return nil
		}
	}
}

// watchRefusal answers for a stream that is one too many.
func watchRefusal(err error) error {
	if errors.Is(err, live.ErrTooMany) {
		return &Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown", Message: "You watch too many streams already; end one of them."}
	}
	return err
}
