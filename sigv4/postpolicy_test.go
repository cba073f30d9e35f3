package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// The example of "Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
func TestAWSPostExample(t *testing.T) {
	const policy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
	form := map[string]string{
		"key": "user/user1/a.jpg", "acl": "public-read", "success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
		"content-type": "image/jpeg", "x-amz-meta-uuid": "14365123651274", "x-amz-server-side-encryption": "AES256", "x-amz-meta-tag": "",
		"x-amz-credential": exampleKey + "/20151229/us-east-1/s3/aws4_request", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20151229T000000Z",
		"policy": policy, "x-amz-signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
	}
	v := exampleVerifier()
	v.Now = func() time.Time { return time.Date(2015, 12, 29, 1, 0, 0, 0, time.UTC) }
	a, err := v.ParseForm(form)
	if err != nil || a.Mode != Form || a.AccessKey != exampleKey {
		t.Fatal(a, err)
	}
	if err := v.VerifyForm(form, &a, exampleSecret); err != nil {
		t.Fatal(err)
	}
	p, err := ParsePostPolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check("sigv4examplebucket", form, v.Now()); err != nil {
		t.Fatal(err)
	}
	form["acl"] = "private"
	if err := p.Check("sigv4examplebucket", form, v.Now()); codeOf(err) != "AccessDenied" || err.(*Error).Message != `Invalid according to Policy: Policy Condition failed: ["eq", "$acl", "public-read"]` {
		t.Error(err)
	}
}

// checkForm goes the whole way of a form: parse, verify, policy, fields, size.
func checkForm(v *Verifier, bucket string, form map[string]string, size int64) error {
	a, err := v.ParseForm(form)
	if err != nil {
		return err
	}
	if a.Mode == Anonymous {
		return newError("Anonymous", "")
	}
	if err := v.VerifyForm(form, &a, exampleSecret); err != nil {
		return err
	}
	p, err := ParsePostPolicy(form["policy"])
	if err != nil {
		return err
	}
	if err := p.Check(bucket, form, v.now()); err != nil {
		return err
	}
	return p.CheckSize(size)
}

// postPolicy returns a policy for the bucket abkt with the signing fields' conditions and more.
func postPolicy(s *Signer, expiration string, more ...string) string {
	conditions := more
	for name, value := range s.PostFields(exampleTime) {
		b, _ := json.Marshal(map[string]string{name: value})
		conditions = append(conditions, string(b))
	}
	return fmt.Sprintf(`{"expiration": %s, "conditions": [%s]}`, expiration, strings.Join(conditions, ","))
}

