package loadgen

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		stat string
		want time.Duration
		ok   bool
	}{
		{"42 (objsrv) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 9 20 0 8 0 100 1 1", 2 * time.Second, true},
		{"42 (a ) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0", 30 * time.Millisecond, true},
		{"42 (objsrv) S 1 42", 0, false},
		{"42 objsrv S 1 42", 0, false},
		{"42 (objsrv) S 1 42 42 0 -1 4194560 100 0 0 0 x 50 7", 0, false},
	}
	for _, tt := range tests {
		got, err := parseStat([]byte(tt.stat))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseStat(%q) = %v, %v; want %v, ok %v", tt.stat, got, err, tt.want, tt.ok)
		}
	}
}

// fakeProc writes a /proc with the given files; a value that begins with "->" makes a symbolic link.
func fakeProc(t *testing.T, files map[string]string) Proc {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Proc{Root: root}
}

func process(ticks, peak, written int) (stat, status, io string) {
	return fmt.Sprintf("1 (x) S 0 0 0 0 0 0 0 0 0 0 %d 1 0 0", ticks-1),
		fmt.Sprintf("Name:\tx\nVmPeak:\t 999999 kB\nVmHWM:\t%8d kB\nVmRSS:\t 1 kB\n", peak),
		fmt.Sprintf("rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: %d\ncancelled_write_bytes: 5\n", written)
}

func TestUsage(t *testing.T) {
	files := map[string]string{}
	files["7/stat"], files["7/status"], files["7/io"] = process(10, 100, 4096)
	files["8/stat"], files["8/status"], files["8/io"] = process(20, 50, 8192)
	files["9/stat"], files["9/status"], _ = process(20, 50, 8192)
	p := fakeProc(t, files)
	got, err := p.Usage([]int{7, 8})
	if want := (Usage{CPU: 300 * time.Millisecond, Peak: 150 << 10, Written: 12288}); err != nil || got != want {
		t.Errorf("Usage = %+v, %v; want %+v", got, err, want)
	}
	for _, pid := range []int{9, 10} {
		if _, err := p.Usage([]int{7, pid}); err == nil {
			t.Errorf("Usage of %d, which lacks a file: no error", pid)
		}
	}
	delta := got.Sub(Usage{CPU: 100 * time.Millisecond, Peak: 1, Written: 12000})
	if want := (Usage{CPU: 200 * time.Millisecond, Peak: 150 << 10, Written: 288}); delta != want {
		t.Errorf("Sub = %+v, want %+v", delta, want)
	}
}

func TestListeners(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	p := fakeProc(t, map[string]string{
		"net/tcp": head +
			"   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0\n" +
			"   1: 0100007F:2328 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0\n" +
			"   2: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0\n",
		"net/tcp6": head +
			"   0: 00000000000000000000000000000000:232A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0 100 0 0 10 0\n",
		"20/fd/3": "->socket:[111]", "21/fd/3": "->socket:[111]", "21/fd/4": "->socket:[111]",
		"22/fd/3": "->socket:[222]", "23/fd/3": "->socket:[333]", "24/fd/3": "->socket:[444]", "24/fd/1": "->pipe:[111]",
	})
	for addr, want := range map[string][]int{"127.0.0.1:9000": {20, 21}, "127.0.0.1:9001": {23}, "[::1]:9002": {24}, "127.0.0.1:9003": nil} {
		got, err := p.Listeners(addr)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("Listeners(%s) = %v, %v; want %v", addr, got, err, want)
		}
	}
}

// TestOwnProcess reads the kernel's /proc: this test's process listens, computes, and uses memory.
func TestOwnProcess(t *testing.T) {
	p := DefaultProc()
	if _, err := os.Stat("/proc/self/io"); err != nil {
		t.Skipf("needs Linux's /proc: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pids, err := p.Listeners(l.Addr().String())
	if err != nil || !slices.Equal(pids, []int{os.Getpid()}) {
		t.Fatalf("Listeners = %v, %v; want %d", pids, err, os.Getpid())
	}
	before, err := p.Usage(pids)
	if err != nil {
		t.Fatal(err)
	}
	if before.Peak < 1<<20 {
		t.Errorf("peak memory %d bytes", before.Peak)
	}
	n, deadline := 0, time.Now().Add(10*time.Second)
	for time.Now().Before(deadline) {
		for range 1_000_000 {
			n++
		}
		after, err := p.Usage(pids)
		if err != nil {
			t.Fatal(err)
		}
		if after.Sub(before).CPU >= 3*clockTick {
			return
		}
	}
	t.Errorf("counted to %d, but no processor time was seen", n)
}
