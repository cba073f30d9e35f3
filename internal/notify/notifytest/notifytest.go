// Package notifytest has what the tests of the kinds of targets share: messages, and how a target is made that may connect
// to this machine. It imports internal/notify and internal/events.
package notifytest

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
)

// Message makes a message about a key of the bucket "b".
func Message(t testing.TB, name events.Name, key string) notify.Message {
	t.Helper()
	e := &events.Event{Name: name, Time: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), Region: "r", RequestID: "ID", Bucket: "b", Key: key, Size: 3, Sequence: uint64(time.Now().UnixNano())}
	body, err := json.Marshal(e.Log())
	if err != nil {
		t.Fatal(err)
	}
	return notify.Message{Event: e, Body: body}
}

// New makes a target that may be on this machine; the test closes it.
func New(t testing.TB, kind notify.Kind, values map[string]string) notify.Target {
	t.Helper()
	guard := notify.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	target, err := kind.New(&notify.Settings{Values: values, Dial: guard.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

// Send sends messages, which the target must take.
func Send(t testing.TB, target notify.Target, list ...notify.Message) {
	t.Helper()
	if n, err := target.Send(t.Context(), list); n != len(list) || err != nil {
		t.Fatalf("%d of %d: %v", n, len(list), err)
	}
}

// Server returns where a real server is, as a variable says; the test is left out by name without it.
func Server(t testing.TB, variable string) string {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		t.Skipf("%s is not set: there is no server to test against (make targets starts one)", variable)
	}
	return v
}

// Refused checks that settings are refused.
func Refused(t testing.TB, kind notify.Kind, rows ...map[string]string) {
	t.Helper()
	for _, values := range rows {
		if target, err := kind.New(&notify.Settings{Values: values}); err == nil {
			target.Close()
			t.Errorf("%v is taken", values)
		}
	}
}

// Guarded checks that a target does not connect to this machine unless that is allowed (S-249).
func Guarded(t testing.TB, kind notify.Kind, values map[string]string) {
	t.Helper()
	target, err := kind.New(&notify.Settings{Values: values, Dial: (&notify.Guard{}).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // some kinds try again meanwhile
	defer cancel()
	if n, err := target.Send(ctx, []notify.Message{Message(t, events.CreatedPut, "k")}); n != 0 || err == nil {
		t.Errorf("connected to this machine (S-249): sent %d, %v", n, err)
	}
}
