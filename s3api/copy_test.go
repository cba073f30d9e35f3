package s3api

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/storage"
)

func TestCopy(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v1 := e.must(200, "PUT", "/ver/s%20k%2B", "hello", "Content-Type: text/plain", "X-Amz-Meta-A: b", "X-Amz-Tagging: t=1",
		"X-Amz-Storage-Class: STANDARD_IA", "X-Amz-Website-Redirect-Location: /x").Get("X-Amz-Version-Id")
	v2 := e.must(200, "PUT", "/ver/s%20k%2B", "newer").Get("X-Amz-Version-Id")
	e.now = e.now.Add(time.Minute)

	a := e.must(200, "PUT", "/bkt/k", "", "X-Amz-Copy-Source: /ver/s%20k+?versionId="+v1)
	golden(t, "copyobject", a.body)
	e.wantHeader(a, "X-Amz-Copy-Source-Version-Id", v1)
	e.wantHeader(a, "X-Amz-Version-Id", "")
	g := e.must(200, "GET", "/bkt/k", "")
	for name, want := range map[string]string{"Content-Type": "text/plain", "X-Amz-Meta-A": "b", "X-Amz-Tagging-Count": "1", "Etag": helloETag,
		"X-Amz-Storage-Class": "", "X-Amz-Website-Redirect-Location": "", "Last-Modified": httpTime(e.now)} {
		e.wantHeader(g, name, want)
	}
	if g.body != "hello" {
		t.Errorf("body %q", g.body)
	}

	a = e.must(200, "PUT", "/ver/k", "", "X-Amz-Copy-Source: ver/s%20k%2B", "X-Amz-Metadata-Directive: REPLACE", "X-Amz-Meta-C: d",
		"X-Amz-Tagging-Directive: REPLACE", "X-Amz-Tagging: u=2&w=3", "X-Amz-Storage-Class: GLACIER_IR")
	e.wantHeader(a, "X-Amz-Copy-Source-Version-Id", v2)
	g = e.must(200, "GET", "/ver/k?versionId="+a.Get("X-Amz-Version-Id"), "")
	for name, want := range map[string]string{"Content-Type": "binary/octet-stream", "X-Amz-Meta-A": "", "X-Amz-Meta-C": "d", "X-Amz-Tagging-Count": "2", "X-Amz-Storage-Class": "GLACIER_IR"} {
		e.wantHeader(g, name, want)
	}
	// An old version becomes the current one again.
	e.must(200, "PUT", "/ver/s%20k%2B", "", "X-Amz-Copy-Source: ver/s%20k%2B?versionId="+v1)
	if g := e.must(200, "GET", "/ver/s%20k%2B", ""); g.body != "hello" {
		t.Errorf("body %q", g.body)
	}
}

func TestCopyToItself(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello", "X-Amz-Meta-A: b")
	e.refused(400, "InvalidRequest", "PUT", "/bkt/k", "", "X-Amz-Copy-Source: bkt/k")
	e.refused(400, "InvalidRequest", "PUT", "/bkt/k", "", "X-Amz-Copy-Source: bkt/k", "X-Amz-Meta-A: c")
	for _, h := range []string{"X-Amz-Metadata-Directive: REPLACE", "X-Amz-Storage-Class: STANDARD", "X-Amz-Website-Redirect-Location: /",
		"X-Amz-Checksum-Algorithm: SHA1", "X-Amz-Tagging-Directive: REPLACE"} {
		e.must(200, "PUT", "/bkt/k", "", "X-Amz-Copy-Source: bkt/k", h)
	}
	a := e.must(200, "GET", "/bkt/k", "", "X-Amz-Checksum-Mode: ENABLED")
	e.wantHeader(a, "X-Amz-Checksum-Sha1", sumOf("SHA1", "hello"))
	e.wantHeader(a, "X-Amz-Meta-A", "")
}

