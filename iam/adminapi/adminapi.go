// Package adminapi is the JSON face of administration, which the command line and
// the console use. It imports package iam, iam/policy, iam/iamzip, iam/config, the request event, what is live,
// and the errors of iam/store and sigv4, never storage: what it must know of the server comes through the
// interface Host. routes.go has the table of what it answers under /-/api/v1/.
//
// Bodies are JSON, read strictly: an unknown or repeated member, another type, or text
// behind the document is refused. Names in paths are percent-encoded. Every route asks
// iam.Service.Authorize for its exact action, by the names that MinIO gave them; whoami needs
// an identity only. An error is {"code", "message", "requestId"}: whoever is refused learns
// that and no more, and an administrator asks why under the request's id.
package adminapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Prefix is the path below which the handler answers.
const Prefix = "/-/api/v1/"

// Authenticate proves who sent r, by a signature in the headers or by a session of the
// console (no presigned URL, no form), and replaces its body by one that is verified when it
// has been read to the end. A nil identity without error is the anonymous one. An error is
// a *Refusal, one of package sigv4 or of package iam; any other is answered as AccessDenied.
type Authenticate func(r *http.Request) (*iam.Identity, error)

// Config is what the face stands on.
type Config struct {
	Service      *iam.Service
	Authenticate Authenticate
	BucketPolicy BucketPolicy // of simulations
	Directory    Directory    // nil without one
	Tokens       Tokens       // nil without an OpenID Connect provider
	Encryption   Encryption   // nil without keys
	Migration    Migration    // nil without one
	Host         Host         // nil in tests that do not ask for the server
}

// Handler returns the face.
func Handler(c Config) http.Handler {
	return &handler{config: c, routes: routes()}
}

type handler struct {
	config Config
	routes []route
}

// call is one request.
type call struct {
	config *Config
	svc    *iam.Admin // identities as the caller administers them; config.Service knows them all
	w      http.ResponseWriter
	r      *http.Request
	ev     *reqlog.Event
	id     *iam.Identity
	name   string // what stands for {name} in the route
	query  url.Values
	body   []byte
	// lifetime is how long a key that is made or changed will live, for svc:DurationSeconds.
	lifetime time.Duration
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{config: &h.config, w: w, r: r, ev: reqlog.From(r.Context())}
	if err := c.serve(h); err != nil {
		c.fail(err)
	}
}

// serve authenticates before it tells anything, so that a stranger learns nothing but
// AccessDenied; the route decides before that how much is read at most.
func (c *call) serve(h *handler) error {
	rt, unknown := c.find(h.routes)
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, rt.maxBody())
	id, err := c.config.Authenticate(c.r)
	if err != nil {
		return authRefusal(err)
	}
	if id == nil {
		return c.refuseAnonymous(rt)
	}
	c.id, c.svc = id, c.config.Service.Admin(id)
	c.ev.AccessKey, c.ev.Principal = id.AccessKey, id.ARN
	if unknown != nil {
		return unknown
	}
	c.ev.Op = rt.op
	if rt.gate == always {
		if err := c.authorize(rt.action); err != nil {
			return err
		}
	}
	if err := c.readRequest(rt); err != nil {
		return err
	}
	return rt.serve(c)
}

// readRequest reads the query, and the whole body, which ends the check of its signature:
// nothing is done before.
func (c *call) readRequest(rt *route) (err error) {
	c.body, err = io.ReadAll(c.r.Body)
	c.ev.BytesIn += int64(len(c.body))
	if err != nil {
		return err
	}
	if m := c.r.Method; len(c.body) > 0 && (m == http.MethodGet || m == http.MethodDelete) {
		return badBody("this request has none")
	}
	c.query, err = rt.readQuery(c.r.URL.RawQuery)
	return err
}

// authorize asks for one action. Administrators of an account are told what is none of theirs.
func (c *call) authorize(action string) error {
	if !c.config.Service.Authorize(c.question(action)).Allowed {
		return cmp.Or(c.svc.Refuses(action), error(errDenied))
	}
	return nil
}

// question is what Authorize is asked about the caller. The name in the path of a route of the keys is a key's.
func (c *call) question(action string) *iam.Request {
	return &iam.Request{KMSKey: c.kmsKey(action), Identity: c.id, Action: action, Conditions: c.conditions(), RequestID: c.ev.ID, Remote: c.ev.Remote}
}

func (c *call) kmsKey(action string) string {
	if strings.HasPrefix(action, "kms:") {
		return c.name
	}
	return ""
}

// conditions answers the condition keys of the request.
func (c *call) conditions() reqlog.SignedConditions {
	return reqlog.SignedConditions{Conditions: reqlog.Conditions{Event: c.ev, Referer: c.r.Referer()}, Lifetime: c.lifetime}
}

// reply sends a value, or nothing for nil.
func (c *call) reply(status int, v any) error {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	c.ev.Status = status
	if v == nil {
		c.w.WriteHeader(status)
		return nil
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // policies are shown as they were written
	if err := enc.Encode(v); err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	c.w.WriteHeader(status)
	n, err := c.w.Write(body.Bytes())
	c.ev.BytesOut += int64(n)
	if err != nil {
		c.ev.Err = err
	}
	return nil
}
