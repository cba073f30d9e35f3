package fs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// fill puts one of everything into a store.
func fill(t *testing.T, s *fs.Store) {
	t.Helper()
	mustBucket(t, s, "b", storage.VersioningUnset)
	mustPut(t, s, "b", "empty", nil)
	mustPut(t, s, "b", "inline", bytesOf(1, 1000))
	mustPut(t, s, "b", "blob", bytesOf(2, 300_000))
	mustPut(t, s, "b", "replaced", bytesOf(3, 100_000))
	mustPut(t, s, "b", "replaced", bytesOf(4, 100_000))
	mustPut(t, s, "b", "deleted", bytesOf(5, 100_000))
	mustDelete(t, s, "b", "deleted", "")
	mustMultipart(t, s, "b", "multi", bytesOf(6, 100_000), bytesOf(7, 5))
	if _, err := s.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: "b", Key: "multi"}, Bucket: "b", Key: "copy"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: "b", Key: "blob"}, Bucket: "b", Key: "copy of blob"}); err != nil {
		t.Fatal(err)
	}
	mustBucket(t, s, "v", storage.VersioningEnabled)
	mustPut(t, s, "v", "k", bytesOf(8, 100_000))
	mustPut(t, s, "v", "k", bytesOf(9, 50))
	mustPut(t, s, "v", "k", bytesOf(10, 100_000))
	mustPut(t, s, "v", "gone", bytesOf(11, 100_000))
	mustDelete(t, s, "v", "gone", "")
	u, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: "b", Key: "open"})
	if err != nil {
		t.Fatal(err)
	}
	in := putInput("b", "open", bytesOf(12, 100_000))
	if _, err := s.PutPart(ctx, storage.PartInput{Upload: u.UploadRef, Number: 3, Body: in.Body, Size: in.Size, Digest: in.Digest}); err != nil {
		t.Fatal(err)
	}
}

// offline checks a closed store.
func offline(t *testing.T, dir string) []fs.Problem {
	t.Helper()
	var list []fs.Problem
	if _, err := fs.Check(ctx, fs.Options{Dir: dir}, func(p fs.Problem) { list = append(list, p) }); err != nil {
		t.Fatalf("Check: %v", err)
	}
	return list
}

// TestCheckSound checks a store with one of everything, open and closed.
func TestCheckSound(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: dir})
	fill(t, s)
	list, st := check(t, s)
	if len(list) > 0 {
		t.Errorf("check finds %v", list)
	}
	want := fs.CheckStats{Buckets: 2, Objects: 8, Versions: 11, Markers: 1, Uploads: 1, Parts: 1, Blobs: 11}
	st.Bytes = 0
	if st != want {
		t.Errorf("check counts %+v, want %+v", st, want)
	}
	if _, err := fs.Check(ctx, fs.Options{Dir: dir}, func(fs.Problem) {}); !errors.Is(err, fs.ErrInUse) {
		t.Errorf("check of a store that is open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if list := offline(t, dir); len(list) > 0 {
		t.Errorf("offline check finds %v", list)
	}
}

// TestCheckFindsPlanted plants faults in the directory and looks for each by name.
func TestCheckFindsPlanted(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: dir})
	fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(dir, "blobs", "0", "fff")
	for _, f := range []string{stray, filepath.Join(dir, "blobs", "0", "notes.txt")} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for _, f := range blobFiles(t, dir) {
		b, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(b[:min(200, len(b))]), "open") {
			change(t, f, flip(5000)) // the part of the open upload
			kept = append(kept, filepath.Base(f))
		}
	}
	if len(kept) != 1 {
		t.Fatalf("parts of the open upload: %v", kept)
	}
	list := offline(t, dir)
	if !slices.ContainsFunc(list, func(p fs.Problem) bool { return p.Kind == "stray" && strings.HasSuffix(p.File, "0/fff") }) ||
		!slices.ContainsFunc(list, func(p fs.Problem) bool { return p.Kind == "stray" && strings.HasSuffix(p.File, "notes.txt") }) ||
		!slices.ContainsFunc(list, func(p fs.Problem) bool {
			return p.Kind == "blob" && p.Bucket == "b" && p.Key == "open" && p.Part == 3 && p.Upload != ""
		}) || len(list) != 3 {
		t.Errorf("check finds %v", list)
	}
}

// TestRebuildIndex loses the index and restores what lies in files.
func TestRebuildIndex(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: dir})
	fill(t, s)
	var versions []storage.Object
	for _, b := range []string{"b", "v"} {
		page, err := s.ListVersions(ctx, storage.ListInput{Bucket: b, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, page.Objects...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Open(fs.Options{Dir: dir}); !errors.Is(err, fs.ErrIndexLost) {
		t.Fatalf("Open without an index: %v", err)
	}
	st, err := fs.RebuildIndex(ctx, fs.Options{Dir: dir}, func(p fs.Problem) { t.Errorf("rebuild: %s", p) }, nil)
	if err != nil {
		t.Fatalf("RebuildIndex: %v", err)
	}
	if st.Buckets != 2 || st.Versions != 8 {
		t.Errorf("rebuild: %+v", st)
	}
	r := openStore(t, fs.Options{Dir: dir})
	for _, c := range []struct {
		bucket, key string
		want        []byte
	}{
		{"b", "blob", bytesOf(2, 300_000)}, {"b", "replaced", bytesOf(4, 100_000)}, {"b", "copy of blob", bytesOf(2, 300_000)},
		{"b", "multi", append(bytesOf(6, 100_000), bytesOf(7, 5)...)}, {"b", "copy", append(bytesOf(6, 100_000), bytesOf(7, 5)...)},
		{"v", "k", bytesOf(10, 100_000)}, {"v", "gone", bytesOf(11, 100_000)},
	} {
		mustRead(t, r, c.bucket, c.key, "", c.want)
	}
	// Versions keep their ids, order and metadata.
	for _, want := range versions {
		got, err := r.StatObject(ctx, storage.Ref{Bucket: map[bool]string{true: "v", false: "b"}[want.VersionID != "null"], Key: want.Key, Version: want.VersionID})
		if want.DeleteMarker || want.Size < 50_000 {
			if err == nil {
				t.Errorf("%s %s, which no file holds, is there", want.Key, want.VersionID)
			}
			continue
		}
		if err != nil || got.ETag != want.ETag || got.Size != want.Size || !got.Modified.Equal(want.Modified) || got.UploadID != want.UploadID {
			t.Errorf("%s %s: %+v, %v, want %+v", want.Key, want.VersionID, got, err, want)
		}
	}
	if p, err := r.Parts(ctx, storage.Ref{Bucket: "b", Key: "multi"}); err != nil || len(p) != 2 {
		t.Errorf("parts: %v, %v", p, err)
	}
	list, _ := check(t, r)
	for _, p := range list {
		if p.Kind != "stray" || p.Key != "open" { // the part of an upload that is lost
			t.Errorf("check after a rebuild finds %s", p)
		}
	}
	// The store goes on, and ids do not come again.
	o := mustPut(t, r, "v", "k", bytesOf(20, 100_000))
	if slices.ContainsFunc(versions, func(v storage.Object) bool { return v.VersionID == o.VersionID }) {
		t.Errorf("version id %s came again", o.VersionID)
	}
	mustRead(t, r, "v", "k", "", bytesOf(20, 100_000))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if list := offline(t, dir); len(list) != 1 {
		t.Errorf("offline check after a rebuild finds %v", list)
	}
}