// The source of a copy is a bucket and a key, taken literally (S-123, S-139, S-068, S-155).
func TestCopySource(t *testing.T) {
	e := newEnv(t)
	e.bucket("victim", storage.VersioningUnset)
	e.must(200, "PUT", "/victim/secret", "secret")
	e.must(200, "PUT", "/bkt/k", "hello")
	e.must(200, "PUT", "/bkt/..%2Fx", "dots")
	e.must(200, "PUT", "/bkt/%2Fslash", "slash")
	e.must(200, "PUT", "/bkt/q%3FversionId%3D..", "question")
	id := e.create("/bkt/mp")
	for _, row := range []struct {
		source string
		status int
		body   string // of the copy
		code   string
	}{
		{"bkt/k", 200, "hello", ""},
		{"/bkt/k", 200, "hello", ""},
		{"bkt%2Fk", 200, "hello", ""},
		{"%2Fbkt%2Fk", 200, "hello", ""},
		{"bkt/../x", 200, "dots", ""},
		{"bkt/..%2Fx", 200, "dots", ""},
		{"bkt/%2e%2e/x", 200, "dots", ""},
		{"bkt//slash", 200, "slash", ""},
		{"bkt/q%3FversionId=..", 200, "question", ""},
		// What looks like a way out is the name of an object that is not there.
		{"bkt/../victim/secret", 404, "", "NoSuchKey"},
		{"bkt/%2e%2e/victim/secret", 404, "", "NoSuchKey"},
		{"bkt/..%2fvictim%2fsecret", 404, "", "NoSuchKey"},
		{"bkt/%252e%252e/victim/secret", 404, "", "NoSuchKey"},
		{"bkt/k%3FversionId=../../victim/secret", 404, "", "NoSuchKey"},
		{"bkt/k?versionId=../../victim/secret", 404, "", "NoSuchVersion"},
		{"bkt/k%00", 404, "", "NoSuchKey"},
		{"missing/k", 404, "", "NoSuchBucket"},
		// No bucket and key.
		{"", 400, "", "InvalidArgument"},
		{"/", 400, "", "InvalidArgument"},
		{"bkt", 400, "", "InvalidArgument"},
		{"bkt/", 400, "", "InvalidArgument"},
		{"//bkt/k", 400, "", "InvalidArgument"},
		{"../victim/secret", 400, "", "InvalidArgument"},
		{"./bkt/k", 400, "", "InvalidArgument"},
		{"bkt/k?versionId=", 400, "", "InvalidArgument"},
		{"bkt/k%", 400, "", "InvalidArgument"},
		{"bkt/%ff", 400, "", "InvalidArgument"},
		{"bkt/" + strings.Repeat("k", 5000), 400, "", "InvalidArgument"},
	} {
		t.Run(row.source[:min(len(row.source), 40)], func(t *testing.T) {
			e := e.at(t)
			for _, target := range []string{"/bkt/copy", "/bkt/mp?partNumber=1&uploadId=" + id} {
				a := e.do("PUT", target, "", "X-Amz-Copy-Source: "+row.source)
				if a.status != row.status || a.code() != row.code {
					t.Fatalf("%s: %d %s", target, a.status, a.body)
				}
			}
			if row.status != 200 {
				return // and never a plain PUT
			}
			if a := e.must(200, "GET", "/bkt/copy", ""); a.body != row.body {
				t.Errorf("copied %q, want %q", a.body, row.body)
			}
		})
	}
	if a := e.do("PUT", "/bkt/copy2", "", "X-Amz-Copy-Source: http://"+e.srv.Listener.Addr().String()+"/victim/secret"); a.status != 400 && a.status != 404 {
		t.Errorf("URL as source: %d %s", a.status, a.body)
	}
	e.must(404, "HEAD", "/bkt/copy2", "")
	// Twice: signed joined by a comma, refused as a whole.
	w := httptest.NewRecorder()
	r := e.request("PUT", "/bkt/copy3", "", "X-Amz-Copy-Source: bkt/k", "X-Amz-Copy-Source: victim/secret")
	e.signer().SignHeader(r, "", e.now)
	e.s.ServeHTTP(w, r)
	if w.Code != 400 {
		t.Errorf("two sources: %d %s", w.Code, w.Body)
	}
	e.must(404, "HEAD", "/bkt/copy3", "")
}