func TestPostPolicy(t *testing.T) {
	const later = `"2013-05-25T00:00:00.000Z"`
	standard := []string{`{"bucket":"abkt"}`, `["starts-with","$key","user/"]`}
	with := func(more ...string) string { return postPolicy(testSigner, later, append(more, standard...)...) }
	const denied, invalid = "AccessDenied", "InvalidPolicyDocument"
	for _, tc := range []struct {
		name, policy string
		fields       map[string]string
		size         int64
		code         string
	}{
		{"positive twin", with(), nil, 5, ""},
		{"S-180 starts-with", with(), map[string]string{"key": "other/a"}, 5, denied},
		{"S-180 traversal is no prefix match", with(), map[string]string{"key": "user"}, 5, denied},
		{"S-180 eq", with(`["eq","$acl","private"]`), map[string]string{"acl": "public-read"}, 5, denied},
		{"eq holds", with(`["eq","$acl","private"]`), map[string]string{"acl": "private"}, 5, ""},
		{"eq of another case", with(`["eq","$acl","private"]`), map[string]string{"acl": "Private"}, 5, denied},
		{"names in any case", with(`["EQ","$ACL","private"]`, `{"X-Amz-Meta-A":"b"}`), map[string]string{"acl": "private", "x-amz-meta-a": "b"}, 5, ""},
		{"eq of an absent field", with(`["eq","$acl",""]`), nil, 5, denied},
		{"simple, absent", with(`{"acl":"private"}`), nil, 5, denied},
		{"starts-with nothing of a known field", with(`["starts-with","$x-amz-meta-a",""]`), nil, 5, ""},
		{"S-117 starts-with nothing of an unknown field", with(`["starts-with","$foo",""]`), nil, 5, denied},
		{"S-117 unknown field there", with(`["starts-with","$foo",""]`), map[string]string{"foo": "x"}, 5, ""},
		{"no dollar", with(`["eq","acl","private"]`), map[string]string{"acl": "private"}, 5, denied},
		{"content type list", with(`["starts-with","$Content-Type","image/"]`), map[string]string{"content-type": "image/png, image/gif"}, 5, ""},
		{"content type list with another", with(`["starts-with","$Content-Type","image/"]`), map[string]string{"content-type": "image/png,text/html"}, 5, denied},
		{"S-181 too large", with(`["content-length-range",1,4]`), nil, 5, "EntityTooLarge"},
		{"S-181 too small", with(`["content-length-range",6,10]`), nil, 5, "EntityTooSmall"},
		{"bounds are inclusive", with(`["content-length-range",5,5]`), nil, 5, ""},
		{"sizes as strings", with(`["content-length-range","5","5"]`), nil, 5, ""},
		{"two ranges", with(`["content-length-range",0,10]`, `["content-length-range",6,20]`), nil, 5, "EntityTooSmall"},
		{"S-181 reversed", with(`["content-length-range",10,1]`), nil, 5, invalid},
		{"S-181 negative", with(`["content-length-range",-1,1]`), nil, 5, invalid},
		{"S-181 2^63", with(`["content-length-range",0,9223372036854775808]`), nil, 5, invalid},
		{"S-181 fraction", with(`["content-length-range",0,1.5]`), nil, 5, invalid},
		{"S-181 exponent", with(`["content-length-range",0,1e3]`), nil, 5, invalid},
		{"S-181 words", with(`["content-length-range","a","b"]`), nil, 5, invalid},
		{"S-181 one argument", with(`["content-length-range",0]`), nil, 5, invalid},
		{"S-182 acl", with(), map[string]string{"acl": "public-read"}, 5, denied},
		{"S-182 tagging", with(), map[string]string{"tagging": "x"}, 5, denied},
		{"S-182 metadata", with(), map[string]string{"x-amz-meta-a": "x"}, 5, denied},
		{"S-182 storage class", with(), map[string]string{"x-amz-storage-class": "x"}, 5, denied},
		{"S-182 redirect", with(), map[string]string{"success_action_redirect": "x"}, 5, denied},
		{"S-182 Content-Type", with(), map[string]string{"content-type": "x"}, 5, denied},
		{"S-182 token", with(), map[string]string{"x-amz-security-token": "x"}, 5, denied},
		{"ignored fields", with(), map[string]string{"x-ignore-a": "x", "file": "x"}, 5, ""},
		{"S-183 expired", postPolicy(testSigner, `"2013-05-24T00:00:00Z"`, standard...), nil, 5, denied},
		{"S-183 no expiration", `{"conditions":[]}`, nil, 5, invalid},
		{"S-183 expiration null", postPolicy(testSigner, `null`, standard...), nil, 5, invalid},
		{"S-183 expiration number", postPolicy(testSigner, `1`, standard...), nil, 5, invalid},
		{"S-183 expiration with zone", postPolicy(testSigner, `"2013-05-25T00:00:00+02:00"`, standard...), nil, 5, invalid},
		{"S-183 expiration without zone", postPolicy(testSigner, `"2013-05-25T00:00:00"`, standard...), nil, 5, invalid},
		{"EXPIRATION", `{"EXPIRATION":` + later + `,"conditions":[]}`, nil, 5, invalid},
		{"CONDITIONS", `{"expiration":` + later + `,"CONDITIONS":[]}`, nil, 5, invalid},
		{"S-184 no bucket condition", postPolicy(testSigner, later, standard[1]), nil, 5, denied},
		{"S-184 no bucket condition, bucket field", postPolicy(testSigner, later, standard[1]), map[string]string{"bucket": "abkt"}, 5, denied},
		{"S-067 another bucket", postPolicy(testSigner, later, `{"bucket":"target"}`, standard[1]), nil, 5, denied},
		{"S-067 another bucket in a field", postPolicy(testSigner, later, `{"bucket":"target"}`, standard[1]), map[string]string{"bucket": "target"}, 5, denied},
		{"bucket field", with(), map[string]string{"bucket": "abkt"}, 5, ""},
		{"S-054 null", "null", nil, 5, invalid},
		{"S-054 empty", "", nil, 5, "InvalidArgument"},
		{"S-054 not JSON", "x", nil, 5, invalid},
		{"S-054 list", "[]", nil, 5, invalid},
		{"S-054 two values", with() + "{}", nil, 5, invalid},
		{"S-054 conditions null", `{"expiration":` + later + `,"conditions":null}`, nil, 5, invalid},
		{"S-054 conditions empty", `{"expiration":` + later + `,"conditions":[]}`, nil, 5, denied},
		{"S-054 conditions missing", `{"expiration":` + later + `}`, nil, 5, invalid},
		{"S-054 conditions object", `{"expiration":` + later + `,"conditions":{}}`, nil, 5, invalid},
		{"S-054 [[]]", with(`[]`), nil, 5, invalid},
		{"S-054 [null]", with(`null`), nil, 5, invalid},
		{"S-054 [[eq]]", with(`["eq"]`), nil, 5, invalid},
		{"S-054 [{}]", with(`{}`), nil, 5, invalid},
		{"S-054 [{a:{}}]", with(`{"a":{}}`), nil, 5, invalid},
		{"S-054 a number", with(`{"acl":1}`), nil, 5, invalid},
		{"S-054 two members", with(`{"acl":"a","key":"b"}`), nil, 5, invalid},
		{"S-054 unknown operator", with(`["ends-with","$key","x"]`), nil, 5, invalid},
		{"S-054 operator of another type", with(`[1,"$key","x"]`), nil, 5, invalid},
		{"S-054 arguments of another type", with(`["eq",1,"x"]`), nil, 5, invalid},
		{"S-054 deep", with(strings.Repeat("[", 9000) + strings.Repeat("]", 9000)), nil, 5, invalid},
		{"unknown member", `{"expiration":` + later + `,"conditions":[],"x":1}`, nil, 5, invalid},
		{"S-186 large", with(`["eq","$key","` + strings.Repeat("x", maxPolicy) + `"]`), nil, 5, invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			form := testSigner.SignPostPolicy([]byte(tc.policy), exampleTime)
			form["key"] = "user/a"
			maps.Copy(form, tc.fields)
			err := checkForm(exampleVerifier(), "abkt", form, tc.size)
			if got := codeOf(err); got != tc.code {
				t.Errorf("%q, want %q: %v", got, tc.code, err)
			}
		})
	}
}

