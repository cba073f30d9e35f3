package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const testHost = "http://s3.example.com"

var testSigner = &Signer{AccessKey: exampleKey, Secret: exampleSecret, Region: "us-east-1", Service: "s3"}

// signedGet returns a request that the example verifier accepts.
func signedGet(target string, headers ...string) *http.Request {
	r := newRequest("GET", testHost+target, "", headers...)
	testSigner.SignHeader(r, "", exampleTime)
	return r
}

func presignedGet(target string, expires time.Duration, headers ...string) *http.Request {
	r := newRequest("GET", testHost+target, "", headers...)
	testSigner.Presign(r, expires, exampleTime)
	return r
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	e, ok := err.(*Error)
	if !ok {
		return "not an *Error: " + err.Error()
	}
	return e.Code
}

// edit replaces old by new in the Authorization header.
func edit(old, new string) func(*http.Request) {
	return func(r *http.Request) {
		v := r.Header.Get("Authorization")
		if !strings.Contains(v, old) {
			panic("nothing to edit: " + v)
		}
		r.Header.Set("Authorization", strings.Replace(v, old, new, 1))
	}
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func add(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

// resign signs with a changed list of headers, scope or date, which no proper client does.
func resign(signed string, change func(r *http.Request)) func(*http.Request) {
	return func(r *http.Request) {
		if change != nil {
			change(r)
		}
		payload := first(r.Header["X-Amz-Content-Sha256"])
		signature := testSigner.sign(r, Header, signed, payload, "20130524T000000Z")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleScope+", SignedHeaders="+signed+", Signature="+signature)
	}
}

func signAt(t time.Time) func(*http.Request) {
	return func(r *http.Request) { testSigner.SignHeader(r, "", t) }
}

// Every row changes one thing of a good request. The names begin with the ids of THREATS.
func TestHeaderRefusals(t *testing.T) {
	const standard = "host;x-amz-content-sha256;x-amz-date"
	for _, tc := range []struct {
		name string
		do   func(*http.Request)
		code string
	}{
		{"positive twin", func(*http.Request) {}, ""},
		{"S-026 forged signature", edit("Signature=", "Signature=0000"), "SignatureDoesNotMatch"},
		{"S-026 zeros", func(r *http.Request) {
			v := r.Header.Get("Authorization")
			r.Header.Set("Authorization", v[:len(v)-64]+strings.Repeat("0", 64))
		}, "SignatureDoesNotMatch"},
		{"signature in upper case", func(r *http.Request) {
			v := r.Header.Get("Authorization")
			r.Header.Set("Authorization", v[:len(v)-64]+strings.ToUpper(v[len(v)-64:]))
		}, "SignatureDoesNotMatch"},
		{"S-035 unsigned copy source", set("X-Amz-Copy-Source", "/victim/secret"), "AccessDenied"},
		{"S-035 unsigned empty x-amz header", set("X-Amz-Acl", ""), "AccessDenied"},
		{"S-103 unsigned metadata", set("X-Amz-Meta-A", "b"), "AccessDenied"},
		{"S-153 host not signed", resign("x-amz-content-sha256;x-amz-date", nil), "AccessDenied"},
		{"S-154 signed header absent, signature over empty", resign("host;x-amz-content-sha256;x-amz-date;x-amz-meta-q", nil), ""},
		{"S-154 signed header absent", edit("x-amz-date,", "x-amz-date;x-amz-meta-q,"), "SignatureDoesNotMatch"},
		{"S-154 empty element", resign("host;;x-amz-content-sha256;x-amz-date", nil), "AuthorizationHeaderMalformed"},
		{"S-154 empty first", resign(";"+standard, nil), "AuthorizationHeaderMalformed"},
		{"S-154 empty last", resign(standard+";", nil), "AuthorizationHeaderMalformed"},
		{"S-154 upper case", resign("Host;x-amz-content-sha256;x-amz-date", nil), "AuthorizationHeaderMalformed"},
		{"S-154 unsorted", resign("x-amz-content-sha256;host;x-amz-date", nil), "AuthorizationHeaderMalformed"},
		{"S-154 duplicate", resign("host;host;x-amz-content-sha256;x-amz-date", nil), "AuthorizationHeaderMalformed"},
		{"S-155 two copy sources", func(r *http.Request) {
			r.Header["X-Amz-Copy-Source"] = []string{"", "/victim/secret"}
			testSigner.SignHeader(r, "", exampleTime)
		}, "InvalidRequest"},
		{"S-155 two x-amz-date", add("X-Amz-Date", "20130524T000000Z"), "InvalidRequest"},
		{"S-155 two content hashes", add("X-Amz-Content-Sha256", emptySHA256), "InvalidRequest"},
		{"S-155 two tokens", func(r *http.Request) { r.Header["X-Amz-Security-Token"] = []string{"a", "b"} }, "InvalidRequest"},
		{"S-155 two Authorization", add("Authorization", "x"), "InvalidRequest"},
		{"S-156 query signature too", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" }, "InvalidRequest"},
		{"S-156 escaped query credential too", func(r *http.Request) { r.URL.RawQuery = "X%2dAmz%2DCredential=00" }, "InvalidRequest"},
		{"S-156 version 2 query too", func(r *http.Request) { r.URL.RawQuery = "AWSAccessKeyId=a&Signature=b&Expires=1" }, "InvalidRequest"},
		{"S-156 query token too", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Security-Token=b" }, "InvalidRequest"},
		{"version 2", set("Authorization", "AWS AKIA:c2ln"), "InvalidRequest"},
		{"bearer", set("Authorization", "Bearer x"), "InvalidArgument"},
		{"basic", set("Authorization", "Basic eDp5"), "InvalidArgument"},
		{"empty", set("Authorization", ""), "InvalidArgument"},
		{"S-160 ECDSA", edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "InvalidArgument"},
		{"S-160 SHA1", edit("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "InvalidArgument"},
		{"S-160 lower case", edit("AWS4-HMAC-SHA256", "aws4-hmac-sha256"), "InvalidArgument"},
		{"long", set("Authorization", "AWS4-HMAC-SHA256 "+strings.Repeat("a", 9000)), "InvalidArgument"},
		{"no credential", edit("Credential=", "Kredential="), "AuthorizationHeaderMalformed"},
		{"no signed headers", edit("SignedHeaders="+standard+",", ""), "AuthorizationHeaderMalformed"},
		{"empty signature", func(r *http.Request) {
			v := r.Header.Get("Authorization")
			r.Header.Set("Authorization", v[:len(v)-64])
		}, "AuthorizationHeaderMalformed"},
		{"credential twice", edit("SignedHeaders", "Credential=a/b/c/d/e, SignedHeaders"), "AuthorizationHeaderMalformed"},
		{"unknown component", edit("SignedHeaders", "X=y, SignedHeaders"), "AuthorizationHeaderMalformed"},
		{"trailing comma", func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+",") }, "AuthorizationHeaderMalformed"},
		{"S-158 region", edit("us-east-1", "eu-west-1"), "AuthorizationHeaderMalformed"},
		{"S-158 service", edit("/s3/", "/sts/"), "AuthorizationHeaderMalformed"},
		{"S-158 scope date", edit("/20130524/", "/20130525/"), "AuthorizationHeaderMalformed"},
		{"S-158 date format", edit("/20130524/", "/2013-05-24/"), "AuthorizationHeaderMalformed"},
		{"S-158 terminator", edit("aws4_request", "aws5_request"), "AuthorizationHeaderMalformed"},
		{"S-158 four parts", edit("/us-east-1", ""), "AuthorizationHeaderMalformed"},
		{"S-158 six parts", edit("aws4_request", "aws4_request/x"), "AuthorizationHeaderMalformed"},
		{"S-158 slash in the key", edit("AKIA", "AK/IA"), "AuthorizationHeaderMalformed"},
		{"S-158 empty key", edit(exampleKey, ""), "AuthorizationHeaderMalformed"},
		{"S-159 16 minutes old", signAt(exampleTime.Add(-16 * time.Minute)), "RequestTimeTooSkewed"},
		{"S-159 16 minutes ahead", signAt(exampleTime.Add(16 * time.Minute)), "RequestTimeTooSkewed"},
		{"S-159 14 minutes old", signAt(exampleTime.Add(-14 * time.Minute)), ""},
		{"S-159 14 minutes ahead", signAt(exampleTime.Add(14 * time.Minute)), ""},
		{"S-159 year 9999", signAt(time.Date(9999, 5, 24, 0, 0, 0, 0, time.UTC)), "RequestTimeTooSkewed"},
		{"S-159 leap second", set("X-Amz-Date", "20130523T235960Z"), "AccessDenied"},
		{"S-159 no date at all", set("X-Amz-Date", "24 May 2013"), "AccessDenied"},
		// An HTTP date is a date, but it is not what was signed here.
		{"S-159 not ISO", set("X-Amz-Date", "Fri, 24 May 2013 00:00:00 GMT"), "SignatureDoesNotMatch"},
		{"S-159 date of botocore", resign("date;host;x-amz-content-sha256", func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", "Fri, 24 May 2013 00:00:00 -0000")
		}), ""},
		{"S-159 HTTP date", resign("host;x-amz-content-sha256;x-amz-date", set("X-Amz-Date", "Fri, 24 May 2013 00:00:00 GMT")), ""},
		{"S-159 fraction", set("X-Amz-Date", "20130524T000000.0Z"), "AccessDenied"},
		{"S-159 no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "AccessDenied"},
		{"S-159 Date only", resign("date;host;x-amz-content-sha256", func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", "Fri, 24 May 2013 00:00:00 GMT")
		}), ""},
		{"S-159 Date that is none", resign("date;host;x-amz-content-sha256", func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", "yesterday")
		}), "AccessDenied"},
		{"S-159 x-amz-date counts, not Date", set("Date", "Fri, 24 May 1999 00:00:00 GMT"), ""},
		{"S-161 hash missing", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, "InvalidRequest"},
		{"S-161 hash empty", set("X-Amz-Content-Sha256", ""), "InvalidArgument"},
		{"S-161 hash not hex", set("X-Amz-Content-Sha256", strings.Repeat("x", 64)), "InvalidArgument"},
		{"S-161 hash upper case", set("X-Amz-Content-Sha256", strings.ToUpper(emptySHA256)), "InvalidArgument"},
		{"S-161 other hash", set("X-Amz-Content-Sha256", strings.Repeat("0", 64)), "SignatureDoesNotMatch"},
		{"S-161 unknown streaming", set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA512-PAYLOAD"), "InvalidArgument"},
		{"S-161 ECDSA streaming", set("X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), "InvalidArgument"},
		{"S-161 streaming on GET", set("X-Amz-Content-Sha256", streamSigned), "InvalidArgument"},
		{"S-161 wrong hash, signed", func(r *http.Request) { testSigner.SignHeader(r, strings.Repeat("0", 64), exampleTime) }, "XAmzContentSHA256Mismatch"},
		{"unsigned payload", func(r *http.Request) { testSigner.SignHeader(r, unsignedPayload, exampleTime) }, ""},
		{"bad escape in the query", func(r *http.Request) { r.URL.RawQuery = "a=%zz" }, "InvalidURI"},
		{"bad escape in a name", func(r *http.Request) { r.URL.RawQuery = "a%2=1" }, "InvalidURI"},
		{"Content-Type unsigned", resign(standard, set("Content-Type", "text/plain")), ""},
		{"x-amz-cf-id unsigned", set("X-Amz-Cf-Id", "x"), ""},
		{"x-amz-content-sha256 unsigned", resign("host;x-amz-date", nil), ""},
		{"other unsigned headers", set("User-Agent", "x"), ""},
		{"S-169 other method", func(r *http.Request) { r.Method = "DELETE" }, "SignatureDoesNotMatch"},
		{"S-169 other host", func(r *http.Request) { r.Host = "evil" }, "SignatureDoesNotMatch"},
		{"S-169 other path", func(r *http.Request) { r.URL.Path += "x" }, "SignatureDoesNotMatch"},
		{"S-167 query appended", func(r *http.Request) { r.URL.RawQuery = "versionId=1" }, "SignatureDoesNotMatch"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := signedGet("/bucket/key")
			tc.do(r)
			_, _, err := accept(exampleVerifier(), r, exampleSecret)
			if got := codeOf(err); got != tc.code {
				t.Errorf("%q, want %q: %v", got, tc.code, err)
			}
		})
	}
}

func TestPresignedRefusals(t *testing.T) {
	edit := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			if !strings.Contains(r.URL.RawQuery, old) {
				panic("nothing to edit: " + r.URL.RawQuery)
			}
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, old, new, 1)
		}
	}
	append1 := func(s string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery += s } }
	const malformed, denied, mismatch = "AuthorizationQueryParametersError", "AccessDenied", "SignatureDoesNotMatch"
	for _, tc := range []struct {
		name string
		do   func(*http.Request)
		code string
	}{
		{"positive twin", func(*http.Request) {}, ""},
		{"S-033 credential alone", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Credential=" + exampleScope }, malformed},
		{"S-033 zeros", func(r *http.Request) {
			q := r.URL.RawQuery
			r.URL.RawQuery = q[:len(q)-64] + strings.Repeat("0", 64)
		}, mismatch},
		{"S-035 copy source", set("X-Amz-Copy-Source", "/victim/secret"), denied},
		{"S-103 tagging", set("X-Amz-Tagging", "a=b"), denied},
		{"S-103 token header", set("X-Amz-Security-Token", "x"), denied},
		{"S-153 host not signed", func(r *http.Request) {
			r.Header.Set("X-Amz-Meta-A", "b")
			q := strings.Replace(r.URL.RawQuery[:strings.Index(r.URL.RawQuery, "&X-Amz-Signature")], "SignedHeaders=host", "SignedHeaders=x-amz-meta-a", 1)
			r.URL.RawQuery = q
			r.URL.RawQuery += "&X-Amz-Signature=" + testSigner.sign(r, Presigned, "x-amz-meta-a", unsignedPayload, "20130524T000000Z")
		}, denied},
		{"S-156 Authorization too", set("Authorization", "AWS4-HMAC-SHA256 x"), "InvalidRequest"},
		{"S-156 version 2 too", append1("&AWSAccessKeyId=x"), "InvalidRequest"},
		{"version 2", func(r *http.Request) { r.URL.RawQuery = "AWSAccessKeyId=x&Signature=y&Expires=1" }, "InvalidRequest"},
		{"S-160 algorithm", edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), malformed},
		{"S-160 lower case", edit("AWS4-HMAC-SHA256", "aws4-hmac-sha256"), malformed},
		{"S-158 region", edit("us-east-1", "eu-west-1"), malformed},
		{"S-158 service", edit("%2Fs3%2F", "%2Fsts%2F"), malformed},
		{"S-158 date", edit("%2F20130524", "%2F20130523"), malformed},
		{"S-158 terminator", edit("aws4_request", "aws5_request"), malformed},
		{"S-166 expires 0", edit("Expires=3600", "Expires=0"), malformed},
		{"S-166 expires -1", edit("Expires=3600", "Expires=-1"), malformed},
		{"S-166 expires -0", edit("Expires=3600", "Expires=-0"), malformed},
		{"S-166 expires +1", edit("Expires=3600", "Expires=%2B1"), malformed},
		{"S-166 expires 604801", edit("Expires=3600", "Expires=604801"), malformed},
		{"S-166 expires abc", edit("Expires=3600", "Expires=abc"), malformed},
		{"S-166 expires 1.5", edit("Expires=3600", "Expires=1.5"), malformed},
		{"S-166 expires empty", edit("Expires=3600", "Expires="), malformed},
		{"S-166 expires 10^20", edit("Expires=3600", "Expires=100000000000000000000"), malformed},
		{"S-166 expires -10^20", edit("Expires=3600", "Expires=-100000000000000000000"), malformed},
		{"S-166 expires missing", edit("X-Amz-Expires=3600&", ""), malformed},
		{"S-166 expires edited", edit("Expires=3600", "Expires=3601"), mismatch},
		{"date", edit("Date=20130524T000000Z", "Date=20130524T0000Z"), malformed},
		{"signed headers in upper case", edit("SignedHeaders=host", "SignedHeaders=HOST"), malformed},
		{"S-167 response header", append1("&response-content-type=text/html"), mismatch},
		{"S-167 versionId", append1("&versionId=1"), mismatch},
		{"S-167 x-id", append1("&x-id=GetObject"), mismatch},
		{"S-167 X-Amz-Foo", append1("&X-Amz-Foo=1"), mismatch},
		{"S-168 expires twice", append1("&X-Amz-Expires=604800"), malformed},
		{"S-168 signature twice", append1("&X-Amz-Signature=00"), malformed},
		{"S-168 credential twice", append1("&X-Amz-Credential=00"), malformed},
		{"S-168 lower case twin", append1("&x-amz-expires=604800"), malformed},
		{"S-168 escaped twin", append1("&X-Amz-%45xpires=604800"), malformed},
		{"S-169 method", func(r *http.Request) { r.Method = "DELETE" }, mismatch},
		{"S-169 HEAD", func(r *http.Request) { r.Method = "HEAD" }, mismatch},
		{"S-169 key", func(r *http.Request) { r.URL.Path += "2" }, mismatch},
		{"S-169 host", func(r *http.Request) { r.Host = "evil" }, mismatch},
		{"unsigned hash header enters the canonical request", set("X-Amz-Content-Sha256", emptySHA256), mismatch},
		{"unsigned UNSIGNED-PAYLOAD header", set("X-Amz-Content-Sha256", unsignedPayload), ""},
		{"Content-Type unsigned", set("Content-Type", "text/plain"), ""},
		{"S-161 streaming on GET", set("X-Amz-Content-Sha256", streamUnsignedTrailer), "InvalidArgument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := presignedGet("/bucket/key", time.Hour)
			tc.do(r)
			_, _, err := accept(exampleVerifier(), r, exampleSecret)
			if got := codeOf(err); got != tc.code {
				t.Errorf("%q, want %q: %v", got, tc.code, err)
			}
		})
	}
}

// S-166: the moments around the limits of a presigned URL's life.
func TestPresignedTime(t *testing.T) {
	for _, tc := range []struct {
		after   time.Duration
		message string
	}{
		{0, ""}, {7 * 24 * time.Hour, ""}, {7*24*time.Hour + time.Second, "Request has expired"},
		{-14 * time.Minute, ""}, {-20 * time.Minute, "Request is not yet valid"},
	} {
		v := exampleVerifier()
		v.Now = func() time.Time { return exampleTime.Add(tc.after) }
		_, _, err := accept(v, presignedGet("/b/k", 7*24*time.Hour), exampleSecret)
		switch {
		case tc.message == "" && err != nil:
			t.Errorf("%v after signing: %v", tc.after, err)
		case tc.message != "" && (codeOf(err) != "AccessDenied" || err.(*Error).Message != tc.message || fieldOf(err, "ServerTime") == ""):
			t.Errorf("%v after signing: %v", tc.after, err)
		}
	}
}

// S-044: the hash that a presigned URL's signed header names is verified; so is one in the query.
func TestPresignedPayloadHash(t *testing.T) {
	const hashOfBraces = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	for _, inQuery := range []bool{false, true} {
		for body, code := range map[string]string{"{}": "", "[]": "XAmzContentSHA256Mismatch"} {
			r := newRequest("PUT", testHost+"/b?policy", body)
			if inQuery {
				r.URL.RawQuery += "&X-Amz-Content-Sha256=" + hashOfBraces
				r.Header.Set("X-Amz-Content-Sha256", hashOfBraces) // for Presign only
				testSigner.Presign(r, time.Hour, exampleTime)
				r.Header.Del("X-Amz-Content-Sha256")
				q := strings.Replace(r.URL.RawQuery[:strings.Index(r.URL.RawQuery, "&X-Amz-Signature")], "host%3Bx-amz-content-sha256", "host", 1)
				r.URL.RawQuery = q
				r.URL.RawQuery += "&X-Amz-Signature=" + testSigner.sign(r, Presigned, "host", hashOfBraces, "20130524T000000Z")
			} else {
				r.Header.Set("X-Amz-Content-Sha256", hashOfBraces)
				testSigner.Presign(r, time.Hour, exampleTime)
			}
			_, _, err := accept(exampleVerifier(), r, exampleSecret)
			if codeOf(err) != code {
				t.Errorf("in query %v, body %q: %v, want %q", inQuery, body, err, code)
			}
		}
	}
}

