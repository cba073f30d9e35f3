package sts

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// vouch is a TokenVerifier that knows tokens by their text.
type vouch map[string]*Person

func (v vouch) Verify(_ context.Context, t WebToken) (*Person, error) {
	p, ok := v[t.Token]
	switch {
	case t.Token == "broken":
		return nil, errors.New("something broke")
	case t.Token == "down":
		return nil, &Rejection{CommunicationError, "It is down.", "dial tcp: refused"}
	case !ok:
		return nil, &Rejection{InvalidIdentityToken, "Not signed.", "the key is unknown"}
	case p.Provider == "userinfo" && t.AccessToken != "access":
		return nil, &Rejection{InvalidIdentityToken, "No access token.", ""}
	}
	return p, nil
}

func person(subject string, policies ...string) *Person {
	return &Person{
		Provider: "idp", Issuer: "https://idp.example.com", Subject: subject, Audience: "objsrv", Expires: time.Now().Add(20 * time.Minute),
		Claim: "policy", Policies: policies, Claims: map[string][]string{"sub": {subject}, "Team": {"x"}, "team": {"y"}, "eMail": {"a@example.com"}},
		Names: []string{"aud", "sub"},
	}
}

func (s *server) web(pairs ...string) answer {
	s.t.Helper()
	return s.do(iam.Credential{}, form("AssumeRoleWithWebIdentity", pairs...), nil)
}

func qualified(p *Person) string { return "openid:" + parentID(p) }

func TestWebIdentity(t *testing.T) {
	alice := person("alice", "readwrite", "not-here")
	s := start(t, Config{WebIdentity: vouch{"t": alice}})
	a := s.web("WebIdentityToken", "t", "RoleArn", "arn:aws:iam::123456789012:role/any", "RoleSessionName", "app1")
	cred := s.credential(a)
	if !s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Error("the session has the wrong rights")
	}
	if d := time.Until(a.Creds.Expiration); d < 19*time.Minute || d > 20*time.Minute {
		t.Errorf("without DurationSeconds it lasts %v, the token 20m", d)
	}
	for _, want := range []string{
		"<SubjectFromWebIdentityToken>alice</SubjectFromWebIdentityToken>", "<Audience>objsrv</Audience>", "<Provider>https://idp.example.com</Provider>",
		"<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/any/app1</Arn><AssumedRoleId>" + cred.Identity.ID + ":app1</AssumedRoleId></AssumedRoleUser>",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	// The hash is that of MinIO: printf 'openid:alice:https://idp.example.com' | sha256sum, base64url.
	if cred.Identity.Name != "openid:"+parentID(alice) || len(parentID(alice)) != 43 {
		t.Errorf("the user is %s", cred.Identity.Name)
	}
	list := s.Sessions(qualified(alice))
	if len(list) != 1 || list[0].Name != "app1" || !slices.Equal(list[0].Grants.Policies, []string{"readwrite"}) {
		t.Fatalf("%+v", list)
	}
	claims := list[0].Grants.Claims
	if claims["jwt:sub"][0] != "alice" || claims["jwt:team"][0] != "y" || claims["jwt:email"][0] != "a@example.com" || claims["aws:federatedprovider"][0] != "idp.example.com" {
		t.Errorf("%v", claims)
	}
	again := s.credential(s.web("WebIdentityToken", "t"))
	if again.Identity.ID != cred.Identity.ID || len(s.Users()) != 1 {
		t.Error("the second login is somebody else")
	}
	who := s.do(cred, form("GetCallerIdentity"), nil)
	if !strings.Contains(who.body, "assumed-role/any/app1</Arn>") {
		t.Error(who.body)
	}
	if a := s.do(cred, form("AssumeRole"), nil); a.Code != "AccessDenied" {
		t.Errorf("the session assumes a role: %s", a.body)
	}
}

