// Package notifytest has what the tests of the kinds of targets share: messages, and how a target is made that may connect
// to this machine. It imports internal/notify and internal/events.
package notifytest

import (
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
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

// Certificate returns a file of the certificates that real servers are tested with: ca.crt, client.crt, client.key.
func Certificate(name string) string { return filepath.Join(os.Getenv("OBJSRV_TEST_PKI"), name) }

// Secured checks that a real server is sent to over TLS with values, to which the settings ca, cert and key are added
// with the files of Certificate, that a server that nobody vouches for is not, and that one that wants a client
// certificate gets it. cert and key are empty for a kind that has none.
func Secured(t testing.TB, kind notify.Kind, values map[string]string, ca, cert, key string) {
	t.Helper()
	values = maps.Clone(values)
	values[ca] = Certificate("ca.crt")
	if cert != "" {
		values[cert], values[key] = Certificate("client.crt"), Certificate("client.key")
	}
	target := New(t, kind, values)
	if err := target.Check(t.Context()); err != nil {
		t.Error(err)
	}
	Send(t, target, Message(t, events.CreatedPut, "secured"))
	delete(values, ca)
	if err := New(t, kind, values).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
	if cert == "" {
		return
	}
	values[ca] = Certificate("ca.crt")
	delete(values, cert)
	delete(values, key)
	if New(t, kind, values).Check(t.Context()) == nil {
		t.Error("it goes without a client certificate")
	}
}
