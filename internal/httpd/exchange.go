package httpd

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// exchange is one request and its answer: everything that httpd keeps for it, in one
// allocation.
type exchange struct {
	event reqlog.Event
	id    [1]string // the header's value
	w     response
	body  body
}

// serverName is the Server header; it tells no version.
var serverName = []string{"objsrv"}

// serve is the outermost handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{}
	c, _ := r.Context().Value(connKey{}).(*conn)
	s.begin(x, r)
	x.w = response{ResponseWriter: w, conn: c}
	h := w.Header()
	x.event.Answer = h
	x.w.watched = s.opt.Watched
	x.w.event = &x.event
	h["Server"] = serverName
	x.id[0] = x.event.ID
	h["X-Amz-Request-Id"] = x.id[:]
	x.w.last = len(r.TransferEncoding) > 0
	r = r.WithContext(reqlog.With(r.Context(), &x.event))
	if r.Body != nil && r.Body != http.NoBody {
		x.body = body{ReadCloser: r.Body, conn: c}
		x.w.body = &x.body
		r.Body = &x.body
		if c != nil {
			c.setBody(true)
		}
	}
	if s.opt.Begin != nil {
		s.opt.Begin()
	}
	defer s.end(x)
	s.handler.ServeHTTP(&x.w, r)
}

// begin fills the event from the request.
func (s *Server) begin(x *exchange, r *http.Request) {
	remote, secure := s.opt.Proxies.client(r)
	x.event = reqlog.Event{
		ID: newRequestID(), Start: time.Now(), Remote: remote, TLS: secure,
		Method: r.Method, Host: r.Host, URI: r.RequestURI, UserAgent: r.UserAgent(),
		Header: r.Header,
	}
}

// end completes the event and hands it on. A panic of the handler becomes a 500 when
// nothing has been answered yet, else the connection is cut so that the client can't
// take what it has for the whole.
func (s *Server) end(x *exchange) {
	failure := recover()
	if failure != nil && failure != http.ErrAbortHandler {
		x.event.Err = fmt.Errorf("panic: %v", failure)
		s.opt.Log.Error("handler panicked", "request", x.event.ID, "panic", fmt.Sprint(failure), "stack", string(debug.Stack()))
		if x.w.status == 0 {
			x.w.Header().Set("Connection", "close")
			x.w.WriteHeader(http.StatusInternalServerError)
			failure = nil
		}
	}
	if x.event.Status = x.w.status; x.event.Status == 0 && failure == nil {
		x.event.Status = http.StatusOK
	}
	x.event.BytesIn, x.event.BytesOut = x.body.n, x.w.n
	if s.opt.Observe != nil {
		s.opt.Observe(&x.event)
	}
	if failure != nil {
		panic(http.ErrAbortHandler)
	}
}

// newRequestID returns 16 hexadecimal digits, as S3's request ids look. They tell
// requests apart and protect nothing.
func newRequestID() string {
	const digits = "0123456789ABCDEF"
	var b [16]byte
	for i, v := 0, rand.Uint64(); i < len(b); i, v = i+1, v>>4 {
		b[i] = digits[v&15]
	}
	return string(b[:])
}

// body counts what is read of a request body and knows when it has ended.
type body struct {
	io.ReadCloser
	conn *conn
	n    int64
	eof  bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if err == io.EOF && !b.eof {
		b.eof = true
		if b.conn != nil {
			b.conn.setBody(false)
		}
	}
	return n, err
}

// response notes what is answered and has the connection collect it. Nothing is
// collected while a request body is unread: the client may be waiting for the answer
// before it sends more, and net/http may read before it is done.
type response struct {
	http.ResponseWriter
	conn *conn
	body *body // nil without a request body
	// last closes the connection behind the answer. A request with a Transfer-Encoding may
	// have had a Content-Length too, which net/http has dropped: what follows it may be
	// a smuggled request.
	last    bool
	status  int
	n       int64
	event   *reqlog.Event
	watched func() bool // whether somebody wants to know when the answer began; may be nil
}

// Unwrap serves http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		if w.watched != nil && w.watched() {
			w.event.Answered = time.Now()
		}
		if w.last {
			w.Header()["Connection"] = []string{"close"}
		}
		if w.conn != nil && (w.body == nil || w.body.eof) {
			w.conn.cork()
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// copyBuffers serves ReadFrom.
var copyBuffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// onlyWriter hides ReadFrom from io.CopyBuffer.
type onlyWriter struct{ io.Writer }

// ReadFrom implements io.ReaderFrom, so that io.Copy takes its buffer from a pool.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[128 << 10]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(onlyWriter{w}, src, buf[:])
}

// FlushError serves http.ResponseController: all that has been written so far leaves.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if w.conn != nil {
		err = errors.Join(err, w.conn.flush())
	}
	return err
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }
