package webui

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	iammem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage/mem"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/oidc"
)

const (
	rootUser     = "admin"
	rootPassword = "correct horse battery"
	annPassword  = "ann-has-a-good-one"
)

// site is a server with the console, over stores in memory, with what its options ask for.
type site struct {
	t       *testing.T
	iam     *iam.Service
	s3      *s3api.Server
	console *Console
	url     string // without a slash at its end
	clock   *clock
}

// clock is that of the console, of S3 and of identities. It stands still but for what a test has it do.
type clock struct {
	begun time.Time
	ahead atomic.Int64
}

func (c *clock) now() time.Time { return c.begun.Add(time.Duration(c.ahead.Load())) }

// set moves the clock to so long after the beginning of the test.
func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// options of a site.
type options struct {
	providers []oidc.Config
	directory sts.Directory
	proxies   string
	tls       bool
	change    func(*Config)
}

func newSite(t *testing.T, o options) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{begun: time.Now()}}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	s.iam, err = iam.Open(iammem.Open(), iam.Options{RootUser: rootUser, RootPassword: rootPassword, Now: s.clock.now, AccountID: "123456789012"})
	check(err)
	t.Cleanup(func() { s.iam.Close() })
	s.s3 = s3api.New(s3api.Config{Backend: mem.New(mem.Options{}), IAM: s.iam, Contained: true, Now: s.clock.now})
	admin := adminapi.Handler(adminapi.Config{Service: s.iam, Authenticate: func(r *http.Request) (*iam.Identity, error) { return s.s3.Authenticate(r) }})
	proxies, err := httpd.ParseProxies(o.proxies)
	check(err)
	c := Config{
		IAM: s.iam, S3: s.s3, Admin: admin, AdminPrefix: adminapi.Prefix, Region: "us-east-1", Version: "v1", Operations: []string{"GetObject"},
		Proxies: proxies, Now: s.clock.now, LDAP: o.directory != nil,
		App: fstest.MapFS{"index.html": {Data: []byte("<!doctype html><style nonce=__CSP_NONCE__></style>")}},
	}
	sc := sts.Config{IAM: s.iam, Region: "us-east-1", Now: s.clock.now, Directory: o.directory}
	if len(o.providers) > 0 {
		c.Providers, err = oidc.New(oidc.Options{Providers: o.providers, Region: "us-east-1", Now: s.clock.now})
		check(err)
		sc.WebIdentity = c.Providers
	}
	c.Sessions = sts.New(sc)
	if o.change != nil {
		o.change(&c)
	}
	s.console, err = New(c)
	check(err)
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, adminapi.Prefix) {
			admin.ServeHTTP(w, r)
			return
		}
		s.console.ServeHTTP(w, r)
	})
	faces := &httpd.Faces{S3: s.s3, Own: own, Minio: http.NotFoundHandler(), STS: c.Sessions, Page: s.console.Front(), Callback: s.console}
	s.url = s.listen(faces, proxies, o.tls)
	return s
}

// listen serves a handler as the program does, and returns its address.
func (s *site) listen(h http.Handler, proxies httpd.Proxies, secure bool) string {
	s.t.Helper()
	if secure {
		// The listener is that of httptest, for its certificate; the event comes from httpd.
		srv := httptest.NewUnstartedServer(nil)
		srv.StartTLS()
		config := srv.TLS.Clone()
		srv.Close()
		return "https://" + s.serve(httpd.New(h, httpd.Options{Proxies: proxies}), config)
	}
	return "http://" + s.serve(httpd.New(h, httpd.Options{Proxies: proxies}), nil)
}

func (s *site) serve(srv *httpd.Server, secure *tls.Config) string {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l, secure) }()
	s.t.Cleanup(func() {
		srv.Shutdown(s.t.Context())
		<-done
	})
	return l.Addr().String()
}

// user makes a local user with policies.
func (s *site) user(name, secret string, policies ...string) {
	s.t.Helper()
	if _, _, err := s.iam.CreateUser(s.t.Context(), iam.NewUser{Name: name, Secret: secret, Policies: policies}); err != nil {
		s.t.Fatal(err)
	}
}

// browser is somebody's, with cookies. It follows no redirect.
type browser struct {
	*http.Client
	s *site
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s: s, Client: &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

// do sends a request with headers "Name: value".
func (b *browser) do(method, address, body string, headers ...string) *reply {
	b.s.t.Helper()
	r, err := http.NewRequest(method, b.s.at(address), strings.NewReader(body))
	if err != nil {
		b.s.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	resp, err := b.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return &reply{resp, string(text)}
}

// at makes a whole address of one below the console.
func (s *site) at(address string) string {
	switch {
	case strings.Contains(address, "://"):
		return address
	case strings.HasPrefix(address, "/"):
		return s.url + address
	}
	return s.url + Prefix + address
}

// post sends a JSON document.
func (b *browser) post(address string, value any, headers ...string) *reply {
	b.s.t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b.do("POST", address, string(body), append([]string{"Content-Type: application/json"}, headers...)...)
}

// login logs a key in.
func (b *browser) login(name, secret string) *browser {
	b.s.t.Helper()
	b.want(200, b.post("login", map[string]string{"accessKey": name, "secretKey": secret}))
	return b
}

// want ends the test unless an answer has a status and, in its body, all of the texts.
func (b *browser) want(status int, r *reply, texts ...string) *reply {
	b.s.t.Helper()
	if r.StatusCode != status {
		b.s.t.Fatalf("%s %s: %s, want %d: %s", r.Request.Method, r.Request.URL, r.Status, status, r.body)
	}
	for _, text := range texts {
		if !strings.Contains(r.body, text) {
			b.s.t.Fatalf("%s %s: no %q in %s", r.Request.Method, r.Request.URL, text, r.body)
		}
	}
	return r
}

// session is what pages are told.
func (b *browser) session() (out sessionView) {
	b.s.t.Helper()
	if err := json.Unmarshal([]byte(b.want(200, b.do("GET", "session", "")).body), &out); err != nil {
		b.s.t.Fatal(err)
	}
	return out
}

// cookies are those that the browser would send to the site.
func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.s.url)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b.Jar.Cookies(u)
}
