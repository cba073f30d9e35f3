package s3api

import (
	"reflect"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam/policy"
)

// twoUsers is an IAM with two users.
type twoUsers struct{ fakeIAM }

var twoUserIDs = map[string]string{
	"arn:aws:iam::" + testAccount + ":user/alice": "AIDAALICEALICEALICEAL",
	"arn:aws:iam::" + testAccount + ":user/bob":   "AIDABOBBOBBOBBOBBOBBO",
}

func (twoUsers) PrincipalID(arn string) (string, bool) {
	id, ok := twoUserIDs[arn]
	return id, ok
}

func (twoUsers) PrincipalARN(id string) (string, bool) {
	for arn, have := range twoUserIDs {
		if have == id {
			return arn, true
		}
	}
	return "", false
}

// FuzzStoredPrincipals: a policy is stored without the ARN of any user, and read again it is the document that was
// sent, but for ids that have become ARNs; what is read can be sent again and is stored alike.
func FuzzStoredPrincipals(f *testing.F) {
	for _, principal := range []string{`"*"`, `{"AWS":"*"}`, `{"AWS":"arn:aws:iam::` + testAccount + `:user/alice"}`, `{"AWS":["AIDABOBBOBBOBBOBBOBBO","` + testAccount + `"]}`,
		`{"AWS":["arn:aws:iam::` + testAccount + `:root","arn:aws:iam::` + testAccount + `:user/bob"]}`, `{"AWS":"arn:aws:iam::` + testAccount + `:user/nobody"}`} {
		f.Add(`{"Statement":[{"Effect":"Deny","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/<&>*"}]}`)
		f.Add(`{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"y","Effect":"Deny","NotPrincipal":` + principal + `,"NotAction":["s3:Get*"],"NotResource":"*","Condition":{"StringLike":{"aws:userid":"AIDAALICEALICEALICEAL"}}}}`)
	}
	c := &call{s: New(Config{IAM: &twoUsers{}})}
	parse := func(t *testing.T, data []byte) *policy.Document {
		doc, err := policy.Parse(data, policy.Resource)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return doc
	}
	f.Fuzz(func(t *testing.T, text string) {
		sent, err := policy.Parse([]byte(text), policy.Resource)
		if err != nil {
			return
		}
		stored, err := c.storePrincipals(parse(t, []byte(text)), []byte(text))
		if err != nil {
			return
		}
		for _, s := range parse(t, stored).Statements {
			for _, p := range []*policy.Principals{s.Principal, s.NotPrincipal} {
				if p != nil && strings.Contains(strings.Join(p.AWS, " "), ":user/") {
					t.Fatalf("stored as %s", stored)
				}
			}
		}
		shown, err := c.showPrincipals(stored)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.storePrincipals(parse(t, shown), shown)
		if err != nil {
			t.Fatalf("%s can't be sent again: %v", shown, err)
		}
		if !reflect.DeepEqual(parse(t, again), parse(t, stored)) {
			t.Fatalf("stored as %s, then as %s", stored, again)
		}
		if _, err := mapPrincipals(sent, nil, func(v string) (string, error) {
			if arn, ok := c.s.IAM.PrincipalARN(v); ok {
				return arn, nil
			}
			return v, nil
		}); err != nil || !reflect.DeepEqual(parse(t, shown), sent) {
			t.Fatalf("%s is read as %s (%v)", text, shown, err)
		}
	})
}
