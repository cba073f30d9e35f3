package s3api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// slow is a backend whose reads wait.
type slow struct {
	storage.Backend
	begun chan struct{} // gets one for each read that waits
	end   chan struct{}
}

func (s *slow) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	s.begun <- struct{}{}
	<-s.end
	return s.Backend.GetObject(ctx, ref)
}

// limited is a server with limits over a slow backend that holds "k". Requests come from the address that their header
// X-Test-From names.
func limited(t *testing.T, l Limits) (*env, *slow) {
	t.Helper()
	e := newEnv(t)
	b := &slow{mem.New(mem.Options{}), make(chan struct{}, 100), make(chan struct{})}
	e.s = New(Config{Backend: b, IAM: e.iam, Now: func() time.Time { return e.now }, Limits: l})
	e.srv.Close()
	e.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ev := &reqlog.Event{Remote: r.Header.Get("X-Test-From")}
		e.s.ServeHTTP(w, r.WithContext(reqlog.With(r.Context(), ev)))
	}))
	t.Cleanup(e.srv.Close)
	e.bucket("bkt", storage.VersioningUnset)
	e.must(200, "PUT", "/bkt/k", "x")
	return e, b
}

// slowReads begins n reads and returns when all of them wait in the backend; wait returns their answers, or what was no answer.
func (e *env) slowReads(b *slow, n int, from string) (wait func() []string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var codes []string
	for range n {
		r := e.request("GET", "/bkt/k", "", "X-Test-From: "+from)
		wg.Go(func() {
			res, err := e.srv.Client().Transport.RoundTrip(r)
			code := fmt.Sprint(err)
			if err == nil {
				code = res.Status[:3]
				res.Body.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			codes = append(codes, code)
		})
	}
	for range n {
		<-b.begun
	}
	return func() []string { wg.Wait(); return codes }
}

func wantAll(t *testing.T, codes []string, n int) {
	t.Helper()
	if len(codes) != n || strings.Trim(strings.Join(codes, ""), "20") != "" {
		t.Errorf("%d answers, want %d: %q", len(codes), n, codes)
	}
}

func TestLimitRequests(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond} {
		e, b := limited(t, Limits{Requests: 3, Wait: wait})
		got := e.slowReads(b, 3, "192.0.2.1")
		a := e.refused(503, "SlowDown", "GET", "/bkt/k", "")
		e.wantHeader(a, "Retry-After", "1")
		e.refused(503, "SlowDown", "PUT", "/bkt/l", "x")
		close(b.end)
		wantAll(t, got(), 3)
		e.must(200, "PUT", "/bkt/l", "x")
		if len(e.s.limiter.slots) != 0 {
			t.Errorf("%d slots are taken by nobody", len(e.s.limiter.slots))
		}
	}
}

// TestLimitWait: a request waits for its turn, and gets it.
func TestLimitWait(t *testing.T) {
	e, b := limited(t, Limits{Requests: 1, Wait: time.Hour, PerAddress: 5})
	first := e.slowReads(b, 1, "192.0.2.1")
	done := make(chan int, 3)
	for range 3 {
		r := e.request("GET", "/bkt/k", "", "X-Test-From: 192.0.2.2")
		go func() {
			res, err := e.srv.Client().Transport.RoundTrip(r)
			if err != nil {
				done <- 0
				return
			}
			res.Body.Close()
			done <- res.StatusCode
		}()
	}
	for e.s.limiter.addresses()["192.0.2.2/32"] < 3 { // until all of them wait
		time.Sleep(time.Millisecond)
	}
	close(b.end)
	wantAll(t, first(), 1)
	for range 3 {
		if code := <-done; code != 200 {
			t.Errorf("who has waited got %d", code)
		}
	}
	// One that goes away while it waits leaves nothing behind.
	e, b = limited(t, Limits{Requests: 1, Wait: time.Hour, PerAddress: 5})
	first = e.slowReads(b, 1, "192.0.2.1")
	ctx, cancel := context.WithCancel(t.Context())
	r := e.request("GET", "/bkt/k", "", "X-Test-From: 192.0.2.2").WithContext(ctx)
	gone := make(chan error)
	go func() { _, err := e.srv.Client().Transport.RoundTrip(r); gone <- err }()
	for e.s.limiter.addresses()["192.0.2.2/32"] == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-gone
	for e.s.limiter.addresses()["192.0.2.2/32"] > 0 {
		time.Sleep(time.Millisecond)
	}
	close(b.end)
	wantAll(t, first(), 1)
}

// addresses tells how many requests each address has.
func (m *limiter) addresses() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int{}
	for p, n := range m.by {
		out[p.String()] = n
	}
	return out
}

func TestLimitPerAddress(t *testing.T) {
	e, b := limited(t, Limits{PerAddress: 2})
	one := e.slowReads(b, 2, "192.0.2.1")
	e.refused(503, "SlowDown", "GET", "/bkt/k", "", "X-Test-From: 192.0.2.1")
	e.refused(503, "SlowDown", "GET", "/bkt/k", "", "X-Test-From: ::ffff:192.0.2.1")
	another := e.slowReads(b, 2, "192.0.2.2")
	six := e.slowReads(b, 1, "2001:db8::1")
	seven := e.slowReads(b, 1, "2001:db8::2")
	e.refused(503, "SlowDown", "GET", "/bkt/k", "", "X-Test-From: 2001:db8::ffff:3") // of the same network
	eight := e.slowReads(b, 1, "2001:db8:0:1::1")
	close(b.end)
	wantAll(t, one(), 2)
	wantAll(t, another(), 2)
	for _, r := range []func() []string{six, seven, eight} {
		wantAll(t, r(), 1)
	}
	if left := e.s.limiter.addresses(); len(left) > 0 {
		t.Errorf("counted with nothing under way: %v", left)
	}
}
