package s3api

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
)

// keyRow is a request that has a condition key, with its value.
type keyRow struct {
	key, value     string
	method, target string
	body           string
	headers        []string
	sign           string // "" for the header, "query", "form", "none"
}

const lockUntil = "2030-01-12T03:04:05Z" // nine days and 24 hours after the clock of the tests

var (
	tagBody  = "<Tagging><TagSet><Tag><Key>Team</Key><Value>blue</Value></Tag></TagSet></Tagging>"
	lockBody = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>" + lockUntil + "</RetainUntilDate></Retention>"
	holdBody = "<LegalHold><Status>ON</Status></LegalHold>"
	makeBody = "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint><Tags><Tag><Key>Team</Key><Value>blue</Value></Tag></Tags></CreateBucketConfiguration>"
)

// faceKeyRows has a row at least for each key that iam/policy leaves to this package, and one for each kind
// of request that states it. BKT is a bucket with lock in which "k" has the tag visibility=secret.
func faceKeyRows(version string) []keyRow {
	get := func(key, value string, headers ...string) keyRow {
		return keyRow{key: key, value: value, method: "GET", target: "BKT/k", headers: headers}
	}
	put := func(key, value string, headers ...string) keyRow {
		return keyRow{key: key, value: value, method: "PUT", target: "BKT/new", body: "x", headers: headers}
	}
	rows := []keyRow{
		get("aws:referer", "https://here.test/", "Referer: https://here.test/"),
		get("aws:useragent", "agent/1", "User-Agent: agent/1"),
		get("aws:securetransport", "true"),
		get("aws:sourceip", "192.0.2.7"),
		get("aws:resourceaccount", ownAccount),
		get("s3:resourceaccount", ownAccount),
		get("s3:tlsversion", "1.3"),
		get("s3:authtype", "REST-HEADER"),
		{key: "s3:authtype", value: "REST-QUERY-STRING", method: "GET", target: "BKT/k", sign: "query"},
		{key: "s3:authtype", value: "POST", sign: "form"},
		get("s3:signatureversion", "AWS4-HMAC-SHA256"),
		{key: "s3:signatureage", value: "60000", method: "GET", target: "BKT/k", sign: "query"},
		get("s3:if-match", `"etag"`, `If-Match: "etag"`),
		put("s3:if-none-match", "*", "If-None-Match: *"),
		{key: "s3:versionid", value: version, method: "GET", target: "BKT/k?versionId=" + version},
		{key: "s3:versionid", value: version, method: "GET", target: "BKT/k?tagging&versionId=" + version},
		{key: "s3:versionid", value: version, method: "PUT", target: "BKT/new", headers: []string{"x-amz-copy-source: BKT/k?versionId=" + version}},
		get("s3:existingobjecttag/visibility", "secret"),
		{key: "s3:existingobjecttag/visibility", value: "secret", method: "PUT", target: "BKT/new", headers: []string{"x-amz-copy-source: BKT/k"}},
		{key: "s3:existingobjecttag/visibility", value: "secret", method: "DELETE", target: "BKT/k?tagging"},
		{key: "aws:requesttag/Team", value: "blue", method: "PUT", target: "/face-made", body: makeBody},
		{key: "aws:requesttag/team", value: "blue", method: "PUT", target: "BKT?tagging", body: tagBody},
		{key: "aws:tagkeys", value: "Team", method: "PUT", target: "/face-made", body: makeBody},
		{key: "aws:tagkeys", value: "Team", method: "PUT", target: "BKT?tagging", body: tagBody},
		{key: "s3:locationconstraint", value: "us-east-1", method: "PUT", target: "/face-made", body: makeBody},
		put("s3:x-amz-content-sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
		{key: "s3:x-amz-content-sha256", value: "UNSIGNED-PAYLOAD", method: "GET", target: "BKT/k", sign: "query"},
		{key: "s3:x-amz-copy-source", value: "NAME/k", method: "PUT", target: "BKT/new", headers: []string{"x-amz-copy-source: BKT/k"}},
		{key: "s3:x-amz-copy-source", value: "NAME/k", method: "PUT", target: "BKT/new", headers: []string{"x-amz-copy-source: NAME%2Fk?versionId=" + version}},
		put("s3:x-amz-metadata-directive", "COPY", "x-amz-copy-source: BKT/k", "x-amz-metadata-directive: COPY"),
		put("s3:x-amz-acl", "bucket-owner-full-control", "x-amz-acl: bucket-owner-full-control"),
		put("s3:x-amz-storage-class", "STANDARD_IA", "x-amz-storage-class: STANDARD_IA"),
		put("s3:x-amz-website-redirect-location", "/there", "x-amz-website-redirect-location: /there"),
		put("s3:x-amz-server-side-encryption", "AES256", "x-amz-server-side-encryption: AES256"),
		put("s3:x-amz-server-side-encryption-aws-kms-key-id", "key", "x-amz-server-side-encryption-aws-kms-key-id: key"),
		put("s3:x-amz-server-side-encryption-customer-algorithm", "AES256", "x-amz-server-side-encryption-customer-algorithm: AES256"),
		{key: "s3:x-amz-object-ownership", value: OwnerEnforced, method: "PUT", target: "/face-made", headers: []string{"x-amz-object-ownership: " + OwnerEnforced}},
		put("s3:objectcreationoperation", "true"),
		{key: "s3:objectcreationoperation", value: "true", method: "PUT", target: "BKT/new?renameObject", headers: []string{"x-amz-rename-source: k"}},
		{key: "s3:if-none-match", value: "*", method: "PUT", target: "BKT/new?renameObject", headers: []string{"x-amz-rename-source: k", "If-None-Match: *"}},
		{key: "s3:existingobjecttag/visibility", value: "secret", method: "PUT", target: "BKT/new?renameObject", headers: []string{"x-amz-rename-source: k"}},
		{key: "s3:objectcreationoperation", value: "true", sign: "form"},
		{key: "s3:objectcreationoperation", value: "false", method: "POST", target: "BKT/new?uploads"},
		put("s3:object-lock-mode", "GOVERNANCE", "x-amz-object-lock-mode: GOVERNANCE", "x-amz-object-lock-retain-until-date: "+lockUntil),
		{key: "s3:object-lock-mode", value: "GOVERNANCE", method: "PUT", target: "BKT/k?retention", body: lockBody},
		{key: "s3:object-lock-retain-until-date", value: lockUntil, method: "PUT", target: "BKT/k?retention", body: lockBody},
		{key: "s3:object-lock-remaining-retention-days", value: "10", method: "PUT", target: "BKT/k?retention", body: lockBody},
		{key: "s3:object-lock-legal-hold", value: "ON", method: "PUT", target: "BKT/k?legal-hold", body: holdBody},
		put("s3:object-lock-legal-hold", "ON", "x-amz-object-lock-legal-hold: ON"),
	}
	for _, grant := range []string{"full-control", "read", "read-acp", "write", "write-acp"} {
		rows = append(rows, keyRow{key: "s3:x-amz-grant-" + grant, value: "id=1", method: "PUT", target: "/face-made", headers: []string{"x-amz-grant-" + grant + ": id=1"}})
	}
	for _, list := range []string{"BKT?", "BKT?list-type=2&", "BKT?versions&"} {
		rows = append(rows, keyRow{key: "s3:prefix", value: "a/", method: "GET", target: list + "prefix=a/"},
			keyRow{key: "s3:delimiter", value: "/", method: "GET", target: list + "delimiter=/"},
			keyRow{key: "s3:max-keys", value: "7", method: "GET", target: list + "max-keys=7"})
	}
	for _, write := range []keyRow{put("", ""), {method: "POST", target: "BKT/new?uploads"}} {
		for key, value := range map[string]string{"s3:requestobjecttag/team": "blue", "s3:requestobjecttagkeys": "Team"} {
			write.key, write.value, write.headers = key, value, []string{"x-amz-tagging: Team=blue"}
			rows = append(rows, write)
		}
	}
	rows = append(rows, keyRow{key: "s3:requestobjecttag/team", value: "blue", method: "PUT", target: "BKT/k?tagging", body: tagBody},
		keyRow{key: "s3:requestobjecttag/team", value: "blue", sign: "form", headers: []string{"tagging: " + tagBody}},
		keyRow{key: "s3:x-amz-storage-class", value: "STANDARD_IA", sign: "form", headers: []string{"x-amz-storage-class: STANDARD_IA"}},
		put("s3:requestobjecttag/team", "blue", "x-amz-copy-source: BKT/k", "x-amz-tagging-directive: REPLACE", "x-amz-tagging: Team=blue"))
	return rows
}

// TestFaceKeys proves that each condition key which iam/policy leaves to this package is answered, with
// exactly the value that the request has: a Deny on it refuses the request, one on another value does not.
func TestFaceKeys(t *testing.T) {
	a := newAccounts(t, "")
	a.event.Remote, a.event.TLS = "192.0.2.7", true
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	version := a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-tagging: visibility=secret").Get("X-Amz-Version-Id")
	proven := map[string]bool{}
	for _, row := range faceKeyRows(version) {
		fill := func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, "BKT", path), "NAME", path[1:])
		}
		value := fill(row.value)
		try := func(value string) *answered {
			doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{%q:%q}}}]}`, row.key, value)
			a.grant("owner", doc)
			return a.sendRow(&row, path[1:], fill)
		}
		// The wrong value first, and nothing is changed by the refused one.
		if got := try(value + "x"); got.status == 403 {
			t.Errorf("%s is not %q: %+v is refused, %s", row.key, value+"x", row, got.body)
		}
		a.detach("owner")
		a.cleanUp(path, version)
		if got := try(value); got.status != 403 || got.code() != "AccessDenied" {
			t.Errorf("%s is %q: %+v is answered with %d %s", row.key, value, row, got.status, got.body)
		}
		a.detach("owner")
		a.cleanUp(path, version)
		family, _, tagged := strings.Cut(row.key, "/")
		if tagged {
			family += "/"
		}
		proven[family] = true
	}
	for _, key := range policy.FaceKeys("s3") {
		if !proven[key] {
			t.Errorf("no request proves that %s is answered", key)
		}
		delete(proven, key)
	}
	if len(proven) > 0 {
		t.Errorf("iam/policy knows no %v", slices.Sorted(maps.Keys(proven)))
	}
	for key := range conditionKeys {
		if !policy.KnownKey(key) {
			t.Errorf("no policy can name %s", key)
		}
	}
}

// cleanUp undoes what a row may have done.
func (a *accounts) cleanUp(path, version string) {
	a.as("root-key", "PUT", path+"/k?legal-hold", strings.Replace(holdBody, "ON", "OFF", 1))
	a.as("root-key", "PUT", path+"/k?retention", "<Retention/>", "x-amz-bypass-governance-retention: true")
	a.as("root-key", "PUT", path+"/k?tagging", "<Tagging><TagSet><Tag><Key>visibility</Key><Value>secret</Value></Tag></TagSet></Tagging>")
	a.as("root-key", "PUT", path+"/k?tagging&versionId="+version, "<Tagging><TagSet><Tag><Key>visibility</Key><Value>secret</Value></Tag></TagSet></Tagging>")
	a.as("root-key", "DELETE", "/face-made", "")
}

// detach takes what grant gave.
func (a *accounts) detach(name string) {
	a.t.Helper()
	if _, err := a.svc.DetachPolicy(a.t.Context(), name, name+"-policy"); err != nil {
		a.t.Fatal(err)
	}
}

// sendRow sends the request of a row as owner, a minute after it was signed where that can be told.
func (a *accounts) sendRow(row *keyRow, bucket string, fill func(string) string) *answered {
	a.t.Helper()
	var headers []string
	for _, h := range row.headers {
		headers = append(headers, fill(h))
	}
	owner := iam.Credential{AccessKey: "owner", Secret: "owner-key-secret"}
	switch row.sign {
	case "form":
		fields := [][2]string{{"key", "formed"}}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			fields = append(fields, [2]string{name, value})
		}
		return a.formOf(owner, bucket, fields, true)
	case "query":
		r := a.presigned(owner, row.method, fill(row.target), row.body)
		now := a.now
		a.now = now.Add(time.Minute)
		defer func() { a.now = now }()
		return a.send(r)
	}
	return a.as("owner", row.method, fill(row.target), row.body, headers...)
}

// TestNamesAreNoKeys: a header or a parameter that merely bears the name of a condition key neither creates
// nor changes one (S-036, S-078, S-100).
func TestNamesAreNoKeys(t *testing.T) {
	a := newAccounts(t, "")
	a.event.Remote = "192.0.2.7"
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-tagging: visibility=open")
	names := []string{"username", "userid", "principaltype", "principalarn", "principalaccount", "groups", "currenttime", "epochtime", "sub", "user", "x-forwarded-for",
		"x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip", "x-forwarded-proto", "x-forwarded-host", "jwt:sub", "ldap:user", "existingobjecttag/visibility"}
	keys := []string{"aws:username", "aws:userid", "aws:principaltype", "aws:principalarn", "aws:principalaccount", "aws:groups", "aws:tokenissuetime", "aws:sourceidentity",
		"aws:federatedprovider", "aws:multifactorauthpresent", "aws:principaltag/team", "jwt:sub", "jwt:groups", "ldap:user", "ldap:groups", "s3:existingobjecttag/visibility",
		"s3:requestobjecttag/team", "aws:requesttag/team", "aws:sourcearn", "aws:calledvia"}
	for _, key := range policy.FaceKeys("s3") {
		if !strings.HasSuffix(key, "/") {
			keys = append(keys, key)
		}
		_, name, _ := strings.Cut(key, ":")
		names = append(names, name, key)
	}
	defined := map[string]string{"referer": "", "if-match": path + "/k", "if-none-match": path + "/k"} // where they are what the key is about
	value := func(key string) string {
		if key == "aws:sourceip" {
			return "10.9.8.7"
		}
		return "spoof"
	}
	// The statement allows everything to whom has the key with the value that is sent.
	allow := map[string]string{}
	for _, key := range keys {
		op, v := "StringEquals", value(key)
		allow[key] = fmt.Sprintf(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{%q:{%q:%q}}}`, op, key, v)
	}
	var statements []string
	for _, key := range slices.Sorted(maps.Keys(allow)) {
		statements = append(statements, allow[key])
	}
	a.grant("bare", `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
	for _, target := range []string{path + "/k", path + "?location", path + "?policy", path + "/k?tagging", "/"} {
		a.wants(403, "AccessDenied", "bare", "GET", target, "")
		for _, name := range names {
			for _, v := range []string{"spoof", "10.9.8.7"} {
				query := "?"
				if strings.Contains(target, "?") {
					query = "&"
				}
				query = target + query + url.QueryEscape(name) + "=" + v
				if got := a.as("bare", "GET", query, ""); got.status == 200 {
					t.Errorf("GET %s is allowed", query)
				}
				header := http.CanonicalHeaderKey(name)
				if of, ok := defined[name]; !validToken(header) || ok && (of == "" || of == target) {
					continue
				}
				if got := a.as("bare", "GET", target, "", header+": "+v); got.status == 200 {
					t.Errorf("GET %s with the header %s: %s is allowed", target, header, v)
				}
			}
		}
	}
	a.wants(403, "AccessDenied", "bare", "GET", path+"/k", "", "X-Forwarded-For: 10.9.8.7, 192.0.2.7", "X-Forwarded-Proto: https")
	// The positive twins: where the name is that of what the key is about, it counts.
	a.wants(200, "", "bare", "GET", path+"/k", "", "Referer: spoof")
	a.wants(200, "", "bare", "GET", path+"?prefix=spoof", "")
	a.event.Remote = "10.9.8.7"
	a.wants(200, "", "bare", "GET", path+"/k", "")
}
