package s3gw_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/s3gw"
	"github.com/objsrv/objsrv/storage/storagetest"
)

// running opens stores before a server that runs already: the variable has its URL, access key and secret key, with commas.
// Without it the test is left out.
func running(t *testing.T, name, variable string) func(t *testing.T) *s3gw.Store {
	t.Helper()
	parts := strings.SplitN(os.Getenv(variable), ",", 3)
	if len(parts) < 3 {
		t.Skipf("%s is missing: name one that runs in the variable %s=URL,ACCESSKEY,SECRETKEY", name, variable)
	}
	return func(t *testing.T) *s3gw.Store {
		return opened(t, s3gw.Options{Endpoint: parts[0], AccessKey: parts[1], SecretKey: parts[2], Records: newRecords()})
	}
}

// conformanceOf runs the suite before such a server.
func conformanceOf(t *testing.T, gateway func(*testing.T) *s3gw.Store, within *storagetest.Within, skip map[string]string) {
	caps, err := gateway(t).Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("the upstream", caps)
	all := apart()
	maps.Copy(all, skip)
	open := func(t *testing.T) storage.Backend { return measured{gateway(t)} }
	storagetest.Run(t, open, storagetest.Options{Thresholds: []int64{64 << 10}, Within: within, Skip: all})
}

// TestConformanceUpstream is for any server, with no exceptions but those of S3 itself.
func TestConformanceUpstream(t *testing.T) {
	conformanceOf(t, running(t, "another S3 server", "S3_UPSTREAM"), within(minioKeys), nil)
}

// TestConformanceCeph is for Ceph 16. It is slow: a minute and more on an idle machine.
func TestConformanceCeph(t *testing.T) {
	const (
		markers = "Ceph does not tell that what it does not find is a delete marker"
		sources = "Ceph heeds no condition on the source of a copy"
		copies  = "Ceph knows no conditions of copies, nor of completions"
		prefix  = "Ceph gives a common prefix once only, also when the list starts within it"
		noSums  = "Ceph 16 keeps no checksums"
		small   = "Ceph wants parts of 5 MiB at least"
		twice   = "Ceph answers 500 to a completion while another is under way, or when the upload is gone"
	)
	without := within(minioKeys)
	meta := without.Meta
	without.Meta = func(mark string) storage.Meta {
		m := meta(mark)
		m.Class = "" // it has to be configured there
		return m
	}
	conformanceOf(t, running(t, "Ceph's RADOS gateway", "CEPH"), without, map[string]string{
		"objects/round-trip":             noSums,
		"objects/overwrite":              noSums,
		"objects/missing":                "Ceph refuses some keys before it looks for them",
		"objects/delete-guard":           markers,
		"versions/programs":              markers,
		"versions/markers":               markers,
		"conditions/put":                 "Ceph fails If-None-Match with an ETag where there is no object",
		"conditions/copy":                copies,
		"conditions/complete":            copies,
		"copies/source-etag":             sources,
		"copies/parts-refused":           sources,
		"lists/every-parameter":          prefix,
		"lists/versions-every-parameter": prefix,
		"lists/uploads-every-parameter":  prefix,
		"paging/version-gone":            "Ceph lists nothing behind a version that is gone",
		"paging/emptying":                "Ceph lists nothing behind a version that is gone",
		"keys/weird-versioned":           "Ceph's lists of versions stop at some keys",
		"keys/weird-uploads":             "Ceph's lists of uploads stop at some keys",
		"uploads/wrong-ref":              twice,
		"uploads/abort":                  twice,
		"uploads/list":                   "Ceph lists the uploads of one key by their ids, not by their times",
		"uploads/apart":                  small,
		"complete/part-errors":           small,
		"complete/again":                 copies,
		"bodies/length":                  small,
		"bodies/readers":                 small,
		"contents/ranges":                small,
		"usage/every-step":               "Ceph makes no second marker where versioning is suspended",
		"races/complete-and-abort":       twice,
		"races/complete-twice":           twice,
		"races/bucket-deletion":          "Ceph acknowledges writes to a bucket that it removes",
		"races/counters":                 "Ceph answers 404 to copies that race with deletes",
		"races/one-creator":              copies,
		"races/one-changer":              copies,
	})
}
