package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// fake is a target that keeps what it gets; while down it takes nothing.
type fake struct {
	mu   sync.Mutex
	down bool
	got  []string
	more chan struct{}
}

func newFake() *fake { return &fake{more: make(chan struct{}, 1)} }

func (f *fake) Send(_ context.Context, list []Message) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() {
		select {
		case f.more <- struct{}{}:
		default:
		}
	}()
	if f.down {
		return 0, errors.New("it is down")
	}
	for _, m := range list {
		f.got = append(f.got, string(m.Event.Name)+" "+m.Event.Key)
	}
	return len(list), nil
}
func (f *fake) Check(context.Context) error { return nil }
func (f *fake) Addresses() []string         { return nil }
func (f *fake) Close() error                { return nil }

func (f *fake) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// wait returns what the target has once it has n events.
func (f *fake) wait(t *testing.T, n int) []string {
	t.Helper()
	for {
		f.mu.Lock()
		got := slices.Clone(f.got)
		f.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-f.more:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

func openHub(t *testing.T, dir string, limit int, f Target) *Hub {
	t.Helper()
	h, err := Open([]Config{{Kind: "fake", ID: "1", Target: f, Dir: filepath.Join(dir, "fake-1"), Limit: limit}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.senders["fake:1"].wait = time.Millisecond
	return h
}

func to(key string) events.Addressed { return events.Addressed{Target: "fake:1", Event: ev(key)} }

func nothing(context.Context, events.Event) ([]events.Event, error) { return nil, nil }

// TestDown is R-042: a target that is down stops nobody, its events wait over a restart, and it gets each once it is
// back, in their order.
func TestDown(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	f.set(true)
	h := openHub(t, dir, 1000, f)
	h.Start(t.Context(), nothing)
	for i := range 50 {
		p, err := h.Expect([]events.Addressed{to(fmt.Sprint(i))})
		if err != nil {
			t.Fatal(err)
		}
		p.Happened(0, ev(fmt.Sprint(i)))
		p.End(false)
	}
	<-f.more
	for h.Status()[0].State != Failing {
		<-f.more
	}
	if s := h.Status()[0]; s.Waiting != 50 || s.LastError != "it is down" || s.Failures == 0 {
		t.Errorf("%+v", s)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	f = newFake()
	h = openHub(t, dir, 1000, f)
	defer h.Close()
	h.Start(t.Context(), nothing)
	got := f.wait(t, 50)
	for i := range 50 {
		if got[i] != fmt.Sprintf("s3:ObjectCreated:Put %d", i) {
			t.Fatalf("%d: %s", i, got[i])
		}
	}
}

// TestDropped is the other half of R-042: beyond the limit events are dropped and counted, and nobody waits.
func TestDropped(t *testing.T) {
	f := newFake()
	f.set(true)
	h := openHub(t, t.TempDir(), 5, f)
	defer h.Close()
	h.Start(t.Context(), nothing)
	for i := range 8 {
		p, err := h.Expect([]events.Addressed{to(fmt.Sprint(i))})
		if err != nil {
			t.Fatal(err)
		}
		p.Happened(0, ev(fmt.Sprint(i)))
		p.End(false)
	}
	if s := h.Status()[0]; s.Waiting != 5 || s.Dropped != 3 {
		t.Errorf("%+v", s)
	}
	f.set(false)
	if got := f.wait(t, 5); len(got) != 5 || got[4] != "s3:ObjectCreated:Put 4" {
		t.Errorf("%q", got)
	}
	if err := h.Send(to("later"), true); err != nil {
		t.Error(err)
	}
	f.wait(t, 6)
}

// TestRecover: what was expected when the server died is looked into at the next start; what a request leaves unknown
// at once. What can't be seen stays.
func TestRecover(t *testing.T) {
	dir, f := t.TempDir(), newFake()
	h := openHub(t, dir, 100, f)
	if _, err := h.Expect([]events.Addressed{to("done"), to("not done"), to("unseen")}); err != nil {
		t.Fatal(err)
	}
	h.senders["fake:1"].queue.lock.Close() // dead
	look := func(_ context.Context, e events.Event) ([]events.Event, error) {
		switch e.Key {
		case "done", "unknown":
			return []events.Event{e}, nil
		case "unseen":
			return nil, errors.New("the store is away")
		}
		return nil, nil
	}
	h = openHub(t, dir, 100, f)
	defer h.Close()
	h.Start(t.Context(), look)
	f.wait(t, 1)
	p, err := h.Expect([]events.Addressed{to("unknown"), to("not done")})
	if err != nil {
		t.Fatal(err)
	}
	p.End(true)
	if got := f.wait(t, 2); !slices.Equal(got, []string{"s3:ObjectCreated:Put done", "s3:ObjectCreated:Put unknown"}) {
		t.Errorf("%q", got)
	}
	if s := h.Status()[0]; s.Expected != 1 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// TestGuard is S-249: addresses of this machine and of its network's metadata are refused, however they are written.
func TestGuard(t *testing.T) {
	var g Guard
	for _, a := range []string{"127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "0.0.0.0:80", "[::]:80", "169.254.169.254:80", "[fe80::1%eth0]:80", "[::ffff:127.0.0.1]:80",
		"[::ffff:169.254.169.254]:80", "[fd00:ec2::254]:80", "[64:ff9b::a9fe:a9fe]:80", "[64:ff9b::7f00:1]:80", "224.0.0.1:80", "255.255.255.255:80", "name:80"} {
		if g.Check(a) == nil {
			t.Errorf("%s is allowed", a)
		}
	}
	for _, a := range []string{"10.1.2.3:80", "192.0.2.1:443", "[2001:db8::1]:443", "[64:ff9b::c000:201]:80"} {
		if err := g.Check(a); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
	g.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if g.Check("127.0.0.1:80") != nil || g.Check("[::ffff:127.0.0.1]:80") != nil || g.Check("[::1]:80") == nil {
		t.Error("only what is named is allowed")
	}
	if _, err := (&Guard{}).Dial(t.Context(), "tcp", "localhost:1"); err == nil || !strings.Contains(err.Error(), "OBJSRV_NOTIFY_ALLOW") {
		t.Error("a name that leads here:", err)
	}
}
