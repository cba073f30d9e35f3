package loadgen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// serverPackage is the program that is built when none is given.
const serverPackage = "github.com/objsrv/objsrv/cmd/objsrv"

// serverUser is the root user of servers that this package starts; the password is random.
const serverUser = "objsrv-bench"

// startLimit is how long a server may take until it answers.
const startLimit = 30 * time.Second

// Build compiles objsrv from the module that the working directory belongs to and returns the
// binary's path, which is in dir.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "objsrv")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, serverPackage).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", serverPackage, err, out)
	}
	return binary, nil
}

// Server is an objsrv that this process has started.
type Server struct {
	Target // its PIDs is the running process

	binary, dir string
	cmd         *exec.Cmd
	log         *tail
	ended       chan struct{} // closed when the process is gone
}

// Start runs binary as an objsrv that serves dir on a free port of the loopback interface and returns
// when it answers. Stop it.
func Start(ctx context.Context, binary, dir string) (*Server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	s := &Server{binary: binary, dir: dir}
	s.Target = Target{Name: "objsrv", Addr: addr, AccessKey: serverUser, SecretKey: rand.Text()}
	if _, err := s.Up(ctx, http.MethodGet, "/"); err != nil {
		return nil, err
	}
	return s, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// foreignEnv returns the environment without settings of objsrv, so that what is measured are
// the defaults.
func foreignEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "OBJSRV_") || strings.HasPrefix(v, "MINIO_")
	})
}

// Up starts the process again after Stop or Kill, on the same directory and address, and
// returns the time from the start of the program to the first 2xx answer to the signed
// request (method, path).
func (s *Server) Up(ctx context.Context, method, path string) (time.Duration, error) {
	console, err := freeAddr()
	if err != nil {
		return 0, fmt.Errorf("start server: %w", err)
	}
	s.log = &tail{}
	s.cmd = exec.Command(s.binary, "server", "--address", s.Addr, "--console-address", console, s.dir)
	s.cmd.Env = append(foreignEnv(), "OBJSRV_ROOT_USER="+s.AccessKey, "OBJSRV_ROOT_PASSWORD="+s.SecretKey)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, fmt.Errorf("start server: %w", err)
	}
	s.PIDs = []int{s.cmd.Process.Pid}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		cmd.Wait()
	}(s.cmd)

	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	limit := time.After(startLimit)
	for {
		_, err := s.One(ctx, method, path, nil, Payload{})
		if err == nil {
			return time.Since(begin), nil
		}
		select {
		case <-ended:
			return 0, fmt.Errorf("start server: it ended: %s\n%s", s.cmd.ProcessState, s.log)
		case <-ctx.Done():
			s.Kill()
			return 0, ctx.Err()
		case <-limit:
			s.Kill()
			return 0, fmt.Errorf("start server: no answer within %s: %w\n%s", startLimit, err, s.log)
		case <-poll.C:
		}
	}
}

// User makes a user with the policy readwrite and returns the server as that user sees it.
func (s *Server) User(ctx context.Context, name string) (*Target, error) {
	t := s.Target
	t.AccessKey, t.SecretKey = name, rand.Text()
	body, err := json.Marshal(map[string]any{"secret": t.SecretKey, "policies": []string{"readwrite"}})
	if err != nil {
		return nil, fmt.Errorf("make user: %w", err)
	}
	if _, err := s.One(ctx, http.MethodPut, "/-/api/v1/users/"+name, nil, NewPayload(body)); err != nil {
		return nil, fmt.Errorf("make user: %w", err)
	}
	return &t, nil
}

// Stop ends the server as an operator would, with SIGTERM, and waits for it. An unclean end
// is an error.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop server: %w", err)
	}
	select {
	case <-s.ended:
	case <-time.After(startLimit):
		s.Kill()
		return fmt.Errorf("stop server: still running %s after SIGTERM\n%s", startLimit, s.log)
	}
	if !s.cmd.ProcessState.Success() {
		return fmt.Errorf("stop server: %s\n%s", s.cmd.ProcessState, s.log)
	}
	return nil
}

// Kill ends the server with SIGKILL and waits until it is gone.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	<-s.ended
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const keep = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > keep {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-keep:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
