package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	rules "github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// lifecycleRule is a rule that expires everything below a prefix.
func lifecycleRule(prefix string, days int) *rules.Configuration {
	c := rules.NewConfiguration()
	c.Rules = []rules.Rule{{ID: "r", Status: "Enabled", RuleFilter: rules.Filter{Prefix: prefix}, Expiration: rules.Expiration{Days: rules.ExpirationDays(days)}}}
	return c
}

// TestLifecycle has rules put by minio-go act in the running program, with days of a second, and the commands tell of it.
func TestLifecycle(t *testing.T) {
	p, _, stderr := start(t, environ{"OBJSRV_ROOT_USER": "objroot", "OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--lifecycle-day", "1s")
	a := &adminServer{t: t, svc: p.services.iam, url: "http://" + p.Addr().String()}
	a.environ()
	t.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
	if !strings.Contains(stderr.String(), "lifecycle rules count days of 1s") {
		t.Errorf("nobody is told of short days: %s", stderr.String())
	}
	ask := func(args string) string {
		t.Helper()
		out, err := a.run("", args)
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		return out
	}
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "ruled", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"old/a", "old/b", "new"} {
		if _, err := c.PutObject(t.Context(), "ruled", key, strings.NewReader("12345"), 5, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.run("", "lifecycle status ruled"); err == nil || !strings.Contains(err.Error(), "NoSuchLifecycleConfiguration") {
		t.Errorf("status without rules: %v", err)
	}
	if err := c.SetBucketLifecycle(t.Context(), "ruled", lifecycleRule("old/", 3600)); err != nil {
		t.Fatal(err)
	}
	if out := ask("lifecycle dry-run ruled"); !strings.Contains(out, "old/a") || !strings.Contains(out, "old/b") || strings.Contains(out, "new") {
		t.Error(out)
	}
	if out := ask("lifecycle dry-run ruled --json"); strings.Count(out, "\n") != 2 {
		t.Error(out)
	}
	if out := ask("lifecycle run ruled"); !strings.Contains(out, "Length of a day:") {
		t.Error(out)
	}
	if err := c.SetBucketLifecycle(t.Context(), "ruled", lifecycleRule("old/", 1)); err != nil {
		t.Fatal(err)
	}
	var s adminapi.LifecycleStatus
	for deadline := time.Now().Add(time.Minute); len(s.Rules) != 1 || s.Rules[0].Expired != 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing has expired: %+v", s)
		}
		s = adminapi.LifecycleStatus{}
		if err := json.Unmarshal([]byte(ask("lifecycle status ruled --json")), &s); err != nil {
			t.Fatal(err)
		}
	}
	if s.Rules[0].Bytes != 10 || s.Last == nil || s.Error != "" {
		t.Errorf("%+v", s)
	}
	if _, err := c.StatObject(t.Context(), "ruled", "new", minio.StatObjectOptions{}); err != nil {
		t.Errorf("an object that no rule is for: %v", err)
	}
}

// TestLifecycleInGateway: rules are refused with the reason, and nothing is said to be at work.
func TestLifecycleInGateway(t *testing.T) {
	up, _, _ := start(t, environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	p, _, _ := startGateway(t, environ{"OBJSRV_ROOT_USER": "objroot", "OBJSRV_ROOT_PASSWORD": testPassword,
		"OBJSRV_GATEWAY_ACCESS_KEY": "upstream", "OBJSRV_GATEWAY_SECRET_KEY": testPassword}, "--iam-dir", t.TempDir(), "http://"+up.Addr().String())
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "ruled", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	err := c.SetBucketLifecycle(t.Context(), "ruled", lifecycleRule("", 1))
	if e := minio.ToErrorResponse(err); e.Code != "NotImplemented" || !strings.Contains(e.Message, "Put the rules into the bucket") {
		t.Errorf("%v", err)
	}
	a := &adminServer{t: t, svc: p.services.iam, url: "http://" + p.Addr().String()}
	a.environ()
	t.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
	if _, err := a.run("", "lifecycle status ruled"); err == nil || !strings.Contains(err.Error(), "NotImplemented") {
		t.Errorf("%v", err)
	}
}
