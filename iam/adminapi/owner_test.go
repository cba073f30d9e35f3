package adminapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// ownRequests has a request for each route that needs no action for the caller's own
// credentials. The caller is mallory, with the service key OWNKEY and the session SESSION.
func ownRequests() []request {
	return []request{
		{"GET", "keys", "", []string{ActionListKeys}, 200},
		{"GET", "keys?user=mallory", "", []string{ActionListKeys}, 200},
		{"GET", "keys/OWNKEY", "", []string{ActionListKeys}, 200},
		{"GET", "keys/mallory", "", []string{ActionListKeys}, 200},
		{"POST", "keys", ``, []string{ActionCreateKey}, 201},
		{"POST", "keys", `{"parent":"mallory","accessKey":"CHILD","policy":` + readPolicy + `}`, []string{ActionCreateKey}, 201},
		{"PATCH", "keys/OWNKEY", `{"enabled":false}`, []string{ActionUpdateKey}, 200},
		{"PATCH", "keys/OWNKEY", `{"secret":"another secret","name":"n","description":"d","expires":""}`, []string{ActionUpdateKey}, 200},
		{"PATCH", "keys/mallory", `{"secret":"another secret"}`, []string{ActionUpdateKey}, 200},
		{"PATCH", "keys/mallory", `{"secret":"another secret"}`, []string{ActionCreateUser}, 200},
		{"DELETE", "keys/OWNKEY", "", []string{ActionRemoveKey}, 204},
		{"GET", "sessions", "", []string{ActionListSessions}, 200},
		{"DELETE", "sessions/SESSION", "", []string{ActionRemoveKey}, 204},
		{"POST", "sessions/revoke", `{}`, []string{ActionRemoveKey}, 200},
	}
}

// TestOwnCredentials: a user needs no action for its own credentials, a Deny counts, and a
// restricted credential of the user changes none of them, whatever it may do otherwise: S-022,
// S-027, S-076.
func TestOwnCredentials(t *testing.T) {
	covered := map[string]bool{}
	for _, req := range ownRequests() {
		rt := routeOf(t, req.method, req.path)
		covered[rt.method+" "+rt.pattern] = true
		change := req.method != "GET"
		everything := []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		for _, tt := range []struct {
			name    string
			deny    bool // the user has a Deny of the action, else a policy that allows everything
			policy  []byte
			derived bool // by a service key and by a session, else by the user's own key
			allowed bool
		}{
			{"own key", false, nil, false, true},
			{"unrestricted", false, nil, true, true},
			{"restricted", false, []byte(readPolicy), true, false},
			{"restricted to everything", false, everything, true, !change},
			{"own key, denied", true, nil, false, false},
			{"unrestricted, denied", true, nil, true, false},
			{"restricted to everything, denied", true, everything, true, false},
		} {
			try := func(how string, as func(s *server) string) {
				t.Run(strings.Join([]string{req.method, req.path, req.body, tt.name, how}, " "), func(t *testing.T) {
					s := newServer(t)
					s.userWith(t, "mallory", map[bool]string{true: "Deny", false: "Allow"}[tt.deny],
						map[bool][]string{true: req.actions, false: {"admin:*", "s3:*"}}[tt.deny]...)
					s.key(t, "OWNKEY", "mallory", nil)
					path := strings.Replace(req.path, "SESSION", s.session(t, "mallory", nil), 1)
					who := as(s)
					if !tt.allowed {
						s.refused(t, who, req.method, path, req.body)
						return
					}
					if w := s.send(who, req.method, path, req.body); w.Code != req.status {
						t.Errorf("%d %s, want %d", w.Code, w.Body, req.status)
					}
				})
			}
			if !tt.derived {
				try("", func(*server) string { return "mallory" })
				continue
			}
			try("service key", func(s *server) string { return s.key(t, "DERIVED", "mallory", tt.policy) })
			try("session", func(s *server) string { return s.session(t, "mallory", tt.policy) })
		}
	}
	for _, rt := range routes() {
		if key := rt.method + " " + rt.pattern; rt.gate == perOwner && !covered[key] {
			t.Errorf("route %s is not tried for the caller's own", key)
		}
	}
}

