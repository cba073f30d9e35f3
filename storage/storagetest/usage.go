package storagetest

import (
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

var usageCases = []testCase{
	{"usage/every-step", usageEverySteps},
}

// usage checks a bucket's counters.
func (e *env) usage(bucket string, want storage.Usage) {
	e.Helper()
	got, err := e.Usage(e.ctx, bucket)
	e.ok("Usage", err)
	e.equal("usage", got, want)
}

// count counts what a bucket holds by listing it.
func (e *env) count(bucket string) (u storage.Usage) {
	e.Helper()
	for _, o := range e.allVersions(bucket) {
		if o.DeleteMarker {
			u.Markers++
			continue
		}
		u.Versions++
		u.Bytes += o.Size
		if o.Latest {
			u.Objects++
		}
	}
	return u
}

// usageEverySteps does one thing after another and compares the counters with a
// listing each time, and with what they should be.
func usageEverySteps(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var etag string
	var up *storage.Upload
	var marker storage.DeleteResult
	key := storage.Ref{Bucket: bucket, Key: "k"}
	for _, step := range []struct {
		what string
		do   func()
		want storage.Usage
	}{
		{"nothing", func() {}, storage.Usage{}},
		{"put", func() { e.put(bucket, "k", "12345") }, storage.Usage{Objects: 1, Versions: 1, Bytes: 5}},
		{"overwrite", func() { e.put(bucket, "k", "123") }, storage.Usage{Objects: 1, Versions: 1, Bytes: 3}},
		{"refused put", func() {
			in := putInput(bucket, "k", []byte("123456789"))
			in.If.IfNoneMatch = "*"
			_, err := e.PutObject(e.ctx, in)
			e.is("PutObject", err, storage.ErrPrecondition)
		}, storage.Usage{Objects: 1, Versions: 1, Bytes: 3}},
		{"large", func() { e.put(bucket, "big", strings.Repeat("x", 1<<20)) }, storage.Usage{Objects: 2, Versions: 2, Bytes: 3 + 1<<20}},
		{"delete large", func() { e.del(bucket, "big", "") }, storage.Usage{Objects: 1, Versions: 1, Bytes: 3}},
		{"delete missing", func() { e.del(bucket, "big", "") }, storage.Usage{Objects: 1, Versions: 1, Bytes: 3}},
		{"upload", func() { up = e.upload(bucket, "k"); etag = e.part(up, 1, "part of 12 b").ETag }, storage.Usage{Objects: 1, Versions: 1, Bytes: 3}},
		{"complete", func() {
			_, err := e.CompleteUpload(e.ctx, completeInput(up.UploadRef, storage.Part{Number: 1, ETag: etag}))
			e.ok("CompleteUpload", err)
		}, storage.Usage{Objects: 1, Versions: 1, Bytes: 12}},
		{"complete again", func() {
			_, err := e.CompleteUpload(e.ctx, completeInput(up.UploadRef, storage.Part{Number: 1, ETag: etag}))
			e.ok("CompleteUpload", err)
		}, storage.Usage{Objects: 1, Versions: 1, Bytes: 12}},
		{"tags", func() {
			_, err := e.SetTags(e.ctx, key, []storage.Tag{{Key: "a", Value: "b"}})
			e.ok("SetTags", err)
		}, storage.Usage{Objects: 1, Versions: 1, Bytes: 12}},
		{"versioned", func() { e.versioning(bucket, storage.VersioningEnabled); e.put(bucket, "k", "1") }, storage.Usage{Objects: 1, Versions: 2, Bytes: 13}},
		{"copy", func() {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "k", Version: storage.NullVersion}, Bucket: bucket, Key: "c"})
			e.ok("CopyObject", err)
		}, storage.Usage{Objects: 2, Versions: 3, Bytes: 25}},
		{"marker", func() { marker = e.del(bucket, "k", "") }, storage.Usage{Objects: 1, Versions: 3, Markers: 1, Bytes: 25}},
		{"second marker", func() { e.del(bucket, "k", "") }, storage.Usage{Objects: 1, Versions: 3, Markers: 2, Bytes: 25}},
		{"delete old marker", func() { e.del(bucket, "k", marker.VersionID) }, storage.Usage{Objects: 1, Versions: 3, Markers: 1, Bytes: 25}},
		{"marker of a missing key", func() { marker = e.del(bucket, "no", "") }, storage.Usage{Objects: 1, Versions: 3, Markers: 2, Bytes: 25}},
		{"delete it", func() { e.del(bucket, "no", marker.VersionID) }, storage.Usage{Objects: 1, Versions: 3, Markers: 1, Bytes: 25}},
		{"delete null under a marker", func() { e.del(bucket, "k", storage.NullVersion) }, storage.Usage{Objects: 1, Versions: 2, Markers: 1, Bytes: 13}},
		{"put over a marker", func() { e.put(bucket, "k", "22") }, storage.Usage{Objects: 2, Versions: 3, Markers: 1, Bytes: 15}},
		{"delete the latest: a marker is next", func() { e.del(bucket, "k", e.stat(bucket, "k", "").VersionID) }, storage.Usage{Objects: 1, Versions: 2, Markers: 1, Bytes: 13}},
		{"delete the marker: a version is next", func() { e.del(bucket, "k", strings.Fields(strings.ReplaceAll(e.versions(bucket)[1], "*", ""))[1]) }, storage.Usage{Objects: 2, Versions: 2, Bytes: 13}},
		{"suspended put", func() { e.versioning(bucket, storage.VersioningSuspended); e.put(bucket, "k", "333") }, storage.Usage{Objects: 2, Versions: 3, Bytes: 16}},
		{"suspended overwrite", func() { e.put(bucket, "k", "4444") }, storage.Usage{Objects: 2, Versions: 3, Bytes: 17}},
		{"suspended delete", func() { e.del(bucket, "k", "") }, storage.Usage{Objects: 1, Versions: 2, Markers: 1, Bytes: 13}},
		{"suspended second delete", func() { e.del(bucket, "k", "") }, storage.Usage{Objects: 1, Versions: 2, Markers: 1, Bytes: 13}},
		{"suspended put over the null marker", func() { e.put(bucket, "k", "55555") }, storage.Usage{Objects: 2, Versions: 3, Bytes: 18}},
	} {
		step.do()
		got, err := e.Usage(e.ctx, bucket)
		e.ok("Usage", err)
		e.equal(fmt.Sprintf("usage after %q", step.what), got, step.want)
		e.equal(fmt.Sprintf("listing after %q", step.what), e.count(bucket), step.want)
	}
}
