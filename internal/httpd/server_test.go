package httpd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// countListener counts the writes to the sockets that it accepts.
type countListener struct {
	net.Listener
	writes atomic.Int64
}

func (l *countListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countConn{c, l}, err
}

type countConn struct {
	net.Conn
	l *countListener
}

func (c *countConn) Write(p []byte) (int, error) {
	c.l.writes.Add(1)
	return c.Conn.Write(p)
}

// testServer is a running Server.
type testServer struct {
	*Server
	addr   string
	writes *atomic.Int64
	mu     sync.Mutex
	events []reqlog.Event
}

func serveTest(t *testing.T, h http.HandlerFunc, o Options) *testServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cl := &countListener{Listener: l}
	ts := &testServer{addr: l.Addr().String(), writes: &cl.writes}
	o.Observe = func(e *reqlog.Event) {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.events = append(ts.events, *e)
	}
	ts.Server = New(h, o)
	done := make(chan error)
	go func() { done <- ts.Serve(cl, nil) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		ts.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ts
}

// client is a raw connection to a test server.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (ts *testServer) dial(t *testing.T) *client {
	t.Helper()
	c, err := net.Dial("tcp", ts.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{t, c, bufio.NewReader(c)}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) answer(method string) (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("read answer: %v", err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("read body: %v", err)
	}
	return resp, string(b)
}

func (c *client) wantEOF() {
	c.t.Helper()
	if _, err := c.r.ReadByte(); err != io.EOF {
		c.t.Fatalf("the connection is not closed: %v", err)
	}
}

// sized answers with as many bytes as the path says, in pieces of the query's size.
func sized(w http.ResponseWriter, r *http.Request) {
	var n, piece int
	fmt.Sscanf(r.URL.Path, "/%d", &n)
	fmt.Sscanf(r.URL.RawQuery, "%d", &piece)
	if piece == 0 {
		piece = max(n, 1)
	}
	io.Copy(io.Discard, r.Body)
	if !r.URL.Query().Has("chunked") {
		w.Header().Set("Content-Length", fmt.Sprint(n))
	}
	for ; n > 0; n -= piece {
		w.Write(bytes.Repeat([]byte("x"), min(piece, n)))
	}
}

func TestOneWriteForAnAnswer(t *testing.T) {
	ts := serveTest(t, sized, Options{})
	for _, tc := range []struct {
		name, request string
		size          int
		writes        int64
	}{
		{"empty", "GET /0 HTTP/1.1\r\nHost: x\r\n\r\n", 0, 1},
		{"4 KiB", "GET /4096 HTTP/1.1\r\nHost: x\r\n\r\n", 4096, 1},
		{"12 KiB in pieces", "GET /12288?100 HTTP/1.1\r\nHost: x\r\n\r\n", 12288, 1},
		{"after a body", "PUT /5000 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 5000, 1},
		{"chunked", "GET /9000?500&chunked HTTP/1.1\r\nHost: x\r\n\r\n", 9000, 1},
		{"1.0", "GET /6000 HTTP/1.0\r\nHost: x\r\n\r\n", 6000, 1},
		{"to be closed", "GET /6000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 6000, 1},
		// A real socket takes the two parts of these in one system call (writev).
		{"60 KiB", "GET /61440 HTTP/1.1\r\nHost: x\r\n\r\n", 61440, 2},
		{"1 MiB", "GET /1048576 HTTP/1.1\r\nHost: x\r\n\r\n", 1 << 20, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := ts.dial(t)
			before := ts.writes.Load()
			c.send(tc.request)
			if _, body := c.answer("GET"); len(body) != tc.size {
				t.Fatalf("%d bytes, want %d", len(body), tc.size)
			}
			if n := ts.writes.Load() - before; n != tc.writes {
				t.Errorf("%d writes, want %d", n, tc.writes)
			}
		})
	}
}

func TestPipelinedRequests(t *testing.T) {
	ts := serveTest(t, sized, Options{})
	c := ts.dial(t)
	c.send("GET /10 HTTP/1.1\r\nHost: x\r\n\r\nGET /5000 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /7 HTTP/1.1\r\nHost: x\r\n\r\n")
	for _, want := range []struct {
		method string
		size   int
	}{{"GET", 10}, {"GET", 5000}, {"HEAD", 0}} {
		if resp, body := c.answer(want.method); resp.StatusCode != 200 || len(body) != want.size {
			t.Fatalf("%s: %s with %d bytes, want %d", want.method, resp.Status, len(body), want.size)
		}
	}
}

func TestFlushLeavesAtOnce(t *testing.T) {
	next := make(chan struct{})
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-next
		io.WriteString(w, "second")
	}, Options{})
	c := ts.dial(t)
	c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, b); err != nil || string(b) != "first" {
		t.Fatalf("%q, %v", b, err)
	}
	close(next)
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "second" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestContinue(t *testing.T) {
	ts := serveTest(t, sized, Options{})
	c := ts.dial(t)
	c.send("PUT /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	if line, err := c.r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	c.r.ReadString('\n')
	c.send("abc")
	if resp, body := c.answer("PUT"); resp.StatusCode != 200 || body != "xxx" {
		t.Fatalf("%s %q", resp.Status, body)
	}
}

// A client that waits for the answer before it sends its body must get it.
func TestEarlyAnswer(t *testing.T) {
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "no")
	}, Options{Limits: Limits{StallTimeout: 5 * time.Second}})
	for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
		c := ts.dial(t)
		c.SetDeadline(time.Now().Add(3 * time.Second))
		c.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000000\r\n" + expect + "\r\n")
		resp, body := c.answer("PUT")
		if resp.StatusCode != 403 || body != "no" || !resp.Close {
			t.Fatalf("%s %q, close %v", resp.Status, body, resp.Close)
		}
	}
}

