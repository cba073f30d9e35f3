package notify

import (
	"context"
	"encoding/json"
	"net"

	"github.com/objsrv/objsrv/internal/events"
)

// Target is where events go.
type Target interface {
	// Send hands messages over in their order and returns how many the target has for certain, with the
	// reason when those are not all. It is not called twice at once.
	Send(ctx context.Context, list []Message) (int, error)
	// Check tells whether the target would take events, as far as that can be told without sending one.
	Check(ctx context.Context) error
	// Addresses are host:port of where it is, for a look at whether anybody is there.
	Addresses() []string
	// Close lets go of connections. It is called once, after the last Send.
	Close() error
}

// Message is an event on its way to a target.
type Message struct {
	// Event is what has happened; it must not be changed.
	Event *events.Event
	// Body is the event in the form that MinIO sends: EventName, Key and Records.
	Body []byte
}

// Key is the name of the object, BUCKET/KEY, by which targets keep events apart.
func (m *Message) Key() string { return m.Event.Bucket + "/" + m.Event.Key }

// Value is the event as targets keep it that have one entry for each object: MinIO's {"Records": [RECORD]}.
func (m *Message) Value() ([]byte, error) {
	return json.Marshal(struct {
		Records []events.Record `json:"Records"`
	}{m.Event.Log().Records})
}

// Formats of targets that keep events, in MinIO's words: an entry for each object, which goes with it, or one for each event.
const (
	Namespace = "namespace"
	Access    = "access"
)

// Refusal is an error of Send about the first message that it has not sent: the target has looked at it, and will never
// take it, such as a key that its encoding does not have. It must not be said of what would meet other messages too, such as
// a password that is wrong. When the target says so again and takes others, the event is kept beside the queue, which goes on.
type Refusal struct{ Err error }

// Error implements error.
func (r *Refusal) Error() string { return "it will never take this event: " + r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func newMessage(e *events.Event) (Message, error) {
	body, err := json.Marshal(e.Log())
	return Message{Event: e, Body: body}, err
}

// Dial connects to an address; the kinds of targets get theirs from a Guard.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)
