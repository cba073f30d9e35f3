package s3api

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// TestRequestTagConditions: what a policy learns of the tags that a request wants to set
// is what would be stored, whichever way they come.
func TestRequestTagConditions(t *testing.T) {
	e := newEnv(t)
	e.do("PUT", "/bkt/k", "x")
	e.iam.deny = func(r *iamRequest) bool {
		if r.Action != "s3:PutObject" && r.Action != "s3:PutObjectTagging" {
			return false
		}
		v, _ := r.Conditions.Values("s3:requestobjecttag/class")
		keys, _ := r.Conditions.Values("s3:requestobjecttagkeys")
		return slices.Contains(v, "secret") || slices.Contains(keys, "forbidden")
	}
	body := func(k, v string) string {
		return "<Tagging><TagSet><Tag><Key>" + k + "</Key><Value>" + v + "</Value></Tag></TagSet></Tagging>"
	}
	rows := []struct {
		name, target, body string
		headers            []string
		status             int
	}{
		{"header denied", "/bkt/a", "x", []string{"x-amz-tagging: class=secret"}, 403},
		{"header key denied", "/bkt/a", "x", []string{"x-amz-tagging: forbidden=1"}, 403},
		{"header allowed", "/bkt/a", "x", []string{"x-amz-tagging: class=open"}, 200},
		{"no tags", "/bkt/a", "x", nil, 200},
		{"header malformed", "/bkt/a", "x", []string{"x-amz-tagging: %zz"}, 400},
		{"body denied", "/bkt/k?tagging", body("class", "secret"), nil, 403},
		{"body key denied", "/bkt/k?tagging", body("forbidden", "1"), nil, 403},
		{"body allowed", "/bkt/k?tagging", body("class", "open"), nil, 200},
		{"body malformed", "/bkt/k?tagging", "<Tagging>", nil, 400},
	}
	for _, row := range rows {
		if a := e.do("PUT", row.target, row.body, row.headers...); a.status != row.status {
			t.Errorf("%s: %d %s, want %d", row.name, a.status, a.body, row.status)
		}
	}
	if a := e.do("GET", "/bkt/k?tagging", ""); !strings.Contains(a.body, "<Value>open</Value>") {
		t.Errorf("the body that was read for the decision was not stored: %s", a.body)
	}
}

// damagedStat is a backend whose metadata can't be read.
type damagedStat struct{ storage.Backend }

func (damagedStat) StatObject(context.Context, storage.Ref) (*storage.Object, error) {
	return nil, storage.ErrDamaged
}

// TestUnreadableTagDecidesNothing: a Deny on a tag must not become void because the tag can't be read (S-099).
func TestUnreadableTagDecidesNothing(t *testing.T) {
	e := newEnv(t)
	e.do("PUT", "/bkt/k", "x")
	e.iam.deny = func(r *iamRequest) bool {
		v, _ := r.Conditions.Values("s3:existingobjecttag/visibility")
		return slices.Contains(v, "secret")
	}
	if a := e.do("GET", "/bkt/k", ""); a.status != 200 {
		t.Fatalf("untagged: %d %s", a.status, a.body)
	}
	e.s.Backend = damagedStat{e.s.Backend}
	if a := e.do("GET", "/bkt/k", ""); a.status != 500 || strings.Contains(a.body, "x<") {
		t.Errorf("%d %s, want 500", a.status, a.body)
	}
}

