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

// The examples of "Signing and authenticating REST requests (AWS signature version 2)" in the S3 user guide.
func TestAWSExamplesHeaderV2(t *testing.T) {
	const key, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	now, _ := time.Parse(time.RFC1123Z, "Tue, 27 Mar 2007 19:36:42 +0000")
	for _, tc := range []struct{ method, url, date, signature string }{
		{"GET", "/photos/puppy.jpg", "Tue, 27 Mar 2007 19:36:42 +0000", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="},
		{"GET", "/?prefix=photos&max-keys=50&marker=puppy", "Tue, 27 Mar 2007 19:42:41 +0000", "m0WP8eCtspQl5Ahe6L1SozdX9YA="},
		{"GET", "/?acl", "Tue, 27 Mar 2007 19:44:46 +0000", "82ZHiFIjc+WbcwFKGUVEQspPn+0="},
	} {
		r := newRequest(tc.method, "http://awsexamplebucket1.s3.us-west-1.amazonaws.com"+tc.url, "", "Date: "+tc.date, "Authorization: AWS "+key+":"+tc.signature)
		if _, _, err := accept(v2Verifier(now.Unix()), r, secret); err != nil {
			t.Errorf("%s: %v\n%s", tc.url, err, fieldOf(err, "StringToSign"))
		}
	}
}

func TestHeaderV2(t *testing.T) {
	const now, date, shifted = 1_400_000_000, "Tue, 13 May 2014 16:53:20 GMT", "Tue, 13 May 2014 17:08:21 GMT"
	sign := func(method, target, toSign string, headers ...string) *http.Request {
		signature, _ := url.QueryUnescape(v2Sign(toSign))
		return newRequest(method, "http://.s3.example.com"+target, "", append(headers, "Authorization: AWS "+exampleKey+":"+signature)...)
	}
	get := func() *http.Request { return sign("GET", "/b/k", "GET\n\n\n"+date+"\n/b/k", "Date: "+date) }
	at := func(date string) *http.Request {
		return sign("GET", "/b/k", "GET\n\n\n\nx-amz-date:"+date+"\n/b/k", "X-Amz-Date: "+date)
	}
	for _, tc := range []struct {
		name string
		r    *http.Request
		do   func(*http.Request)
		code string
	}{
		{"positive twin", get(), nil, ""},
		{"x-amz-date", at(date), nil, ""},
		{"x-amz-date wins", at(date), set("Date", shifted), ""},
		{"ISO 8601", at("20140513T165320Z"), nil, ""},
		{"parts of a list", sign("GET", "/b?prefix=a&uploads&max-uploads=2", "GET\n\n\n"+date+"\n/b?uploads", "Date: "+date), nil, ""},
		{"botocore's bucket", sign("PUT", "/b", "PUT\n\n\n"+date+"\n/b/", "Date: "+date), nil, ""},
		{"S-169 a slash more, of a key", sign("GET", "/b/k", "GET\n\n\n"+date+"\n/b/k/", "Date: "+date), nil, "SignatureDoesNotMatch"},
		{"S-169 a slash more, of a virtual host", sign("GET", "/k", "GET\n\n\n"+date+"\n/b/k/", "Date: "+date), func(r *http.Request) { r.Host = "b.s3.example.com" }, "SignatureDoesNotMatch"},
		{"token", sign("GET", "/b/k", "GET\n\n\n"+date+"\nx-amz-security-token:t\n/b/k", "Date: "+date, "X-Amz-Security-Token: t"), nil, ""},
		{"hash of the body", sign("PUT", "/b/k", "PUT\n\n\n"+date+"\nx-amz-content-sha256:"+emptySHA256+"\n/b/k", "Date: "+date, "X-Amz-Content-Sha256: "+emptySHA256), nil, ""},
		{"another body", sign("PUT", "/b/k", "PUT\n\n\n"+date+"\nx-amz-content-sha256:"+strings.Repeat("0", 64)+"\n/b/k", "Date: "+date, "X-Amz-Content-Sha256: "+strings.Repeat("0", 64)), nil, "XAmzContentSHA256Mismatch"},
		{"S-035 header more", get(), set("X-Amz-Copy-Source", "/victim/secret"), "SignatureDoesNotMatch"},
		{"S-169 method", get(), func(r *http.Request) { r.Method = "DELETE" }, "SignatureDoesNotMatch"},
		{"S-169 key", get(), func(r *http.Request) { r.URL.Path += "x" }, "SignatureDoesNotMatch"},
		{"S-169 bucket", get(), func(r *http.Request) { r.Host = "victim.s3.example.com" }, "SignatureDoesNotMatch"},
		{"S-169 content type", get(), set("Content-Type", "text/html"), "SignatureDoesNotMatch"},
		{"S-169 date", get(), set("Date", "Tue, 13 May 2014 16:53:21 GMT"), "SignatureDoesNotMatch"},
		{"S-167 versionId", get(), func(r *http.Request) { r.URL.RawQuery = "versionId=1" }, "SignatureDoesNotMatch"},
		{"S-167 policy", get(), func(r *http.Request) { r.URL.RawQuery = "policy" }, "SignatureDoesNotMatch"},
		{"S-167 what version 2 does not sign", get(), func(r *http.Request) { r.URL.RawQuery = "publicAccessBlock" }, "AccessDenied"},
		{"S-167 x-amz in the query", get(), func(r *http.Request) { r.URL.RawQuery = "x-amz-acl=public-read" }, "AccessDenied"},
		{"S-168 twice", get(), func(r *http.Request) { r.URL.RawQuery = "acl&acl" }, "InvalidRequest"},
		{"S-156 presigned besides", get(), func(r *http.Request) { r.URL.RawQuery = "Signature=0" }, "InvalidRequest"},
		{"S-156 twice", get(), add("Authorization", "AWS a:b"), "InvalidRequest"},
		{"forged", get(), set("Authorization", "AWS "+exampleKey+":AAAA"), "SignatureDoesNotMatch"},
		{"no signature", get(), set("Authorization", "AWS "+exampleKey+":"), "InvalidArgument"},
		{"no key", get(), set("Authorization", "AWS :AAAA"), "InvalidArgument"},
		{"neither", get(), set("Authorization", "AWS HAHAHA"), "InvalidArgument"},
		{"too long", get(), set("Authorization", "AWS a:"+strings.Repeat("b", maxAuthorizationHeader)), "InvalidRequest"},
		{"no date", get(), func(r *http.Request) { delete(r.Header, "Date") }, "AccessDenied"},
		{"no such date", at("Bad Date"), nil, "AccessDenied"},
		{"empty date", at(""), nil, "AccessDenied"},
		{"before 1970", at("Fri, 07 Jul 1950 21:53:04 GMT"), nil, "AccessDenied"},
		{"S-159 skew", at(shifted), nil, "RequestTimeTooSkewed"},
		{"S-159 far", at("Wed, 07 Jul 9999 21:53:04 GMT"), nil, "RequestTimeTooSkewed"},
		{"signed stream", get(), set("X-Amz-Content-Sha256", streamSigned), "InvalidArgument"},
		{"signed stream, written", sign("PUT", "/b/k", ""), func(r *http.Request) {
			r.Header.Set("Date", date)
			r.Header.Set("X-Amz-Content-Sha256", streamSigned)
		}, "InvalidRequest"},
		{"unsigned stream", sign("PUT", "/b/k", ""), func(r *http.Request) {
			r.Header.Set("Date", date)
			r.Header.Set("X-Amz-Content-Sha256", streamUnsignedTrailer)
		}, "InvalidRequest"},
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
	for _, secret := range []string{"other", ""} {
		if _, _, err := accept(v2Verifier(now), get(), secret); codeOf(err) != "SignatureDoesNotMatch" {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	v := v2Verifier(now)
	v.V2Bucket = nil
	if _, _, err := accept(v, get(), exampleSecret); codeOf(err) != "InvalidRequest" {
		t.Errorf("not allowed: %v", err)
	}
}
