package s3api

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

func TestDeleteVersions(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v1 := e.must(200, "PUT", "/ver/k", "one").Get("X-Amz-Version-Id")
	a := e.must(204, "DELETE", "/ver/k", "")
	m1 := a.Get("X-Amz-Version-Id")
	e.wantHeader(a, "X-Amz-Delete-Marker", "true")
	a = e.must(204, "DELETE", "/ver/k", "") // a second marker
	m2 := a.Get("X-Amz-Version-Id")
	if m1 == "" || m2 == "" || m1 == m2 {
		t.Errorf("markers %q and %q", m1, m2)
	}
	for _, method := range []string{"GET", "HEAD"} {
		a := e.refused(404, "NoSuchKey", method, "/ver/k", "")
		e.wantHeader(a, "X-Amz-Delete-Marker", "true")
		e.wantHeader(a, "X-Amz-Version-Id", m2)
		a = e.refused(405, "MethodNotAllowed", method, "/ver/k?versionId="+m1, "")
		e.wantHeader(a, "X-Amz-Delete-Marker", "true")
		e.wantHeader(a, "Allow", "DELETE")
		e.wantHeader(a, "Last-Modified", httpTime(e.now))
		e.must(200, method, "/ver/k?versionId="+v1, "")
		e.refused(404, "NoSuchVersion", method, "/ver/k?versionId=00000000000000ff", "")
		e.refused(400, "InvalidArgument", method, "/ver/k?versionId=", "")
	}
	a = e.must(204, "DELETE", "/ver/k?versionId="+m2, "")
	e.wantHeader(a, "X-Amz-Delete-Marker", "true")
	e.wantHeader(a, "X-Amz-Version-Id", m2)
	e.must(204, "DELETE", "/ver/k?versionId="+m1, "")
	e.must(200, "GET", "/ver/k", "")
	a = e.must(204, "DELETE", "/ver/k?versionId="+v1, "")
	e.wantHeader(a, "X-Amz-Delete-Marker", "")
	e.wantHeader(a, "X-Amz-Version-Id", v1)
	a = e.refused(404, "NoSuchKey", "GET", "/ver/k", "")
	e.wantHeader(a, "X-Amz-Delete-Marker", "")
	e.refused(400, "InvalidArgument", "DELETE", "/ver/k?versionId=", "")
}

// A named version takes the version's action (S-097).
func TestVersionActions(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v := e.must(200, "PUT", "/ver/k", "one").Get("X-Amz-Version-Id")
	e.iam.deny = func(r *iamRequest) bool { return strings.Contains(r.Action, "Version") }
	for _, row := range []struct{ method, sub string }{{"GET", ""}, {"HEAD", ""}, {"DELETE", ""}, {"GET", "tagging"}, {"DELETE", "tagging"}, {"GET", "attributes"}} {
		for _, id := range []string{v, "null"} {
			if a := e.do(row.method, "/ver/k?versionId="+id+"&"+row.sub, "", "X-Amz-Object-Attributes: ETag"); a.status != 403 {
				t.Errorf("%s ?%s of %s: %d %s", row.method, row.sub, id, a.status, a.body)
			}
		}
	}
	e.must(200, "GET", "/ver/k", "")
	e.must(200, "GET", "/ver/k?tagging", "")
}

// deleteBody is the body of a DeleteObjects.
func deleteBody(objects ...string) string {
	return "<Delete><Object>" + strings.Join(objects, "</Object><Object>") + "</Object></Delete>"
}

func (e *env) deleteObjects(status int, target, doc string, headers ...string) *answered {
	e.t.Helper()
	sum := md5.Sum([]byte(doc))
	return e.must(status, "POST", target+"?delete", doc, append(headers, "Content-Md5: "+base64.StdEncoding.EncodeToString(sum[:]))...)
}

func TestDeleteObjects(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v := e.must(200, "PUT", "/ver/a", "hello").Get("X-Amz-Version-Id")
	marker := e.must(204, "DELETE", "/ver/marked", "").Get("X-Amz-Version-Id")
	e.must(200, "PUT", "/ver/kept", "hello")
	e.must(200, "PUT", "/ver/b%26%3C", "hello")
	e.must(200, "PUT", "/ver/forbidden", "hello")
	e.iam.deny = func(r *iamRequest) bool { return r.Key == "forbidden" }
	doc := deleteBody(
		"<Key>b&amp;&lt;</Key>",
		"<Key>a</Key><VersionId>"+v+"</VersionId>",
		"<Key>marked</Key><VersionId>"+marker+"</VersionId>",
		"<Key>missing</Key><VersionId>00000000000000ff</VersionId>",
		"<Key>kept</Key><ETag>"+otherETag+"</ETag>",
		"<Key>forbidden</Key>",
		"<Key>"+strings.Repeat("k", storage.MaxKey+1)+"</Key>",
	)
	a := e.deleteObjects(200, "/ver", doc)
	newMarker := a.element("DeleteMarkerVersionId")
	golden(t, "deleteobjects", a.body, newMarker, v, marker, strings.Repeat("k", storage.MaxKey+1))
	e.iam.deny = nil
	e.must(404, "HEAD", "/ver/b%26%3C", "")
	e.must(200, "HEAD", "/ver/kept", "")
	e.must(200, "HEAD", "/ver/forbidden", "")
	e.must(404, "HEAD", "/ver/a?versionId="+v, "")
	quiet := strings.Replace(deleteBody("<Key>kept</Key>", "<Key>forbidden</Key><Size>9</Size>"), "<Delete>", "<Delete><Quiet>true</Quiet>", 1)
	if a := e.deleteObjects(200, "/ver", quiet); strings.Contains(a.body, "<Deleted>") || a.element("Key") != "forbidden" || a.element("Code") != "PreconditionFailed" {
		t.Error(a.body)
	}
}

