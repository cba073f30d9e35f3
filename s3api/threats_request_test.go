package s3api

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sigv4"
)

// The tests here are about requests that are shaped to be taken for another kind. Each has its positive twin.

// TestFormContentTypeIsNoForm: a form's content type makes no other POST a form (S-021, S-114).
func TestFormContentTypeIsNoForm(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	body := "<Delete><Object><Key>k</Key></Object></Delete>"
	form, contentType := postForm{fields: [][2]string{{"key", "planted"}}, filename: "f", content: "x"}.encode(t)
	for _, target := range []string{path + "?delete", path + "/k?uploads", path + "/k?uploadId=x", path + "/k?restore", path + "/k?select&select-type=2", path + "/k", path + "?policy", "/", "/minio", "/minio/admin/v3/info"} {
		for _, who := range []string{"", "bare"} {
			for _, b := range []string{body, form} {
				if got := a.as(who, "POST", target, b, "Content-Type: "+contentType, "Content-MD5: "+b64md5([]byte(b))); got.status < 400 && !strings.Contains(got.body, "AccessDenied") {
					t.Errorf("%q: POST %s: %d %s", who, target, got.status, got.body)
				}
			}
		}
	}
	a.wants(200, "", "owner", "GET", path+"/k", "")
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/planted", "")
	if got := a.wants(200, "", "owner", "GET", path+"?uploads", ""); strings.Contains(got.body, "<Upload>") {
		t.Errorf("%s", got.body)
	}
	// The twin: who may delete deletes, whatever the type says.
	a.wants(200, "", "owner", "POST", path+"?delete", body, "Content-Type: "+contentType, "Content-MD5: "+b64md5([]byte(body)))
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/k", "")
}

// TestInternalHeaders: headers by which servers of other kinds talk among themselves mean nothing here (S-030, S-041).
func TestInternalHeaders(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.grant("bare", allowDoc(`"s3:PutObject","s3:GetObject"`, path[1:]+"/*"))
	headers := []string{"X-Minio-Source-Etag: 00000000000000000000000000000000", "X-Minio-Source-Mtime: 2001-01-01T00:00:00Z", "X-Minio-Source-Replication-Request: true",
		"X-Minio-Source-Deletemarker: true", "X-Minio-Source-Versionid: x", "X-Minio-Source-Replication-Retention-Timestamp: 2001-01-01T00:00:00Z", "X-Minio-Internal-Server-Side-Encryption-Sealed-Key: x",
		"X-Minio-Replication-Server-Side-Encryption-Seal-Algorithm: DAREv2-HMAC-SHA256", "X-Minio-Replication-Ssec-Crc: x", "X-Minio-Replication-Actual-Object-Size: 1", "X-Minio-Transition-Status: complete", "X-Minio-Force-Create: true", "X-Rgw-Object-Type: x"}
	sum := md5.Sum([]byte("content"))
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	check := func(key string) {
		t.Helper()
		got := a.wants(200, "", "bare", "GET", path+"/"+key, "")
		if got.body != "content" || got.Get("Etag") != etag || got.Get("Last-Modified") != a.now.Format(http.TimeFormat) {
			t.Errorf("%s: %q, %v", key, got.body, got.Header)
		}
		for name := range got.Header {
			if strings.HasPrefix(name, "X-Minio") || strings.HasPrefix(name, "X-Rgw") || strings.HasPrefix(name, "X-Amz-Meta") {
				t.Errorf("%s is answered with %s", key, name)
			}
		}
	}
	for i, h := range headers {
		key := fmt.Sprintf("k%d", i)
		a.wants(200, "", "bare", "PUT", path+"/"+key, "content", h)
		check(key)
	}
	a.wants(200, "", "bare", "PUT", path+"/all", "content", headers...)
	check("all")
	a.wants(200, "", "bare", "PUT", path+"/copy", "", append([]string{"x-amz-copy-source: " + path + "/all"}, headers...)...)
	check("copy")
	a.wants(200, "", "bare", "POST", path+"/parts?uploads", "", headers...)
	// As user metadata they are that.
	a.wants(200, "", "bare", "PUT", path+"/meta", "content", "x-amz-meta-x-minio-source-etag: 0")
	if got := a.wants(200, "", "bare", "GET", path+"/meta", ""); got.Get("Etag") != etag || got.Get("X-Amz-Meta-X-Minio-Source-Etag") != "0" {
		t.Errorf("%v", got.Header)
	}
}