// A copy takes the right to read the source, and its tags, and to write here (S-082, S-097, S-099).
func TestCopyRights(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v := e.must(200, "PUT", "/ver/k", "hello", "X-Amz-Tagging: a=b").Get("X-Amz-Version-Id")
	id := e.create("/bkt/mp")
	for _, row := range []struct {
		denied, bucket, source string
		object, part           int
	}{
		{"s3:GetObject", "ver", "ver/k", 403, 403},
		{"s3:GetObject", "ver", "ver/k?versionId=" + v, 200, 200},
		{"s3:GetObjectVersion", "ver", "ver/k?versionId=" + v, 403, 403},
		{"s3:GetObjectVersion", "ver", "ver/k", 200, 200},
		{"s3:GetObjectTagging", "ver", "ver/k", 403, 200},
		{"s3:GetObjectVersionTagging", "ver", "ver/k?versionId=" + v, 403, 200},
		{"s3:PutObjectTagging", "bkt", "ver/k", 403, 200},
		{"s3:PutObject", "bkt", "ver/k", 403, 403},
		{"s3:PutObject", "ver", "ver/k", 200, 200},
		{"s3:GetObject", "bkt", "ver/k", 200, 200},
	} {
		t.Run(row.denied+" "+row.bucket, func(t *testing.T) {
			e := e.at(t)
			e.iam.deny = func(r *iamRequest) bool { return r.Action == row.denied && r.Bucket == row.bucket }
			defer func() { e.iam.deny = nil }()
			for target, status := range map[string]int{"/bkt/copy": row.object, "/bkt/mp?partNumber=1&uploadId=" + id: row.part} {
				a := e.must(status, "PUT", target, "", "X-Amz-Copy-Source: "+row.source)
				if status == 403 && a.code() != "AccessDenied" {
					t.Errorf("%s: %s", target, a.body)
				}
			}
		})
	}
	e.refused(403, "AccessDenied", "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: ver/k", "X-Amz-Source-Expected-Bucket-Owner: 999999999999")
	e.must(200, "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: ver/k", "X-Amz-Source-Expected-Bucket-Owner: "+testAccount)
}

func TestCopySourceConditions(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	before, after := httpTime(e.now.Add(-time.Hour)), httpTime(e.now.Add(time.Hour))
	id := e.create("/bkt/mp")
	for _, row := range []struct {
		name    string
		status  int
		headers []string
	}{
		{"match", 200, []string{"If-Match: " + helloETag}},
		{"no match", 412, []string{"If-Match: " + otherETag}},
		{"none match", 200, []string{"If-None-Match: " + otherETag}},
		{"none match fails", 412, []string{"If-None-Match: " + helloETag}},
		{"modified", 200, []string{"If-Modified-Since: " + before}},
		{"not modified", 412, []string{"If-Modified-Since: " + after}},
		{"unmodified", 200, []string{"If-Unmodified-Since: " + after}},
		{"not unmodified", 412, []string{"If-Unmodified-Since: " + before}},
		{"match overrules unmodified", 200, []string{"If-Match: " + helloETag, "If-Unmodified-Since: " + before}},
		{"none match overrules modified", 412, []string{"If-None-Match: " + helloETag, "If-Modified-Since: " + before}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			headers := []string{"X-Amz-Copy-Source: bkt/k"}
			for _, h := range row.headers {
				headers = append(headers, "X-Amz-Copy-Source-"+h)
			}
			for _, target := range []string{"/bkt/copy", "/bkt/mp?partNumber=1&uploadId=" + id} {
				if a := e.must(row.status, "PUT", target, "", headers...); row.status == 412 && a.code() != "PreconditionFailed" {
					t.Error(a.body)
				}
			}
		})
	}
}