func TestPostForm(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(form map[string]string)
		code string
	}{
		{"positive twin", func(map[string]string) {}, ""},
		{"S-183 signature", func(f map[string]string) { f["x-amz-signature"] = strings.Repeat("0", 64) }, "SignatureDoesNotMatch"},
		{"S-183 policy changed", func(f map[string]string) { f["policy"] += "=" }, "SignatureDoesNotMatch"},
		{"S-183 policy truncated", func(f map[string]string) { f["policy"] = f["policy"][:len(f["policy"])-2] }, "SignatureDoesNotMatch"},
		{"S-183 foreign region", func(f map[string]string) {
			f["x-amz-credential"] = strings.Replace(f["x-amz-credential"], "us-east-1", "eu", 1)
		}, "AuthorizationQueryParametersError"},
		{"S-158 service", func(f map[string]string) {
			f["x-amz-credential"] = strings.Replace(f["x-amz-credential"], "/s3/", "/sts/", 1)
		}, "AuthorizationQueryParametersError"},
		{"S-158 parts", func(f map[string]string) { f["x-amz-credential"] = "a/b" }, "AuthorizationQueryParametersError"},
		{"date of another day", func(f map[string]string) { f["x-amz-date"] = "20130523T000000Z" }, "AuthorizationQueryParametersError"},
		{"date malformed", func(f map[string]string) { f["x-amz-date"] = "20130524" }, "InvalidArgument"},
		{"algorithm", func(f map[string]string) { f["x-amz-algorithm"] = "AWS4-HMAC-SHA1" }, "InvalidArgument"},
		{"signature missing", func(f map[string]string) { delete(f, "x-amz-signature") }, "InvalidArgument"},
		{"policy missing", func(f map[string]string) { delete(f, "policy") }, "InvalidArgument"},
		{"policy empty", func(f map[string]string) { f["policy"] = "" }, "InvalidArgument"},
		{"only a policy", func(f map[string]string) {
			p := f["policy"]
			clear(f)
			f["policy"] = p
		}, "AccessDenied"},
		{"nothing", func(f map[string]string) { clear(f) }, "Anonymous"},
		{"S-156 version 2 besides", func(f map[string]string) { f["signature"] = "x" }, "InvalidRequest"},
		{"version 2", func(f map[string]string) {
			clear(f)
			f["awsaccesskeyid"], f["signature"], f["policy"] = "a", "b", "c"
		}, "InvalidRequest"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			policy := postPolicy(testSigner, `"2013-05-25T00:00:00Z"`, `{"bucket":"abkt"}`)
			form := testSigner.SignPostPolicy([]byte(policy), exampleTime)
			tc.do(form)
			if err := checkForm(exampleVerifier(), "abkt", form, 1); codeOf(err) != tc.code {
				t.Errorf("%v, want %q", err, tc.code)
			}
		})
	}
}

