package iam

import (
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam/policy"
)

// TestTrace: every policy that counts for a principal is traced under its place, with the
// reason why a statement does not match, and agrees with what Simulate decides.
func TestTrace(t *testing.T) {
	s, ctx := open(t), t.Context()
	for name, doc := range map[string]string{
		"inside": `{"Statement":[{"Sid":"in","Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		"lists":  `{"Statement":[{"Sid":"ls","Effect":"Allow","Action":"s3:ListBucket","Resource":"*"},{"Sid":"no","Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::shut/*"}]}`,
	} {
		if _, err := s.SetPolicy(ctx, name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.CreateUser(ctx, NewUser{Name: "alice", Policies: []string{"inside"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "crew", Policies: []string{"lists"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddMembers(ctx, "crew", "alice"); err != nil {
		t.Fatal(err)
	}
	newKey(t, s, NewAccessKey{AccessKey: "NARROW", Parent: "alice", Policy: []byte(onlyList)})
	bucket := []byte(`{"Statement":[{"Sid":"all","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}`)
	none := []string{}
	for _, tt := range []struct {
		principal string
		r         Request
		want      []string // place, statement's end, "ok" or what failed
		allowed   bool
	}{
		{"alice", Request{Action: "s3:GetObject", Bucket: "b", Key: "k"},
			[]string{"user in Condition IpAddress aws:SourceIp absent", "group crew ls Action", "group crew no Resource"}, false},
		{"alice", Request{Action: "s3:GetObject", Bucket: "shut", Key: "k"},
			[]string{"user in Condition IpAddress aws:SourceIp absent", "group crew ls Action", "group crew no ok"}, false},
		{"alice", Request{Action: "s3:ListBucket", Bucket: "b"},
			[]string{"user in Action", "group crew ls ok", "group crew no Action"}, true},
		{"NARROW", Request{Action: "s3:GetObject", Bucket: "open", Key: "k", Policy: bucket},
			[]string{"user in Condition IpAddress aws:SourceIp absent", "group crew ls Action", "group crew no Resource", "bucket all ok", "credential  Action"}, false},
		{"", Request{Action: "s3:GetObject", Bucket: "open", Key: "k", Policy: bucket}, []string{"bucket all ok"}, true},
		{"", Request{Action: "s3:GetObject", Bucket: "other", Key: "k"}, none, false},
		{s.RootUser(), Request{Action: "s3:GetObject", Bucket: "open", Key: "k", Policy: bucket}, none, true},
	} {
		steps, err := s.Trace(tt.principal, tt.r)
		if err != nil {
			t.Fatal(err)
		}
		got := none
		for _, st := range steps {
			_, sid, _ := strings.Cut(st.Statement, "] ")
			words := []string{st.Of, sid}
			switch {
			case st.Matched:
				words = append(words, "ok")
			case st.Failed == "Condition":
				words = append(words, st.Failed, st.Operator, st.Key)
			default:
				words = append(words, st.Failed)
			}
			if st.Absent {
				words = append(words, "absent")
			}
			got = append(got, strings.Join(words, " "))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s %s: %q, want %q", tt.principal, tt.r.Action, got, tt.want)
		}
		d, err := s.Simulate(tt.principal, tt.r)
		if err != nil || d.Allowed != tt.allowed {
			t.Errorf("%s %s: %+v, %v", tt.principal, tt.r.Action, d, err)
		}
		denied := slices.ContainsFunc(steps, func(st Traced) bool { return st.Matched && st.Effect == policy.Deny })
		if denied != d.Explicit {
			t.Errorf("%s %s: a Deny matches: %t, decision %+v", tt.principal, tt.r.Action, denied, d)
		}
	}
	if _, err := s.Trace("nobody", Request{}); err == nil {
		t.Error("nobody is traced")
	}
	if _, err := s.UpdateGroup(ctx, "crew", GroupUpdate{Enabled: new(bool)}); err != nil {
		t.Fatal(err)
	}
	if steps, err := s.Trace("alice", Request{Action: "s3:ListBucket", Bucket: "b"}); err != nil || len(steps) != 1 {
		t.Errorf("with the group disabled: %+v, %v", steps, err)
	}
}
