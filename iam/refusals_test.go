package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	s := open(t)
	alice := identity(t, s, "alice", "readonly")
	ask := func(id *Identity, request, action, key string) {
		s.Authorize(&Request{Identity: id, Action: action, Bucket: "b", Key: key, RequestID: request, Remote: "192.0.2.1"})
	}
	ask(alice, "1", "s3:GetObject", "k")
	ask(alice, "2", "s3:PutObject", "k")
	ask(nil, "2", "s3:DeleteObject", strings.Repeat("k", 1024))
	ask(alice, "", "s3:PutObject", "k")
	if got := s.Refusals("1"); len(got) != 0 {
		t.Errorf("an allowed request is kept: %+v", got)
	}
	// An action that needs no Allow is refused by a Deny only.
	s.Authorize(&Request{Identity: alice, Action: "sts:AssumeRole", NoAllow: true, RequestID: "1"})
	if _, err := s.AuthorizeExternal("ldap:cn=x", nil, Request{Action: "sts:AssumeRole", NoAllow: true, RequestID: "1"}); err != nil {
		t.Fatal(err)
	}
	if got := s.Refusals("1"); len(got) != 0 {
		t.Errorf("an action that needs no Allow is kept as refused: %+v", got)
	}
	got := s.Refusals("2")
	if len(got) != 2 || got[0].Principal != alice.ARN || got[0].Action != "s3:PutObject" || got[0].Statement != "" ||
		got[1].Principal != "anonymous" || len(got[1].Key) > maxKept+3 || got[1].Remote != "192.0.2.1" {
		t.Errorf("%+v", got)
	}
	s.Refuse(Refusal{RequestID: "3", Action: "s3:PutBucketPolicy", Statement: "public access block"})
	if got := s.LastRefusals(2); len(got) != 2 || got[0].RequestID != "3" || got[1].RequestID != "2" || got[0].Time.IsZero() {
		t.Errorf("%+v", got)
	}
	for i := range maxRefusals {
		ask(alice, fmt.Sprint("r", i), "s3:PutObject", "k")
	}
	if got := s.Refusals("2"); len(got) != 0 {
		t.Errorf("the ring has no end: %+v", got)
	}
	if got := s.LastRefusals(maxRefusals + 5); len(got) != maxRefusals || got[0].RequestID != fmt.Sprint("r", maxRefusals-1) || got[maxRefusals-1].RequestID != "r0" {
		t.Errorf("%d refusals", len(got))
	}
}

func TestSimulate(t *testing.T) {
	s := open(t)
	identity(t, s, "alice", "readonly")
	newKey(t, s, NewAccessKey{Parent: "alice", AccessKey: "narrow", Policy: []byte(onlyList)})
	for _, tt := range []struct {
		principal string
		allowed   bool
		statement string
	}{
		{"alice", true, "readonly[0]"},
		{"narrow", false, "policy of access key narrow allows it nowhere"},
		{rootUser, true, "root"},
		{"", false, ""},
	} {
		d, err := s.Simulate(tt.principal, Request{Action: "s3:GetObject", Bucket: "b", Key: "k", RequestID: "x"})
		if err != nil || d.Allowed != tt.allowed || d.Statement != tt.statement {
			t.Errorf("%q: %+v, %v", tt.principal, d, err)
		}
	}
	if _, err := s.Simulate("nobody", Request{Action: "s3:GetObject"}); !errors.Is(err, ErrNoSuchUser) {
		t.Error(err)
	}
	if len(s.Refusals("x")) != 0 {
		t.Error("a simulation is kept")
	}
}
