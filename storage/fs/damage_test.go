package fs_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// damagedStore opens a store that counts the damage it reports.
func damagedStore(t *testing.T, dir string) (*fs.Store, *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	s, err := fs.Open(fs.Options{Dir: dir, OnDamage: func(error) { n.Add(1) }})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, n
}

// blobFiles lists the blob files of a directory by the order they were made in.
func blobFiles(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "blobs", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// change rewrites a file.
func change(t *testing.T, name string, edit func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, edit(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 0x10
		return b
	}
}

// TestDamagedBlob damages each region of a blob file: a read gives an error before any
// wrong byte, other objects are not touched, and the check names bucket, key and file.
func TestDamagedBlob(t *testing.T) {
	const size = 200_000 // four blocks, the last one short
	content := bytesOf(1, size)
	table := 4096 + size
	for _, c := range []struct {
		name  string
		edit  func([]byte) []byte
		reads bool // the content can still be read
	}{
		{"header", flip(20), true},
		{"first byte", flip(4096), false},
		{"middle of the second block", flip(4096 + 100_000), false},
		{"last byte", flip(table - 1), false},
		{"table", flip(table), false},
		{"checksum of the table", flip(table + 16), false},
		{"record", flip(table + 24), true},
		{"tail", flip(-10), true},
		{"empty", func([]byte) []byte { return nil }, false},
		{"half", func(b []byte) []byte { return b[:len(b)/2] }, false},
		{"zeros behind", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, true},
		{"all zeros", func(b []byte) []byte { return make([]byte, len(b)) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, damage := damagedStore(t, dir)
			mustBucket(t, s, "b", storage.VersioningUnset)
			mustPut(t, s, "b", "k", content)
			file := blobFiles(t, dir)[0]
			mustPut(t, s, "b", "fine", content)
			change(t, file, c.edit)
			got, err := read(s, "b", "k", "")
			if string(got) != string(content[:len(got)]) {
				t.Errorf("wrong bytes were given out")
			}
			if c.reads != (err == nil) || err != nil && (!errors.Is(err, storage.ErrDamaged) || damage.Load() == 0) {
				t.Errorf("read gives %v, damage counted %d times", err, damage.Load())
			}
			if o, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k"}); err != nil || o.Size != size {
				t.Errorf("StatObject of a damaged object: %v", err)
			}
			mustRead(t, s, "b", "fine", "", content)
			list, _ := check(t, s)
			if len(list) != 1 || list[0].Bucket != "b" || list[0].Key != "k" || list[0].Version != "null" || !strings.HasSuffix(file, list[0].File) {
				t.Errorf("check finds %v", list)
			}
			mustPut(t, s, "b", "k", content) // an overwrite heals
			mustRead(t, s, "b", "k", "", content)
		})
	}
}

