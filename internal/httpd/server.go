package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Options of a Server. Zero values of Limits mean the defaults.
type Options struct {
	Limits  Limits
	Proxies Proxies             // whose X-Forwarded-* count
	Log     *slog.Logger        // server faults; nil discards
	Begin   func()              // called when a request begins; may be nil
	Observe func(*reqlog.Event) // called once for each request, when its handler has ended; may be nil
	Watched func() bool         // whether events should tell when the answer began; nil is no
}

// Limits bound what a client can hold.
type Limits struct {
	HeaderTimeout time.Duration // for a whole request header, and for a TLS handshake; default 30 s
	IdleTimeout   time.Duration // between requests of a connection; default 3 min
	StallTimeout  time.Duration // waiting for PaceBytes of a body or an answer; default 30 s
	PaceBytes     int64         // default 4 KiB
	HeaderBytes   int           // of request line and header; default 32 KiB
	Connections   int           // per listener; default 20 000
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&l.HeaderTimeout, 30*time.Second)
	def(&l.IdleTimeout, 3*time.Minute)
	def(&l.StallTimeout, 30*time.Second)
	if l.PaceBytes == 0 {
		l.PaceBytes = 4 << 10
	}
	if l.HeaderBytes == 0 {
		l.HeaderBytes = 32 << 10
	}
	if l.Connections == 0 {
		l.Connections = 20_000
	}
	return l
}

// httpSlack is what net/http adds to MaxHeaderBytes for its buffer.
const httpSlack = 4 << 10

// Server serves one handler on any number of listeners.
type Server struct {
	http    http.Server
	handler http.Handler
	opt     Options

	mu        sync.Mutex
	listeners []*listener
	closing   bool
}

// New returns a server for h.
func New(h http.Handler, o Options) *Server {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{handler: h, opt: o}
	var protos http.Protocols
	protos.SetHTTP1(true)
	s.http = http.Server{
		Handler:                      http.HandlerFunc(s.serve),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            o.Limits.HeaderTimeout,
		IdleTimeout:                  o.Limits.IdleTimeout,
		MaxHeaderBytes:               o.Limits.HeaderBytes - httpSlack,
		ConnState:                    connState,
		ConnContext:                  withConn,
		Protocols:                    &protos,
		// net/http reports there what clients do wrong; faults of ours are told by serve.
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// connState is told by net/http when an answer has been written (StateIdle), which is
// when a collected one must leave.
func connState(nc net.Conn, state http.ConnState) {
	if state != http.StateIdle && state != http.StateHijacked {
		return
	}
	if c := connOf(nc); c != nil {
		c.setBody(false)
		// An error shows again at the next read or write.
		_ = c.uncork()
	}
}

type connKey struct{}

func withConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, connOf(nc))
}

// Serve accepts connections from l until Shutdown, with TLS when tc is given. It
// returns nil after Shutdown, else why accepting ended.
func (s *Server) Serve(l net.Listener, tc *tls.Config) error {
	own := newListener(l, pace{s.opt.Limits.StallTimeout, s.opt.Limits.PaceBytes}, s.opt.Limits.Connections)
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners = append(s.listeners, own)
	s.mu.Unlock()
	var serve net.Listener = own
	if tc != nil {
		serve = tls.NewListener(own, tc)
	}
	if err := s.http.Serve(serve); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.listeners {
		n += l.open()
	}
	return n
}

// Shutdown stops accepting, lets running requests finish until ctx ends, and then cuts
// those that remain. It returns ctx's error when it had to cut any.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	listeners := s.listeners
	s.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- s.http.Shutdown(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	for _, l := range listeners {
		l.abort()
	}
	s.http.Close()
	return err
}
