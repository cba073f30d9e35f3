package sts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// known is a TokenPlugin that knows tokens by their text.
type known map[string]*TokenHolder

const pluginRole = "arn:minio:iam:us-east-1::role/idmp-test"

func (known) RoleARN() string    { return pluginRole }
func (known) Policies() []string { return []string{"readwrite", "not-here"} }

func (k known) Authenticate(_ context.Context, token string) (*TokenHolder, error) {
	switch h, ok := k[token]; {
	case ok:
		return h, nil
	case token == "down":
		return nil, &Rejection{CommunicationError, "It is down.", "dial tcp: refused"}
	case token == "broken":
		return nil, errors.New("something broke")
	}
	return nil, &Rejection{AccessDenied, "It refuses the token.", ""}
}

// gone is one whose policies do not exist.
type gone struct{ known }

func (gone) Policies() []string { return []string{"gone"} }

func tokenOf(user string) *TokenHolder {
	return &TokenHolder{User: user, MaxValidity: 2 * time.Hour, Claims: map[string][]string{"Team": {"x"}, "team": {"y"}, "roles": {"a", "b"}}}
}

func (s *server) custom(pairs ...string) answer {
	s.t.Helper()
	return s.do(iam.Credential{}, form("AssumeRoleWithCustomToken", pairs...), nil)
}

