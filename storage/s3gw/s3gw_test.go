package s3gw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam"
	iammem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
	"github.com/objsrv/objsrv/storage/mem"
	"github.com/objsrv/objsrv/storage/s3gw"
	"github.com/objsrv/objsrv/storage/storagetest"
)

const (
	accessKey = "upstream-access"
	secretKey = "upstream-secret"
)

// records is s3gw.Records in memory.
type records struct {
	mu  sync.Mutex
	m   map[string][]byte
	rev map[string]uint64
	n   uint64

	fetched  atomic.Int64
	onDelete func() // is called when a record has been removed
}

func newRecords() *records { return &records{m: map[string][]byte{}, rev: map[string]uint64{}} }

func (r *records) Record(bucket string) ([]byte, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.m[bucket], r.rev[bucket]
}

func (r *records) Fetch(_ context.Context, bucket string) ([]byte, uint64, error) {
	r.fetched.Add(1)
	v, rev := r.Record(bucket)
	return v, rev, nil
}

func (r *records) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.m))
}

func (r *records) Write(_ context.Context, bucket string, value []byte, revision uint64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rev[bucket] != revision {
		return false, nil
	}
	if value == nil {
		delete(r.m, bucket)
		delete(r.rev, bucket)
		if r.onDelete != nil {
			r.onDelete()
		}
		return true, nil
	}
	r.n++
	r.m[bucket], r.rev[bucket] = bytes.Clone(value), r.n
	return true, nil
}

// lenient is a backend whose uploads may have parts of any size: the cases of the suite have small ones.
type lenient struct{ storage.Backend }

func (l lenient) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	in.MinPartSize = 0
	return l.Backend.CompleteUpload(ctx, in)
}

// ownServer is an objsrv over memory.
func ownServer(t testing.TB) (endpoint string) {
	t.Helper()
	ids := iammem.Open()
	service, err := iam.Open(ids, iam.Options{RootUser: accessKey, RootPassword: secretKey})
	if err != nil {
		t.Fatal(err)
	}
	backend := mem.New(mem.Options{})
	srv := httptest.NewServer(s3api.New(s3api.Config{Backend: lenient{backend}, IAM: service, Region: "us-east-1"}))
	t.Cleanup(func() { srv.Close(); service.Close(); ids.Close(); backend.Close() })
	return srv.URL
}

// gateway opens a store before an upstream.
func gateway(t testing.TB, endpoint string) *s3gw.Store {
	t.Helper()
	return mapped(t, endpoint, "", newRecords())
}

// mapped is gateway with a map of buckets.
func mapped(t testing.TB, endpoint, text string, r s3gw.Records) *s3gw.Store {
	t.Helper()
	return copying(t, endpoint, text, r, nil)
}

// copying is mapped with a cache, unless that is nil.
func copying(t testing.TB, endpoint, text string, r s3gw.Records, c *cache.Cache) *s3gw.Store {
	t.Helper()
	m, err := s3gw.ParseMap(text)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, s3gw.Options{Endpoint: endpoint, AccessKey: accessKey, SecretKey: secretKey, Records: r, Map: m, Cache: c})
}

// opened is gateway with other options.
func opened(t testing.TB, o s3gw.Options) *s3gw.Store {
	t.Helper()
	o.Owner, o.Report = "owner", func(err error) { t.Logf("report: %v", err) }
	s, err := s3gw.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// measured is a store with what the suite looks at and S3 does not tell in the same answer: it asks further, so that
// the suite sees all that is kept.
type measured struct{ *s3gw.Store }

// find returns a version as the list of versions has it, nil when it is not there.
func (m measured) find(ctx context.Context, ref storage.Ref) *storage.Object {
	in := storage.ListInput{Bucket: ref.Bucket, Prefix: ref.Key, Limit: 1000}
	for {
		page, err := m.Store.ListVersions(ctx, in)
		if err != nil {
			return nil
		}
		for i := range page.Objects {
			o := &page.Objects[i]
			o.Modified = o.Modified.Truncate(time.Second)
			if o.Key == ref.Key && (o.VersionID == ref.Version || ref.Version == "" && o.Latest) {
				return o
			}
		}
		if !page.Truncated {
			return nil
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}

// fill adds whether the version is the latest, and when a marker was made.
func (m measured) fill(ctx context.Context, ref storage.Ref, o *storage.Object, err error) {
	var marker *storage.MarkerError
	switch {
	case err == nil && ref.Version != "":
		if v := m.find(ctx, ref); v != nil {
			o.Latest = v.Latest
		}
	case errors.As(err, &marker):
		if v := m.find(ctx, storage.Ref{Bucket: ref.Bucket, Key: ref.Key, Version: marker.VersionID}); v != nil {
			marker.Modified = v.Modified
		}
	}
}

func (m measured) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	o, err := m.Store.StatObject(ctx, ref)
	m.fill(ctx, ref, o, err)
	return o, err
}

func (m measured) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	o, c, err := m.Store.GetObject(ctx, ref)
	m.fill(ctx, ref, o, err)
	return o, c, err
}

func (m measured) SetTags(ctx context.Context, ref storage.Ref, tags []storage.Tag) (*storage.Object, error) {
	o, err := m.Store.SetTags(ctx, ref, tags)
	m.fill(ctx, ref, o, err)
	return o, err
}

func (m measured) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	o, err := m.Store.CompleteUpload(ctx, in)
	if err == nil {
		m.fill(ctx, storage.Ref{Bucket: in.Upload.Bucket, Key: in.Upload.Key, Version: o.VersionID}, o, err)
	}
	return o, err
}