// TestHoistedHeaders: presigners of SDKs move x-amz-* headers into the query, where they mean the
// same as headers; the checksum that they take of a body that is not there yet means nothing.
func TestHoistedHeaders(t *testing.T) {
	e := newEnv(t)
	put := func(query string) *answered {
		r := e.request("PUT", "/bkt/h?"+query, "content")
		e.signer().Presign(r, time.Hour, e.now)
		return e.send(r)
	}
	if a := put("x-amz-meta-color=blue&x-amz-tagging=a%3Db&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := e.do("GET", "/bkt/h", "")
	if a.Get("X-Amz-Meta-Color") != "blue" || a.Get("X-Amz-Tagging-Count") != "1" || a.body != "content" {
		t.Errorf("%v %q", a.Header, a.body)
	}
	for _, q := range []string{"x-amz-server-side-encryption=AES256", "x-amz-copy-source=/bkt/h", "x-amz-unheard-of=1"} {
		if a := put(q); a.status != 501 {
			t.Errorf("%s: %d, want 501", q, a.status)
		}
	}
}

// TestRestrictPublicBuckets: a public policy counts for nobody outside the bucket's account, and
// whatever else would allow them does not either, since the policy's denials must not get lost (S-102, S-137).
func TestRestrictPublicBuckets(t *testing.T) {
	const policy = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/secret"}]}`
	const block = `<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`
	e := newEnv(t)
	e.bucket("theirs", storage.VersioningUnset)
	for _, name := range []string{"bkt", "theirs"} {
		e.do("PUT", "/"+name+"/k", "x")
	}
	set := func(name, owner, doc, text string) {
		t.Helper()
		err := e.s.Backend.UpdateBucket(context.Background(), name, func(b *storage.Bucket) error {
			b.Owner = owner
			b.Docs[doc] = []byte(strings.ReplaceAll(text, "BUCKET", name))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("bkt", testAccount, docPolicy, policy)
	set("theirs", "000000000002", docPolicy, policy)
	get := func(when string, own, other, anonymous int) {
		t.Helper()
		for _, row := range []struct {
			who  string
			a    *answered
			want int
		}{{"own account", e.do("GET", "/bkt/k", ""), own}, {"another account", e.do("GET", "/theirs/k", ""), other}, {"anonymous", e.anonymous("GET", "/bkt/k", ""), anonymous}} {
			if row.a.status != row.want {
				t.Errorf("%s, %s: %d, want %d", when, row.who, row.a.status, row.want)
			}
		}
	}
	get("without the block", 200, 200, 200)
	set("bkt", testAccount, docPublicAccess, block)
	set("theirs", "000000000002", docPublicAccess, block)
	get("with the block", 200, 403, 403)
}

// TestConditionsOfTheResource: conditions speak of the object that is asked about, which for a copy is now the source
// and now the target, and for DeleteObjects each in turn (S-099).
func TestConditionsOfTheResource(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	first := e.must(200, "PUT", "/ver/k", "1", "X-Amz-Tagging: visibility=secret").Get("X-Amz-Version-Id")
	e.must(200, "PUT", "/ver/k", "2", "X-Amz-Tagging: visibility=public")
	e.must(200, "PUT", "/bkt/secret", "s", "X-Amz-Tagging: visibility=secret")
	e.must(200, "PUT", "/bkt/public", "p", "X-Amz-Tagging: visibility=public")
	e.must(200, "PUT", "/bkt/plain", "x")
	id := e.create("/bkt/mp")
	secret := func(r *iamRequest) bool {
		v, _ := r.Conditions.Values("s3:existingobjecttag/visibility")
		return slices.Contains(v, "secret")
	}
	notPublic := func(r *iamRequest) bool {
		v, _ := r.Conditions.Values("s3:existingobjecttag/visibility")
		return r.Action[:6] == "s3:Get" && !slices.Contains(v, "public")
	}
	for _, row := range []struct {
		name   string
		deny   func(*iamRequest) bool
		method string
		target string
		source string
		status int
	}{
		{"get", secret, "GET", "/bkt/secret", "", 403},
		{"get the other", secret, "GET", "/bkt/public", "", 200},
		{"head", secret, "HEAD", "/bkt/secret", "", 403},
		{"tags", secret, "GET", "/bkt/secret?tagging", "", 403},
		{"retag", secret, "PUT", "/bkt/secret?tagging", "", 403},
		{"untag", secret, "DELETE", "/bkt/secret?tagging", "", 403},
		{"copy source", secret, "PUT", "/bkt/copy", "bkt/secret", 403},
		{"copy of the other", secret, "PUT", "/bkt/copy", "bkt/public", 200},
		{"part source", secret, "PUT", "/bkt/mp?partNumber=1&uploadId=" + id, "bkt/secret", 403},
		{"part of the other", secret, "PUT", "/bkt/mp?partNumber=1&uploadId=" + id, "bkt/public", 200},
		{"current version", secret, "GET", "/ver/k", "", 200},
		{"old version", secret, "GET", "/ver/k?versionId=" + first, "", 403},
		{"copy of an old version", secret, "PUT", "/bkt/copy", "ver/k?versionId=" + first, 403},
		{"copy over a secret", secret, "PUT", "/bkt/secret", "bkt/public", 403},
		{"untagged is not public", notPublic, "GET", "/bkt/plain", "", 403},
		{"absent is not public", notPublic, "GET", "/bkt/absent", "", 403},
		{"public is", notPublic, "GET", "/bkt/public", "", 200},
	} {
		e := e.at(t)
		var headers []string
		if row.source != "" {
			headers = []string{"x-amz-copy-source: " + row.source}
		}
		body := ""
		if row.name == "retag" {
			body = "<Tagging><TagSet/></Tagging>"
		}
		e.iam.deny = row.deny
		if a := e.do(row.method, row.target, body, headers...); a.status != row.status {
			t.Errorf("%s: %d %s, want %d", row.name, a.status, a.body, row.status)
		}
		e.iam.deny = nil
	}
	e.iam.deny = secret
	body := "<Delete><Object><Key>secret</Key></Object><Object><Key>plain</Key></Object></Delete>"
	a := e.must(200, "POST", "/bkt?delete", body, "Content-MD5: "+b64md5([]byte(body)))
	if !strings.Contains(a.body, "<Error><Key>secret</Key><Code>AccessDenied") || !strings.Contains(a.body, "<Deleted><Key>plain</Key>") {
		t.Errorf("DeleteObjects: %s", a.body)
	}
	body = "<Delete><Object><Key>k</Key><VersionId>" + first + "</VersionId></Object><Object><Key>k</Key></Object></Delete>"
	a = e.must(200, "POST", "/ver?delete", body, "Content-MD5: "+b64md5([]byte(body)))
	if !strings.Contains(a.body, "<Error><Key>k</Key><VersionId>"+first) || strings.Count(a.body, "<Error>") != 1 {
		t.Errorf("DeleteObjects of a version: %s", a.body)
	}
}

// TestCopiedTagConditions: a copy that takes over its source's tags is judged by those, not by the header that it does not use.
func TestCopiedTagConditions(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/s", "x", "X-Amz-Tagging: class=secret")
	e.iam.deny = func(r *iamRequest) bool {
		v, _ := r.Conditions.Values("s3:requestobjecttag/class")
		return r.Action == "s3:PutObjectTagging" && !slices.Contains(v, "open")
	}
	source, open := "x-amz-copy-source: bkt/s", "x-amz-tagging: class=open"
	e.refused(403, "AccessDenied", "PUT", "/bkt/c", "", source)
	e.refused(403, "AccessDenied", "PUT", "/bkt/c", "", source, open)
	e.refused(403, "AccessDenied", "PUT", "/bkt/c", "", source, open, "x-amz-tagging-directive: COPY")
	e.must(404, "HEAD", "/bkt/c", "")
	e.must(200, "PUT", "/bkt/c", "", source, open, "x-amz-tagging-directive: REPLACE")
}

// TestTakenTagConditions: a Deny of a write by the tags of the request counts for tags that a copy or a renaming takes over.
func TestTakenTagConditions(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "k", "x-amz-tagging: class=secret")
	a.grant("owner", `{"Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"s3:RequestObjectTag/class":"secret"}}}]}`)
	a.wants(403, "AccessDenied", "owner", "PUT", path+"/put", "k", "x-amz-tagging: class=secret")
	a.wants(403, "AccessDenied", "owner", "PUT", path+"/copy", "", "x-amz-copy-source: "+path+"/k")
	a.wants(403, "AccessDenied", "owner", "PUT", path+"/renamed?renameObject", "", "x-amz-rename-source: k")
	a.wants(200, "", "owner", "PUT", path+"/copy", "", "x-amz-copy-source: "+path+"/k", "x-amz-tagging-directive: REPLACE")
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/renamed", "")
}

// TestTagsOfAnotherObject overwrites or tags an object between the decision and the answer: what is answered with is what
// the decision must hold for (S-099).
func TestTagsOfAnotherObject(t *testing.T) {
	const open, secret = "x-amz-tagging: visibility=open", "x-amz-tagging: visibility=secret"
	for _, row := range []struct {
		name          string
		method        string
		target        string
		source        bool
		before, later string // "": no object
		status        int
	}{
		{"get", "GET", "/k", false, open, secret, 403},
		{"get of what is still open", "GET", "/k", false, open, open, 200},
		{"head", "HEAD", "/k", false, open, secret, 403},
		{"tags", "GET", "/k?tagging", false, open, secret, 403},
		{"attributes", "GET", "/k?attributes", false, open, secret, 403},
		{"absent at first", "GET", "/k", false, "", secret, 403},
		{"absent at first, then open", "GET", "/k", false, "", open, 200},
		{"source of a copy", "PUT", "/copy", true, open, secret, 403},
		{"source that is still open", "PUT", "/copy", true, open, open, 200},
		{"copy onto a secret", "PUT", "/old", true, open, open, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAccounts(t, "")
			path := a.newBucket()
			a.wants(200, "", "owner", "PUT", path+"/old", "x", secret)
			if row.before != "" {
				a.wants(200, "", "owner", "PUT", path+"/k", "before", row.before)
			}
			a.user("reader", ownAccount, "readwrite")
			a.grant("reader", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/visibility":"secret"}}}]}`)
			a.s.Backend = &after{Backend: a.s.Backend, key: "k", then: func() {
				a.wants(200, "", "owner", "PUT", path+"/k", "later", row.later)
			}}
			headers := []string{"x-amz-object-attributes: ETag"}
			if !strings.Contains(row.target, "attributes") {
				headers = nil
			}
			if row.source {
				headers = []string{"x-amz-copy-source: " + path + "/k"}
			}
			if got := a.as("reader", row.method, path+row.target, "", headers...); got.status != row.status || strings.Contains(got.body, "secret") {
				t.Errorf("%d %s, want %d", got.status, got.body, row.status)
			}
		})
	}
}