func TestCustomToken(t *testing.T) {
	s := start(t, Config{CustomToken: known{"t": tokenOf("ann@example.com")}})
	a := s.custom("Token", "t", "RoleArn", pluginRole, "RoleSessionName", "app1", "TokenRevokeType", "apps")
	cred := s.credential(a)
	if cred.Identity.Name != "custom:ann@example.com" || !s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Errorf("%+v", cred.Identity)
	}
	if d := time.Until(a.Creds.Expiration); d < 59*time.Minute || d > time.Hour {
		t.Errorf("it lasts %v", d)
	}
	for _, want := range []string{
		`<AssumeRoleWithCustomTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithCustomTokenResult>`,
		"<AssumedUser>custom:ann@example.com</AssumedUser>", "<Arn>arn:aws:sts::123456789012:assumed-role/idmp-test/app1</Arn>",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	list := s.Sessions("custom:ann@example.com")
	if len(list) != 1 || list[0].Name != "app1" || !slices.Equal(list[0].Grants.Policies, []string{"readwrite"}) {
		t.Fatalf("%+v", list)
	}
	claims := list[0].Grants.Claims
	if claims["jwt:team"][0] != "y" || !slices.Equal(claims["jwt:roles"], []string{"a", "b"}) || claims["jwt:sub"][0] != "custom:ann@example.com" || len(claims) != 3 {
		t.Errorf("%v", claims)
	}
	// By the query, as MinIO's clients do, and by the same user.
	if a := s.query(form("AssumeRoleWithCustomToken", "Token", "t", "RoleArn", pluginRole)); a.status != 200 || len(s.Users()) != 1 {
		t.Errorf("in the query: %s", a.body)
	}
	if n, err := s.RevokeSessions(t.Context(), "custom:ann@example.com", "apps"); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","admin:*"],"Resource":"arn:aws:s3:::b/*"}]}`
	cred = s.credential(s.custom("Token", "t", "RoleArn", pluginRole, "Policy", doc))
	if !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Error("Policy does not bound the session")
	}
	cred = s.credential(s.custom("Token", "t", "RoleArn", pluginRole, "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/readonly"))
	if !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:PutObject", "b", "k") {
		t.Error("PolicyArns do not bound the session")
	}
}

// TestCustomTokenDuration: what the plugin vouches for bounds what is asked for.
func TestCustomTokenDuration(t *testing.T) {
	short, long := tokenOf("short"), tokenOf("long")
	short.MaxValidity, long.MaxValidity = 20*time.Minute, iam.MaxSession
	k := known{"short": short, "long": long}
	s, fixed := start(t, Config{CustomToken: k}), start(t, Config{CustomToken: k, Duration: 3 * time.Hour})
	for _, tt := range []struct {
		server         *server
		token, seconds string
		want           time.Duration
	}{
		{s, "short", "", 20 * time.Minute},
		{s, "short", "7200", 20 * time.Minute},
		{s, "short", "900", 15 * time.Minute},
		{s, "long", "", time.Hour},
		{s, "long", "31536000", iam.MaxSession},
		{fixed, "long", "900", 3 * time.Hour},
		{fixed, "short", "", 20 * time.Minute},
	} {
		pairs := []string{"Token", tt.token, "RoleArn", pluginRole}
		if tt.seconds != "" {
			pairs = append(pairs, "DurationSeconds", tt.seconds)
		}
		a := tt.server.custom(pairs...)
		tt.server.credential(a)
		if d := time.Until(a.Creds.Expiration); d > tt.want || d < tt.want-10*time.Second {
			t.Errorf("%s, %q: %v", tt.token, tt.seconds, d)
		}
	}
}

// TestCustomTokenRefused: the right code, and nothing written, not even the user.
func TestCustomTokenRefused(t *testing.T) {
	exp, parent, sub := tokenOf("a"), tokenOf("a"), tokenOf("a")
	exp.Claims["exp"], parent.Claims["PARENT"], sub.Claims["sub"] = []string{"9999999999"}, []string{"root"}, nil
	large := tokenOf("a")
	large.Claims["x"] = []string{strings.Repeat("x", 900<<10)}
	k := known{"t": tokenOf("ann"), "exp": exp, "parent": parent, "sub": sub, "large": large, "line": tokenOf("a\nb"), "space": tokenOf(" a"), "long": tokenOf(strings.Repeat("a", 800))}
	s := start(t, Config{CustomToken: k})
	for name, tt := range map[string]struct {
		form   []string
		status int
		code   string
		says   string
	}{
		"no token":                  {[]string{"RoleArn", pluginRole}, 400, "ValidationError", "Token"},
		"S-007 a long token":        {[]string{"RoleArn", pluginRole, "Token", strings.Repeat("x", maxCustomToken+1)}, 400, "ValidationError", "Token"},
		"no role":                   {[]string{"Token", "t"}, 400, "ValidationError", "RoleArn"},
		"another role":              {[]string{"Token", "t", "RoleArn", pluginRole + "x"}, 400, "ValidationError", "RoleArn"},
		"AWS's role":                {[]string{"Token", "t", "RoleArn", "arn:aws:iam::123456789012:role/idmp-test"}, 400, "ValidationError", "RoleArn"},
		"unknown parameter":         {[]string{"Token", "t", "RoleArn", pluginRole, "WebIdentityToken", "t"}, 400, "ValidationError", "WebIdentityToken"},
		"S-191 899":                 {[]string{"Token", "t", "RoleArn", pluginRole, "DurationSeconds", "899"}, 400, "ValidationError", "900"},
		"S-191 366 days":            {[]string{"Token", "t", "RoleArn", pluginRole, "DurationSeconds", "31622400"}, 400, "ValidationError", "31536000"},
		"a bad name":                {[]string{"Token", "t", "RoleArn", pluginRole, "RoleSessionName", "a/b"}, 400, "ValidationError", "RoleSessionName"},
		"a bad session policy":      {[]string{"Token", "t", "RoleArn", pluginRole, "Policy", "{}"}, 400, "MalformedPolicyDocument", ""},
		"an unknown managed policy": {[]string{"Token", "t", "RoleArn", pluginRole, "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/none"}, 400, "ValidationError", "none"},
		"refused":                   {[]string{"Token", "nobody", "RoleArn", pluginRole}, 403, "AccessDenied", "It refuses"},
		"down":                      {[]string{"Token", "down", "RoleArn", pluginRole}, 400, "IDPCommunicationError", "It is down."},
		"something broke":           {[]string{"Token", "broken", "RoleArn", pluginRole}, 500, "InternalFailure", ""},
		"claim exp":                 {[]string{"Token", "exp", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "claim exp"},
		"claim parent":              {[]string{"Token", "parent", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "claim parent"},
		"claim sub":                 {[]string{"Token", "sub", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "claim sub"},
		"large claims":              {[]string{"Token", "large", "RoleArn", pluginRole}, 400, "ValidationError", "claims"},
		"a user with a line":        {[]string{"Token", "line", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "name of the user"},
		"a user with a space":       {[]string{"Token", "space", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "name of the user"},
		"a user with a long name":   {[]string{"Token", "long", "RoleArn", pluginRole}, 403, "IDPRejectedClaim", "name of the user"},
	} {
		a := s.custom(tt.form...)
		if a.status != tt.status || a.Code != tt.code || !strings.Contains(a.body, tt.says) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if len(s.Sessions("")) != 0 || len(s.Users()) != 0 {
			t.Fatalf("%s: something was written", name)
		}
	}
	if !slices.ContainsFunc(s.LastRefusals(100), func(r iam.Refusal) bool { return r.Statement == "dial tcp: refused" && r.Action == actionCustomToken }) {
		t.Error("administrators don't find why")
	}
	if a := start(t, Config{}).custom("Token", "t", "RoleArn", pluginRole); a.status != 403 || !strings.Contains(a.body, "OBJSRV_IDENTITY_PLUGIN_URL") {
		t.Errorf("without a plugin: %s", a.body)
	}
	if a := start(t, Config{CustomToken: gone{k}}).custom("Token", "t", "RoleArn", pluginRole); a.status != 403 || a.Code != "IDPRejectedClaim" {
		t.Errorf("without policies: %s", a.body)
	}
}

// TestCustomTokenUser: S-195, whatever user the plugin names, it is one of the plugin's own.
func TestCustomTokenUser(t *testing.T) {
	names := []string{"alice", "ldap:cn=alice,dc=example", "tls:readwrite", "custom:alice", "../../x"}
	k := known{"root's": tokenOf(rootUser), "root": tokenOf("root")}
	for _, n := range names {
		k[n] = tokenOf(n)
	}
	s := start(t, Config{CustomToken: k})
	alice := s.user("alice", "consoleAdmin")
	for _, n := range []string{"root's", "root"} {
		if a := s.custom("Token", n, "RoleArn", pluginRole); a.status != 403 || a.Code != "AccessDenied" || len(s.Users()) != 1 {
			t.Errorf("S-195 %s: %d %s", n, a.status, a.body)
		}
	}
	for _, n := range names {
		cred := s.credential(s.custom("Token", n, "RoleArn", pluginRole))
		if cred.Identity.Name != "custom:"+n || cred.Identity.ID == alice.Identity.ID || cred.Identity.Root || s.may(cred, "admin:CreateUser", "", "") {
			t.Errorf("S-195 %s: %+v", n, cred.Identity)
		}
	}
	if len(s.Sessions("alice")) != 0 {
		t.Error("a local user has a session of the plugin's")
	}
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRoleWithCustomToken","Resource":"*","Condition":{"StringEquals":{"jwt:team":"y"}}}]}`
	if _, err := s.SetPolicy(t.Context(), "deny", []byte(deny)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AttachPolicy(t.Context(), "custom:alice", "deny"); err != nil {
		t.Fatal(err)
	}
	if a := s.custom("Token", "alice", "RoleArn", pluginRole); a.status != 403 || a.Code != "AccessDenied" {
		t.Errorf("with a policy that denies it: %s", a.body)
	}
	short := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*","Condition":{"NumericGreaterThan":{"sts:DurationSeconds":"1800"}}}]}`
	if _, err := s.SetPolicy(t.Context(), "short", []byte(short)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AttachPolicy(t.Context(), "custom:../../x", "short"); err != nil {
		t.Fatal(err)
	}
	if a := s.custom("Token", "../../x", "RoleArn", pluginRole); a.Code != "AccessDenied" {
		t.Errorf("a policy denies the duration: %s", a.body)
	}
	s.credential(s.custom("Token", "../../x", "RoleArn", pluginRole, "DurationSeconds", "1800"))
	if _, err := s.SetStatus(t.Context(), "custom:custom:alice", false); err != nil {
		t.Fatal(err)
	}
	if a := s.custom("Token", "custom:alice", "RoleArn", pluginRole); a.status != 403 || a.Code != "AccessDenied" || len(s.Sessions("custom:custom:alice")) != 0 {
		t.Errorf("a disabled user: %s", a.body)
	}
}