// TestOwnWithoutRights is the positive twin of S-014 and S-149: a user without any policy
// manages its own credentials.
func TestOwnWithoutRights(t *testing.T) {
	for _, req := range ownRequests() {
		s := newServer(t)
		s.user(t, "mallory")
		s.key(t, "OWNKEY", "mallory", nil)
		path := strings.Replace(req.path, "SESSION", s.session(t, "mallory", nil), 1)
		if w := s.send("mallory", req.method, path, req.body); w.Code != req.status {
			t.Errorf("%s %s %s: %d %s, want %d", req.method, req.path, req.body, w.Code, w.Body, req.status)
		}
	}
}

// TestSessionEndsItself: even one that is restricted, and no other.
func TestSessionEndsItself(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	mine := s.session(t, "alice", []byte(readPolicy))
	other := s.session(t, "alice", nil)
	s.refused(t, mine, "DELETE", "sessions/"+other, "")
	s.done(t, mine, "DELETE", "sessions/"+mine, "")
	if w := s.send(mine, "GET", "whoami", ""); w.Code != 403 {
		t.Errorf("a session that has ended itself: %d", w.Code)
	}
	s.done(t, other, "GET", "whoami", "")
}

// TestForeignCredentials is S-014, S-022, S-084, S-098 and S-149: what a user may not do with
// the credentials of others, by path, by query, by body, and by two of them at once.
func TestForeignCredentials(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.user(t, "mallory")
	s.user(t, "creator", ActionCreateKey)
	s.user(t, "updater", ActionUpdateKey)
	s.user(t, "lister", ActionListKeys, ActionListSessions)
	s.user(t, "remover", ActionRemoveKey)
	s.key(t, "ALICEKEY", "alice", []byte(readPolicy))
	s.key(t, "MALLORYKEY", "mallory", []byte(readPolicy))
	s.key(t, "ROOTKEY", root, nil)
	alice, ofRoot := s.session(t, "alice", nil), s.session(t, root, nil)

	for _, tt := range []struct{ who, method, path, body string }{
		// S-014: a plain user, for root and for another.
		{"mallory", "POST", "keys", `{"parent":"objroot"}`},
		{"mallory", "POST", "keys", `{"parent":"alice"}`},
		{"mallory", "POST", "keys", `{"parent":"nobody-at-all"}`},
		// S-098: the action makes nobody root.
		{"creator", "POST", "keys", `{"parent":"objroot"}`},
		{"creator", "POST", "keys", `{"parent":"objroot","policy":` + readPolicy + `}`},
		// S-149: another's secret, with the own name in another place.
		{"mallory", "PATCH", "users/alice", `{"secret":"mallory knows it"}`},
		{"mallory", "PATCH", "keys/alice", `{"secret":"mallory knows it"}`},
		{"mallory", "PATCH", "keys/ALICEKEY", `{"secret":"mallory knows it"}`},
		{"mallory", "DELETE", "keys/ALICEKEY", ``},
		{"mallory", "DELETE", "sessions/" + alice, ``},
		{"mallory", "POST", "sessions/revoke", `{"user":"alice"}`},
		{"mallory", "GET", "keys?user=alice", ``},
		{"mallory", "GET", "keys?all=true", ``},
		{"mallory", "GET", "sessions?user=alice", ``},
		{"mallory", "GET", "keys/ALICEKEY", ``},
		// S-022: the policy of one's own key is not one's own to change.
		{"mallory", "PATCH", "keys/MALLORYKEY", `{"policy":null}`},
		{"mallory", "PATCH", "keys/MALLORYKEY", `{"policy":` + readPolicy + `}`},
		{"MALLORYKEY", "PATCH", "keys/MALLORYKEY", `{"policy":null}`},
		{"MALLORYKEY", "PATCH", "keys/MALLORYKEY", `{"secret":"another secret"}`},
		{"MALLORYKEY", "PATCH", "keys/MALLORYKEY", `{"expires":""}`},
		{"MALLORYKEY", "PATCH", "keys/MALLORYKEY", `{"enabled":true}`},
		{"MALLORYKEY", "PATCH", "keys/mallory", `{"secret":"another secret"}`},
		{"MALLORYKEY", "POST", "keys", ``},
		// S-084: each action is itself only, and none is for root's.
		{"updater", "GET", "keys?user=alice", ``},
		{"updater", "GET", "keys?all=true", ``},
		{"updater", "GET", "keys/ALICEKEY", ``},
		{"updater", "DELETE", "keys/ALICEKEY", ``},
		{"lister", "PATCH", "keys/ALICEKEY", `{"enabled":false}`},
		{"lister", "DELETE", "keys/ALICEKEY", ``},
		{"lister", "DELETE", "sessions/" + alice, ``},
		{"updater", "PATCH", "keys/ROOTKEY", `{"secret":"another secret"}`},
		{"lister", "GET", "keys/ROOTKEY", ``},
		{"lister", "GET", "keys?user=objroot", ``},
		{"lister", "GET", "sessions?user=objroot", ``},
		{"remover", "DELETE", "keys/ROOTKEY", ``},
		{"remover", "DELETE", "sessions/" + ofRoot, ``},
		{"remover", "POST", "sessions/revoke", `{"user":"objroot"}`},
	} {
		s.refused(t, tt.who, tt.method, tt.path, tt.body)
	}

	// Two names in one request are refused as they are, before either is looked at.
	for _, path := range []string{"keys?user=mallory&user=alice", "keys?user=mallory&all=true", "sessions?user=mallory&user=alice"} {
		if w := s.send("mallory", "GET", path, ""); w.Code != 400 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := s.send("mallory", "POST", "keys", `{"parent":"mallory","parent":"alice"}`); w.Code != 400 {
		t.Errorf("two parents: %d %s", w.Code, w.Body)
	}

	// The twins: what the actions are for works, and a list has none of root's.
	var keys KeyList
	decodeAnswer(t, s.send("lister", "GET", "keys?all=true", ""), 200, &keys)
	if len(keys.Keys) != 8 {
		t.Errorf("%d keys in %+v", len(keys.Keys), keys)
	}
	var sessions SessionList
	decodeAnswer(t, s.send("lister", "GET", "sessions?all=true", ""), 200, &sessions)
	if len(sessions.Sessions) != 1 || sessions.Sessions[0].AccessKey != alice {
		t.Errorf("sessions %+v", sessions)
	}
	decodeAnswer(t, s.send(root, "GET", "keys?all=true", ""), 200, &keys)
	if len(keys.Keys) != 9 {
		t.Errorf("%d keys in %+v", len(keys.Keys), keys)
	}
	s.done(t, "updater", "PATCH", "keys/ALICEKEY", `{"policy":null}`)
	s.done(t, "creator", "POST", "keys", `{"parent":"alice","accessKey":"SECOND"}`)
	s.done(t, "remover", "DELETE", "keys/SECOND", "")
	s.done(t, root, "PATCH", "keys/ROOTKEY", `{"enabled":false}`)
	s.done(t, root, "POST", "keys", `{"accessKey":"ROOTAGAIN"}`)
}

// TestOwnKeyOfOthers: the first key of a user is changed where the user is, by the actions of users.
func TestOwnKeyOfOthers(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.user(t, "updater", ActionUpdateKey, ActionRemoveKey)
	for _, tt := range []struct{ who, method, path, body string }{
		{"updater", "PATCH", "keys/alice", `{"secret":"another secret"}`},
		{"updater", "PATCH", "keys/alice", `{"enabled":false}`},
		{root, "PATCH", "keys/alice", `{"enabled":false}`},
		{"alice", "PATCH", "keys/alice", `{"enabled":false}`},
		{"updater", "DELETE", "keys/alice", ``},
		{"alice", "DELETE", "keys/alice", ``},
		{root, "DELETE", "keys/alice", ``},
	} {
		before := s.state(t)
		w := s.send(tt.who, tt.method, tt.path, tt.body)
		if w.Code != 400 || s.state(t) != before {
			t.Errorf("%+v: %d %s", tt, w.Code, w.Body)
		}
	}
}

// TestChildOfRestricted is S-027: what a restricted credential makes for another is bounded as
// it is itself.
func TestChildOfRestricted(t *testing.T) {
	s := newServer(t)
	s.user(t, "admin", "admin:*", "s3:*")
	s.user(t, "alice", "s3:*")
	bounded := policyOf(t, "Allow", ActionCreateKey, "s3:GetObject")
	for i, maker := range []string{s.key(t, "MAKER", "admin", bounded), s.session(t, "admin", bounded), s.key(t, "ROOTMAKER", root, bounded)} {
		var made CreatedKey
		decodeAnswer(t, s.send(maker, "POST", "keys", `{"parent":"alice"}`), 201, &made)
		c, err := s.svc.Credential(made.AccessKey.AccessKey, "")
		if err != nil {
			t.Fatal(err)
		}
		for action, want := range map[string]bool{"s3:GetObject": true, "s3:PutObject": false} {
			if got := s.svc.Authorize(&iam.Request{Identity: c.Identity, Action: action, Bucket: "b", Key: "k"}); got.Allowed != want {
				t.Errorf("maker %d: %s: %+v", i, action, got)
			}
		}
	}
}

// TestOwnUserOfRestricted is S-022: a restricted credential sets no secret of its own user, whatever
// else it may do.
func TestOwnUserOfRestricted(t *testing.T) {
	s := newServer(t)
	s.user(t, "admin", "admin:*")
	bounded := policyOf(t, "Allow", ActionCreateUser, ActionListUsers)
	for _, who := range []string{s.key(t, "BOUNDED", "admin", bounded), s.session(t, "admin", bounded)} {
		s.done(t, who, "GET", "users", "")
		s.refused(t, who, "PATCH", "users/admin", `{"secret":"another secret"}`)
	}
	s.done(t, "admin", "PATCH", "users/admin", `{"secret":"another secret"}`)
}

// TestLifetime: policies bound how long keys live by svc:DurationSeconds.
func TestLifetime(t *testing.T) {
	s := newServer(t)
	deny := `{"Statement":[{"Effect":"Deny","Action":"admin:*ServiceAccount","Condition":{"NumericGreaterThan":{"svc:DurationSeconds":"3600"}}},
		{"Effect":"Deny","Action":"admin:CreateServiceAccount","Condition":{"Null":{"svc:DurationSeconds":"true"}}}]}`
	if _, err := s.svc.SetPolicy(t.Context(), "short", []byte(deny)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "alice", Secret: secret, Policies: []string{"short"}}); err != nil {
		t.Fatal(err)
	}
	in := func(d time.Duration) string { return `"expires":"` + time.Now().Add(d).Format(time.RFC3339) + `"` }
	s.refused(t, "alice", "POST", "keys", `{}`)
	s.refused(t, "alice", "POST", "keys", `{`+in(2*time.Hour)+`}`)
	s.done(t, "alice", "POST", "keys", `{"accessKey":"SHORT",`+in(30*time.Minute)+`}`)
	s.refused(t, "alice", "PATCH", "keys/SHORT", `{`+in(2*time.Hour)+`}`)
	s.done(t, "alice", "PATCH", "keys/SHORT", `{`+in(time.Minute)+`}`)
}

