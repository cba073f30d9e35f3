// Package adminapi is the JSON face of identity management, which the command line and
// the console use. It imports package iam, iam/policy, the request event
// and the errors of sigv4; it answers under
//
//	/-/api/v1/whoami             GET
//	/-/api/v1/users              GET list
//	/-/api/v1/users/{name}       GET, PUT create, PATCH change, DELETE
//	/-/api/v1/policies           GET list
//	/-/api/v1/policies/{name}    GET, PUT create or replace, DELETE
//
// Bodies are JSON, read strictly: an unknown or repeated member, another type, or text
// behind the document is refused. Every route asks iam.Service.Authorize for its exact
// action, by the names that MinIO gave them; whoami needs an identity only. An error is
// {"code", "message", "requestId"}.
package adminapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sigv4"
)

// Prefix is the path below which the handler answers.
const Prefix = "/-/api/v1/"

// The actions of the routes.
const (
	ActionListUsers    = "admin:ListUsers"
	ActionGetUser      = "admin:GetUser"
	ActionCreateUser   = "admin:CreateUser" // and to set another's secret
	ActionDeleteUser   = "admin:DeleteUser"
	ActionEnableUser   = "admin:EnableUser"
	ActionDisableUser  = "admin:DisableUser"
	ActionAttachPolicy = "admin:AttachUserOrGroupPolicy" // attach and detach
	ActionListPolicies = "admin:ListUserPolicies"
	ActionGetPolicy    = "admin:GetPolicy"
	ActionSetPolicy    = "admin:CreatePolicy"
	ActionDeletePolicy = "admin:DeletePolicy"
)

// maxBody is more than any request of this face needs.
const maxBody = 64 << 10

// Authenticate proves who sent r, by the headers alone (no presigned URL, no form), and
// replaces its body by one that is verified when it has been read to the end. A nil
// identity without error is the anonymous one. An error is a *Refusal, one of package
// sigv4 or of package iam; any other is answered as AccessDenied.
type Authenticate func(r *http.Request) (*iam.Identity, error)

// Handler returns the face over svc.
func Handler(svc *iam.Service, authn Authenticate) http.Handler {
	return &handler{svc: svc, authn: authn}
}

type handler struct {
	svc   *iam.Service
	authn Authenticate
}

// route is one row of the table of routes.
type route struct {
	method   string
	resource string // first element of the path
	named    bool   // a name follows
	op       string // operation name of the event
	action   string // "" needs an identity only
	serve    func(*call) error
}

// routes is the table of everything this face does.
func routes() []route {
	return []route{
		{http.MethodGet, "whoami", false, "AdminWhoAmI", "", (*call).whoami},
		{http.MethodGet, "users", false, "AdminListUsers", ActionListUsers, (*call).listUsers},
		{http.MethodGet, "users", true, "AdminGetUser", ActionGetUser, (*call).getUser},
		{http.MethodPut, "users", true, "AdminCreateUser", ActionCreateUser, (*call).createUser},
		{http.MethodPatch, "users", true, "AdminUpdateUser", perChange, (*call).updateUser},
		{http.MethodDelete, "users", true, "AdminDeleteUser", ActionDeleteUser, (*call).deleteUser},
		{http.MethodGet, "policies", false, "AdminListPolicies", ActionListPolicies, (*call).listPolicies},
		{http.MethodGet, "policies", true, "AdminGetPolicy", ActionGetPolicy, (*call).getPolicy},
		{http.MethodPut, "policies", true, "AdminSetPolicy", ActionSetPolicy, (*call).setPolicy},
		{http.MethodDelete, "policies", true, "AdminDeletePolicy", ActionDeletePolicy, (*call).deletePolicy},
	}
}

// perChange stands for the actions that a PATCH needs, one for each kind of change in it.
const perChange = "per change"

// call is one request.
type call struct {
	svc  *iam.Service
	w    http.ResponseWriter
	r    *http.Request
	ev   *reqlog.Event
	id   *iam.Identity
	name string
	body []byte
}

// Refusal is an error as it is answered.
type Refusal struct {
	Status  int // of HTTP
	Code    string
	Message string
}

// Error implements error.
func (p *Refusal) Error() string { return p.Code + ": " + p.Message }

var (
	errDenied = &Refusal{http.StatusForbidden, "AccessDenied", "Access Denied."}
	errRoute  = &Refusal{http.StatusNotFound, "NoSuchRoute", "There is nothing under this path."}
)

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{svc: h.svc, w: w, r: r, ev: reqlog.From(r.Context())}
	if err := c.serve(h.authn); err != nil {
		c.fail(err)
	}
}

// serve authenticates first, so that a stranger learns nothing but AccessDenied.
func (c *call) serve(authn Authenticate) error {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxBody)
	id, err := authn(c.r)
	if err != nil {
		return authRefusal(err)
	}
	if id == nil {
		return errDenied
	}
	c.id = id
	c.ev.AccessKey, c.ev.Principal = id.AccessKey, id.ARN
	rt, err := c.find()
	if err != nil {
		return err
	}
	c.ev.Op = rt.op
	if rt.action != "" && rt.action != perChange {
		if err := c.authorize(rt.action); err != nil {
			return err
		}
	}
	if err := c.readBody(); err != nil {
		return err
	}
	return rt.serve(c)
}