// An unsigned x-amz-copy-source does not turn a presigned PUT into a copy (S-035, S-103, S-071), nor
// does any other unsigned header change what was signed.
func TestUnsignedHeaders(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/secret", "secret")
	for _, h := range []string{"X-Amz-Copy-Source: bkt/secret", "X-Amz-Tagging: a=b", "X-Amz-Acl: private", "X-Amz-Grant-Read: id=1", "X-Amz-Meta-A: b",
		"X-Amz-Storage-Class: STANDARD_IA", "X-Amz-Website-Redirect-Location: /", "X-Amz-Object-Lock-Legal-Hold: ON", "X-Amz-Server-Side-Encryption: AES256",
		"X-Amz-Bypass-Governance-Retention: true", "X-Amz-Checksum-Algorithm: CRC32", "X-Amz-Decoded-Content-Length: 1", "X-Amz-Trailer: x-amz-checksum-crc32"} {
		name, value, _ := strings.Cut(h, ": ")
		for _, presigned := range []bool{true, false} {
			r := e.request("PUT", "/bkt/target", "x")
			if presigned {
				e.signer().Presign(r, time.Hour, e.now)
			} else {
				e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
			}
			r.Header.Set(name, value)
			if a := e.send(r); a.status != 403 || a.code() != "AccessDenied" {
				t.Errorf("%s, presigned %v: %d %s", h, presigned, a.status, a.body)
			}
		}
	}
	e.must(404, "HEAD", "/bkt/target", "")
	// Clients that don't sign these are not refused for it.
	r := e.request("PUT", "/bkt/target", "x")
	e.signer().Presign(r, time.Hour, e.now)
	r.Header.Set("Content-Type", "text/plain")
	if a := e.send(r); a.status != 200 {
		t.Errorf("unsigned Content-Type: %d %s", a.status, a.body)
	}
}

func TestCopyChecksums(t *testing.T) {
	e := newEnv(t)
	first := strings.Repeat("1", minPartSize)
	id := e.create("/bkt/mp", "X-Amz-Checksum-Algorithm: SHA256")
	e1, e2 := e.part("/bkt/mp", id, 1, first), e.part("/bkt/mp", id, 2, "2")
	etag := e.must(200, "POST", "/bkt/mp?uploadId="+id, completeDoc(e1, e2)).element("ETag")
	// A copy has a full-object checksum, and the ETag of an object put whole when that took reading it.
	a := e.must(200, "PUT", "/bkt/same", "", "X-Amz-Copy-Source: bkt/mp")
	if a.element("ChecksumSHA256") != sumOf("SHA256", first+"2") || a.element("ChecksumType") != "FULL_OBJECT" || a.element("ETag") == etag {
		t.Error(a.body)
	}
	e.refused(416, "InvalidPartNumber", "GET", "/bkt/same?partNumber=2", "")
	// What composes is not read; the parts stay.
	for _, typ := range []string{"COMPOSITE", "FULL_OBJECT"} {
		id := e.create("/bkt/crc", "X-Amz-Checksum-Algorithm: CRC32", "X-Amz-Checksum-Type: "+typ)
		e1, e2 := e.part("/bkt/crc", id, 1, first), e.part("/bkt/crc", id, 2, "2")
		etag := e.must(200, "POST", "/bkt/crc?uploadId="+id, completeDoc(e1, e2)).element("ETag")
		a := e.must(200, "PUT", "/bkt/same", "", "X-Amz-Copy-Source: bkt/crc")
		if a.element("ChecksumCRC32") != sumOf("CRC32", first+"2") || a.element("ChecksumType") != "FULL_OBJECT" || a.element("ETag") != etag {
			t.Errorf("%s: %s", typ, a.body)
		}
		e.wantHeader(e.must(206, "HEAD", "/bkt/same?partNumber=2", ""), "X-Amz-Mp-Parts-Count", "2")
	}
	for _, alg := range checksum.Algorithms() {
		a := e.must(200, "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/mp", "X-Amz-Checksum-Algorithm: "+alg.String())
		if a.element(alg.Element()) != sumOf(alg.String(), first+"2") || a.element("ChecksumType") != "FULL_OBJECT" || strings.Contains(a.element("ETag"), "-") {
			t.Errorf("%s: %s", alg, a.body)
		}
		e.wantHeader(e.must(200, "HEAD", "/bkt/copy", "", "X-Amz-Checksum-Mode: ENABLED"), alg.Header(), sumOf(alg.String(), first+"2"))
	}
	e.refused(400, "InvalidRequest", "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/mp", "X-Amz-Checksum-Algorithm: CRC16")
	e.refused(400, "InvalidArgument", "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/mp", "X-Amz-Metadata-Directive: MERGE")
	e.refused(400, "InvalidArgument", "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/mp", "X-Amz-Tagging-Directive: MERGE")
}

