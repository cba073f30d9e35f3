package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDist finds pages that were not built anew after their source had changed. It needs no npm: the build leaves a
// hash of its source. What came of the build is compared by `make console-check`.
func TestDist(t *testing.T) {
	source := []string{"index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"}
	tests := regexp.MustCompile(`\.test\.tsx?$`)
	err := fs.WalkDir(os.DirFS("app"), "src", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !tests.MatchString(name) {
			source = append(source, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(source)
	var lines strings.Builder
	for _, name := range source {
		raw, err := os.ReadFile(filepath.Join("app", name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(raw), name)
	}
	sum := sha256.Sum256([]byte(lines.String()))
	built, err := fs.ReadFile(embeddedApp(), "source.sha256")
	if err != nil || strings.TrimSpace(string(built)) != hex.EncodeToString(sum[:]) {
		t.Errorf("webui/dist was built from another source: run make console (%v)", err)
	}
}
