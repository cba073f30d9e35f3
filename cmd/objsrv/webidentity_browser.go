package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/objsrv/objsrv/internal/stsclient"
	"github.com/objsrv/objsrv/sts/oidc"
)

// callbackPath is where the provider sends the browser back to, as in MinIO's examples.
const callbackPath = "/oauth2/callback"

// browserLogin serves the pages of one login on this machine: / leads to the provider, and
// callbackPath takes its answer, from the browser alone that has begun.
type browserLogin struct {
	flow      *oidc.Flow
	host      string // that requests name: pages of others can't reach it under a name of theirs
	url       string
	listeners []net.Listener
	assume    func(context.Context, *oidc.Tokens) (*stsclient.Credentials, error)
	page      func(context.Context, *stsclient.Credentials) (contentType string, body []byte)
	done      chan browserResult // the first result counts

	mu      sync.Mutex
	pending *oidc.Login // nil for none
	cookie  string      // of the browser that has begun it
}

type browserResult struct {
	cred *stsclient.Credentials
	err  error
}

// newBrowserLogin listens on the loopback addresses.
func newBrowserLogin(c oidc.Config, port int) (*browserLogin, error) {
	v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	b := &browserLogin{listeners: []net.Listener{v4}, done: make(chan browserResult, 1)}
	port = v4.Addr().(*net.TCPAddr).Port
	// Browsers may take localhost for either address. Nobody else must answer there.
	v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	switch {
	case err == nil:
		b.listeners = append(b.listeners, v6)
	case errors.Is(err, syscall.EADDRINUSE):
		v4.Close()
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	b.host = "localhost:" + strconv.Itoa(port)
	b.url = "http://" + b.host + "/"
	if b.flow, err = oidc.NewFlow(c, "http://"+b.host+callbackPath, nil); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *browserLogin) close() {
	for _, l := range b.listeners {
		l.Close()
	}
}

// run serves until somebody has logged in, or is refused.
func (b *browserLogin) run(ctx context.Context) (*stsclient.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, oidc.LoginLife)
	defer cancel()
	srv := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	for _, l := range b.listeners {
		go srv.Serve(l)
	}
	defer srv.Close()
	select {
	case r := <-b.done:
		// The browser gets its page first.
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		srv.Shutdown(wait)
		return r.cred, r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, fmt.Errorf("nobody has logged in within %v", oidc.LoginLife)
		}
		return nil, ctx.Err()
	}
}

// ServeHTTP implements http.Handler.
func (b *browserLogin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	switch {
	case r.Host != b.host:
		http.Error(w, "Open "+b.url, http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		b.begin(w, r)
	case r.URL.Path == callbackPath:
		b.callback(w, r)
	default:
		http.NotFound(w, r)
	}
}

// begin leads the browser to the provider. A login that another browser has begun counts no more,
// so pages of others must not be able to begin one.
func (b *browserLogin) begin(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		http.Error(w, "Another page has sent you here. To log in, open "+b.url+" yourself.", http.StatusForbidden)
		return
	}
	l, err := b.flow.Begin(r.Context())
	if err != nil {
		http.Error(w, printable(err.Error()), http.StatusBadGateway)
		return
	}
	cookie := rand.Text()
	b.mu.Lock()
	b.pending, b.cookie = l, cookie
	b.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: b.cookieName(), Value: cookie, Path: callbackPath, MaxAge: int(oidc.LoginLife / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, l.URL, http.StatusFound)
}

// cookieName has the port, which cookies do not know.
func (b *browserLogin) cookieName() string {
	_, port, _ := net.SplitHostPort(b.host)
	return "objsrv-login-" + port
}

// callback takes the provider's answer. One that is not for this browser's login changes nothing
// (S-196); any other ends the command.
func (b *browserLogin) callback(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	l, want := b.pending, b.cookie
	b.mu.Unlock()
	c, err := r.Cookie(b.cookieName())
	if l == nil || err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(want)) != 1 {
		http.Error(w, "This browser has not begun a login, or began another one since. Open "+b.url, http.StatusBadRequest)
		return
	}
	tokens, err := b.flow.Finish(r.Context(), l, r.URL.Query())
	if errors.Is(err, oidc.ErrOtherLogin) {
		http.Error(w, printable(err.Error())+": open "+b.url, http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: b.cookieName(), Path: callbackPath, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	var cred *stsclient.Credentials
	if err == nil {
		// What the person has done counts, though the browser goes away.
		cred, err = b.assume(context.WithoutCancel(r.Context()), tokens)
	}
	if err != nil {
		http.Error(w, printable(err.Error()), http.StatusBadRequest)
	} else {
		kind, body := b.page(context.WithoutCancel(r.Context()), cred)
		w.Header().Set("Content-Type", kind)
		w.Write(body)
	}
	select {
	case b.done <- browserResult{cred, err}:
	default: // the same answer once more, at the same time
	}
}

// openBrowser shows a page of this machine; its URL is no secret.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}
