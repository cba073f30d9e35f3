package s3api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// blockDoc is a PublicAccessBlockConfiguration in which the settings named are on.
func blockDoc(settings ...string) string {
	var b strings.Builder
	b.WriteString(`<PublicAccessBlockConfiguration xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">`)
	for _, s := range settings {
		fmt.Fprintf(&b, "<%s>true</%[1]s>", s)
	}
	return b.String() + "</PublicAccessBlockConfiguration>"
}

// TestAccountPublicAccessBlock is the account's block as S3 Control has it.
func TestAccountPublicAccessBlock(t *testing.T) {
	a := newAccounts(t, "")
	own, other := "x-amz-account-id: "+ownAccount, "x-amz-account-id: "+otherAccount
	a.wants(404, "NoSuchPublicAccessBlockConfiguration", "owner", "GET", controlPath, "", own)
	a.wants(200, "", "owner", "PUT", controlPath, blockDoc("BlockPublicAcls", "RestrictPublicBuckets"), own)
	got := a.wants(200, "", "owner", "GET", controlPath, "", own)
	want := `<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>`
	if !strings.Contains(got.body, want) || !strings.Contains(got.body, "awss3control") {
		t.Errorf("%s", got.body)
	}
	a.wants(200, "", "root-key", "GET", controlPath, "", own)
	a.wants(404, "NoSuchPublicAccessBlockConfiguration", "stranger", "GET", controlPath, "", other)

	// Nobody but root has a say over another account, and nobody without the actions over any (S-128).
	a.user("getter", ownAccount)
	a.grant("getter", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetAccountPublicAccessBlock","s3:PutBucketPublicAccessBlock"],"Resource":"*"}]}`)
	a.wants(200, "", "getter", "GET", controlPath, "", own)
	for _, row := range []struct{ who, account string }{{"owner", other}, {"stranger", own}, {"bare", own}, {"getter", own}, {"", own}} {
		for _, method := range []string{"PUT", "DELETE"} {
			got := a.wants(403, "AccessDenied", row.who, method, controlPath, blockDoc(), row.account)
			if !strings.HasPrefix(strings.TrimPrefix(got.body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "<ErrorResponse xmlns=") {
				t.Errorf("not wrapped: %s", got.body)
			}
		}
	}
	a.wants(403, "AccessDenied", "owner", "GET", controlPath, "", other)
	a.wants(200, "", "root-key", "PUT", controlPath, blockDoc(), other)
	a.wants(200, "", "stranger", "GET", controlPath, "", other)

	for _, account := range []string{"", "12345", "nobody", "1111111111111"} {
		a.wants(400, "InvalidRequest", "root-key", "PUT", controlPath, blockDoc(), "x-amz-account-id: "+account)
	}
	a.wants(400, "MalformedXML", "owner", "PUT", controlPath, "<Other/>", own)
	a.wants(501, "NotImplemented", "owner", "GET", "/v20180820/jobs", "", own)
	a.wants(403, "AccessDenied", "", "GET", "/v20180820/jobs", "", own)
	a.wants(200, "", "owner", "GET", controlPath, "", own)
	a.wants(204, "", "owner", "DELETE", controlPath, "", own)
	a.wants(204, "", "owner", "DELETE", controlPath, "", own)
	a.wants(404, "NoSuchPublicAccessBlockConfiguration", "owner", "GET", controlPath, "", own)

	// A bucket of the name of S3 Control's paths is a bucket like any other.
	a.wants(200, "", "owner", "PUT", "/v20180820", "")
	a.wants(200, "", "owner", "PUT", controlPath, "content")
	if got := a.wants(200, "", "owner", "GET", controlPath, ""); got.body != "content" {
		t.Errorf("the object is %s", got.body)
	}
	a.wants(404, "NoSuchPublicAccessBlockConfiguration", "owner", "GET", controlPath, "", own)
}

// TestAccountHeaderMustBeSigned: what is not signed does not make a request another one (S-035).
func TestAccountHeaderMustBeSigned(t *testing.T) {
	a := newAccounts(t, "")
	a.wants(200, "", "owner", "PUT", "/v20180820", "")
	r := a.request("PUT", controlPath, blockDoc("BlockPublicPolicy"))
	s := *a.signer()
	s.AccessKey, s.Secret = "owner", "owner-key-secret"
	s.SignHeader(r, "UNSIGNED-PAYLOAD", a.now)
	r.Header.Set("X-Amz-Account-Id", ownAccount)
	if got := a.send(r); got.status != 403 || got.code() != "AccessDenied" {
		t.Errorf("%d %s", got.status, got.body)
	}
	a.wants(404, "NoSuchPublicAccessBlockConfiguration", "owner", "GET", controlPath, "", "x-amz-account-id: "+ownAccount)
	a.wants(404, "NoSuchKey", "owner", "GET", controlPath, "")
}

// TestMostRestrictiveBlockWins: what the block of the account or of the bucket forbids is forbidden, by either alone (S-102).
func TestMostRestrictiveBlockWins(t *testing.T) {
	for _, where := range []string{"account", "bucket", "both", "neither"} {
		t.Run(where, func(t *testing.T) {
			a := newAccounts(t, ObjectWriter)
			path := a.newBucket()
			a.wants(200, "", "owner", "PUT", path+"/listed", "content", "x-amz-acl: public-read")
			a.wants(200, "", "owner", "PUT", path+"/k", "content")
			block := func(settings ...string) {
				if where == "account" || where == "both" {
					a.wants(200, "", "owner", "PUT", controlPath, blockDoc(settings...), "x-amz-account-id: "+ownAccount)
				}
				if where == "bucket" || where == "both" {
					a.wants(200, "", "owner", "PUT", path+"?publicAccessBlock", blockDoc(settings...))
				}
			}
			expect := func(blocked int, code, who, method, target, body string, headers ...string) {
				t.Helper()
				if where == "neither" {
					blocked, code = 200, ""
					if strings.HasSuffix(target, "?policy") {
						blocked = 204
					}
				}
				a.wants(blocked, code, who, method, target, body, headers...)
			}
			a.wants(200, "", "", "GET", path+"/listed", "")
			block("BlockPublicAcls")
			expect(403, "AccessDenied", "owner", "PUT", path+"/listed?acl", "", "x-amz-acl: public-read")
			expect(403, "AccessDenied", "owner", "PUT", path+"/new", "x", "x-amz-acl: public-read")
			a.wants(200, "", "owner", "PUT", path+"/new", "x", "x-amz-acl: private")
			a.wants(200, "", "", "GET", path+"/listed", "")
			if where != "bucket" {
				expect(403, "AccessDenied", "owner", "PUT", path+"-new", "", "x-amz-acl: public-read")
			}
			block("IgnorePublicAcls")
			expect(403, "AccessDenied", "", "GET", path+"/listed", "")
			block("BlockPublicPolicy")
			a.wants(200, "", "", "GET", path+"/listed", "")
			public := policyDoc("Allow", "s3:*", path)
			expect(403, "AccessDenied", "owner", "PUT", path+"?policy", public)
			a.wants(204, "", "owner", "PUT", path+"?policy", strings.Replace(public, `"*"`, `{"AWS":"`+otherAccount+`"}`, 1))
			block()
			a.wants(204, "", "owner", "PUT", path+"?policy", public)
			lists := []string{"", "?versions", "?uploads", "?list-type=2", "?location"}
			for _, sub := range lists {
				a.wants(200, "", "", "GET", path+sub, "")
			}
			a.wants(200, "", "", "GET", path+"/k", "")
			block("RestrictPublicBuckets")
			expect(403, "AccessDenied", "", "GET", path+"/k", "")
			expect(403, "AccessDenied", "stranger", "GET", path+"/k", "")
			for _, sub := range lists {
				expect(403, "AccessDenied", "", "GET", path+sub, "")
			}
			a.wants(200, "", "bare", "GET", path+"/k", "")
			block()
			a.wants(200, "", "", "GET", path+"/k", "")
		})
	}
}

// TestDamagedAccountBlock: settings that can't be read block everything.
func TestDamagedAccountBlock(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	a.wants(204, "", "owner", "PUT", path+"?policy",
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+path[1:]+`/*"}]}`)
	a.wants(200, "", "", "GET", path+"/k", "")
	a.s.IAM = blockedIAM{a.svc}
	a.wants(403, "AccessDenied", "", "GET", path+"/k", "")
	a.wants(200, "", "owner", "GET", path+"/k", "")
}

// blockedIAM is an IAM whose accounts have a block that can't be read.
type blockedIAM struct{ *iam.Service }

func (blockedIAM) PublicAccess(string) (iam.PublicAccess, bool) {
	return iam.PublicAccess{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}, true
}