// ListObjects adds the checksums' values and the versions.
func (m measured) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	page, err := m.Store.ListObjects(ctx, in)
	m.complete(ctx, in.Bucket, page, err)
	return page, err
}

func (m measured) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	page, err := m.Store.ListVersions(ctx, in)
	m.complete(ctx, in.Bucket, page, err)
	return page, err
}

func (m measured) complete(ctx context.Context, bucket string, page *storage.ListPage, err error) {
	if err != nil {
		return
	}
	for i := range page.Objects { // headers have whole seconds
		page.Objects[i].Modified = page.Objects[i].Modified.Truncate(time.Second)
	}
	if len(page.Objects) > 20 {
		return
	}
	for i := range page.Objects {
		o := &page.Objects[i]
		if o.DeleteMarker {
			continue
		}
		if full, err := m.Store.StatObject(ctx, storage.Ref{Bucket: bucket, Key: o.Key, Version: o.VersionID}); err == nil {
			o.VersionID, o.Checksum = full.VersionID, full.Checksum
		}
	}
}

// DeleteObjects adds whether there was something to delete.
func (m measured) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	there := make([]bool, len(in))
	for i := range in {
		o, err := m.Store.StatObject(ctx, storage.Ref{Bucket: bucket, Key: in[i].Key, Version: in[i].Version})
		var marker *storage.MarkerError
		there[i] = o != nil || errors.As(err, &marker)
		if guard := in[i].Guard; guard != nil {
			in[i].Guard = func(o *storage.Object) error {
				v := m.find(ctx, storage.Ref{Bucket: bucket, Key: o.Key, Version: o.VersionID})
				if v == nil {
					return fmt.Errorf("the guard was asked with %+v, which is not there", o)
				}
				o.Latest, o.Modified = v.Latest, v.Modified
				return guard(o)
			}
		}
	}
	b, err := m.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	out, err := m.Store.DeleteObjects(ctx, bucket, in)
	for i := range out {
		switch {
		case out[i].Err != nil || there[i] && out[i].VersionID != "":
		case there[i] && b.Versioning == storage.VersioningUnset:
			out[i].VersionID = storage.NullVersion
		case !there[i] && in[i].Version != "":
			out[i].VersionID = ""
		}
	}
	return out, err
}

