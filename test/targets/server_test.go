package targets

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// longest is what a server in Java may take to start on a busy machine.
const longest = 3 * time.Minute

// server is one that run.sh has started. Where it is started again it becomes run.sh's to stop.
type server struct {
	base string // of the files NAME.run, NAME.pid and NAME.log
	pid  int
	done chan struct{} // closed when it has ended, if this process has started it
}

func find(t *testing.T, name string) *server {
	t.Helper()
	s := &server{base: filepath.Join(os.Getenv("TARGETS_SERVERS"), name)}
	text, err := os.ReadFile(s.base + ".pid")
	if err == nil {
		s.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// end ends the server with a signal and returns when it is gone.
func (s *server) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.pid, signal); err != nil {
		t.Fatal(err)
	}
	if err := harness.Await(longest, "the end of the server", func() (bool, error) { return s.gone(), nil }); err != nil {
		t.Fatal(err)
	}
}

func (s *server) gone() bool {
	if s.done != nil {
		select {
		case <-s.done:
			return true
		default:
			return false
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

// start starts it again, as run.sh did.
func (s *server) start(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(s.base + ".run")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(s.base+".log", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it outlives this process
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid, s.done = cmd.Process.Pid, make(chan struct{})
	go func(done chan struct{}) { cmd.Wait(); close(done) }(s.done)
	if err := os.WriteFile(s.base+".pid", []byte(strconv.Itoa(s.pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
