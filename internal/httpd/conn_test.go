package httpd

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// recorder is a socket that keeps what is written, and fails after a number of bytes.
type recorder struct {
	net.Conn
	got    bytes.Buffer
	writes int
	room   int // bytes until failure; negative for no limit
	closed bool
}

var errSocket = errors.New("socket failed")

func (r *recorder) Write(p []byte) (int, error) {
	r.writes++
	if r.room >= 0 && len(p) > r.room {
		n := r.room
		r.room = 0
		r.got.Write(p[:n])
		return n, errSocket
	}
	if r.room >= 0 {
		r.room -= len(p)
	}
	return r.got.Write(p)
}
func (r *recorder) Close() error                     { r.closed = true; return nil }
func (r *recorder) SetReadDeadline(time.Time) error  { return nil }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) SetDeadline(time.Time) error      { return nil }

func newTestConn(room int) (*conn, *recorder) {
	r := &recorder{room: room}
	return &conn{Conn: r, pace: pace{time.Minute, 1}, release: func(*conn) {}}, r
}

// FuzzCork runs any sequence of writes, corks and flushes: the socket gets every byte in
// order, all of them after a flush, an uncork or Close, and none twice.
func FuzzCork(f *testing.F) {
	f.Add([]byte{0, 1, 0, 10, 2}, -1)
	f.Add([]byte{0, 200, 255, 1, 3, 255}, -1)
	f.Add([]byte{0, 255, 255, 255, 255, 2, 9}, 70000)
	f.Fuzz(func(t *testing.T, program []byte, room int) {
		if len(program) > 64 {
			program = program[:64]
		}
		c, sock := newTestConn(room)
		var want bytes.Buffer
		fill := byte(0)
		corked, failed := false, false
		for _, op := range program {
			before := sock.writes
			switch op {
			case 0:
				c.cork()
				corked = true
			case 1:
				failed = c.flush() != nil || failed
			case 2:
				failed = c.uncork() != nil || failed
				corked = false
			case 3:
				failed = c.CloseWrite() != nil || failed
				corked = false
			default:
				p := bytes.Repeat([]byte{fill}, int(op)*int(op))
				fill++
				n, err := c.Write(p)
				if err == nil && n != len(p) {
					t.Fatalf("wrote %d of %d without an error", n, len(p))
				}
				if err == nil && failed {
					t.Fatal("a write succeeded after a failure")
				}
				failed = failed || err != nil
				want.Write(p)
				if !failed && corked && c.wr.n >= len(p) && sock.writes != before {
					t.Fatal("what was collected was written as well")
				}
				if !failed && !corked && sock.got.Len() != want.Len() {
					t.Fatalf("uncorked: %d bytes of %d at the socket", sock.got.Len(), want.Len())
				}
				continue
			}
			if op != 0 && !failed && sock.got.Len() != want.Len() {
				t.Fatalf("after op %d: %d bytes of %d at the socket", op, sock.got.Len(), want.Len())
			}
		}
		c.Close()
		if !sock.closed {
			t.Fatal("not closed")
		}
		if !bytes.HasPrefix(want.Bytes(), sock.got.Bytes()) {
			t.Fatal("the socket got other bytes than were written")
		}
		if room < 0 && sock.got.Len() != want.Len() {
			t.Fatalf("%d bytes of %d arrived", sock.got.Len(), want.Len())
		}
		if c.wr.buf != nil {
			t.Fatal("a buffer is kept")
		}
		if _, err := c.Write([]byte("x")); room >= 0 && room < want.Len() && err == nil {
			t.Fatal("a write succeeded after the socket failed")
		}
	})
}

// tcpPair returns both ends of a connection, the first wrapped.
func tcpPair(t *testing.T, p pace) (*conn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := newListener(l, p, 10)
	defer own.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := own.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); peer.Close() })
	return c.(*conn), peer.(*net.TCPConn)
}

func TestWriteJoinsCollectedAndLarge(t *testing.T) {
	c, peer := tcpPair(t, pace{time.Minute, 1})
	head, large := bytes.Repeat([]byte("h"), 4096), bytes.Repeat([]byte("L"), 1<<20)
	done := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(peer)
		done <- b
	}()
	c.cork()
	c.Write(head)
	if _, err := c.Write(large); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("tail"))
	c.Close()
	if got := <-done; !bytes.Equal(got, append(append(head, large...), "tail"...)) {
		t.Fatalf("got %d bytes, other than written", len(got))
	}
}

