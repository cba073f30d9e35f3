package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// process is a server in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *output
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "objsrv") // testscript.Main runs the command of this name
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, stdout: &output{}, cmd: exec.Command(link, append([]string{"server", "--address", "127.0.0.1:0"}, args...)...)}
	p.cmd.Env = bareEnviron("OBJSRV_ROOT_PASSWORD=" + testPassword)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	return p
}

// address waits for the n-th start of the server and returns where it serves.
func (p *process) address(n int) string {
	p.t.Helper()
	var address string
	waitFor(p.t, func() bool {
		parts := strings.Split(p.stdout.String(), "S3:       http://")
		if len(parts) <= n {
			return false
		}
		var ok bool
		address, _, ok = strings.Cut(parts[n], "\n")
		return ok
	})
	return address
}

// admin sends a request without body to MinIO's admin API, as root.
func (p *process) admin(address, method, path string) *http.Response {
	p.t.Helper()
	return p.send(method, "http://"+address+"/minio/admin/v3/"+path)
}

// get sends another request, as root.
func (p *process) get(address, path string) *http.Response {
	p.t.Helper()
	return p.send("GET", "http://"+address+path)
}

func (p *process) send(method, url string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	signRequest(r, rootCredentials{User: "admin", Password: testPassword}, "us-east-1")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestServiceRestart: the running request finishes, the stream of an administrator ends, and the same
// process serves again, with what was stored. Stop ends it with exit code 0.
func TestServiceRestart(t *testing.T) {
	p := startProcess(t, filepath.Join(t.TempDir(), "data"))
	address := p.address(1)
	client := func(address string) *minio.Client {
		c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4("admin", testPassword, ""), Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ctx := t.Context()
	if err := client(address).MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	trace := p.admin(address, "GET", "trace?s3=true")
	if trace.StatusCode != 200 {
		t.Fatal(trace.Status)
	}
	body, feed := io.Pipe()
	put := make(chan error, 1)
	go func() {
		_, err := client(address).PutObject(ctx, "bucket", "key", body, 1<<20, minio.PutObjectOptions{DisableMultipart: true})
		body.CloseWithError(err) // nobody writes to it for nothing
		put <- err
	}()
	half := make([]byte, 1<<19)
	feed.Write(half)
	waitFor(t, func() bool { // what is sent may still wait to be accepted
		b, _ := io.ReadAll(p.get(address, "/-/metrics").Body)
		return strings.Contains(string(b), "objsrv_requests_in_flight 3") // the trace, the upload and this one
	})
	if resp := p.admin(address, "POST", "service?action=restart&dry-run=false&type=2"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	if b, err := io.ReadAll(trace.Body); err != nil || strings.Contains(string(b), testPassword) {
		t.Errorf("the stream does not end: %q, %v", b, err)
	}
	feed.Write(half)
	feed.Close()
	if err := <-put; err != nil {
		t.Errorf("the running request failed: %v\n%s", err, p.stdout)
	}
	address = p.address(2)
	if o, err := client(address).StatObject(ctx, "bucket", "key", minio.StatObjectOptions{}); err != nil || o.Size != 1<<20 {
		t.Errorf("after the restart: %+v, %v", o, err)
	}
	if resp := p.admin(address, "POST", "service?action=stop&type=2"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, p.stdout)
	}
}
