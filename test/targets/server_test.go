package targets

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// end ends the server with a signal, and the processes that it has made too if that is SIGKILL. It returns when all are gone.
func (s *server) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	all := family(s.pid)
	for i, pid := range all {
		if err := syscall.Kill(pid, signal); i == 0 && err != nil {
			t.Fatal(err)
		}
		if signal != syscall.SIGKILL {
			break
		}
	}
	if err := harness.Await(longest, "the end of the server", func() (bool, error) { return !slices.ContainsFunc(all, alive), nil }); err != nil {
		t.Fatal(err)
	}
}

// family is a process, and those that it and its children have made.
func family(pid int) []int {
	out := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range lists {
		text, _ := os.ReadFile(file) // gone by now, perhaps
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, family(child)...)
			}
		}
	}
	return out
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// start starts it again, as run.sh did, until it listens at the address.
func (s *server) start(t *testing.T, address string) {
	t.Helper()
	text, err := os.ReadFile(s.base + ".run")
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	err = harness.Await(longest, "a server that listens", func() (bool, error) {
		if s.pid == 0 || !alive(s.pid) {
			if err := s.run(args); err != nil {
				return false, err
			}
		}
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) run(args []string) error {
	log, err := os.OpenFile(s.base+".log", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it outlives this process
	if err := cmd.Start(); err != nil {
		return err
	}
	s.pid = cmd.Process.Pid
	go cmd.Wait()
	return os.WriteFile(s.base+".pid", []byte(strconv.Itoa(s.pid)+"\n"), 0o600)
}
