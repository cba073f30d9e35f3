package madmin

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestOtherAccountsAreNotListed: mc admin shows and exports the deployment's account, as if it were the only one.
func TestOtherAccountsAreNotListed(t *testing.T) {
	s := newServer(t)
	s.user("local")
	if _, _, err := s.svc.CreateAccount(t.Context(), iam.NewAccount{ID: "222222222222", Name: "tenant", Root: "tenant-root"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "tenant-user", Account: "222222222222", Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	s.key("tenant-user", "")
	for _, q := range []request{
		{as: "objroot", method: get, path: "list-users"},
		{as: "objroot", method: get, path: "list-access-keys-bulk", query: "all=true&listType=svcacc-only"},
		{as: "objroot", method: get, path: "idp/builtin/policy-entities"},
		{as: "objroot", method: get, path: "export-iam"},
	} {
		code, body := s.send(q)
		if z, err := zip.NewReader(strings.NewReader(body), int64(len(body))); err == nil {
			body = ""
			for _, f := range z.File {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				body += f.Name + string(text)
			}
		}
		if code != 200 || strings.Contains(body, "tenant") {
			t.Errorf("%s: %d %s", q.path, code, body)
		}
	}
	if _, body := s.send(request{as: "objroot", method: get, path: "list-users"}); !strings.Contains(body, "local") {
		t.Error(body)
	}
	// Who adds a user gets one of the deployment's, or none: not another account's with a new secret.
	for _, name := range []string{"tenant-user", "tenant-root"} {
		before, err := s.svc.Secret(name)
		if err != nil {
			t.Fatal(err)
		}
		s.want(request{as: "objroot", method: put, path: "add-user", query: "accessKey=" + name, body: `{"secretKey":"a long secret","status":"enabled"}`}, 403, "in another account")
		if after, err := s.svc.Secret(name); err != nil || after != before {
			t.Errorf("%s has another secret: %v", name, err)
		}
	}
}

// alpha makes the account 222222222222 with its root alpha-root and the administrator alpha-admin.
func (s *server) alpha() {
	s.t.Helper()
	if _, _, err := s.svc.CreateAccount(s.t.Context(), iam.NewAccount{ID: "222222222222", Name: "alpha", Root: "alpha-root", Secret: secret}); err != nil {
		s.t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(s.t.Context(), iam.NewUser{Name: "alpha-admin", Secret: secret, Account: "222222222222", Policies: []string{"consoleAdmin"}}); err != nil {
		s.t.Fatal(err)
	}
}

// TestAccountMatrix is S-229 and S-231 across accounts: every row, about the user victim of the deployment, for the root of an account
// and for a user of it with every policy. What is the deployment's is refused by its action's name; of the rest nothing of
// the victim is seen or changed.
func TestAccountMatrix(t *testing.T) {
	s := newServer(t)
	s.user("victim", "admin:ServerInfo")
	s.key("victim", "")
	if err := s.svc.AddMembers(t.Context(), "victims", "victim"); err != nil {
		t.Fatal(err)
	}
	s.alpha()
	state := func() string {
		b, err := json.Marshal([]any{s.svc.Users(), s.svc.Groups(), s.svc.Policies(), s.svc.AccessKeys("")})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	own, before := iam.AccountActions(), state()
	for i := range s.rows {
		rt := &s.rows[i]
		foreign := slices.ContainsFunc(rt.rule.actions, func(a string) bool { return !slices.Contains(own, a) })
		for _, as := range []string{"alpha-root", "alpha-admin"} {
			got, body := s.answers(rt, as)
			switch {
			case foreign && !rt.rule.own && (got != http.StatusForbidden || !strings.Contains(body, "administrators of the deployment")):
				t.Errorf("%s %s?%s as %s: %d %s", rt.method, rt.path, rt.query, as, got, body)
			case !foreign && got == http.StatusOK && strings.Contains(body, "victim") && !strings.Contains(rt.path, "canned-polic"):
				t.Errorf("%s %s?%s as %s shows the victim: %s", rt.method, rt.path, rt.query, as, body)
			}
			if after := state(); after != before {
				t.Fatalf("%s %s?%s as %s has an effect: %s", rt.method, rt.path, rt.query, as, after)
			}
		}
	}
}

// TestAccountRootAdministers has the root of an account do with mc's requests what an administrator does, in its account.
func TestAccountRootAdministers(t *testing.T) {
	s := newServer(t)
	s.user("local")
	s.alpha()
	as := func(method, path, query, body string, status int, part string) {
		t.Helper()
		s.want(request{"alpha-root", method, path, query, body}, status, part)
	}
	as(put, "add-user", "accessKey=worker", `{"secretKey":"a long secret","status":"enabled"}`, 200, "")
	if u, err := s.svc.User("worker"); err != nil || u.Account != "222222222222" {
		t.Fatalf("%+v %v", u, err)
	}
	as(put, "add-canned-policy", "name=mine", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`, 200, "")
	as(put, "add-canned-policy", "name=readonly", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, 400, "XMinioAdminInvalidArgument")
	as(get, "list-canned-policies", "", "", 200, `"mine":`)
	as(get, "info-canned-policy", "name=mine&v=2", "", 200, `"PolicyName":"mine"`)
	if body := s.want(request{as: "objroot", method: get, path: "list-canned-policies"}, 200, "readonly"); strings.Contains(body, "mine") {
		t.Error(body)
	}
	as(post, "idp/builtin/policy/attach", "", `{"policies":["readwrite","mine"],"user":"worker"}`, 200, "readwrite")
	as(post, "idp/builtin/policy/attach", "", `{"policies":["mine"],"user":"worker"}`, 400, "XMinioAdminPolicyChangeAlreadyApplied")
	as(remove, "remove-canned-policy", "name=mine", "", 400, "XMinioIAMPolicyInUse")
	as(get, "user-info", "accessKey=worker", "", 200, `"mine,readwrite"`)
	as(post, "idp/builtin/policy/detach", "", `{"policies":["mine"],"user":"worker"}`, 200, "mine")
	as(remove, "remove-canned-policy", "name=mine", "", 200, "")
	as(get, "list-users", "", "", 200, "worker")
	as(put, "set-user-status", "accessKey=worker&status=disabled", "", 200, "")
	as(put, "set-user-status", "accessKey=worker&status=enabled", "", 200, "")
	as(put, "update-group-members", "", `{"group":"team","members":["worker"]}`, 200, "")
	if g, err := s.svc.Group("team"); err != nil || g.Account != "222222222222" {
		t.Fatalf("%+v %v", g, err)
	}
	as(get, "groups", "", "", 200, `["team"]`)
	s.want(request{as: "objroot", method: get, path: "groups"}, 200, `[]`)
	as(put, "add-service-account", "", `{"targetUser":"worker","accessKey":"WORKERKEY","secretKey":"a long secret"}`, 200, "WORKERKEY")
	as(get, "list-service-accounts", "user=worker", "", 200, "WORKERKEY")
	as(put, "add-service-account", "", `{"accessKey":"ROOTSKEY","secretKey":"a long secret"}`, 200, "ROOTSKEY")
	as(get, "info-service-account", "accessKey=ROOTSKEY", "", 200, "admin:CreateUser")
	as(get, "accountinfo", "", "", 200, `"AccountName":"alpha-root"`)
	as(get, "idp/builtin/policy-entities", "", "", 200, "worker")
	// What is another's is not there, and names that are taken are taken.
	as(get, "user-info", "accessKey=local", "", 404, "XMinioAdminNoSuchUser")
	as(remove, "remove-user", "accessKey=local", "", 404, "XMinioAdminNoSuchUser")
	as(put, "add-user", "accessKey=local", `{"secretKey":"a long secret","status":"enabled"}`, 403, "XMinioInvalidIAMCredentials")
	as(put, "add-user", "accessKey=objroot", `{"secretKey":"a long secret","status":"enabled"}`, 403, "XMinioInvalidIAMCredentials")
	as(put, "add-service-account", "", `{"targetUser":"objroot"}`, 404, "XMinioAdminNoSuchUser")
	as(put, "add-service-account", "", `{"targetUser":"local"}`, 404, "XMinioAdminNoSuchUser")
	as(put, "update-group-members", "", `{"group":"team","members":["local"]}`, 404, "XMinioAdminNoSuchUser")
	as(post, "idp/ldap/policy/attach", "", `{"policies":["consoleAdmin"],"user":"cn=ann,dc=test"}`, 403, "AccessDenied")
	as(post, "idp/ldap/policy/attach", "", `{"policies":["consoleAdmin"],"group":"cn=crew,dc=test"}`, 403, "AccessDenied")
	as(put, "import-iam", "", "x", 403, "admin:ImportIAM")
	as(get, "info", "", "", 403, "admin:ServerInfo")
	// What is its root's is its root's.
	s.want(request{"alpha-admin", put, "add-service-account", "", `{"targetUser":"alpha-root"}`}, 403, "AccessDenied")
	s.want(request{"alpha-admin", put, "add-user", "accessKey=alpha-root", `{"secretKey":"a long secret","status":"enabled"}`}, 403, "XMinioInvalidIAMCredentials")
	s.want(request{"alpha-admin", remove, "delete-service-account", "accessKey=ROOTSKEY", ""}, 403, "AccessDenied")
	s.want(request{"alpha-admin", get, "info-service-account", "accessKey=ROOTSKEY", ""}, 403, "AccessDenied")
	as(put, "add-user", "accessKey=alpha-root", `{"secretKey":"a longer secret","status":"enabled"}`, 200, "")
	if c, err := s.svc.Credential("alpha-root", ""); err != nil || c.Secret != "a longer secret" {
		t.Errorf("the root's secret stays: %v", err)
	}
}