// TestWebIdentityForms: MinIO's clients use either name of the token, either action, the query
// and what AWS has not.
func TestWebIdentityForms(t *testing.T) {
	s := start(t, Config{WebIdentity: vouch{"t": person("alice", "readwrite"), "access": {Provider: "userinfo", Issuer: "i", Subject: "p", Policies: []string{"readonly"}, Expires: time.Now().Add(time.Hour)}}})
	for name, f := range map[string]string{
		"Token":                         form("AssumeRoleWithWebIdentity", "Token", "t"),
		"refresh token":                 form("AssumeRoleWithWebIdentity", "WebIdentityToken", "t", "WebIdentityRefreshToken", "r", "WebIdentityAccessToken", "a"),
		"revoke type":                   form("AssumeRoleWithWebIdentity", "WebIdentityToken", "t", "TokenRevokeType", "console"),
		"MinIO's role":                  form("AssumeRoleWithWebIdentity", "WebIdentityToken", "t", "RoleArn", "arn:minio:iam:us-east-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0"),
		"client grants":                 form("AssumeRoleWithClientGrants", "Token", "t"),
		"other name":                    form("AssumeRoleWithClientGrants", "WebIdentityToken", "t"),
		"its token is the access token": form("AssumeRoleWithClientGrants", "Token", "access"),
	} {
		a := s.do(iam.Credential{}, f, nil)
		s.credential(a)
		if want := "<SubjectFromClientGrantsToken>"; strings.Contains(f, "ClientGrants") != strings.Contains(a.body, want) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := s.query(form("AssumeRoleWithWebIdentity", "WebIdentityToken", "t")); a.status != 200 {
		t.Errorf("in the query: %s", a.body)
	}
	if n, err := s.RevokeSessions(t.Context(), qualified(person("alice")), "console"); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
}

func TestWebIdentityDuration(t *testing.T) {
	alice := person("alice", "readwrite")
	late, far := person("late", "readwrite"), person("far", "readwrite")
	late.Expires, far.Expires = time.Now().Add(-30*time.Second), time.Now().AddDate(5, 0, 0)
	v := vouch{"t": alice, "late": late, "far": far}
	s := start(t, Config{WebIdentity: v})
	for _, tt := range []struct {
		token, seconds string
		min, max       time.Duration
	}{
		{"t", "", 19 * time.Minute, 20 * time.Minute},
		{"t", "900", 14 * time.Minute, 15 * time.Minute},
		{"t", "7200", 119 * time.Minute, 120 * time.Minute}, // asked for: AWS and MinIO let it outlive the token
		{"late", "", 20 * time.Second, 30 * time.Second},    // within the leeway
		{"far", "", 364 * 24 * time.Hour, 365 * 24 * time.Hour},
	} {
		pairs := []string{"WebIdentityToken", tt.token}
		if tt.seconds != "" {
			pairs = append(pairs, "DurationSeconds", tt.seconds)
		}
		a := s.web(pairs...)
		s.credential(a)
		if d := time.Until(a.Creds.Expiration); d < tt.min || d > tt.max {
			t.Errorf("%+v: %v", tt, d)
		}
	}
	fixed := start(t, Config{WebIdentity: v, Duration: 2 * time.Hour})
	if d := time.Until(fixed.web("WebIdentityToken", "t").Creds.Expiration); d < 119*time.Minute || d > 2*time.Hour {
		t.Errorf("OBJSRV_STS_DURATION: %v", d)
	}
}

// TestWebIdentityRefused: the right code, a sentence, and nothing written, not even the user.
func TestWebIdentityRefused(t *testing.T) {
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","Action":"sts:AssumeRoleWithWebIdentity","Resource":"*","Condition":{"NumericGreaterThan":{"sts:DurationSeconds":"1800"}}}]}`
	byClaim := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","Action":"sts:*","Resource":"*","Condition":{"StringEquals":{"jwt:team":"y"}}}]}`
	foreign := person("foreign")
	foreign.Groups = []string{"ldap:cn=admins,dc=example,dc=com", "nothing"}
	long := person("long", "short-sessions")
	long.Expires = time.Now().Add(2 * time.Hour)
	v := vouch{
		"long": long, "t": person("alice", "readwrite"), "none": person("none"), "unknown": person("unknown", "a", "b/c", "d e"), "short": person("short", "short-sessions"),
		"team": person("team", "no-team-y"), "foreign": foreign, "role": {Provider: "idp", Issuer: "i", Subject: "s", Policies: []string{"gone"}, Expires: time.Now().Add(time.Hour)},
	}
	s := start(t, Config{WebIdentity: v})
	for name, doc := range map[string]string{"short-sessions": deny, "no-team-y": byClaim} {
		if _, err := s.SetPolicy(t.Context(), name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.CreateGroup(t.Context(), iam.NewGroup{Name: "ldap:cn=admins,dc=example,dc=com", Policies: []string{"consoleAdmin"}}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		form   []string
		status int
		code   string
		says   string
	}{
		"no token":                     {nil, 400, "ValidationError", "WebIdentityToken"},
		"empty token":                  {[]string{"WebIdentityToken", ""}, 400, "ValidationError", "WebIdentityToken"},
		"two tokens":                   {[]string{"WebIdentityToken", "t", "Token", "t"}, 400, "ValidationError", "not both"},
		"unknown parameter":            {[]string{"WebIdentityToken", "t", "Provider", "x"}, 400, "ValidationError", "Provider"},
		"parameter that is not built":  {[]string{"WebIdentityToken", "t", "ProviderId", "x"}, 501, "NotImplemented", "ProviderId"},
		"a bad role":                   {[]string{"WebIdentityToken", "t", "RoleArn", "admin"}, 400, "ValidationError", "RoleArn"},
		"a bad name":                   {[]string{"WebIdentityToken", "t", "RoleSessionName", "a/b"}, 400, "ValidationError", "RoleSessionName"},
		"S-191 899":                    {[]string{"WebIdentityToken", "t", "DurationSeconds", "899"}, 400, "ValidationError", "900"},
		"S-191 366 days":               {[]string{"WebIdentityToken", "t", "DurationSeconds", "31622400"}, 400, "ValidationError", "31536000"},
		"a bad session policy":         {[]string{"WebIdentityToken", "t", "Policy", "{}"}, 400, "MalformedPolicyDocument", ""},
		"an unknown managed policy":    {[]string{"WebIdentityToken", "t", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/none"}, 400, "ValidationError", "none"},
		"S-106 bad signature":          {[]string{"WebIdentityToken", "forged"}, 400, "InvalidIdentityToken", "Not signed."},
		"provider down":                {[]string{"WebIdentityToken", "down"}, 400, "IDPCommunicationError", "It is down."},
		"no policy":                    {[]string{"WebIdentityToken", "none"}, 403, "IDPRejectedClaim", `The claim &#34;policy&#34; names no policy. The token has the claims &#34;aud&#34;, &#34;sub&#34;.`},
		"unknown policies":             {[]string{"WebIdentityToken", "unknown"}, 403, "IDPRejectedClaim", `policies &#34;a&#34;, &#34;b/c&#34;, &#34;d e&#34;, none of which exists`},
		"a role's policy is gone":      {[]string{"WebIdentityToken", "role"}, 403, "IDPRejectedClaim", "provider&#39;s role"},
		"another source's group":       {[]string{"WebIdentityToken", "foreign"}, 403, "IDPRejectedClaim", "names no policy"},
		"a policy denies the duration": {[]string{"WebIdentityToken", "short", "DurationSeconds", "3600"}, 403, "AccessDenied", "sts:AssumeRoleWithWebIdentity"},
		"a policy denies the token's":  {[]string{"WebIdentityToken", "long"}, 403, "AccessDenied", "sts:AssumeRoleWithWebIdentity"},
		"a policy denies the claim":    {[]string{"WebIdentityToken", "team"}, 403, "AccessDenied", "sts:AssumeRoleWithWebIdentity"},
		"something broke":              {[]string{"WebIdentityToken", "broken"}, 500, "InternalFailure", ""},
	} {
		a := s.web(tt.form...)
		if a.status != tt.status || a.Code != tt.code || !strings.Contains(a.body, tt.says) || strings.Contains(a.body, "the key is unknown") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if len(s.Sessions("")) != 0 || len(s.Users()) != 0 {
			t.Errorf("%s: something was written", name)
		}
	}
	s.credential(s.web("WebIdentityToken", "short", "DurationSeconds", "1800"))
	var why []string
	for _, r := range s.LastRefusals(100) {
		why = append(why, r.Statement)
	}
	for _, want := range []string{"the key is unknown", "dial tcp: refused", "none of which exists"} {
		if !strings.Contains(strings.Join(why, "\n"), want) {
			t.Errorf("administrators don't find %q", want)
		}
	}
	if a := start(t, Config{}).web("WebIdentityToken", "t"); a.Code != "InvalidIdentityToken" || !strings.Contains(a.body, "no OpenID Connect provider") {
		t.Errorf("without providers: %s", a.body)
	}
}

// TestWebIdentityUser: the person is a user that an administrator can give more, and can lock out.
func TestWebIdentityUser(t *testing.T) {
	alice, bob, twin, grouped := person("alice", "readonly"), person("bob"), person("alice", "readonly"), person("carol")
	twin.Issuer = "https://other.example.com"
	grouped.Groups = []string{"staff", "staff", "unknown"}
	s := start(t, Config{WebIdentity: vouch{"alice": alice, "bob": bob, "twin": twin, "grouped": grouped}})
	cred := s.credential(s.web("WebIdentityToken", "alice"))
	other := s.credential(s.web("WebIdentityToken", "twin"))
	if other.Identity.ID == cred.Identity.ID || other.Identity.Name == cred.Identity.Name {
		t.Error("S-130: one subject of two issuers is one user")
	}
	if _, err := s.CreateGroup(t.Context(), iam.NewGroup{Name: "staff", Policies: []string{"writeonly"}}); err != nil {
		t.Fatal(err)
	}
	carol := s.credential(s.web("WebIdentityToken", "grouped"))
	if !s.may(carol, "s3:PutObject", "b", "k") || s.may(carol, "s3:GetObject", "b", "k") {
		t.Error("a local group gives the wrong rights")
	}
	// A disabled group locks its members out.
	if _, err := s.UpdateGroup(t.Context(), "staff", iam.GroupUpdate{Enabled: new(bool)}); err != nil {
		t.Fatal(err)
	}
	if a := s.web("WebIdentityToken", "grouped"); a.Code != "AccessDenied" || s.may(carol, "s3:PutObject", "b", "k") {
		t.Errorf("a disabled group: %s", a.body)
	}
	// What is attached to the user counts as well, and suffices.
	if _, err := s.AttachPolicy(t.Context(), qualified(alice), "writeonly"); err != nil {
		t.Fatal(err)
	}
	if !s.may(cred, "s3:PutObject", "b", "k") || !s.may(cred, "s3:GetObject", "b", "k") {
		t.Error("an attached policy does not count")
	}
	if _, _, err := s.CreateUser(t.Context(), iam.NewUser{Name: qualified(bob), Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	s.credential(s.web("WebIdentityToken", "bob"))
	// A disabled user gets nothing, and has nothing any more.
	if _, err := s.SetStatus(t.Context(), qualified(alice), false); err != nil {
		t.Fatal(err)
	}
	if a := s.web("WebIdentityToken", "alice"); a.status != 403 || a.Code != "AccessDenied" {
		t.Errorf("a disabled user: %s", a.body)
	}
	if s.may(cred, "s3:GetObject", "b", "k") {
		t.Error("the session of a disabled user may something")
	}
	if u, err := s.User(qualified(alice)); err != nil || u.Enabled {
		t.Errorf("a login enabled the user: %+v, %v", u, err)
	}
	// A deleted one comes back as somebody else.
	if err := s.DeleteUser(t.Context(), qualified(twin)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential(other.AccessKey, other.SessionToken); err == nil {
		t.Error("the session of a deleted user lives")
	}
	if again := s.credential(s.web("WebIdentityToken", "twin")); again.Identity.ID == other.Identity.ID {
		t.Error("a deleted user has come back")
	}
}

// TestWebIdentityBounds: a session policy and managed policies cut the rights of the token down.
func TestWebIdentityBounds(t *testing.T) {
	s := start(t, Config{WebIdentity: vouch{"t": person("alice", "readwrite")}})
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","admin:*"],"Resource":"arn:aws:s3:::b/*"}]}`
	a := s.web("WebIdentityToken", "t", "Policy", doc)
	c := s.credential(a)
	if !s.may(c, "s3:GetObject", "b", "k") || s.may(c, "s3:PutObject", "b", "k") || s.may(c, "s3:GetObject", "c", "k") || s.may(c, "admin:CreateUser", "", "") {
		t.Error("Policy does not bound the session")
	}
	if !strings.Contains(a.body, "<PackedPolicySize>") {
		t.Error(a.body)
	}
	c = s.credential(s.web("WebIdentityToken", "t", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/readonly"))
	if !s.may(c, "s3:GetObject", "b", "k") || s.may(c, "s3:PutObject", "b", "k") {
		t.Error("PolicyArns do not bound the session")
	}
}

// TestTokenFlood: an address that sends tokens of nobody is held up, after as many as a mistake may
// cost, with a good one as well; tokens that somebody has signed never are (S-106).
func TestTokenFlood(t *testing.T) {
	var clock atomic.Int64
	s := start(t, Config{WebIdentity: vouch{"t": person("alice", "readwrite"), "none": person("none")}, Now: func() time.Time { return time.Now().Add(time.Duration(clock.Load())) }})
	for range 2 * loginBurst {
		if a := s.web("WebIdentityToken", "none"); a.Code != "IDPRejectedClaim" {
			t.Fatal(a.body)
		}
	}
	for range loginBurst {
		if a := s.web("WebIdentityToken", "forged"); a.Code != "InvalidIdentityToken" {
			t.Fatal(a.body)
		}
	}
	held := 0
	for range 10 {
		if a := s.web("WebIdentityToken", "forged"); a.status == 429 && a.Code == "Throttling" {
			held++
		}
	}
	if held < 8 { // one a second becomes free
		t.Errorf("%d of 10 were held up", held)
	}
	clock.Store(int64(5 * time.Minute))
	s.credential(s.web("WebIdentityToken", "t"))
}

// TestManyFirstLogins: those of one person at the same time make one user.
func TestManyFirstLogins(t *testing.T) {
	s := start(t, Config{WebIdentity: vouch{"t": person("alice", "readwrite")}})
	ids := make(chan string, 20)
	for range cap(ids) {
		go func() { ids <- s.webID() }()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first || id == "" {
			t.Fatalf("%q and %q", first, id)
		}
	}
	if len(s.Users()) != 1 || len(s.Sessions("")) != cap(ids) {
		t.Errorf("%d users, %d sessions", len(s.Users()), len(s.Sessions("")))
	}
}

// webID logs in and returns the id of the user, from any goroutine.
func (s *server) webID() string {
	resp, err := http.Post(s.url, "application/x-www-form-urlencoded", strings.NewReader(form("AssumeRoleWithWebIdentity", "WebIdentityToken", "t")))
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(data), "<AssumedRoleId>")
	id, _, _ := strings.Cut(rest, ":")
	return id
}

// query sends a call in the query.
func (s *server) query(query string) answer {
	s.t.Helper()
	resp, err := http.Post(s.url+"/?"+query, "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{status: resp.StatusCode, body: string(data)}
}
