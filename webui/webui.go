// Package webui is the server side of the web console. The console is a client of S3 and of the
// administration inside this process: a cookie of the browser names a session of the Security Token
// Service, the browser's request is signed with that session's keys, and the same handlers answer it that
// answer everybody. So nothing is decided here about buckets, objects or identities; what is decided here
// is who logs in, what a browser may be told, and what other pages may not make it do.
//
// It imports sts, sts/oidc, iam, sigv4, the request event and internal/httpd; it never sees storage or
// s3api. What its pages ask of it is told in docs/console.md. Its rules are those of RFC 6265bis (cookies),
// CSP Level 3, Fetch Metadata, OpenID Connect Core 1.0 and THREATS.md, section 2.6.
package webui

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/oidc"
)

// Prefix is the path below which the console is.
const Prefix = "/-/console/"

// Config is what a Console is made of.
type Config struct {
	IAM      *iam.Service
	Sessions *sts.Service
	// Providers are the OpenID Connect providers whose people log in; nil without any.
	Providers *oidc.Providers
	// LDAP tells whether people of a directory log in.
	LDAP bool
	// S3 answers requests of S3, Admin those below AdminPrefix. Both verify the signature themselves.
	S3, Admin   http.Handler
	AdminPrefix string
	Region      string // that signatures name
	Version     string // shown to who is logged in
	// Operations are those of S3 that the server has, for pages that offer no others.
	Operations []string
	// Gateway says that another server keeps the objects, and Migration that a store is moving in.
	Gateway, Migration bool
	// Duration of sessions that the console issues; zero means 12 h.
	Duration time.Duration
	// PublicURL is where browsers reach the console, and ServerURL where everybody reaches S3; nil when they are
	// reached where their requests say.
	PublicURL, ServerURL *url.URL
	// Proxies are believed about the host and the scheme of requests.
	Proxies httpd.Proxies
	Headers Headers
	Now     func() time.Time // nil means time.Now
	Log     *slog.Logger     // nil discards
	// App has the pages; nil means those of this build.
	App fs.FS
}

// defaultDuration of sessions is MinIO's.
const defaultDuration = 12 * time.Hour

// Console answers everything below Prefix. Safe for concurrent use.
type Console struct {
	Config
	page   []byte // index.html
	seal   sealer
	logins *sts.Limiter // wrong ones
	states used         // of logins with providers
	// renewals under way, by the refresh token, and archives that wait for their download.
	renewals singleflight.Group
	waiting  zips
	origin   *http.CrossOriginProtection
	routes   []route
	admin    []string // actions that pages ask about
}

// maxWrongLogins of an address at once; one more is free each second (S-205).
const maxWrongLogins = 20

// New returns the console. It fails when the pages are not there.
func New(c Config) (*Console, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Duration == 0 {
		c.Duration = defaultDuration
	}
	if c.App == nil {
		c.App = embeddedApp()
	}
	o := &Console{Config: c, logins: sts.NewLimiter(maxWrongLogins, c.Now), origin: http.NewCrossOriginProtection(), routes: routes(), admin: adminActions()}
	var err error
	if o.page, err = fs.ReadFile(c.App, indexFile); err != nil {
		return nil, err
	}
	if o.seal, err = newSealer(c.IAM.DeriveKey("console cookies"), c.IAM.Account()); err != nil {
		return nil, err
	}
	if c.PublicURL != nil {
		if err := o.origin.AddTrustedOrigin(c.PublicURL.Scheme + "://" + c.PublicURL.Host); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// visit is one request of a browser.
type visit struct {
	*Console
	w    http.ResponseWriter
	r    *http.Request
	ev   *reqlog.Event
	rest string // of the path, below Prefix
	port string // of S3, on a listener that is not S3's; else ""
}

// route is one row of the table of what there is beside pages. A path that ends with a slash stands for all
// below it.
type route struct {
	method string // "" for any
	path   string
	op     string // of the event; "" leaves it to the handler that is behind
	serve  func(*visit) error
}

func routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "", "Console", (*visit).index},
		{get, "session", "ConsoleSession", (*visit).showSession},
		{post, "login", "ConsoleLogin", (*visit).login},
		{post, "login/ldap", "ConsoleLoginLDAP", (*visit).loginLDAP},
		{get, "sso/", "ConsoleSSO", (*visit).sso},
		{post, "renew", "ConsoleRenew", (*visit).renew},
		{post, "logout", "ConsoleLogout", (*visit).logout},
		{post, "share", "ConsoleShare", (*visit).share},
		{post, "zip", "ConsoleZip", (*visit).newZip},
		{get, "zip/", "ConsoleZip", (*visit).zip},
		{"", "s3/", "", (*visit).s3},
		{"", "admin/", "", (*visit).administer},
	}
}

// ServeHTTP answers on the listener of S3.
func (o *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.serve(w, r, "") }

// serve answers; port is that of S3 when the listener is another one.
func (o *Console) serve(w http.ResponseWriter, r *http.Request, port string) {
	v := &visit{Console: o, w: w, r: r, ev: reqlog.From(r.Context()), port: port}
	v.ev.Op = "Console"
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Frame-Options", "DENY") // S-204; previews are framed by the page itself, see contained
	if err := v.find(); err != nil {
		v.fail(err)
	}
}

// find runs the row of the request.
func (v *visit) find() error {
	if v.r.URL.Path == callbackPath {
		return v.callback()
	}
	rest, ok := strings.CutPrefix(v.r.URL.Path, Prefix)
	if !ok {
		if v.r.URL.Path+"/" == Prefix {
			return v.redirect("./console/")
		}
		return errNothing
	}
	v.rest = rest
	if err := v.guard(); err != nil {
		return err
	}
	allowed := ""
	for i := range v.routes {
		rt := &v.routes[i]
		if rt.path != rest && !(strings.HasSuffix(rt.path, "/") && strings.HasPrefix(rest, rt.path)) {
			continue
		}
		if rt.method == "" || rt.method == v.r.Method || rt.method == http.MethodGet && v.r.Method == http.MethodHead {
			if rt.op != "" {
				v.ev.Op = rt.op
			}
			return rt.serve(v)
		}
		allowed = rt.method
	}
	if allowed == "" && (v.r.Method == http.MethodGet || v.r.Method == http.MethodHead) {
		return v.asset(rest)
	}
	if allowed != "" {
		v.w.Header().Set("Allow", allowed)
		return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "The path takes " + allowed + "."}
	}
	return errNothing
}

// redirect sends the browser to an address that is relative to the document's, or whole. Package http would
// make a relative one absolute, which is wrong behind a proxy that serves a sub-path.
func (v *visit) redirect(to string) error {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}
