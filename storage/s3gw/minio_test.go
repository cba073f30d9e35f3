package s3gw_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// freeAddress returns one that nobody listened on a moment ago, below the ports of outgoing connections.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 23000+rand.IntN(1000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port from 23000 to 23999 is free")
	return ""
}

// minioServer runs the program that the variable MINIO names; without one the test is left out.
func minioServer(t testing.TB) (endpoint string) {
	t.Helper()
	program := os.Getenv("MINIO")
	if program == "" {
		t.Skip("MinIO is missing: name its program in the variable MINIO")
	}
	address := freeAddress(t)
	var log bytes.Buffer
	cmd := exec.Command(program, "server", t.TempDir(), "--address", address, "--console-address", freeAddress(t))
	cmd.Env = append(os.Environ(), "MINIO_CI_CD=1", "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	endpoint = "http://" + address
	for began := time.Now(); time.Since(began) < 60*time.Second; time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(endpoint + "/none"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusForbidden { // it judges requests: before it answers 503
				return endpoint
			}
		}
	}
	t.Fatalf("MinIO is not ready after 60 s: %s", log.String())
	return ""
}

// minioKeys are keys that MinIO takes: they are names of files. It leaves out of lists what lies below a key, so that
// none is here that others of the suite begin with.
func minioKeys(key string) bool {
	if !utf8.ValidString(key) || strings.Count(key, "/") > 1 || strings.ContainsAny(key, "\\\ufffd\uffff") || slices.Contains([]string{"a", "b", "x", "byte"}, key) || strings.Contains(key, "__XLDIR__") || strings.HasPrefix(key, "a/") {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 || strings.TrimSpace(part) != part {
			return false
		}
	}
	return !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func TestConformanceMinIO(t *testing.T) {
	endpoint := minioServer(t)
	const (
		small   = "MinIO wants parts of 5 MiB at least"
		markers = "MinIO makes no delete marker for a key that is not there"
		copies  = "MinIO does not know conditions of copies"
	)
	skip := apart()
	maps.Copy(skip, map[string]string{
		"buckets/delete":                 "MinIO keeps the uploads of a bucket that is removed",
		"buckets/delete-not-empty":       markers,
		"versions/programs":              markers,
		"conditions/put":                 markers,
		"conditions/complete":            markers,
		"paging/emptying":                markers,
		"conditions/copy":                copies,
		"races/one-creator":              copies,
		"races/one-changer":              copies,
		"objects/missing":                "MinIO refuses some keys before it looks for them",
		"objects/delete-guard":           "MinIO replaces no null marker of a bucket with suspended versioning",
		"lists/every-parameter":          "MinIO tells of more behind the last common prefix of a page that begins nowhere, where there is none",
		"lists/rules":                    "MinIO leaves out of lists what lies below a key",
		"lists/markers":                  "MinIO lists common prefixes below which there are delete markers alone",
		"lists/versions-every-parameter": "MinIO does not list versions from every place",
		"uploads/wrong-ref":              "MinIO refuses some keys before it looks for an upload",
		"lists/uploads-every-parameter":  "MinIO lists the uploads of one key only",
		"paging/every-size":              "MinIO lists the uploads of one key only",
		"keys/weird-uploads":             "MinIO lists the uploads of one key only",
		"keys/buckets-apart":             "MinIO lists the uploads of one key only",
		"uploads/list":                   "MinIO lists the uploads of one key only",
		"uploads/list-parts":             "MinIO lists nothing behind a number that no part has",
		"uploads/apart":                  small,
		"complete/part-errors":           small,
		"complete/again":                 small,
		"complete/versions":              "MinIO lets a completion replace the null version of a bucket with versioning",
		"bodies/length":                  small,
		"bodies/readers":                 small,
		"contents/ranges":                small,
		"usage/every-step":               "MinIO forgets an upload that was completed",
		"races/complete-and-abort":       "MinIO forgets an upload that was completed",
		"races/complete-twice":           "MinIO forgets an upload that was completed",
		"races/bucket-deletion":          "MinIO acknowledges writes to a bucket that it removes",
	})
	conformance(t, endpoint, minioKeys, skip)
}