func TestDeleteObjectsConditions(t *testing.T) {
	e := newEnv(t)
	same, other := e.now.Format(time.RFC3339), e.now.Add(time.Second).Format(time.RFC3339)
	for _, row := range []struct{ condition, code string }{
		{"<ETag>" + helloETag + "</ETag>", ""},
		{"<ETag>*</ETag>", ""},
		{"<ETag>" + otherETag + "</ETag>", "PreconditionFailed"},
		{"<Size>5</Size>", ""},
		{"<Size>6</Size>", "PreconditionFailed"},
		{"<LastModifiedTime>" + same + "</LastModifiedTime>", ""},
		{"<LastModifiedTime>" + httpTime(e.now) + "</LastModifiedTime>", ""},
		{"<LastModifiedTime>" + other + "</LastModifiedTime>", "PreconditionFailed"},
	} {
		e.must(200, "PUT", "/bkt/k", "hello")
		a := e.deleteObjects(200, "/bkt", deleteBody("<Key>k</Key>"+row.condition))
		if a.element("Code") != row.code {
			t.Errorf("%s: %s", row.condition, a.body)
		}
		want := 404
		if row.code != "" {
			want = 200
		}
		e.must(want, "HEAD", "/bkt/k", "")
	}
	if a := e.deleteObjects(200, "/bkt", deleteBody("<Key>missing</Key><ETag>*</ETag>")); a.element("Code") != "NoSuchKey" {
		t.Error(a.body)
	}
}

func TestDeleteObjectsRefusals(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	doc := deleteBody("<Key>k</Key>")
	e.refused(400, "InvalidRequest", "POST", "/bkt?delete", doc) // neither Content-MD5 nor checksum
	e.refused(400, "BadDigest", "POST", "/bkt?delete", doc, "Content-Md5: "+md5Of("x"))
	e.refused(400, "BadDigest", "POST", "/bkt?delete", doc, "X-Amz-Checksum-Crc32: "+sumOf("CRC32", "x"))
	var many []string
	for i := range maxDeleteKeys + 1 {
		many = append(many, fmt.Sprintf("<Key>k%d</Key>", i))
	}
	for name, doc := range map[string]string{
		"1001 keys (S-240)": deleteBody(many...), "no object": "<Delete></Delete>", "no key": deleteBody("<VersionId>x</VersionId>"), "empty key": deleteBody("<Key></Key>"),
		"size": deleteBody("<Key>k</Key><Size>-1</Size>"), "time": deleteBody("<Key>k</Key><LastModifiedTime>x</LastModifiedTime>"), "no XML": "k",
		"DTD (S-238)": "<!DOCTYPE d>" + doc, "namespace (S-238)": strings.Replace(doc, "<Delete>", `<Delete xmlns="urn:x">`, 1),
	} {
		if a := e.deleteObjects(400, "/bkt", doc); a.code() != "MalformedXML" {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := e.deleteObjects(400, "/bkt", deleteBody("<Key>k</Key>")+strings.Repeat(" ", maxDeleteBody)); a.code() != "EntityTooLarge" {
		t.Error(a.body)
	}
	e.must(200, "HEAD", "/bkt/k", "")
	if a := e.deleteObjects(200, "/bkt", deleteBody(many[:maxDeleteKeys]...)); strings.Count(a.body, "<Deleted>") != maxDeleteKeys {
		t.Errorf("%d deleted", strings.Count(a.body, "<Deleted>"))
	}
	e.must(200, "POST", "/bkt?delete", doc, "X-Amz-Checksum-Crc32: "+sumOf("CRC32", doc))
	e.must(404, "HEAD", "/bkt/k", "")
}

// A locked version stays, whoever asks, unless governance is bypassed by right (object lock).
func TestDeleteLocked(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/locked", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
	until := "X-Amz-Object-Lock-Retain-Until-Date: " + e.now.Add(time.Hour).Format(time.RFC3339)
	v := e.must(200, "PUT", "/locked/k", "x", "X-Amz-Object-Lock-Mode: GOVERNANCE", until).Get("X-Amz-Version-Id")
	h := e.must(200, "HEAD", "/locked/k", "")
	e.wantHeader(h, "X-Amz-Object-Lock-Mode", "GOVERNANCE")
	e.refused(403, "AccessDenied", "DELETE", "/locked/k?versionId="+v, "")
	doc := deleteBody("<Key>k</Key><VersionId>" + v + "</VersionId>")
	if a := e.deleteObjects(200, "/locked", doc); a.element("Code") != "AccessDenied" {
		t.Error(a.body)
	}
	e.iam.deny = denyActions("s3:BypassGovernanceRetention")
	e.refused(403, "AccessDenied", "DELETE", "/locked/k?versionId="+v, "", "X-Amz-Bypass-Governance-Retention: true")
	e.iam.deny = nil
	e.must(204, "DELETE", "/locked/k", "") // a marker may always be added
	if a := e.deleteObjects(200, "/locked", doc, "X-Amz-Bypass-Governance-Retention: true"); a.element("Code") != "" {
		t.Error(a.body)
	}
	e.must(404, "HEAD", "/locked/k?versionId="+v, "")
}
