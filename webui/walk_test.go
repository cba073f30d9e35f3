package webui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
)

// walkRow is a request to a row of the table of routes, and what it is answered with: to nobody, to somebody with
// the cookie of another deployment, to a user without policies, and to root.
type walkRow struct {
	row, method, path, body    string
	nobody, other, plain, root int
}

var walkRows = []walkRow{
	{"", "GET", "", "", 200, 200, 200, 200},
	{"session", "GET", "session", "", 200, 200, 200, 200},
	{"login", "POST", "login", `{"accessKey":"x","secretKey":"y"}`, 403, 403, 403, 403},
	{"login/ldap", "POST", "login/ldap", `{"username":"x","password":"y"}`, 404, 404, 404, 404},
	{"sso/", "GET", "sso/nobody", "", 404, 404, 404, 404},
	{"renew", "POST", "renew", "", 401, 401, 409, 409},
	{"share", "POST", "share", `{"bucket":"bucket","key":"k","expiresIn":60}`, 401, 401, 403, 200},
	{"share", "POST", "share", `{"bucket":"bucket","key":"k","versionId":"x","expiresIn":60}`, 401, 401, 403, 404},
	{"zip", "POST", "zip", `{"bucket":"bucket","keys":["k"]}`, 401, 401, 200, 200}, // what is in it is asked when it is read: TestZipRights
	{"zip/", "GET", "zip/of-somebody-else", "", 401, 401, 404, 404},
	{"s3/", "GET", "s3/bucket/k", "", 401, 401, 403, 200},
	{"s3/", "PUT", "s3/bucket/k", "content", 401, 401, 403, 200},
	{"s3/", "DELETE", "s3/bucket/none", "", 401, 401, 403, 204},
	{"s3/", "HEAD", "s3/bucket", "", 401, 401, 403, 200},
	{"s3/", "OPTIONS", "s3/bucket/k", "", 401, 401, 400, 400}, // nobody asks for leave here: there is no other origin
	{"admin/", "GET", "admin/users", "", 401, 401, 403, 200},
	{"admin/", "GET", "admin/keys?user=admin", "", 401, 401, 403, 200},
	{"admin/", "GET", "admin/sessions?all=true", "", 401, 401, 403, 200},
	{"admin/", "PUT", "admin/users/new", `{"secret":"a-good-secret"}`, 401, 401, 403, 201},
	{"admin/", "GET", "admin/../../-/metrics", "", 401, 401, 404, 404},
	{"logout", "POST", "logout", "", 200, 200, 200, 200},
}

// TestWalk: S-208, every row of the table, with no cookie, with somebody else's, as a user without policies and as root.
func TestWalk(t *testing.T) {
	walked := map[string]bool{}
	for _, row := range walkRows {
		walked[row.row] = true
	}
	for _, rt := range routes() {
		if !walked[rt.path] {
			t.Errorf("nobody walks %q", rt.path)
		}
	}
	s, elsewhere := newSite(t, options{}), newSite(t, options{})
	s.user("ann", annPassword)
	nobody, other, plain, root := s.browser(), s.browser(), s.browser().login("ann", annPassword), s.browser().login(rootUser, rootPassword)
	root.want(200, root.do("PUT", "s3/bucket", ""))
	root.want(200, root.do("PUT", "s3/bucket/k", "content"))
	foreign := elsewhere.browser().login(rootUser, rootPassword).cookies()[0]
	foreign.Name = plain.cookies()[0].Name
	for _, row := range walkRows {
		for name, try := range map[string]struct {
			b    *browser
			want int
		}{"nobody": {nobody, row.nobody}, "other": {other, row.other}, "plain": {plain, row.plain}, "root": {root, row.root}} {
			var headers []string
			if strings.HasPrefix(row.body, "{") {
				headers = append(headers, "Content-Type: application/json")
			}
			if name == "other" {
				headers = append(headers, "Cookie: "+foreign.Name+"="+foreign.Value)
			}
			if r := try.b.do(row.method, row.path, row.body, headers...); r.StatusCode != try.want {
				t.Errorf("%s %s as %s: %s, want %d: %s", row.method, row.path, name, r.Status, try.want, r.body)
			}
		}
	}
}