// The elements by which clients explain a refusal to people.
func TestErrorFields(t *testing.T) {
	names := func(err error) (names []string) {
		for _, f := range err.(*Error).Fields {
			names = append(names, f.Name+"="+f.Value)
		}
		return names
	}
	r := signedGet("/b/k")
	edit("us-east-1", "eu-west-1")(r)
	_, _, err := accept(exampleVerifier(), r, exampleSecret)
	if want := "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"; err.(*Error).Message != want || !slices.Equal(names(err), []string{"Region=us-east-1"}) {
		t.Errorf("region: %v %v", err, names(err))
	}
	r = signedGet("/b/k")
	r.Header.Set("X-Amz-Meta-B", "")
	r.Header.Set("X-Amz-Acl", "public-read")
	_, _, err = accept(exampleVerifier(), r, exampleSecret)
	if !slices.Equal(names(err), []string{"HeadersNotSigned=x-amz-acl, x-amz-meta-b"}) || err.(*Error).Message != "There were headers present in the request which were not signed" {
		t.Errorf("unsigned: %v %v", err, names(err))
	}
	r = signedGet("/b/k")
	testSigner.SignHeader(r, "", exampleTime.Add(-time.Hour))
	_, _, err = accept(exampleVerifier(), r, exampleSecret)
	if !slices.Equal(names(err), []string{"RequestTime=20130523T230000Z", "ServerTime=2013-05-24T00:00:00Z", "MaxAllowedSkewMilliseconds=900000"}) {
		t.Errorf("skew: %v", names(err))
	}
	r = signedGet("/b/k")
	_, _, err = accept(exampleVerifier(), r, "another secret")
	e := err.(*Error)
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Name)
	}
	if !slices.Equal(got, []string{"AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest", "CanonicalRequestBytes"}) {
		t.Errorf("signature: %v", got)
	}
	want := "GET\n/b/k\n\nhost:s3.example.com\nx-amz-content-sha256:" + emptySHA256 + "\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n" + emptySHA256
	if fieldOf(err, "CanonicalRequest") != want || !strings.HasPrefix(fieldOf(err, "CanonicalRequestBytes"), "47 45 54 0a 2f") {
		t.Errorf("canonical request %q", fieldOf(err, "CanonicalRequest"))
	}
}

