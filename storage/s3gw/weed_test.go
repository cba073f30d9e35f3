package s3gw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/s3gw"
	"github.com/objsrv/objsrv/storage/storagetest"
)

// weedServer runs SeaweedFS, master, volumes, filer and S3 in one process, by the program that the variable WEED names;
// without one the test is left out.
func weedServer(t testing.TB) (endpoint string) {
	t.Helper()
	program := os.Getenv("WEED")
	if program == "" {
		t.Skip("SeaweedFS is missing: name its program in the variable WEED")
	}
	dir := t.TempDir()
	identities := filepath.Join(dir, "s3.json")
	doc := fmt.Sprintf(`{"identities": [{"name": "gateway", "credentials": [{"accessKey": %q, "secretKey": %q}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}`, accessKey, secretKey)
	if err := os.WriteFile(identities, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	// each bucket has volumes of its own, and the suite has hundreds of buckets
	growth := "[master.volume_growth]\ncopy_1 = 1\n"
	if err := os.WriteFile(filepath.Join(dir, "master.toml"), []byte(growth), 0o600); err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	port := func() string {
		for {
			_, p, err := net.SplitHostPort(freeAddress(t))
			if err != nil {
				t.Fatal(err)
			}
			if !given[p] {
				given[p] = true
				return p
			}
		}
	}
	s3 := port()
	var log bytes.Buffer
	cmd := exec.Command(program, "-logtostderr", "server", "-dir", dir, "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-master.telemetry=false", "-volume.max", "10000", "-master.volumeSizeLimitMB", "64",
		"-master.port", port(), "-master.port.grpc", port(), "-volume.port", port(), "-volume.port.grpc", port(), "-volume.preStopSeconds", "0", "-volume.minFreeSpace", "1",
		"-filer", "-filer.port", port(), "-filer.port.grpc", port(), "-filer.localSocket", filepath.Join(dir, "filer.sock"),
		"-s3", "-s3.port", s3, "-s3.port.grpc", port(), "-s3.port.iceberg", "0", "-s3.port.lance", "0", "-s3.iam=false", "-s3.config", identities, "-s3.localSocket", filepath.Join(dir, "s3.sock"),
		"-s3.autoCreateBucket=false")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	endpoint = "http://127.0.0.1:" + s3
	for began := time.Now(); time.Since(began) < 90*time.Second; time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("SeaweedFS has ended: %s", log.String())
		default:
		}
		if resp, err := http.Get(endpoint + "/healthz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK && weedWrites(gateway(t, endpoint)) {
				return endpoint
			}
		}
	}
	t.Fatalf("SeaweedFS is not ready after 90 s: %s", log.String())
	return ""
}

// weedWrites tells whether there are volumes to write to, which is some time after S3 answers.
func weedWrites(s *s3gw.Store) bool {
	ctx, bucket := context.Background(), "ready"
	if err := s.CreateBucket(ctx, storage.Bucket{Name: bucket}); err != nil && !errors.Is(err, storage.ErrBucketExists) {
		return false
	}
	_, err := s.PutObject(ctx, storage.PutInput{Bucket: bucket, Key: "key", Body: strings.NewReader("x"), Size: 1, Digest: func() storage.Digest { return storage.Digest{ETag: "9dd4e461268c8034f5c8564e155c67a6"} }})
	return err == nil
}

func TestConformanceSeaweedFS(t *testing.T) {
	endpoint := weedServer(t)
	caps, err := gateway(t, endpoint).Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("the upstream", caps)
	open := func(t *testing.T) storage.Backend { return measured{gateway(t, endpoint)} }
	const (
		small    = "SeaweedFS wants parts of 5 MiB at least"
		markers  = "SeaweedFS does not tell that what it does not find is a delete marker"
		absent   = "SeaweedFS answers 412 where a condition meets no object, which S3 calls a missing key"
		gone     = "SeaweedFS knows uploads by their key: it answers about those that are gone, or never were, as if they had no parts"
		noTime   = "SeaweedFS lists uploads by a hash of their keys, and without their times"
		more     = "SeaweedFS says that a list goes on where it ends"
		order    = "SeaweedFS lists the null version last"
		noStore  = "SeaweedFS lists a part of which no byte arrived"
		onWrites = "SeaweedFS leaves keys out of a page while others are written"
	)
	skip := apart()
	maps.Copy(skip, map[string]string{
		"buckets/delete":                 "SeaweedFS keeps the uploads of a bucket that is removed",
		"buckets/delete-not-empty":       "SeaweedFS keeps the null marker of a bucket with suspended versioning",
		"objects/missing":                "SeaweedFS refuses some ids before it looks for them",
		"objects/delete-guard":           markers,
		"versions/programs":              markers,
		"versions/markers":               markers,
		"conditions/put":                 absent,
		"conditions/copy":                absent,
		"conditions/complete":            "SeaweedFS does not decide conditions in one step with completions",
		"copies/parts-refused":           "the digest of a copy is the upstream's",
		"lists/every-parameter":          more,
		"lists/markers":                  more,
		"lists/versions-every-parameter": more,
		"lists/uploads-every-parameter":  "SeaweedFS lists uploads without a delimiter only, which it says (501)",
		"paging/every-size":              noTime,
		"paging/upload-gone":             noTime,
		"paging/emptying":                "SeaweedFS leaves versions out of a page while others are removed",
		"paging/under-writes":            onWrites,
		"keys/weird-uploads":             noTime,
		"keys/buckets-apart":             noTime,
		"uploads/list":                   noTime,
		"uploads/list-parts":             more,
		"uploads/wrong-ref":              gone,
		"uploads/abort":                  gone,
		"uploads/apart":                  small,
		"complete/part-errors":           small,
		"complete/again":                 small,
		"complete/versions":              order,
		"bodies/failing":                 noStore,
		"bodies/length":                  noStore,
		"bodies/readers":                 small,
		"contents/ranges":                small,
		"usage/every-step":               gone,
		"races/one-creator":              "SeaweedFS does not decide conditions in one step with completions",
		"races/one-changer":              "SeaweedFS does not decide conditions in one step with completions",
		"races/complete-and-abort":       gone,
		"races/complete-twice":           "SeaweedFS makes a version for each of several completions of an upload",
		"races/bucket-creation":          "SeaweedFS answers 404 to some of those who create one bucket at the same moment",
		"races/bucket-deletion":          "SeaweedFS acknowledges writes to a bucket that it removes",
	})
	storagetest.Run(t, open, storagetest.Options{Thresholds: []int64{64 << 10}, Within: withoutEmpty(minioKeys), Skip: skip})
}
