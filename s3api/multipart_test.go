package s3api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/storage"
)

// create begins an upload and returns its id.
func (e *env) create(target string, headers ...string) string {
	e.t.Helper()
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	id := e.must(200, "POST", target+sep+"uploads", "", headers...).element("UploadId")
	if id == "" {
		e.t.Fatal("no upload id")
	}
	return id
}

// part uploads a part and returns its ETag.
func (e *env) part(target, id string, number int, body string, headers ...string) string {
	e.t.Helper()
	return e.must(200, "PUT", fmt.Sprintf("%s?partNumber=%d&uploadId=%s", target, number, id), body, headers...).Get("Etag")
}

func TestMultipart(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	first, last := strings.Repeat("a", minPartSize), "the end"
	id := e.create("/ver/dir/k", "Content-Type: text/plain", "X-Amz-Meta-A: b", "X-Amz-Storage-Class: GLACIER_IR", "X-Amz-Tagging: t=1")
	e2 := e.part("/ver/dir/k", id, 7, last)
	e1 := e.part("/ver/dir/k", id, 3, first)
	e.part("/ver/dir/k", id, 9, "not used")
	doc := "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><ETag>" + e1 + "</ETag><PartNumber>3</PartNumber></Part>" +
		"<Part><PartNumber>7</PartNumber><ETag>" + strings.ReplaceAll(e2, `"`, "&quot;") + "</ETag></Part></CompleteMultipartUpload>"
	a := e.must(200, "POST", "/ver/dir/k?uploadId="+id, doc, "X-Amz-Mp-Object-Size: 5242887")
	version := a.Get("X-Amz-Version-Id")
	if version == "" || a.element("Location") != e.srv.URL+"/ver/dir/k" || a.element("Bucket") != "ver" || a.element("Key") != "dir/k" {
		t.Errorf("%v %s", a.Header, a.body)
	}
	etag := strings.ReplaceAll(a.element("ETag"), "&quot;", `"`)
	if !strings.HasSuffix(etag, `-2"`) {
		t.Errorf("ETag %s", etag)
	}
	if got, want := a.element("ChecksumCRC64NVME"), sumOf("CRC64NVME", first+last); got != want || a.element("ChecksumType") != "FULL_OBJECT" {
		t.Errorf("checksum %q, want %q: %s", got, want, a.body)
	}
	g := e.must(200, "GET", "/ver/dir/k?versionId="+version, "")
	if g.body != first+last {
		t.Errorf("%d bytes", len(g.body))
	}
	for name, want := range map[string]string{"Etag": etag, "Content-Type": "text/plain", "X-Amz-Meta-A": "b", "X-Amz-Storage-Class": "GLACIER_IR", "X-Amz-Tagging-Count": "1"} {
		e.wantHeader(g, name, want)
	}
	// Said again, as clients do that missed the answer.
	b := e.must(200, "POST", "/ver/dir/k?uploadId="+id, doc)
	if b.body != a.body || b.Get("X-Amz-Version-Id") != version {
		t.Errorf("repeated: %s", b.body)
	}
	e.refused(404, "NoSuchUpload", "PUT", "/ver/dir/k?partNumber=1&uploadId="+id, "x")
}