// An unknown access key is verified with the secret "", which must never be accepted.
func TestEmptySecret(t *testing.T) {
	s := *testSigner
	s.Secret = ""
	r := newRequest("GET", testHost+"/b/k", "")
	s.SignHeader(r, "", exampleTime)
	if _, _, err := accept(exampleVerifier(), r, ""); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("empty secret: %v", err)
	}
	form := s.SignPostPolicy([]byte("{}"), exampleTime)
	v := exampleVerifier()
	a, err := v.ParseForm(form)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.VerifyForm(form, &a, ""); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("empty secret in a form: %v", err)
	}
}

// S-134 and the anonymous twin of every form of payload.
func TestAnonymous(t *testing.T) {
	for _, tc := range []struct{ payload, body, code string }{
		{"", "x", ""},
		{unsignedPayload, "x", ""},
		{"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "x", ""},
		{emptySHA256, "x", "XAmzContentSHA256Mismatch"},
		{"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "", "XAmzContentSHA256Mismatch"},
		{streamSigned, "x", "InvalidRequest"},
		{streamSignedTrailer, "x", "InvalidRequest"},
		{streamUnsignedTrailer, "x", "MissingContentLength"},
	} {
		r := newRequest("PUT", testHost+"/b/k", tc.body)
		if tc.payload != "" {
			r.Header.Set("X-Amz-Content-Sha256", tc.payload)
		}
		v := exampleVerifier()
		a, err := v.Parse(r)
		if err == nil && (a.Mode != Anonymous || codeOf(v.Verify(r, &a, exampleSecret)) != "AccessDenied") {
			t.Errorf("%s: mode %v", tc.payload, a.Mode)
		}
		if _, _, err := accept(v, r, ""); codeOf(err) != tc.code {
			t.Errorf("%s: %v, want %q", tc.payload, err, tc.code)
		}
	}
}

// STS and IAM sign the body itself, without x-amz-content-sha256, and sign it in presigned URLs too.
func TestOtherServices(t *testing.T) {
	s := *testSigner
	s.Service = "sts"
	v := exampleVerifier()
	v.Service = "sts"
	const form = "Action=GetCallerIdentity&Version=2011-06-15"
	signed := func() *http.Request {
		r := newRequest("POST", "http://sts.example.com/", form, "Content-Type: application/x-www-form-urlencoded")
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		const list = "content-type;host;x-amz-date"
		signature := s.sign(r, Header, list, "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843", "20130524T000000Z")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/20130524/us-east-1/sts/aws4_request, SignedHeaders="+list+", Signature="+signature)
		return r
	}
	if body, _, err := accept(v, signed(), exampleSecret); err != nil || body != form {
		t.Fatalf("%q, %v\n%s", body, err, fieldOf(err, "CanonicalRequest"))
	}
	r := signed()
	r.Body = http.NoBody
	if _, _, err := accept(v, r, exampleSecret); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("body taken away: %v", err)
	}
	r = newRequest("POST", "http://sts.example.com/", form)
	s.SignHeader(r, unsignedPayload, exampleTime)
	if _, _, err := accept(v, r, exampleSecret); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("UNSIGNED-PAYLOAD: %v", err)
	}
	r = newRequest("POST", "http://sts.example.com/", strings.Repeat("x", maxHashedBody+1))
	s.SignHeader(r, "", exampleTime)
	if _, _, err := accept(v, r, exampleSecret); codeOf(err) != "MaxMessageLengthExceeded" {
		t.Errorf("S-007 large body: %v", err)
	}
	if _, _, err := accept(v, signedGet("/"), exampleSecret); codeOf(err) != "AuthorizationHeaderMalformed" {
		t.Errorf("S-158 s3 request on sts: %v", err)
	}
}

// The signing key cache is bounded and tells keys apart by everything that makes them.
func TestKeyCache(t *testing.T) {
	var c keyCache
	id := keyID{"secret", "20130524", "us-east-1", "s3"}
	want := deriveKey(id)
	for i := range 5 * cacheSize {
		other := id
		other.region = strings.Repeat("x", i%97) + string(rune('a'+i%26)) + time.Duration(i).String()
		if *c.get(other) == want {
			t.Fatal("another region has the same key")
		}
		if *c.get(id) != want {
			t.Fatal("the cache returns another key")
		}
	}
	if n := len(c.young) + len(c.old); n > 2*cacheSize {
		t.Errorf("%d keys cached", n)
	}
}

// A header under a name that is not in canonical form, which only a caller that makes requests
// by hand can have, is not found when it is signed, so it counts as unsigned.
func TestHeaderNotCanonical(t *testing.T) {
	r := newRequest("GET", testHost+"/b/k", "")
	r.Header["x-amz-acl"] = []string{"public-read"}
	testSigner.SignHeader(r, "", exampleTime)
	if _, _, err := accept(exampleVerifier(), r, exampleSecret); codeOf(err) != "AccessDenied" || fieldOf(err, "HeadersNotSigned") != "x-amz-acl" {
		t.Error(err)
	}
}

