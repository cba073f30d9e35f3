package fs_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// written is how many bytes the process has caused to be written to disks, as the kernel counts.
func written(t *testing.T) (n int64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("this system does not count a process's writes")
	}
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "write_bytes: %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("no write_bytes in /proc/self/io")
	return 0
}

// wakeups is how often threads of the process have gone to sleep, which they do once
// for each time that they are woken.
func wakeups(t *testing.T) (sum int64) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(names) == 0 {
		t.Skip("this system does not count a process's wakeups")
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(raw)) {
			var n int64
			if _, err := fmt.Sscanf(line, "voluntary_ctxt_switches: %d", &n); err == nil {
				sum += n
			}
		}
	}
	return sum
}

// aloneVariable marks the process of TestIdle that has nothing to do but to be idle.
const aloneVariable = "OBJSRV_TEST_ALONE"

// TestIdle leaves a store alone after some work: once that has settled, it writes nothing at
// all, and wakes no thread (a ticker of ten a second would do it ten times). A process of its
// own keeps what other tests have left behind out of the count.
func TestIdle(t *testing.T) {
	if os.Getenv(aloneVariable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestIdle$", "-test.v")
		cmd.Env = append(os.Environ(), aloneVariable+"=1")
		out, err := cmd.CombinedOutput()
		switch {
		case err == nil && bytes.Contains(out, []byte("--- PASS: TestIdle")):
		case err == nil && bytes.Contains(out, []byte("--- SKIP: TestIdle")):
			t.Skipf("%s", out)
		default:
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	before := quietest(t, 3, 0, func() bool { return true }) // what the runtime does by itself
	s := openStore(t, fs.Options{Dir: t.TempDir()})
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range 100 {
		mustPut(t, s, "b", fmt.Sprint("k", i%10), bytesOf(byte(i), i*1000))
	}
	eventually(t, s, "blobs are reclaimed", func() bool { return s.Stats().BlobsReclaim == 0 })
	stored, syncs := written(t), s.Stats().Syncs
	idle := quietest(t, 20, before+10, func() bool {
		quiet := written(t) == stored && s.Stats().Syncs == syncs
		stored, syncs = written(t), s.Stats().Syncs
		return quiet
	})
	if idle-before >= 10 {
		t.Errorf("an idle store has woken threads %d times within a second; without a store it was %d", idle, before)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// quietest returns the wakeups of the quietest of so many seconds that passed as quiet says;
// less than enough ends the count.
func quietest(t *testing.T, seconds int, enough int64, quiet func() bool) int64 {
	t.Helper()
	least := int64(-1)
	for range seconds {
		woken := wakeups(t)
		time.Sleep(time.Second) // the idle time is what is tested
		woken = wakeups(t) - woken
		if quiet() && (least < 0 || woken < least) {
			least = woken
		}
		if least >= 0 && least < enough {
			break
		}
	}
	if least < 0 {
		t.Fatalf("an idle store writes or syncs in every one of %d seconds", seconds)
	}
	return least
}

// TestStartup kills a store (by leaving it open) and opens a copy of its directory: the
// start must not depend on what is stored but for the log.
func TestStartup(t *testing.T) {
	dir, objects := t.TempDir(), 2000
	s := openStore(t, fs.Options{Dir: dir})
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range objects {
		mustPut(t, s, "b", fmt.Sprintf("k%06d", i), bytesOf(byte(i), 20))
	}
	left := t.TempDir()
	copyTree(t, left, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := openStore(t, fs.Options{Dir: left})
	u, err := r.Usage(ctx, "b")
	if err != nil || u.Objects != int64(objects) || u.Bytes != int64(20*objects) {
		t.Errorf("usage after a kill: %+v, %v", u, err)
	}
	mustBeSound(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
