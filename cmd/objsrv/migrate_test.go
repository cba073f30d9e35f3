package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/tags"

	"github.com/objsrv/objsrv/storage"
)

// TestMigrateFrom moves from one of our own servers to another over S3: reads fall through, settings of buckets come, a start
// without the flag is refused until everything has come, and then cuts over.
func TestMigrateFrom(t *testing.T) {
	ctx := t.Context()
	env := environ{"OBJSRV_ROOT_USER": "root-user", "OBJSRV_ROOT_PASSWORD": testPassword}
	old, _, _ := start(t, env, t.TempDir())
	co := s3Client(t, old)
	versions := fillOld(t, co)

	dir, from := t.TempDir(), "http://"+old.Addr().String()
	p, _, stderr := start(t, env, dir, "--migrate-from", from, "--migrate-rate", "20MiB")
	if !strings.Contains(stderr.String(), "moving from "+from) {
		t.Errorf("nothing is said at the start: %s", stderr)
	}
	c := s3Client(t, p)
	if got := readAll(t, c, "kept", "deep/er", versions[0]); got != "first" {
		t.Errorf("the first version: %q", got)
	}
	if _, err := c.PutObject(ctx, "kept", "deep/er", strings.NewReader("third"), 5, minio.PutObjectOptions{}); err != nil {
		t.Error(err)
	}
	face := migrationFace{p.services.moving}
	awaitStatus(t, "copied", 1, func() int {
		if face.Status().State == "complete" {
			return 1
		}
		return 0
	})
	if err := face.Verify(); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, "verified", 1, func() int {
		if !face.Status().Verify.Running {
			return 1
		}
		return 0
	})
	if st := face.Status(); st.Verify.Different != 0 || st.Verify.Problems == nil || st.Verify.Compared != 4 || st.Verify.Same != 4 || st.Failed != 0 {
		t.Errorf("status: %+v; %+v", st, st.Verify)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	after, _, _ := start(t, env, dir)
	checkMoved(t, after, versions)
}

// fillOld makes what is moved, and returns the ids of the versions of kept/deep/er.
func fillOld(t *testing.T, c *minio.Client) (versions []string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.MakeBucket(ctx, "kept", minio.MakeBucketOptions{}))
	must(c.EnableVersioning(ctx, "kept"))
	for _, body := range []string{"first", "second"} {
		info, err := c.PutObject(ctx, "kept", "deep/er", strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{UserMetadata: map[string]string{"A": body}, UserTags: map[string]string{"t": body}})
		must(err)
		versions = append(versions, info.VersionID)
	}
	_, err := c.PutObject(ctx, "kept", "gone", strings.NewReader("x"), 1, minio.PutObjectOptions{})
	must(err)
	must(c.RemoveObject(ctx, "kept", "gone", minio.RemoveObjectOptions{}))
	bt, err := tags.MapToBucketTags(map[string]string{"team": "blue"})
	must(err)
	must(c.SetBucketTagging(ctx, "kept", bt))
	rules := lifecycle.NewConfiguration()
	rules.Rules = []lifecycle.Rule{{ID: "r", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "tmp/"}, Expiration: lifecycle.Expiration{Days: 30}}}
	must(c.SetBucketLifecycle(ctx, "kept", rules))
	return versions
}

func readAll(t *testing.T, c *minio.Client, bucket, key, version string) string {
	t.Helper()
	o, err := c.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{VersionID: version})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		t.Fatalf("read %s/%s: %v", bucket, key, err)
	}
	return string(b)
}