// The date of a form is not held against the clock as closely as a request's: a page may
// show the form for days. The signing key's life bounds it.
func TestPostFormTime(t *testing.T) {
	for after, code := range map[time.Duration]string{
		-20 * time.Minute: "AccessDenied", 0: "", 7 * 24 * time.Hour: "", 8 * 24 * time.Hour: "AccessDenied",
	} {
		v := exampleVerifier()
		v.Now = func() time.Time { return exampleTime.Add(after) }
		form := testSigner.SignPostPolicy([]byte(postPolicy(testSigner, `"2033-05-25T00:00:00Z"`, `{"bucket":"abkt"}`)), exampleTime)
		if err := checkForm(v, "abkt", form, 1); codeOf(err) != code {
			t.Errorf("%v: %v, want %q", after, err, code)
		}
	}
}

// A session token must be named by a condition, so a form cannot be used with another token.
func TestPostSessionToken(t *testing.T) {
	s := *testSigner
	s.SessionToken = "token"
	form := s.SignPostPolicy([]byte(postPolicy(&s, `"2013-05-25T00:00:00Z"`, `{"bucket":"abkt"}`)), exampleTime)
	if a, err := exampleVerifier().ParseForm(form); err != nil || a.SessionToken != "token" {
		t.Fatal(a, err)
	}
	if err := checkForm(exampleVerifier(), "abkt", form, 1); err != nil {
		t.Fatal(err)
	}
	form["x-amz-security-token"] = "other"
	if err := checkForm(exampleVerifier(), "abkt", form, 1); codeOf(err) != "AccessDenied" {
		t.Errorf("S-183 other token: %v", err)
	}
	delete(form, "x-amz-security-token")
	if err := checkForm(exampleVerifier(), "abkt", form, 1); codeOf(err) != "AccessDenied" {
		t.Errorf("S-183 token missing: %v", err)
	}
}

func TestPostFormV2(t *testing.T) {
	policy := base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2013-05-25T00:00:00Z","conditions":[{"bucket":"abkt"}]}`))
	mac := hmac.New(sha1.New, []byte(exampleSecret))
	mac.Write([]byte(policy))
	form := map[string]string{"awsaccesskeyid": exampleKey, "policy": policy, "signature": base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	v := exampleVerifier()
	v.FormV2 = true
	if err := checkForm(v, "abkt", form, 1); err != nil {
		t.Fatal(err)
	}
	if err := checkForm(exampleVerifier(), "abkt", form, 1); codeOf(err) != "InvalidRequest" {
		t.Errorf("not allowed: %v", err)
	}
	form["signature"] = "AAAA" + form["signature"][4:]
	if err := checkForm(v, "abkt", form, 1); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("forged: %v", err)
	}
	delete(form, "signature")
	if err := checkForm(v, "abkt", form, 1); codeOf(err) != "InvalidArgument" {
		t.Errorf("missing: %v", err)
	}
}

// FuzzPostPolicy: a policy is parsed or refused with an *Error, and what it allows names the bucket.
func FuzzPostPolicy(f *testing.F) {
	f.Add(postPolicy(testSigner, `"2013-05-25T00:00:00Z"`, `{"bucket":"abkt"}`, `["content-length-range",0,1]`))
	f.Add(`{"expiration":"2013-05-25T00:00:00Z","conditions":[["eq","$bucket","abkt"]]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := ParsePostPolicy(base64.StdEncoding.EncodeToString([]byte(doc)))
		if err != nil {
			if codeOf(err) != "InvalidPolicyDocument" {
				t.Fatal(err)
			}
			return
		}
		if p.MinSize < 0 || p.MaxSize < 0 {
			t.Fatalf("sizes %d to %d", p.MinSize, p.MaxSize)
		}
		if p.Check("a bucket that the policy does not name", map[string]string{"key": "k"}, exampleTime) == nil && !strings.Contains(strings.ToLower(doc), "starts-with") && !strings.Contains(doc, `\u`) && !strings.Contains(doc, "a bucket that") {
			t.Fatalf("%q allows any bucket", doc)
		}
	})
}
