package s3api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/sigv4"
)

// The tests here are about the many ways in which an object comes to be: each must ask for the same rights, and take no
// more at its word than the others.

// formAs is a form to a bucket, with the policy that allows just it, signed by a user.
func (a *accounts) formAs(user, path string, f postForm) *answered {
	a.t.Helper()
	s := &sigv4.Signer{AccessKey: user, Secret: user + "-key-secret", Region: "us-east-1", Service: "s3"}
	conditions := []string{fmt.Sprintf(`{"bucket": %q}`, path[1:])}
	for _, p := range f.fields {
		conditions = append(conditions, fmt.Sprintf(`{%q: %q}`, p[0], p[1]))
	}
	for name, value := range s.PostFields(a.now) {
		conditions = append(conditions, fmt.Sprintf(`{%q: %q}`, name, value))
	}
	policy := fmt.Sprintf(`{"expiration": %q, "conditions": [%s]}`, a.now.Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"), strings.Join(conditions, ","))
	for name, value := range s.SignPostPolicy([]byte(policy), a.now) {
		f.fields = append(f.fields, [2]string{name, value})
	}
	return a.post(path, f)
}

// ways are all in which a user makes the object path/new, with headers or what stands for them.
func (a *accounts) ways(user, path string) map[string]func(headers ...string) *answered {
	return map[string]func(headers ...string) *answered{
		"put": func(headers ...string) *answered { return a.as(user, "PUT", path+"/new", "x", headers...) },
		"copy": func(headers ...string) *answered {
			return a.as(user, "PUT", path+"/new", "", append(headers, "x-amz-copy-source: "+path+"/source", "x-amz-tagging-directive: REPLACE")...)
		},
		"upload": func(headers ...string) *answered { return a.as(user, "POST", path+"/new?uploads", "", headers...) },
		"form": func(headers ...string) *answered {
			f := fields("key=new")
			for _, h := range headers {
				name, value, _ := strings.Cut(h, ": ")
				if name == "x-amz-acl" {
					name = "acl"
				}
				f.fields = append(f.fields, [2]string{name, value})
			}
			return a.formAs(user, path, f)
		},
		"archive": func(headers ...string) *answered {
			return a.as(user, "PUT", path+"/new.tar", packed(a.t, "new", "x"), append(headers, extract)...)
		},
		"entry": func(headers ...string) *answered {
			return a.as(user, "PUT", path+"/new.tar", archiveWith(a.t, "new", "x", recordsOf(headers)), extract)
		},
	}
}

// TestEachWayNeedsItsRights (S-138): tags, locks and access control lists of a new object take rights of their own,
// however it is made. With the right it is made so.
func TestEachWayNeedsItsRights(t *testing.T) {
	retain := []string{"x-amz-object-lock-mode: GOVERNANCE", "x-amz-object-lock-retain-until-date: " + lockUntil}
	for _, row := range []struct {
		name, right string
		headers     []string
	}{
		{"tags", "s3:PutObjectTagging", []string{"x-amz-tagging: a=b"}},
		{"retention", "s3:PutObjectRetention", retain},
		{"hold", "s3:PutObjectLegalHold", []string{"x-amz-object-lock-legal-hold: ON"}},
		{"no hold", "s3:PutObjectLegalHold", []string{"x-amz-object-lock-legal-hold: OFF"}},
		{"list", "s3:PutObjectAcl", []string{"x-amz-acl: public-read"}},
	} {
		a := newAccounts(t, ObjectWriter)
		path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
		a.wants(200, "", "owner", "PUT", path+"/source", "source")
		if row.name == "list" { // else the account's block of public access refuses
			a.wants(204, "", "owner", "DELETE", path+"?publicAccessBlock", "")
		}
		for way, make := range a.ways("bare", path) {
			headers := row.headers
			if row.name == "tags" && way == "form" {
				headers = []string{"tagging: <Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}
			}
			a.grant("bare", allowDoc(`"s3:PutObject","s3:GetObject"`, path[1:]+"/*"))
			if got := make(headers...); got.status != 403 || got.code() != "AccessDenied" {
				t.Errorf("%s by %s without its right: %d %s", row.name, way, got.status, got.body)
			}
			a.wants(404, "NoSuchKey", "owner", "GET", path+"/new", "")
			a.detach("bare")
			a.grant("bare", allowDoc(`"s3:PutObject","s3:GetObject","`+row.right+`"`, path[1:]+"/*"))
			if got := make(headers...); got.status/100 != 2 {
				t.Errorf("%s by %s with its right: %d %s", row.name, way, got.status, got.body)
			}
			a.detach("bare")
			a.wants(204, "", "owner", "DELETE", path+"/new", "") // a marker, so that the next finds nothing
		}
	}
}

// TestNoHeaderInside (S-062): what stands for a header, in a form or in a URL that a presigner has made, can't be more than
// that one.
func TestNoHeaderInside(t *testing.T) {
	e := newEnv(t)
	for _, h := range [][2]string{{"x-amz-meta-a", "b\r\nSet-Cookie: c=d"}, {"x-amz-meta-a", "b\x00"}, {"x-amz-meta-a b", "c"}, {"Cache-Control", "no\nstore"}, {"Content-Disposition", "a\rb"}} {
		f := fields("key=up/k")
		f.fields = append(f.fields, h)
		if a := e.post("/bkt", e.signed(f, bktKey, fmt.Sprintf(`{%q: %q}`, h[0], h[1]))); a.status != 400 {
			t.Errorf("form with %q: %d %s", h, a.status, a.body)
		}
		if !isAmz(h[0]) {
			continue
		}
		r := e.request("PUT", "/bkt/up/k", "x")
		r.URL.RawQuery = url.Values{h[0]: {h[1]}}.Encode()
		e.signer().Presign(r, time.Hour, e.now)
		if a := e.send(r); a.status != 400 && a.status != 501 {
			t.Errorf("URL with %q: %d %s", h, a.status, a.body)
		}
	}
	e.must(404, "HEAD", "/bkt/up/k", "")
	r := e.request("PUT", "/bkt/up/k", "x")
	r.URL.RawQuery = url.Values{"x-amz-meta-a": {"ü\tb"}}.Encode()
	e.signer().Presign(r, time.Hour, e.now)
	if a := e.send(r); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	e.wantHeader(e.must(200, "HEAD", "/bkt/up/k", ""), "X-Amz-Meta-A", "ü\tb")
}

// TestUnsignedFeatureHeaders (S-103): no header that makes something else of a request may be unsigned, be the request
// signed by its headers or by its URL.
func TestUnsignedFeatureHeaders(t *testing.T) {
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/secret", "secret")
	e.must(200, "PUT", "/bkt/log", "log")
	e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x", "1"))
	customer := withCustomer(1)
	for _, row := range []struct{ method, target, header string }{
		{"PUT", "/bkt/log", "X-Amz-Write-Offset-Bytes: 3"},
		{"PUT", "/bkt/new?renameObject", "X-Amz-Rename-Source: secret"},
		{"PUT", "/bkt/new", "X-Amz-Rename-Source: secret"},
		{"PUT", "/bkt/new?renameObject", "X-Amz-Client-Token: t"},
		{"PUT", "/bkt/new", extract},
		{"PUT", "/bkt/new", "X-Amz-Meta-Minio-Snowball-Prefix: victim/"},
		{"PUT", "/bkt/new", "X-Amz-Meta-Minio-Snowball-Ignore-Errors: true"},
		{"PUT", "/bkt/new", "X-Amz-Object-Lock-Mode: COMPLIANCE"},
		{"PUT", "/bkt/new", "X-Amz-Object-Lock-Retain-Until-Date: " + lockUntil},
		{"PUT", "/bkt/new", "X-Amz-Object-Lock-Legal-Hold: ON"},
		{"PUT", "/bkt/new", "X-Amz-Server-Side-Encryption: aws:kms"},
		{"PUT", "/bkt/new", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id: second"},
		{"PUT", "/bkt/new", customer[0]}, {"PUT", "/bkt/new", customer[1]}, {"GET", "/bkt/secret", customer[2]},
		{"PUT", "/newbkt", "X-Amz-Bucket-Object-Lock-Enabled: true"},
		{"PUT", "/newbkt", "X-Amz-Object-Ownership: ObjectWriter"},
		{"PUT", "/newbkt", "X-Amz-Acl: public-read-write"},
		{"DELETE", "/bkt/log", "X-Amz-Bypass-Governance-Retention: true"},
		{"GET", "/bkt/a.zip/x", lookInto},
		{"GET", "/bkt?list-type=2&prefix=a.zip/", lookInto},
		{"PUT", "/bkt?notification", "X-Amz-Skip-Destination-Validation: true"},
	} {
		name, value, _ := strings.Cut(row.header, ": ")
		for _, presigned := range []bool{true, false} {
			body := ""
			if row.method == "PUT" && !strings.Contains(row.target, "?") {
				body = "x"
			}
			r := e.request(row.method, row.target, body)
			if presigned {
				e.signer().Presign(r, time.Hour, e.now)
			} else {
				e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
			}
			r.Header.Set(name, value)
			if a := e.send(r); a.status != 403 || a.code() != "AccessDenied" || !strings.EqualFold(a.element("HeadersNotSigned"), name) {
				t.Errorf("%s %s with %s, presigned %v: %d %s", row.method, row.target, row.header, presigned, a.status, a.body)
			}
		}
	}
	if keys := e.keys("bkt"); !slices.Equal(keys, []string{"a.zip", "log", "secret"}) {
		t.Errorf("the bucket holds %q", keys)
	}
	if got := e.must(200, "GET", "/bkt/log", ""); got.body != "log" {
		t.Errorf("the log is %q", got.body)
	}
	e.must(404, "HEAD", "/newbkt", "")
	// The twins: signed, they mean what they say.
	r := e.request("PUT", "/bkt/log", "more", "X-Amz-Write-Offset-Bytes: 3")
	e.signer().Presign(r, time.Hour, e.now)
	if a := e.send(r); a.status != 200 {
		t.Errorf("append by URL: %d %s", a.status, a.body)
	}
	r = e.request("GET", "/bkt/a.zip/x", "", lookInto)
	e.signer().Presign(r, time.Hour, e.now)
	if a := e.send(r); a.status != 200 || a.body != "1" {
		t.Errorf("a look into an archive by URL: %d %s", a.status, a.body)
	}
}

// TestTagsGuardOtherWays (S-099): a Deny on the tags that an object has holds for its archive's files, for what a listing
// tells of it, and for renaming it away from where they are.
func TestTagsGuardOtherWays(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	for key, visibility := range map[string]string{"secret.zip": "secret", "open.zip": "open"} {
		a.wants(200, "", "owner", "PUT", path+"/"+key, zipOf(t, "x", "inside"), "x-amz-tagging: visibility="+visibility, "x-amz-meta-note: "+visibility+" note")
	}
	a.user("reader", ownAccount, "readwrite")
	a.grant("reader", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/visibility":"secret"}}}]}`)
	for key, status := range map[string]int{"secret.zip": 403, "open.zip": 200} {
		code := map[int]string{403: "AccessDenied"}[status]
		a.wants(status, code, "reader", "GET", path+"/"+key+"/x", "", lookInto)
		a.wants(status, code, "reader", "HEAD", path+"/"+key+"/x", "", lookInto)
		a.wants(status, code, "reader", "GET", path+"?list-type=2&prefix="+key+"/", "", lookInto)
		list := a.wants(200, "", "reader", "GET", path+"?list-type=2&metadata=true&prefix="+key, "")
		if strings.Contains(list.body, "note</") != (status == 200) {
			t.Errorf("%s is listed as %s", key, list.body)
		}
		a.wants(status, code, "reader", "PUT", path+"/renamed-"+key+"?renameObject", "", renameFrom+key)
	}
	a.wants(200, "", "owner", "GET", path+"/secret.zip", "")
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/open.zip", "")
}

// TestConditionsOfOtherWays (S-023): who may not, learns nothing from the conditions of renaming and appending.
func TestConditionsOfOtherWays(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	etag := a.wants(200, "", "owner", "PUT", path+"/there", "content").Get("Etag")
	mask := func(got *answered) string {
		body := got.body
		for _, name := range []string{"Resource", "RequestId"} {
			if i, j := strings.Index(body, "<"+name+">"), strings.Index(body, "</"+name+">"); i > 0 && j > 0 {
				body = body[:i] + body[j:]
			}
		}
		return fmt.Sprint(got.status, body, got.Get("Etag"), got.Get("Last-Modified"))
	}
	same := func(what string, answers ...*answered) {
		t.Helper()
		for _, got := range answers {
			if got.status != 403 || got.code() != "AccessDenied" || mask(got) != mask(answers[0]) {
				t.Errorf("%s: %d %s, beside %s", what, got.status, got.body, answers[0].body)
			}
		}
	}
	for _, right := range []string{"", "s3:PutObject", "s3:GetObject"} { // none of them is enough for either
		if right != "" {
			a.grant("bare", allowDoc(`"`+right+`"`, path[1:]+"/new*"))
		}
		var answers []*answered
		for _, source := range []string{"there", "none"} {
			for _, condition := range []string{"x-amz-rename-source-if-match: " + etag, "x-amz-rename-source-if-match: other", "x-amz-rename-source-if-none-match: *", "if-none-match: *", "if-match: *"} {
				answers = append(answers, a.as("bare", "PUT", path+"/new?renameObject", "", renameFrom+source, condition))
			}
		}
		same("renaming with "+right, answers...)
		answers = nil
		for _, key := range []string{"there", "none"} {
			for _, offset := range []int{0, 7, 9} {
				answers = append(answers, a.as("bare", "PUT", path+"/"+key, "x", atOffset(offset)), a.as("bare", "PUT", path+"/"+key, "x", atOffset(offset), "If-Match: "+etag))
			}
		}
		same("appending with "+right, answers...)
		if right != "" {
			a.detach("bare")
		}
	}
	a.wants(200, "", "owner", "PUT", path+"/new?renameObject", "", renameFrom+"there", "x-amz-rename-source-if-match: "+etag)
}

// TestKeysOfOtherWays (S-232, S-123): a key is its bytes for renaming, appending and extracting too, and leads nowhere else.
func TestKeysOfOtherWays(t *testing.T) {
	a := newAccounts(t, "")
	path, victim := a.newBucket(), a.newBucket()
	a.wants(200, "", "owner", "PUT", victim+"/secret", "secret")
	keys := []string{"..", ".", "a/../b", "a/./b", "//", "a/.", "..%2F", "..%5C", "....//", "%252e%252e", "%0A", "%E2%80%A8", "%C0%AE", "%FF", "CON", "a%00b", "../" + victim[1:] + "/secret",
		victim + "/secret", strings.Repeat("k", 1024), strings.Repeat("c", 255) + "/x", strings.Repeat("/", 500), "%3FversionId=x", "a+b", "%25", "http:%2F%2Fx"}
	var left []string
	for _, key := range keys {
		encoded := "/" + strings.ReplaceAll(strings.ReplaceAll(key, "/", "%2F"), ".", "%2E")
		if got := a.as("owner", "PUT", path+encoded, key, atOffset(0)); got.status == 400 {
			continue // refused, with no write
		} else if got.status != 200 {
			t.Errorf("append to %q: %d %s", key, got.status, got.body)
		}
		left = append(left, key)
		a.wants(200, "", "owner", "PUT", path+encoded, "+", atOffset(len(key)))
		source := renameFrom + encoded[1:]
		a.wants(200, "", "owner", "PUT", path+"/renamed?renameObject", "", source)
		a.wants(404, "NoSuchKey", "owner", "GET", path+encoded, "")
		a.wants(200, "", "owner", "PUT", path+encoded+"?renameObject", "", renameFrom+"renamed")
		if got := a.wants(200, "", "owner", "GET", path+encoded, ""); got.body != key+"+" {
			t.Errorf("%q holds %q", key, got.body)
		}
	}
	if got := a.keys(path[1:]); len(got) != len(left) || len(left) < 15 {
		t.Errorf("%d keys became %d: %q", len(left), len(got), got)
	}
	if got := a.keys(victim[1:]); !slices.Equal(got, []string{"secret"}) {
		t.Errorf("the other bucket holds %q", got)
	}
	if got := a.wants(200, "", "owner", "GET", victim+"/secret", ""); got.body != "secret" {
		t.Errorf("the other bucket's object is %q", got.body)
	}
	for _, source := range []string{"", "%zz", strings.Repeat("x", 1025)} {
		a.wants(400, "InvalidArgument", "owner", "PUT", path+"/x?renameObject", "", renameFrom+source)
	}
	r := a.request("PUT", path+"/x?renameObject", "", renameFrom+"a+b", renameFrom+"..")
	s := sigv4.Signer{AccessKey: "owner", Secret: "owner-key-secret", Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, "UNSIGNED-PAYLOAD", a.now)
	if got := a.send(r); got.status != http.StatusBadRequest {
		t.Errorf("two sources: %d %s", got.status, got.body)
	}
}

// TestMarkersSilenceNobody (S-041): what MinIO's servers say to each other hides no event, and moves no lock.
func TestMarkersSilenceNobody(t *testing.T) {
	e, _ := newLockEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	listened := e.listen("/lck?" + allEvents)
	markers := []string{"X-Minio-Source-Replication-Request: true", "X-Minio-Source-Mtime: 2001-01-01T00:00:00Z", "X-Minio-Source-Replication-Retention-Timestamp: 2001-01-01T00:00:00Z",
		"X-Minio-Source-Replication-Legalhold-Timestamp: 2001-01-01T00:00:00Z", "X-Minio-Source-Deletemarker-Delete: true", "X-Minio-Replication-Status: REPLICA"}
	version := e.must(200, "PUT", "/lck/k", "x", append(markers, "X-Amz-Object-Lock-Mode: COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date: "+lockUntil)...).Get("X-Amz-Version-Id")
	e.refused(403, "AccessDenied", "PUT", "/lck/k?retention", "<Retention/>", markers...)
	e.refused(403, "AccessDenied", "DELETE", "/lck/k?versionId="+version, "", markers...)
	e.must(204, "DELETE", "/lck/k", "", markers...)
	feed.Close()
	if got := told(listened()); !slices.Equal(got, []string{"s3:ObjectCreated:Put lck/k 1", "s3:ObjectRemoved:DeleteMarkerCreated lck/k 0"}) {
		t.Errorf("told %q", got)
	}
	head := e.must(200, "HEAD", "/lck/k?versionId="+version, "")
	if strings.Contains(head.Get("Last-Modified"), "2001") {
		t.Errorf("the object is of %s", head.Get("Last-Modified"))
	}
	e.wantHeader(head, "X-Amz-Object-Lock-Mode", "COMPLIANCE")
}
