package madmin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// narrow is a policy of a key that allows little.
const narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

// TestOwnAccount: everybody changes his own secret, looks at himself, and makes, lists, shows and
// deletes his own access keys, without a policy that says so; a Deny takes it away.
func TestOwnAccount(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	s.want(request{as: "alice", method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"another secret of hers","status":"enabled"}`}, 200, "")
	s.secrets["alice"] = "another secret of hers"
	s.want(request{as: "alice", method: get, path: "user-info", query: "accessKey=alice"}, 200, `"status":"enabled"`)
	body := s.want(request{as: "alice", method: put, path: "add-service-account", body: `{"name":"one","description":"for scripts"}`}, 200, "secretKey")
	var made newKeyAnswer
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	key := made.Credentials.AccessKey
	s.secrets[key] = made.Credentials.SecretKey
	if _, err := s.svc.Credential(key, ""); err != nil {
		t.Fatal(err)
	}
	for _, as := range []string{"alice", key} { // a key without restrictions is its user
		s.want(request{as: as, method: get, path: "list-service-accounts"}, 200, key)
		s.want(request{as: as, method: get, path: "list-service-accounts", query: "user=alice"}, 200, `"name":"one"`)
		s.want(request{as: as, method: get, path: "list-access-keys-bulk", query: "listType=all"}, 200, key)
		s.want(request{as: as, method: get, path: "list-access-keys-bulk", query: "listType=svcacc-only&users=alice"}, 200, key)
		s.want(request{as: as, method: get, path: "info-service-account", query: "accessKey=" + key}, 200, `"impliedPolicy":true`)
		s.want(request{as: as, method: get, path: "info-access-key", query: "accessKey=" + key}, 200, `"userType":"Service Account"`)
	}
	s.want(request{as: "alice", method: remove, path: "delete-service-account", query: "accessKey=" + key}, 204, "")

	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"admin:*"}]}`
	if _, err := s.svc.SetPolicy(t.Context(), "noadmin", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	s.attach("alice", "noadmin")
	key = s.key("alice", "")
	for _, q := range []request{
		{method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"yet another secret","status":"enabled"}`},
		{method: get, path: "user-info", query: "accessKey=alice"},
		{method: put, path: "add-service-account", body: `{}`},
		{method: get, path: "list-service-accounts"},
		{method: get, path: "list-access-keys-bulk", query: "listType=all"},
		{method: get, path: "info-service-account", query: "accessKey=" + key},
		{method: remove, path: "delete-service-account", query: "accessKey=" + key},
		{method: post, path: "revoke-tokens/builtin", query: "fullRevoke=true"},
	} {
		q.as = "alice"
		s.want(q, 403, "AccessDenied")
	}
}

// TestOwnSecretOnly is S-013: whoever changes his own secret changes nothing else.
func TestOwnSecretOnly(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	for _, extra := range []string{`"policy":"consoleAdmin"`, `"policyName":"consoleAdmin"`, `"memberOf":["admins"]`, `"Policy":"consoleAdmin"`, `"secretKey":"twice in one body"`} {
		s.want(request{as: "alice", method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"another secret of hers","status":"enabled",` + extra + `}`}, 400, "")
	}
	s.want(request{as: "alice", method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"another secret of hers","status":"disabled"}`}, 400, "")
	u, err := s.svc.User("alice")
	if err != nil || len(u.Policies)+len(u.Groups) > 0 || !u.Enabled {
		t.Errorf("%+v %v", u, err)
	}
	if c, err := s.svc.Credential("alice", ""); err != nil || c.Secret != secret {
		t.Error("a refused change has changed the secret")
	}
}

// ownRows has one request about the user victim for each row that is open to everybody for what
// is his own.
func ownRows(key, session string) []request {
	return []request{
		{method: put, path: "add-user", query: "accessKey=victim", body: `{"secretKey":"a secret of mallory","status":"enabled"}`},
		{method: get, path: "user-info", query: "accessKey=victim"},
		{method: put, path: "add-service-account", body: `{"targetUser":"victim"}`},
		{method: put, path: "idp/ldap/add-service-account", body: `{"targetUser":"cn=victim"}`},
		{method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newStatus":"off"}`},
		{method: get, path: "info-service-account", query: "accessKey=" + key},
		{method: get, path: "list-service-accounts", query: "user=victim"},
		{method: get, path: "info-access-key", query: "accessKey=" + key},
		{method: get, path: "info-access-key", query: "accessKey=" + session},
		{method: get, path: "list-access-keys-bulk", query: "listType=all&users=victim"},
		{method: get, path: "idp/ldap/list-access-keys", query: "listType=all&userDN=cn%3Dvictim"},
		{method: get, path: "idp/ldap/list-access-keys-bulk", query: "listType=all&userDNs=cn%3Dvictim"},
		{method: get, path: "idp/openid/list-access-keys-bulk", query: "listType=all&users=victim"},
		{method: post, path: "revoke-tokens/builtin", query: "user=victim&fullRevoke=true"},
		{method: remove, path: "delete-service-account", query: "accessKey=" + key},
	}
}

