package s3api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// postForm is a form under construction: fields in order, then the file.
type postForm struct {
	fields   [][2]string
	filename string
	content  string
	after    [][2]string // fields behind the file
}

func fields(pairs ...string) postForm {
	f := postForm{filename: "photo.jpg", content: "hello"}
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		f.fields = append(f.fields, [2]string{k, v})
	}
	return f
}

// signed adds a policy with the conditions given as JSON, and its signature.
func (e *env) signed(f postForm, conditions ...string) postForm {
	return e.signedAs(f, e.now.Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"), conditions...)
}

func (e *env) signedAs(f postForm, expiration string, conditions ...string) postForm {
	auth := e.signer().PostFields(e.now)
	for name, value := range auth {
		conditions = append(conditions, fmt.Sprintf(`{%q: %q}`, name, value))
	}
	policy := fmt.Sprintf(`{"expiration": %q, "conditions": [%s]}`, expiration, strings.Join(conditions, ","))
	for name, value := range e.signer().SignPostPolicy([]byte(policy), e.now) {
		f.fields = append(f.fields, [2]string{name, value})
	}
	return f
}

func (f postForm) encode(t testing.TB) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range f.fields {
		if err := w.WriteField(p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	if f.filename != "" {
		part, err := w.CreateFormFile("file", f.filename)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, f.content)
	}
	for _, p := range f.after {
		w.WriteField(p[0], p[1])
	}
	w.Close()
	return b.String(), w.FormDataContentType()
}

func (e *env) post(target string, f postForm, headers ...string) *answered {
	e.t.Helper()
	body, contentType := f.encode(e.t)
	return e.anonymous("POST", target, body, append(headers, "Content-Type: "+contentType)...)
}

const bktKey = `{"bucket": "bkt"}, ["starts-with", "$key", "up/"]`

func TestPostObject(t *testing.T) {
	e := newEnv(t)
	a := e.post("/bkt", e.signed(fields("key=up/${filename}", "Content-Type=image/jpeg", "x-amz-meta-a=b", "tagging="+tagDoc("t=1"), "x-amz-storage-class=STANDARD_IA",
		"x-amz-checksum-sha256="+sumOf("SHA256", "hello"), "x-ignore-me=1"), bktKey,
		`["starts-with", "$Content-Type", "image/"]`, `{"x-amz-meta-a": "b"}`, `["starts-with", "$tagging", ""]`, `["starts-with", "$x-amz-checksum-sha256", ""]`,
		`{"x-amz-storage-class": "STANDARD_IA"}`, `["content-length-range", 1, 10]`))
	if a.status != 204 || a.body != "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	e.wantHeader(a, "Etag", helloETag)
	e.wantHeader(a, "Location", e.srv.URL+"/bkt/up/photo.jpg")
	g := e.must(200, "GET", "/bkt/up/photo.jpg", "", "X-Amz-Checksum-Mode: ENABLED")
	for name, want := range map[string]string{"Content-Type": "image/jpeg", "X-Amz-Meta-A": "b", "X-Amz-Tagging-Count": "1", "X-Amz-Storage-Class": "STANDARD_IA",
		"X-Amz-Checksum-Sha256": sumOf("SHA256", "hello")} {
		e.wantHeader(g, name, want)
	}
	if g.body != "hello" {
		t.Errorf("body %q", g.body)
	}
}

func TestPostAnswers(t *testing.T) {
	e := newEnv(t)
	for status, want := range map[string]int{"200": 200, "201": 201, "204": 204, "404": 204, "": 204} {
		a := e.post("/bkt", e.signed(fields("key=up/a b", "success_action_status="+status), bktKey, `["starts-with", "$success_action_status", ""]`))
		if a.status != want {
			t.Errorf("success_action_status %s: %d %s", status, a.status, a.body)
		}
		if want == 201 {
			golden(t, "postresponse", a.body, e.srv.URL)
		}
	}
	for to, want := range map[string]string{
		"http://localhost/done":      "http://localhost/done?bucket=bkt&key=up%2Fk&etag=%22" + strings.Trim(helloETag, `"`) + "%22",
		"https://localhost/done?a=b": "https://localhost/done?a=b&bucket=bkt&key=up%2Fk&etag=%22" + strings.Trim(helloETag, `"`) + "%22",
		"javascript:alert(1)":        "",
		"//localhost/":               "",
		"nowhere":                    "",
	} {
		a := e.post("/bkt", e.signed(fields("key=up/k", "success_action_redirect="+to), bktKey, `["starts-with", "$success_action_redirect", ""]`))
		if want != "" && (a.status != 303 || a.Get("Location") != want) || want == "" && a.status != 204 {
			t.Errorf("%s: %d %s", to, a.status, a.Get("Location"))
		}
	}
}

// A form without a signature takes what anonymous may do; the fields have to be allowed too.
func TestPostAnonymous(t *testing.T) {
	e := newEnv(t)
	e.iam.deny = func(r *iamRequest) bool { return r.Identity == nil }
	if a := e.post("/bkt", fields("key=up/k")); a.status != 403 || a.code() != "AccessDenied" {
		t.Errorf("%d %s", a.status, a.body)
	}
	e.iam.deny = func(r *iamRequest) bool { return r.Identity != nil || r.Action != "s3:PutObject" || r.Key != "up/k" }
	if a := e.post("/bkt", fields("key=up/k2")); a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := e.post("/bkt", fields("key=up/k", "tagging="+tagDoc("a=b"))); a.status != 403 {
		t.Errorf("tags without their right: %d %s", a.status, a.body)
	}
	if a := e.post("/bkt", fields("key=up/k")); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// The rules of POST policies (THREATS 2.4 and S-054, S-067, S-117): what is refused leaves nothing.
func TestPostRefusals(t *testing.T) {
	e := newEnv(t)
	e.bucket("victim", 0)
	for _, row := range []struct {
		name   string
		status int
		code   string
		form   postForm
	}{
		{"S-180 key not as the policy says", 403, "AccessDenied", e.signed(fields("key=other/k"), bktKey)},
		{"S-180 eq violated", 403, "AccessDenied", e.signed(fields("key=up/k2"), `{"bucket": "bkt"}, {"key": "up/k"}`)},
		{"S-180 filename leads out", 403, "AccessDenied", func() postForm {
			f := e.signed(fields("key=${filename}"), bktKey)
			f.filename = "../up/x"
			return f
		}()},
		{"S-180 two keys", 400, "InvalidArgument", e.signed(fields("key=up/k", "key=up/l"), bktKey)},
		{"S-180 KEY and key", 400, "InvalidArgument", e.signed(fields("key=up/k", "KEY=up/l"), bktKey)},
		{"S-180 key after the file", 400, "InvalidArgument", func() postForm {
			f := e.signed(fields(), `{"bucket": "bkt"}`)
			f.after = [][2]string{{"key", "up/k"}}
			return f
		}()},
		{"S-180 no file", 400, "InvalidArgument", func() postForm {
			f := e.signed(fields("key=up/k"), bktKey)
			f.filename = ""
			return f
		}()},
		{"S-180 two files", 400, "InvalidArgument", func() postForm {
			f := e.signed(fields("key=up/k"), bktKey)
			f.after = [][2]string{{"file", "x"}}
			return f
		}()},
		{"S-180 empty key", 400, "InvalidArgument", e.signed(fields("key="), `{"bucket": "bkt"}, ["starts-with", "$key", ""]`)},
		{"S-180 long key", 400, "KeyTooLongError", e.signed(fields("key=up/"+strings.Repeat("k", 1024)), bktKey)},
		{"S-181 too large", 400, "EntityTooLarge", e.signed(fields("key=up/k"), bktKey, `["content-length-range", 0, 4]`)},
		{"S-181 too small", 400, "EntityTooSmall", e.signed(fields("key=up/k"), bktKey, `["content-length-range", 6, 10]`)},
		{"S-181 reversed", 400, "InvalidPolicyDocument", e.signed(fields("key=up/k"), bktKey, `["content-length-range", 9, 1]`)},
		{"S-181 negative", 400, "InvalidPolicyDocument", e.signed(fields("key=up/k"), bktKey, `["content-length-range", -1, 9]`)},
		{"S-181 2^63", 400, "InvalidPolicyDocument", e.signed(fields("key=up/k"), bktKey, `["content-length-range", 0, 9223372036854775808]`)},
		{"S-182 acl", 403, "AccessDenied", e.signed(fields("key=up/k", "acl=private"), bktKey)},
		{"S-182 tagging", 403, "AccessDenied", e.signed(fields("key=up/k", "tagging=x"), bktKey)},
		{"S-182 metadata", 403, "AccessDenied", e.signed(fields("key=up/k", "x-amz-meta-a=b"), bktKey)},
		{"S-182 Content-Type", 403, "AccessDenied", e.signed(fields("key=up/k", "Content-Type=text/html"), bktKey)},
		{"S-182 S-117 storage class", 403, "AccessDenied", e.signed(fields("key=up/k", "x-amz-storage-class=STANDARD"), bktKey)},
		{"S-182 redirect", 403, "AccessDenied", e.signed(fields("key=up/k", "success_action_redirect=http://x.test/"), bktKey)},
		{"S-182 encryption", 403, "AccessDenied", e.signed(fields("key=up/k", "x-amz-server-side-encryption=AES256"), bktKey)},
		{"S-182 lock", 403, "AccessDenied", e.signed(fields("key=up/k", "x-amz-object-lock-legal-hold=ON"), bktKey)},
		{"allowed, without keys", 501, "NotImplemented", e.signed(fields("key=up/k", "x-amz-server-side-encryption=AES256"), bktKey, `["starts-with", "$x-amz-server-side-encryption", ""]`)},
		{"S-183 expired", 403, "AccessDenied", e.signedAs(fields("key=up/k"), e.now.Add(-time.Second).Format("2006-01-02T15:04:05Z"), bktKey)},
		{"S-183 expiration with zone", 400, "InvalidPolicyDocument", e.signedAs(fields("key=up/k"), "2030-01-02T04:04:05+01:00", bktKey)},
		{"S-183 no expiration", 400, "InvalidPolicyDocument", e.signedAs(fields("key=up/k"), "", bktKey)},
		{"S-183 signature", 403, "SignatureDoesNotMatch", replaceField(e.signed(fields("key=up/k"), bktKey), "x-amz-signature", strings.Repeat("0", 64))},
		{"S-183 foreign key", 403, "InvalidAccessKeyId", replaceField(e.signed(fields("key=up/k"), bktKey), "x-amz-credential", "NOBODY/20300102/us-east-1/s3/aws4_request")},
		{"S-183 policy without signature", 403, "AccessDenied", fields("key=up/k", "policy=e30=")},
		{"S-184 S-067 policy of another bucket", 403, "AccessDenied", e.signed(fields("key=up/k"), `{"bucket": "victim"}, ["starts-with", "$key", ""]`)},
		{"S-184 S-067 no bucket condition", 403, "AccessDenied", e.signed(fields("key=up/k"), `["starts-with", "$key", ""]`)},
		{"S-184 S-067 bucket field", 403, "AccessDenied", e.signed(fields("key=up/k", "bucket=victim"), bktKey)},
		{"S-117 unknown condition key", 403, "AccessDenied", e.signed(fields("key=up/k"), bktKey, `["starts-with", "$foo", ""]`)},
		{"S-186 2 MiB in front of the file", 400, "MaxPostPreDataLengthExceededError", e.signed(fields("x-ignore-a="+strings.Repeat("x", 2<<20), "key=up/k"), bktKey)},
		{"S-186 10 000 fields", 400, "MaxPostPreDataLengthExceededError", manyFields(e.signed(fields("key=up/k"), bktKey), 10000)},
		{"wrong checksum", 400, "BadDigest", e.signed(fields("key=up/k", "x-amz-checksum-sha1="+sumOf("SHA1", "x")), bktKey, `["starts-with", "$x-amz-checksum-sha1", ""]`)},
		{"no checksum", 400, "InvalidRequest", e.signed(fields("key=up/k", "x-amz-checksum-sha1=sailorjerry"), bktKey, `["starts-with", "$x-amz-checksum-sha1", ""]`)},
		{"header injection", 400, "InvalidArgument", e.signed(fields("key=up/k", "x-amz-meta-a=b\r\nx: y"), bktKey, `["starts-with", "$x-amz-meta-a", ""]`)},
		{"bad header name", 400, "InvalidArgument", e.signed(fields("key=up/k", "x-amz-meta-a b=c"), bktKey, `["starts-with", "$x-amz-meta-a b", ""]`)},
		{"public ACL", 400, "AccessControlListNotSupported", e.signed(fields("key=up/k", "acl=public-read"), bktKey, `{"acl": "public-read"}`)},
		{"bad tags", 400, "MalformedXML", e.signed(fields("key=up/k", "tagging=a=b"), bktKey, `["starts-with", "$tagging", ""]`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := e.at(t).post("/bkt", row.form)
			if a.status != row.status || a.code() != row.code {
				t.Errorf("%d %s, want %d %s: %s", a.status, a.code(), row.status, row.code, a.body)
			}
		})
	}
	for _, bucket := range []string{"bkt", "victim"} {
		if a := e.must(200, "GET", "/"+bucket+"?list-type=2", ""); a.element("KeyCount") != "0" {
			t.Errorf("%s: %s", bucket, a.body)
		}
	}
}

func replaceField(f postForm, name, value string) postForm {
	i := slices.IndexFunc(f.fields, func(p [2]string) bool { return p[0] == name })
	f.fields[i][1] = value
	return f
}

func manyFields(f postForm, n int) postForm {
	for i := range n {
		f.fields = append(f.fields, [2]string{fmt.Sprintf("x-ignore-%d", i), ""})
	}
	return f
}

// What is no form (S-186).
func TestPostMalformed(t *testing.T) {
	e := newEnv(t)
	body, contentType := e.signed(fields("key=up/k"), bktKey).encode(t)
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	for _, row := range []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"no form", "application/x-www-form-urlencoded", "key=up/k", 412, "PreconditionFailed"},
		{"mixed", "multipart/mixed; boundary=" + boundary, body, 412, "PreconditionFailed"},
		{"no boundary", "multipart/form-data", body, 400, "MalformedPOSTRequest"},
		{"boundary of 1 KiB", "multipart/form-data; boundary=" + strings.Repeat("b", 1024), body, 400, "MalformedPOSTRequest"},
		{"another boundary", "multipart/form-data; boundary=x", body, 400, ""},
		{"no end", contentType, strings.TrimSuffix(body, "--"+boundary+"--\r\n"), 400, "MalformedPOSTRequest"},
		{"half of the end", contentType, strings.TrimSuffix(body, "--\r\n"), 400, "MalformedPOSTRequest"},
		{"ends in the file", contentType, body[:strings.Index(body, "hello")+2], 400, "MalformedPOSTRequest"},
		{"empty", contentType, "", 400, ""},
		{"part without a name", contentType, strings.Replace(body, `name="file"; `, "", 1), 400, "MalformedPOSTRequest"},
		{"nested", contentType, strings.Replace(body, "Content-Type: application/octet-stream", "Content-Type: multipart/mixed; boundary=x", 1), 400, "MalformedPOSTRequest"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			a := e.anonymous("POST", "/bkt", row.body, "Content-Type: "+row.contentType)
			if a.status != row.status || row.code != "" && a.code() != row.code {
				t.Errorf("%d %s", a.status, a.body)
			}
			e.must(404, "HEAD", "/bkt/up/k", "")
		})
	}
}

// A form within a request that is signed otherwise (S-156).
func TestPostWithOtherSignature(t *testing.T) {
	e := newEnv(t)
	body, contentType := e.signed(fields("key=up/k"), bktKey).encode(t)
	e.refused(400, "InvalidRequest", "POST", "/bkt", body, "Content-Type: "+contentType)
	r := e.request("POST", "/bkt", body, "Content-Type: "+contentType)
	e.signer().Presign(r, time.Hour, e.now)
	if a := e.send(r); a.status != 400 {
		t.Errorf("presigned: %d %s", a.status, a.body)
	}
	e.must(404, "HEAD", "/bkt/up/k", "")
}

// Policies of odd shapes (S-054).
func TestPostPolicyShapes(t *testing.T) {
	e := newEnv(t)
	for _, conditions := range []string{"null", "[]", "[[]]", "[null]", `[["eq"]]`, `[{"a":{}}]`, `[["eq","$key",1]]`, `{}`, `"x"`} {
		policy := fmt.Sprintf(`{"expiration": "2031-01-01T00:00:00Z", "conditions": %s}`, conditions)
		if !json.Valid([]byte(policy)) {
			t.Fatal(policy)
		}
		f := fields("key=up/k")
		for name, value := range e.signer().SignPostPolicy([]byte(policy), e.now) {
			f.fields = append(f.fields, [2]string{name, value})
		}
		if a := e.post("/bkt", f); a.status != http.StatusBadRequest && a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", conditions, a.status, a.body)
		}
	}
	e.must(404, "HEAD", "/bkt/up/k", "")
}

func FuzzForm(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ndata\r\n--b--\r\n")
	f.Add("--b\r\n\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		r, err := http.NewRequest("POST", "http://s3.test/bkt", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		form, err := readForm(r)
		if err != nil {
			return
		}
		key, err := form.key()
		if err == nil && (key == "" || len(key) > 1024) {
			t.Fatalf("key %q", key)
		}
		if n, err := io.Copy(io.Discard, form); err == nil && n != form.size {
			t.Fatalf("%d bytes of %d", n, form.size)
		}
	})
}