// TestSameDecisions: S-208, the console answers what S3 and the administration answer to the same person.
func TestSameDecisions(t *testing.T) {
	s := newSite(t, options{})
	root := s.browser().login(rootUser, rootPassword)
	root.want(200, root.do("PUT", "s3/bucket", ""))
	root.want(200, root.do("PUT", "s3/bucket/open/k", "content"))
	root.want(200, root.do("PUT", "s3/bucket/shut/k", "content"))
	_, err := s.iam.SetPolicy(t.Context(), "half", []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/open/*"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{"StringLike":{"s3:prefix":"open/*"}}},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/agent/*","Condition":{"StringLike":{"aws:UserAgent":"the-agent*"}}},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/tls/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/here/*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/there/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.1"}}},
		{"Effect":"Allow","Action":"admin:ListUsers"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s.user("ann", annPassword, "half")
	ann := s.browser().login("ann", annPassword)
	key, err := s.iam.Credential("ann", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "s3/", ""}, {"GET", "s3/bucket", ""}, {"GET", "s3/bucket?prefix=open/", ""}, {"GET", "s3/bucket?list-type=2&prefix=shut/", ""}, {"GET", "s3/bucket?versions", ""},
		{"GET", "s3/bucket/open/k", ""}, {"HEAD", "s3/bucket/open/k", ""}, {"GET", "s3/bucket/shut/k", ""}, {"GET", "s3/bucket/open/none", ""}, {"GET", "s3/bucket/open/k?tagging", ""},
		{"GET", "s3/bucket/open/k?nonsense", ""}, {"GET", "s3/bucket/open/../shut/k", ""}, {"PUT", "s3/bucket/open/new", "x"}, {"PUT", "s3/bucket/shut/new", "x"},
		{"PUT", "s3/bucket/agent/k", "x"}, {"PUT", "s3/bucket/tls/k", "x"}, {"PUT", "s3/bucket/here/k", "x"}, {"PUT", "s3/bucket/there/k", "x"},
		{"PUT", "s3/bucket?policy", "{}"}, {"DELETE", "s3/bucket", ""}, {"DELETE", "s3/bucket/open/new", ""}, {"PUT", "s3/other", ""}, {"GET", "s3/nosuch/k", ""},
		{"GET", "admin/users", ""}, {"GET", "admin/users/ann", ""}, {"GET", "admin/whoami", ""}, {"GET", "admin/nothing", ""}, {"PUT", "admin/policies/p", "{}"}, {"GET", "admin/keys", ""},
		{"DELETE", "admin/users/ann", ""}, {"GET", "admin/keys?user=admin", ""},
	} {
		by := ann.do(tt.method, tt.path, tt.body, "User-Agent: the-agent/1")
		direct := s.direct(key, tt.method, tt.path, tt.body)
		if by.StatusCode != direct.StatusCode {
			t.Errorf("%s %s: the console answers %s, the server %s", tt.method, tt.path, by.Status, direct.Status)
		}
		if by.StatusCode >= 400 && tt.method != "HEAD" && !strings.Contains(by.body, "AccessDenied") != !strings.Contains(direct.body, "AccessDenied") {
			t.Errorf("%s %s: the console answers %s, the server %s", tt.method, tt.path, by.body, direct.body)
		}
	}
}

// TestLargeBodies: only who may import identities sends so much that it is worth a thought.
func TestLargeBodies(t *testing.T) {
	s := newSite(t, options{})
	s.user("ann", annPassword, "readwrite")
	ann, root := s.browser().login("ann", annPassword), s.browser().login(rootUser, rootPassword)
	large := strings.Repeat("x", 2<<20)
	ann.want(413, ann.do("POST", "admin/import-minio-iam", large))
	root.want(413, root.do("POST", "admin/keys", large), "EntityTooLarge")
	if r := root.do("POST", "admin/import-minio-iam", large); r.StatusCode != 400 {
		t.Errorf("%s %s", r.Status, r.body)
	}
	root.want(413, root.do("POST", "admin/import-minio-iam", strings.Repeat("x", 33<<20)))
	ann.want(413, ann.do("POST", "share", `{"bucket":"`+large+`"}`, "Content-Type: application/json"))
}

// direct sends to S3 or to the administration what the console would, signed with a key.
func (s *site) direct(key iam.Credential, method, path, body string) *reply {
	s.t.Helper()
	address := s.url + strings.TrimPrefix(path, "s3")
	if rest, ok := strings.CutPrefix(path, "admin/"); ok {
		address = s.url + s.console.AdminPrefix + rest
	}
	r, err := http.NewRequest(method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "the-agent/1")
	sum := sha256.Sum256([]byte(body))
	signer := sigv4.Signer{AccessKey: key.AccessKey, Secret: key.Secret, Region: "us-east-1", Service: "s3"}
	signer.SignHeader(r, hex.EncodeToString(sum[:]), s.clock.now())
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return &reply{resp, string(text)}
}