// checkMoved looks at a server that has moved.
func checkMoved(t *testing.T, p *Program, versions []string) {
	t.Helper()
	ctx, c := t.Context(), s3Client(t, p)
	var ids []string
	for o := range c.ListObjects(ctx, "kept", minio.ListObjectsOptions{WithVersions: true, Recursive: true, Prefix: "deep/"}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		ids = append(ids, o.VersionID)
	}
	if len(ids) != 3 || ids[1] != versions[1] || ids[2] != versions[0] {
		t.Errorf("versions %v, came from %v", ids, versions)
	}
	if got := readAll(t, c, "kept", "deep/er", ""); got != "third" {
		t.Errorf("the current version: %q", got)
	}
	info, err := c.StatObject(ctx, "kept", "deep/er", minio.StatObjectOptions{VersionID: versions[0]})
	if err != nil || info.UserMetadata["A"] != "first" || info.UserTagCount != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	if bt, err := c.GetBucketTagging(ctx, "kept"); err != nil || bt.ToMap()["team"] != "blue" {
		t.Errorf("tags: %v, %v", bt, err)
	}
	if l, err := c.GetBucketLifecycle(ctx, "kept"); err != nil || len(l.Rules) != 1 {
		t.Errorf("lifecycle: %+v, %v", l, err)
	}
	list, _, err := p.services.disk.ListBuckets(context.Background(), "", "", 10)
	if err != nil || slices.ContainsFunc(list, func(b *storage.Bucket) bool { return b.Name != "kept" }) {
		t.Errorf("buckets on the disk: %v, %v", list, err)
	}
}

// TestMigrateNotComplete: a start without the flag is refused while something is left, and giving up is explicit.
func TestMigrateNotComplete(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "root-user", "OBJSRV_ROOT_PASSWORD": testPassword}
	dir := t.TempDir()
	const nowhere = "http://127.0.0.1:1"
	p, _, _ := start(t, env, dir, "--migrate-from", nowhere)
	awaitStatus(t, "waits", 1, func() int {
		if (migrationFace{p.services.moving}).Status().State == "waiting" {
			return 1
		}
		return 0
	})
	began := time.Now()
	if err := p.Close(); err != nil || time.Since(began) > 20*time.Second {
		t.Fatalf("close after %v: %v", time.Since(began), err)
	}
	for _, c := range []struct {
		args []string
		want string // "" for a start
	}{
		{nil, "is not complete"},
		{[]string{"--migrate-from", "http://127.0.0.1:2"}, "another source"},
		{[]string{"--migrate-abandon"}, ""},
		{nil, ""},
	} {
		p, _, _ := newProgram(t, env, append([]string{dir}, c.args...)...)
		err := p.Start()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
		p.Close()
	}
}

// TestMigrateSettings: what does not go together is refused with what to do instead.
func TestMigrateSettings(t *testing.T) {
	root := environ{"OBJSRV_ROOT_USER": "root-user", "OBJSRV_ROOT_PASSWORD": testPassword}
	for _, c := range []struct {
		env  environ
		args []string
		want string
	}{
		{root, []string{"/d", "--migrate-from", "minio:9000"}, "not a URL"},
		{root, []string{"/d", "--migrate-from", "http://minio:9000/bucket"}, "not a URL"},
		{root, []string{"/d", "--migrate-from", "http://minio:9000", "--migrate-abandon"}, "choose one"},
		{root, []string{"/d", "--migrate-rate", "5MiB"}, "without --migrate-from"},
		{root, []string{"/d", "--migrate-from", "http://minio:9000", "--migrate-rate", "fast"}, "not a number of bytes"},
		{root, []string{"/d", "--migrate-from", "http://minio:9000", "--migrate-workers", "0"}, "from 1 to 256"},
		{environ{}, []string{"/d", "--migrate-from", "http://minio:9000"}, "are not known"},
		{environ{"OBJSRV_MIGRATE_ACCESS_KEY": "a"}, []string{"/d", "--migrate-from", "http://minio:9000"}, "set both"},
	} {
		if _, _, err := parseServer(t, c.env, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	conf, _, err := parseServer(t, environ{"OBJSRV_MIGRATE_ACCESS_KEY": "a", "OBJSRV_MIGRATE_SECRET_KEY": "b", "OBJSRV_MIGRATE_FROM": "https://minio:9000/"}, "/d", "--migrate-rate", "1.5MiB")
	if err != nil || conf.Migrate.URL != "https://minio:9000" || conf.Migrate.AccessKey != "a" || conf.Migrate.Rate != 3<<19 || conf.Migrate.Workers != 8 || conf.Migrate.Region != "us-east-1" {
		t.Errorf("%+v, %v", conf, err)
	}
}