// TestOwnInOtherAccount: one's own credentials are one's own in every account.
func TestOwnInOtherAccount(t *testing.T) {
	s := newServer(t)
	s.done(t, root, "PUT", "accounts/guests", `{"id":"222222222222","root":"guests-root"}`)
	for name, policies := range map[string][]string{"guest": nil, "guest-admin": {"consoleAdmin"}} {
		if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: name, Secret: secret, Account: "222222222222", Policies: policies}); err != nil {
			t.Fatal(err)
		}
		s.done(t, name, "GET", "keys", "")
		s.done(t, name, "POST", "keys", "")
		s.refused(t, name, "GET", "server", "")
	}
}

// TestSecretOnce: a secret is in the answer of its creation and in no other.
func TestSecretOnce(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	var made CreatedKey
	decodeAnswer(t, s.send(root, "POST", "keys", `{"parent":"alice","accessKey":"AK1","name":"n","expires":"2099-01-31T00:00:00+01:00"}`), 201, &made)
	c, err := s.svc.Credential("AK1", "")
	if err != nil || made.Secret != c.Secret || len(made.Secret) < 32 {
		t.Fatalf("%+v, %v", made, err)
	}
	if made.Expires == nil || made.Expires.Format("2006-01-02T15:04:05Z07:00") != "2099-01-30T23:00:00Z" {
		t.Errorf("expires %v", made.Expires)
	}
	var chosen CreatedKey
	decodeAnswer(t, s.send(root, "POST", "keys", `{"parent":"alice","secret":"chosen by hand"}`), 201, &chosen)
	if chosen.Secret != "chosen by hand" || !strings.HasPrefix(chosen.AccessKey.AccessKey, "AKIA") {
		t.Errorf("%+v", chosen)
	}
	session := s.session(t, "alice", nil)
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "keys/AK1", ""}, {"GET", "keys?all=true", ""}, {"GET", "keys?user=alice", ""}, {"PATCH", "keys/AK1", `{"name":"m"}`},
		{"GET", "users", ""}, {"GET", "users/alice", ""}, {"PATCH", "users/alice", `{"enabled":true}`},
		{"GET", "sessions?all=true", ""}, {"PATCH", "keys/AK1", `{"secret":"a third secret"}`},
	} {
		body := s.done(t, root, tt.method, tt.path, tt.body)
		for _, hidden := range []string{made.Secret, "chosen by hand", "a third secret", secret, s.tokens[session]} {
			if strings.Contains(body, hidden) {
				t.Errorf("%s %s shows a secret: %s", tt.method, tt.path, body)
			}
		}
	}
}