// readBody reads the whole body, which ends the check of its signature: nothing is done
// before.
func (c *call) readBody() (err error) {
	c.body, err = io.ReadAll(c.r.Body)
	c.ev.BytesIn += int64(len(c.body))
	switch m := c.r.Method; {
	case err != nil:
		return err
	case len(c.body) > 0 && (m == http.MethodGet || m == http.MethodDelete):
		return badBody("this request has none")
	case c.r.URL.RawQuery != "":
		return &Refusal{http.StatusBadRequest, "InvalidArgument", "The path takes no query parameters."}
	}
	return nil
}

// find returns the route of the request. Names are taken from the path as it was sent.
func (c *call) find() (*route, error) {
	path, ok := strings.CutPrefix(c.r.URL.EscapedPath(), Prefix)
	if !ok {
		return nil, errRoute
	}
	resource, name, named := strings.Cut(path, "/")
	if strings.Contains(name, "/") || named && name == "" {
		return nil, errRoute
	}
	name, err := unescape(name)
	if err != nil {
		return nil, errRoute
	}
	var allowed []string
	for _, rt := range routes() {
		if rt.resource != resource || rt.named != named {
			continue
		}
		if rt.method == c.r.Method {
			c.name = name
			return &rt, nil
		}
		allowed = append(allowed, rt.method)
	}
	if len(allowed) == 0 {
		return nil, errRoute
	}
	c.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return nil, &Refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "The path takes " + strings.Join(allowed, ", ") + "."}
}

// authorize asks for one action.
func (c *call) authorize(action string) error {
	if !c.svc.Authorize(&iam.Request{Identity: c.id, Action: action, Conditions: conditions{c}}).Allowed {
		return errDenied
	}
	return nil
}

// conditions answers the keys that an administrative request has.
type conditions struct{ c *call }

// Values implements iam.Conditions.
func (cs conditions) Values(key string) ([]string, bool) {
	v := ""
	switch key {
	case "aws:sourceip":
		v = cs.c.ev.Remote
	case "aws:securetransport":
		v = strconv.FormatBool(cs.c.ev.TLS)
	case "aws:useragent":
		v = cs.c.r.UserAgent()
	case "aws:referer":
		v = cs.c.r.Referer()
	case "s3:authtype":
		v = "REST-HEADER"
	case "s3:signatureversion":
		v = "AWS4-HMAC-SHA256"
	}
	return []string{v}, v != ""
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
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	c.w.WriteHeader(status)
	n, err := c.w.Write(append(body, '\n'))
	c.ev.BytesOut += int64(n)
	if err != nil {
		c.ev.Err = err
	}
	return nil
}

// Error is the body of a refusal.
type Error struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
}

// fail answers with an error.
func (c *call) fail(err error) {
	p := asRefusal(err)
	c.ev.Code = p.Code
	if p.Status >= http.StatusInternalServerError {
		c.ev.Err = err
	}
	if err := c.reply(p.Status, Error{Code: p.Code, Message: p.Message, RequestID: c.ev.ID}); err != nil {
		c.ev.Err = err
	}
}

// authRefusal is the answer to an error of Authenticate.
func authRefusal(err error) error {
	var p *Refusal
	var signature *sigv4.Error
	switch {
	case errors.As(err, &p), errors.As(err, &signature), errors.Is(err, iam.ErrDamaged):
		return err
	case errors.Is(err, iam.ErrNoSuchKey):
		return &Refusal{http.StatusForbidden, "InvalidAccessKeyId", "The access key does not exist or is disabled."}
	case errors.Is(err, iam.ErrInvalidToken):
		return &Refusal{http.StatusForbidden, "InvalidToken", "The session token is not valid."}
	}
	return errDenied
}

// asRefusal is the one table from errors to answers.
func asRefusal(err error) *Refusal {
	var p *Refusal
	var signature *sigv4.Error
	var syntax *policy.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &signature):
		status := http.StatusForbidden
		if signature.Code == "XAmzContentSHA256Mismatch" {
			status = http.StatusBadRequest
		}
		return &Refusal{status, signature.Code, signature.Message}
	case errors.As(err, &large):
		return &Refusal{http.StatusRequestEntityTooLarge, "EntityTooLarge", "The body is longer than " + strconv.Itoa(maxBody) + " bytes."}
	case errors.As(err, &syntax):
		return &Refusal{http.StatusBadRequest, "MalformedPolicy", syntax.Error()}
	}
	for _, row := range []struct {
		err    error
		status int
		code   string
		plain  string // instead of the error's text, which may say too much
	}{
		{iam.ErrInvalid, http.StatusBadRequest, "InvalidArgument", ""},
		{iam.ErrReserved, http.StatusForbidden, "ReservedName", ""},
		{iam.ErrExists, http.StatusConflict, "EntityAlreadyExists", ""},
		{iam.ErrInUse, http.StatusConflict, "DeleteConflict", ""},
		{iam.ErrNoSuchUser, http.StatusNotFound, "NoSuchUser", ""},
		{iam.ErrNoSuchPolicy, http.StatusNotFound, "NoSuchPolicy", ""},
		{iam.ErrFull, http.StatusInsufficientStorage, "InsufficientStorage", "No space is left for identities."},
		{iam.ErrUnavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "Identities can't be changed now."},
		{iam.ErrDamaged, http.StatusInternalServerError, "InternalError", "The record is damaged."},
	} {
		if errors.Is(err, row.err) {
			if row.plain == "" {
				row.plain = err.Error()
			}
			return &Refusal{row.status, row.code, row.plain}
		}
	}
	return &Refusal{http.StatusInternalServerError, "InternalError", "An internal error happened."}
}
