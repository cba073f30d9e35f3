package adminapi

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// TestOfProvider: sessions are listed and ended by the provider of their people, whose names are as clients know
// them; a credential of a provider shows what it has of it.
func TestOfProvider(t *testing.T) {
	s := newServer(t)
	session := func(user, provider string) string {
		t.Helper()
		_, cred, err := s.svc.CreateSession(t.Context(), iam.NewSession{External: user, Duration: time.Hour, Grants: &iam.Grants{
			Provider: provider, Policies: []string{"readwrite", "readonly"}, Groups: []string{"staff"}}})
		if err != nil {
			t.Fatal(err)
		}
		s.tokens[cred.AccessKey] = cred.SessionToken
		return cred.AccessKey
	}
	ann, bob, eve := session("openid:ann", "corp"), session("openid:bob", "lab"), session("ldap:cn=eve", "")
	for query, want := range map[string][]string{"corp": {ann}, "openid:lab": {bob}, "openid": {ann, bob}, "ldap": {eve}, "tls": nil, "nobody": nil} {
		var list SessionList
		w := s.send(root, "GET", "sessions?provider="+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		var got []string
		for _, ss := range list.Sessions {
			got = append(got, ss.AccessKey)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"provider=", "provider=corp&all=true", "provider=corp&user=x"} {
		if w := s.send(root, "GET", "sessions?"+query, ""); w.Code != 400 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for _, body := range []string{`{"provider":"corp","user":"x"}`, `{"provider":"corp","type":"x"}`, `{"provider":"corp","x":1}`} {
		if w := s.send(root, "POST", "sessions/revoke", body); w.Code != 400 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	var me WhoAmI
	if w := s.send(ann, "GET", "whoami", ""); json.Unmarshal(w.Body.Bytes(), &me) != nil || !slices.Equal(me.Policies, []string{"readonly", "readwrite"}) || !slices.Equal(me.Groups, []string{"staff"}) {
		t.Errorf("%s", w.Body)
	}
	if w := s.send(root, "POST", "sessions/revoke", `{"provider":"corp"}`); w.Body.String() != "{\"revoked\":1}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.send(ann, "GET", "whoami", ""); w.Code != 403 {
		t.Errorf("S-228: %d %s", w.Code, w.Body)
	}
	if w := s.send(bob, "GET", "whoami", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestOpenIDNotThere: without a provider the route says so, and a refusal of the trial is told.
func TestOpenIDNotThere(t *testing.T) {
	s := newServer(t)
	s.h.(*handler).config.Tokens = nil
	wantError(t, s.send(root, "POST", "openid/test", `{"token":"t"}`), "NotImplemented")
	s = newServer(t)
	wantError(t, s.send(root, "POST", "openid/test", `{"token":"x","provider":"y"}`), "NoSuchProvider")
	wantError(t, s.send(root, "POST", "openid/test", `{"token":7}`), "MalformedJSON")
}
