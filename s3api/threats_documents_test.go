package s3api

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The tests here are about documents that change settings of buckets and objects, and about what a setting puts into
// answers.

// document is one that a sub-resource takes.
type document struct{ target, body string }

// documentsFor are those of every sub-resource that takes one. The bucket has object lock and the objects k and its version.
func documentsFor(path, version string) []document {
	const s3 = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`
	owner := ownerXML(ownAccount)
	list := "<AccessControlPolicy" + s3 + ">" + owner + "<AccessControlList/></AccessControlPolicy>"
	object := path + "/k"
	versioned := func(sub string) string { return object + "?" + sub + "&versionId=" + version }
	return []document{
		{path + "?versioning", "<VersioningConfiguration" + s3 + "><Status>Enabled</Status></VersioningConfiguration>"},
		{path + "?tagging", tagBody},
		{path + "?acl", list},
		{path + "?cors", "<CORSConfiguration" + s3 + "><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"},
		{path + "?lifecycle", lifecycleDoc(rule(anyKey, enabled, oneDay))},
		{path + "?notification", "<NotificationConfiguration" + s3 + "/>"},
		{path + "?object-lock", defaultLock},
		{path + "?ownershipControls", "<OwnershipControls" + s3 + "><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"},
		{path + "?publicAccessBlock", blockDoc()},
		{object + "?tagging", tagBody},
		{object + "?acl", list},
		{versioned("retention"), lockBody},
		{versioned("legal-hold"), "<LegalHold" + s3 + "><Status>OFF</Status></LegalHold>"},
		{path + "?delete", "<Delete" + s3 + "><Quiet>false</Quiet><Object><Key>none</Key></Object></Delete>"},
	}
}

// put sends a document, with the checksum that some must have.
func (a *accounts) put(d document, body string) *answered {
	method := "PUT"
	if strings.HasSuffix(d.target, "?delete") {
		method = "POST"
	}
	return a.as("owner", method, d.target, body, "Content-MD5: "+b64md5([]byte(body)))
}

// TestHostileDocuments (S-238): what no document of S3 holds is refused at once, by every operation that takes one, and
// changes nothing. The document itself is taken.
func TestHostileDocuments(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	a.s.Lifecycle = &ruled{}
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	version := a.wants(200, "", "owner", "PUT", path+"/k", "content").Get("X-Amz-Version-Id")
	for _, d := range documentsFor(path, version) {
		name := d.target[len(path):]
		root := d.body[1:strings.IndexAny(d.body, " />")]
		open := strings.IndexByte(d.body, '>') // of the root's tag
		inside := func(s string) string {
			if d.body[open-1] == '/' {
				return d.body[:open-1] + ">" + s + "</" + root + ">"
			}
			return d.body[:open+1] + s + d.body[open+1:]
		}
		entities := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`
		before := ""
		if read := a.as("owner", "GET", d.target, ""); read.status == 200 {
			before = read.body
		}
		for what, body := range map[string]string{
			"a bomb of entities":    entities + inside("&b;"),
			"an external entity":    `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + inside("&a;"),
			"a type":                "<!DOCTYPE " + root + ">" + d.body,
			"an unknown entity":     inside("&b;"),
			"an instruction":        inside("<?php x?>"),
			"an unknown element":    inside("<Unheard>x</Unheard>"),
			"a deep nest":           strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000),
			"a deep nest inside":    inside(strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000)),
			"another namespace":     "<" + root + ` xmlns="http://evil.example/"/>`,
			"another root":          "<Other/>",
			"two roots":             d.body + d.body,
			"text behind":           d.body + "x",
			"no end":                d.body[:len(d.body)-1],
			"ends before it begins": "</" + root + ">" + d.body,
			"UTF-16":                "\xff\xfe" + strings.Join(strings.Split(d.body, ""), "\x00") + "\x00",
			"another encoding":      `<?xml version="1.0" encoding="UTF-7"?>` + d.body,
			"no XML":                `{"a": 1}`,
			"NUL":                   inside("\x00"),
			"3 MiB in one element":  inside("<a>" + strings.Repeat("x", 3<<20) + "</a>"),
			"many small ones":       inside(strings.Repeat("<a/>", 200_000)),
			"nothing, and much":     inside(strings.Repeat(" ", 3<<20)),
		} {
			began := time.Now()
			got := a.put(d, body)
			if got.status != 400 || !strings.HasPrefix(got.code(), "Malformed") && got.code() != "EntityTooLarge" {
				t.Errorf("%s with %s: %d %.300s", name, what, got.status, got.body)
			}
			if strings.Contains(got.body, "root:") {
				t.Errorf("%s with %s: the answer holds a file of this machine", name, what)
			}
			if took := time.Since(began); took > 10*time.Second { // far from it; a bomb would take longer than anybody waits
				t.Errorf("%s with %s took %v", name, what, took)
			}
		}
		if read := a.as("owner", "GET", d.target, ""); read.status == 200 && read.body != before {
			t.Errorf("%s was changed to %s", name, read.body)
		}
		for what, body := range map[string]string{
			"itself":        d.body,
			"a declaration": `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + d.body,
			"a mark":        "\xef\xbb\xbf" + d.body,
			"a comment":     inside("<!-- x -->"),
		} {
			if got := a.put(d, body); got.status/100 != 2 {
				t.Errorf("%s with %s: %d %s", name, what, got.status, got.body)
			}
		}
	}
	if got := a.wants(200, "", "owner", "GET", path+"/k", ""); got.body != "content" {
		t.Errorf("the object is %q", got.body)
	}
}

