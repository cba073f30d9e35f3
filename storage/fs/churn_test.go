package fs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// TestChurn overwrites and deletes small objects, on a disk so small that the index
// flushes and compacts all the time, with restarts in between.
func TestChurn(t *testing.T) {
	disk := vfs.NewMem()
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 30 << 20, TotalBytes: 32 << 20})
	open := func() *fs.Store { return openStore(t, fs.Options{FS: disk, Dir: "data", CacheSize: 1 << 20}) }
	s := open()
	mustBucket(t, s, "b", storage.VersioningUnset)
	rng := rand.New(rand.NewPCG(1, 2))
	const keys = 300
	kept, compactions := map[int]byte{}, int64(0)
	size := func(k int) int { return 500 + k*20 }
	for i := range 12_000 {
		k := rng.IntN(keys)
		name := fmt.Sprintf("k%04d", k)
		switch {
		case rng.IntN(5) == 0:
			mustDelete(t, s, "b", name, "")
			delete(kept, k)
		default:
			kept[k] = byte(i)
			mustPut(t, s, "b", name, bytesOf(byte(i), size(k)))
		}
		if i%3000 == 2999 {
			compactions += s.Stats().Compactions
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open()
		}
	}
	for k := range keys {
		seed, there := kept[k]
		name := fmt.Sprintf("k%04d", k)
		if there {
			mustRead(t, s, "b", name, "", bytesOf(seed, size(k)))
		} else if _, err := read(s, "b", name, ""); !isOneOf(err, storage.ErrNoSuchKey) {
			t.Errorf("deleted %s: %v", name, err)
		}
	}
	if compactions == 0 {
		t.Error("the index was never compacted")
	}
	mustBeSound(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
