package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/spf13/pflag"
)

const testPassword = "correct horse battery"

// output collects what a program writes, for several goroutines.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// newProgram parses a command line of `server`; the address is any free one.
func newProgram(t *testing.T, env environ, args ...string) (p *Program, stdout, stderr *output) {
	t.Helper()
	fs := pflag.NewFlagSet("server", pflag.ContinueOnError)
	addFlags(fs)
	if err := fs.Parse(append([]string{"--address", "127.0.0.1:0", "--drain-timeout", "5s"}, args...)); err != nil {
		t.Fatal(err)
	}
	c, ignored, err := readConfig(fs, env, fs.Args())
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr = &output{}, &output{}
	return &Program{Config: c, Ignored: ignored, Stdout: stdout, Stderr: stderr}, stdout, stderr
}

// start runs a program until the test ends.
func start(t *testing.T, env environ, args ...string) (p *Program, stdout, stderr *output) {
	t.Helper()
	p, stdout, stderr = newProgram(t, env, args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, stdout, stderr
}

func s3Client(t *testing.T, p *Program) *minio.Client {
	t.Helper()
	root := p.services.root
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(root.User, root.Password, ""), Region: p.Config.Region})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, p *Program, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get("http://" + p.Addr().String() + path)
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

// Two servers in one process know nothing of each other, and a stopped one starts again
// with what it held.
func TestTwoProgramsAndRestart(t *testing.T) {
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	dirA, dirB := t.TempDir(), t.TempDir()
	a, _, _ := start(t, env, dirA)
	b, _, _ := start(t, env, dirB)
	ctx := t.Context()
	ca, cb := s3Client(t, a), s3Client(t, b)
	if err := ca.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.PutObject(ctx, "bucket", "key", strings.NewReader("content"), 7, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if ok, err := cb.BucketExists(ctx, "bucket"); err != nil || ok {
		t.Errorf("the other server has the bucket: %v, %v", ok, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a, stdout, _ := start(t, env, dirA)
	o, err := s3Client(t, a).GetObject(ctx, "bucket", "key", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(o); err != nil || string(got) != "content" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	if strings.Contains(stdout.String(), testPassword) {
		t.Error("the banner shows a configured password")
	}
}

func TestSecondServerOnADirectory(t *testing.T) {
	dir := t.TempDir()
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	start(t, env, dir)
	p, _, _ := newProgram(t, env, dir)
	err := p.Start()
	if err == nil || !strings.Contains(err.Error(), "in use by another objsrv") {
		t.Fatalf("error %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "data")
	p, _, _ := newProgram(t, environ{}, dir, "--address", l.Addr().String())
	if err := p.Start(); err == nil {
		t.Fatal("started on an address that is taken")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory was touched: %v", err)
	}
}

func TestGeneratedPassword(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	p, stdout, stderr := start(t, environ{}, dir)
	root := p.services.root
	if root.User != "admin" || len(root.Password) < 20 {
		t.Fatalf("credentials %q, %d characters", root.User, len(root.Password))
	}
	if !strings.Contains(stdout.String(), root.Password) {
		t.Error("the banner does not show the password of the first start")
	}
	if strings.Contains(stderr.String(), root.Password) || strings.Contains(stderr.String(), "easy to guess") {
		t.Errorf("log: %s", stderr)
	}
	name := filepath.Join(dir, rootFile)
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, want 0600", rootFile, info.Mode())
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v, want 0700 (%v)", info.Mode(), err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	again, stdout, _ := start(t, environ{"OBJSRV_ROOT_USER": "other"}, dir)
	if got := again.services.root; got.Password != root.Password || got.User != "other" {
		t.Errorf("second start: user %q, the same password: %v", got.User, got.Password == root.Password)
	}
	if strings.Contains(stdout.String(), root.Password) {
		t.Error("the password is shown a second time")
	}
	again.Close()

	if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _, _ = newProgram(t, environ{}, dir)
	if err := p.Start(); err == nil || !strings.Contains(err.Error(), "set OBJSRV_ROOT_PASSWORD") {
		t.Errorf("a damaged %s: %v", rootFile, err)
	}
}

func TestWarnings(t *testing.T) {
	_, _, stderr := start(t, environ{"MINIO_ROOT_USER": "minioadmin", "MINIO_ROOT_PASSWORD": "minioadmin", "MINIO_SOMETHING": "x"}, t.TempDir())
	for _, want := range []string{"easy to guess", "MINIO_SOMETHING"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no warning of %s: %s", want, stderr)
		}
	}
}

func TestHealthPaths(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	for _, path := range []string{"/-/health/live", "/-/health/ready", "/-/health/cluster", "/minio/health/live", "/minio/health/ready", "/minio/health/cluster"} {
		if status, body := get(t, p, path); status != 200 || body != "ok\n" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for path, want := range map[string]int{"/-/health/other": 404, "/-/": 404, "/-/debug/pprof/": 404, "/minio/": 404, "/minio/admin/v3/info": 403} {
		if status, _ := get(t, p, path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	answer, err := askHealth("http://"+p.Addr().String(), time.Second, false)
	if err != nil || answer != "ok" {
		t.Errorf("healthcheck: %q, %v", answer, err)
	}
	p.health.Drain()
	if status, body := get(t, p, "/-/health/ready"); status != 503 || body != "draining\n" {
		t.Errorf("draining: %d %q", status, body)
	}
	if _, err := askHealth("http://"+p.Addr().String(), time.Second, false); err == nil || !strings.Contains(err.Error(), "draining") {
		t.Errorf("healthcheck while draining: %v", err)
	}
}

func TestGateWhileStarting(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	faces := p.faces.Swap(nil)
	if status, _ := get(t, p, "/bucket/key"); status != 503 {
		t.Errorf("S3 while starting: %d", status)
	}
	if status, _ := get(t, p, "/minio/health/live"); status != 200 {
		t.Errorf("live while starting: %d", status)
	}
	p.faces.Store(faces)
	if status, _ := get(t, p, "/bucket/key"); status != 403 && status != 404 {
		t.Errorf("anonymous S3: %d", status)
	}
}

func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	p, _, _ := start(t, env, dir)
	for _, path := range []string{"/-/metrics", "/minio/v2/metrics/cluster"} {
		if status, body := get(t, p, path); status != 403 || strings.Contains(body, "objsrv_") {
			t.Errorf("anonymous %s: %d", path, status)
		}
	}
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "measured", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(t.Context(), "measured", "k", strings.NewReader("12345"), 5, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	status, body := signedGet(t, p, "/-/metrics")
	if status != 200 {
		t.Fatalf("signed: %d %s", status, body)
	}
	for _, want := range []string{
		`objsrv_bucket_bytes{bucket="measured"} 5`, `objsrv_bucket_objects{bucket="measured"} 1`, "objsrv_buckets 1",
		`objsrv_requests_total{operation="PutObject",status="2xx"} 1`, `objsrv_request_errors_total{code="AccessDenied",operation="Metrics"} 2`,
		"objsrv_requests_in_flight 1", `objsrv_request_duration_seconds_count{operation="PutObject"} 1`,
		"process_resident_memory_bytes", "go_goroutines", "objsrv_connections", "objsrv_watch_dropped_total 0",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	p.Close()
	p, _, _ = start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_PROMETHEUS_AUTH_TYPE": "public"}, dir)
	if status, body := get(t, p, "/minio/v2/metrics/cluster"); status != 200 || !strings.Contains(body, "objsrv_buckets 1") {
		t.Errorf("public: %d", status)
	}
}

// signedGet asks as root.
func signedGet(t *testing.T, p *Program, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+p.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	signRequest(req, p.services.root, p.Config.Region)
	resp, err := http.DefaultClient.Do(req)
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

func TestAccessLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	p, _, stderr := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--access-log", file)
	get(t, p, "/bucket/ke%0Ay?X-Amz-Signature=verysecret")
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	p.Reload()
	get(t, p, "/second")
	p.Close()
	for name, path := range map[string]string{file + ".1": "/bucket/ke%0Ay", file: "/second"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var line map[string]any
		if err := json.Unmarshal(b, &line); err != nil {
			t.Fatalf("%s is not one line of JSON: %q", name, b)
		}
		uri, _ := line["uri"].(string)
		if got, _, _ := strings.Cut(uri, "?"); got != path || strings.Contains(string(b), "verysecret") {
			t.Errorf("%s: %s", name, b)
		}
	}
	if s := stderr.String(); strings.Contains(s, "/second") {
		t.Errorf("the log is not quiet: %s", s)
	}
}

func TestTLSAndReload(t *testing.T) {
	certs := t.TempDir()
	writeTestCert(t, certs, "first.example")
	p, stdout, stderr := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--certs-dir", certs)
	if !strings.Contains(stdout.String(), "https://127.0.0.1:") {
		t.Errorf("banner: %s", stdout)
	}
	peerName := func() string {
		c, err := tls.Dial("tcp", p.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := peerName(); got != "first.example" {
		t.Errorf("serves %s", got)
	}
	writeTestCert(t, certs, "second.example")
	p.Reload()
	if got := peerName(); got != "second.example" {
		t.Errorf("after a reload: %s; %s", got, stderr)
	}
	if _, err := askHealth("https://"+p.Addr().String(), time.Second, true); err != nil {
		t.Error(err)
	}
	if _, err := askHealth("https://"+p.Addr().String(), time.Second, false); err == nil {
		t.Error("healthcheck takes any certificate")
	}
}

// SIGTERM of the real process: the running request finishes, the exit code is 0.
func TestSIGTERMDrains(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "objsrv") // testscript.Main runs the command of this name
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, "server", filepath.Join(t.TempDir(), "data"), "--address", "127.0.0.1:0")
	cmd.Env = bareEnviron("OBJSRV_ROOT_PASSWORD=" + testPassword)
	stdout := &output{}
	cmd.Stdout, cmd.Stderr = stdout, stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var address string
	waitFor(t, func() bool {
		_, rest, _ := strings.Cut(stdout.String(), "http://")
		var ok bool
		address, _, ok = strings.Cut(rest, "\n")
		return ok
	})
	c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4("admin", testPassword, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	body, feed := io.Pipe()
	// A half is more than the buffers of a connection hold: when it is written, the server has begun to read.
	half := make([]byte, 24<<20)
	put := make(chan error)
	go func() {
		_, err := c.PutObject(ctx, "bucket", "key", body, int64(2*len(half)), minio.PutObjectOptions{DisableMultipart: true})
		body.CloseWithError(errors.New("the request has ended")) // so that nobody waits to feed it
		put <- err
	}()
	feed.Write(half)
	cmd.Process.Signal(syscall.SIGTERM)
	waitFor(t, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	feed.Write(half)
	feed.Close()
	if err := <-put; err != nil {
		t.Errorf("the running request failed: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, stdout)
	}
}

// A store that can't be written ends the program with an error, so that a supervisor
// starts it again.
func TestFatalStoreEndsRun(t *testing.T) {
	p, _, _ := newProgram(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	done := make(chan error)
	go func() { done <- p.Run(context.Background(), nil) }()
	waitFor(t, func() bool { return p.faces.Load() != nil })
	p.fatal(io.ErrShortWrite)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "can't be written") {
		t.Errorf("Run returned %v", err)
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("condition did not come true in 20 s")
		}
	}
}