// TestRepeatedNames: the values of a name that is there twice are signed sorted, as AWS has it, or as they are sent, as
// minio-go does; another order is another request.
func TestRepeatedNames(t *testing.T) {
	const signedHeaders = "host;x-amz-content-sha256;x-amz-date"
	for _, tc := range []struct{ sent, signed, code string }{
		{"group=b&group=a", "group=a&group=b", ""},
		{"group=b&group=a", "group=b&group=a", ""},
		{"group=b&a=1&group=a", "a=1&group=b&group=a", ""},
		{"group=c&group=a&group=b", "group=c&group=a&group=b", ""},
		{"group=c&group=a&group=b", "group=c&group=b&group=a", "SignatureDoesNotMatch"},
		{"group=b&group=a", "group=b", "SignatureDoesNotMatch"},
		{"group=b&a=1", "group=b&a=1", "SignatureDoesNotMatch"},
	} {
		r := newRequest("GET", testHost+"/?"+tc.sent, "")
		testSigner.SignHeader(r, "", exampleTime)
		canonical := "GET\n/\n" + tc.signed + "\nhost:s3.example.com\nx-amz-content-sha256:" + emptySHA256 +
			"\nx-amz-date:20130524T000000Z\n\n" + signedHeaders + "\n" + emptySHA256
		scope := testSigner.scope("20130524T000000Z")
		key := deriveKey(testSigner.keyID("20130524T000000Z"))
		mac := hmacSHA256(key[:], appendToSign(nil, "20130524T000000Z", scope, []byte(canonical)), new([]byte))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+exampleKey+"/"+scope+", SignedHeaders="+signedHeaders+", Signature="+hex.EncodeToString(mac[:]))
		if _, _, err := accept(exampleVerifier(), r, exampleSecret); codeOf(err) != tc.code {
			t.Errorf("sent %s, signed %s: %v, want %q", tc.sent, tc.signed, err, tc.code)
		}
	}
}