// A peer that takes nothing is given up after the span; one that takes its time is not.
func TestWritePace(t *testing.T) {
	t.Run("stalled", func(t *testing.T) {
		c, _ := tcpPair(t, pace{100 * time.Millisecond, 1})
		start := time.Now()
		_, err := c.Write(make([]byte, 64<<20))
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("error %v, want a timeout", err)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("gave up after %v", d)
		}
	})
	t.Run("slow", func(t *testing.T) {
		c, peer := tcpPair(t, pace{150 * time.Millisecond, 1})
		c.Conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
		peer.SetReadBuffer(64 << 10)
		const size = 4 << 20
		got := make(chan int64)
		go func() {
			var n int64
			buf := make([]byte, 256<<10)
			for {
				m, err := io.ReadFull(peer, buf)
				n += int64(m)
				if err != nil {
					got <- n
					return
				}
				time.Sleep(50 * time.Millisecond) // the slowness that is tested
			}
		}()
		if _, err := c.Write(make([]byte, size)); err != nil {
			t.Fatalf("a slow reader was cut: %v", err)
		}
		c.Close()
		if n := <-got; n != size {
			t.Fatalf("%d of %d bytes arrived", n, size)
		}
	})
}

func TestReadPace(t *testing.T) {
	const span = 100 * time.Millisecond
	t.Run("stalled", func(t *testing.T) {
		c, peer := tcpPair(t, pace{span, 10})
		c.setBody(true)
		peer.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 10)); !isTimeout(err) {
			t.Fatalf("error %v, want a timeout", err)
		}
	})
	t.Run("trickle", func(t *testing.T) {
		c, peer := tcpPair(t, pace{span, 1000})
		c.setBody(true)
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(span / 10); ; {
				select {
				case <-tick.C:
					peer.Write([]byte("x"))
				case <-stop:
					return
				}
			}
		}()
		start := time.Now()
		if _, err := io.ReadFull(c, make([]byte, 1000)); !isTimeout(err) {
			t.Fatalf("error %v, want a timeout", err)
		}
		if d := time.Since(start); d > 50*span {
			t.Errorf("a trickle was read for %v", d)
		}
	})
	t.Run("slow reader of ours", func(t *testing.T) {
		c, peer := tcpPair(t, pace{span, 1000})
		c.setBody(true)
		peer.Write([]byte("xy"))
		b := make([]byte, 1)
		c.Read(b)
		time.Sleep(2 * span) // the server's own slowness is not the peer's
		if _, err := c.Read(b); err != nil {
			t.Fatalf("the peer was blamed: %v", err)
		}
	})
	t.Run("no body", func(t *testing.T) {
		c, peer := tcpPair(t, pace{span, 1000})
		c.setBody(true)
		got := make(chan error)
		go func() {
			_, err := c.Read(make([]byte, 1))
			got <- err
		}()
		waitFor(t, func() bool { c.dl.mu.Lock(); defer c.dl.mu.Unlock(); return c.dl.reading })
		c.setBody(false) // while the read waits
		select {
		case err := <-got:
			t.Fatalf("ended: %v", err)
		case <-time.After(3 * span):
		}
		peer.Write([]byte("x"))
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	})
}

func TestSetReadDeadlineWakesRead(t *testing.T) {
	c, _ := tcpPair(t, pace{time.Minute, 1})
	got := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		got <- err
	}()
	waitFor(t, func() bool { c.dl.mu.Lock(); defer c.dl.mu.Unlock(); return c.dl.reading })
	c.SetReadDeadline(time.Unix(1, 0))
	if err := <-got; !isTimeout(err) {
		t.Fatalf("error %v, want a timeout", err)
	}
}

func TestAbortEndsFlush(t *testing.T) {
	c, _ := tcpPair(t, pace{time.Minute, 1})
	got := make(chan error)
	go func() {
		_, err := c.Write(make([]byte, 64<<20))
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("64 MiB were taken by nobody: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	c.abort()
	if err := <-got; !isTimeout(err) {
		t.Fatalf("error %v, want a timeout", err)
	}
	c.Close()
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// waitFor returns when ok does, and fails the test after a while.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("condition did not come true in 10 s")
		}
	}
}

func TestListenerLimit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := newListener(l, pace{time.Minute, 1}, 1)
	defer own.Close()
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := own.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		peer, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("a second connection was accepted beyond the limit")
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	first.Close() // frees one slot, not two
	second := <-accepted
	if own.open() != 1 {
		t.Errorf("%d connections open, want 1", own.open())
	}
	second.Close()
}
