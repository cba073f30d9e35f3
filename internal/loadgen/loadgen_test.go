package loadgen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// served starts a server of h and returns it as a target.
func served(t *testing.T, h http.HandlerFunc) *Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Target{Name: "test", Addr: s.Listener.Addr().String(), AccessKey: "key", SecretKey: "secret"}
}

func requests(t *testing.T, target *Target, n int, method string, body Payload, want int64) []Request {
	t.Helper()
	list := build(n, func(i int) Request {
		return target.Request(method, fmt.Sprintf("/b/%d", i), nil, body, want)
	})
	return list
}

func TestRunSendsEachOnce(t *testing.T) {
	for _, size := range []int64{0, 100, 4 << 10, 300 << 10} {
		var mu sync.Mutex
		seen := map[string]int{}
		body := NewPayload(noise(1, size))
		target := served(t, func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil || string(got) != string(body.Data) || r.ContentLength != size {
				t.Errorf("%s: %d bytes, announced %d, error %v", r.URL, len(got), r.ContentLength, err)
			}
			if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/") || r.Header.Get("X-Amz-Content-Sha256") != body.Hash {
				t.Errorf("%s: headers %v", r.URL, r.Header)
			}
			mu.Lock()
			seen[r.URL.Path]++
			if len(seen)%7 == 0 {
				w.Header().Set("Connection", "close") // as servers do that limit the requests of a connection
			}
			mu.Unlock()
			fmt.Fprint(w, "done")
		})
		l := Load{Addr: target.Addr, Conns: 4, Requests: requests(t, target, 50, http.MethodPut, body, 4)}
		res, err := l.Run(t.Context())
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if res.Ops != 50 || res.Latency.Count() != 50 || res.Bytes != 50*(size+4) || res.Elapsed <= 0 {
			t.Errorf("size %d: %d operations, %d latencies, %d bytes, %s", size, res.Ops, res.Latency.Count(), res.Bytes, res.Elapsed)
		}
		if len(seen) != 50 {
			t.Errorf("size %d: the server has seen %d of 50", size, len(seen))
		}
	}
}

func TestRunLoopsForDuration(t *testing.T) {
	var n atomic.Int64
	var clients sync.Map
	target := served(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		clients.Store(r.RemoteAddr, true)
	})
	l := Load{Addr: target.Addr, Conns: 4, Requests: requests(t, target, 1, http.MethodHead, Payload{}, -1), Loop: true, Duration: 100 * time.Millisecond}
	res, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conns := 0
	clients.Range(func(any, any) bool { conns++; return true })
	if conns != l.Conns {
		t.Errorf("%d connections were used, want %d", conns, l.Conns)
	}
	if res.Ops <= l.Conns || int64(res.Ops) != n.Load() || res.Elapsed < l.Duration {
		t.Errorf("%d operations in %s, the server has seen %d", res.Ops, res.Elapsed, n.Load())
	}
}

func TestRunFails(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		message string
	}{
		{"refusal", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "<Code>SlowDown</Code>", 503) }, "status 503: <Code>SlowDown"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(307) }, "status 307"},
		{"short", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "abc") }, "3 bytes answered, want 4"},
		{"cut", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "4")
			fmt.Fprint(w, "ab")
			panic(http.ErrAbortHandler)
		}, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			target := served(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 5 {
					tt.handler(w, r)
					return
				}
				fmt.Fprint(w, "good")
			})
			l := Load{Addr: target.Addr, Conns: 2, Requests: requests(t, target, 1, http.MethodGet, Payload{}, 4), Loop: true, Duration: time.Minute}
			begin := time.Now()
			_, err := l.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("error %v, want %q in it", err, tt.message)
			}
			if time.Since(begin) > 30*time.Second {
				t.Error("the run went on after the error")
			}
		})
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for name, l := range map[string]Load{
		"no requests":       {Addr: "127.0.0.1:1", Conns: 1},
		"loop without end":  {Addr: "127.0.0.1:1", Conns: 1, Loop: true, Requests: make([]Request, 1)},
		"nobody is serving": {Addr: "127.0.0.1:1", Conns: 1, Requests: make([]Request, 1)},
	} {
		if _, err := l.Run(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRunEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	target := served(t, func(w http.ResponseWriter, r *http.Request) { cancel() })
	l := Load{Addr: target.Addr, Conns: 2, Requests: requests(t, target, 1, http.MethodGet, Payload{}, 0), Loop: true, Duration: time.Minute}
	if _, err := l.Run(ctx); err == nil {
		t.Error("no error after the context ended")
	}
}

func TestOneReturnsBody(t *testing.T) {
	target := served(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.RequestURI()) })
	body, err := target.One(t.Context(), http.MethodGet, "/b", listQuery(7), Payload{})
	if want := "/b?list-type=2&max-keys=1000&prefix=d%2F&start-after=d%2F00000007"; err != nil || string(body) != want {
		t.Errorf("%q, %v; want %q", body, err, want)
	}
}
