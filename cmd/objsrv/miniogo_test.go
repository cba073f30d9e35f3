package main

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// newMinioGo starts a server with a bucket named "bucket", and returns MinIO's client for it.
func newMinioGo(t *testing.T) *minio.Client {
	t.Helper()
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	root := p.services.root
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(root.User, root.Password, ""), Region: p.Config.Region, TrailingHeaders: true})
	if err == nil {
		err = c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// contentOf reads an object by MinIO's client.
func contentOf(t *testing.T, c *minio.Client, key string, o minio.GetObjectOptions) string {
	t.Helper()
	r, err := c.GetObject(t.Context(), "bucket", key, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return string(b)
}

func TestMinioGoAppends(t *testing.T) {
	c := newMinioGo(t)
	want := bytes.Repeat([]byte("x"), 100_000)
	if _, err := c.PutObject(t.Context(), "bucket", "log", bytes.NewReader(want), int64(len(want)), minio.PutObjectOptions{Checksum: minio.ChecksumFullObjectCRC32C}); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"a", "bc", string(bytes.Repeat([]byte("d"), 70_000))} {
		info, err := c.AppendObject(t.Context(), "bucket", "log", bytes.NewReader([]byte(piece)), int64(len(piece)), minio.AppendObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, piece...)
		if info.Size != int64(len(want)) || info.ChecksumCRC32C == "" {
			t.Errorf("appended: %+v", info)
		}
	}
	if contentOf(t, c, "log", minio.GetObjectOptions{Checksum: true}) != string(want) {
		t.Error("the content differs")
	}
}

func TestMinioGoListsMetadata(t *testing.T) {
	c := newMinioGo(t)
	for _, key := range []string{"a", "b"} {
		o := minio.PutObjectOptions{UserMetadata: map[string]string{"Color": key}, UserTags: map[string]string{"tag": "of " + key}}
		if _, err := c.PutObject(t.Context(), "bucket", key, bytes.NewReader(nil), 0, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []minio.ListObjectsOptions{{WithMetadata: true}, {WithMetadata: true, WithVersions: true}} {
		n := 0
		for info := range c.ListObjects(t.Context(), "bucket", o) {
			if n++; info.Err != nil || info.UserMetadataStripped["Color"] != info.Key || info.UserTags["tag"] != "of "+info.Key {
				t.Errorf("%+v: %+v", o, info)
			}
		}
		if n != 2 {
			t.Errorf("%d objects", n)
		}
	}
}

func TestMinioGoSnowball(t *testing.T) {
	c := newMinioGo(t)
	for _, compress := range []bool{false, true} {
		objects := make(chan minio.SnowballObject, 3)
		for _, key := range []string{"a", "b/c", "d"} {
			content := strings.Repeat(key, 50_000)
			objects <- minio.SnowballObject{Key: key, Size: int64(len(content)), Content: strings.NewReader(content), Headers: http.Header{"X-Amz-Meta-Color": {"of " + key}}}
		}
		close(objects)
		o := minio.SnowballOptions{InMemory: true, Compress: compress}
		o.Opts.UserMetadata = map[string]string{"X-Amz-Meta-Minio-Snowball-Prefix": "in"}
		if err := c.PutObjectsSnowball(t.Context(), "bucket", o, objects); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b/c", "d"} {
			if contentOf(t, c, "in/"+key, minio.GetObjectOptions{}) != strings.Repeat(key, 50_000) {
				t.Errorf("%s differs", key)
			}
			info, err := c.StatObject(t.Context(), "bucket", "in/"+key, minio.StatObjectOptions{})
			if err != nil || info.UserMetadata["Color"] != "of "+key {
				t.Errorf("%s: %v %v", key, info.UserMetadata, err)
			}
		}
	}
}

func TestMinioGoZip(t *testing.T) {
	c := newMinioGo(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a", "b/c"} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, strings.Repeat(name, 1000))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(t.Context(), "bucket", "x.zip", &b, int64(b.Len()), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	var get minio.GetObjectOptions
	get.Set("x-minio-extract", "true")
	list := minio.ListObjectsOptions{Prefix: "x.zip/", Recursive: true}
	list.Set("x-minio-extract", "true")
	n := 0
	for o := range c.ListObjects(t.Context(), "bucket", list) {
		n++
		if got := contentOf(t, c, o.Key, get); o.Err != nil || int64(len(got)) != o.Size || !strings.HasPrefix(got, strings.TrimPrefix(o.Key, "x.zip/")) {
			t.Errorf("%+v holds %d bytes", o, len(got))
		}
	}
	if n != 2 {
		t.Errorf("%d files", n)
	}
}
