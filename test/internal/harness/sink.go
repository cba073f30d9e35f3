package harness

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// deliveryTime is how long an event may take once its target is up again: the sender waits up to 30 s between attempts.
const deliveryTime = 50 * time.Second

// Told is an event as a target is told of it.
type Told struct{ Name, Bucket, Key string }

// Sink is a target of events: a webhook that can be down. Its port stays taken; while it is down, connections end
// without an answer.
type Sink struct {
	listener net.Listener
	server   http.Server

	mu   sync.Mutex
	down bool
	got  map[Told]int
}

// NewSink listens, and is down.
func NewSink() (*Sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: l, down: true, got: map[Told]int{}}
	s.server.Handler = s
	go s.server.Serve(l)
	return s, nil
}

// Settings are the server's environment for the target NotifyTarget.
func (s *Sink) Settings() []string {
	return []string{"OBJSRV_NOTIFY_ALLOW=127.0.0.0/8", "OBJSRV_NOTIFY_WEBHOOK_ENABLE_" + NotifyTarget + "=on",
		"OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_" + NotifyTarget + "=http://" + s.listener.Addr().String() + "/"}
}

// SetDown has it take nothing any more, or again.
func (s *Sink) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// ServeHTTP implements http.Handler.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		EventName string
		Records   []struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key string }
			}
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || err != nil {
		panic(http.ErrAbortHandler) // the connection ends
	}
	for _, rec := range body.Records {
		if key, err := url.QueryUnescape(rec.S3.Object.Key); err == nil {
			s.got[Told{body.EventName, rec.S3.Bucket.Name, key}]++
		}
	}
}

// Has tells how often the target has been told of an event.
func (s *Sink) Has(t Told) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[t]
}

// Await returns when the target has been told of all of list.
func (s *Sink) Await(list ...Told) error {
	s.SetDown(false)
	defer s.SetDown(true)
	var missing []Told
	err := Await(deliveryTime, "all events delivered", func() (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		missing = nil
		for _, t := range list {
			if s.got[t] == 0 {
				missing = append(missing, t)
			}
		}
		return len(missing) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w; %d of %d are missing, the first is %v", err, len(missing), len(list), missing[0])
	}
	return nil
}

// Names of events.
const (
	EventPut    = "s3:ObjectCreated:Put"
	EventDelete = "s3:ObjectRemoved:Delete"
)
