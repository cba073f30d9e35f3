package s3api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden compares an answer with testdata/NAME.xml. masked are texts that differ from run to run.
func golden(t *testing.T, name, got string, masked ...string) {
	t.Helper()
	for _, m := range masked {
		got = strings.ReplaceAll(got, m, "MASKED")
	}
	got = strings.ReplaceAll(got, "><", ">\n<")
	file := filepath.Join("testdata", name+".xml")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("answer differs from %s:\n%s", file, got)
	}
}
