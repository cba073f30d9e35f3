package fs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// TestImport takes a history over from another store: ids, times and order are kept, for small and large contents,
// parts and delete markers, whatever is done with the versions afterwards, and a second import changes nothing.
func TestImport(t *testing.T) {
	ctx := context.Background()
	o := fs.Options{Dir: "data", FS: vfs.NewMem()}
	s := openStore(t, o)
	if err := s.CreateBucket(ctx, storage.Bucket{Name: "b", Versioning: storage.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2020, 1, 2, 3, 4, 5, int(6*time.Millisecond), time.UTC)
	put := func(id, body string) error {
		_, err := s.ImportObject(ctx, storage.PutInput{
			Bucket: "b", Key: "k", Body: strings.NewReader(body), Size: int64(len(body)),
			Digest: func() storage.Digest { return storage.Digest{ETag: "etag-" + id} },
		}, storage.Origin{VersionID: id, Modified: when})
		return err
	}
	upload := func(id string) error {
		u, err := s.CreateUpload(ctx, storage.UploadInput{Bucket: "b", Key: "k"})
		if err != nil {
			return err
		}
		c := storage.CompleteInput{Upload: u.UploadRef, Digest: func(*storage.Upload, []storage.Part) (storage.Digest, error) {
			return storage.Digest{ETag: "x-2"}, nil
		}}
		for n := 1; n <= 2; n++ {
			if _, err := s.PutPart(ctx, storage.PartInput{Upload: u.UploadRef, Number: n, Body: strings.NewReader("part"), Size: 4,
				Digest: func() storage.Digest { return storage.Digest{ETag: "p"} }}); err != nil {
				return err
			}
			c.Parts = append(c.Parts, storage.CompletePart{Number: n, ETag: "p"})
		}
		_, err = s.ImportUpload(ctx, c, storage.Origin{VersionID: id, Modified: when})
		if err != nil {
			_ = s.AbortUpload(ctx, storage.AbortInput{Upload: u.UploadRef})
		}
		return err
	}
	mark := func(id string) error {
		return s.ImportMarker(ctx, storage.Ref{Bucket: "b", Key: "k"}, "", storage.Origin{VersionID: id, Modified: when})
	}
	const hexID = "00000000000000010000000000000002" // as our own are
	steps := []func() error{
		func() error { return put("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "one") },
		func() error { return put(storage.NullVersion, strings.Repeat("two", 100_000)) },
		func() error { return mark("marker-1") },
		func() error { return upload(hexID) },
		func() error { return put("v-5", strings.Repeat("five", 50_000)) },
		func() error { return mark("marker-2") },
	}
	want := []string{"marker-2", "v-5", hexID, "marker-1", storage.NullVersion, "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}
	for i, f := range steps {
		if err := f(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	for i, f := range steps {
		if err := f(); !errors.Is(err, storage.ErrPrecondition) {
			t.Errorf("step %d once more: %v", i, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, o)
	defer func() { _ = s.Close() }()

	ids := func(limit int) (list []string) {
		in := storage.ListInput{Bucket: "b", Limit: limit}
		for {
			p, err := s.ListVersions(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range p.Objects {
				if !o.Modified.Equal(when) {
					t.Errorf("%s was modified at %v", o.VersionID, o.Modified)
				}
				if o.Latest != (len(list) == 0) {
					t.Errorf("%s is latest: %t", o.VersionID, o.Latest)
				}
				list = append(list, o.VersionID)
			}
			if !p.Truncated {
				return list
			}
			in.After, in.AfterID = p.NextAfter, p.NextID
		}
	}
	for limit := 1; limit <= 7; limit++ {
		if got := ids(limit); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("by %d: %v, want %v", limit, got, want)
		}
	}
	for i, id := range want {
		obj, c, err := s.GetObject(ctx, storage.Ref{Bucket: "b", Key: "k", Version: id})
		if strings.HasPrefix(id, "marker") {
			if !errors.Is(err, storage.ErrMarker) {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		b, err := io.ReadAll(c.Range(0, obj.Size))
		_ = c.Close()
		if err != nil || int64(len(b)) != obj.Size || obj.VersionID != id || obj.Latest {
			t.Errorf("version %d: %+v, %d bytes, %v", i, obj, len(b), err)
		}
		if _, err := s.SetTags(ctx, storage.Ref{Bucket: "b", Key: "k", Version: id}, []storage.Tag{{Key: "a", Value: "b"}}); err != nil {
			t.Errorf("tag %s: %v", id, err)
		}
	}
	if parts, err := s.Parts(ctx, storage.Ref{Bucket: "b", Key: "k", Version: hexID}); err != nil || len(parts) != 2 {
		t.Errorf("parts: %v, %v", parts, err)
	}
	// What the id says in our own form is no way to a version that another store has named.
	if _, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k", Version: "00000000000000010000000000000000"}); !errors.Is(err, storage.ErrNoSuchVersion) {
		t.Errorf("a version without its id: %v", err)
	}
	mustBeSound(t, s)
	for len(want) > 0 {
		id := want[len(want)/2]
		res, err := s.DeleteObjects(ctx, "b", []storage.DeleteInput{{Key: "k", Version: id}})
		if err != nil || res[0].Err != nil || res[0].VersionID != id {
			t.Fatalf("delete %s: %+v, %v", id, res, err)
		}
		want = append(want[:len(want)/2:len(want)/2], want[len(want)/2+1:]...)
		if got := ids(2); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	if u, err := s.Usage(ctx, "b"); err != nil || u != (storage.Usage{}) {
		t.Errorf("usage: %+v, %v", u, err)
	}
}

// TestRebuildImported: ids that another store has given are in the files of large objects, too.
func TestRebuildImported(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, fs.Options{Dir: dir})
	mustBucket(t, s, "b", storage.VersioningEnabled)
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, id := range []string{"id-one", "id-two"} {
		in := putInput("b", "k", bytesOf(byte(i), 200_000))
		if _, err := s.ImportObject(ctx, in, storage.Origin{VersionID: id, Modified: when}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.RebuildIndex(ctx, fs.Options{Dir: dir}, func(p fs.Problem) { t.Errorf("rebuild: %s", p) }, nil); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, fs.Options{Dir: dir})
	defer func() { _ = s.Close() }()
	for i, id := range []string{"id-one", "id-two"} {
		mustRead(t, s, "b", "k", id, bytesOf(byte(i), 200_000))
		if o, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "k", Version: id}); err != nil || !o.Modified.Equal(when) || o.Latest != (i == 1) {
			t.Errorf("%s: %+v, %v", id, o, err)
		}
	}
	mustBeSound(t, s)
}
