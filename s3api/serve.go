package s3api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// IAM is what the protocol asks of identity and access management; *iam.Service is one.
type IAM interface {
	// Credential returns the credential of an access key; the errors are those of package iam.
	Credential(accessKey, sessionToken string) (iam.Credential, error)
	// Renewed returns the identity that a credential has now, and an error when it is good no longer.
	Renewed(*iam.Identity) (*iam.Identity, error)
	// Authorize decides one action.
	Authorize(*iam.Request) iam.Decision
	// CanonicalAccount returns the account that a canonical user id stands for.
	CanonicalAccount(id string) (account string, ok bool)
	// PrincipalID returns the unique id of the user whom an ARN names, PrincipalARN the ARN of a
	// unique id; ok is false when there is no such user.
	PrincipalID(arn string) (id string, ok bool)
	PrincipalARN(id string) (arn string, ok bool)
	// PublicAccess and SetPublicAccess are about the public access block of an account; nil removes it.
	PublicAccess(account string) (p iam.PublicAccess, ok bool)
	SetPublicAccess(ctx context.Context, account string, p *iam.PublicAccess) error
	// Refuse keeps a refusal that Authorize did not make, for those who ask why.
	Refuse(iam.Refusal)
}

// Lifecycle does what lifecycle rules ask for; *lifecycle.Runner is one.
type Lifecycle interface {
	// Changed has it look at the rules of all buckets. It does not wait.
	Changed()
}

// Config is what a Server is made of.
type Config struct {
	Backend storage.Backend
	IAM     IAM
	Hasher  *checksum.Pool // hashers of bodies; owned by the caller, nil makes one
	Region  string         // the region that signatures must name; "" means us-east-1
	Domains []string       // base domains of virtual-host style requests, lower case
	// SigV2 takes what was signed with version 2: presigned URLs and POST forms, which botocore's presigner makes by
	// default, and the headers of old clients.
	SigV2 bool
	// ObjectOwnership is OwnerEnforced, OwnerPreferred or ObjectWriter, for the buckets that
	// have no setting of their own; "" means OwnerEnforced.
	ObjectOwnership string
	// CORSOrigins may read answers about buckets that have no CORS configuration: "*", or origins with at most
	// one wildcard each, see CheckOrigin.
	CORSOrigins []string
	// Contained has browsers show stored documents, such as pages and drawings, in an origin of their own: the
	// server has pages of its own on the origin of S3.
	Contained bool
	// Keys are those of server-side encryption; nil refuses it. AutoEncrypt encrypts what neither the request
	// nor the bucket says anything of.
	Keys        Keys
	AutoEncrypt bool
	Compression Compression
	Limits      Limits // of requests at once
	// Capacity tells the room of the disk; nil when nobody knows it.
	Capacity func() (c Capacity, ok bool)
	Events   Events // nil means that nobody can listen
	// Lifecycle does what lifecycle rules ask for; nil means that no bucket can have any.
	Lifecycle Lifecycle
	// Notifier has the targets that buckets may send events to; nil means that there are none. Deployment is the id of
	// the server, which events have.
	Notifier   events.Notifier
	Deployment string
	Now        func() time.Time // nil means time.Now
	// Passed is the time since New by a measure that nobody sets, for locks; nil means the one that Now carries.
	Passed func() time.Duration
}

// Server serves the S3 protocol. It is an http.Handler.
type Server struct {
	Config
	router   *router
	verify   *sigv4.Verifier
	admin    *sigv4.Verifier // of requests that are not S3's, see AuthenticateKey
	rules    policyRules     // of bucket policies
	parsed   settingsCache
	cors     []corsRule // of buckets without a configuration
	quotas   quotas
	locks    lockClock
	limiter  *limiter // nil when nothing is bounded
	sequence sequence // of events
	tokens   tokens   // of renamings
	// ruling is held while lifecycle rules change: the notes of days that belong to new ones must not go with the old.
	ruling  sync.Mutex
	buffers sync.Pool     // of *[]byte, see buffer
	looking chan struct{} // has one for each directory of an archive that is held
	proving chan struct{} // has one for each archive that is being proven before it is extracted
	// provingOf are those of one account.
	provingOf places
}

