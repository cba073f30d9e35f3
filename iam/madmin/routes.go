package madmin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// route is one row of the table.
type route struct {
	method string
	// path is relative to Root; an element {x} stands for any, {x...} for all that follow. The
	// values are found in call.args.
	path string
	// query has the parameters that a request must have to be of this row: "name", with any
	// value, or "name=value".
	query string
	op    string // as MinIO names it; the event gets "Admin" before it
	rule  rule
	// optional are further parameters. Others are refused where there is a handler.
	optional string
	sealed   bool   // the body is encrypted
	seals    bool   // and the answer
	max      int64  // bytes of the body; 0 means that there is none
	reads    bool   // the handler reads the body itself, with call.readBody
	instead  string // says what to do, of a row without a handler; may be ""
	// serve is nil for what this server does not do.
	serve func(*call) error
}

// rule says which actions a row needs.
type rule struct {
	actions []string
	all     bool // all of them, not one of them
	// own: the row is open to every user for what is its own, and needs the actions for what
	// is others'; the handler asks for them.
	own bool
}

func need(action string) rule      { return rule{actions: []string{action}} }
func oneOf(actions ...string) rule { return rule{actions: actions} }
func allOf(actions ...string) rule { return rule{actions: actions, all: true} }
func ownOr(actions ...string) rule { return rule{actions: actions, own: true} }
func fields(names string) []string { return strings.Fields(names) }
func admin(rows []route) []route   { return below("admin/v3/", rows) }
func below(p string, r []route) []route {
	for i := range r {
		r[i].path = p + r[i].path
	}
	return r
}

// routes is the table of everything in MinIO's admin API. Of rows that take the same method and
// path, the first whose parameters are there is meant.
func routes() []route {
	return slices.Concat(admin(identityRoutes()), admin(hostRoutes()), admin(absentRoutes()), admin(oldKMSRoutes()), below("kms/v1/", kmsRoutes()))
}

// Route describes a row of the table.
type Route struct {
	Method, Path, Query string // Path is relative to Root, Query has the parameters that it must have
	Op                  string
	Actions             []string // what it needs: one of them unless All
	All, Own            bool     // Own: nothing for what is the caller's own
	Done                bool     // it is implemented
}

// Routes returns the table, for documentation and tests.
func Routes() []Route {
	var out []Route
	for _, rt := range routes() {
		out = append(out, Route{rt.method, rt.path, rt.query, rt.op, rt.rule.actions, rt.rule.all, rt.rule.own, rt.serve != nil})
	}
	return out
}

var (
	errNoRoute = &Refusal{http.StatusNotFound, "NotFound", "There is nothing under this path."}
	errQuery   = &Refusal{http.StatusBadRequest, "XMinioAdminInvalidArgument", "The query string is malformed."}
)

// find returns the row of the request.
func (c *call) find() (*route, error) {
	path, ok := c.path()
	if !ok {
		return nil, errNoRoute
	}
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return nil, errQuery
	}
	var methods, wanted []string
	for i := range c.rows {
		rt := &c.rows[i]
		args, ok := match(rt.path, path)
		switch {
		case !ok:
		case rt.method != c.r.Method:
			methods = append(methods, rt.method)
		case !rt.takes(c.query):
			wanted = append(wanted, strings.ReplaceAll(rt.query, " ", " and "))
		default:
			c.args = args
			return rt, nil
		}
	}
	switch {
	case len(wanted) > 0:
		return nil, invalid("The request needs the query parameters " + strings.Join(wanted, ", or ") + ".")
	case len(methods) > 0:
		allow := strings.Join(slices.Compact(slices.Sorted(slices.Values(methods))), ", ")
		c.w.Header().Set("Allow", allow)
		return nil, &Refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "The path takes " + allow + "."}
	}
	return nil, errNoRoute
}

// match holds an escaped path against a pattern.
func match(pattern, path string) (args map[string]string, ok bool) {
	for {
		want, restWant, moreWant := strings.Cut(pattern, "/")
		if name, ok := strings.CutSuffix(want, "...}"); ok {
			return with(args, name[1:], path)
		}
		got, rest, more := strings.Cut(path, "/")
		if strings.HasPrefix(want, "{") {
			if got == "" {
				return nil, false
			}
			if args, ok = with(args, want[1:len(want)-1], got); !ok {
				return nil, false
			}
		} else if got != want {
			return nil, false
		}
		if moreWant != more {
			return nil, false
		}
		if !more {
			return args, true
		}
		pattern, path = restWant, rest
	}
}

// with adds an argument of the path, which must be UTF-8.
func with(args map[string]string, name, escaped string) (map[string]string, bool) {
	v, err := url.PathUnescape(escaped)
	if err != nil || !utf8.ValidString(v) {
		return nil, false
	}
	if args == nil {
		args = map[string]string{}
	}
	args[name] = v
	return args, true
}

// takes tells whether the parameters that make the row are there.
func (rt *route) takes(q url.Values) bool {
	for _, f := range fields(rt.query) {
		name, value, exact := strings.Cut(f, "=")
		if !q.Has(name) || exact && q.Get(name) != value {
			return false
		}
	}
	return true
}

// checkQuery refuses parameters that the row has no use for, and repeated ones: a parameter
// that is ignored, or of which one of two counts, is not what the sender meant.
func (c *call) checkQuery(rt *route) error {
	for name, values := range c.query {
		many := false
		known := slices.ContainsFunc(fields(rt.query), func(f string) bool {
			n, _, _ := strings.Cut(f, "=")
			return n == name
		}) || slices.ContainsFunc(fields(rt.optional), func(f string) bool {
			n, list := strings.CutSuffix(f, "*")
			many = many || list && n == name
			return n == name
		})
		switch {
		case !known:
			return invalid("The query parameter " + quote(name) + " is unknown here.")
		case len(values) > 1 && !many:
			return invalid("The query parameter " + quote(name) + " is repeated.")
		}
		for _, v := range values {
			if !utf8.ValidString(v) {
				return errQuery
			}
		}
	}
	return nil
}
