// Package harness is what the crash and damage tests share: a server that runs as a process, and
// the one-line-a-check report. It may import nothing of the server: these tests are black boxes.
package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// Root credentials of the servers that are started.
const (
	Access = "testroot"
	Secret = "testroot-secret-0815"
)

// Server is a server process on one directory. Bin, Dir and Addr are set by its user.
type Server struct {
	Bin   string // objsrv, or minio when Minio is set
	Minio bool
	Dir   string
	Addr  string // host:port
	Log   string // file that the output is appended to
	// Args and Env are of objsrv alone, beside those that every server gets; Env has NAME=VALUE.
	Args, Env []string

	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs the server and returns when it is ready, with the time that took. An error that
// Is ErrExited when it ended by itself; the end of its output is part of the error.
func (s *Server) Start() (time.Duration, error) {
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	s.cmd = exec.Command(s.Bin, append([]string{"server", s.Dir, "--address", s.Addr}, s.Args...)...)
	s.cmd.Env = append(append(os.Environ(), "OBJSRV_ROOT_USER="+Access, "OBJSRV_ROOT_PASSWORD="+Secret, "OBJSRV_METRICS_PUBLIC=on"), s.Env...)
	if s.Minio {
		s.cmd.Args = []string{s.Bin, "server", s.Dir, "--address", s.Addr}
		s.cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+Access, "MINIO_ROOT_PASSWORD="+Secret, "MINIO_CI_CD=1", "MINIO_UPDATE=off", "MINIO_BROWSER=off")
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { cmd.Wait(); close(done) }(s.cmd, s.done)
	for time.Since(began) < 30*time.Second {
		select {
		case <-s.done:
			return 0, fmt.Errorf("%w: %s", ErrExited, s.LogTail())
		case <-time.After(5 * time.Millisecond):
		}
		if s.ready() {
			return time.Since(began), nil
		}
	}
	s.Kill()
	return 0, fmt.Errorf("not ready after 30 s: %s", s.LogTail())
}

func (s *Server) ready() bool {
	res, err := http.Get("http://" + s.Addr + "/minio/health/ready")
	if err != nil {
		return false
	}
	res.Body.Close()
	if s.Minio && res.StatusCode == http.StatusOK { // MinIO says ready before it is
		_, err = s.Client(Access, Secret).ListBuckets(context.Background())
	}
	return err == nil && res.StatusCode == http.StatusOK
}

// ErrExited says that a server ended before it was ready.
var ErrExited = errors.New("the server ended")

// Exited tells whether the server has ended by itself.
func (s *Server) Exited() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// LogTail returns the last lines of the server's output.
func (s *Server) LogTail() string {
	b, _ := os.ReadFile(s.Log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], " | ")
}

// Kill ends the server with SIGKILL and waits for its end.
func (s *Server) Kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.cmd.Process.Signal(syscall.SIGKILL)
		<-s.done
		s.cmd = nil
	}
}

// Stop ends the server with SIGTERM; after 30 s with SIGKILL, which is an error.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
		s.cmd = nil
		return nil
	case <-time.After(30 * time.Second):
		s.Kill()
		return errors.New("SIGTERM did not end the server in 30 s")
	}
}

// Client returns an S3 client that does not retry, so that one call is one request.
func (s *Server) Client(access, secret string) *minio.Client {
	c, err := minio.New(s.Addr, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Region: "us-east-1", MaxRetries: 1, TrailingHeaders: true})
	if err != nil {
		panic(err) // an address that can't be one
	}
	return c
}

// Rename gives an object another name by RenameObject, which minio-go does not have.
func (s *Server) Rename(ctx context.Context, bucket, from, to string) error {
	return s.put(ctx, url.URL{Path: "/" + bucket + "/" + to, RawQuery: "renameObject="}, nil, "X-Amz-Rename-Source", url.PathEscape(from))
}

// Append adds data to an object of size bytes, by a PutObject with an offset.
func (s *Server) Append(ctx context.Context, bucket, key string, size int, data []byte) error {
	return s.put(ctx, url.URL{Path: "/" + bucket + "/" + key}, data, "X-Amz-Write-Offset-Bytes", strconv.Itoa(size))
}

