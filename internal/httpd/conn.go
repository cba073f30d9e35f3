package httpd

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// corkSize is what a connection collects of one answer before it writes. It holds
// net/http's buffer of 4 KiB several times; larger writes are not copied but joined
// to what has been collected by writev.
const corkSize = 32 << 10

// corkBuffers holds buffers of connections that are not collecting.
var corkBuffers = sync.Pool{New: func() any { return new([corkSize]byte) }}

// pace is what a peer must keep up: at least min bytes in each span of waiting.
type pace struct {
	span time.Duration
	min  int64
}

// slack is the fraction of a moving deadline by which it may be early: so often it is
// not set anew while data flows.
const slack = 8

// conn is an accepted connection. Its read side belongs to one goroutine at a time and
// its write side to another, as in net/http; deadlines and Close may come from any.
type conn struct {
	net.Conn
	pace    pace
	release func(*conn) // called once by Close
	closed  atomic.Bool
	aborted atomic.Bool // no more waiting: flushes and deadlines are void

	dl struct { // deadlines
		mu          sync.Mutex
		want        time.Time // read deadline that net/http asked for
		set         time.Time // read deadline that the socket has
		reading     bool
		body        bool // a request body is being read: the moving deadline applies
		waited      time.Duration
		moved       int64
		writeWant   time.Time // write deadline that net/http or crypto/tls asked for
		writeArmed  time.Time // when the moving write deadline was last set
		writeIsMove bool      // the socket has the moving deadline
	}

	wr struct { // held while writing
		mu     sync.Mutex
		corked bool
		buf    *[corkSize]byte // nil while empty
		n      int
		err    error // first failure; nothing is written after it
		vec    [2][]byte
		bufs   net.Buffers
		sent   int64 // bytes given to the kernel
		acked  int64 // of them known to have arrived when the moving deadline was set
	}
}

// Read implements net.Conn. While a request body is read, it fails with a timeout when
// the peer has let the reader wait for pace.span without sending pace.min bytes.
func (c *conn) Read(p []byte) (int, error) {
	c.dl.mu.Lock()
	start := c.applyRead()
	c.dl.reading = true
	c.dl.mu.Unlock()

	n, err := c.Conn.Read(p)

	c.dl.mu.Lock()
	c.dl.reading = false
	if c.dl.body && !start.IsZero() {
		c.dl.moved += int64(n)
		c.dl.waited += time.Since(start)
		if c.dl.moved >= c.pace.min {
			c.dl.moved, c.dl.waited = 0, 0
		}
	}
	c.dl.mu.Unlock()
	return n, err
}

// applyRead gives the socket the read deadline that holds now, and returns the time
// when that is the moving one, else zero.
func (c *conn) applyRead() (start time.Time) {
	want := c.dl.want
	if c.dl.body && want.IsZero() {
		start = time.Now()
		left := c.pace.span - c.dl.waited
		want = start.Add(left)
		if d := want.Sub(c.dl.set); d >= 0 && d < left/slack {
			return start
		}
	}
	if want.Equal(c.dl.set) || c.aborted.Load() {
		return start
	}
	c.dl.set = want
	c.Conn.SetReadDeadline(want)
	return start
}

// SetReadDeadline implements net.Conn. The socket is told when a Read is waiting or the
// next one begins: net/http sets six deadlines a request, few of which meet a Read.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.dl.mu.Lock()
	defer c.dl.mu.Unlock()
	c.dl.want = t
	if c.dl.reading {
		c.applyRead()
	}
	return nil
}

// setBody says whether a request body is expected from the peer.
func (c *conn) setBody(on bool) {
	c.dl.mu.Lock()
	defer c.dl.mu.Unlock()
	if c.dl.body == on {
		return
	}
	c.dl.body, c.dl.waited, c.dl.moved = on, 0, 0
	if c.dl.reading {
		c.applyRead()
	}
}

// SetWriteDeadline implements net.Conn. A zero time gives way to the moving deadline. A
// time to come ends collecting: crypto/tls sets one before its last words, and one of the
// past behind them, after which Close could write nothing.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() && !c.aborted.Load() && c.wr.mu.TryLock() {
		if c.wr.corked && t.After(time.Now()) {
			c.wr.corked = false
			_ = c.send(nil) // an error shows again at the next write
		}
		c.wr.mu.Unlock()
	}
	c.dl.mu.Lock()
	defer c.dl.mu.Unlock()
	c.dl.writeWant = t
	if t.IsZero() && c.dl.writeIsMove || c.aborted.Load() {
		return nil
	}
	c.dl.writeIsMove, c.dl.writeArmed = false, time.Time{}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// armWrite moves the write deadline before a write, unless one was asked for, and notes