// TestDamagedBlobRanges reads ranges of a blob with one bad block: those beside it are
// served, those that touch it are not.
func TestDamagedBlobRanges(t *testing.T) {
	dir := t.TempDir()
	s, _ := damagedStore(t, dir)
	mustBucket(t, s, "b", storage.VersioningUnset)
	content := bytesOf(1, 1<<20)
	mustPut(t, s, "b", "k", content)
	change(t, blobFiles(t, dir)[0], flip(4096+5*65536+7))
	_, c, err := s.GetObject(ctx, storage.Ref{Bucket: "b", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, r := range []struct {
		off, n int64
		ok     bool
	}{
		{0, 5 * 65536, true}, {6 * 65536, 10 * 65536, true}, {10, 100, true}, {5*65536 - 1, 1, true},
		{5 * 65536, 1, false}, {6*65536 - 1, 1, false}, {0, 1 << 20, false}, {5*65536 - 1, 2, false},
	} {
		got, err := io.ReadAll(c.Range(r.off, r.n))
		if r.ok != (err == nil) || err != nil && !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("range %d+%d: %v", r.off, r.n, err)
		}
		if string(got) != string(content[r.off:r.off+int64(len(got))]) {
			t.Errorf("range %d+%d: wrong bytes", r.off, r.n)
		}
	}
}

// TestMissingAndMisplacedBlobs removes and swaps files.
func TestMissingAndMisplacedBlobs(t *testing.T) {
	dir := t.TempDir()
	s, damage := damagedStore(t, dir)
	mustBucket(t, s, "b", storage.VersioningUnset)
	for i := range 3 {
		mustPut(t, s, "b", fmt.Sprint("k", i), bytesOf(byte(i), 100_000))
	}
	mustMultipart(t, s, "b", "multi", bytesOf(4, 100_000), bytesOf(5, 100_000))
	files := blobFiles(t, dir)
	if err := os.Rename(files[0], files[0]+".tmp"); err != nil {
		t.Fatal(err)
	}
	for _, m := range [][2]string{{files[1], files[0]}, {files[0] + ".tmp", files[1]}} {
		if err := os.Rename(m[0], m[1]); err != nil {
			t.Fatal(err)
		}
	}
	for _, gone := range []string{files[2], files[4]} {
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"k0", "k1", "k2", "multi"} {
		got, err := read(s, "b", key, "")
		if !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	if damage.Load() < 4 {
		t.Errorf("damage was counted %d times", damage.Load())
	}
	found := map[string]bool{}
	list, _ := check(t, s)
	for _, p := range list {
		if p.Kind != "blob" || p.Bucket != "b" {
			t.Errorf("check finds %s", p)
		}
		found[p.Key] = true
	}
	if len(found) != 4 {
		t.Errorf("check names %v", found)
	}
}

// TestDamagedIndex flips bits in the files of the index, at many places: whatever is
// read afterwards is right, or an error that says damaged; the store may also refuse to
// open, with an error, but never serves less than was there as if that were all. Once
// the content is in tables, and once, as after a kill, in the log.
func TestDamagedIndex(t *testing.T) {
	for _, closed := range []bool{true, false} {
		t.Run(fmt.Sprintf("closed=%t", closed), func(t *testing.T) {
			dir, n := t.TempDir(), 60
			s := openStore(t, fs.Options{Dir: dir})
			mustBucket(t, s, "b", storage.VersioningUnset)
			for i := range n {
				mustPut(t, s, "b", fmt.Sprintf("k%03d", i), bytesOf(byte(i), 100+i*30))
			}
			from := t.TempDir()
			if !closed {
				copyTree(t, from, dir)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if closed {
				copyTree(t, from, dir)
			}
			tried := map[string]int{}
			files, _ := filepath.Glob(filepath.Join(from, "index", "*"))
			for _, file := range files {
				ext := filepath.Ext(file)
				if ext != ".sst" && ext != ".blob" && ext != ".log" {
					continue
				}
				whole, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for at := len(whole) / 40; at < len(whole); at += 1 + len(whole)/8 {
					tried[ext]++
					dir := t.TempDir()
					copyTree(t, dir, from)
					change(t, filepath.Join(dir, "index", filepath.Base(file)), flip(at))
					damagedIndexReads(t, fmt.Sprintf("%s at %d of %d", filepath.Base(file), at, len(whole)), dir, n)
				}
			}
			if closed && (tried[".sst"] < 8 || tried[".blob"] < 8) || !closed && tried[".log"] < 8 {
				t.Errorf("places that were damaged: %v", tried)
			}
		})
	}
}

func copyTree(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// damagedIndexReads reads everything of a store whose index is damaged somewhere.
func damagedIndexReads(t *testing.T, what, dir string, n int) {
	t.Helper()
	s, err := fs.Open(fs.Options{Dir: dir})
	if err != nil {
		return // it says so, and names --rebuild-index
	}
	defer s.Close()
	if _, err := s.Bucket(ctx, "b"); err != nil {
		t.Errorf("%s: the bucket is gone: %v", what, err)
		return
	}
	for i := range n {
		want := bytesOf(byte(i), 100+i*30)
		got, err := read(s, "b", fmt.Sprintf("k%03d", i), "")
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: object %d: %v", what, i, err)
			return
		}
		if err == nil && string(got) != string(want) {
			t.Errorf("%s: object %d has wrong bytes", what, i)
		}
	}
	page, err := s.ListObjects(ctx, storage.ListInput{Bucket: "b", Limit: 1000})
	if err != nil && !errors.Is(err, storage.ErrDamaged) || err == nil && len(page.Objects) != n {
		t.Errorf("%s: list: %v", what, err)
	}
}
