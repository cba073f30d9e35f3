package madmin

import (
	"net/url"
	"strings"
	"testing"
)

// TestNames is S-230: names that are paths, have control characters, or are too long, in every
// route that takes one. None is taken, none is found, nothing is made.
func TestNames(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	before := len(s.svc.Users()) + len(s.svc.Groups()) + len(s.svc.Policies()) + len(s.svc.AccessKeys(""))
	names := []string{
		"a/b", "../../etc/passwd", "..", ".", "a%2fb", "a\x00b", "a\nb", "a\x7fb", strings.Repeat("x", 10000), "",
		"\u0430lice", "alice\u200b", "\ufeffalice", "ali\u0301ce", "a\\b", "a,b", "a=b", "a:b", "ldap:", "tls:\x01",
	}
	const user = `{"secretKey":"a good secret","status":"enabled"}`
	for _, name := range names {
		q := url.QueryEscape(name)
		for _, r := range []request{
			{method: put, path: "add-user", query: "accessKey=" + q, body: user},
			{method: remove, path: "remove-user", query: "accessKey=" + q},
			{method: put, path: "set-user-status", query: "status=disabled&accessKey=" + q},
			{method: get, path: "user-info", query: "accessKey=" + q},
			{method: get, path: "group", query: "group=" + q},
			{method: put, path: "set-group-status", query: "status=disabled&group=" + q},
			{method: get, path: "info-canned-policy", query: "name=" + q},
			{method: put, path: "set-user-or-group-policy", query: "policyName=readonly&isGroup=false&userOrGroup=" + q},
			{method: put, path: "set-user-or-group-policy", query: "policyName=readonly&isGroup=true&userOrGroup=" + q},
			{method: post, path: "update-service-account", query: "accessKey=" + q, body: "{}"},
			{method: get, path: "info-service-account", query: "accessKey=" + q},
			{method: remove, path: "delete-service-account", query: "accessKey=" + q},
			{method: get, path: "temporary-account-info", query: "accessKey=" + q},
		} {
			if name == "" && strings.Contains(r.path, "temporary") || name == "a=b" && r.path == "group" {
				continue
			}
			r.as = "objroot"
			if got, body := s.send(r); got != 400 && got != 404 {
				t.Errorf("%.40q: %s %s: %d %s", name, r.method, r.path, got, body)
			}
		}
		if name == "a=b" {
			continue // the name of a policy or a group may have one
		}
		got, body := s.send(request{as: "objroot", method: put, path: "add-canned-policy", query: "name=" + q, body: narrow})
		if got != 400 {
			t.Errorf("policy %.40q: %d %s", name, got, body)
		}
	}
	if after := len(s.svc.Users()) + len(s.svc.Groups()) + len(s.svc.Policies()) + len(s.svc.AccessKeys("")); after != before {
		t.Errorf("%d things were made", after-before)
	}
}

// TestCaseTwins is S-230: names that differ in case are two names.
func TestCaseTwins(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	s.want(request{as: "objroot", method: get, path: "user-info", query: "accessKey=Alice"}, 404, "XMinioAdminNoSuchUser")
	s.want(request{as: "objroot", method: remove, path: "remove-user", query: "accessKey=ALICE"}, 404, "")
	if _, err := s.svc.User("alice"); err != nil {
		t.Error(err)
	}
}

// TestBodies is S-056: bodies of wrong types, without members, nested without end, with repeated
// members, or too large are 400, and the server lives. So is a sealed body that is none.
func TestBodies(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	bodies := []string{
		"", "{", "null", "[]", `"x"`, `{}x`, `{"unknown":1}`, strings.Repeat(`{"policy":`, 10000), strings.Repeat("[", 10000),
		`{"a":1,"a":2}`, "{\"secretKey\":\"\xff\"}", strings.Repeat("x", 10<<20),
	}
	for _, q := range []request{
		{method: put, path: "add-user", query: "accessKey=newcomer", body: `{"secretKey":12345678}`},
		{method: put, path: "add-user", query: "accessKey=newcomer", body: `{"status":"enabled"}`},
		{method: put, path: "add-user", query: "accessKey=newcomer", body: `{"secretKey":"a good secret","status":"on fire"}`},
		{method: put, path: "update-group-members", body: `{"group":["x"]}`},
		{method: put, path: "update-group-members", body: `{"members":["alice"]}`},
		{method: put, path: "add-service-account", body: `{"expiration":"tomorrow"}`},
		{method: put, path: "add-service-account", body: `{"expiration":"2001-01-01T00:00:00Z"}`},
		{method: put, path: "add-service-account", body: `{"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + strings.Repeat("x", 5000) + `"}]}}`},
		{method: put, path: "add-service-account", body: `{"policy":{"Statement":"none"}}`},
		{method: put, path: "add-service-account", body: `{"policy":{}}`},
		{method: put, path: "add-service-account", body: `{"accessKey":"ONLYTHEKEY"}`},
		{method: put, path: "add-service-account", body: `{"secretKey":"only the secret"}`},
		{method: post, path: "idp/builtin/policy/attach", body: `{"policies":[],"user":"alice"}`},
		{method: post, path: "idp/builtin/policy/attach", body: `{"policies":["readonly"]}`},
		{method: post, path: "idp/builtin/policy/attach", body: `{"policies":["readonly"],"user":"alice","group":"g"}`},
		{method: post, path: "idp/builtin/policy/attach", body: `{"policies":"readonly","user":"alice"}`},
		{method: put, path: "add-canned-policy", query: "name=p", body: `{"Statement":[{"Effect":"Maybe"}]}`},
	} {
		q.as = "objroot"
		s.want(q, 400, "")
	}
	for _, body := range bodies {
		for _, q := range []request{
			{method: put, path: "add-user", query: "accessKey=newcomer"},
			{method: put, path: "update-group-members"},
			{method: post, path: "idp/builtin/policy/attach"},
			{method: put, path: "add-canned-policy", query: "name=p"},
		} {
			q.as, q.body = "objroot", body
			s.want(q, 400, "")
		}
	}
	for _, q := range []request{
		{method: get, path: "list-users", body: "a body"},
		{method: remove, path: "remove-user", query: "accessKey=alice", body: "a body"},
		{method: get, path: "list-users", query: "unknown=1"},
		{method: get, path: "groups", query: "%zz"},
		{method: get, path: "info-canned-policy", query: "name=readonly&v=3"},
		{method: get, path: "list-access-keys-bulk", query: "listType=some"},
		{method: put, path: "set-user-status", query: "accessKey=alice&status=asleep"},
		{method: get, path: "user-info"},
	} {
		q.as = "objroot"
		s.want(q, 400, "")
	}
	s.want(request{as: "objroot", method: get, path: "nothing"}, 404, "")
	s.want(request{as: "objroot", method: post, path: "list-users"}, 405, "")
	s.want(request{as: "objroot", method: get, path: "user-info", query: "accessKey=alice"}, 200, "")
}

// TestRefusalsAreKept: who was refused what is there for whoever explains it.
func TestRefusalsAreKept(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	s.want(request{as: "alice", method: get, path: "list-users"}, 403, "")
	s.want(request{as: "alice", method: get, path: "list-service-accounts"}, 200, "") // her own: no refusal
	got := s.svc.LastRefusals(10)
	if len(got) != 1 || got[0].Action != "admin:ListUsers" || got[0].AccessKey != "alice" {
		t.Errorf("%+v", got)
	}
}
