package s3api

import (
	"crypto/md5"
	"encoding/base64"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/sigv4"
)

// sumOf returns a checksum of data in base64.
func sumOf(name, data string) string {
	alg, ok := checksum.Parse(name)
	if !ok {
		panic(name)
	}
	h := alg.New()
	h.Write([]byte(data))
	return checksum.Encode(h.Sum(nil))
}

// stream sends a body in chunks with a checksum as trailer, as SDKs do over TLS.
func (e *env) stream(payload sigv4.Payload, method, target, body, name, value string, headers ...string) *answered {
	e.t.Helper()
	r := e.request(method, target, body, headers...)
	o := sigv4.Stream{Payload: payload, ChunkSize: 8192}
	if name != "" {
		o.TrailerName, o.TrailerSize, o.Trailer = name, len(value), func() string { return value }
	}
	if err := e.signer().SignStream(r, o, e.now); err != nil {
		e.t.Fatal(err)
	}
	return e.send(r)
}

// Each of the ten algorithms in a header and in a trailer: right, wrong and malformed values
// (S-179, S-177), for objects and for parts.
func TestChecksumsOfUploads(t *testing.T) {
	e := newEnv(t)
	body := strings.Repeat("data ", 5000)
	id := e.must(200, "POST", "/bkt/mp?uploads", "").element("UploadId")
	for _, alg := range checksum.Algorithms() {
		t.Run(alg.String(), func(t *testing.T) {
			e := e.at(t)
			good, wrong := sumOf(alg.String(), body), sumOf(alg.String(), "other")
			short := checksum.Encode(make([]byte, alg.Size()-1))
			for _, target := range []string{"/bkt/" + alg.String(), "/bkt/mp?partNumber=1&uploadId=" + id} {
				name := alg.Header()
				e.refused(400, "BadDigest", "PUT", target, body, name+": "+wrong)
				e.refused(400, "InvalidRequest", "PUT", target, body, name+": "+short)
				e.refused(400, "InvalidRequest", "PUT", target, body, name+": ?"+good[1:])
				e.refused(400, "InvalidRequest", "PUT", target, body, name+": "+good, "x-amz-sdk-checksum-algorithm: "+otherThan(alg))
				e.wantHeader(e.must(200, "PUT", target, body, name+": "+good, "x-amz-sdk-checksum-algorithm: "+strings.ToLower(alg.String())), name, good)
				for _, p := range []sigv4.Payload{sigv4.PayloadStreamSignedTrailer, sigv4.PayloadStreamUnsignedTrailer} {
					a := e.stream(p, "PUT", target, body, name, good, "x-amz-sdk-checksum-algorithm: "+alg.String())
					if a.status != 200 {
						t.Fatalf("trailer: %d %s", a.status, a.body)
					}
					e.wantHeader(a, name, good)
					if a := e.stream(p, "PUT", target, body, name, wrong); a.status != 400 || a.code() != "BadDigest" {
						t.Errorf("wrong trailer: %d %s", a.status, a.body)
					}
					if a := e.stream(p, "PUT", target, body, name, short); a.status != 400 || a.code() != "InvalidRequest" {
						t.Errorf("short trailer: %d %s", a.status, a.body)
					}
					if a := e.stream(p, "PUT", target, body, name, good, name+": "+good); a.status != 400 {
						t.Errorf("header and trailer: %d %s", a.status, a.body)
					}
				}
			}
			a := e.must(200, "GET", "/bkt/"+alg.String(), "", "X-Amz-Checksum-Mode: ENABLED")
			e.wantHeader(a, alg.Header(), good)
			e.wantHeader(a, "X-Amz-Checksum-Type", "FULL_OBJECT")
			if a.body != body {
				t.Error("body differs")
			}
			e.wantHeader(e.must(200, "HEAD", "/bkt/"+alg.String(), ""), alg.Header(), "")
		})
	}
}

func otherThan(a checksum.Algorithm) string {
	if a == checksum.CRC32 {
		return "SHA1"
	}
	return "CRC32"
}

// What is wrong with a checksum leaves nothing behind.
func TestChecksumRefusals(t *testing.T) {
	e := newEnv(t)
	const body = "hello"
	crc, sha := "x-amz-checksum-crc32: "+sumOf("CRC32", body), "x-amz-checksum-sha256: "+sumOf("SHA256", body)
	for _, row := range []struct {
		name, code string
		headers    []string
	}{
		{"two algorithms", "InvalidRequest", []string{crc, sha}},
		{"the same twice", "InvalidRequest", []string{crc, crc}},
		{"unknown algorithm", "InvalidRequest", []string{"x-amz-checksum-crc16: AAA="}},
		{"unknown name", "InvalidRequest", []string{"x-amz-sdk-checksum-algorithm: CRC16", crc}},
		{"a name without value", "InvalidRequest", []string{"x-amz-sdk-checksum-algorithm: CRC32"}},
		{"a composite value", "InvalidRequest", []string{crc + "-1"}},
		{"trailer without streaming", "InvalidRequest", []string{"x-amz-trailer: x-amz-checksum-crc32"}},
		{"unknown trailer", "InvalidRequest", []string{"x-amz-trailer: x-amz-meta-a"}},
		{"wrong Content-MD5", "BadDigest", []string{"Content-Md5: " + md5Of("other")}},
		{"Content-MD5 in hex", "InvalidDigest", []string{"Content-Md5: 5d41402abc4b2a76b9719d911017c592"}},
		{"empty Content-MD5", "InvalidDigest", []string{"Content-Md5: "}},
		{"two Content-MD5", "InvalidDigest", []string{"Content-Md5: " + md5Of(body), "Content-Md5: " + md5Of("x")}},
		{"short Content-MD5", "InvalidDigest", []string{"Content-Md5: AAAA"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			e.refused(400, row.code, "PUT", "/bkt/k", body, row.headers...)
			e.must(404, "HEAD", "/bkt/k", "")
		})
	}
	e.must(200, "PUT", "/bkt/k", body, "Content-Md5: "+md5Of(body), sha)
	e.must(200, "PUT", "/bkt/k", body, "Content-Md5: "+md5Of(body), "x-amz-sdk-checksum-algorithm: CRC32")
}

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A body that is cut off, or whose signed hash is another, is not stored.
func TestBrokenBodies(t *testing.T) {
	e := newEnv(t)
	r := e.request("PUT", "/bkt/k", "hello")
	e.signer().SignHeader(r, strings.Repeat("0", 64), e.now)
	if a := e.send(r); a.status != 400 || a.code() != "XAmzContentSHA256Mismatch" {
		t.Errorf("wrong payload hash: %d %s", a.status, a.body)
	}
	e.must(404, "HEAD", "/bkt/k", "")
	// A body longer than S3 takes is refused before it is read.
	w := httptest.NewRecorder()
	r = httptest.NewRequest("PUT", "http://s3.test/bkt/k", failingBody{t})
	r.ContentLength = maxPut + 1
	e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
	e.s.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>EntityTooLarge</Code>") {
		t.Errorf("too large: %d %s", w.Code, w.Body)
	}
	// A connection that breaks off.
	w = httptest.NewRecorder()
	r = httptest.NewRequest("PUT", "http://s3.test/bkt/k", io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.ContentLength = 5
	e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
	e.s.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>IncompleteBody</Code>") {
		t.Errorf("cut off: %d %s", w.Code, w.Body)
	}
	e.must(404, "HEAD", "/bkt/k", "")
}

// failingBody is a body that must not be read.
type failingBody struct{ t *testing.T }

func (b failingBody) Read([]byte) (int, error) {
	b.t.Error("the body was read")
	return 0, io.EOF
}
