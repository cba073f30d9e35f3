// Package sts is the Security Token Service: route, identify, authorize, issue, reply. It speaks
// the AWS Query protocol of the STS API reference (version 2011-06-15) on POST /. It imports iam,
// sigv4 and the request event; it never sees storage or s3api. Names, limits and error codes are
// those of the STS API reference; longer durations are MinIO's.
package sts

import (
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sigv4"
)

// Version of the API, which requests name.
const Version = "2011-06-15"

// maxBody bounds a request: tokens are at most 20 000 characters long (S-007).
const maxBody = 128 << 10

// Config is what a Handler is made of.
type Config struct {
	IAM    *iam.Service
	Region string           // that signatures must name
	Now    func() time.Time // nil means time.Now
	// Duration, when it is not zero, is that of every session, whatever is asked for
	// (MINIO_STS_DURATION).
	Duration time.Duration
	// WebIdentity judges the tokens of identity providers; nil without any.
	WebIdentity TokenVerifier
	// Directory proves logins with LDAP; nil without one.
	Directory Directory
	// ClientCertificates says whose certificates are taken; nil for nobody's.
	ClientCertificates *ClientCertificates
	// CustomToken is the identity plugin; nil without one.
	CustomToken TokenPlugin
}

func (c *Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Service issues sessions. As an http.Handler it answers the calls of the API; its Login methods are for
// a face of the same program that people log in at, and follow the same rules.
type Service struct {
	Config
	verify *sigv4.Verifier
	logins *Limiter // wrong ones, of the directory; nil without one
	tokens *Limiter // those that nobody known has signed; nil without WebIdentity
	// writers are kept for the next answer.
	writers sync.Pool
}

// New returns the service.
func New(c Config) *Service {
	h := &Service{Config: c, verify: &sigv4.Verifier{Region: c.Region, Service: "sts", Now: c.Now}}
	h.writers.New = newWriter
	if c.Directory != nil {
		h.logins = NewLimiter(loginBurst, c.now)
	}
	if c.WebIdentity != nil {
		h.tokens = NewLimiter(loginBurst, c.now)
	}
	return h
}

// call is one request.
type call struct {
	*Service
	w    http.ResponseWriter
	r    *http.Request
	ev   *reqlog.Event
	id   *iam.Identity
	form url.Values
	op   *op
	// lasts is how long the session will last, once that is known; else what is asked for counts.
	lasts time.Duration
	told  *SessionTags // what a token says of the session; nil when the form does
	trace *Trace       // of a trial; nil for a login
}

// ServeHTTP implements http.Handler.
func (h *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Service: h, w: w, r: r, ev: reqlog.From(r.Context())}
	c.ev.Op = "STS"
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// serve proves who asks before anything of the form is looked at, but for the action: the
// identity providers' actions prove it by what the form holds.
func (c *call) serve() error {
	if c.r.Method != http.MethodPost {
		c.w.Header().Set("Allow", http.MethodPost)
		return &Error{http.StatusMethodNotAllowed, "InvalidAction", "The Security Token Service takes POST."}
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxBody)
	if err := c.identify(); err != nil {
		return err
	}
	if err := c.parse(); err != nil {
		return err
	}
	name := c.form.Get("Action")
	if o := opOf(name); o != nil {
		return c.run(o)
	}
	if c.id == nil {
		return errUnsigned()
	}
	return &Error{http.StatusBadRequest, "InvalidAction", "The action is not one of the Security Token Service."}
}

func (c *call) run(o *op) error {
	c.op = o
	c.ev.Op = "STS:" + o.name
	switch {
	case c.id == nil && !o.unsigned:
		return errUnsigned()
	case o.serve == nil:
		return &Error{http.StatusNotImplemented, "NotImplemented", "This server does not implement " + o.name + "."}
	case c.r.URL.RawQuery != "" && !o.unsigned:
		return invalid("A signed request has its parameters in the body, not in the query.")
	case c.form.Get("Version") != Version:
		return invalid("The parameter Version must be %s.", Version)
	}
	return o.serve(c)
}

func errUnsigned() error {
	return &Error{http.StatusForbidden, "MissingAuthenticationToken", "The request must be signed with Signature Version 4 for the service sts."}
}

// identify verifies the signature, which covers the whole body; c.id stays nil without one.
func (c *call) identify() error {
	auth, err := c.verify.Parse(c.r)
	if err != nil {
		return err
	}
	if auth.Mode == sigv4.Anonymous {
		return nil
	}
	if auth.Service == "iam" {
		return &Error{http.StatusNotImplemented, "NotImplemented", "This server does not implement the AWS IAM API. Use mc admin, or objsrv admin."}
	}
	if auth.Mode != sigv4.Header {
		return errDenied("The request must be signed in its Authorization header.")
	}
	c.ev.AccessKey = auth.AccessKey
	cred, err := c.IAM.Credential(auth.AccessKey, auth.SessionToken)
	verr := c.verify.Verify(c.r, &auth, cred.Secret) // takes its time for an unknown key, too
	if err != nil {
		return credentialError(err, verr)
	}
	if verr != nil {
		return verr
	}
	c.id = cred.Identity
	c.ev.Principal = c.id.ARN
	return nil
}

// parse reads the form strictly: a parameter given twice could mean one thing here and another
// elsewhere (S-193).
func (c *call) parse() error {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return err
	}
	c.ev.BytesIn += int64(len(body))
	if c.form, err = url.ParseQuery(string(body)); err != nil {
		return invalid("The body is not a form: %v.", err)
	}
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return invalid("The query can't be read: %v.", err)
	}
	for name, values := range query {
		c.form[name] = append(c.form[name], values...)
	}
	for name, values := range c.form {
		if len(values) > 1 {
			return invalid("The parameter %s is given more than once.", printable(name))
		}
	}
	if !c.form.Has("Action") {
		return &Error{http.StatusBadRequest, "MissingAction", "The parameter Action is missing."}
	}
	return nil
}

// authorize asks for one action, with what the request says of the session as conditions.
func (c *call) authorize(action string) iam.Decision { return c.IAM.Authorize(c.request(action)) }

// denied tells whether a policy denies an action that needs no Allow.
func (c *call) denied(action string) bool {
	r := c.request(action)
	r.NoAllow = true
	return c.IAM.Authorize(r).Explicit
}

func (c *call) request(action string) *iam.Request {
	return &iam.Request{Identity: c.id, Action: action, Conditions: conditions{c}, RequestID: c.ev.ID, Remote: c.ev.Remote}
}