// New returns a server over c.Backend.
func New(c Config) *Server {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if !knownOwnership(c.ObjectOwnership) {
		c.ObjectOwnership = OwnerEnforced
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Hasher == nil {
		c.Hasher = checksum.NewPool()
	}
	ops := operations()
	s := &Server{
		Config:  c,
		router:  newRouter(ops, c.Domains),
		rules:   newPolicyRules(ops),
		verify:  &sigv4.Verifier{Region: c.Region, Service: "s3", Now: c.Now},
		admin:   &sigv4.Verifier{AnyRegion: true, Service: "s3", Now: c.Now},
		limiter: newLimiter(c.Limits),
		locks:   newLockClock(c.Now, c.Passed),
		proving: make(chan struct{}, provenAtOnce),
		looking: make(chan struct{}, lookingAtOnce),
	}
	if len(c.CORSOrigins) > 0 {
		s.cors = []corsRule{defaultCORS(c.CORSOrigins)}
	}
	if c.SigV2 {
		s.verify.FormV2 = true
		s.verify.V2Bucket = s.router.hostBucket
	}
	return s
}

// call is one request on its way through the server.
type call struct {
	s   *Server
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context
	ev  *reqlog.Event
	op  *op
	target
	query  url.Values
	auth   sigv4.Auth
	secret string
	id     *iam.Identity   // nil for anonymous
	b      *storage.Bucket // the bucket named, nil when there is none
	// prefix stands for the key of an object that is missing when the right to list it is asked for.
	prefix string
	// document is the body of a request that had to be read before it could be authorised,
	// formTags the tagging field of a POST form, and copied the tags that a copy takes over.
	document []byte
	formTags string
	copied   []storage.Tag
	// asked is what a decision under way is about, and kept tells that a refusal is kept already.
	asked asked
	kept  bool
	// some tells that only the buckets that the caller may look into are listed.
	some bool
	// unknown is why the value of a condition could not be learnt; no decision counts then.
	unknown error
	sealed  unsealed // how the object that is read is kept
	inner   string   // file in the zip archive that key names, which is what is read; "" else
	judged  *judged  // nil unless a decision asked for the list of an object
	tagged  *tagged  // nil unless one asked for its tags

	expected expected // events
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, ctx: r.Context(), ev: reqlog.From(r.Context())}
	if h := w.Header(); h["X-Amz-Request-Id"] == nil {
		h["X-Amz-Request-Id"] = []string{c.ev.ID}
		h["Server"] = serverName
	}
	err := c.serve()
	defer c.endExpected(err)
	if err != nil {
		c.replyError(err)
	}
}

var serverName = []string{"objsrv"}

