package madmin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sample returns a request of a row about the user "victim", the parameters filled in.
func (rt *route) sample(as string) *http.Request {
	path := strings.NewReplacer("{prefix...}", "a/b", "{type}", "openid", "{provider}", "builtin", "{", "", "}", "").Replace(rt.path)
	var query []string
	for _, f := range fields(rt.query + " " + rt.optional) {
		name, value, exact := strings.Cut(strings.TrimSuffix(f, "*"), "=")
		if exact {
			query = append(query, name+"="+value)
			continue
		}
		value = map[string]string{
			"accessKey": "victim", "user": "victim", "users": "victim", "userDN": "victim", "userDNs": "victim", "group": "victims", "name": "victimpolicy",
			"policyName": "readonly", "userOrGroup": "victim", "isGroup": "false", "listType": "all", "status": "enabled", "count": "1",
			"tokenRevokeType": "x", "v": "2",
		}[name]
		if value != "" {
			query = append(query, name+"="+value)
		} else if !strings.Contains(rt.optional, name) {
			query = append(query, name+"=x")
		}
	}
	r := httptest.NewRequest(rt.method, Root+path+"?"+strings.Join(query, "&"), nil)
	r.Header.Set("X-Test-User", as)
	return r
}

// derived are the credentials of somebody: a service key and a session beside the own key.
func (s *server) derived(name string) []string {
	s.t.Helper()
	return []string{name, s.key(name, ""), s.session(name, "", "")}
}

// answers tells how a row answers somebody.
func (s *server) answers(rt *route, as string) (int, string) {
	w := httptest.NewRecorder()
	r := rt.sample(as)
	r.Header.Set("X-Test-Token", s.tokens[as])
	s.h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestMatrix is S-075, S-083, S-093, S-229, S-042, S-012 and S-118: every row of the table for the
// anonymous caller, a user without policies, one with a bad signature, each single action of
// the table, and root, each with its own key, a service key and a session. Only the row's own actions open it. Rows without a handler answer 501
// with their name, to those alone who may do them. Rows that are open to everybody for what is
// his own have tests of their own, besides.
func TestMatrix(t *testing.T) {
	s := newServer(t)
	s.user("victim")
	s.user("plain")
	actions, credentials := allActions(), map[string][]string{}
	for _, a := range actions {
		s.user(name(a), a)
		credentials[a] = s.derived(name(a))
	}
	plain, root := s.derived("plain"), s.derived("objroot")
	for i := range s.rows {
		rt := &s.rows[i]
		label := rt.method + " " + rt.path + "?" + rt.query
		for _, as := range []string{"", "forged", "failing"} {
			if got, body := s.answers(rt, as); got != http.StatusForbidden || strings.Contains(body, "detail") {
				t.Errorf("%s as %q: %d %s", label, as, got, body)
			}
		}
		if rt.rule.own {
			continue
		}
		for _, as := range plain {
			if got, body := s.answers(rt, as); got != http.StatusForbidden {
				t.Errorf("%s for a user without policies, %s: %d %s", label, as, got, body)
			}
		}
		for _, a := range actions {
			for _, as := range credentials[a] {
				got, body := s.answers(rt, as)
				if opens := !rt.rule.all && has(rt.rule.actions, a); opens != (got != http.StatusForbidden) {
					t.Errorf("%s with %s, %s: %d %s", label, a, as, got, body)
				}
			}
		}
		if rt.rule.all {
			s.user("all-"+rt.op, rt.rule.actions...)
			if got, body := s.answers(rt, "all-"+rt.op); got == http.StatusForbidden {
				t.Errorf("%s with all actions: %d %s", label, got, body)
			}
		}
		for _, as := range root {
			got, body := s.answers(rt, as)
			if got == http.StatusForbidden || (got == http.StatusNotImplemented) != (rt.serve == nil) || rt.serve == nil && !strings.Contains(body, rt.op) {
				t.Errorf("%s for root, %s: %d %s", label, as, got, body)
			}
		}
	}
}

// name makes a user's name of an action.
func name(action string) string { return strings.ReplaceAll(action, ":", "-") }

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