// TestPresignedHashIsVerified for settings as for objects: what was signed for one body takes no other (S-044).
func TestPresignedHashIsVerified(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	good := policyDoc("Allow", "s3:Get*", path)
	bodies := map[string]string{"?policy": good, "?tagging": tagBody, "?versioning": "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "/k": "content"}
	for target, body := range bodies {
		sum := sha256.Sum256([]byte(body))
		for _, sent := range []string{strings.Replace(body, "e", "E", 1), body + " ", "", body} {
			r := a.request("PUT", path+target, sent, "X-Amz-Content-Sha256: "+hex.EncodeToString(sum[:]))
			s := sigv4.Signer{AccessKey: "owner", Secret: "owner-key-secret", Region: "us-east-1", Service: "s3"}
			s.Presign(r, time.Hour, a.now)
			got := a.send(r)
			if sent == body {
				if got.status/100 != 2 {
					t.Errorf("PUT %s: %d %s", target, got.status, got.body)
				}
			} else if got.code() != "XAmzContentSHA256Mismatch" {
				t.Errorf("PUT %s with %q: %d %s", target, sent, got.status, got.body)
			}
		}
	}
}

// TestAnonymousHash: what an anonymous sender says of its body is held to, too (S-134).
func TestAnonymousHash(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+path[1:]+`/*"}]}`)
	sum := sha256.Sum256([]byte("content"))
	right := "x-amz-content-sha256: " + hex.EncodeToString(sum[:])
	a.wants(200, "", "", "PUT", path+"/right", "content", right)
	a.wants(200, "", "", "PUT", path+"/unsigned", "content", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
	a.wants(400, "XAmzContentSHA256Mismatch", "", "PUT", path+"/wrong", "other", right)
	for _, mode := range []string{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-OTHER", "x"} {
		if got := a.as("", "PUT", path+"/wrong", "7;chunk-signature=0\r\ncontent\r\n0\r\n\r\n", "x-amz-content-sha256: "+mode, "x-amz-decoded-content-length: 7"); got.status != 400 && got.status != 403 {
			t.Errorf("%s: %d %s", mode, got.status, got.body)
		}
	}
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/wrong", "")
}

// TestOneAuthentication: two of them at once are none (S-141, S-156).
func TestOneAuthentication(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	s := sigv4.Signer{AccessKey: "owner", Secret: "owner-key-secret", Region: "us-east-1", Service: "s3"}
	for name, make := range map[string]func(*http.Request){
		"header and query":               func(r *http.Request) { s.Presign(r, time.Hour, a.now); s.SignHeader(r, "", a.now) },
		"header and part of a query":     func(r *http.Request) { r.URL.RawQuery = "X-Amz-Expires=600"; s.SignHeader(r, "", a.now) },
		"query and a bearer token":       func(r *http.Request) { s.Presign(r, time.Hour, a.now); r.Header.Set("Authorization", "Bearer x") },
		"query and basic authentication": func(r *http.Request) { s.Presign(r, time.Hour, a.now); r.SetBasicAuth("owner", "owner-key-secret") },
		"query of both versions": func(r *http.Request) {
			s.Presign(r, time.Hour, a.now)
			r.URL.RawQuery += "&AWSAccessKeyId=owner&Signature=x&Expires=9999999999"
		},
		"bearer token":           func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"header of yesterday":    func(r *http.Request) { s.SignHeader(r, "", a.now.Add(-24*time.Hour)) },
		"query of tomorrow":      func(r *http.Request) { s.Presign(r, time.Hour, a.now.Add(24*time.Hour)) },
		"query that has expired": func(r *http.Request) { s.Presign(r, time.Hour, a.now.Add(-2*time.Hour)) },
	} {
		r := a.request("GET", path+"/k", "")
		make(r)
		if got := a.send(r); got.status != 400 && got.status != 403 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, make := range []func(*http.Request){func(r *http.Request) { s.Presign(r, time.Hour, a.now) }, func(r *http.Request) { s.SignHeader(r, "", a.now) }} {
		r := a.request("GET", path+"/k", "")
		make(r)
		if got := a.send(r); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// TestBypassTakesItsRight to shorten or lift governance retention, and nothing shortens compliance (S-145).
func TestBypassTakesItsRight(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	until := func(days int) string { return a.now.AddDate(0, 0, days).Format(time.RFC3339) }
	doc := func(mode string, days int) string {
		return "<Retention><Mode>" + mode + "</Mode><RetainUntilDate>" + until(days) + "</RetainUntilDate></Retention>"
	}
	const bypass = "x-amz-bypass-governance-retention: true"
	a.grant("bare", allowDoc(`"s3:PutObjectRetention","s3:GetObjectRetention","s3:DeleteObjectVersion"`, path[1:]+"/*"))
	for _, mode := range []string{"GOVERNANCE", "COMPLIANCE"} {
		target := path + "/" + mode
		version := a.wants(200, "", "owner", "PUT", target, "x", "x-amz-object-lock-mode: "+mode, "x-amz-object-lock-retain-until-date: "+until(10)).Get("X-Amz-Version-Id")
		versioned := target + "?versionId=" + version
		for _, body := range []string{doc(mode, 5), "<Retention/>", doc(map[string]string{"GOVERNANCE": "COMPLIANCE", "COMPLIANCE": "GOVERNANCE"}[mode], 20)} {
			a.wants(403, "AccessDenied", "bare", "PUT", target+"?retention", body)
			a.wants(403, "AccessDenied", "bare", "PUT", target+"?retention", body, bypass)
			a.wants(403, "AccessDenied", "owner", "PUT", target+"?retention", body)
			if mode == "COMPLIANCE" {
				a.wants(403, "AccessDenied", "owner", "PUT", target+"?retention", body, bypass)
				a.wants(403, "AccessDenied", "root-key", "PUT", target+"?retention", body, bypass)
			}
		}
		a.wants(403, "AccessDenied", "bare", "DELETE", versioned, "", bypass)
		a.wants(403, "AccessDenied", "owner", "DELETE", versioned, "")
		a.wants(200, "", "bare", "PUT", target+"?retention", doc(mode, 15)) // longer needs no more than the right to set
		if mode == "GOVERNANCE" {
			a.wants(200, "", "owner", "PUT", target+"?retention", doc(mode, 5), bypass)
			a.wants(204, "", "owner", "DELETE", versioned, "", bypass)
			continue
		}
		a.wants(403, "AccessDenied", "owner", "DELETE", versioned, "", bypass)
		a.wants(403, "AccessDenied", "root-key", "DELETE", versioned, "", bypass)
	}
}

// TestNothingBeforeAuthentication: whoever has not proven who it is learns nothing from what it asks for (S-165).
func TestNothingBeforeAuthentication(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket("x-amz-bucket-object-lock-enabled: true")
	version := a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-object-lock-legal-hold: ON").Get("X-Amz-Version-Id")
	requests := []struct{ method, target, body string }{
		{"GET", "/k", ""}, {"GET", "/absent", ""}, {"GET", "/k?versionId=" + version, ""}, {"GET", "/k?versionId=wrong", ""}, {"GET", "/k?versionId=", ""},
		{"GET", "/k?partNumber=1", ""}, {"GET", "/k?partNumber=0", ""}, {"GET", "/k?partNumber=x", ""}, {"PUT", "/k?partNumber=x&uploadId=y", "x"},
		{"PUT", "?policy", "{"}, {"PUT", "?tagging", "<"}, {"DELETE", "/k?versionId=" + version, ""}, {"DELETE", "", ""}, {"GET", "?max-keys=x", ""}, {"PUT", "/new", "x"},
		{"GET", "?foo", ""}, {"PUT", "/k?foo=bar", ""}, {"GET", "/k?torrent&acl", ""},
		{"PUT", "/new?renameObject", ""}, {"GET", "/k?retention", ""}, {"PUT", "/k?retention", "<"}, {"PUT", "/k?legal-hold&versionId=" + version, "<"}, {"GET", "?object-lock", ""},
		{"PUT", "?object-lock", "<"}, {"GET", "?lifecycle", ""}, {"PUT", "?lifecycle", "<"}, {"PUT", "?encryption", "<"}, {"PUT", "?cors", "<"}, {"PUT", "?notification", "<"}, {"GET", "?notification", ""},
		{"GET", "?events=x", ""}, {"GET", "?list-type=2&metadata=true", ""}, {"GET", "/a.zip/x", ""}, {"PUT", "?ownershipControls", "<"}, {"PUT", "?acl", "<"}, {"GET", "/" + veeamSystem, ""},
	}
	mask := func(got *answered, target string) string {
		body := got.body
		if i, j := strings.Index(body, "<Resource>"), strings.Index(body, "</Resource>"); i > 0 && j > 0 {
			body = body[:i] + body[j:]
		}
		return fmt.Sprint(got.status, body)
	}
	var anonymous string
	for i, row := range requests {
		got := a.as("", row.method, path+row.target, row.body)
		if i == 0 {
			anonymous = mask(got, row.target)
		}
		if got := mask(got, row.target); got != anonymous || !strings.Contains(got, "403") {
			t.Errorf("anonymous %s %s: %s", row.method, row.target, got)
		}
		for _, bucket := range []string{path, "/no-such-bucket"} {
			r := a.request(row.method, bucket+row.target, row.body)
			sum := sha256.Sum256([]byte(row.body))
			s := sigv4.Signer{AccessKey: "owner", Secret: "another-secret", Region: "us-east-1", Service: "s3"}
			s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
			if got := a.send(r); got.status != 403 || got.code() != "SignatureDoesNotMatch" {
				t.Errorf("badly signed %s %s: %d %s", row.method, bucket+row.target, got.status, got.body)
			}
		}
	}
	a.wants(200, "", "owner", "GET", path+"/k", "")
	a.wants(400, "InvalidArgument", "owner", "GET", path+"/k?partNumber=0", "")
	a.wants(400, "MalformedPolicy", "owner", "PUT", path+"?policy", "{")
}
