package sts

import "testing"

// TestTags: a policy may rest on a session's tags when somebody allowed them to be set.
func TestTags(t *testing.T) {
	s := start(t, Config{})
	doc := `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["sts:TagSession","sts:SetSourceIdentity"],"Resource":"*","Condition":{"StringEqualsIfExists":{"aws:RequestTag/Team":["red","blue"]}}},
 {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::teams/${aws:PrincipalTag/Team}/*"}]}`
	if _, err := s.SetPolicy(t.Context(), "teams", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	alice := s.user("alice", "teams")
	cred := s.credential(s.do(alice, form("AssumeRole", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "red", "SourceIdentity", "alice.a"), nil))
	if !s.may(cred, "s3:GetObject", "teams", "red/k") || s.may(cred, "s3:GetObject", "teams", "blue/k") || s.may(alice, "s3:GetObject", "teams", "red/k") {
		t.Error("the tag grants the wrong things")
	}
	for _, bad := range []string{
		form("AssumeRole", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "green"),
		form("AssumeRole", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "red", "Tags.member.2.Key", "TEAM", "Tags.member.2.Value", "blue"),
		form("AssumeRole", "Tags.member.2.Key", "Team", "Tags.member.2.Value", "red"),
		form("AssumeRole", "TransitiveTagKeys.member.1", "Team"),
	} {
		if a := s.do(alice, bad, nil); a.status == 200 {
			t.Errorf("%s: accepted", bad)
		}
	}
}