// serve is the whole path of a request.
func (c *call) serve() error {
	o, refused := c.route()
	c.cors()
	if o != nil && o.action == noAction {
		// A preflight is what a browser asks about a request to come: it may carry that one's
		// signature in its query, which is not its own, and proves nothing.
		if refused != nil {
			return refused
		}
		return o.handle(c)
	}
	if c.s.limiter != nil && (o == nil || o.sub != "events") { // a stream of events lasts as long as somebody listens
		leave, err := c.s.limiter.enter(c.ctx, c.ev.Remote)
		if err != nil {
			return err
		}
		defer leave()
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	if refused != nil && o == nil {
		return c.refuseUnknown(refused)
	}
	if err := c.lookInto(o); err != nil {
		return err
	}
	if err := c.authorizeOp(o); err != nil {
		return err
	}
	if o.handle == nil {
		return errorf("NotImplemented", "A header or query you provided implies functionality that is not implemented: %s.", o.name).with("Operation", o.name)
	}
	if refused != nil {
		return refused
	}
	if c.level == objectLevel && !o.reads() && o.method != http.MethodDelete {
		if err := refuseOwnKey(c.key); err != nil {
			return err
		}
	}
	return o.handle(c)
}

// route finds the operation; what it refuses is answered after authentication.
func (c *call) route() (*op, error) {
	if c.r.URL.RawQuery != "" {
		q, err := url.ParseQuery(c.r.URL.RawQuery)
		if err != nil {
			c.target = c.s.router.target(c.r)
			return nil, errorf("InvalidURI", "Couldn't parse the specified URI: %v.", err)
		}
		c.query = q
	}
	c.target = c.s.router.target(c.r)
	o, err := c.s.router.route(c.r, c.target, c.query)
	if o != nil {
		c.op = o
		c.ev.Op = o.name
	}
	c.ev.Bucket, c.ev.Key = c.bucket, c.key
	if len(c.query) > 0 {
		c.ev.Version = c.query.Get("versionId")
	}
	if err == nil {
		err = c.target.checkNames(o)
	}
	return o, err
}

// authenticate proves who sent the request and looks up the bucket for the decisions
// that follow. A POST form carries its signature in the form: PostObject verifies it itself.
func (c *call) authenticate() error {
	auth, err := c.s.verify.Parse(c.r)
	if err != nil {
		return err
	}
	c.auth = auth
	if auth.Mode == sigv4.Anonymous {
		return nil
	}
	err = c.identify(&auth, func(secret string) error { return c.s.verify.Verify(c.r, &c.auth, secret) })
	if err == nil && auth.Mode == sigv4.Presigned && !auth.V2 {
		c.takeHoisted()
	}
	return err
}

// identify looks up the access key and proves the signature with check. An unknown key
// takes as long as a wrong secret.
func (c *call) identify(auth *sigv4.Auth, check func(secret string) error) error {
	c.ev.AccessKey = auth.AccessKey
	cred, err := c.s.IAM.Credential(auth.AccessKey, auth.SessionToken)
	verr := check(cred.Secret)
	if err != nil {
		return credentialError(err, auth.AccessKey, verr)
	}
	if verr != nil {
		return verr
	}
	c.secret, c.id = cred.Secret, cred.Identity
	c.ev.Principal = c.id.ARN
	return nil
}

// credentialError answers for a key that can't be used. A signature that is malformed or
// out of time is told first, as AWS does.
func credentialError(err error, accessKey string, verr error) error {
	var se *sigv4.Error
	if errors.As(verr, &se) && se.Code != "SignatureDoesNotMatch" {
		return verr
	}
	switch {
	case errors.Is(err, iam.ErrNoSuchKey):
		return errorf("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.").with("AWSAccessKeyId", accessKey)
	case errors.Is(err, iam.ErrInvalidToken):
		return errorf("InvalidToken", "The provided token is malformed or otherwise invalid.")
	case errors.Is(err, iam.ErrExpired):
		return errorf("ExpiredToken", "The provided token has expired.")
	}
	return err
}

// Authenticate proves the sender of a header-signed request that is not S3's, such as an
// administration call. The body's hash is verified when r.Body, which it replaces, is read.
func (s *Server) Authenticate(r *http.Request) (*iam.Identity, error) {
	cred, err := s.AuthenticateKey(r)
	return cred.Identity, err
}

// AuthenticateKey is Authenticate for a caller that needs the key as well: MinIO's clients
// encrypt bodies with its secret. The region of the signature may be any, and empty, since
// those clients know none. The hash of the body must be signed; the zero Credential without an
// error is the anonymous sender's.
func (s *Server) AuthenticateKey(r *http.Request) (iam.Credential, error) {
	auth, err := s.admin.Parse(r)
	switch {
	case err != nil:
		return iam.Credential{}, err
	case auth.Mode == sigv4.Anonymous:
		return iam.Credential{}, nil
	case auth.Mode != sigv4.Header || auth.Payload != sigv4.PayloadHash:
		return iam.Credential{}, errAccessDenied()
	}
	c := &call{s: s, r: r, ctx: r.Context(), ev: reqlog.From(r.Context()), auth: auth}
	if err := c.identify(&auth, func(secret string) error { return s.admin.Verify(r, &auth, secret) }); err != nil {
		return iam.Credential{}, err
	}
	body, err := s.admin.Body(r, &auth, c.secret)
	if err != nil {
		return iam.Credential{}, err
	}
	r.Body = readCloser{body.Reader, r.Body}
	return iam.Credential{AccessKey: auth.AccessKey, Secret: c.secret, Identity: c.id}, nil
}
