package s3api

import (
	"regexp"
	"slices"
	"testing"
)

// TestListSomeBuckets: who may not list all buckets is shown those that it may look into, and who
// may look into none, or is denied the list, is refused.
func TestListSomeBuckets(t *testing.T) {
	a := newAccounts(t, "")
	for range 4 {
		a.newBucket()
	}
	name := regexp.MustCompile(`<Name>([^<]*)</Name>`)
	list := func(user, query string) (out []string) {
		got := a.wants(200, "", user, "GET", "/"+query, "")
		for _, m := range name.FindAllStringSubmatch(string(got.body), -1) {
			out = append(out, m[1])
		}
		return out
	}
	if got := list("owner", ""); len(got) != 4 {
		t.Errorf("the owner sees %q", got)
	}
	a.wants(403, "AccessDenied", "bare", "GET", "/", "", "Test-Request: one")
	if got := a.svc.LastRefusals(1); len(got) != 1 || got[0].Action != "s3:ListAllMyBuckets" {
		t.Errorf("%+v", got)
	}
	a.grant("bare", `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket-2"},
 {"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::bucket-4"},
 {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-3/*"}]}`)
	if got := list("bare", ""); !slices.Equal(got, []string{"bucket-2", "bucket-4"}) {
		t.Errorf("bare sees %q", got)
	}
	if got := list("bare", "?max-buckets=1"); !slices.Equal(got, []string{"bucket-2"}) {
		t.Errorf("a page of bare's has %q", got)
	}
	a.wants(403, "AccessDenied", "", "GET", "/", "")
	a.grant("stranger", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)
	a.wants(403, "AccessDenied", "stranger", "GET", "/", "")
	a.user("shut", ownAccount, "readwrite")
	a.grant("shut", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)
	a.wants(403, "AccessDenied", "shut", "GET", "/", "")
}