// rowOf returns the row of a request.
func (s *server) rowOf(q request) *route {
	for i := range s.rows {
		rt := &s.rows[i]
		if _, ok := match(rt.path, "admin/v3/"+q.path); ok && rt.method == q.method && rt.rule.own {
			return rt
		}
	}
	s.t.Fatalf("no row for %v", q)
	return nil
}

// TestOwnMatrix is S-075, S-229, S-014, S-084 and S-149 for the rows that are open to everybody
// for what is his own: for another's they need their action, exactly.
func TestOwnMatrix(t *testing.T) {
	s := newServer(t)
	s.user("plain")
	covered := map[string]bool{}
	for i, q := range ownRows("KEYOFVICTIM", "x") {
		rt := s.rowOf(q)
		covered[rt.op] = true
		s.user("victim")
		for _, name := range []string{"ldap:cn=victim"} {
			if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		key := s.key("victim", "")
		q = ownRows(key, s.session("victim", "", "app"))[i]
		exact := "exact-" + rt.op
		if _, err := s.svc.User(exact); err != nil {
			s.user(exact, rt.rule.actions...)
			var others []string
			for _, a := range allActions() {
				if !has(rt.rule.actions, a) {
					others = append(others, a)
				}
			}
			s.user("other-"+rt.op, others...)
		}
		for _, as := range []string{"plain", s.key("plain", ""), s.session("plain", "", ""), "other-" + rt.op} {
			q.as = as
			s.want(q, 403, "AccessDenied")
		}
		if c, err := s.svc.Credential("victim", ""); err != nil || c.Secret != secret {
			t.Fatal("a refused request has changed something")
		}
		q.as = exact
		if got, body := s.send(q); got != 200 && got != 204 {
			t.Errorf("%s %s?%s with its action: %d %s", q.method, q.path, q.query, got, body)
		}
		for _, name := range []string{"victim", "ldap:cn=victim"} {
			if err := s.svc.DeleteUser(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, rt := range s.rows {
		if rt.rule.own && rt.serve != nil && !covered[rt.op] && rt.op != "AccountInfo" {
			t.Errorf("no request for %s", rt.op)
		}
	}
}

// TestRootIsRoots is S-014, S-098 and S-084: nobody but root touches or looks at what is root's,
// not even with every action.
func TestRootIsRoots(t *testing.T) {
	s := newServer(t)
	s.user("admin", "admin:*")
	key, session := s.key("objroot", ""), s.session("objroot", "", "app")
	for _, as := range []string{"admin", s.key("admin", ""), s.session("admin", "", "")} {
		for _, q := range ownRows(key, session) {
			if strings.Contains(q.path, "idp/") {
				continue
			}
			q.as, q.query, q.body = as, strings.ReplaceAll(q.query, "victim", "objroot"), strings.ReplaceAll(q.body, "victim", "objroot")
			if q.path == "user-info" {
				s.want(q, 404, "XMinioAdminNoSuchUser") // root is no user
				continue
			}
			s.want(q, 403, "")
		}
		s.want(request{as: as, method: get, path: "temporary-account-info", query: "accessKey=" + session}, 403, "")
		body := s.want(request{as: as, method: get, path: "list-access-keys-bulk", query: "listType=all&all=true"}, 200, `"admin"`)
		if strings.Contains(body, "objroot") {
			t.Errorf("the list has root's: %s", body)
		}
	}
	if _, err := s.svc.AccessKey(key); err != nil {
		t.Error(err)
	}
	s.want(request{as: "objroot", method: get, path: "list-access-keys-bulk", query: "listType=all&all=true"}, 200, key)
	s.want(request{as: key, method: put, path: "add-service-account", body: `{"targetUser":"objroot"}`}, 200, "")
	narrowed := s.key("objroot", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["admin:UpdateServiceAccount","s3:*"],"Resource":"*"}]}`)
	s.want(request{as: narrowed, method: put, path: "add-service-account", body: `{}`}, 403, "")
	s.want(request{as: narrowed, method: post, path: "update-service-account", query: "accessKey=" + narrowed, body: `{"newPolicy":{}}`}, 403, "")
	s.want(request{as: "objroot", method: post, path: "update-service-account", query: "accessKey=" + narrowed, body: `{"newPolicy":{}}`}, 204, "")
}

// TestRootsName is S-018: nothing can be made under root's name in any spelling.
func TestRootsName(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"objroot", "OBJROOT", "ObjRoot", "objroot%20", "%20objroot", "objro%00ot", "obj%E2%80%8Broot"} {
		got, body := s.send(request{as: "objroot", method: put, path: "add-user", query: "accessKey=" + name, body: `{"secretKey":"a good secret","status":"enabled"}`})
		if got != 400 && got != 403 {
			t.Errorf("user %s: %d %s", name, got, body)
		}
	}
	for _, name := range []string{"objroot", "OBJROOT", "objroot "} {
		got, body := s.send(request{as: "objroot", method: put, path: "add-service-account", body: `{"accessKey":"` + name + `","secretKey":"a good secret"}`})
		if got != 400 && got != 403 {
			t.Errorf("key %s: %d %s", name, got, body)
		}
	}
	for _, q := range []request{
		{method: remove, path: "remove-user", query: "accessKey=objroot"},
		{method: put, path: "set-user-status", query: "accessKey=objroot&status=disabled"},
		{method: put, path: "set-user-or-group-policy", query: "policyName=readonly&userOrGroup=objroot&isGroup=false"},
		{method: post, path: "idp/builtin/policy/attach", body: `{"policies":["readonly"],"user":"objroot"}`},
		{method: put, path: "update-group-members", body: `{"group":"g","members":["objroot"],"isRemove":false}`},
	} {
		for _, as := range []string{"objroot", s.admin()} {
			q.as = as
			s.want(q, 403, "XMinioIAMActionNotAllowed")
		}
	}
	if _, err := s.svc.Credential("objroot", ""); err != nil {
		t.Error(err)
	}
}

func (s *server) attach(user, policy string) {
	s.t.Helper()
	if _, err := s.svc.AttachPolicy(s.t.Context(), user, policy); err != nil {
		s.t.Fatal(err)
	}
}

// admin returns a user who may do everything that a policy can allow.
func (s *server) admin() string {
	s.t.Helper()
	if _, err := s.svc.User("admin"); err != nil {
		s.user("admin", "admin:*")
	}
	return "admin"
}

// TestRestricted is S-022, S-027 and S-076: a credential with restrictions changes nothing of its
// user's and makes nothing better than itself, and no user rewrites the policy of a key of his.
func TestRestricted(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	s.attach("alice", "readwrite")
	sibling := s.key("alice", narrow)
	key := s.key("alice", narrow)
	for _, as := range []string{key, s.session("alice", narrow, "app"), s.session(key, "", "app")} {
		for _, q := range []request{
			{method: put, path: "add-service-account", body: `{}`},
			{method: put, path: "add-service-account", body: `{"targetUser":"alice"}`},
			{method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newPolicy":{}}`},
			{method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newSecretKey":"a better secret"}`},
			{method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newExpiration":"2090-01-01T00:00:00Z"}`},
			{method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newStatus":"on"}`},
			{method: remove, path: "delete-service-account", query: "accessKey=" + sibling},
			{method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"a secret of mallory","status":"enabled"}`},
			{method: post, path: "revoke-tokens/builtin", query: "fullRevoke=true"},
		} {
			q.as = as
			s.want(q, 403, "AccessDenied")
		}
	}
	// With the action, too, it changes none of its user's keys; the user needs the action as well.
	s.user("bob", "admin:*")
	s.attach("bob", "readwrite")
	key = s.key("bob", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:*"}]}`)
	s.want(request{as: key, method: post, path: "update-service-account", query: "accessKey=" + key, body: `{"newPolicy":{}}`}, 403, "")
	s.want(request{as: key, method: put, path: "add-user", query: "accessKey=bob", body: `{"secretKey":"a secret of mallory","status":"enabled"}`}, 403, "")
	s.want(request{as: "alice", method: post, path: "update-service-account", query: "accessKey=" + sibling, body: `{"newPolicy":{}}`}, 403, "")
	// What it may make is bounded by what bounds it.
	body := s.want(request{as: key, method: put, path: "add-service-account", body: `{}`}, 200, "")
	var made newKeyAnswer
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	child, err := s.svc.Credential(made.Credentials.AccessKey, "")
	if err != nil {
		t.Fatal(err)
	}
	if s.svc.Authorize(&iam.Request{Identity: child.Identity, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed {
		t.Error("a key may what the one that made it may not")
	}
}

// TestUnrestrictedKeyIsNoPassword: a key without restrictions of its own still does not set the
// secret of its user, by which it would outlive its own end.
func TestUnrestrictedKeyIsNoPassword(t *testing.T) {
	s := newServer(t)
	s.user("bob", "admin:*")
	for _, as := range []string{s.key("bob", ""), s.session("bob", "", "")} {
		s.want(request{as: as, method: put, path: "add-user", query: "accessKey=bob", body: `{"secretKey":"a secret of mallory","status":"enabled"}`}, 403, "")
	}
}

// TestGroupActions: adding to a group and taking out of it need their own actions.
func TestGroupActions(t *testing.T) {
	s := newServer(t)
	s.user("alice")
	s.user("adder", "admin:AddUserToGroup")
	s.user("remover", "admin:RemoveUserFromGroup")
	add, out := `{"group":"devs","members":["alice"],"isRemove":false}`, `{"group":"devs","members":["alice"],"isRemove":true}`
	row := func(as, body string, status int) {
		t.Helper()
		s.want(request{as: as, method: put, path: "update-group-members", body: body}, status, "")
	}
	row("remover", add, 403)
	row("adder", add, 200)
	row("adder", out, 403)
	row("remover", out, 200)
	row("adder", `{"group":"devs","members":[],"isRemove":true}`, 403)
	row("remover", `{"group":"devs","members":[],"isRemove":true}`, 200)
}

// TestOtherIDs is S-149: of two ids in one request none is taken.
func TestOtherIDs(t *testing.T) {
	s := newServer(t)
	s.user("mallory")
	s.user("alice")
	body := `{"secretKey":"a secret of mallory","status":"enabled"}`
	for _, q := range []request{
		{query: "accessKey=mallory&accessKey=alice", body: body},
		{query: "accessKey=alice&accessKey=mallory", body: body},
		{query: "accessKey=mallory&accesskey=alice", body: body},
		{query: "accessKey=mallory&user=alice", body: body},
		{query: "accessKey=mallory", body: `{"secretKey":"a secret of mallory","status":"enabled","accessKey":"alice"}`},
		{query: "accessKey=alice", body: body},
	} {
		q.as, q.method, q.path = "mallory", put, "add-user"
		if got, answer := s.send(q); got != http.StatusBadRequest && got != http.StatusForbidden {
			t.Errorf("%s: %d %s", q.query, got, answer)
		}
	}
	for _, name := range []string{"alice", "mallory"} {
		if c, err := s.svc.Credential(name, ""); err != nil || c.Secret != secret {
			t.Errorf("the secret of %s was changed", name)
		}
	}
}

// TestAddUserState is S-042 for add-user, which sets the state as well: what enables or disables a
// user who is there needs the action for that.
func TestAddUserState(t *testing.T) {
	s := newServer(t)
	s.user("maker", "admin:CreateUser")
	s.user("enabler", "admin:CreateUser", "admin:EnableUser")
	s.user("alice")
	add := func(as, state string, status int) {
		t.Helper()
		s.want(request{as: as, method: put, path: "add-user", query: "accessKey=alice", body: `{"secretKey":"a secret for alice","status":"` + state + `"}`}, status, "")
	}
	add("maker", "enabled", 200)
	add("maker", "disabled", 403)
	add("enabler", "disabled", 403)
	if _, err := s.svc.SetStatus(t.Context(), "alice", false); err != nil {
		t.Fatal(err)
	}
	add("maker", "enabled", 403)
	add("maker", "disabled", 200)
	add("enabler", "enabled", 200)
	s.want(request{as: "maker", method: put, path: "add-user", query: "accessKey=newcomer", body: `{"secretKey":"a secret of his","status":"disabled"}`}, 200, "")
}
