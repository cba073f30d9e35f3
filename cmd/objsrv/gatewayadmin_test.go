package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	minio "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// TestGatewayAdmin looks at a gateway as its administrators do: what only the store of a server knows is said to be not
// known, and what a gateway does not do is refused with words.
func TestGatewayAdmin(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}
	up, _, _ := start(t, env, t.TempDir())
	g, _, _ := startGateway(t, env, "http://"+up.Addr().String(), "--iam-dir", t.TempDir(), "--cache-dir", t.TempDir(), "--trusted-proxies", "127.0.0.1")
	c := s3Client(t, g)
	ctx := t.Context()
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("x"), 100_000)
	if _, err := c.PutObject(ctx, "bucket", "dir/key", bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, _ := signedGet(t, g, "/bucket/dir/key"); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	var s adminapi.Server
	if status, body := signedGet(t, g, "/-/api/v1/server"); status != http.StatusOK || json.Unmarshal([]byte(body), &s) != nil {
		t.Fatal(status, body)
	}
	if s.Usage != nil || !s.Store.Upstream || !s.Store.Writable || s.Store.Path != "http://"+up.Addr().String() {
		t.Errorf("%+v %+v", s.Store, s.Usage)
	}
	if status, body := signedGet(t, g, "/-/api/v1/usage"); status != http.StatusNotImplemented || !strings.Contains(body, "does not know") {
		t.Errorf("usage: %d %s", status, body)
	}
	if status, body := signedGet(t, g, "/-/api/v1/usage?bucket=bucket"); status != http.StatusOK || !strings.Contains(body, `"bytes":100000`) {
		t.Errorf("usage of a bucket: %d %s", status, body)
	}
	status, metrics := signedGet(t, g, "/-/metrics")
	for _, want := range []string{`objsrv_requests_total{operation="GetObject",status="2xx"} 2`, "objsrv_gateway_upstream_requests_total ", "objsrv_gateway_cache_hits_total 1", "objsrv_gateway_cache_bytes 100000"} {
		if status != http.StatusOK || !strings.Contains(metrics, want) {
			t.Errorf("metrics have no %s: %d", want, status)
		}
	}
	if strings.Contains(metrics, "objsrv_bucket_") || strings.Contains(metrics, "objsrv_store_") {
		t.Error("a gateway has metrics of a store")
	}
	if status, body := adminRequest(t, g, "GET", "info", ""); status != http.StatusOK || !strings.Contains(body, `"buckets":{"count":1}`) || !strings.Contains(body, "not known in a gateway") {
		t.Errorf("mc admin info: %d %s", status, body)
	}
	if status, body := adminRequest(t, g, "GET", "datausageinfo", ""); status != http.StatusNotImplemented || !strings.Contains(body, "does not know") {
		t.Errorf("data usage: %d %s", status, body)
	}
	if status, body := adminRequest(t, g, "GET", "export-bucket-metadata?bucket=", ""); status != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("archive of settings: %d %.20q", status, body)
	}
	if status, body := adminRequest(t, g, "PUT", "set-bucket-quota?bucket=bucket", `{"quota":6,"quotatype":"hard"}`); status != http.StatusNotImplemented {
		t.Errorf("quota: %d %s", status, body)
	}
	if status, body := signedRequest(t, g, "PUT", adminapi.Prefix+"buckets/bucket/quota", `{"objects":6}`); status != http.StatusNotImplemented || !strings.Contains(body, "NotImplemented") {
		t.Errorf("quota: %d %s", status, body)
	}
	status, view := signedGet(t, g, "/-/console/session")
	for name, want := range map[string]bool{"PutBucketLifecycleConfiguration": false, "PutBucketEncryption": false, "PutBucketPolicy": true, "PutBucketNotificationConfiguration": true} {
		if status != http.StatusOK || strings.Contains(view, `"`+name+`":true`) != want {
			t.Errorf("the console is told of %s: %v, want %v", name, !want, want)
		}
	}
	kms, err := encrypt.NewSSEKMS("key", nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, sse := range map[string]encrypt.ServerSide{"SSE-S3": encrypt.NewSSE(), "SSE-KMS": kms} {
		_, err := c.PutObject(ctx, "bucket", "sealed", bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ServerSideEncryption: sse})
		if e := minio.ToErrorResponse(err); e.Code != "NotImplemented" || !strings.Contains(e.Message, "gateway") {
			t.Errorf("%s: %v", what, err)
		}
	}
	key := bytes.Repeat([]byte("k"), 32)
	sum := md5.Sum(key)
	r, err := http.NewRequest("PUT", "http://"+g.Addr().String()+"/bucket/sealed", strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"-Algorithm": "AES256", "-Key": base64.StdEncoding.EncodeToString(key), "-Key-Md5": base64.StdEncoding.EncodeToString(sum[:])} {
		r.Header.Set("X-Amz-Server-Side-Encryption-Customer"+name, value)
	}
	r.Header.Set("X-Forwarded-Proto", "https")
	signRequest(r, g.services.root, "us-east-1")
	if status, body := exchange(t, r); status != http.StatusNotImplemented || !strings.Contains(body, "gateway") {
		t.Errorf("SSE-C: %d %s", status, body)
	}
	if _, err := c.StatObject(ctx, "bucket", "sealed", minio.StatObjectOptions{}); minio.ToErrorResponse(err).Code != "NoSuchKey" {
		t.Errorf("what was refused: %v", err)
	}
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	if status, body := signedGet(t, g, "/-/api/v1/server"); status != http.StatusOK || !strings.Contains(body, `"writable":false`) {
		t.Errorf("with the upstream down: %d %s", status, body)
	}
}