func TestPanics(t *testing.T) {
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			w.Header().Set("Content-Length", "10000")
			io.WriteString(w, strings.Repeat("p", 3000)) // more than net/http holds back
		}
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("boom")
	}, Options{})
	c := ts.dial(t)
	c.send("GET /early HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp, _ := c.answer("GET"); resp.StatusCode != 500 {
		t.Fatalf("early: %s", resp.Status)
	}
	c.wantEOF()
	c = ts.dial(t)
	c.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("late: %q looks complete: %v", b, err)
	}
	c = ts.dial(t)
	c.send("GET /abort HTTP/1.1\r\nHost: x\r\n\r\n")
	c.wantEOF()
	waitFor(t, func() bool { ts.mu.Lock(); defer ts.mu.Unlock(); return len(ts.events) == 3 })
	if ts.events[0].Status != 500 || ts.events[0].Err == nil || ts.events[1].Status != 200 || ts.events[2].Status != 0 {
		t.Errorf("events %+v", ts.events)
	}
}

func TestEvent(t *testing.T) {
	ts := serveTest(t, sized, Options{})
	c := ts.dial(t)
	c.send("PUT /5000?a=b HTTP/1.1\r\nHost: h.example\r\nUser-Agent: ua\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	resp, _ := c.answer("PUT")
	waitFor(t, func() bool { ts.mu.Lock(); defer ts.mu.Unlock(); return len(ts.events) == 1 })
	e := ts.events[0]
	if len(e.ID) != 16 || resp.Header.Get("x-amz-request-id") != e.ID {
		t.Errorf("id %q, header %q", e.ID, resp.Header.Get("x-amz-request-id"))
	}
	if e.Method != "PUT" || e.Host != "h.example" || e.URI != "/5000?a=b" || e.UserAgent != "ua" || e.Remote != "127.0.0.1" ||
		e.Status != 200 || e.BytesIn != 3 || e.BytesOut != 5000 || e.TLS {
		t.Errorf("event %+v", e)
	}
}

// After a chunked request the connection ends: what follows may have been smuggled.
func TestNoSmuggling(t *testing.T) {
	ts := serveTest(t, sized, Options{})
	for name, request := range map[string]string{
		"CL and TE": "PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
		"TE":        "PUT /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
		"1.0":       "PUT /1 HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c := ts.dial(t)
		c.send(request)
		if resp, body := c.answer("PUT"); resp.StatusCode != 200 || body != "x" {
			t.Fatalf("%s: %s %q", name, resp.Status, body)
		}
		c.wantEOF()
	}
	for name, request := range map[string]string{
		"two CL":        "PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
		"signed CL":     "PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n",
		"space in name": "PUT /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
		"two hosts":     "GET /1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"NUL":           "GET /1 HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n",
		"TE xchunked":   "PUT /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
		"TE list":       "PUT /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
	} {
		c := ts.dial(t)
		c.send(request + "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
		if resp, _ := c.answer("PUT"); resp.StatusCode != 400 && resp.StatusCode != 501 {
			t.Errorf("%s: %s", name, resp.Status)
		}
		c.wantEOF()
	}
}

func TestHeaderLimits(t *testing.T) {
	ts := serveTest(t, sized, Options{Limits: Limits{HeaderTimeout: 200 * time.Millisecond}})
	t.Run("size", func(t *testing.T) {
		c := ts.dial(t)
		go io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: x\r\nA: "+strings.Repeat("a", 33<<10)+"\r\n\r\n")
		// The rest of the answer may be lost to the reset that unread bytes cause.
		if line, err := c.r.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 431 ") {
			t.Errorf("%q, %v, want 431", line, err)
		}
		c = ts.dial(t)
		c.send("GET /1 HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 27<<10) + "\r\n\r\n")
		if resp, _ := c.answer("GET"); resp.StatusCode != 200 {
			t.Errorf("%s, want 200 for a header within the limit", resp.Status)
		}
	})
	t.Run("trickle", func(t *testing.T) {
		c := ts.dial(t)
		start := time.Now()
		var err error
		for i := 0; err == nil && time.Since(start) < 5*time.Second; i++ {
			time.Sleep(20 * time.Millisecond) // the trickle that is tested
			_, err = io.WriteString(c, "GET / HTTP/1.1\r\n"[i%16:i%16+1])
		}
		if err == nil {
			t.Error("a trickled header was read for 5 s")
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	ts := serveTest(t, sized, Options{Limits: Limits{IdleTimeout: 100 * time.Millisecond}})
	c := ts.dial(t)
	c.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
	c.answer("GET")
	c.wantEOF()
}

func TestStalledBody(t *testing.T) {
	read := make(chan error, 1)
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
		w.WriteHeader(http.StatusRequestTimeout)
	}, Options{Limits: Limits{StallTimeout: 100 * time.Millisecond}})
	c := ts.dial(t)
	c.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
	if err := <-read; !isTimeout(err) {
		t.Errorf("error %v, want a timeout", err)
	}
	if resp, _ := c.answer("PUT"); resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%s", resp.Status)
	}
	c.wantEOF()
}

// A handler may take longer than the stall timeout after it has read the body.
func TestSlowHandlerIsNotCut(t *testing.T) {
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			t.Error("the request was cancelled")
		case <-time.After(300 * time.Millisecond): // the slowness that is tested
		}
		io.WriteString(w, "done")
	}, Options{Limits: Limits{StallTimeout: 50 * time.Millisecond}})
	c := ts.dial(t)
	for range 2 {
		c.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
		if resp, body := c.answer("PUT"); resp.StatusCode != 200 || body != "done" {
			t.Fatalf("%s %q", resp.Status, body)
		}
	}
}

