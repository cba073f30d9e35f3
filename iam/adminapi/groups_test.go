package adminapi

import (
	"net/url"
	"slices"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// allowed asks what the user of an own key may do.
func (s *server) allowed(t *testing.T, user, action string) bool {
	t.Helper()
	c, err := s.svc.Credential(user, "")
	if err != nil {
		t.Fatal(err)
	}
	return s.svc.Authorize(&iam.Request{Identity: c.Identity, Action: action, Bucket: "b", Key: "k"}).Allowed
}

// TestGroupLife: what is done to a group counts for its members on the next request (S-228).
func TestGroupLife(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.user(t, "bob")
	s.done(t, root, "PUT", "groups/crew", `{"policies":["readonly"]}`)
	s.done(t, root, "PATCH", "groups/crew", `{"add":["alice","bob"]}`)
	var g iam.Group
	decodeAnswer(t, s.send(root, "GET", "groups/crew", ""), 200, &g)
	if !slices.Equal(g.Members, []string{"alice", "bob"}) || !slices.Equal(g.Policies, []string{"readonly"}) || !g.Enabled {
		t.Errorf("%+v", g)
	}
	var me WhoAmI
	decodeAnswer(t, s.send("alice", "GET", "whoami", ""), 200, &me)
	if !slices.Equal(me.Groups, []string{"crew"}) || me.Credential != "own key" || me.Restricted {
		t.Errorf("%+v", me)
	}
	var who PolicyEntities
	decodeAnswer(t, s.send(root, "GET", "policies/readonly/entities", ""), 200, &who)
	if !slices.Equal(who.Groups, []string{"crew"}) || len(who.Users) != 0 {
		t.Errorf("%+v", who)
	}
	for _, step := range []struct {
		change string
		want   bool
	}{
		{``, true}, {`{"enabled":false}`, false}, {`{"enabled":true}`, true}, {`{"detach":["readonly"]}`, false},
		{`{"attach":["readonly"]}`, true}, {`{"policies":[]}`, false}, {`{"policies":["readwrite"]}`, true}, {`{"remove":["alice"]}`, false},
	} {
		if step.change != "" {
			s.done(t, root, "PATCH", "groups/crew", step.change)
		}
		if s.allowed(t, "alice", "s3:GetObject") != step.want {
			t.Errorf("after %s: want %t", step.change, step.want)
		}
	}
	if w := s.send(root, "DELETE", "groups/crew", ""); w.Code != 409 {
		t.Errorf("a group with members: %d %s", w.Code, w.Body)
	}
	s.done(t, root, "PATCH", "groups/crew", `{"remove":["bob"]}`)
	s.done(t, root, "DELETE", "groups/crew", "")
	if w := s.send(root, "GET", "groups/crew", ""); w.Code != 404 {
		t.Errorf("a deleted group: %d", w.Code)
	}
}

// TestExternal: names of identities of other sources have anything in them, and their paths
// are percent-encoded.
func TestExternal(t *testing.T) {
	s := newServer(t)
	const user, group = "ldap:uid=ann lee,ou=people/a?#,dc=example,dc=com", "ldap:cn=ops & co,dc=example,dc=com"
	s.done(t, root, "PUT", "users/"+url.PathEscape(user), `{"policies":["readonly"]}`)
	s.done(t, root, "PUT", "groups/"+url.PathEscape(group), `{}`)
	var u iam.User
	decodeAnswer(t, s.send(root, "GET", "users/"+url.PathEscape(user), ""), 200, &u)
	if u.Name != user || u.Source != "ldap" || len(u.AccessKeys) != 0 {
		t.Errorf("%+v", u)
	}
	var made CreatedKey
	decodeAnswer(t, s.send(root, "POST", "keys", `{"parent":"`+user+`"}`), 201, &made)
	var keys KeyList
	decodeAnswer(t, s.send(root, "GET", "keys?user="+url.QueryEscape(user), ""), 200, &keys)
	if len(keys.Keys) != 1 || keys.Keys[0].Parent != user {
		t.Errorf("%+v", keys)
	}
	var me WhoAmI
	decodeAnswer(t, s.send(made.AccessKey.AccessKey, "GET", "whoami", ""), 200, &me)
	if me.Name != user || me.Credential != "service key" || !slices.Equal(me.Policies, []string{"readonly"}) {
		t.Errorf("%+v", me)
	}
	decodeAnswer(t, s.send(made.AccessKey.AccessKey, "GET", "keys", ""), 200, &keys)
	if len(keys.Keys) != 1 {
		t.Errorf("its own keys: %+v", keys)
	}
	for _, tt := range []struct{ path, body string }{{"users/" + url.PathEscape("ldap:cn=x"), `{"secret":"has no secret"}`}, {"users/" + url.PathEscape("ldap:"), `{}`}} {
		if w := s.send(root, "PUT", tt.path, tt.body); w.Code != 400 {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
	}
	s.done(t, root, "DELETE", "users/"+url.PathEscape(user), "")
	if w := s.send(made.AccessKey.AccessKey, "GET", "whoami", ""); w.Code != 403 {
		t.Errorf("S-228: a key of a deleted user: %d", w.Code)
	}
}

// TestRevocation is S-228 as far as this face goes: what is taken away is refused on the next
// request, for the own key, service keys and sessions.
func TestRevocation(t *testing.T) {
	for _, tt := range []struct {
		name, method, path, body string
		alive                    []string // of "alice", "key", "session", "sessionOfKey"
	}{
		{"disable", "PATCH", "users/alice", `{"enabled":false}`, nil},
		{"delete", "DELETE", "users/alice", ``, nil},
		{"disable key", "PATCH", "keys/ALICEKEY", `{"enabled":false}`, []string{"alice", "session"}},
		{"delete key", "DELETE", "keys/ALICEKEY", ``, []string{"alice", "session"}},
		{"revoke all", "POST", "sessions/revoke", `{"user":"alice"}`, []string{"alice", "key"}},
		{"nothing", "GET", "users/alice", ``, []string{"alice", "key", "session", "sessionOfKey"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.user(t, "alice")
			creds := map[string]string{"alice": "alice", "key": s.key(t, "ALICEKEY", "alice", nil)}
			creds["session"], creds["sessionOfKey"] = s.session(t, "alice", nil), s.session(t, "ALICEKEY", nil)
			for name, ak := range creds {
				if w := s.send(ak, "GET", "whoami", ""); w.Code != 200 {
					t.Fatalf("%s before: %d %s", name, w.Code, w.Body)
				}
			}
			s.done(t, root, tt.method, tt.path, tt.body)
			for name, ak := range creds {
				if w := s.send(ak, "GET", "whoami", ""); (w.Code == 200) != slices.Contains(tt.alive, name) || w.Code != 200 && w.Code != 403 {
					t.Errorf("%s after: %d %s", name, w.Code, w.Body)
				}
			}
		})
	}
	s := newServer(t)
	s.user(t, "alice", ActionListUsers)
	session := s.session(t, "alice", nil)
	s.done(t, session, "GET", "users", "")
	s.done(t, root, "PATCH", "users/alice", `{"policies":[]}`)
	s.refused(t, session, "GET", "users", "")
	s.refused(t, "alice", "GET", "users", "")
}
