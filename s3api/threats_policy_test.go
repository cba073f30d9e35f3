package s3api

import (
	"fmt"
	"strings"
	"testing"
)

// The tests here are about what users may with the policies that they have, over the wire. Each has
// its positive twin, so that a server which refuses everything does not pass.

func allowDoc(actions string, resources ...string) string {
	return statementDoc("Allow", actions, "", resources...)
}

func statementDoc(effect, actions, condition string, resources ...string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":[%s],"Resource":["arn:aws:s3:::%s"]%s}]}`,
		effect, actions, strings.Join(resources, `","arn:aws:s3:::`), condition)
}

// TestVariableIsNoPrefix: what a user named "pre" may does not reach to "pre2" (S-006, S-120).
func TestVariableIsNoPrefix(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	other := path + "2"
	a.wants(200, "", "owner", "PUT", other, "")
	for _, key := range []string{path + "/pre/a", path + "/pre2/a", path + "/prefix", other + "/pre/a"} {
		a.wants(200, "", "owner", "PUT", key, "content")
	}
	a.user("pre", ownAccount)
	a.grant("pre", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::`+path[1:]+`/${aws:username}/*"},`+
		`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+path[1:]+`","Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}}]}`)
	a.wants(200, "", "pre", "GET", path+"/pre/a", "")
	a.wants(200, "", "pre", "GET", path+"?prefix=pre/", "")
	for _, target := range []string{path + "/pre2/a", path + "/prefix", path + "/pre", other + "/pre/a", path + "?prefix=pre", path + "?prefix=pre2/", path} {
		a.wants(403, "AccessDenied", "pre", "GET", target, "")
	}
	a.wants(403, "AccessDenied", "pre", "PUT", path+"/pre2/new", "x")
	a.wants(403, "AccessDenied", "pre", "PUT", path+"/pre/new", "", "x-amz-copy-source: "+path+"/pre2/a")
}

// TestNoPolicyNoRights: a user without a policy may nothing, also in a bucket of its own account (S-012, S-118).
func TestNoPolicyNoRights(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	rows := []struct{ method, target, body string }{
		{"GET", "/", ""}, {"PUT", "/bucket-of-bare", ""}, {"GET", path, ""}, {"HEAD", path, ""}, {"DELETE", path, ""},
		{"GET", path + "/k", ""}, {"HEAD", path + "/k", ""}, {"PUT", path + "/new", "x"}, {"DELETE", path + "/k", ""}, {"POST", path + "/k?uploads", ""},
		{"GET", path + "?policy", ""}, {"PUT", path + "?policy", "{}"}, {"GET", path + "?acl", ""},
	}
	for _, row := range rows {
		a.wants(403, "AccessDenied", "bare", row.method, row.target, row.body)
		if row.method == "GET" && row.target != path+"?policy" {
			a.wants(200, "", "owner", row.method, row.target, row.body)
		}
	}
	a.wants(200, "", "owner", "GET", path+"/k", "")
}

// TestObjectsAreNotTheBucket: a right to everything below a bucket is none to the bucket (S-037), whether an
// identity's policy or the bucket's gives it.
func TestObjectsAreNotTheBucket(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	bucketCalls := []struct{ method, target, body string }{
		{"GET", "", ""}, {"GET", "?list-type=2", ""}, {"GET", "?versions", ""}, {"GET", "?uploads", ""}, {"HEAD", "", ""}, {"GET", "?location", ""}, {"GET", "?policy", ""},
		{"PUT", "?policy", "{}"}, {"DELETE", "?policy", ""}, {"PUT", "?versioning", "<VersioningConfiguration/>"}, {"PUT", "?object-lock", "<ObjectLockConfiguration/>"},
		{"PUT", "?acl", ""}, {"PUT", "?publicAccessBlock", blockDoc()}, {"DELETE", "?publicAccessBlock", ""}, {"PUT", "?tagging", tagBody}, {"DELETE", "?cors", ""}, {"DELETE", "", ""},
	}
	check := func() {
		t.Helper()
		a.wants(200, "", "bare", "GET", path+"/k", "")
		a.wants(200, "", "bare", "PUT", path+"/by-bare", "x")
		for _, c := range bucketCalls {
			a.wants(403, "AccessDenied", "bare", c.method, path+c.target, c.body)
		}
	}
	a.grant("bare", allowDoc(`"s3:*"`, path[1:]+"/*"))
	check()
	a.detach("bare")
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+path[1:]+`/*"}]}`)
	check()
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+path[1:]+`"}]}`)
	a.wants(200, "", "bare", "GET", path, "")
	a.wants(403, "AccessDenied", "bare", "GET", path+"/k", "")
}

// TestVersionsTakeVersionActions: a named version is another right, to read, to tag and to delete (S-043, S-097).
func TestVersionsTakeVersionActions(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	first := a.wants(200, "", "owner", "PUT", path+"/doc", "1").Get("X-Amz-Version-Id")
	current := a.wants(200, "", "owner", "PUT", path+"/doc", "2").Get("X-Amz-Version-Id")
	calls := []struct{ method, target, body, plain, versioned string }{
		{"GET", "", "", "s3:GetObject", "s3:GetObjectVersion"},
		{"HEAD", "", "", "s3:GetObject", "s3:GetObjectVersion"},
		{"GET", "tagging", "", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
		{"PUT", "tagging", tagBody, "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
		{"DELETE", "tagging", "", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
		{"GET", "acl", "", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
		{"DELETE", "", "", "s3:DeleteObject", "s3:DeleteObjectVersion"},
	}
	for _, c := range calls {
		for _, version := range []string{first, current, "null"} {
			target := path + "/doc?" + c.target + "&versionId=" + version
			a.grant("bare", allowDoc(`"`+c.plain+`"`, path[1:]+"/*"))
			a.wants(403, "AccessDenied", "bare", c.method, target, c.body)
			a.detach("bare")
			if c.method == "DELETE" && c.target == "" {
				continue
			}
			a.grant("bare", allowDoc(`"`+c.versioned+`"`, path[1:]+"/*"))
			if got := a.as("bare", c.method, target, c.body); version != "null" && got.status/100 != 2 {
				t.Errorf("%s: %s %s: %d %s", c.versioned, c.method, target, got.status, got.body)
			}
			a.wants(403, "AccessDenied", "bare", c.method, path+"/doc?"+c.target, c.body)
			a.detach("bare")
		}
	}
	a.grant("bare", allowDoc(`"s3:DeleteObject","s3:GetObject","s3:PutObject"`, path[1:]+"/*"))
	body := "<Delete><Object><Key>doc</Key><VersionId>" + first + "</VersionId></Object></Delete>"
	if got := a.wants(200, "", "bare", "POST", path+"?delete", body, "Content-MD5: "+b64md5([]byte(body))); !strings.Contains(got.body, "<Code>AccessDenied") {
		t.Errorf("%s", got.body)
	}
	a.wants(403, "AccessDenied", "bare", "PUT", path+"/copy", "", "x-amz-copy-source: "+path+"/doc?versionId="+first)
	a.wants(200, "", "bare", "PUT", path+"/copy", "", "x-amz-copy-source: "+path+"/doc")
	a.wants(204, "", "bare", "DELETE", path+"/doc", "") // a delete marker
	if got := a.wants(200, "", "owner", "GET", path+"/doc?versionId="+first, ""); got.body != "1" {
		t.Errorf("the version is %q", got.body)
	}
}

// TestDenyWins in whatever policy it stands, on the target and on the source of a copy (S-218).
func TestDenyWins(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	for _, key := range []string{"/open/k", "/shut/k"} {
		a.wants(200, "", "owner", "PUT", path+key, "content")
	}
	a.user("reader", ownAccount, "readwrite")
	id := a.wants(200, "", "reader", "POST", path+"/open/mp?uploads", "").element("UploadId")
	try := func(where string, denied bool) {
		t.Helper()
		shut, code := 200, ""
		if denied {
			shut, code = 403, "AccessDenied"
		}
		a.wants(200, "", "reader", "GET", path+"/open/k", "")
		a.wants(shut, code, "reader", "GET", path+"/shut/k", "")
		a.wants(shut, code, "reader", "HEAD", path+"/shut/k", "")
		a.wants(shut, code, "reader", "PUT", path+"/open/copy", "", "x-amz-copy-source: "+path+"/shut/k")
		a.wants(shut, code, "reader", "PUT", path+"/open/mp?partNumber=1&uploadId="+id, "", "x-amz-copy-source: "+path+"/shut/k")
		a.wants(200, "", "reader", "PUT", path+"/open/copy", "", "x-amz-copy-source: "+path+"/open/k")
	}
	deny := statementDoc("Deny", `"s3:GetObject"`, "", path[1:]+"/shut/*")
	try("nowhere", false)
	a.grant("reader", deny)
	try("the user's policy", true)
	a.detach("reader")
	if _, err := a.svc.SetPolicy(t.Context(), "group-policy", []byte(deny)); err != nil {
		t.Fatal(err)
	}
	a.inGroup("readers", "group-policy", "reader")
	try("the group's policy", true)
	if err := a.svc.RemoveMembers(t.Context(), "readers", "reader"); err != nil {
		t.Fatal(err)
	}
	try("nowhere again", false)
	a.wants(204, "", "owner", "PUT", path+"?policy", strings.Replace(deny, `"Action"`, `"Principal":"*","Action"`, 1))
	try("the bucket's policy", true)
	a.wants(403, "AccessDenied", "owner", "GET", path+"/shut/k", "")
	a.wants(200, "", "root-key", "GET", path+"/shut/k", "")
}

// TestCopySourceCondition holds a target's policy against the source, however that is spelled (S-088, S-152).
func TestCopySourceCondition(t *testing.T) {
	a := newAccounts(t, "")
	path, victim := a.newBucket(), a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/public/k", "content")
	a.wants(200, "", "owner", "PUT", victim+"/public/secret", "content")
	a.wants(200, "", "owner", "PUT", victim+"/secret", "content")
	id := a.wants(200, "", "owner", "POST", path+"/mp?uploads", "").element("UploadId")
	own := path[1:]
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+own+`/*",`+
		`"Condition":{"StringNotLike":{"s3:x-amz-copy-source":"`+own+`/public/*"},"Null":{"s3:x-amz-copy-source":"false"}}}]}`)
	for source, status := range map[string]int{
		own + "/public/k": 200, "/" + own + "/public/k": 200, own + "%2Fpublic%2fk": 200, own + "/%70ublic/k": 200,
		victim[1:] + "/secret": 403, victim + "/secret": 403, victim[1:] + "/public/secret": 403, victim[1:] + "%2Fsecret": 403, "%2F" + victim[1:] + "/secret": 403,
	} {
		code := map[int]string{200: "", 403: "AccessDenied"}[status]
		a.wants(status, code, "owner", "PUT", path+"/copy", "", "x-amz-copy-source: "+source)
		a.wants(status, code, "owner", "PUT", path+"/mp?partNumber=1&uploadId="+id, "", "x-amz-copy-source: "+source)
	}
	// A Deny that names what may not be copied.
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+own+`/*",`+
		`"Condition":{"StringLike":{"s3:x-amz-copy-source":"`+victim[1:]+`/*"}}}]}`)
	for _, source := range []string{victim[1:] + "/secret", victim + "/secret", victim[1:] + "%2Fsecret", "%62" + victim[2:] + "/secret"} {
		a.wants(403, "AccessDenied", "owner", "PUT", path+"/copy", "", "x-amz-copy-source: "+source)
	}
	a.wants(200, "", "owner", "PUT", path+"/plain", "x")
}

// TestSetOperators holds ForAllValues and ForAnyValue with negations against the tags of requests (S-096).
func TestSetOperators(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	condition := `{"ForAllValues:StringNotEquals":{"s3:RequestObjectTagKeys":["secret"]}}`
	a.grant("bare", statementDoc("Allow", `"s3:PutObject","s3:PutObjectTagging"`, condition, path[1:]+"/*"))
	put := func(who string, status int, tags string) {
		t.Helper()
		var headers []string
		if tags != "" {
			headers = []string{"x-amz-tagging: " + tags}
		}
		a.wants(status, map[int]string{200: "", 403: "AccessDenied"}[status], who, "PUT", path+"/k", "x", headers...)
	}
	put("bare", 200, "")
	put("bare", 200, "team=1")
	put("bare", 403, "team=1&secret=1")
	put("bare", 403, "secret=1")
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+path[1:]+`/*",`+
		`"Condition":{"ForAnyValue:StringNotEquals":{"s3:RequestObjectTagKeys":["team","owner"]}}}]}`)
	put("owner", 200, "")
	put("owner", 200, "team=1")
	put("owner", 200, "team=1&owner=2")
	put("owner", 403, "team=1&other=2")
}

// TestPathsAreKeys: a policy is asked about the very key that the store has, decoded once and never cleaned (S-135, S-152).
func TestPathsAreKeys(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/private.txt", "private")
	a.wants(200, "", "owner", "PUT", path+"/public/k", "public")
	a.grant("bare", allowDoc(`"s3:GetObject","s3:PutObject","s3:ListBucket"`, path[1:]+"/public/*", path[1:]))
	for _, target := range []string{"/public/../private.txt", "/public/%2e%2e/private.txt", "/public/..%2fprivate.txt", "/public/%2e%2e%2fprivate.txt", "/public/./../private.txt", "/public//../private.txt"} {
		a.wants(404, "NoSuchKey", "bare", "GET", path+target, "")
	}
	// Written so, it is another object.
	a.wants(200, "", "bare", "PUT", path+"/public/..%2Fprivate.txt", "mine")
	if got := a.wants(200, "", "bare", "GET", path+"/public/%2e%2e/private.txt", ""); got.body != "mine" {
		t.Errorf("read %q", got.body)
	}
	if got := a.wants(200, "", "owner", "GET", path+"/private.txt", ""); got.body != "private" {
		t.Errorf("private.txt is %q", got.body)
	}
	// Both spellings of one key are one decision.
	for _, target := range []string{"/public/k", "/public%2Fk", "/%70ublic/k", "/public%2fk"} {
		a.wants(200, "", "bare", "GET", path+target, "")
	}
	for _, target := range []string{"/public%252Fk", "/public%25%32%66k", "/private.txt", "/%70rivate.txt", "/%2Fpublic/k", "//public/k", "/PUBLIC/k"} {
		a.wants(403, "AccessDenied", "bare", "GET", path+target, "")
	}
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+path[1:]+`/public/k"}]}`)
	for _, target := range []string{"/public/k", "/public%2Fk", "/%70ublic/k", "/public/%6b"} {
		a.wants(403, "AccessDenied", "bare", "GET", path+target, "")
	}
}

// TestNestedKeys: what is set on a nested key is set on that alone (S-126).
func TestNestedKeys(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	a.wants(200, "", "owner", "PUT", path+"/protected.txt", "root", "x-amz-tagging: at=root")
	version := a.wants(200, "", "owner", "PUT", path+"/allowed/protected.txt", "nested", "x-amz-tagging: at=nested").Get("X-Amz-Version-Id")
	a.grant("bare", allowDoc(`"s3:*"`, path[1:]+"/allowed/*"))
	before := [3]string{}
	state := func() (s [3]string) {
		s[0] = a.wants(200, "", "owner", "GET", path+"/protected.txt?tagging", "").body
		s[1] = a.wants(200, "", "owner", "GET", path+"/protected.txt?acl", "").body
		head := a.wants(200, "", "owner", "GET", path+"/protected.txt", "")
		s[2] = head.body + head.Get("X-Amz-Object-Lock-Mode") + head.Get("X-Amz-Object-Lock-Legal-Hold")
		return s
	}
	before = state()
	for _, query := range []string{"", "&versionId=" + version} {
		nested := path + "/allowed/protected.txt"
		a.wants(200, "", "bare", "PUT", nested+"?tagging"+query, tagBody)
		a.wants(200, "", "bare", "PUT", nested+"?acl"+query, "", "x-amz-acl: public-read")
		a.wants(200, "", "bare", "PUT", nested+"?retention"+query, lockBody)
		a.wants(200, "", "bare", "PUT", nested+"?legal-hold"+query, holdBody)
		for sub, body := range map[string]string{"tagging": tagBody, "acl": "", "retention": lockBody, "legal-hold": holdBody} {
			a.wants(403, "AccessDenied", "bare", "PUT", path+"/protected.txt?"+sub+strings.Replace(query, version, "null", 1), body)
		}
	}
	if got := state(); got != before {
		t.Errorf("protected.txt has become %q, was %q", got, before)
	}
	if got := a.wants(200, "", "owner", "GET", path+"/allowed/protected.txt?tagging", ""); !strings.Contains(got.body, "blue") {
		t.Errorf("the nested object is %s", got.body)
	}
}

// TestAuthenticatedReadIsNotAnonymous: a list for every known user is none for the others (S-053).
func TestAuthenticatedReadIsNotAnonymous(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket("x-amz-acl: authenticated-read")
	a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-acl: authenticated-read")
	for _, target := range []string{path, path + "?list-type=2", path + "?versions", path + "?uploads", path + "/k"} {
		a.wants(403, "AccessDenied", "", "GET", target, "")
		a.wants(200, "", "stranger", "GET", target, "")
	}
}
