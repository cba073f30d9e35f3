package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// open opens a cache; what it reports is in errs.
func open(t *testing.T, o Options) (c *Cache, errs *[]error) {
	t.Helper()
	var mu sync.Mutex
	errs = &[]error{}
	o.Report = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		*errs = append(*errs, err)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, errs
}

// content is of a name.
func content(name string, size int) []byte {
	b := make([]byte, size)
	copy(b, name)
	for i := len(name); i < size; i++ {
		b[i] = byte(i*7 + i/block)
	}
	return b
}

// fill makes a copy, in writes of odd lengths.
func fill(c *Cache, name, state string, b []byte) bool {
	f := c.Fill(name, state, int64(len(b)))
	if f == nil {
		return false
	}
	defer f.Close()
	for rest := b; len(rest) > 0; {
		n := min(len(rest), 1+rand.IntN(100_000))
		_, _ = f.Write(rest[:n])
		rest = rest[n:]
	}
	return true
}

// files counts the files of copies.
func files(t *testing.T, c *Cache) int {
	t.Helper()
	list, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestCopy(t *testing.T) {
	c, errs := open(t, Options{Size: 64 << 20})
	for _, size := range []int{MinSize, MinSize + 1, 3*block - 1, span, span + 17, 5 << 20} {
		b := content("a", size)
		if c.Has(fmt.Sprint(size)) {
			t.Fatal("there is a copy of what nobody has copied")
		}
		if !fill(c, fmt.Sprint(size), "state", b) {
			t.Fatalf("no copy of %d bytes is wanted", size)
		}
		if !c.Has(fmt.Sprint(size)) {
			t.Fatalf("there is no copy of %d bytes", size)
		}
		cp := c.Open(fmt.Sprint(size), "state", int64(size))
		for _, r := range [][2]int64{{0, int64(size)}, {0, 1}, {1, int64(size) - 1}, {block - 2, 2}, {block - 1, min(2, int64(size)-block+1)}, {int64(size) - 1, 1}, {block, 0}} {
			want := b[r[0] : r[0]+r[1]]
			if got, err := io.ReadAll(struct{ io.Reader }{cp.Range(r[0], r[1])}); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %v of %d: %d bytes, %v", r, size, len(got), err)
			}
			var w bytes.Buffer
			if n, err := cp.Range(r[0], r[1]).WriteTo(&w); err != nil || n != r[1] || !bytes.Equal(w.Bytes(), want) {
				t.Errorf("write %v of %d: %d bytes, %v", r, size, n, err)
			}
		}
		if err := cp.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(*errs) > 0 {
		t.Error(*errs)
	}
}

// TestState has a copy of another state dropped, and the new one take its place.
func TestState(t *testing.T) {
	c, _ := open(t, Options{Size: 64 << 20})
	fill(c, "a", "one", content("one", MinSize))
	if c.Open("a", "two", MinSize) != nil || c.Has("a") || files(t, c) != 0 {
		t.Error("a copy of another state is still there")
	}
	fill(c, "a", "two", content("two", MinSize))
	if c.Open("a", "two", MinSize+1) != nil {
		t.Error("a copy of another length is given")
	}
	fill(c, "a", "two", content("two", MinSize))
	old := c.Open("a", "two", MinSize)
	fill(c, "a", "three", content("three", MinSize)) // by somebody who did not know of the copy
	if got, err := io.ReadAll(old.Range(0, 3)); err != nil || string(got) != "two" {
		t.Errorf("a copy that is open, and replaced: %q, %v", got, err)
	}
	old.Close()
	cp := c.Open("a", "three", MinSize)
	defer cp.Close()
	if got, err := io.ReadAll(cp.Range(0, 5)); err != nil || string(got) != "three" {
		t.Errorf("%q, %v", got, err)
	}
	if s := c.Stats(); s.Stale != 2 || s.Hits != 2 || s.Entries != 1 || s.Bytes != MinSize || files(t, c) != 1 {
		t.Errorf("%+v, %d files", s, files(t, c))
	}
}

// TestBound fills more than there is room for: the copy that was wanted longest ago goes first, and the files never have
// more bytes together than the bound.
func TestBound(t *testing.T) {
	const size = 10 * MinSize
	c, _ := open(t, Options{Size: size})
	for i := range 10 {
		fill(c, fmt.Sprint(i), "", content("", MinSize))
	}
	c.Open("0", "", MinSize).Close()
	fill(c, "new", "", content("", MinSize+1)) // takes two places
	for name, want := range map[string]bool{"0": true, "1": false, "2": false, "3": true, "new": true} {
		if c.Has(name) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	if fill(c, "large", "", content("", size/share+1)) || fill(c, "small", "", content("", MinSize-1)) {
		t.Error("a copy is made of what is too large, or too small")
	}
	if s := c.Stats(); s.Bytes != 9*MinSize+1 || s.Entries != 9 || s.Evicted != 2 || files(t, c) != 9 {
		t.Errorf("%+v, %d files", s, files(t, c))
	}
	few, _ := open(t, Options{Size: size, Entries: 3})
	for i := range 5 {
		fill(few, fmt.Sprint(i), "", content("", MinSize))
	}
	if s := few.Stats(); s.Entries != 3 || files(t, few) != 3 || few.Has("1") || !few.Has("2") {
		t.Errorf("%+v, %d files", s, files(t, few))
	}
}

// TestFilling has what is being filled count, nobody find it, and only one fill it.
func TestFilling(t *testing.T) {
	c, errs := open(t, Options{Size: MinTotal})
	b := content("x", MinSize)
	f := c.Fill("a", "", MinSize)
	_, _ = f.Write(b[:MinSize-1])
	if c.Has("a") || c.Fill("a", "", MinSize) != nil || c.Stats().Bytes != MinSize {
		t.Error("what is not finished is there, or is filled twice, or does not count")
	}
	f.Close()
	if s := c.Stats(); c.Has("a") || s.Bytes != 0 || files(t, c) != 0 {
		t.Errorf("what was given up is there: %+v, %d files", s, files(t, c))
	}
	var open []*Filling
	for i := range share {
		f := c.Fill(fmt.Sprint(i), "", MinSize)
		if f == nil {
			t.Fatal("there is room, and no copy is wanted")
		}
		open = append(open, f)
	}
	if c.Fill("more", "", MinSize) != nil {
		t.Error("more is filled than there is room for")
	}
	for _, f := range open {
		f.Close()
	}
	f = c.Fill("long", "", MinSize)
	_, _ = f.Write(append(b, 'x'))
	if f.Close(); c.Has("long") || files(t, c) != 0 {
		t.Error("a copy is longer than announced")
	}
	if len(*errs) > 0 {
		t.Error(*errs)
	}
}

// TestDamage changes, cuts and removes files of copies: no byte of them is given, and they are dropped.
func TestDamage(t *testing.T) {
	for name, harm := range map[string]func(file string) error{
		"a bit": func(file string) error {
			b, err := os.ReadFile(file)
			if err == nil {
				b[len(b)-1] ^= 1
				err = os.WriteFile(file, b, 0o600)
			}
			return err
		},
		"cut":  func(file string) error { return os.Truncate(file, 3*block) },
		"gone": os.Remove,
	} {
		c, errs := open(t, Options{Size: 64 << 20})
		b := content("x", 3*block+10)
		fill(c, "a", "", b)
		if err := harm(filepath.Join(c.dir, "1")); err != nil {
			t.Fatal(err)
		}
		if cp := c.Open("a", "", int64(len(b))); cp != nil {
			r := cp.Range(block-5, int64(len(b))-block+5)
			got, err := io.ReadAll(struct{ io.Reader }{r})
			if !errors.Is(err, ErrDamaged) || !errors.Is(r.Err(), ErrDamaged) || !bytes.HasPrefix(b[block-5:], got) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			cp.Close()
		} else if name != "gone" {
			t.Errorf("%s: the copy is not opened", name)
		}
		if s := c.Stats(); c.Has("a") || s.Damaged != 1 || s.Bytes != 0 || len(*errs) != 1 || files(t, c) != 0 {
			t.Errorf("%s: %+v, %v", name, s, *errs)
		}
	}
}

// TestDisk takes the directory away: reads go on without copies, and the disk is left alone for a while.
func TestDisk(t *testing.T) {
	c, errs := open(t, Options{Size: 64 << 20})
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if fill(c, "a", "", content("", MinSize)) {
			t.Error("a copy is made without a directory")
		}
	}
	if s := c.Stats(); len(*errs) != 1 || s.Bytes != 0 {
		t.Errorf("%+v, %v", s, *errs)
	}
}

// TestDirectory has one cache at a time, and empties what another has left.
func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "anew")
	c, _ := open(t, Options{Dir: dir, Size: MinTotal})
	fill(c, "a", "", content("", MinSize))
	if err := os.WriteFile(filepath.Join(dir, "other"), []byte("not the cache's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Size: MinTotal}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second cache: %v", err)
	}
	f := c.Fill("b", "", MinSize)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(content("", MinSize))
	if c.Has("a") || c.Has("b") || c.Fill("c", "", MinSize) != nil {
		t.Error("a cache that is closed has copies")
	}
	again, _ := open(t, Options{Dir: dir, Size: MinTotal})
	if again.Has("a") || files(t, again) != 0 {
		t.Error("a cache begins with copies of another")
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err != nil {
		t.Errorf("what is not the cache's: %v", err)
	}
	if _, err := Open(Options{Dir: t.TempDir(), Size: MinTotal - 1}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("a cache without room: %v", err)
	}
}

// TestConcurrent reads, fills and changes a few names at once: what is read is always the state that was asked for.
func TestConcurrent(t *testing.T) {
	c, errs := open(t, Options{Size: MinTotal + MinTotal/2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				name, state := fmt.Sprint(rand.IntN(20)), fmt.Sprint(rand.IntN(2))
				want := content(name+state, MinSize+rand.IntN(2))
				cp := c.Open(name, state, int64(len(want)))
				if cp == nil {
					fill(c, name, state, want)
					continue
				}
				got, err := io.ReadAll(cp.Range(0, int64(len(want))))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s in state %s: %d bytes, %v", name, state, len(got), err)
				}
				cp.Close()
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Bytes > MinTotal+MinTotal/2 || int64(files(t, c)) != s.Entries || len(*errs) > 0 {
		t.Errorf("%+v, %d files, %v", s, files(t, c), *errs)
	}
}
