// Package loadgen measures object servers from outside. Every request is signed and
// serialised before the clock starts and sent over raw keep-alive connections, so
// that on a machine shared with the server nearly all of the processor time belongs
// to the server. A run sends the same phases to several targets in turn, round by
// round, and reports medians, ratios, and what the server itself used according to
// /proc: processor time per operation, peak memory, bytes written to the disk.
//
// The package is for cmd/objsrv-bench and tests; nothing of the server imports it, and of
// the server it imports the signer only, because it measures other servers as well.
// The wire formats are HTTP/1.1 (RFC 9112) and the Amazon S3 API; /proc is described
// in proc(5) of Linux.
package loadgen

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Load is one stretch of work for one server.
type Load struct {
	Addr     string        // host:port
	Conns    int           // concurrent connections, each with one request under way
	Requests []Request     // taken in order
	Loop     bool          // start again from the first request after the last
	Duration time.Duration // no request is started later than this; 0 means no limit (then not Loop)
	Timeout  time.Duration // limit of the whole stretch after Duration; 0 means a minute
}

// Result is what a Load saw from the client's side.
type Result struct {
	Ops     int           // requests answered as expected; always the first Ops of Requests
	Bytes   int64         // payload: bodies sent and received
	Elapsed time.Duration // from the first request to the last answer
	Latency Histogram
}

// Rate returns operations per second.
func (r *Result) Rate() float64 { return float64(r.Ops) / r.Elapsed.Seconds() }

// Run connects, sends, and waits for all answers. An answer other than 2xx, of the wrong
// length or malformed, and a failing connection, end the run with an error: a
// server that refuses is not fast.
func (l *Load) Run(ctx context.Context) (*Result, error) {
	if len(l.Requests) == 0 {
		return nil, fmt.Errorf("run load: no requests")
	}
	if l.Duration == 0 && l.Loop {
		return nil, fmt.Errorf("run load: a loop needs a duration")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	conns := l.Conns
	if !l.Loop {
		conns = min(conns, len(l.Requests))
	}
	workers := make([]*worker, conns)
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	for i := range workers {
		workers[i] = &worker{load: l, addr: l.Addr}
		if err := workers[i].dial(ctx); err != nil {
			return nil, fmt.Errorf("run load: %w", err)
		}
	}

	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	l.arm(workers, start)
	for _, w := range workers {
		wg.Go(func() {
			if err := w.run(ctx, &next, start); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("run load: %w", err)
	}
	res := &Result{Elapsed: time.Since(start)}
	for _, w := range workers {
		res.Ops += w.ops
		res.Bytes += w.bytes
		res.Latency.Merge(&w.latency)
	}
	return res, nil
}

// arm computes the one deadline that all connections share: deadlines per request would cost
// a timer each.
func (l *Load) arm(workers []*worker, start time.Time) {
	timeout := l.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	if l.Duration == 0 && l.Timeout == 0 {
		timeout = time.Hour
	}
	for _, w := range workers {
		w.deadline = start.Add(l.Duration + timeout)
		w.conn.SetDeadline(w.deadline)
	}
}

// worker is one connection and its counters.
type worker struct {
	load     *Load
	addr     string
	conn     net.Conn
	answers  *Reader
	deadline time.Time
	ops      int
	bytes    int64
	latency  Histogram
}

func (w *worker) dial(ctx context.Context) error {
	w.close()
	d := net.Dialer{Timeout: 10 * time.Second, Deadline: w.deadline}
	conn, err := d.DialContext(ctx, "tcp", w.addr)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	w.conn = conn
	if w.answers == nil {
		w.answers = NewReader(conn)
	} else {
		w.answers.Reset(conn)
	}
	if !w.deadline.IsZero() {
		conn.SetDeadline(w.deadline)
	}
	return nil
}

func (w *worker) close() {
	if w != nil && w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// run sends requests until none is left, the duration is over, or another
// worker failed.
func (w *worker) run(ctx context.Context, next *atomic.Int64, start time.Time) error {
	requests := w.load.Requests
	stop := start.Add(w.load.Duration)
	for ctx.Err() == nil {
		begin := time.Now()
		if w.load.Duration > 0 && !begin.Before(stop) {
			return nil
		}
		i := next.Add(1) - 1
		if i >= int64(len(requests)) {
			if !w.load.Loop {
				return nil
			}
			i %= int64(len(requests))
		}
		r := &requests[i]
		n, err := w.exchange(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.line(), err)
		}
		w.latency.Add(time.Since(begin))
		w.ops++
		w.bytes += n
	}
	return nil
}

// exchange sends r and reads its answer; it returns the payload bytes of both.
func (w *worker) exchange(ctx context.Context, r *Request) (int64, error) {
	if w.conn == nil {
		if err := w.dial(ctx); err != nil {
			return 0, err
		}
	}
	// A server that refuses may answer and close before it has read the body, so an
	// answer is worth reading even when sending failed.
	sendErr := r.send(w.conn)
	a, err := w.answers.Next(r.NoBody)
	if err != nil {
		if sendErr != nil {
			err = sendErr
		}
		return 0, err
	}
	if err := r.check(a); err != nil {
		return 0, err
	}
	if sendErr != nil {
		return 0, sendErr
	}
	if a.Close {
		w.close()
	}
	n := r.payload
	if !r.NoBody {
		n += a.Length
	}
	return n, nil
}
