package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/sigv4"
)

// adminRequest sends a request to MinIO's admin API as root and returns status and body.
func adminRequest(t *testing.T, p *Program, method, path, body string) (int, string) {
	t.Helper()
	return signedRequest(t, p, method, "/minio/admin/v3/"+path, body)
}

// signedRequest sends a request of root with a body, and returns its answer.
func signedRequest(t *testing.T, p *Program, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	s := sigv4.Signer{AccessKey: p.services.root.User, Secret: p.services.root.Password, Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, hex.EncodeToString(sum[:]), time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestAdminHost: what administrators are told and set is that of the store.
func TestAdminHost(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	c, ctx := s3Client(t, p), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok := func(method, path, body string) string {
		t.Helper()
		status, answer := adminRequest(t, p, method, path, body)
		if status != 200 {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
		return answer
	}
	must(c.MakeBucket(ctx, "first", minio.MakeBucketOptions{}))
	must(c.MakeBucket(ctx, "locked", minio.MakeBucketOptions{ObjectLocking: true}))
	_, err := c.PutObject(ctx, "first", "k", strings.NewReader("12345"), 5, minio.PutObjectOptions{})
	must(err)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::first/*"}]}`
	must(c.SetBucketPolicy(ctx, "first", policy))

	var info struct {
		Buckets, Objects struct{ Count int }
		Usage            struct{ Size int }
		Servers          []struct {
			Drives []struct {
				TotalSpace, UsedSpace, AvailSpace uint64
				State                             string
			}
		}
	}
	must(json.Unmarshal([]byte(ok("GET", "info", "")), &info))
	d := info.Servers[0].Drives[0]
	if info.Buckets.Count != 2 || info.Objects.Count != 1 || info.Usage.Size != 5 || d.State != "ok" || d.TotalSpace < d.UsedSpace || d.AvailSpace == 0 {
		t.Errorf("%+v", info)
	}

	ok("PUT", "set-bucket-quota?bucket=first", `{"quota":6,"quotatype":"hard"}`)
	if _, err := c.PutObject(ctx, "first", "l", strings.NewReader("12"), 2, minio.PutObjectOptions{}); minio.ToErrorResponse(err).Code != "XMinioAdminBucketQuotaExceeded" {
		t.Errorf("beyond the quota: %v", err)
	}
	archive := ok("GET", "export-bucket-metadata?bucket=", "")
	must(c.RemoveObject(ctx, "first", "k", minio.RemoveObjectOptions{}))
	must(c.RemoveBucket(ctx, "first"))
	must(c.RemoveBucket(ctx, "locked"))
	if status, answer := adminRequest(t, p, "PUT", "set-bucket-quota?bucket=first", `{"quota":6,"quotatype":"hard"}`); status != 404 || !strings.Contains(answer, "NoSuchBucket") {
		t.Errorf("quota of no bucket: %d %s", status, answer)
	}
	if report := ok("PUT", "import-bucket-metadata?bucket=", archive); strings.Contains(report, `"error"`) {
		t.Errorf("import: %s", report)
	}
	if got, err := c.GetBucketPolicy(ctx, "first"); err != nil || got != policy {
		t.Errorf("policy %s, %v", got, err)
	}
	if got := ok("GET", "get-bucket-quota?bucket=first", ""); !strings.Contains(got, `"quota":6`) {
		t.Errorf("quota %s", got)
	}
	if enabled, _, _, _, err := c.GetObjectLockConfig(ctx, "locked"); err != nil || enabled != "Enabled" {
		t.Errorf("lock %q, %v", enabled, err)
	}
}

// TestTraceHasNoSecrets is S-250: with a trace, the log and the access log open, none of the secrets of the
// requests is in any of them.
func TestTraceHasNoSecrets(t *testing.T) {
	p, stdout, stderr := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--access-log", "stdout")
	c, ctx := s3Client(t, p), t.Context()
	w, err := p.host.Requests().Watch("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	u, err := c.PresignedGetObject(ctx, "bucket", "k", time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	get(t, p, u.RequestURI())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.Addr().String()+"/bucket/k?X-Amz-Security-Token=tokensecret", nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{testPassword, u.Query().Get("X-Amz-Signature"), "tokensecret"}
	for name, v := range map[string]string{"Authorization": "Bearer bearersecret", "Cookie": "session=cookiesecret",
		"X-Amz-Server-Side-Encryption-Customer-Key": "ssecsecret", "X-Amz-Security-Token": "sessionsecret"} {
		r.Header.Set(name, v)
		_, secret, _ := strings.Cut(v, " ")
		if secret == "" {
			secret = v[strings.Index(v, "=")+1:]
		}
		secrets = append(secrets, secret)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	signedGet(t, p, "/?x-signed")
	p.Close()
	var traced strings.Builder
	n := 0
	for e := range w.Entries() {
		b, err := json.Marshal([]any{e.Event.URI, e.Event.Header, e.Event.Answer, e.Event.UserAgent, e.Event.Code})
		if err != nil {
			t.Fatal(err)
		}
		traced.Write(b)
		n++
	}
	lines, _, _ := p.host.Log().Watch("test", 0, nil)
	logged, err := json.Marshal(lines)
	if err != nil || n < 4 {
		t.Fatal(n, err)
	}
	all := traced.String() + string(logged) + stdout.String() + stderr.String()
	for _, s := range secrets {
		if s == "" || strings.Contains(all, s) {
			t.Errorf("the secret %q is in what is logged", s)
		}
	}
	if strings.Contains(traced.String(), "Signature=") && !strings.Contains(traced.String(), "Signature=***") {
		t.Errorf("a signature: %s", traced.String())
	}
}