// what the peer has taken in so far.
func (c *conn) armWrite(again bool) {
	c.dl.mu.Lock()
	defer c.dl.mu.Unlock()
	if !c.dl.writeWant.IsZero() || c.aborted.Load() {
		return
	}
	now := time.Now()
	if again || now.Sub(c.dl.writeArmed) > c.pace.span/slack {
		c.dl.writeArmed, c.dl.writeIsMove = now, true
		c.Conn.SetWriteDeadline(now.Add(c.pace.span))
		c.wr.acked = c.wr.sent - unsent(c.Conn)
	}
}

// cork makes writes collect until uncork, flush or Close.
func (c *conn) cork() {
	c.wr.mu.Lock()
	c.wr.corked = true
	c.wr.mu.Unlock()
}

// uncork writes what has been collected and ends collecting.
func (c *conn) uncork() error {
	c.wr.mu.Lock()
	defer c.wr.mu.Unlock()
	c.wr.corked = false
	return c.send(nil)
}

// flush writes what has been collected.
func (c *conn) flush() error {
	c.wr.mu.Lock()
	defer c.wr.mu.Unlock()
	return c.send(nil)
}

// Write implements net.Conn. A corked connection takes what fits into its buffer and
// writes buffer and p together when p does not fit.
func (c *conn) Write(p []byte) (int, error) {
	c.wr.mu.Lock()
	defer c.wr.mu.Unlock()
	if c.wr.err != nil {
		return 0, c.wr.err
	}
	if c.wr.corked && c.wr.n+len(p) <= corkSize && len(p) < corkSize/2 {
		if c.wr.buf == nil {
			c.wr.buf = corkBuffers.Get().(*[corkSize]byte)
		}
		c.wr.n += copy(c.wr.buf[c.wr.n:], p)
		return len(p), nil
	}
	if err := c.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes what has been collected, and p. An error is final: the peer does not
// know where the stream was cut, so nothing may follow.
func (c *conn) send(p []byte) error {
	if c.wr.err != nil {
		return c.wr.err
	}
	c.wr.bufs = c.wr.vec[:0]
	if c.wr.n > 0 {
		c.wr.bufs = append(c.wr.bufs, c.wr.buf[:c.wr.n])
	}
	if len(p) > 0 {
		c.wr.bufs = append(c.wr.bufs, p)
	}
	if len(c.wr.bufs) == 0 {
		return nil
	}
	c.wr.err = c.push()
	if c.wr.buf != nil {
		corkBuffers.Put(c.wr.buf)
		c.wr.buf, c.wr.n = nil, 0
	}
	c.wr.bufs, c.wr.vec = nil, [2][]byte{}
	return c.wr.err
}

// push writes wr.bufs to the socket as long as the peer keeps the pace.
func (c *conn) push() error {
	again := false
	for {
		c.armWrite(again)
		var n int64
		var err error
		if len(c.wr.bufs) == 1 {
			var m int
			m, err = c.Conn.Write(c.wr.bufs[0])
			n = int64(m)
			c.wr.bufs[0] = c.wr.bufs[0][m:]
		} else {
			n, err = c.wr.bufs.WriteTo(c.Conn)
		}
		c.wr.sent += n
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !c.movedOn() {
			return err
		}
		again = true
	}
}

// movedOn tells, when a write ran out of time, whether the peer has taken in enough
// since the deadline was set, as far as the kernel tells.
func (c *conn) movedOn() bool {
	c.dl.mu.Lock()
	asked := !c.dl.writeWant.IsZero()
	c.dl.mu.Unlock()
	if asked || c.aborted.Load() {
		return false
	}
	return c.wr.sent-unsent(c.Conn)-c.wr.acked >= c.pace.min
}

// Close implements net.Conn. It first writes what has been collected.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	if !c.aborted.Load() {
		c.flush()
	}
	err := c.Conn.Close()
	c.release(c)
	return err
}

// CloseWrite writes what has been collected and shuts down the writing side, as
// net/http does to let the peer read an answer while it still sends.
func (c *conn) CloseWrite() error {
	if err := c.uncork(); err != nil {
		return err
	}
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

// abort makes everything that waits on the connection fail at once.
func (c *conn) abort() {
	c.aborted.Store(true)
	c.Conn.SetDeadline(time.Unix(1, 0))
}