// TestSaidTwice (S-238): an element that may be there once is not there twice, so that nobody reads the first and somebody
// else the second.
func TestSaidTwice(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	a.s.Lifecycle = &ruled{}
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	version := a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-object-lock-legal-hold: ON").Get("X-Amz-Version-Id")
	for _, row := range []struct{ target, once, twice string }{
		{"?versioning", "<Status>Enabled</Status>", ""},
		{"?lifecycle", enabled, ""},
		{"?object-lock", "<Days>10</Days>", ""},
		{"?ownershipControls", "<ObjectOwnership>ObjectWriter</ObjectOwnership>", "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"},
		{"?publicAccessBlock", "", "<BlockPublicAcls>false</BlockPublicAcls><BlockPublicAcls>true</BlockPublicAcls>"},
		{"/k?legal-hold&versionId=" + version, "<Status>OFF</Status>", "<Status>ON</Status>"},
		{"/k?retention&versionId=" + version, "<Mode>GOVERNANCE</Mode>", "<Mode>COMPLIANCE</Mode>"},
		{"?delete", "<Key>none</Key>", "<Key>k</Key>"},
	} {
		for _, d := range documentsFor(path, version) {
			if d.target != path+row.target {
				continue
			}
			if row.twice == "" {
				row.twice = row.once
			}
			body := strings.Replace(d.body, row.once, row.once+row.twice, 1)
			if body == d.body {
				t.Errorf("%s: nothing to say twice in %s", row.target, d.body)
			}
			if got := a.put(d, body); got.status != 400 || got.code() != "MalformedXML" {
				t.Errorf("%s: %d %s", row.target, got.status, got.body)
			}
		}
	}
	if got := a.wants(200, "", "owner", "HEAD", path+"/k", ""); got.Get("X-Amz-Object-Lock-Legal-Hold") != "ON" || got.Get("X-Amz-Object-Lock-Mode") != "" {
		t.Errorf("the lock is %v", got.Header)
	}
}

// TestNumbersOfDocuments (S-235, S-240): numbers beyond every measure, and more of a thing than may be.
func TestNumbersOfDocuments(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	version := a.wants(200, "", "owner", "PUT", path+"/k", "content").Get("X-Amz-Version-Id")
	period := func(s string) string { return strings.Replace(defaultLock, "<Days>10</Days>", s, 1) }
	corsRules := func(n int) string {
		return "<CORSConfiguration>" + strings.Repeat("<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>", n) + "</CORSConfiguration>"
	}
	until := func(v string) string {
		return "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>" + v + "</RetainUntilDate></Retention>"
	}
	retention := "/k?retention&versionId=" + version
	for _, row := range []struct{ target, body string }{
		{"?object-lock", period("<Days>2147483648</Days>")}, {"?object-lock", period("<Days>99999999999999999999</Days>")}, {"?object-lock", period("<Days>0</Days>")},
		{"?object-lock", period("<Days>-1</Days>")}, {"?object-lock", period("<Days>1.5</Days>")}, {"?object-lock", period("<Days>36501</Days>")}, {"?object-lock", period("<Days/>")},
		{"?object-lock", period("<Years>-1</Years>")}, {"?object-lock", period("<Years>101</Years>")}, {"?object-lock", period("<Days>1</Days><Years>1</Years>")}, {"?object-lock", period("")},
		{"?cors", corsRules(101)}, {"?cors", corsRules(0)},
		{"?cors", strings.Replace(corsRules(1), "<AllowedMethod>", "<MaxAgeSeconds>99999999999999999999</MaxAgeSeconds><AllowedMethod>", 1)},
		{retention, until("2029-01-01T00:00:00Z")}, {retention, until("99999-01-01T00:00:00Z")}, {retention, until("2030-02-30T00:00:00Z")}, {retention, until("4102444800")}, {retention, until("")},
	} {
		if got := a.as("owner", "PUT", path+row.target, row.body, "Content-MD5: "+b64md5([]byte(row.body))); got.status != 400 {
			t.Errorf("%s with %.200s: %d %s", row.target, row.body, got.status, got.body)
		}
	}
	a.wants(404, "NoSuchCORSConfiguration", "owner", "GET", path+"?cors", "")
	a.wants(404, "NoSuchObjectLockConfiguration", "owner", "GET", path+retention, "")
	for _, row := range []struct{ target, body string }{{"?object-lock", period("<Days>36500</Days>")}, {"?object-lock", period("<Years>100</Years>")}, {"?cors", corsRules(100)}, {retention, until("2130-01-01T00:00:00Z")}} {
		a.wants(200, "", "owner", "PUT", path+row.target, row.body, "Content-MD5: "+b64md5([]byte(row.body)))
	}
}

