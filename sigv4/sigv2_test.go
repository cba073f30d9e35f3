package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func v2Verifier(now int64) *Verifier {
	return &Verifier{Region: "us-east-1", Service: "s3", Now: func() time.Time { return time.Unix(now, 0) },
		V2Bucket: func(host string) string {
			bucket, _, _ := strings.Cut(host, ".s3.")
			return bucket
		}}
}

// The example of "Query string request authentication alternative" in the S3 user guide.
func TestAWSExampleV2(t *testing.T) {
	const u = "http://awsexamplebucket1.s3.us-west-1.amazonaws.com/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
	r := newRequest("GET", strings.Replace(u, "awsexamplebucket1", "johnsmith", 1), "")
	if _, _, err := accept(v2Verifier(1175139610), r, exampleSecret); err != nil {
		t.Errorf("%v %v", err, fieldOf(err, "StringToSign"))
	}
}

func v2Sign(toSign string) string {
	mac := hmac.New(sha1.New, []byte(exampleSecret))
	mac.Write([]byte(toSign))
	return url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestPresignedV2(t *testing.T) {
	const now, expires = 1_400_000_000, "1400000100"
	sign := func(method, target, toSign string, headers ...string) *http.Request {
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		return newRequest(method, "http://.s3.example.com"+target+sep+"AWSAccessKeyId="+exampleKey+"&Signature="+v2Sign(toSign)+"&Expires="+expires, "", headers...)
	}
	get := func() *http.Request { return sign("GET", "/b/k", "GET\n\n\n"+expires+"\n/b/k") }
	for _, tc := range []struct {
		name string
		r    *http.Request
		do   func(*http.Request)
		code string
	}{
		{"positive twin", get(), nil, ""},
		{"escaped path", sign("GET", "/b/a%20b", "GET\n\n\n"+expires+"\n/b/a%20b"), nil, ""},
		{"resources, sorted and decoded", sign("GET", "/b/k?versionId=1&response-content-type=a%2Fb", "GET\n\n\n"+expires+"\n/b/k?response-content-type=a/b&versionId=1"), nil, ""},
		{"content type", sign("PUT", "/b/k", "PUT\n\ntext/plain\n"+expires+"\n/b/k", "Content-Type: text/plain"), nil, ""},
		{"headers in the query", sign("PUT", "/b/k?x-amz-meta-a=b&content-type=text%2Fplain", "PUT\n\ntext/plain\n"+expires+"\nx-amz-meta-a:b\n/b/k"), nil, ""},
		{"header", sign("PUT", "/b/k", "PUT\n\n\n"+expires+"\nx-amz-acl:private\n/b/k", "X-Amz-Acl: private"), nil, ""},
		{"S-035 header more", get(), set("X-Amz-Copy-Source", "/victim/secret"), "SignatureDoesNotMatch"},
		{"S-169 method", get(), func(r *http.Request) { r.Method = "DELETE" }, "SignatureDoesNotMatch"},
		{"S-169 key", get(), func(r *http.Request) { r.URL.Path += "x" }, "SignatureDoesNotMatch"},
		{"S-169 bucket", get(), func(r *http.Request) { r.Host = "victim.s3.example.com" }, "SignatureDoesNotMatch"},
		{"S-167 versionId", get(), func(r *http.Request) { r.URL.RawQuery += "&versionId=1" }, "SignatureDoesNotMatch"},
		{"S-167 acl", get(), func(r *http.Request) { r.URL.RawQuery += "&acl" }, "SignatureDoesNotMatch"},
		{"S-167 what version 2 does not sign", get(), func(r *http.Request) { r.URL.RawQuery += "&policy" }, "AccessDenied"},
		{"S-167 prefix", get(), func(r *http.Request) { r.URL.RawQuery += "&prefix=a" }, "AccessDenied"},
		{"S-168 twice", get(), func(r *http.Request) { r.URL.RawQuery += "&Expires=1500000000" }, "AuthorizationQueryParametersError"},
		{"S-156 version 4 besides", get(), func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=0" }, "InvalidRequest"},
		{"S-156 Authorization besides", get(), set("Authorization", "x"), "InvalidRequest"},
		{"S-166 edited", get(), func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, expires, "1400000200", 1) }, "SignatureDoesNotMatch"},
		{"S-166 missing", get(), func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=", "versionId=", 1) }, "AccessDenied"},
		{"S-166 -1", get(), func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, expires, "-1", 1) }, "AccessDenied"},
		{"forged", get(), func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Signature=", "Signature=AA", 1)
		}, "SignatureDoesNotMatch"},
		{"signed stream", sign("PUT", "/b/k", ""), set("X-Amz-Content-Sha256", streamSigned), "InvalidRequest"},
		{"header of version 2 stays refused", newRequest("GET", "http://.s3.example.com/b/k", "", "Authorization: AWS a:b"), nil, "InvalidRequest"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.do != nil {
				tc.do(tc.r)
			}
			if _, _, err := accept(v2Verifier(now), tc.r, exampleSecret); codeOf(err) != tc.code {
				t.Errorf("%v, want %q\n%q", err, tc.code, fieldOf(err, "StringToSign"))
			}
		})
	}
	for now, code := range map[int64]string{1_400_000_100: "", 1_400_000_101: "AccessDenied", 1_400_000_100 - maxPresign: "", 1_400_000_100 - maxPresign - 1000: "AccessDenied"} {
		if _, _, err := accept(v2Verifier(now), get(), exampleSecret); codeOf(err) != code {
			t.Errorf("S-166 at %d: %v, want %q", now, err, code)
		}
	}
	if _, _, err := accept(v2Verifier(now), get(), "other"); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("other secret: %v", err)
	}
}
