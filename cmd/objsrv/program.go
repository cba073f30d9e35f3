package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/internal/metrics"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Program is one running server. Several may run in one process.
type Program struct {
	Config  *Config
	Ignored []string  // variables to warn about
	Stdout  io.Writer // banner
	Stderr  io.Writer // log

	log      *slog.Logger
	host     *host
	access   *accessLog
	certs    *httpd.Certs
	health   httpd.Health
	faces    atomic.Pointer[httpd.Faces] // nil while starting
	server   *httpd.Server
	console  *httpd.Server
	listener net.Listener
	consoleL net.Listener
	services *services
	metrics  *metrics.Metrics
	serving  sync.WaitGroup
	failed   chan error
	closing  sync.Once
	closed   error // of the first Close
}

// Start opens the store and serves; it returns when the server is ready, or why it can't be.
func (p *Program) Start() (err error) {
	p.host = newHost(p)
	p.log = slog.New(p.host.log.Handler(slog.NewTextHandler(p.Stderr, nil)))
	p.failed = make(chan error, 3)
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.access, err = openAccessLog(p.Config.AccessLog, p.Stdout, p.Stderr); err != nil {
		return err
	}
	if p.Config.CertsDir != "" {
		if p.certs, err = httpd.LoadCerts(p.Config.CertsDir, p.log); err != nil {
			return err
		}
		if p.Config.ClientCerts {
			if err = p.certs.AskClients(p.Config.ClientCertsUnverified); err != nil {
				return err
			}
		}
	}
	// The address is taken first: a second server on it must not touch the data, and
	// probes get an answer while the store opens.
	if err = p.listen(); err != nil {
		return err
	}
	if p.services, err = openServices(p.Config, p.log, p.metrics, p.fatal, p.host); err != nil {
		return err
	}
	p.health.Check = p.services.checkStore
	p.faces.Store(p.newFaces())
	p.health.Run()
	p.banner()
	return nil
}

// listen binds the addresses and begins to answer.
func (p *Program) listen() error {
	var err error
	if p.listener, err = net.Listen("tcp", p.Config.Address); err != nil {
		return fmt.Errorf("serve S3: %w", err)
	}
	p.metrics = metrics.New(metrics.Options{Version: readVersion().Version, Connections: func() int { return p.server.Connections() }, Dropped: p.host.dropped})
	limits := httpd.Limits{Connections: p.Config.MaxConnections}
	p.server = httpd.New(p.gate(), httpd.Options{Limits: limits, Proxies: p.Config.TrustedProxies, Log: p.log,
		Begin: p.metrics.Begin, Observe: p.observe, Watched: p.host.requests.Active})
	if p.Config.ConsoleAddress != "" && p.Config.Browser {
		if p.consoleL, err = net.Listen("tcp", p.Config.ConsoleAddress); err != nil {
			return fmt.Errorf("serve the console: %w", err)
		}
		limits.Connections = 1000
		p.console = httpd.New(p.serveConsole(), httpd.Options{Limits: limits, Proxies: p.Config.TrustedProxies, Log: p.log,
			Begin: p.metrics.Begin, Observe: p.observe, Watched: p.host.requests.Active})
	}
	// The console is for browsers, which would ask people which of their certificates to show.
	var tc, consoleTC *tls.Config
	if p.certs != nil {
		tc, consoleTC = p.certs.AskingConfig(), p.certs.Config()
	}
	p.serve(p.server, p.listener, tc)
	if p.console != nil {
		p.serve(p.console, p.consoleL, consoleTC)
	}
	return nil
}

func (p *Program) serve(s *httpd.Server, l net.Listener, tc *tls.Config) {
	p.serving.Go(func() {
		if err := s.Serve(l, tc); err != nil {
			p.failed <- fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
	})
}

// observe is told of each finished request.
func (p *Program) observe(e *reqlog.Event) {
	p.metrics.End(e)
	p.host.history.Add(e)
	p.access.write(e)
	if p.host.requests.Active() {
		p.host.requests.Publish(live.NewTrace(e, time.Now()))
	}
	if e.Err != nil && !clientsFault(e.Err) {
		p.log.Error("request failed", "request", e.ID, "op", e.Op, "bucket", e.Bucket, "key", e.Key, "status", e.Status, "error", e.Err)
	}
}

// clientsFault tells whether an answer was cut because the client went away. Trouble with a server
// that we asked, such as an identity provider, is not the client's.
func clientsFault(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true
	}
	var asked *url.Error
	var op *net.OpError
	if errors.As(err, &asked) || errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var ne net.Error
	return errors.As(err, &ne) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// fatal is told when the store can't be written any more: the program ends, and what
// supervises it starts it again.
func (p *Program) fatal(err error) {
	select {
	case p.failed <- fmt.Errorf("the store can't be written any more: %w", err):
	default: // it is ending already
	}
}

// Addr is where S3 is served, valid after Start.
func (p *Program) Addr() net.Addr { return p.listener.Addr() }

// ConsoleAddr is where the console is served, nil without one.
func (p *Program) ConsoleAddr() net.Addr {
	if p.consoleL == nil {
		return nil
	}
	return p.consoleL.Addr()
}

// Reload loads certificates and opens the access log anew.
func (p *Program) Reload() {
	if p.certs != nil {
		if err := p.certs.Reload(); err != nil {
			p.log.Error("certificates not reloaded, the old ones stay in use", "error", err)
		} else {
			p.log.Info("certificates reloaded", "dir", p.Config.CertsDir)
		}
	}
	if err := p.access.reopen(); err != nil {
		p.log.Error("access log not reopened, the old file stays in use", "error", err)
	}
}

// Run serves until ctx ends, accepting fails or an administrator ends it, then drains. It returns
// errRestart when the program is to be started anew.
func (p *Program) Run(ctx context.Context, reload <-chan os.Signal) error {
	if err := p.Start(); err != nil {
		return err
	}
	for {
		select {
		case <-reload:
			p.Reload()
		case err := <-p.failed:
			return errors.Join(err, p.Close())
		case restart := <-p.host.ending:
			p.log.Info("stopping, as an administrator asks: running requests finish", "restart", restart, "limit", p.Config.DrainTimeout)
			if err := p.Close(); err != nil || !restart {
				return err
			}
			return errRestart
		case <-ctx.Done():
			p.log.Info("stopping: running requests finish", "limit", p.Config.DrainTimeout)
			return p.Close()
		}
	}
}

// Close stops accepting, lets running requests finish for the drain timeout, and closes
// the store. The server can't be started again. Later calls return what the first did.
func (p *Program) Close() error {
	p.closing.Do(func() { p.closed = p.close() })
	return p.closed
}

func (p *Program) close() error {
	p.health.Drain()
	p.host.closeStreams()
	ctx, cancel := context.WithTimeout(context.Background(), p.Config.DrainTimeout)
	defer cancel()
	if p.server != nil {
		if err := p.server.Shutdown(ctx); err != nil {
			p.log.Warn("requests cut at the end of the drain timeout", "error", err)
		}
	}
	if p.console != nil {
		p.console.Shutdown(ctx)
	}
	for _, l := range []net.Listener{p.listener, p.consoleL} {
		if l != nil {
			l.Close() // again, when it was served; fails then, as it should
		}
	}
	p.serving.Wait()
	var err error
	if p.services != nil {
		err = p.services.Close()
	}
	return errors.Join(err, p.access.Close())
}
