package sts

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestTryWebIdentity: a trial ends as a login would, and writes nothing, keeps no refusal, and counts for
// no limit.
func TestTryWebIdentity(t *testing.T) {
	grouped := person("carol", "readonly", "unknown")
	grouped.Claimed, grouped.Groups, grouped.GroupsClaim = true, []string{"staff", "nobodys", "ldap:cn=x"}, "groups"
	v := vouch{"alice": person("alice", "readonly"), "grouped": grouped, "none": person("none")}
	s := start(t, Config{WebIdentity: v})
	c := Config{IAM: s.Service, WebIdentity: v}
	if _, err := s.CreateGroup(t.Context(), iam.NewGroup{Name: "staff", Policies: []string{"writeonly"}}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/-/api/v1/openid/test", nil)
	for name, tt := range map[string]struct {
		token    WebToken
		code     string // "" for a session
		reason   string
		policies string
		groups   string
	}{
		"good":         {WebToken{Token: "alice"}, "", "", "readonly", ""},
		"with a group": {WebToken{Token: "grouped"}, "", "", "readonly writeonly", "staff"},
		"no policy":    {WebToken{Token: "none"}, RejectedClaim, "", "", ""},
		"bad":          {WebToken{Token: "forged"}, InvalidIdentityToken, "the key is unknown", "", ""},
		"down":         {WebToken{Token: "down"}, CommunicationError, "dial tcp: refused", "", ""},
		"none":         {WebToken{}, "ValidationError", "", "", ""},
		"a bad role":   {WebToken{Token: "alice", RoleARN: "admin"}, "ValidationError", "", "", ""},
		"broken":       {WebToken{Token: "broken"}, "InternalFailure", "", "", ""},
	} {
		got := TryWebIdentity(c, r, tt.token)
		code := ""
		if got.Refusal != nil {
			code = got.Refusal.Code
		}
		if code != tt.code || got.Reason != tt.reason || strings.Join(got.Policies, " ") != tt.policies || strings.Join(got.Groups, " ") != tt.groups {
			t.Errorf("%s: %+v, %+v", name, got.Refusal, got)
		}
		pairs := []string{"WebIdentityToken", tt.token.Token}
		if tt.token.RoleARN != "" {
			pairs = append(pairs, "RoleArn", tt.token.RoleARN)
		}
		if a := s.web(pairs...); a.Code != code {
			t.Errorf("%s: the login says %s", name, a.body)
		}
	}
	for range 2 * loginBurst {
		TryWebIdentity(c, r, WebToken{Token: "forged"})
	}
	if a := s.web("WebIdentityToken", "forged"); a.Code != InvalidIdentityToken {
		t.Errorf("trials count as logins: %s", a.body)
	}
	n := len(s.LastRefusals(1000))
	TryWebIdentity(c, r, WebToken{Token: "none"})
	TryWebIdentity(c, r, WebToken{Token: "forged"})
	if len(s.LastRefusals(1000)) != n || len(s.Sessions(qualified(person("none")))) != 0 {
		t.Error("a trial has left something")
	}
	users := len(s.Users())
	v["new"] = person("new", "readonly")
	if got := TryWebIdentity(c, r, WebToken{Token: "new"}); got.Refusal != nil || len(s.Users()) != users || got.User != qualified(person("new")) {
		t.Errorf("%+v", got)
	}
	got := TryWebIdentity(c, r, WebToken{Token: "grouped"})
	i := slices.IndexFunc(got.Rules, func(r Rule) bool { return r.Name == "groups" })
	if i < 0 || !slices.Equal(got.Rules[i].Used, []string{"staff"}) || !slices.Equal(got.Rules[i].Unknown, []string{"ldap:cn=x", "nobodys"}) {
		t.Errorf("%+v", got.Rules)
	}
	i = slices.IndexFunc(got.Rules, func(r Rule) bool { return r.Name == "claim" })
	if i < 0 || got.Rules[i].Claim != "policy" || !slices.Equal(got.Rules[i].Unknown, []string{"unknown"}) {
		t.Errorf("%+v", got.Rules)
	}
}
