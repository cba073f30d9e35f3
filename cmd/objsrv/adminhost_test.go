package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// TestJSONHost: the face tells of the real program what there is.
func TestJSONHost(t *testing.T) {
	issuer, _ := newTestIssuer(t)
	p, _, _ := start(t, environ{
		"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword, "MINIO_SITE_NAME": "here",
		"MINIO_IDENTITY_OPENID_CONFIG_URL": issuer + "/.well-known/openid-configuration", "MINIO_IDENTITY_OPENID_CLIENT_ID": "app", "MINIO_IDENTITY_OPENID_CLIENT_SECRET": "hidden-secret",
		"MINIO_IDENTITY_PLUGIN_URL": "http://127.0.0.1:1/", "MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "readonly", "MINIO_IDENTITY_PLUGIN_AUTH_TOKEN": "hidden-token",
		"MINIO_IDENTITY_TLS_ENABLE": "on",
	}, t.TempDir(), "--region", "eu-1")
	a := &adminServer{t: t, svc: p.services.iam, url: "http://" + p.Addr().String()}
	a.environ()
	t.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
	t.Setenv("OBJSRV_REGION", "eu-1")
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/1", "a/2", "b"} {
		if _, err := c.PutObject(t.Context(), "bucket", key, strings.NewReader("12345"), 5, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(args string, v any) string {
		t.Helper()
		out, err := a.run("", args)
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		if strings.Contains(out, "hidden") || strings.Contains(out, testPassword) {
			t.Errorf("%s tells a secret: %s", args, out)
		}
		if v != nil {
			if err := json.Unmarshal([]byte(out), v); err != nil {
				t.Fatalf("%s: %v in %s", args, err, out)
			}
		}
		return out
	}
	var s adminapi.Server
	ask("server info --json", &s)
	if s.Region != "eu-1" || s.Usage.Objects != 3 || s.Usage.Bytes != 15 || s.Store.TotalBytes == 0 || !s.Store.Writable || s.Process.MemoryBytes == 0 || s.Addresses.S3 != p.Addr().String() {
		t.Errorf("%+v", s)
	}
	from := map[string]string{}
	for _, v := range s.Settings {
		from[v.Name] = v.From + " " + v.Value
	}
	for name, want := range map[string]string{"REGION": "--region eu-1", "SITE_NAME": "MINIO_SITE_NAME here", "ROOT_PASSWORD": "MINIO_ROOT_PASSWORD ***", "BROWSER_REDIRECT": "default on", "VOLUMES": "argument " + p.Config.Dir, "DRAIN_TIMEOUT": "--drain-timeout 5s"} {
		if from[name] != want {
			t.Errorf("%s: %q, want %q", name, from[name], want)
		}
	}
	var list adminapi.ProviderList
	ask("provider ls --json", &list)
	states := ""
	for _, pr := range list.Providers {
		states += pr.ID + " " + pr.State + ";"
	}
	if states != "custom unused;openid:default unused;tls failing;" {
		t.Errorf("%s", states)
	}
	if out := ask("provider check openid:default", nil); !strings.Contains(out, "ok") {
		t.Error(out)
	}
	if _, err := a.run("", "provider check custom"); err == nil || !strings.Contains(err.Error(), "NotImplemented") {
		t.Errorf("%v", err)
	}
	if _, err := a.run("", "provider check ldap"); err == nil || !strings.Contains(err.Error(), "NoSuchProvider") {
		t.Errorf("%v", err)
	}
	if out := ask("usage bucket", nil); !strings.Contains(out, "a/") || !strings.Contains(out, "10 B") {
		t.Error(out)
	}
	ask("usage", nil)
	ask("config ls", nil)
	ask("config set api cors_allow_origin=https://a.example", nil)
	if out := ask("config get api", nil); !strings.Contains(out, "https://a.example") {
		t.Error(out)
	}
	ask("config reset api cors_allow_origin", nil)
	ask("quota set bucket 1GiB", nil)
	if out := ask("quota get bucket", nil); !strings.Contains(out, "1.0 GiB") {
		t.Error(out)
	}
	var q adminapi.Quota
	ask("quota set bucket --objects 7 --json", &q)
	if q != (adminapi.Quota{Bucket: "bucket", Quota: 1 << 30, Used: 15, Objects: 7, UsedObjects: 3}) {
		t.Errorf("%+v", q)
	}
	if _, err := a.run("", "quota set bucket"); err == nil {
		t.Error("a quota of nothing is set")
	}
	ask("quota rm bucket", nil)
	if out := ask("log --last 5", nil); !strings.Contains(out, "MINIO") && !strings.Contains(out, "IDENTITY_TLS") {
		t.Errorf("no warning in the log: %q", out)
	}
	samples, _ := p.host.history.Since(time.Time{})
	if len(samples) == 0 || samples[len(samples)-1].Requests < 4 {
		t.Errorf("%+v", samples)
	}
	// What is stored is in force, and shown, after the next start.
	if err := p.services.settings.Set(t.Context(), "api object_ownership=ObjectWriter"); err != nil {
		t.Fatal(err)
	}
	dir := p.Config.Dir
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p, _, _ = start(t, environ{"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword}, dir)
	again, err := adminHost{p.host}.Server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range again.Settings {
		if v.Name == "OBJECT_OWNERSHIP" && (v.From != "stored" || v.Value != "ObjectWriter") {
			t.Errorf("%+v", v)
		}
	}
}

// TestWatchCommands: `admin trace` and `admin log --follow` print what happens until they are interrupted.
func TestWatchCommands(t *testing.T) {
	p, _, _ := start(t, environ{"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword}, t.TempDir())
	a := &adminServer{t: t, svc: p.services.iam, url: "http://" + p.Addr().String()}
	a.environ()
	t.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
	for args, happen := range map[string]func(){
		"trace --status 4xx --bucket missing": func() { get(t, p, "/missing/key?X-Amz-Signature=secret") },
		"trace --json --internal":             func() { get(t, p, "/missing/key?X-Amz-Signature=secret") },
		"log --follow --level warn":           func() { p.log.Warn("missing disk", "op", "GetObject") },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &output{}
		cmd := newAdminCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(strings.Fields(args))
		cmd.SetOut(out)
		done := make(chan error, 1)
		go func() { done <- cmd.ExecuteContext(ctx) }()
		waitFor(t, func() bool { // the command watches when what happens is printed
			happen()
			return strings.Contains(out.String(), "missing")
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if strings.Contains(out.String(), "Signature=secret") {
			t.Errorf("%s: %s", args, out)
		}
	}
	if _, err := a.run("", "trace --status x"); err == nil || !strings.Contains(err.Error(), "InvalidArgument") {
		t.Errorf("%v", err)
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{"1": 1, "1024": 1024, "1KB": 1000, "1kib": 1024, "1.5MiB": 3 << 19, "100GiB": 100 << 30, "2TB": 2e12} {
		if got, err := parseSize(in); err != nil || got != want {
			t.Errorf("%s: %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "0", "-1", "x", "1XB", "1e30", "NaN", "5EiB", "1 KB", "KB", "9999999999999TiB"} {
		if got, err := parseSize(in); err == nil {
			t.Errorf("%q: %d", in, got)
		}
	}
	for in, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1 << 30: "1.0 GiB", 1 << 62: "4.0 EiB"} {
		if got := size(in); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
}

// TestConsoleStream: a stream of the administration comes through the console as it happens.
func TestConsoleStream(t *testing.T) {
	p, _, _ := start(t, environ{"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword}, t.TempDir())
	base := "http://" + p.Addr().String() + "/-/console/"
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	resp, err := c.Post(base+"login", "application/json", strings.NewReader(`{"accessKey":"objroot","secretKey":"`+testPassword+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stream, err := c.Get(base + "admin/trace?op=ListBuckets")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	if !lines.Scan() || lines.Text() != `{"trace":"begins"}` {
		t.Fatalf("%s: %s", stream.Status, lines.Text())
	}
	if resp, err = c.Get(base + "s3/"); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var e adminapi.TraceEntry
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &e) != nil || e.Op != "ListBuckets" || e.Status != 200 || e.Principal == "" {
		t.Errorf("%s", lines.Text())
	}
}
