package sigv4_test

import (
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/objsrv/objsrv/sigv4"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// echoServer verifies what it receives and answers with the decoded body and trailer.
func echoServer(t testing.TB) *httptest.Server {
	v := &sigv4.Verifier{Region: "us-east-1", Service: "s3"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := serveEcho(v, w, r)
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, err.Error())
			if e, ok := err.(*sigv4.Error); ok {
				for _, f := range e.Fields {
					io.WriteString(w, "\n"+f.Name+": "+f.Value)
				}
			}
			return
		}
		w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s
}

func serveEcho(v *sigv4.Verifier, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	a, err := v.Parse(r)
	if err != nil {
		return nil, err
	}
	if err := v.Verify(r, &a, secretKey); err != nil {
		return nil, err
	}
	b, err := v.Body(r, &a, secretKey)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return nil, err
	}
	for name, value := range b.Trailer() {
		w.Header().Set(name, value)
	}
	return data, nil
}

// do sends r and returns the echo; a refusal fails the test.
func do(t *testing.T, r *http.Request) (string, http.Header) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s %v", r.Method, r.URL, resp.StatusCode, data, err)
	}
	return string(data), resp.Header
}

// keys are names that go wrong when a path is decoded twice, cleaned, or encoded otherwise (S-162).
var keys = []string{
	"a", "a b", "a+b", "a%20b", "a%2Bb", "a//b", "//a", "../x", "./x", "a/./b", "~a", "é", "e\u0301", "a\\b", "a;b", "a?b", "a#b",
	"a%25b", "dir/", "a&b=c", "!*'()", "\x01\x1f", "日本語", strings.Repeat("x", 1000), "\xff\xfe", "a:b@c", "$,",
}

func request(t testing.TB, method, base, key, query, body string) *http.Request {
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path, u.RawQuery = "/bucket/"+key, query
	u.RawPath = escapePath(u.Path)
	r := &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}, ContentLength: int64(len(body))}
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
	}
	return r
}

// escapePath encodes a path as S3 clients do, so that "//" and ".." reach the server as they are.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return strings.Join(parts, "/")
}

// What minio-go signs is accepted, over a real connection, for awkward keys and queries.
func TestMinioSigner(t *testing.T) {
	s := echoServer(t)
	for _, key := range keys {
		if !utf8.ValidString(key) {
			continue // minio-go signs another path than it sends
		}
		for _, query := range []string{"", "uploads", "prefix=a%20b%2Fc&delimiter=%2F&marker=", "b=2&a=0&a=1"} {
			r := request(t, "GET", s.URL, key, query, "")
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			r.Header.Set("X-Amz-Meta-A", "  several   spaces\there ")
			do(t, signer.SignV4(*r, accessKey, secretKey, "token", "us-east-1"))
			r = request(t, "GET", s.URL, key, query, "")
			do(t, signer.PreSignV4(*r, accessKey, secretKey, "token", "us-east-1", 3600))
		}
	}
}

// hasher makes a hash what minio-go's streaming signer wants.
type hasher struct{ hash.Hash }

func (hasher) Close() {}

func TestMinioStreams(t *testing.T) {
	s := echoServer(t)
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 200_000} {
		content := strings.Repeat("0123456789", size/10+1)[:size]
		for _, trailer := range []bool{false, true} {
			r := request(t, "PUT", s.URL, "a b", "", content)
			if trailer {
				r.Trailer = http.Header{"X-Amz-Checksum-Crc32c": []string{"AAAAAA=="}}
			}
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
			r = signer.StreamingSignV4(r, accessKey, secretKey, "", "us-east-1", int64(size), time.Now().UTC(), hasher{sha256.New()})
			got, header := do(t, r)
			if got != content || trailer != (header.Get("X-Amz-Checksum-Crc32c") != "") {
				t.Errorf("signed, trailer %v, %d bytes: %d bytes, %v", trailer, size, len(got), header)
			}
		}
		if size == 0 {
			continue // minio-go does not stream an empty body in this form
		}
		r := request(t, "PUT", s.URL, "a b", "", content)
		r.Trailer = http.Header{"X-Amz-Checksum-Crc32c": []string{"AAAAAA=="}}
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		got, header := do(t, signer.SignV4Trailer(*r, accessKey, secretKey, "", "us-east-1", r.Trailer))
		if got != content || header.Get("X-Amz-Checksum-Crc32c") != "AAAAAA==" {
			t.Errorf("unsigned, %d bytes: %d bytes, %v", size, len(got), header)
		}
	}
}

// What the Signer makes is what minio-go makes, where both sign the same headers.
func TestSignerAgrees(t *testing.T) {
	policy := []byte(`{"expiration":"2030-01-01T00:00:00Z","conditions":[]}`)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &sigv4.Signer{AccessKey: accessKey, Secret: secretKey, Region: "eu-west-1", Service: "s3"}
	form := s.SignPostPolicy(policy, at)
	if want := signer.PostPresignSignatureV4(base64.StdEncoding.EncodeToString(policy), at, secretKey, "eu-west-1"); form["x-amz-signature"] != want {
		t.Errorf("policy signature %s, want %s", form["x-amz-signature"], want)
	}
	if want := signer.GetCredential(accessKey, "eu-west-1", at, "s3"); form["x-amz-credential"] != want {
		t.Errorf("credential %s, want %s", form["x-amz-credential"], want)
	}
}

// The Signer's own requests over a real connection: every form of body, awkward keys.
func TestSignerRoundTrip(t *testing.T) {
	s := echoServer(t)
	sg := &sigv4.Signer{AccessKey: accessKey, Secret: secretKey, SessionToken: "t/=+", Region: "us-east-1", Service: "s3"}
	for _, key := range keys {
		r := request(t, "PUT", s.URL, key, "x-id=a%2Bb&tagging", "content")
		r.Header.Set("X-Amz-Meta-A", "a  b")
		sg.Presign(r, time.Hour, time.Now())
		if got, _ := do(t, r); got != "content" {
			t.Errorf("presigned %q: %q", key, got)
		}
		r = request(t, "PUT", s.URL, key, "", "content")
		r.Header.Set("Content-Type", "text/plain")
		sg.SignHeader(r, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73", time.Now())
		if got, _ := do(t, r); got != "content" {
			t.Errorf("signed %q: %q", key, got)
		}
	}
	for _, p := range []sigv4.Payload{sigv4.PayloadStreamSigned, sigv4.PayloadStreamSignedTrailer, sigv4.PayloadStreamUnsignedTrailer} {
		content := strings.Repeat("x", 300_000)
		r := request(t, "PUT", s.URL, "k", "", content)
		o := sigv4.Stream{Payload: p}
		if p != sigv4.PayloadStreamSigned {
			o.TrailerName, o.TrailerSize, o.Trailer = "x-amz-checksum-crc32", 8, func() string { return "AAAAAA==" }
		}
		if err := sg.SignStream(r, o, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got, header := do(t, r); got != content || (o.TrailerName != "") != (header.Get("X-Amz-Checksum-Crc32") != "") {
			t.Errorf("stream %v: %d bytes", p, len(got))
		}
	}
}
