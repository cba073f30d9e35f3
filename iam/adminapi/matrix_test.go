package adminapi

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// request is one request with the actions that it needs.
type request struct {
	method, path, body string
	actions            []string
	status             int
}

// requests has one for each route, or for each kind of change where the action depends on it.
// They speak of what fixture makes; SESSION stands for the victim's session.
func requests(archive string) []request {
	return []request{
		{"GET", "users", "", []string{ActionListUsers}, 200},
		{"GET", "users/victim", "", []string{ActionGetUser}, 200},
		{"PUT", "users/newcomer", `{}`, []string{ActionCreateUser}, 201},
		{"PUT", "users/newcomer", `{"policies":["readonly"]}`, []string{ActionCreateUser, ActionAttachPolicy}, 201},
		{"PATCH", "users/victim", `{"enabled":false}`, []string{ActionDisableUser}, 200},
		{"PATCH", "users/victim", `{"enabled":true}`, []string{ActionEnableUser}, 200},
		{"PATCH", "users/victim", `{"secret":"another secret"}`, []string{ActionCreateUser}, 200},
		{"PATCH", "users/victim", `{"policies":["consoleAdmin"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"attach":["consoleAdmin"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"detach":["readonly"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{"enabled":true,"attach":["readwrite"]}`, []string{ActionEnableUser, ActionAttachPolicy}, 200},
		{"PATCH", "users/victim", `{}`, []string{ActionGetUser}, 200},
		{"DELETE", "users/victim", "", []string{ActionDeleteUser}, 204},

		{"GET", "accounts", "", []string{ActionListUsers}, 200},
		{"GET", "accounts/333333333333", "", []string{ActionGetUser}, 200},
		{"PUT", "accounts/fresh", `{"root":"fresh-root"}`, []string{ActionCreateUser, ActionAttachPolicy}, 201},
		{"DELETE", "accounts/333333333333", "", []string{ActionDeleteUser}, 204},

		{"GET", "groups", "", []string{ActionListGroups}, 200},
		{"GET", "groups/crew", "", []string{ActionGetGroup}, 200},
		{"PUT", "groups/fresh", `{}`, []string{ActionAddMember}, 201},
		{"PUT", "groups/fresh", `{"policies":["readonly"]}`, []string{ActionAddMember, ActionAttachPolicy}, 201},
		{"PATCH", "groups/crew", `{"enabled":false}`, []string{ActionDisableGroup}, 200},
		{"PATCH", "groups/crew", `{"enabled":true}`, []string{ActionEnableGroup}, 200},
		{"PATCH", "groups/crew", `{"policies":["readonly"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "groups/crew", `{"attach":["readonly"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "groups/crew", `{"detach":["readonly"]}`, []string{ActionAttachPolicy}, 200},
		{"PATCH", "groups/crew", `{"add":["victim"]}`, []string{ActionAddMember}, 200},
		{"PATCH", "groups/crew", `{"remove":["victim"]}`, []string{ActionRemoveMember}, 200},
		{"PATCH", "groups/crew", `{}`, []string{ActionGetGroup}, 200},
		{"DELETE", "groups/empty", "", []string{ActionRemoveMember}, 204},

		{"GET", "policies", "", []string{ActionListPolicies}, 200},
		{"GET", "policies/readonly", "", []string{ActionGetPolicy}, 200},
		{"PUT", "policies/fresh", readPolicy, []string{ActionSetPolicy}, 200},
		{"DELETE", "policies/unused", "", []string{ActionDeletePolicy}, 204},
		{"POST", "policies/validate", readPolicy, []string{ActionSetPolicy}, 200},
		{"GET", "policies/readonly/entities", "", []string{ActionListPolicies}, 200},

		{"GET", "keys?all=true", "", []string{ActionListKeys}, 200},
		{"GET", "keys?user=victim", "", []string{ActionListKeys}, 200},
		{"POST", "keys", `{"parent":"victim"}`, []string{ActionCreateKey}, 201},
		{"GET", "keys/VICTIMKEY", "", []string{ActionListKeys}, 200},
		{"PATCH", "keys/VICTIMKEY", `{"enabled":false,"name":"x","description":"y","secret":"another secret","expires":"2099-01-01T00:00:00Z"}`, []string{ActionUpdateKey}, 200},
		{"PATCH", "keys/VICTIMKEY", `{"policy":` + readPolicy + `}`, []string{ActionUpdateKey}, 200},
		{"DELETE", "keys/VICTIMKEY", "", []string{ActionRemoveKey}, 204},

		{"GET", "sessions?all=true", "", []string{ActionListSessions}, 200},
		{"GET", "sessions?user=victim", "", []string{ActionListSessions}, 200},
		{"DELETE", "sessions/SESSION", "", []string{ActionRemoveKey}, 204},
		{"POST", "sessions/revoke", `{"user":"victim"}`, []string{ActionRemoveKey}, 200},

		{"GET", "server", "", []string{ActionServer}, 200},
		{"POST", "restart", `{}`, []string{ActionRestart}, 202},
		{"GET", "metrics/history", "", []string{ActionMetrics}, 200},
		{"GET", "trace?internal=true", "", []string{ActionTrace}, 200},
		{"GET", "log?follow=true", "", []string{ActionLog}, 200},
		{"GET", "usage", "", []string{ActionUsage}, 200},
		{"GET", "usage?bucket=public&prefix=a/", "", []string{ActionUsage}, 200},
		{"GET", "config", "", []string{ActionConfig}, 200},
		{"GET", "config/site", "", []string{ActionConfig}, 200},
		{"PUT", "config/site", `{"values":{"region":"eu"}}`, []string{ActionConfig}, 200},
		{"DELETE", "config/site", "", []string{ActionConfig}, 200},
		{"GET", "providers", "", []string{ActionConfig}, 200},
		{"GET", "providers/ldap", "", []string{ActionConfig}, 200},
		{"POST", "providers/ldap/check", `{}`, []string{ActionConfig}, 200},
		{"GET", "notifications", "", []string{ActionServer}, 200},
		{"POST", "notifications/webhook%3Aone/test", "", []string{ActionConfig}, 200},
		{"GET", "notifications/webhook%3Aone/refused", "", []string{ActionConfig}, 200},
		{"DELETE", "notifications/webhook%3Aone/refused", "", []string{ActionConfig}, 200},
		{"POST", "notifications/webhook%3Aone/refused/retry", "", []string{ActionConfig}, 200},
		{"GET", "lifecycle/public", "", []string{ActionUsage}, 200},
		{"POST", "lifecycle/public", "", []string{ActionLifecycle}, 200},
		{"GET", "lifecycle/public/dry-run", "", []string{ActionUsage}, 200},
		{"GET", "buckets/public/quota", "", []string{ActionGetQuota}, 200},
		{"PUT", "buckets/public/quota", `{"quota":5}`, []string{ActionSetQuota}, 200},
		{"DELETE", "buckets/public/quota", "", []string{ActionSetQuota}, 200},

		{"GET", "explain", "", []string{ActionExplain}, 200},
		{"GET", "explain/kept", "", []string{ActionExplain}, 200},
		{"POST", "openid/test", `{"token":"t"}`, []string{ActionExplain}, 200},
		{"GET", "sessions?provider=ldap", "", []string{ActionListSessions}, 200},
		{"POST", "sessions/revoke", `{"provider":"openid:corp"}`, []string{ActionRemoveKey}, 200},
		{"POST", "ldap/test", `{"name":"ann"}`, []string{ActionExplain}, 200},
		{"GET", "migration", "", []string{ActionServer}, 200},
		{"POST", "migration/verify", "", []string{ActionConfig}, 202},

		{"GET", "encryption-keys", "", []string{ActionListEncryptionKeys}, 200},
		{"PUT", "encryption-keys/new", "", []string{ActionCreateEncryptionKey}, 204},
		{"POST", "encryption-keys/team/rotate", "", []string{ActionRotateEncryptionKey}, 204},
		{"POST", "encryption/reseal", `{"bucket":"b","key":"k","versionId":"v"}`, []string{ActionRotateEncryptionKey}, 200},
		{"POST", "import-minio-iam", archive, []string{ActionImportIAM}, 200},
		{"POST", "import-minio-iam?dry-run=true", archive, []string{ActionImportIAM}, 200},
		{"POST", "simulate", `{"principal":"victim","action":"s3:GetObject","resource":"public/x"}`, []string{ActionExplain}, 200},
	}
}

// allActions are the actions of this face.
func allActions() []string {
	return []string{
		ActionListUsers, ActionGetUser, ActionCreateUser, ActionDeleteUser, ActionEnableUser, ActionDisableUser, ActionAttachPolicy,
		ActionListGroups, ActionGetGroup, ActionAddMember, ActionRemoveMember, ActionEnableGroup, ActionDisableGroup,
		ActionListPolicies, ActionGetPolicy, ActionSetPolicy, ActionDeletePolicy,
		ActionListKeys, ActionCreateKey, ActionUpdateKey, ActionRemoveKey, ActionListSessions, ActionExplain, ActionImportIAM,
		ActionListEncryptionKeys, ActionCreateEncryptionKey, ActionRotateEncryptionKey,
		ActionServer, ActionMetrics, ActionTrace, ActionLog, ActionUsage, ActionConfig, ActionRestart, ActionGetQuota, ActionSetQuota, ActionLifecycle,
	}
}

// without returns all actions of this face and many of others, but one.
func without(action string) []string {
	others := append(allActions(), "s3:*", "sts:*", "admin:ServerInfo", "admin:ListTier", "admin:ConfigUpdate")
	if !strings.HasPrefix(action, "kms:") {
		others = append(others, "kms:*")
	}
	return slices.DeleteFunc(others, func(a string) bool { return a == action })
}

// fixture is what the requests speak of.
func (s *server) fixture(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	s.user(t, "victim")
	if _, _, err := s.svc.CreateAccount(ctx, iam.NewAccount{ID: "333333333333", Name: "tenant", Root: "tenant-root"}); err != nil {
		t.Fatal(err)
	}
	s.key(t, "VICTIMKEY", "victim", nil)
	s.key(t, "ROOTKEY", root, nil)
	s.tokens["SESSION"] = s.session(t, "victim", nil)
	if err := s.svc.AddMembers(ctx, "crew", "victim"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.CreateGroup(ctx, iam.NewGroup{Name: "empty"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.SetPolicy(ctx, "unused", []byte(readPolicy)); err != nil {
		t.Fatal(err)
	}
	s.svc.Refuse(iam.Refusal{RequestID: "kept", Action: "s3:GetObject"})
}

// caller is one kind of principal: make returns its access key.
type caller struct {
	name    string
	allowed bool
	make    func(t *testing.T, s *server) string
}

// callers are all that try a request which needs actions.
func callers(actions []string) []caller {
	fixed := func(name string) caller {
		return caller{name, false, func(*testing.T, *server) string { return name }}
	}
	exact := func(t *testing.T, s *server) string { s.user(t, "exact", actions...); return "exact" }
	plain := func(t *testing.T, s *server) string { s.user(t, "plain"); return "plain" }
	asRoot := func(*testing.T, *server) string { return root }
	out := []caller{fixed(""), fixed("forged"), fixed("failing"), fixed("nobody")}
	derive := func(name string, allowed bool, of func(*testing.T, *server) string, policy func(*testing.T) []byte) {
		out = append(out,
			caller{"service key of " + name, allowed, func(t *testing.T, s *server) string { return s.key(t, "DERIVED", of(t, s), policy(t)) }},
			caller{"session of " + name, allowed, func(t *testing.T, s *server) string { return s.session(t, of(t, s), policy(t)) }},
			caller{"session of the service key of " + name, allowed, func(t *testing.T, s *server) string {
				return s.session(t, s.key(t, "DERIVED", of(t, s), policy(t)), nil)
			}})
	}
	none := func(*testing.T) []byte { return nil }
	same := func(t *testing.T) []byte { return policyOf(t, "Allow", append([]string{"sts:*"}, actions...)...) }
	out = append(out, caller{"plain", false, plain}, caller{"exact", true, exact}, caller{"root", true, asRoot})
	derive("plain", false, plain, none)
	derive("plain with a policy that allows", false, plain, same)
	derive("exact", true, exact, none)
	derive("exact with a policy that allows", true, exact, same)
	derive("root", true, asRoot, none)
	derive("root with a policy that allows", true, asRoot, same)
	for i, needed := range actions {
		others := func(t *testing.T) []byte { return policyOf(t, "Allow", without(needed)...) }
		name := fmt.Sprintf("everything but %s", needed)
		out = append(out, caller{name, false, func(t *testing.T, s *server) string {
			s.user(t, fmt.Sprint("others", i), without(needed)...)
			return fmt.Sprint("others", i)
		}})
		derive("exact with a policy for "+name, false, exact, others)
		derive("root with a policy for "+name, false, asRoot, others)
	}
	return out
}

// TestMatrix is S-229, S-075, S-042, S-083, S-149 and S-208: every route for the anonymous
// caller, for one with a wrong signature, a user without rights, one with every action but one
// that is needed, one with exactly the needed ones, root, and the service keys and
// sessions of each. A refused request has no effect and says nothing.
func TestMatrix(t *testing.T) {
	covered := map[string]bool{"GET whoami": true}
	for _, req := range requests(archive(t)) {
		rt := routeOf(t, req.method, req.path)
		callers := callers(req.actions)
		if rt.action == ActionImportIAM {
			// An archive would make a restricted credential more than it is.
			for i := range callers {
				callers[i].allowed = callers[i].allowed && !strings.Contains(callers[i].name, "with a policy")
			}
		}
		covered[rt.method+" "+rt.pattern] = true
		if rt.gate == always && !slices.Contains(req.actions, rt.action) {
			t.Errorf("%s %s: the table has %s", req.method, req.path, rt.action)
		}
		for _, who := range callers {
			t.Run(fmt.Sprintf("%s %s %.80q %s", req.method, req.path, req.body, who.name), func(t *testing.T) {
				s := newServer(t)
				s.fixture(t)
				as := who.make(t, s)
				path := strings.Replace(req.path, "SESSION", s.tokens["SESSION"], 1)
				before := s.state(t)
				w := s.send(as, req.method, path, req.body)
				if who.allowed {
					if w.Code != req.status {
						t.Errorf("%d %s, want %d", w.Code, w.Body, req.status)
					}
					return
				}
				if w.Code != http.StatusForbidden {
					t.Errorf("%d %s, want 403", w.Code, w.Body)
				}
				if s.state(t) != before {
					t.Error("it is refused and has an effect")
				}
				wantError(t, w, "")
			})
		}
	}
	for _, rt := range routes() {
		if key := rt.method + " " + rt.pattern; !covered[key] {
			t.Errorf("route %s is not in the matrix", key)
		}
	}
}

// routeOf returns the route that a request takes.
func routeOf(t *testing.T, method, path string) *route {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for _, rt := range routes() {
		if _, ok := rt.match(strings.Split(path, "/")); ok && rt.method == method {
			return &rt
		}
	}
	t.Fatalf("no route for %s %s", method, path)
	return nil
}

// TestMissingIsHidden: who may not read gets the same answer for what is there and what is not.
func TestMissingIsHidden(t *testing.T) {
	s := newServer(t)
	s.fixture(t)
	s.user(t, "plain")
	for _, req := range requests(archive(t)) {
		rt := routeOf(t, req.method, req.path)
		if !strings.Contains(rt.pattern, "{name}") {
			continue
		}
		there := strings.Replace(req.path, "SESSION", s.tokens["SESSION"], 1)
		parts := strings.Split(there, "/")
		parts[1] = "nothing-there"
		a := s.send("plain", req.method, there, req.body)
		b := s.send("plain", req.method, strings.Join(parts, "/"), req.body)
		if a.Code != http.StatusForbidden || a.Code != b.Code || a.Body.String() != b.Body.String() {
			t.Errorf("%s %s: %d %s, and when it is not there %d %s", req.method, req.path, a.Code, a.Body, b.Code, b.Body)
		}
	}
}

// archive is what a MinIO server has exported.
func archive(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../iamzip/testdata/minio.zip")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