func TestDisconnectCancels(t *testing.T) {
	cancelled := make(chan struct{})
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(cancelled)
	}, Options{})
	c := ts.dial(t)
	c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	c.Close()
	<-cancelled
}

func TestHijackEndsCollecting(t *testing.T) {
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		io.WriteString(nc, "raw")
		io.ReadFull(nc, make([]byte, 1)) // the peer answers what it has got
	}, Options{})
	c := ts.dial(t)
	c.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
	b := make([]byte, 3)
	if _, err := io.ReadFull(c.r, b); err != nil || string(b) != "raw" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestShutdownDrains(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-finish
		w.Header().Set("Content-Length", "4")
		io.WriteString(w, "done")
	}, Options{})
	busy, idle := ts.dial(t), ts.dial(t)
	busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	waitFor(t, func() bool { return ts.Connections() == 2 })
	down := make(chan error)
	go func() { down <- ts.Shutdown(t.Context()) }()
	waitFor(t, func() bool {
		_, err := net.DialTimeout("tcp", ts.addr, time.Second)
		return err != nil
	})
	select {
	case err := <-down:
		t.Fatalf("shut down with a request running: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(finish)
	if resp, body := busy.answer("GET"); resp.StatusCode != 200 || body != "done" {
		t.Errorf("%s %q", resp.Status, body)
	}
	idle.Close()
	if err := <-down; err != nil {
		t.Error(err)
	}
	if n := ts.Connections(); n != 0 {
		t.Errorf("%d connections left", n)
	}
}

func TestShutdownCutsAtTheLimit(t *testing.T) {
	entered := make(chan struct{})
	ts := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}, Options{})
	c := ts.dial(t)
	c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ts.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
}