func TestCompleteRefusals(t *testing.T) {
	e := newEnv(t)
	id := e.create("/bkt/k", "X-Amz-Checksum-Algorithm: SHA256")
	small := e.part("/bkt/k", id, 1, "small")
	large := e.part("/bkt/k", id, 2, strings.Repeat("x", minPartSize), "X-Amz-Checksum-Sha256: "+sumOf("SHA256", strings.Repeat("x", minPartSize)))
	part := func(n int, etag, more string) string {
		return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>%s</Part>", n, etag, more)
	}
	many := strings.Repeat(part(1, small, ""), maxParts+1)
	composite := checksum.Compose(checksum.SHA256, [][]byte{mustDecode(sumOf("SHA256", "small"))})
	for _, row := range []struct {
		name, code, doc string
		headers         []string
	}{
		{"no XML", "MalformedXML", "nothing", nil},
		{"no part", "MalformedXML", "<CompleteMultipartUpload></CompleteMultipartUpload>", nil},
		{"another root", "MalformedXML", "<Complete>" + part(1, small, "") + "</Complete>", nil},
		{"10001 parts (S-240)", "MalformedXML", many, nil},
		{"number 0 (S-235)", "InvalidArgument", part(0, small, ""), nil},
		{"number 10001 (S-235)", "InvalidArgument", part(10001, small, ""), nil},
		{"negative number (S-235)", "MalformedXML", part(-1, small, ""), nil},
		{"missing part", "InvalidPart", part(5, small, ""), nil},
		{"another ETag", "InvalidPart", part(1, otherETag, ""), nil},
		{"order", "InvalidPartOrder", part(2, large, "") + part(1, small, ""), nil},
		{"twice", "InvalidPartOrder", part(1, small, "") + part(1, small, ""), nil},
		{"small part", "EntityTooSmall", part(1, small, "") + part(2, large, ""), nil},
		{"part's checksum", "InvalidPart", part(1, small, "<ChecksumSHA256>"+sumOf("SHA256", "x")+"</ChecksumSHA256>"), nil},
		{"two checksums", "InvalidRequest", part(1, small, "<ChecksumSHA256>a</ChecksumSHA256><ChecksumSHA1>a</ChecksumSHA1>"), nil},
		{"object size", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Mp-Object-Size: 6"}},
		{"no size", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Mp-Object-Size: -6"}},
		{"checksum of the whole (S-179)", "BadDigest", part(1, small, ""), []string{"X-Amz-Checksum-Sha256: " + sumOf("SHA256", "small")}},
		{"no checksum (S-179)", "BadDigest", part(1, small, ""), []string{"X-Amz-Checksum-Sha256: bad"}},
		{"other algorithm (S-179)", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Checksum-Crc32: " + sumOf("CRC32", "small")}},
		{"unknown algorithm (S-179)", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Checksum-Crc16: x"}},
		{"two algorithms (S-179)", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Checksum-Sha256: " + composite, "X-Amz-Checksum-Crc32: x"}},
		{"other type (S-179)", "InvalidRequest", part(1, small, ""), []string{"X-Amz-Checksum-Type: FULL_OBJECT"}},
		{"Content-MD5", "BadDigest", part(1, small, ""), []string{"Content-Md5: " + md5Of("x")}},
		{"entity (S-238)", "MalformedXML", `<!DOCTYPE x [<!ENTITY e "x">]>` + part(1, small, ""), nil},
		{"too long", "EntityTooLarge", part(1, small, "") + strings.Repeat(" ", maxCompleteBody), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			doc := row.doc
			if strings.HasPrefix(doc, "<Part>") {
				doc = "<CompleteMultipartUpload>" + doc + "</CompleteMultipartUpload>"
			}
			e.refused(400, row.code, "POST", "/bkt/k?uploadId="+id, doc, row.headers...)
			e.must(404, "HEAD", "/bkt/k", "")
		})
	}
	doc := "<CompleteMultipartUpload>" + part(1, small, "<ChecksumSHA256>"+sumOf("SHA256", "small")+"</ChecksumSHA256>") + "</CompleteMultipartUpload>"
	a := e.must(200, "POST", "/bkt/k?uploadId="+id, doc, "X-Amz-Checksum-Sha256: "+composite, "X-Amz-Checksum-Type: COMPOSITE")
	if a.element("ChecksumSHA256") != composite || a.element("ChecksumType") != "COMPOSITE" {
		t.Error(a.body)
	}
}

func mustDecode(value string) []byte {
	for _, alg := range checksum.Algorithms() {
		if sum, ok := alg.Decode(value); ok {
			return sum
		}
	}
	panic(value)
}

// Every algorithm with each type that it may have, from parts with and without a checksum.
func TestChecksumsOfMultipart(t *testing.T) {
	e := newEnv(t)
	bodies := []string{strings.Repeat("1", minPartSize), strings.Repeat("2", minPartSize+1), "3"}
	for _, alg := range checksum.Algorithms() {
		for _, typ := range []string{checksum.Composite, checksum.FullObject} {
			t.Run(alg.String()+"/"+typ, func(t *testing.T) {
				e, key := e.at(t), "/bkt/"+alg.String()+typ
				declare := []string{"X-Amz-Checksum-Algorithm: " + alg.String(), "X-Amz-Checksum-Type: " + typ}
				if !alg.Allows(typ) {
					e.refused(400, "InvalidRequest", "POST", key+"?uploads", "", declare...)
					return
				}
				a := e.must(200, "POST", key+"?uploads", "", declare...)
				e.wantHeader(a, "X-Amz-Checksum-Algorithm", alg.String())
				e.wantHeader(a, "X-Amz-Checksum-Type", typ)
				id := a.element("UploadId")
				var etags []string
				var sums [][]byte
				for i, body := range bodies {
					sum := sumOf(alg.String(), body)
					var h []string
					if i > 0 {
						h = []string{alg.Header() + ": " + sum}
					}
					etags = append(etags, e.part(key, id, i+1, body, h...))
					sums = append(sums, mustDecode(sum))
				}
				other := otherThan(alg)
				e.refused(400, "InvalidRequest", "PUT", key+"?partNumber=4&uploadId="+id, "x", "X-Amz-Checksum-"+other+": "+sumOf(other, "x"))
				want := sumOf(alg.String(), strings.Join(bodies, ""))
				if typ == checksum.Composite {
					want = checksum.Compose(alg, sums)
				}
				a = e.must(200, "POST", key+"?uploadId="+id, completeDoc(etags...), alg.Header()+": "+want, "X-Amz-Checksum-Type: "+typ)
				if a.element(alg.Element()) != want || a.element("ChecksumType") != typ {
					t.Errorf("want %s: %s", want, a.body)
				}
				g := e.must(200, "HEAD", key, "", "X-Amz-Checksum-Mode: ENABLED")
				e.wantHeader(g, alg.Header(), want)
				e.wantHeader(g, "X-Amz-Checksum-Type", typ)
			})
		}
	}
	e.refused(400, "InvalidRequest", "POST", "/bkt/k?uploads", "", "X-Amz-Checksum-Type: COMPOSITE")
	e.refused(400, "InvalidRequest", "POST", "/bkt/k?uploads", "", "X-Amz-Checksum-Algorithm: CRC16")
	e.refused(400, "InvalidRequest", "POST", "/bkt/k?uploads", "", "X-Amz-Checksum-Algorithm: CRC32", "X-Amz-Checksum-Type: HALF")
}

// An upload that declares no algorithm takes any; what can be composed is.
func TestChecksumsOfUndeclaredUpload(t *testing.T) {
	e := newEnv(t)
	first := strings.Repeat("1", minPartSize)
	id := e.create("/bkt/crc")
	e1 := e.part("/bkt/crc", id, 1, first, "X-Amz-Checksum-Crc32: "+sumOf("CRC32", first))
	e2 := e.part("/bkt/crc", id, 2, "2", "X-Amz-Checksum-Crc32: "+sumOf("CRC32", "2"))
	a := e.must(200, "POST", "/bkt/crc?uploadId="+id, completeDoc(e1, e2))
	if a.element("ChecksumCRC32") != sumOf("CRC32", first+"2") || a.element("ChecksumType") != "FULL_OBJECT" {
		t.Error(a.body)
	}
	id = e.create("/bkt/mixed")
	e1 = e.part("/bkt/mixed", id, 1, first, "X-Amz-Checksum-Sha1: "+sumOf("SHA1", first))
	e2 = e.part("/bkt/mixed", id, 2, "2")
	e.refused(400, "InvalidRequest", "POST", "/bkt/mixed?uploadId="+id, completeDoc(e1, e2), "X-Amz-Checksum-Crc32: "+sumOf("CRC32", first+"2"))
	a = e.must(200, "POST", "/bkt/mixed?uploadId="+id, completeDoc(e1, e2))
	if strings.Contains(a.body, "Checksum") {
		t.Error(a.body)
	}
}

// The id of an upload is no right to it, and good for its own key alone (S-127).
func TestUploadBelongsToItsKey(t *testing.T) {
	e := newEnv(t)
	e.bucket("other", storage.VersioningUnset)
	id := e.create("/bkt/k")
	etag := e.part("/bkt/k", id, 1, "x")
	e.must(200, "PUT", "/bkt/source", "x")
	requests := []struct{ method, query, body, header string }{
		{"PUT", "partNumber=1&uploadId=" + id, "y", "X-Amz-Meta: "},
		{"PUT", "partNumber=1&uploadId=" + id, "", "X-Amz-Copy-Source: bkt/source"},
		{"GET", "uploadId=" + id, "", ""},
		{"POST", "uploadId=" + id, completeDoc(etag), ""},
		{"DELETE", "uploadId=" + id, "", ""},
	}
	for _, row := range requests {
		headers := []string{row.header}
		if !strings.HasPrefix(row.header, "X-Amz-Copy") {
			headers = nil
		}
		for _, target := range []string{"/bkt/k2", "/other/k"} {
			e.refused(404, "NoSuchUpload", row.method, target+"?"+row.query, row.body, headers...)
		}
		e.refused(404, "NoSuchUpload", row.method, "/bkt/k?"+strings.Replace(row.query, id, "x", 1), row.body, headers...)
		e.iam.deny = func(r *iamRequest) bool { return r.Key == "k" }
		e.refused(403, "AccessDenied", row.method, "/bkt/k?"+row.query, row.body, headers...)
		e.iam.deny = nil
	}
	if a := e.must(200, "GET", "/bkt/k?uploadId="+id, ""); strings.Count(a.body, "<Part>") != 1 || !strings.Contains(a.body, strings.Trim(etag, `"`)) {
		t.Errorf("the upload has changed: %s", a.body)
	}
}

func TestPartNumbersOfUploads(t *testing.T) {
	e := newEnv(t)
	id := e.create("/bkt/k")
	for _, n := range []string{"0", "-1", "10001", "100000000000000000000", "1.5", "", "x"} { // S-235
		e.refused(400, "InvalidArgument", "PUT", "/bkt/k?uploadId="+id+"&partNumber="+n, "x")
	}
	e.refused(400, "InvalidArgument", "PUT", "/bkt/k?uploadId="+id, "x")
	e.part("/bkt/k", id, maxParts, "x")
}

func TestAbort(t *testing.T) {
	e := newEnv(t)
	id := e.create("/bkt/k")
	begun := e.now
	e.refused(412, "PreconditionFailed", "DELETE", "/bkt/k?uploadId="+id, "", "X-Amz-If-Match-Initiated-Time: "+httpTime(begun.Add(time.Second)))
	e.refused(400, "InvalidArgument", "DELETE", "/bkt/k?uploadId="+id, "", "X-Amz-If-Match-Initiated-Time: soon")
	e.must(204, "DELETE", "/bkt/k?uploadId="+id, "", "X-Amz-If-Match-Initiated-Time: "+httpTime(begun))
	e.refused(404, "NoSuchUpload", "DELETE", "/bkt/k?uploadId="+id, "")
}

func TestListParts(t *testing.T) {
	e := newEnv(t)
	id := e.create("/bkt/a%20key", "X-Amz-Checksum-Algorithm: CRC32C")
	for n := 1; n <= 5; n++ {
		e.part("/bkt/a%20key", id, n*10, strings.Repeat("x", n))
	}
	golden(t, "listparts", e.must(200, "GET", "/bkt/a%20key?max-parts=2&part-number-marker=10&uploadId="+id, "").body, id)
	a := e.must(200, "GET", "/bkt/a%20key?encoding-type=url&part-number-marker=30&uploadId="+id, "")
	if a.element("Key") != "a%20key" || a.element("IsTruncated") != "false" || strings.Count(a.body, "<Part>") != 2 || a.element("MaxParts") != "1000" {
		t.Error(a.body)
	}
	e.refused(400, "InvalidArgument", "GET", "/bkt/a%20key?max-parts=-1&uploadId="+id, "")
	e.refused(400, "InvalidArgument", "GET", "/bkt/a%20key?part-number-marker=x&uploadId="+id, "")
	e.refused(400, "InvalidArgument", "GET", "/bkt/a%20key?encoding-type=base64&uploadId="+id, "")
}
