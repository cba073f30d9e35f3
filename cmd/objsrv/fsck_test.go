package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
)

// fsck runs the command over an environment.
func fsck(env environ, args ...string) (code int, stdout, stderr string) {
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	var out, errs bytes.Buffer
	code = run(append([]string{"fsck"}, args...), list, &out, &errs)
	return code, out.String(), errs.String()
}

// fill puts a small and a large object into a server.
func fill(t *testing.T, p *Program) {
	t.Helper()
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"small": 10, "large": 1 << 20} {
		if _, err := c.PutObject(t.Context(), "bucket", name, bytes.NewReader(make([]byte, size)), int64(size), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// flipBlob damages the one blob file of a directory.
func flipBlob(t *testing.T, dir string) {
	t.Helper()
	flipped := false
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) < 1<<20 {
			return err
		}
		b[len(b)/2] ^= 1
		flipped = true
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || !flipped {
		t.Fatalf("no blob file was damaged: %v", err)
	}
}

func TestFsck(t *testing.T) {
	dir := t.TempDir()
	env := environ{"OBJSRV_VOLUMES": dir, "OBJSRV_ROOT_PASSWORD": "another than the server's"}
	p, _, _ := start(t, environ{}, dir)
	fill(t, p)

	// Online, with the credentials of the directory.
	online := environ{"OBJSRV_ADDRESS": p.Addr().String()}
	code, out, errs := fsck(online, dir)
	if code != exitOK || !strings.Contains(out, "1 buckets, 2 objects") || !strings.Contains(out, "problems: 0") {
		t.Errorf("online: %d %q %q", code, out, errs)
	}
	code, out, errs = fsck(environ{"OBJSRV_ADDRESS": p.Addr().String(), "OBJSRV_ROOT_PASSWORD": "another than the server's"}, dir)
	if code != exitFailure || out != "" || !strings.Contains(errs, "403") {
		t.Errorf("online with a wrong password: %d %q %q", code, out, errs)
	}
	code, _, errs = fsck(online, dir, "--rebuild-index")
	if code != exitFailure || !strings.Contains(errs, "stop it before") {
		t.Errorf("rebuild of a running server's index: %d %q", code, errs)
	}
	code, _, errs = fsck(environ{"OBJSRV_ADDRESS": "127.0.0.1:1"}, dir)
	if code != exitFailure || !strings.Contains(errs, "its server is not at http://127.0.0.1:1") {
		t.Errorf("wrong address: %d %q", code, errs)
	}
	p.Close()

	// Offline, with the directory from the environment.
	code, out, errs = fsck(env)
	if code != exitOK || !strings.Contains(out, "problems: 0") {
		t.Errorf("offline: %d %q %q", code, out, errs)
	}
	flipBlob(t, dir)
	code, out, errs = fsck(env, "--json")
	if code != exitFailure || errs != "" {
		t.Errorf("damaged: %d %q", code, errs)
	}
	var first, last finding
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if json.Unmarshal([]byte(lines[0]), &first) != nil || json.Unmarshal([]byte(lines[len(lines)-1]), &last) != nil {
		t.Fatalf("not JSON lines: %q", out)
	}
	if first.Problem == nil || !strings.Contains(out, `"key":"large"`) || last.Summary == nil || last.Summary.Problems == 0 {
		t.Errorf("damaged: %q", out)
	}
	p, _, stderr := start(t, environ{}, dir)
	if code, out, errs := fsck(online, dir, "--endpoint", "http://"+p.Addr().String()); code != exitFailure {
		t.Errorf("damaged, online: %d %q %q %s", code, out, errs, stderr)
	}
}

func TestFsckRebuild(t *testing.T) {
	dir := t.TempDir()
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, dir)
	fill(t, p)
	p.Close()
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	p, _, _ = newProgram(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, dir)
	if err := p.Start(); err == nil || !strings.Contains(err.Error(), "--rebuild-index") {
		t.Fatalf("start without an index: %v", err)
	}
	code, out, errs := fsck(environ{}, dir, "--rebuild-index")
	if code != exitOK || !strings.Contains(out, "rebuilt: 1 buckets, 1 versions") {
		t.Fatalf("%d %q %q", code, out, errs)
	}
	p, _, _ = start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, dir)
	if info, err := s3Client(t, p).StatObject(t.Context(), "bucket", "large", minio.StatObjectOptions{}); err != nil || info.Size != 1<<20 {
		t.Errorf("large: %d bytes, %v", info.Size, err)
	}
}

func TestFsckMistakes(t *testing.T) {
	if code, _, errs := fsck(environ{}); code != exitUsage || !strings.Contains(errs, "no directory") {
		t.Errorf("no directory: %d %q", code, errs)
	}
	empty := t.TempDir()
	if code, _, errs := fsck(environ{}, empty); code != exitFailure || !strings.Contains(errs, "no store there") {
		t.Errorf("empty directory: %d %q", code, errs)
	}
	if left, _ := os.ReadDir(empty); len(left) != 0 {
		t.Errorf("fsck made %v", left)
	}
}

func TestFsckEndpoint(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	url := "http://" + p.Addr().String() + fsckPath
	for _, method := range []string{"GET", "POST"} {
		req, _ := http.NewRequest(method, url, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := map[string]int{"GET": 405, "POST": 403}[method]; resp.StatusCode != want {
			t.Errorf("anonymous %s: %d, want %d", method, resp.StatusCode, want)
		}
	}
	p.services.checking.Lock()
	req, _ := http.NewRequest("POST", url, nil)
	signRequest(req, p.services.root, "us-east-1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.services.checking.Unlock()
	if resp.StatusCode != 409 {
		t.Errorf("a second check: %d", resp.StatusCode)
	}
}
