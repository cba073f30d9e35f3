package s3api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

func b64sha256(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestOperationsAreTheModels compares the table with the operations of the AWS model, which
// testdata/operations.txt lists.
func TestOperationsAreTheModels(t *testing.T) {
	data, err := os.ReadFile("testdata/operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"PostObject": true, "Preflight": true,
		// of S3 Control, the model of which names them without "Account"
		"GetAccountPublicAccessBlock": true, "PutAccountPublicAccessBlock": true, "DeleteAccountPublicAccessBlock": true,
		// of MinIO
		"ListenNotification": true, "ListenBucketNotification": true}
	for _, name := range strings.Fields(string(data)) {
		want[name] = true
	}
	have := map[string]bool{}
	for _, o := range operations() {
		have[o.name] = true
		if !want[o.name] {
			t.Errorf("%s is no operation of the model", o.name)
		}
		if o.action == "" {
			t.Errorf("%s has no action", o.name)
		}
	}
	for name := range want {
		if !have[name] {
			t.Errorf("%s is missing from the table", name)
		}
	}
	if n := len(want) - 7; n != 111 {
		t.Errorf("the model has 111 operations, the list has %d", n)
	}
}

func TestRoute(t *testing.T) {
	rt := newRouter(operations(), []string{"s3.example.com", "local"})
	rows := []struct {
		method, url, header string
		want                string // operation, or error code
	}{
		{"GET", "/", "", "ListBuckets"},
		{"GET", "/b", "", "ListObjects"},
		{"GET", "/b/", "", "ListObjects"},
		{"GET", "/b?list-type=2", "", "ListObjectsV2"},
		{"GET", "/b?analytics", "", "ListBucketAnalyticsConfigurations"},
		{"GET", "/b?analytics&id=x", "", "GetBucketAnalyticsConfiguration"},
		{"GET", "/b/k", "", "GetObject"},
		{"GET", "/b//", "", "GetObject"},
		{"GET", "/b/k?x-id=GetObject", "", "GetObject"},
		{"GET", "/b/k?versionId=v&partNumber=1", "", "GetObject"},
		{"GET", "/b/k?uploadId=u", "", "ListParts"},
		{"GET", "http://b.s3.example.com/k", "", "GetObject"},
		{"GET", "http://b.s3.example.com:9000/", "", "ListObjects"},
		{"GET", "http://a.b.local/?location", "", "GetBucketLocation"},
		{"GET", "http://s3.example.com/b/k", "", "GetObject"},
		{"GET", "/v20180820/configuration/publicAccessBlock", "X-Amz-Account-Id: 111111111111", "GetAccountPublicAccessBlock"},
		{"PUT", "http://111111111111.s3.example.com/v20180820/configuration/publicAccessBlock", "X-Amz-Account-Id: 111111111111", "PutAccountPublicAccessBlock"},
		{"GET", "/v20180820/configuration/publicAccessBlock", "X-Amz-Account-Id:", "GetAccountPublicAccessBlock"},
		{"GET", "/v20180820/configuration/publicAccessBlock", "", "GetObject"},
		{"GET", "/v20180820/configuration/publicAccessBlock?x-amz-account-id=111111111111", "", "NotImplemented"},
		{"POST", "/v20180820/configuration/publicAccessBlock", "X-Amz-Account-Id: 111111111111", "MethodNotAllowed"},
		{"GET", "/v20180820/configuration/publicaccessblock", "X-Amz-Account-Id: 111111111111", "NotImplemented"},
		{"GET", "/v20180820/configuration/publicAccessBlock/", "X-Amz-Account-Id: 111111111111", "NotImplemented"},
		{"GET", "/v20180820/jobs", "X-Amz-Account-Id: 111111111111", "NotImplemented"},
		{"GET", "/v20180820", "X-Amz-Account-Id: 111111111111", "NotImplemented"}, // an unknown header of ListObjects
		{"GET", "/b/v20180820/configuration/publicAccessBlock", "X-Amz-Account-Id: 111111111111", "NotImplemented"},
		{"PUT", "/b/k", "", "PutObject"},
		{"PUT", "/b/k", "X-Amz-Copy-Source: /b/s", "CopyObject"},
		{"PUT", "/b/k", "X-Amz-Copy-Source:", "CopyObject"}, // S-068: empty is never a plain PUT
		{"PUT", "/b/k?uploadId=u&partNumber=1", "", "UploadPart"},
		{"PUT", "/b/k?uploadId=u&partNumber=1", "X-Amz-Copy-Source: /b/s", "UploadPartCopy"},
		{"POST", "/b/k?uploads", "", "CreateMultipartUpload"},
		{"POST", "/b?delete", "", "DeleteObjects"},
		{"POST", "/b", "", "PostObject"},
		{"DELETE", "/b?publicAccessBlock", "", "DeletePublicAccessBlock"},
		{"DELETE", "/b?metrics&id=x", "", "DeleteBucketMetricsConfiguration"},
		{"PUT", "/b/k?renameObject", "X-Amz-Rename-Source: s", "RenameObject"},
		{"PUT", "/b/k", "X-Amz-Rename-Source: s", "NotImplemented"},
		{"PUT", "/b/k?encryption", "", "UpdateObjectEncryption"},
		// What is in no row falls through to nothing (S-144).
		{"GET", "/b?foo", "", "NotImplemented"},
		{"GET", "/b/k?foo=bar", "", "GetObject"},
		{"HEAD", "/b/k?v=2", "", "HeadObject"},
		{"GET", "/b?list-type=2&metadata=true", "", "ListObjectsV2"},
		{"GET", "/b/k?foo=", "", "NotImplemented"},
		{"PUT", "/b/k?foo=bar", "", "NotImplemented"},
		{"DELETE", "/b/k?foo=bar", "", "NotImplemented"},
		{"DELETE", "/b?session", "", "MethodNotAllowed"},
		{"DELETE", "/", "", "MethodNotAllowed"},
		{"PATCH", "/b/k", "", "MethodNotAllowed"},
		{"GET", "/b/k?torrent&acl", "", "InvalidArgument"},
		{"GET", "/b/k?versionId=a&versionId=b", "", "InvalidArgument"},
		{"GET", "/b/k?x-amz-acl=private", "", "NotImplemented"},
		{"PUT", "/b/k?x-amz-acl=private", "", "NotImplemented"}, // not presigned
		{"PUT", "/b/k?x-amz-acl=private&X-Amz-Signature=0", "", "PutObject"},
		{"PUT", "/b/k?x-amz-copy-source=/b/s&X-Amz-Signature=0", "", "NotImplemented"},
		{"PUT", "/b/k?x-amz-write-offset-bytes=5&X-Amz-Signature=0", "", "NotImplemented"},
		{"PUT", "/b/k", "X-Amz-Write-Offset-Bytes: 5", "PutObject"},
		{"PUT", "/b/k?uploadId=u&partNumber=1", "X-Amz-Write-Offset-Bytes: 5", "NotImplemented"},
		{"PUT", "/b/k", "X-Amz-Server-Side-Encryption: AES256", "PutObject"},
		{"GET", "/b/k", "X-Amz-Server-Side-Encryption-Customer-Algorithm: AES256", "GetObject"},
		{"GET", "/b?tagging", "X-Amz-Server-Side-Encryption: AES256", "NotImplemented"},
	}
	for _, row := range rows {
		r := httptest.NewRequest(row.method, row.url, nil)
		if name, value, ok := strings.Cut(row.header, ":"); ok {
			r.Header[name] = []string{strings.TrimSpace(value)}
		}
		q, _ := url.ParseQuery(r.URL.RawQuery)
		o, err := rt.route(r, rt.target(r), q)
		got := ""
		var e *Error
		switch {
		case errors.As(err, &e):
			got = e.Code
		case o != nil:
			got = o.name
		}
		if got != row.want {
			t.Errorf("%s %s %s: %s, want %s (%v)", row.method, row.url, row.header, got, row.want, err)
		}
	}
}

func TestTargetKeepsKeys(t *testing.T) {
	rt := newRouter(operations(), nil)
	for _, key := range []string{"a//b", "/a", "./x", "../x", "a/../b", "a/./b", "dir/", "//", "a b+c%", "ü\x01\n", "..", "%2e%2e"} {
		r := httptest.NewRequest("GET", (&url.URL{Path: "/bkt/" + key}).RequestURI(), nil)
		if tg := rt.target(r); tg.bucket != "bkt" || tg.key != key || tg.level != objectLevel {
			t.Errorf("key %q arrives as bucket %q key %q", key, tg.bucket, tg.key)
		}
	}
}

// TestBucketNames names rows of the S3 user guide and of S-233.
func TestBucketNames(t *testing.T) {
	good := []string{"abc", "my-bucket", "a.b.c", "123", "1.2.3", strings.Repeat("a", 63), "admin", "login"}
	bad := []string{"", "ab", strings.Repeat("a", 64), "Abc", "a_b", "-ab", "ab-", ".ab", "ab.", "a..b", "192.168.5.4", "xn--a", "minio",
		"sthree-a", "a-s3alias", "a--ol-s3", "a--x-s3", "a/b", "a b", "a\x00b", "über", "a%2fb"}
	for _, name := range good {
		if err := checkBucketName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range bad {
		if checkBucketName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

// TestEveryCodeHasAStatus finds codes in the source that look like errors of 403 and above by
// their names but would be answered with 400.
func TestEveryCodeHasAStatus(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`errorf\("([A-Za-z]+)"`)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(code.String()).FindAllStringSubmatch(string(src), -1) {
			name := m[1]
			needs := strings.HasPrefix(name, "NoSuch") || strings.HasSuffix(name, "NotFoundError") || strings.HasPrefix(name, "NotImplemented") || strings.HasSuffix(name, "Denied")
			if _, ok := statusOf[name]; needs && !ok {
				t.Errorf("%s: %s would be answered with 400", f.Name(), name)
			}
		}
	}
}