// TestKeyLife: every member of a change is stored, and an update changes what it names only.
func TestKeyLife(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.done(t, root, "POST", "keys", `{"parent":"alice","accessKey":"AK1","secret":"first secret","name":"n","description":"d","policy":`+readPolicy+`,"expires":"2099-01-01T00:00:00Z","disabled":true}`)
	check := func(change, want string) {
		t.Helper()
		if change != "" {
			s.done(t, root, "PATCH", "keys/AK1", change)
		}
		var k iam.AccessKey
		decodeAnswer(t, s.send(root, "GET", "keys/AK1", ""), 200, &k)
		expires := "never"
		if k.Expires != nil {
			expires = k.Expires.Format("2006")
		}
		got, err := json.Marshal([]any{k.Enabled, k.Name, k.Description, string(k.Policy), expires, k.Parent})
		if err != nil || string(got) != want {
			t.Errorf("after %s: %s, want %s", change, got, want)
		}
	}
	quoted, err := json.Marshal(readPolicy)
	if err != nil {
		t.Fatal(err)
	}
	p := string(quoted)
	check("", `[false,"n","d",`+p+`,"2099","alice"]`)
	check(`{"enabled":true}`, `[true,"n","d",`+p+`,"2099","alice"]`)
	check(`{"name":"","description":"e"}`, `[true,"","e",`+p+`,"2099","alice"]`)
	check(`{"policy":null}`, `[true,"","e","","2099","alice"]`)
	check(`{"expires":""}`, `[true,"","e","","never","alice"]`)
	check(`{"expires":"2098-01-01T00:00:00Z","policy":`+readPolicy+`}`, `[true,"","e",`+p+`,"2098","alice"]`)
	check(`{}`, `[true,"","e",`+p+`,"2098","alice"]`)
	s.done(t, root, "PATCH", "keys/AK1", `{"secret":"second secret"}`)
	if c, err := s.svc.Credential("AK1", ""); err != nil || c.Secret != "second secret" {
		t.Errorf("%+v, %v", c, err)
	}
	s.done(t, root, "DELETE", "keys/AK1", "")
	if w := s.send(root, "GET", "keys/AK1", ""); w.Code != 404 {
		t.Errorf("a deleted key: %d", w.Code)
	}
}
