// Command lb is the load balancer of the tests: a reverse proxy before gateways, as haproxy or nginx are set up
// in docs/gateway.md. It gives requests out in turn to backends that answer /minio/health/ready with 200, and
// passes the Host on, which is part of signatures. A request that could not be delivered (no connection) goes to
// another backend; one that was sent and not answered does so only when it is a GET or HEAD without a body.
//
// Usage: lb -listen HOST:PORT URL...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

const (
	checkEvery   = 500 * time.Millisecond
	checkTimeout = 2 * time.Second
)

// servedBy names the backend in each answer, so that tests can tell whether it was another one.
const servedBy = "X-Served-By"

// backend is one gateway.
type backend struct {
	url   *url.URL
	ready atomic.Bool
}

// balancer is an http.RoundTripper that chooses the backend.
type balancer struct {
	backends []*backend
	next     atomic.Uint64
	base     *http.Transport
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "`host:port` to listen on")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: lb -listen HOST:PORT URL...")
		os.Exit(2)
	}
	b := &balancer{base: &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
		ExpectContinueTimeout: 10 * time.Second,
	}}
	for _, arg := range flag.Args() {
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			log.Fatalf("%q is not the URL of a gateway", arg)
		}
		b.backends = append(b.backends, &backend{url: u})
	}
	for _, back := range b.backends {
		b.check(back)
		go func() {
			for range time.Tick(checkEvery) {
				b.check(back)
			}
		}()
	}
	proxy := &httputil.ReverseProxy{
		Transport: b, FlushInterval: -1, // events are passed on as they come
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.Host = r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it was signed
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				log.Printf("%s: %v", r.Method, err)
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	server := &http.Server{Addr: *listen, Handler: proxy, ReadHeaderTimeout: 30 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// check asks a backend whether it can serve.
func (b *balancer) check(back *backend) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, back.url.String()+"/minio/health/ready", nil)
	ready := false
	if err == nil {
		var resp *http.Response
		if resp, err = b.base.RoundTrip(req); err == nil {
			resp.Body.Close()
			ready = resp.StatusCode == http.StatusOK
		}
	}
	if back.ready.Swap(ready) != ready {
		log.Printf("%s is ready: %v", back.url.Host, ready)
	}
}

// pick returns the next ready backend that is not in tried, else the next of any that is not.
func (b *balancer) pick(tried map[*backend]bool) *backend {
	var any *backend
	for range b.backends {
		back := b.backends[b.next.Add(1)%uint64(len(b.backends))]
		switch {
		case tried[back]:
		case back.ready.Load():
			return back
		default:
			any = back
		}
	}
	return any
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	tried := make(map[*backend]bool, len(b.backends))
	err := errors.New("no gateway")
	for back := b.pick(tried); back != nil; back = b.pick(tried) {
		tried[back] = true
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = back.url.Scheme, back.url.Host
		if r.Body != nil && r.Body != http.NoBody {
			out.Body = io.NopCloser(r.Body) // a transport that finds no connection closes it
		}
		var resp *http.Response
		if resp, err = b.base.RoundTrip(out); err == nil {
			resp.Header.Set(servedBy, back.url.Host)
			return resp, nil
		}
		if !undelivered(err) && !repeatable(r) || r.Context().Err() != nil {
			break
		}
		back.ready.Store(false) // until the next check
	}
	return nil, fmt.Errorf("hand on: %w", err)
}

// undelivered tells whether no connection came about, so that nothing was sent.
func undelivered(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// repeatable tells whether a request may be sent twice.
func repeatable(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (r.Body == nil || r.Body == http.NoBody)
}