// TestNoHeaderOfOthers (S-063): what a CORS rule says can't become a header of its own in an answer.
func TestNoHeaderOfOthers(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	doc := func(element, value string) string {
		values := map[string]string{"AllowedMethod": "GET", "AllowedOrigin": "https://page.example", "AllowedHeader": "x-a", "ExposeHeader": "x-b"}
		values[element] = value
		body := "<CORSConfiguration><CORSRule>"
		for _, name := range []string{"AllowedMethod", "AllowedOrigin", "AllowedHeader", "ExposeHeader"} {
			body += "<" + name + ">" + values[name] + "</" + name + ">"
		}
		return body + "</CORSRule></CORSConfiguration>"
	}
	a.wants(200, "", "owner", "PUT", path+"?cors", doc("", ""))
	for _, element := range []string{"AllowedMethod", "AllowedOrigin", "AllowedHeader", "ExposeHeader"} {
		for _, end := range []string{"\n", "\r", "\r\n", "&#10;", "&#13;", "&#13;&#10;", "&#133;", "\u0085", "&#9;", "&#127;", "&#0;"} {
			body := doc(element, "x"+end+"Set-Cookie: a=b")
			if got := a.as("owner", "PUT", path+"?cors", body); got.status != 400 || got.code() != "InvalidRequest" && got.code() != "MalformedXML" {
				t.Errorf("%s with %q: %d %s", element, end, got.status, got.body)
			}
		}
	}
	got := a.as("", "GET", path+"/k", "", "Origin: https://page.example")
	if got.Get("Access-Control-Expose-Headers") != "x-b" || got.Get("Set-Cookie") != "" {
		t.Errorf("%v", got.Header)
	}
}

// TestOddOrigins (S-055): whatever an origin is, rules with and without wildcards decide on it, and the answer's headers
// stay headers.
func TestOddOrigins(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	long := "https://" + strings.Repeat("a", 32<<10) + ".x"
	for _, rule := range []string{"*", "https://*.x", "https://*", "*.x"} {
		a.wants(200, "", "owner", "PUT", path+"?cors", "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>"+rule+"</AllowedOrigin></CORSRule></CORSConfiguration>")
		for _, origin := range []string{"", "*", "null", "\xff\xfe", "https://\xc3\x28.x", long, "https://.x", ".x", "https://", "x", "https://a.x, https://b.x", "https://a.x\tb", "ftp://a.x", "HTTPS://A.X"} {
			for _, method := range []string{"GET", "OPTIONS"} {
				r := a.request(method, path+"/k", "", "Access-Control-Request-Method: GET")
				r.Header["Origin"] = []string{origin, "https://second.example"}
				if origin == "" {
					r.Header["Origin"] = []string{""}
				}
				got := a.send(r)
				if got.status != 200 && got.status != 400 && got.status != 403 && got.status != 404 {
					t.Errorf("%s, %s of %.40q: %d %s", rule, method, origin, got.status, got.body)
				}
				allowed := got.Get("Access-Control-Allow-Origin")
				if allowed != "" && allowed != "*" && allowed != strings.TrimSpace(origin) || strings.ContainsAny(allowed, "\r\n") {
					t.Errorf("%s, %s of %.40q: allowed is %q", rule, method, origin, allowed)
				}
				if rule != "*" && got.Get("Access-Control-Allow-Origin") == "*" {
					t.Errorf("%s has become everybody's", rule)
				}
			}
		}
	}
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	if got := a.wants(200, "", "owner", "GET", path+"/k", "", "Origin: https://a.x"); got.Get("Access-Control-Allow-Origin") != "https://a.x" {
		t.Errorf("the twin: %v", got.Header)
	}
}

// TestBucketSettingsTakeTheBucket (S-037): a right to all objects is none to any operation on their bucket that the table
// of operations has.
func TestBucketSettingsTakeTheBucket(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	a.grant("bare", allowDoc(`"s3:*"`, path[1:]+"/*"))
	n := 0
	for _, o := range operations() {
		if o.level != bucketLevel || o.action == perObject || o.action == noAction || o.name == "CreateBucket" {
			continue
		}
		target := fmt.Sprintf("%s?%s=&%s", path, o.sub, o.param)
		if o.sub == "" {
			target = path
		}
		a.wants(403, "AccessDenied", "bare", o.method, strings.TrimSuffix(target, "&"), "")
		n++
	}
	a.wants(200, "", "bare", "PUT", path+"/k", "x")
	if n < 50 {
		t.Errorf("only %d operations were looked at", n)
	}
}