// put sends a PUT of root's; header has names and their values in turn.
func (s *Server) put(ctx context.Context, target url.URL, body []byte, header ...string) error {
	target.Scheme, target.Host = "http", s.Addr
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	sum := sha256.Sum256(body)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	resp, err := http.DefaultClient.Do(signer.SignV4(*r, Access, Secret, "", "us-east-1"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s", resp.Status, answer)
	}
	if err != nil {
		return fmt.Errorf("PUT %s: %w", target.Path, err)
	}
	return nil
}

// AddUser makes a user with the policy readwrite: by `objsrv admin`, or by the program mc for MinIO.
func (s *Server) AddUser(ctx context.Context, name, secret string) error {
	if !s.Minio {
		return s.Admin(ctx, secret+"\n", "user", "add", name, "--policy", "readwrite", "--secret-stdin")
	}
	mc := os.Getenv("MC")
	if mc == "" {
		mc = "mc"
	}
	for _, args := range [][]string{{"alias", "set", "t", "http://" + s.Addr, Access, Secret}, {"admin", "user", "add", "t", name, secret},
		{"admin", "policy", "attach", "t", "readwrite", "--user", name}} {
		cmd := exec.CommandContext(ctx, mc, append([]string{"--config-dir", filepath.Dir(s.Log) + "/mc", "--quiet"}, args...)...)
		if err := run(cmd); err != nil {
			return err
		}
	}
	return nil
}

// Admin runs a command of `objsrv admin` as root.
func (s *Server) Admin(ctx context.Context, stdin string, args ...string) error {
	cmd := s.admin(ctx, args...)
	cmd.Stdin = strings.NewReader(stdin)
	return run(cmd)
}

// AdminJSON runs a command of `objsrv admin` as root, with --json, and reads its answer into out.
func (s *Server) AdminJSON(ctx context.Context, out any, args ...string) error {
	cmd := s.admin(ctx, append(args, "--json")...)
	answer, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err == nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

// Counters are what `objsrv admin usage --json` tells of a bucket.
type Counters struct {
	Name                                    string
	Objects, Versions, DeleteMarkers, Bytes int64
}

func (s *Server) admin(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.Bin, append([]string{"admin"}, args...)...)
	cmd.Env = append(os.Environ(), "OBJSRV_URL=http://"+s.Addr, "OBJSRV_ACCESS_KEY="+Access, "OBJSRV_SECRET_KEY="+Secret)
	return cmd
}

// Await asks until met tells true or an error; an error when that takes longer than d.
func Await(d time.Duration, what string, met func() (bool, error)) error {
	for end := time.Now().Add(d); ; time.Sleep(50 * time.Millisecond) {
		if ok, err := met(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %v still not: %s", d, what)
		}
	}
}

// Fsck runs `objsrv fsck` on the stopped server's directory and returns its output; clean tells
// whether it found nothing wrong.
func (s *Server) Fsck() (output string, clean bool, err error) {
	out, err := exec.Command(s.Bin, "fsck", s.Dir).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return string(out), false, nil
	}
	if err == nil && len(bytes.TrimSpace(out)) == 0 {
		err = errors.New("fsck prints nothing, not even what it has checked")
	}
	return string(out), err == nil, err
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// Report prints one line a check and counts.
type Report struct{ passed, failed, skipped int }

// Check prints "ok name", or "FAIL name: why" when err is not nil.
func (r *Report) Check(name string, err error) {
	if err != nil {
		r.failed++
		fmt.Printf("FAIL %s: %s\n", name, strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	r.passed++
	fmt.Println("ok  ", name)
}

// Skip prints that a check was left out and why.
func (r *Report) Skip(name, why string) {
	r.skipped++
	fmt.Printf("skip %s: %s\n", name, why)
}

// Finish prints the closing line and ends the program: 1 when something failed.
func (r *Report) Finish() {
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if r.failed > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}
