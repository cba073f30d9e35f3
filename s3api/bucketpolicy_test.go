package s3api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/storage"
)

// TestBucketPolicyRules is what S3 takes and refuses as the policy of a bucket (S3 user guide, "Bucket policies for Amazon S3").
func TestBucketPolicyRules(t *testing.T) {
	const bucket, objects = `"arn:aws:s3:::bkt"`, `"arn:aws:s3:::bkt/*"`
	rows := []struct{ action, resource, condition, refusal string }{
		{`"s3:GetObject"`, objects, "", ""},
		{`"s3:getobject"`, objects, "", ""},
		{`"s3:*"`, bucket, "", ""},
		{`"*"`, objects, "", ""},
		{`"s3:GetObjec?"`, `["arn:aws:s3:::bkt","arn:aws:s3:::bkt/public/*"]`, "", ""},
		{`["s3:ListBucket","s3:GetObject"]`, `["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]`, "", ""},
		{`"s3:GetObject"`, `"arn:aws:s3:::bk*"`, "", ""}, // "*" crosses "/"
		{`"s3:ListBucket"`, `"arn:aws:s3:::*"`, "", ""},
		{`"s3:BypassGovernanceRetention"`, objects, "", ""},
		{`"s3:GetObjectVersion"`, objects, "", ""},
		{`"s3:ListenBucketNotification"`, bucket, "", ""}, // MinIO's

		{`"s3:ListBucket"`, objects, "", "does not apply"}, // S-037
		{`"s3:PutBucketPolicy"`, objects, "", "does not apply"},
		{`"s3:GetBucket*"`, objects, "", "does not apply"},
		{`"s3:GetObject"`, bucket, "", "does not apply"},
		{`"s3:Abort*"`, bucket, "", "does not apply"},
		{`["s3:GetObject","s3:ListBucket"]`, objects, "", "does not apply"},
		{`"s3:ListAllMyBuckets"`, bucket, "", "invalid action"},
		{`"s3:NoSuchThing"`, objects, "", "invalid action"},
		{`"s3:?"`, objects, "", "invalid action"},
		{`"admin:*"`, objects, "", "invalid action"},

		{`"s3:GetObject"`, `"arn:aws:s3:::bkt2/*"`, "", "invalid resource"}, // S-120
		{`"s3:GetObject"`, `"arn:aws:s3:::bk/*"`, "", "invalid resource"},
		{`"s3:GetObject"`, `"arn:aws:s3:::[b]kt/*"`, "", "invalid resource"},
		{`"s3:GetObject"`, `["arn:aws:s3:::bkt/*","arn:aws:s3:::other/*"]`, "", "invalid resource"},
		{`"s3:GetObject"`, `"arn:aws:s3:::/bkt/*"`, "", "invalid resource"},
		{`"s3:GetObject"`, `"arn:aws:s3:::${aws:username}/*"`, "", "invalid resource"},

		{`"s3:ListBucket"`, bucket, `{"StringEquals":{"s3:prefix":"a/"}}`, ""},
		{`"s3:*"`, bucket, `{"StringEquals":{"s3:prefix":"a/"}}`, ""},
		{`"s3:PutObject"`, objects, `{"StringLike":{"S3:X-Amz-Copy-Source":"bkt/public/*"}}`, ""},
		{`"s3:GetObject"`, objects, `{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}`, ""},
		{`"s3:GetObject"`, objects, `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, ""},
		{`"s3:GetObject"`, objects, `{"StringEquals":{"s3:prefix":"a/"}}`, "Conditions do not apply"},
		{`["s3:ListBucket","s3:GetBucketLocation"]`, bucket, `{"StringEquals":{"s3:prefix":"a/"}}`, "Conditions do not apply"},
		{`["s3:GetObject","s3:PutObject"]`, objects, `{"StringEquals":{"s3:x-amz-acl":"private"}}`, "Conditions do not apply"},
		{`["s3:PutObjectAcl","s3:PutObjectTagging"]`, objects, `{"StringEquals":{"s3:RequestObjectTag/a":"b"}}`, "Conditions do not apply"},
		{`"s3:ListBucket"`, bucket, `{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}`, "Conditions do not apply"},
	}
	e := newEnv(t)
	for _, row := range rows {
		condition := ""
		if row.condition != "" {
			condition = `,"Condition":` + row.condition
		}
		doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"%s"},"Action":%s,"Resource":%s%s}]}`,
			otherAccount, row.action, row.resource, condition)
		a := e.do("PUT", "/bkt?policy", doc)
		switch {
		case row.refusal == "":
			if a.status != 204 {
				t.Errorf("%s: %d %s", doc, a.status, a.body)
			} else if got := e.must(200, "GET", "/bkt?policy", "").body; got != doc {
				t.Errorf("%s is read as %s", doc, got)
			}
			e.must(204, "DELETE", "/bkt?policy", "")
		case a.status != 400 || a.code() != "MalformedPolicy" || !strings.Contains(a.element("Message"), row.refusal):
			t.Errorf("%s: %d %s, want %q", doc, a.status, a.body, row.refusal)
		default:
			e.refused(404, "NoSuchBucketPolicy", "GET", "/bkt?policy", "")
		}
	}
	// NotAction and NotResource speak of the rest, which there always is.
	e.must(204, "PUT", "/bkt?policy", `{"Statement":[{"Effect":"Deny","Principal":"*","NotAction":"s3:ListBucket","Resource":"arn:aws:s3:::bkt/*"},`+
		`{"Effect":"Deny","Principal":"*","Action":"s3:ListBucket","NotResource":"arn:aws:s3:::bkt/x"}]}`)
	e.refused(400, "MalformedPolicy", "PUT", "/bkt?policy", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","NotResource":"arn:aws:s3:::other/x"}]}`)
}

// TestBucketPolicyLimit has the limit of 20 KiB (S-239).
func TestBucketPolicyLimit(t *testing.T) {
	e := newEnv(t)
	const begin, end = `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/`, `"}]}`
	doc := func(size int) string { return begin + strings.Repeat("a", size-len(begin)-len(end)) + end }
	e.must(204, "PUT", "/bkt?policy", doc(20480))
	a := e.refused(400, "MalformedPolicy", "PUT", "/bkt?policy", doc(20481))
	if !strings.Contains(a.body, "exceeds the maximum") {
		t.Errorf("%s", a.body)
	}
	for _, text := range []string{"", "{", "[]", `{"Statement":[]}`, "null", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/x"}]} x`} {
		e.refused(400, "MalformedPolicy", "PUT", "/bkt?policy", text)
	}
	if got := e.must(200, "GET", "/bkt?policy", "").body; got != doc(20480) {
		t.Errorf("a refused policy left %s", got)
	}
}

// TestBucketPolicyPrincipals stores users by their ids: a user made anew under an old name is another one.
func TestBucketPolicyPrincipals(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	bare := "arn:aws:iam::" + ownAccount + ":user/bare"
	doc := func(principal string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%s]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, principal, path[1:])
	}
	for _, p := range []string{`"arn:aws:iam::` + ownAccount + `:user/nobody"`, `"arn:aws:iam::` + otherAccount + `:user/bare"`, `"AIDAABCDEFGHIJKLMNOPQ"`, `"` + bare + `","arn:aws:iam::` + ownAccount + `:user/nobody"`} {
		got := a.wants(400, "MalformedPolicy", "owner", "PUT", path+"?policy", doc(p))
		if got.element("Message") != "Invalid principal in policy" {
			t.Errorf("%s: %s", p, got.body)
		}
	}
	a.wants(403, "AccessDenied", "bare", "GET", path+"/k", "")
	a.wants(204, "", "owner", "PUT", path+"?policy", doc(`"`+bare+`","`+ownAccount+`","arn:aws:iam::`+otherAccount+`:root"`))
	a.wants(200, "", "bare", "GET", path+"/k", "")
	if got := a.wants(200, "", "owner", "GET", path+"?policy", "").body; !strings.Contains(got, `"`+bare+`"`) || strings.Contains(got, "AIDA") {
		t.Errorf("read as %s", got)
	}
	u, err := a.svc.User("bare")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.svc.DeleteUser(t.Context(), "bare"); err != nil {
		t.Fatal(err)
	}
	if got := a.wants(200, "", "owner", "GET", path+"?policy", "").body; !strings.Contains(got, `"`+u.ID+`"`) || strings.Contains(got, bare) {
		t.Errorf("read as %s, want the id %s", got, u.ID)
	}
	a.user("bare", ownAccount)
	a.wants(403, "AccessDenied", "bare", "GET", path+"/k", "")
	a.wants(400, "MalformedPolicy", "owner", "PUT", path+"?policy", doc(`"`+u.ID+`"`))
	a.wants(204, "", "owner", "PUT", path+"?policy", doc(`"`+bare+`"`))
	a.wants(200, "", "bare", "GET", path+"/k", "")

	// A policy that was stored by ARN goes on to mean who has the ARN.
	err = a.s.Backend.UpdateBucket(t.Context(), path[1:], func(b *storage.Bucket) error {
		b.Docs[docPolicy] = []byte(doc(`"` + bare + `"`))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.wants(200, "", "bare", "GET", path+"/k", "")
	if got := a.wants(200, "", "owner", "GET", path+"?policy", "").body; got != doc(`"`+bare+`"`) {
		t.Errorf("read as %s", got)
	}
}

// TestPolicyOfAnotherAccount: a bucket policy gives nobody outside the account a say over the policy (S3 API reference, PutBucketPolicy), and
// nothing of it binds root (S-018, S-128).
func TestPolicyOfAnotherAccount(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(204, "", "owner", "PUT", path+"?policy", policyDoc("Allow", "s3:*", path))
	for _, who := range []string{"stranger", ""} {
		a.wants(405, "MethodNotAllowed", who, "GET", path+"?policy", "")
		a.wants(405, "MethodNotAllowed", who, "PUT", path+"?policy", policyDoc("Allow", "s3:*", path))
		a.wants(405, "MethodNotAllowed", who, "DELETE", path+"?policy", "")
	}
	a.wants(200, "", "bare", "GET", path+"?policy", "")
	everybody := policyDoc("Deny", "s3:*", path)
	a.wants(403, "AccessDenied", "owner", "PUT", path+"?policy", everybody)
	a.wants(204, "", "owner", "PUT", path+"?policy", everybody, "x-amz-confirm-remove-self-bucket-access: true")
	for _, who := range []string{"owner", "bare", "stranger", ""} {
		a.wants(403, "AccessDenied", who, "GET", path+"?policy", "")
		a.wants(403, "AccessDenied", who, "DELETE", path+"?policy", "")
	}
	a.wants(200, "", "root-key", "GET", path+"?policy", "")
	a.wants(200, "", "root-key", "GET", path, "")
	a.wants(204, "", "root-key", "PUT", path+"?policy", everybody)
	a.wants(204, "", "root-key", "DELETE", path+"?policy", "")
	a.wants(200, "", "owner", "GET", path, "")
}

// TestPolicyRulesKnowActions: what iam/policy takes as an action of S3 is of a bucket, of objects, or of something that no bucket's
// policy decides about.
func TestPolicyRulesKnowActions(t *testing.T) {
	elsewhere := []string{"AccessGrant", "AccessPoint", "MultiRegion", "StorageLens", "Job", "DataAccess", "VendedLog"}
	rules := newPolicyRules(operations())
	for _, action := range policy.Actions() {
		if !strings.HasPrefix(action, "s3:") || slices.ContainsFunc(elsewhere, func(s string) bool { return strings.Contains(action, s) }) {
			continue
		}
		if rules[action] == 0 {
			t.Errorf("%s is of nothing", action)
		}
		delete(rules, action)
	}
	for action := range rules {
		t.Errorf("iam/policy knows no %s", action)
	}
}
