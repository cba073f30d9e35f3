package fs_test

import (
	"fmt"
	"os"
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

// TestIdle leaves a store alone after some work: once that has settled, it writes
// nothing at all.
func TestIdle(t *testing.T) {
	s := openStore(t, fs.Options{Dir: t.TempDir()})
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range 100 {
		mustPut(t, s, "b", fmt.Sprint("k", i%10), bytesOf(byte(i), i*1000))
	}
	eventually(t, s, "blobs are reclaimed", func() bool { return s.Stats().BlobsReclaim == 0 })
	for attempt := 1; ; attempt++ {
		before, syncs := written(t), s.Stats().Syncs
		time.Sleep(time.Second) // the idle time is what is tested
		if written(t) == before && s.Stats().Syncs == syncs {
			break
		}
		if attempt == 5 {
			t.Fatalf("an idle store has written %d bytes and synced %d times within a second", written(t)-before, s.Stats().Syncs-syncs)
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
