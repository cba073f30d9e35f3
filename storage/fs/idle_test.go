package fs_test

import (
	"fmt"
	"os"
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

// TestIdle leaves a store alone after some work: once that has settled, it writes
// nothing at all, and wakes no thread (a ticker of ten a second would do it ten times).
func TestIdle(t *testing.T) {
	s := openStore(t, fs.Options{Dir: t.TempDir()})
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range 100 {
		mustPut(t, s, "b", fmt.Sprint("k", i%10), bytesOf(byte(i), i*1000))
	}
	eventually(t, s, "blobs are reclaimed", func() bool { return s.Stats().BlobsReclaim == 0 })
	for attempt := 1; ; attempt++ {
		before, syncs, woken := written(t), s.Stats().Syncs, wakeups(t)
		time.Sleep(time.Second) // the idle time is what is tested
		woken = wakeups(t) - woken
		if written(t) == before && s.Stats().Syncs == syncs && woken < 10 {
			break
		}
		if attempt == 10 {
			t.Fatalf("an idle store has written %d bytes, synced %d times and woken %d times within a second", written(t)-before, s.Stats().Syncs-syncs, woken)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
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
