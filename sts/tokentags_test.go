package sts

import (
	"strconv"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestTokenTags: what a token says of its session is what policies see, unless a policy denies that it may be
// said, or it is more than STS takes (S-225 on the side of who sets a tag).
func TestTokenTags(t *testing.T) {
	tagged := func(tags SessionTags) *Person {
		p := person("alice", "by-tag")
		p.Tags = tags
		return p
	}
	many := map[string]string{}
	for i := range maxTags + 1 {
		many["k"+strconv.Itoa(i)] = "v"
	}
	v := vouch{
		"red":      tagged(SessionTags{Tags: map[string]string{"Team": "red"}, Transitive: []string{"Team"}, SourceIdentity: "alice.a"}),
		"none":     tagged(SessionTags{}),
		"green":    tagged(SessionTags{Tags: map[string]string{"Team": "green"}}),
		"mallory":  tagged(SessionTags{Tags: map[string]string{"Team": "red"}, SourceIdentity: "mallory"}),
		"transit":  tagged(SessionTags{Tags: map[string]string{"Team": "red"}, Transitive: []string{"Other"}}),
		"twice":    tagged(SessionTags{Tags: map[string]string{"Team": "red", "TEAM": "blue"}}),
		"many":     tagged(SessionTags{Tags: many}),
		"long key": tagged(SessionTags{Tags: map[string]string{strings.Repeat("k", 129): "v"}}),
		"empty":    tagged(SessionTags{Tags: map[string]string{"": "v"}}),
		"long":     tagged(SessionTags{Tags: map[string]string{"k": strings.Repeat("v", 257)}}),
		"source":   tagged(SessionTags{SourceIdentity: "a b"}),
	}
	s := start(t, Config{WebIdentity: v})
	doc := `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::teams/${aws:PrincipalTag/Team}/*"},
 {"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"alice.a"}}},
 {"Effect":"Deny","Action":"sts:TagSession","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/Team":"green"}}},
 {"Effect":"Deny","Action":"sts:SetSourceIdentity","Resource":"*","Condition":{"StringEquals":{"sts:SourceIdentity":"mallory"}}}]}`
	if _, err := s.SetPolicy(t.Context(), "by-tag", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	a := s.web("WebIdentityToken", "red")
	red, none := s.credential(a), s.credential(s.web("WebIdentityToken", "none"))
	if !strings.Contains(a.body, "<SourceIdentity>alice.a</SourceIdentity>") {
		t.Errorf("no source identity in %s", a.body)
	}
	for _, tt := range []struct {
		name        string
		cred        iam.Credential
		action, key string
		want        bool
	}{
		{"its team", red, "s3:GetObject", "red/k", true},
		{"another team", red, "s3:GetObject", "blue/k", false},
		{"by source identity", red, "s3:PutObject", "k", true},
		{"no tag", none, "s3:GetObject", "red/k", false},
		{"no tag is not the empty one", none, "s3:GetObject", "/k", false},
		{"no source identity", none, "s3:PutObject", "k", false},
	} {
		if s.may(tt.cred, tt.action, "teams", tt.key) != tt.want {
			t.Errorf("%s: want %v", tt.name, tt.want)
		}
	}
	before := len(s.Sessions(""))
	for token, code := range map[string]string{
		"green": "AccessDenied", "mallory": "AccessDenied", "transit": InvalidIdentityToken, "twice": InvalidIdentityToken, "many": InvalidIdentityToken,
		"long key": InvalidIdentityToken, "empty": InvalidIdentityToken, "long": InvalidIdentityToken, "source": InvalidIdentityToken,
	} {
		if a := s.web("WebIdentityToken", token); a.Code != code || len(s.Sessions("")) != before {
			t.Errorf("%s: %s", token, a.body)
		}
	}
	// A key that the session makes hands its tags on, and a role assumed with it keeps what is not said anew.
	_, key, err := s.CreateAccessKey(t.Context(), iam.NewAccessKey{By: red.Identity, Parent: red.Identity.Name})
	if err != nil {
		t.Fatal(err)
	}
	more := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:TagSession","Resource":"*"}]}`
	if _, err := s.SetPolicy(t.Context(), "may-tag", []byte(more)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AttachPolicy(t.Context(), red.Identity.Name, "may-tag"); err != nil {
		t.Fatal(err)
	}
	child := s.credential(s.do(key, form("AssumeRole", "Tags.member.1.Key", "Job", "Tags.member.1.Value", "x"), nil))
	if !s.may(child, "s3:GetObject", "teams", "red/k") || !s.may(child, "s3:PutObject", "b", "k") {
		t.Error("a session with a tag of its own has lost what its key has")
	}
	list := s.SessionsOf("openid:idp")
	if len(list) != 3 { // red, none, child
		t.Errorf("%d sessions of the provider: %+v", len(list), list)
	}
}
