package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestRefusals: whoever may ask learns why a request was refused, the client does not.
func TestRefusals(t *testing.T) {
	a := newAccounts(t, "")
	a.event.Remote = "192.0.2.7"
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	bucket := path[1:]
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	a.wants(200, "", "owner", "PUT", path+"/held", "content", "x-amz-object-lock-legal-hold: ON")
	version := a.as("owner", "HEAD", path+"/held", "").Get("X-Amz-Version-Id")
	deny := `{"Version":"2012-10-17","Statement":[{"Sid":"Shut","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::` + bucket + `/no/*"},` +
		`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/public/*"}]}`
	a.wants(204, "", "owner", "PUT", path+"?policy", deny)
	user := func(name, account string) string { return "arn:aws:iam::" + account + ":user/" + name }
	block := func(setting string) {
		a.wants(200, "", "owner", "PUT", path+"?publicAccessBlock", "<PublicAccessBlockConfiguration><"+setting+">true</"+setting+"></PublicAccessBlockConfiguration>")
	}
	rows := []struct {
		name, who, method, target, body string
		headers                         []string
		before                          func()
		want                            iam.Refusal
	}{
		{name: "no statement", who: "bare", method: "GET", target: path + "/k",
			want: iam.Refusal{Principal: user("bare", ownAccount), AccessKey: "bare", Action: "s3:GetObject", Key: "k"}},
		{name: "deny", who: "owner", method: "PUT", target: path + "/no/k",
			want: iam.Refusal{Principal: user("owner", ownAccount), AccessKey: "owner", Action: "s3:PutObject", Key: "no/k", Statement: "bucket policy[0] Shut", Explicit: true}},
		{name: "anonymous", method: "GET", target: path + "/k?versionId=" + version, want: iam.Refusal{Principal: "anonymous", Action: "s3:GetObjectVersion", Key: "k"}},
		{name: "source", who: "owner", method: "PUT", target: path + "/c", headers: []string{"x-amz-copy-source: /nobodys/k"}, // a bucket of nobody's is decided on as one's own
			want: iam.Refusal{}},
		{name: "expected owner", who: "owner", method: "GET", target: path + "/k", headers: []string{"x-amz-expected-bucket-owner: " + otherAccount},
			want: iam.Refusal{Principal: user("owner", ownAccount), AccessKey: "owner", Action: "s3:GetObject", Key: "k", Statement: "the bucket's owner is not the one that the request expects", Explicit: true}},
		{name: "lock", who: "owner", method: "DELETE", target: path + "/held?versionId=" + version,
			want: iam.Refusal{Principal: user("owner", ownAccount), AccessKey: "owner", Action: "s3:DeleteObjectVersion", Key: "held", Statement: "object lock", Explicit: true}},
		{name: "self removal", who: "owner", method: "PUT", target: path + "?policy", body: policyDoc("Deny", "s3:*", path),
			want: iam.Refusal{Principal: user("owner", ownAccount), AccessKey: "owner", Action: "s3:PutBucketPolicy", Statement: "The policy would take", Explicit: true}},
		{name: "public policy", who: "owner", method: "PUT", target: path + "?policy", body: policyDoc("Allow", "s3:*", path), before: func() { block("BlockPublicPolicy") },
			want: iam.Refusal{Principal: user("owner", ownAccount), AccessKey: "owner", Action: "s3:PutBucketPolicy", Statement: "The policy grants public access", Explicit: true}},
		{name: "restricted", method: "GET", target: path + "/public/k", before: func() { block("RestrictPublicBuckets") },
			want: iam.Refusal{Principal: "anonymous", Action: "s3:GetObject", Key: "public/k", Statement: "public access block: RestrictPublicBuckets", Explicit: true}},
		{name: "no such operation", method: "GET", target: path + "?torrent&acl", want: iam.Refusal{Principal: "anonymous", Statement: "Access Denied", Explicit: true}},
		{name: "nothing", who: "owner", method: "GET", target: path + "/k"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.before != nil {
				row.before()
			}
			id := "id of " + row.name
			got := a.as(row.who, row.method, row.target, row.body, append(row.headers, "Test-Request: "+id)...)
			list := a.svc.Refusals(id)
			if row.want.Principal == "" {
				if len(list) > 0 {
					t.Errorf("%d: kept %+v", got.status, list)
				}
				return
			}
			if got.status != 403 || len(list) != 1 {
				t.Fatalf("%d %s, kept %+v", got.status, got.body, list)
			}
			have, want := list[0], row.want
			want.RequestID, want.Bucket, want.Remote, want.Time = id, bucket, "192.0.2.7", have.Time
			if !strings.HasPrefix(have.Statement, want.Statement) || (want.Statement == "") != (have.Statement == "") {
				t.Errorf("statement %q, want %q", have.Statement, want.Statement)
			}
			want.Statement = have.Statement
			if have != want {
				t.Errorf("kept %+v, want %+v", have, want)
			}
			if want.Statement == "bucket policy[0] Shut" && strings.Contains(got.body, "Shut") {
				t.Errorf("the client learns %s", got.body)
			}
		})
	}
	// Of several objects each refusal is kept.
	body := "<Delete><Object><Key>held</Key><VersionId>" + version + "</VersionId></Object><Object><Key>k</Key></Object></Delete>"
	a.wants(200, "", "owner", "POST", path+"?delete", body, "Content-MD5: "+b64md5([]byte(body)), "Test-Request: many")
	if list := a.svc.Refusals("many"); len(list) != 1 || list[0].Statement != "object lock" || list[0].Key != "held" {
		t.Errorf("kept %+v", list)
	}
}
