package s3api

import (
	"net/http"
	"strings"
	"testing"
)

func TestPutGetHeadDelete(t *testing.T) {
	e := newEnv(t)
	a := e.must(200, "PUT", "/bkt/a/key", "hello", "Content-Type: text/plain", "Cache-Control: no-store", "X-Amz-Meta-Colour: Grün",
		"X-Amz-Storage-Class: STANDARD_IA", "X-Amz-Tagging: k=v&l=w", "Content-Encoding: aws-chunked,gzip")
	e.wantHeader(a, "Etag", `"5d41402abc4b2a76b9719d911017c592"`)
	e.wantHeader(a, "X-Amz-Checksum-Crc64nvme", "M3eFcAZSQlc=")
	e.wantHeader(a, "X-Amz-Checksum-Type", "FULL_OBJECT")
	e.wantHeader(a, "X-Amz-Version-Id", "")
	for _, method := range []string{"GET", "HEAD"} {
		a := e.must(200, method, "/bkt/a/key", "", "Accept-Encoding: identity")
		for name, want := range map[string]string{
			"Etag": `"5d41402abc4b2a76b9719d911017c592"`, "Content-Length": "5", "Content-Type": "text/plain",
			"Cache-Control": "no-store", "X-Amz-Meta-Colour": "Grün", "X-Amz-Storage-Class": "STANDARD_IA",
			"X-Amz-Tagging-Count": "2", "Content-Encoding": "gzip", "Accept-Ranges": "bytes",
			"Last-Modified": "Wed, 02 Jan 2030 03:04:05 GMT", "X-Content-Type-Options": "nosniff",
			"X-Amz-Checksum-Crc64nvme": "",
		} {
			e.wantHeader(a, name, want)
		}
		if want := map[string]string{"GET": "hello"}[method]; a.body != want {
			t.Errorf("%s: body %q", method, a.body)
		}
		e.wantHeader(e.must(200, method, "/bkt/a/key", "", "X-Amz-Checksum-Mode: enabled"), "X-Amz-Checksum-Crc64nvme", "M3eFcAZSQlc=")
	}
	e.must(204, "DELETE", "/bkt/a/key", "")
	e.must(204, "DELETE", "/bkt/a/key", "")
	e.refused(404, "NoSuchKey", "GET", "/bkt/a/key", "")
	e.must(404, "HEAD", "/bkt/a/key", "")
	e.refused(404, "NoSuchBucket", "PUT", "/other/key", "x")
	e.refused(404, "NoSuchBucket", "GET", "/other/key", "")
}

func TestPutRefusals(t *testing.T) {
	e := newEnv(t)
	for _, row := range []struct {
		name    string
		status  int
		code    string
		headers []string
	}{
		{"metadata of 2049 bytes (S-240)", 400, "MetadataTooLarge", []string{"X-Amz-Meta-A: " + strings.Repeat("x", 2048)}},
		{"metadata of 2048 bytes", 200, "", []string{"X-Amz-Meta-A: " + strings.Repeat("x", 2047)}},
		{"unknown class", 400, "InvalidStorageClass", []string{"X-Amz-Storage-Class: FAST"}},
		{"class of directory buckets", 400, "InvalidStorageClass", []string{"X-Amz-Storage-Class: EXPRESS_ONEZONE"}},
		{"public ACL", 400, "AccessControlListNotSupported", []string{"X-Amz-Acl: public-read"}},
		{"private ACL", 200, "", []string{"X-Amz-Acl: private"}},
		{"unknown ACL", 400, "InvalidArgument", []string{"X-Amz-Acl: mine"}},
		{"grant", 400, "AccessControlListNotSupported", []string{"X-Amz-Grant-Read: id=1"}},
		{"redirect", 400, "InvalidRedirectLocation", []string{"X-Amz-Website-Redirect-Location: javascript:x"}},
		{"11 tags (S-240)", 400, "InvalidTag", []string{"X-Amz-Tagging: a&b&c&d&e&f&g&h&i&j&k"}},
		{"same tag twice (S-240)", 400, "InvalidTag", []string{"X-Amz-Tagging: a=1&a=2"}},
		{"tag not encoded", 400, "InvalidArgument", []string{"X-Amz-Tagging: a=%zz"}},
		{"long tag key", 400, "InvalidTag", []string{"X-Amz-Tagging: " + strings.Repeat("k", 129)}},
		{"system tag", 400, "InvalidTag", []string{"X-Amz-Tagging: aws:x=1"}},
		{"encryption without keys", 501, "NotImplemented", []string{"X-Amz-Server-Side-Encryption: AES256"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := &env{t: t, s: e.s, iam: e.iam, srv: e.srv, now: e.now}
			a := e.must(row.status, "PUT", "/bkt/refused", "x", row.headers...)
			if a.code() != row.code {
				t.Errorf("code %q, want %q", a.code(), row.code)
			}
			if row.status != 200 {
				e.must(404, "HEAD", "/bkt/refused", "")
			}
			e.must(204, "DELETE", "/bkt/refused", "")
		})
	}
}

// A body of unknown length is refused before it is read (S-175).
func TestPutNeedsLength(t *testing.T) {
	e := newEnv(t)
	r := e.request("PUT", "/bkt/k", "")
	r.Body, r.ContentLength = http.NoBody, -1
	r.Body = struct {
		*strings.Reader
		nopCloser
	}{strings.NewReader("x"), nopCloser{}}
	e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
	if a := e.send(r); a.status != 411 || a.code() != "MissingContentLength" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

// The tags of a new object take a right of their own (S-138).
func TestPutTagsNeedTheirRight(t *testing.T) {
	e := newEnv(t)
	e.iam.deny = denyActions("s3:PutObjectTagging")
	e.refused(403, "AccessDenied", "PUT", "/bkt/k", "x", "X-Amz-Tagging: a=b")
	e.refused(403, "AccessDenied", "POST", "/bkt/k?uploads", "", "X-Amz-Tagging: a=b")
	e.must(200, "PUT", "/bkt/k", "x")
}
