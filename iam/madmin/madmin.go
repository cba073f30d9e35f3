// Package madmin is MinIO's admin API as `mc admin` speaks it, over iam.Service: paths below
// /minio/admin/v3/ and /minio/kms/v1/, signed with Signature Version 4 in the Authorization
// header, bodies that carry secrets encrypted with the caller's secret key (seal.go).
//
// It imports package iam, iam/policy, the request event, net/http and golang.org/x/crypto, never
// storage: what it must know of the server comes through the interface Host. Its paths, names
// of parameters and members, actions and codes are those of MinIO's server of 2025 and of the
// client in mc; where MinIO lets one action stand for two opposite ones, each needs its own here
// (docs/mc.md).
//
// Everything that MinIO's admin API has is in one table (routes.go), with the action it needs.
// A row without a handler answers 501 with its name, to those alone who may do it.
package madmin

import (
	"context"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Root is the path below which the handler answers: Root + "admin/v3/" and Root + "kms/v1/".
const Root = "/minio/"

// Authenticate proves who sent r, by the headers alone (no presigned URL, no form), and
// replaces its body by one that is verified when it has been read to the end. The zero
// Credential without error is the anonymous sender's. An error is a *Refusal, one of package
// sigv4 or of package iam; any other is answered as AccessDenied.
type Authenticate func(r *http.Request) (iam.Credential, error)

// Config is what the face stands on. Everything is needed.
type Config struct {
	IAM          *iam.Service
	Authenticate Authenticate
	Host         Host
	// Directory finds a person of the directory by the login name: the qualified user name, and what a
	// credential of the person has. ErrNoSuchUser for nobody; nil without a directory.
	Directory func(ctx context.Context, name string) (user string, g *iam.Grants, err error)
}

// Handler returns the face.
func Handler(c Config) http.Handler {
	return &handler{Config: c, rows: routes(), sealer: newSealer()}
}

type handler struct {
	Config
	rows   []route
	sealer *sealer
}

// Refusal is an error as it is answered.
type Refusal struct {
	Status  int // of HTTP
	Code    string
	Message string
}

// Error implements error.
func (p *Refusal) Error() string { return p.Code + ": " + p.Message }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{handler: h, w: w, r: r, ctx: r.Context(), ev: reqlog.From(r.Context())}
	w.Header().Set("X-Amz-Request-Id", c.ev.ID)
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// serve authenticates first, so that a stranger learns nothing but AccessDenied, and
// authorises before anything of the request but its route is interpreted.
func (c *call) serve() error {
	cred, err := c.Authenticate(c.r)
	if err != nil {
		return authRefusal(err)
	}
	if cred.Identity == nil {
		return errDenied
	}
	c.cred, c.id, c.IAM = cred, cred.Identity, c.handler.IAM.Admin(cred.Identity)
	c.ev.AccessKey, c.ev.Principal = c.id.AccessKey, c.id.ARN
	rt, err := c.find()
	if err != nil {
		return err
	}
	c.ev.Op = "Admin" + rt.op
	if err := c.admit(rt.rule); err != nil {
		return err
	}
	if rt.serve == nil {
		return &Refusal{http.StatusNotImplemented, "NotImplemented", strings.TrimSpace(rt.op + " is not implemented by this server. " + rt.instead)}
	}
	if err := c.checkQuery(rt); err != nil {
		return err
	}
	if !rt.reads {
		if err := c.readBody(rt); err != nil {
			return err
		}
	}
	return rt.serve(c)
}

// admit asks for the actions of a rule.
func (c *call) admit(u rule) error {
	if u.own {
		return nil // the handler decides, when it knows whose the thing is
	}
	var action string // the first that is refused
	var why iam.Decision
	for _, a := range u.actions {
		d := c.decide(a)
		switch {
		case d.Allowed && !u.all:
			return nil
		case !d.Allowed && action == "":
			action, why = a, d
		}
	}
	if action == "" {
		return nil
	}
	return c.refuse(action, why)
}

// path returns the path below Root in its escaped form.
func (c *call) path() (string, bool) {
	return strings.CutPrefix(c.r.URL.EscapedPath(), Root)
}