func TestUploadPartCopy(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v := e.must(200, "PUT", "/ver/k", "0123456789").Get("X-Amz-Version-Id")
	e.must(200, "PUT", "/ver/k", "newer")
	id := e.create("/bkt/mp", "X-Amz-Checksum-Algorithm: CRC32")
	copied := func(n int, headers ...string) *answered {
		return e.do("PUT", fmt.Sprintf("/bkt/mp?partNumber=%d&uploadId=%s", n, id), "", append(headers, "X-Amz-Copy-Source: ver/k?versionId="+v)...)
	}
	for _, r := range []string{"0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5", "bytes=-3", "bytes=3-", "bytes=5-3", ""} {
		if a := copied(1, "X-Amz-Copy-Source-Range: "+r); a.status != 400 || a.code() != "InvalidArgument" {
			t.Errorf("range %q: %d %s", r, a.status, a.body)
		}
	}
	for _, r := range []string{"bytes=0-10", "bytes=10-10", "bytes=0-18446744073709551616"} {
		if a := copied(1, "X-Amz-Copy-Source-Range: "+r); a.status != 416 || a.code() != "InvalidRange" {
			t.Errorf("range %q: %d %s", r, a.status, a.body)
		}
	}
	a := copied(1, "X-Amz-Copy-Source-Range: bytes=2-5")
	golden(t, "copypart", a.body)
	e.wantHeader(a, "X-Amz-Copy-Source-Version-Id", v)
	if a.status != 200 || a.element("ChecksumCRC32") != sumOf("CRC32", "2345") {
		t.Errorf("%d %s", a.status, a.body)
	}
	etag := strings.ReplaceAll(a.element("ETag"), "&quot;", `"`)
	e.must(200, "POST", "/bkt/mp?uploadId="+id, completeDoc(etag))
	if a := e.must(200, "GET", "/bkt/mp", ""); a.body != "2345" {
		t.Errorf("body %q", a.body)
	}
}

// A lock is not copied; the copy has the request's, or the default of its bucket.
func TestCopyOfLocked(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/locked", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
	until := "X-Amz-Object-Lock-Retain-Until-Date: " + e.now.Add(time.Hour).Format(time.RFC3339)
	e.must(200, "PUT", "/locked/k", "x", "X-Amz-Object-Lock-Mode: GOVERNANCE", until, "X-Amz-Object-Lock-Legal-Hold: ON")
	e.must(200, "PUT", "/locked/plain", "", "X-Amz-Copy-Source: locked/k")
	e.wantHeader(e.must(200, "HEAD", "/locked/plain", ""), "X-Amz-Object-Lock-Mode", "")
	e.wantHeader(e.must(200, "HEAD", "/locked/plain", ""), "X-Amz-Object-Lock-Legal-Hold", "")
	e.must(200, "PUT", "/locked/again", "", "X-Amz-Copy-Source: locked/k", "X-Amz-Object-Lock-Mode: COMPLIANCE", until)
	e.wantHeader(e.must(200, "HEAD", "/locked/again", ""), "X-Amz-Object-Lock-Mode", "COMPLIANCE")
	e.must(200, "PUT", "/bkt/free", "", "X-Amz-Copy-Source: locked/k")
	e.refused(400, "InvalidRequest", "PUT", "/bkt/free", "", "X-Amz-Copy-Source: locked/k", "X-Amz-Object-Lock-Mode: COMPLIANCE", until)
}
