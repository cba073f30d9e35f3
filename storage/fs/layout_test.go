package fs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// TestOpenRefuses opens directories that a store must not touch.
func TestOpenRefuses(t *testing.T) {
	made := func(t *testing.T) string {
		dir := t.TempDir()
		s := openStore(t, fs.Options{Dir: dir})
		mustBucket(t, s, "b", storage.VersioningUnset)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	write := func(t *testing.T, name, content string) {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, name string) {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		dir  func(t *testing.T) string
		want error
		says string
	}{
		{"foreign files", func(t *testing.T) string {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "thesis.tex"), "x")
			return dir
		}, fs.ErrForeign, "thesis.tex"},
		{"a newer format", func(t *testing.T) string {
			dir := made(t)
			write(t, filepath.Join(dir, "format.json"), `{"format":2,"deployment":"x","state":"ready"}`)
			return dir
		}, fs.ErrNewerFormat, "format 2"},
		{"a lost index", func(t *testing.T) string {
			dir := made(t)
			remove(t, filepath.Join(dir, "index"))
			return dir
		}, fs.ErrIndexLost, "--rebuild-index"},
		{"an emptied index", func(t *testing.T) string {
			dir := made(t)
			list, _ := filepath.Glob(filepath.Join(dir, "index", "marker*"))
			for _, f := range list {
				remove(t, f)
			}
			return dir
		}, nil, "--rebuild-index"},
		{"lost blobs", func(t *testing.T) string {
			dir := made(t)
			remove(t, filepath.Join(dir, "blobs"))
			return dir
		}, nil, "blobs"},
		{"a lost format file", func(t *testing.T) string {
			dir := made(t)
			remove(t, filepath.Join(dir, "format.json"))
			return dir
		}, fs.ErrForeign, "format.json"},
		{"a damaged format file", func(t *testing.T) string {
			dir := made(t)
			write(t, filepath.Join(dir, "format.json"), `{"format":`)
			return dir
		}, nil, "damaged"},
		{"an interrupted rebuild", func(t *testing.T) string {
			dir := made(t)
			write(t, filepath.Join(dir, "format.json"), `{"format":1,"deployment":"x","state":"rebuilding"}`)
			return dir
		}, fs.ErrRebuilding, "again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.dir(t)
			before := tree(t, dir)
			s, err := fs.Open(fs.Options{Dir: dir})
			if err == nil {
				_ = s.Close()
				t.Fatal("was opened")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
			if after := tree(t, dir); c.name == "foreign files" && after != before {
				t.Errorf("directory was changed from %s to %s", before, after)
			}
		})
	}
}

// tree lists the names in a directory.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, _ os.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(p, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// TestSecondOpen opens a directory twice.
func TestSecondOpen(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: dir})
	if _, err := fs.Open(fs.Options{Dir: dir}); !errors.Is(err, fs.ErrInUse) {
		t.Errorf("second Open: %v", err)
	}
	id := s.Deployment()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, fs.Options{Dir: dir})
	if s.Deployment() != id || len(id) != 32 {
		t.Errorf("deployment id %q became %q", id, s.Deployment())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestModes looks at the permissions of what a store makes.
func TestModes(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: filepath.Join(dir, "new", "store")})
	mustBucket(t, s, "b", storage.VersioningUnset)
	mustPut(t, s, "b", "k", bytesOf(1, 100_000))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(dir, "new"), func(p string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnmounted takes the directory away from under a running store, as an unmount
// does: writes fail and nothing is made in its place.
func TestUnmounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mnt")
	s, err := fs.Open(fs.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	mustBucket(t, s, "b", storage.VersioningUnset)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := put("k", 100_000)(s); err == nil {
		t.Error("a blob was written into the bare mount point")
	}
	if got := tree(t, dir); got != "" {
		t.Errorf("the bare mount point holds %s", got)
	}
	_ = s.Close()
}
