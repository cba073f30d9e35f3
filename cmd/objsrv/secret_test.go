package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestMakeDurably: a directory is made with those that lead to it, also below ones that can't be synced, and one that is in
// use stays as it is.
func TestMakeDurably(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	for range 2 {
		if err := makeDurably(filepath.Join("a", "b")); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if makeDurably(filepath.Join(file, "a")) == nil {
		t.Error("a directory is made below a file")
	}
	if runtime.GOOS != "linux" {
		t.Skip("no directory that can't be synced is known here")
	}
	if err := makeDurably("/proc/self/cwd/c/d"); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{"a/b", "c/d"} {
		if info, err := os.Stat(filepath.Join(top, dir)); err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Error(dir, info, err)
		}
	}
}
