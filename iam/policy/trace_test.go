package policy

import (
	"reflect"
	"testing"
)

// TestTrace has a statement for each reason for which one does not match.
func TestTrace(t *testing.T) {
	p, err := Compile("p", []byte(`{"Version":"2012-10-17","Statement":[
 {"Sid":"A","Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"},
 {"Effect":"Deny","Principal":"*","NotAction":"s3:Get*","Resource":"arn:aws:s3:::b/*"},
 {"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
 {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
 {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::c/*"},
 {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/*"},
 {"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"User","s3:VersionId":"v"}}},
 {"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
 {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
 {"Sid":"Last","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Null":{"s3:prefix":"true"}}}]}`), Resource)
	if err != nil {
		t.Fatal(err)
	}
	q, err := parseQuery("s3:GetObject b/k aws:securetransport=true")
	if err != nil {
		t.Fatal(err)
	}
	want := []StatementTrace{
		{Statement: "p[0] A", Effect: Allow, Failed: "Action"},
		{Statement: "p[1]", Effect: Deny, Failed: "NotAction"},
		{Statement: "p[2]", Effect: Allow, Failed: "Principal"},
		{Statement: "p[3]", Effect: Deny, Failed: "NotPrincipal"},
		{Statement: "p[4]", Effect: Allow, Failed: "Resource"},
		{Statement: "p[5]", Effect: Allow, Failed: "NotResource"},
		{Statement: "p[6]", Effect: Deny, Failed: "Condition", Operator: "StringEquals", Key: "s3:VersionId", Absent: true},
		{Statement: "p[7]", Effect: Deny, Failed: "Condition", Operator: "Bool", Key: "aws:SecureTransport"},
		{Statement: "p[8]", Effect: Allow, Matched: true, Account: true},
		{Statement: "p[9] Last", Effect: Allow, Matched: true},
	}
	got := p.Trace(q)
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if r := p.Evaluate(q); r.Statement != "p[9] Last" || r.Account {
		t.Errorf("%+v", r)
	}
}