func (m measured) Usage(ctx context.Context, bucket string) (u storage.Usage, err error) {
	in := storage.ListInput{Bucket: bucket, Limit: 1000}
	for {
		page, err := m.Store.ListVersions(ctx, in)
		if err != nil {
			return u, err
		}
		for i := range page.Objects {
			switch o := &page.Objects[i]; {
			case o.DeleteMarker:
				u.Markers++
			case o.Latest:
				u.Objects++
				fallthrough
			default:
				u.Versions++
				u.Bytes += o.Size
			}
		}
		if !page.Truncated {
			return u, nil
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}

func (m measured) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	o, err := m.Store.PutObject(ctx, in)
	if err == nil && time.Since(o.Modified).Abs() > time.Minute {
		return nil, fmt.Errorf("the object was put at %v", o.Modified)
	}
	if err == nil {
		if now, err := m.StatObject(ctx, storage.Ref{Bucket: in.Bucket, Key: in.Key, Version: o.VersionID}); err == nil {
			o.Modified = now.Modified
		}
	}
	return o, err
}

// within is what passes through S3: keys that the upstream takes, metadata are headers, an object has its bucket's owner.
func within(keys func(string) bool) *storagetest.Within {
	return &storagetest.Within{
		Keys: keys,
		Meta: func(mark string) storage.Meta {
			return storage.Meta{
				Owner: "owner", Class: "REDUCED_REDUNDANCY",
				Attrs: []storage.Attr{
					{Name: "cache-control", Value: strings.Repeat("x", 20)}, {Name: "content-encoding", Value: "gzip"}, {Name: "content-type", Value: "text/" + mark},
					{Name: "expires", Value: "Thu, 01 Dec 2044 16:00:00 GMT"}, {Name: "x-amz-meta-a", Value: ""}, {Name: "x-amz-meta-b", Value: "2  x"},
				},
				Tags: []storage.Tag{{Key: "a +=:/", Value: ""}, {Key: "z", Value: mark}}, Props: map[string]string{},
			}
		},
	}
}

// conformance runs the suite before an upstream.
func conformance(t *testing.T, endpoint string, keys func(string) bool, skip map[string]string) {
	caps, err := gateway(t, endpoint).Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("the upstream", caps)
	conform(t, func(t *testing.T) storage.Backend { return measured{gateway(t, endpoint)} }, keys, skip)
}

// withoutEmpty is within for an upstream that keeps no metadata without a value.
func withoutEmpty(keys func(string) bool) *storagetest.Within {
	w := within(keys)
	meta := w.Meta
	w.Meta = func(mark string) storage.Meta {
		m := meta(mark)
		m.Attrs = slices.DeleteFunc(m.Attrs, func(a storage.Attr) bool { return a.Value == "" })
		return m
	}
	return w
}

func conform(t *testing.T, open func(*testing.T) storage.Backend, keys func(string) bool, skip map[string]string) {
	storagetest.Run(t, open, storagetest.Options{Thresholds: []int64{64 << 10}, Within: within(keys), Skip: skip})
}

// TestBadBucketName looks for a bucket that no server can have: callers judge names themselves, also after the look.
func TestBadBucketName(t *testing.T) {
	if _, err := gateway(t, ownServer(t)).Bucket(t.Context(), "Not_A_Name"); !errors.Is(err, storage.ErrNoSuchBucket) {
		t.Error(err)
	}
}

// TestProves tries our own server out: its checksums prove what it stores.
func TestProves(t *testing.T) {
	s := gateway(t, ownServer(t))
	if s.OwnETag(1<<20, "CRC32") {
		t.Error("an upstream is trusted before it has been tried out")
	}
	if _, err := s.Capabilities(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "XXHASH3"} {
		if !s.OwnETag(1<<20, alg) {
			t.Errorf("%s of our own server proves nothing", alg)
		}
	}
}

func TestConformanceOwnServer(t *testing.T) {
	conformance(t, ownServer(t), utf8.ValidString, apart())
}

// apart are the cases that no S3 server can pass behind a gateway, with the reason.
func apart() map[string]string {
	return map[string]string{
		"buckets/update":              "S3 lets nobody suspend the versioning of a bucket with object lock",
		"objects/bare":                "ETag and checksum are the upstream's",
		"renames":                     "an upstream has no renaming",
		"appends":                     "an upstream has no appending",
		"coded":                       "an upstream would tell the stored length of encrypted or compressed content",
		"objects/tags":                "S3 does not keep the order of tags",
		"objects/props":               "an upstream keeps locks, no other properties",
		"objects/props-concurrent":    "an upstream keeps locks, no other properties",
		"objects/delete-batch":        "an object has its bucket's owner",
		"conditions/delete":           "S3 deletes under If-Match only",
		"conditions/delete-version":   "S3 deletes under If-Match only",
		"copies/whole":                "the digest of a copy is the upstream's",
		"copies/multipart":            "the digest of a copy is the upstream's",
		"copies/parts":                "the digest of a copy is the upstream's",
		"complete/object":             "S3 does not tell the metadata of an open upload",
		"complete/many-parts":         "S3 does not tell which numbers the parts of an object had",
		"contents/open-during-delete": "what is deleted upstream can't be read further",
		"uploads/parts":               "S3 keeps checksums of parts only where the upload declares an algorithm",
		"uploads/create":              "S3 does not tell the metadata of an open upload",
	}
}
