package s3gw_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
	"github.com/objsrv/objsrv/storage/s3gw"
)

// TestMap reads maps that are refused, with what is said of them.
func TestMap(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{"", ""},
		{" # nothing\n\n", ""},
		{"a01=up1", ""},
		{"a01=up1/x, a02=up1/y # both\na03 = up2", ""},
		{"a01=up1/x,a02=up1/xy", ""}, // x/ and xy/
		{"*=shared/{bucket}/,a01=up1/x", ""},
		{"*=shared/all/{bucket},a01=shared/one", ""},
		{"*={bucket},a01=up1/x", ""},
		{"*=acme-{bucket}-x/deep/er", ""},
		{"a01", "an entry is LOCAL=UPSTREAM/PREFIX"},
		{"a01=", "an entry is"},
		{"=up1", "an entry is"},
		{"a01=up1,a01=up2", "another entry for a01"},
		{"*=a-{bucket},*=b-{bucket}", "another entry for *"},
		{"*=shared/x", "the name of the bucket, {bucket}, once"},
		{"*={bucket}/{bucket}", "once"},
		{"a01=up1/{bucket}", "stands in the entry for * alone"},
		{"A_b=up1", `"A_b" can't be the name of a bucket`},
		{"a01=Up_1", "upstream bucket"},
		{"a01=objsrv-probe-x", "upstream bucket"},
		{"a01=up1//x", "single slashes"},
		{"a01=up1/x//y", "single slashes"},
		{"a01=up1/../x", "none of them . or .."},
		{"a01=up1/x/./y", "none of them . or .."},
		{`a01=up1/x\..\y`, "none of them . or .."},
		{"a01=up1/x\x01", "a character"},
		{"a01=up1/" + strings.Repeat("x", 600), "at most 512"},
		{"a01=up1,a02=up1", "a01 and a02 overlap"},
		{"a01=up1,a02=up1/x", "a01 and a02 overlap"},
		{"a01=up1/x,a02=up1/x/y", "a01 and a02 overlap: up1/x/ and up1/x/y/"},
		{"*=shared/{bucket},a01=shared/x", "a01 and what * is for overlap"},
		{"*=shared/all/{bucket},a01=shared", "a01 and what * is for overlap"},
		{"*=shared/all/{bucket},a01=shared/all/", "a01 and what * is for overlap"},
	} {
		m, err := s3gw.ParseMap(tt.text)
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%q: %v, want %q", tt.text, err, tt.says)
		case strings.TrimSpace(tt.text) == "" && m != nil:
			t.Errorf("%q is a map", tt.text)
		}
	}
}

// mappedKeys are keys that a bucket below a prefix can have.
func mappedKeys(key string) bool {
	for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return false
		}
	}
	return utf8.ValidString(key) && len(key) < 900 // the prefix takes some
}

// TestConformanceMapped has each bucket in one of another name, below a prefix, and what is read kept in a cache.
func TestConformanceMapped(t *testing.T) {
	endpoint := ownServer(t)
	conform(t, func(t *testing.T) storage.Backend {
		c, err := cache.Open(cache.Options{Dir: t.TempDir(), Size: 1 << 20, Report: func(err error) { t.Error(err) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return measured{copying(t, endpoint, "*=acme-{bucket}/deep/er", newRecords(), c)}
	}, mappedKeys, apart())
}

// TestConformanceShared has all buckets in one.
func TestConformanceShared(t *testing.T) {
	endpoint := ownServer(t)
	strangers(t, endpoint)
	const versions = "the versioning of a bucket that others share can't be set"
	skip := apart()
	for _, name := range []string{
		"buckets/create", "buckets/update", "buckets/update-refused", "buckets/delete", "buckets/delete-not-empty", "versions", "objects/round-trip", "objects/missing", "objects/delete-guard",
		"conditions/put", "conditions/copy", "conditions/complete", "copies/onto-itself", "lists/markers", "lists/versions-every-parameter", "paging",
		"keys/weird-versioned", "uploads/apart", "complete/again", "complete/versions", "bodies/failing", "bodies/length", "bodies/readers", "bodies/endless",
		"usage/every-step", "races/one-creator", "races/one-changer", "races/complete-twice", "races/counters",
	} {
		skip[name] = versions
	}
	conform(t, func(t *testing.T) storage.Backend {
		return measured{mapped(t, endpoint, "*=shared/all/{bucket}/", newRecords())}
	}, mappedKeys, skip)
}

// strangers makes the upstream's bucket "shared" with objects around those of mapped buckets.
func strangers(t *testing.T, endpoint string) *s3gw.Store {
	t.Helper()
	up := gateway(t, endpoint)
	if err := up.CreateBucket(t.Context(), storage.Bucket{Name: "shared"}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "all", "all/", "all/aaa", "all/zzz", "all0", "z"} {
		write(t, up, "shared", key)
	}
	return up
}

func write(t *testing.T, s storage.Backend, bucket, key string) {
	t.Helper()
	if err := tryWrite(t.Context(), s, bucket, key); err != nil {
		t.Fatal(err)
	}
}

func tryWrite(ctx context.Context, s storage.Backend, bucket, key string) error {
	_, err := s.PutObject(ctx, storage.PutInput{Bucket: bucket, Key: key, Body: strings.NewReader(key), Size: int64(len(key)), Digest: func() storage.Digest { return storage.Digest{ETag: fmt.Sprintf("%x", md5.Sum([]byte(key)))} }})
	return err
}

func keysOf(t *testing.T, s storage.Backend, in storage.ListInput) (keys, prefixes []string) {
	t.Helper()
	if in.Limit == 0 {
		in.Limit = 1000
	}
	page, err := s.ListObjects(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
	}
	return keys, page.Prefixes
}

func bucketsOf(t *testing.T, s storage.Backend) []string {
	t.Helper()
	list, _, err := s.ListBuckets(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	return names
}

// TestMappedBuckets looks at what there is through a map, and that nothing else is.
func TestMappedBuckets(t *testing.T) {
	endpoint := ownServer(t)
	up := strangers(t, endpoint)
	for _, b := range []string{"plain", "acme-one"} {
		if err := up.CreateBucket(t.Context(), storage.Bucket{Name: b}); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][]string{
		"photos=shared/photos,music=shared/music": {"music", "photos"},
		"alias=plain,gone=none/x":                 {"alias"},
		"photos=shared/photos,*={bucket}":         {"acme-one", "photos", "plain"},
		"one=shared/one,*=acme-{bucket}":          {"one"}, // acme-one would be another "one"
		"two=shared/two,*=acme-{bucket}":          {"one", "two"},
		"photos=shared/photos,*=plain/{bucket}":   {"photos"},
	} {
		s := mapped(t, endpoint, text, newRecords())
		if got := bucketsOf(t, s); !slices.Equal(got, want) {
			t.Errorf("%s: buckets %v, want %v", text, got, want)
		}
		for _, name := range []string{"shared", "acme-one", "plain", "none", "photos/../../plain", "..", "x/../y"} {
			if _, err := s.Bucket(t.Context(), name); !slices.Contains(want, name) && !errors.Is(err, storage.ErrNoSuchBucket) {
				t.Errorf("%s: bucket %s: %v", text, name, err)
			}
		}
	}
}

// TestMappedBucket writes, lists, copies and deletes below a prefix. Nothing beside it is seen or touched.
func TestMappedBucket(t *testing.T) {
	endpoint := ownServer(t)
	up := strangers(t, endpoint)
	s := mapped(t, endpoint, "one=shared/all/one,two=shared/all/two", newRecords())
	for _, key := range []string{"a/b", "a/c", "d", "/e", "f//g"} {
		write(t, s, "one", key)
	}
	write(t, s, "two", "other")
	keys, prefixes := keysOf(t, s, storage.ListInput{Bucket: "one", Delimiter: "/"})
	if !slices.Equal(keys, []string{"d"}) || !slices.Equal(prefixes, []string{"/", "a/", "f/"}) {
		t.Errorf("listed %q %q", keys, prefixes)
	}
	if keys, _ := keysOf(t, s, storage.ListInput{Bucket: "one", Prefix: "../"}); len(keys) > 0 {
		t.Errorf("outside of the prefix: %q", keys)
	}
	for _, key := range []string{"..", "../two/other", "a/../../two/other", "./a", `a\..\b`} {
		if err := tryWrite(t.Context(), s, "one", key); !errors.Is(err, storage.ErrNotSupported) {
			t.Errorf("write %q: %v", key, err)
		}
		_, err := s.CopyObject(t.Context(), storage.CopyInput{Source: storage.Ref{Bucket: "one", Key: key}, Bucket: "one", Key: "copy"})
		if !errors.Is(err, storage.ErrNotSupported) {
			t.Errorf("copy %q: %v", key, err)
		}
		out, err := s.DeleteObjects(t.Context(), "one", []storage.DeleteInput{{Key: key}, {Key: "x"}, {Key: "y"}})
		if err != nil || !errors.Is(out[0].Err, storage.ErrNotSupported) || out[1].Err != nil || out[2].Err != nil {
			t.Errorf("delete %q: %v, %v", key, out, err)
		}
	}
	if _, err := s.CopyObject(t.Context(), storage.CopyInput{Source: storage.Ref{Bucket: "two", Key: "other"}, Bucket: "one", Key: "copied"}); err != nil {
		t.Error(err)
	}
	if keys, _ := keysOf(t, up, storage.ListInput{Bucket: "shared"}); !slices.Equal(keys, []string{"a", "all", "all/", "all/aaa",
		"all/one//e", "all/one/a/b", "all/one/a/c", "all/one/copied", "all/one/d", "all/one/f//g", "all/two/other", "all/zzz", "all0", "z"}) {
		t.Errorf("the upstream has %q", keys)
	}
	if err := s.CreateBucket(t.Context(), storage.Bucket{Name: "one"}); !errors.Is(err, storage.ErrBucketExists) {
		t.Errorf("create a bucket of the map: %v", err)
	}
	for what, err := range map[string]error{
		"delete a bucket of the map": s.DeleteBucket(t.Context(), "one"),
		"create one outside of it":   s.CreateBucket(t.Context(), storage.Bucket{Name: "three"}),
		"set the versioning of all": s.UpdateBucket(t.Context(), "one", func(b *storage.Bucket) error {
			b.Versioning = storage.VersioningEnabled
			return nil
		}),
	} {
		if !errors.Is(err, storage.ErrNotSupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestBucketsBelow creates and deletes buckets that are prefixes, with uploads in them and objects that come late.
func TestBucketsBelow(t *testing.T) {
	endpoint := ownServer(t)
	up := strangers(t, endpoint)
	r := newRecords()
	s, other := mapped(t, endpoint, "*=shared/all/{bucket}", r), mapped(t, endpoint, "*=shared/all/{bucket}", r)
	if err := s.DeleteBucket(t.Context(), "aaa"); !errors.Is(err, storage.ErrNoSuchBucket) {
		t.Errorf("delete what is not there: %v", err)
	}
	if err := s.CreateBucket(t.Context(), storage.Bucket{Name: "one", Versioning: storage.VersioningEnabled}); !errors.Is(err, storage.ErrNotSupported) {
		t.Errorf("versioning: %v", err)
	}
	if err := s.CreateBucket(t.Context(), storage.Bucket{Name: "one"}); err != nil {
		t.Fatal(err)
	}
	if err := other.CreateBucket(t.Context(), storage.Bucket{Name: "one"}); !errors.Is(err, storage.ErrBucketExists) {
		t.Errorf("create it again: %v", err)
	}
	write(t, other, "one", "key")
	if err := s.DeleteBucket(t.Context(), "one"); !errors.Is(err, storage.ErrBucketNotEmpty) {
		t.Errorf("delete a bucket with an object: %v", err)
	}
	if _, err := s.DeleteObjects(t.Context(), "one", []storage.DeleteInput{{Key: "key"}}); err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUpload(t.Context(), storage.UploadInput{Bucket: "one", Key: "upload"})
	if err != nil {
		t.Fatal(err)
	}
	r.onDelete = func() { write(t, up, "shared", "all/one/late") }
	if err := s.DeleteBucket(t.Context(), "one"); !errors.Is(err, storage.ErrBucketNotEmpty) {
		t.Errorf("delete a bucket into which something is written: %v", err)
	}
	if got := bucketsOf(t, s); !slices.Equal(got, []string{"one"}) {
		t.Errorf("buckets %v", got)
	}
	if _, err := other.DeleteObjects(t.Context(), "one", []storage.DeleteInput{{Key: "late"}}); err != nil {
		t.Fatal(err)
	}
	r.onDelete = nil
	if err := s.DeleteBucket(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	if _, err := other.Bucket(t.Context(), "one"); !errors.Is(err, storage.ErrNoSuchBucket) {
		t.Errorf("after the deletion: %v", err)
	}
	page, err := up.ListUploads(t.Context(), storage.ListInput{Bucket: "shared", Limit: 10})
	if err != nil || len(page.Uploads) > 0 {
		t.Errorf("the upload %s is still there: %v, %v", u.ID, page, err)
	}
	if m, err := mapped(t, endpoint, "x01=none/x,*=void/{bucket}", newRecords()).Missing(t.Context()); err != nil || !slices.Equal(m, []string{"none", "void"}) {
		t.Errorf("missing %v, %v", m, err)
	}
	if err := mapped(t, endpoint, "*=void/{bucket}", newRecords()).CreateBucket(t.Context(), storage.Bucket{Name: "one"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("create below what is not there: %v", err)
	}
}

// TestMovedBucket has a policy that was set when the bucket lay elsewhere: it lets nobody in.
func TestMovedBucket(t *testing.T) {
	endpoint := ownServer(t)
	strangers(t, endpoint)
	r := newRecords()
	old := mapped(t, endpoint, "one=shared/old", r)
	if err := old.UpdateBucket(t.Context(), "one", func(b *storage.Bucket) error {
		b.Docs = map[string][]byte{"policy": []byte("everybody")}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	moved := mapped(t, endpoint, "one=shared/new,two=shared/two", r)
	for what, err := range map[string]error{
		"look":  second(moved.Bucket(t.Context(), "one")),
		"write": tryWrite(t.Context(), moved, "one", "key"),
		"set":   moved.UpdateBucket(t.Context(), "one", func(*storage.Bucket) error { return nil }),
	} {
		if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "same map") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := bucketsOf(t, moved); !slices.Equal(got, []string{"two"}) {
		t.Errorf("buckets %v", got)
	}
	if b, err := old.Bucket(t.Context(), "one"); err != nil || string(b.Docs["policy"]) != "everybody" {
		t.Errorf("%+v, %v", b, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestUnknownBuckets asks for names that are made up: the records are not asked for each of them.
func TestUnknownBuckets(t *testing.T) {
	endpoint := ownServer(t)
	strangers(t, endpoint)
	r := newRecords()
	s := mapped(t, endpoint, "*=shared/all/{bucket}", r)
	for i := range 1000 {
		if _, err := s.Bucket(t.Context(), fmt.Sprintf("made-up-%d", i)); !errors.Is(err, storage.ErrNoSuchBucket) {
			t.Fatal(err)
		}
	}
	if n := r.fetched.Load(); n < 100 || n > 900 {
		t.Errorf("the records were asked %d times", n)
	}
}

// FuzzMap has no bucket reach into the place of another.
func FuzzMap(f *testing.F) {
	f.Add("a01=up1/x,*=shared/{bucket}/", "a01", "k", "b01", "../a01/k")
	f.Add("*=x-{bucket}/p", "a01", "k", "b01", "k")
	f.Add("*={bucket},a01=b01/x", "a01", "k", "b01", "x/k")
	f.Fuzz(func(t *testing.T, text, bucketA, keyA, bucketB, keyB string) {
		m, err := s3gw.ParseMap(text)
		if err != nil || m == nil || bucketA == bucketB || keyA == "" || keyB == "" {
			return
		}
		a, b := m.Locate(bucketA, keyA), m.Locate(bucketB, keyB)
		if a != "" && a == b {
			t.Errorf("%q: %s/%q and %s/%q are both %q", text, bucketA, keyA, bucketB, keyB, a)
		}
	})
}

// TestRecordFormat reads the record of a version without maps.
func TestRecordFormat(t *testing.T) {
	endpoint := ownServer(t)
	s := gateway(t, endpoint)
	if err := s.CreateBucket(t.Context(), storage.Bucket{Name: "one"}); err != nil {
		t.Fatal(err)
	}
	r := newRecords()
	old, err := json.Marshal(map[string]any{"v": 1, "created": "2026-01-01T00:00:00Z", "owner": "o", "versioning": 0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(t.Context(), "one", old, 0); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "*={bucket}", "one=one"} {
		if b, err := mapped(t, endpoint, text, r).Bucket(t.Context(), "one"); err != nil || b.Owner != "o" {
			t.Errorf("%q: %+v, %v", text, b, err)
		}
	}
}

// TestTrialBelow tries an upstream out whose key may not make buckets: in a bucket of the map, of which nothing is left.
func TestTrialBelow(t *testing.T) {
	endpoint := ownServer(t)
	up := strangers(t, endpoint)
	before, _ := keysOf(t, up, storage.ListInput{Bucket: "shared"})
	for _, versioning := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
		if versioning != storage.VersioningUnset {
			if err := up.UpdateBucket(t.Context(), "shared", func(b *storage.Bucket) error {
				b.Versioning = versioning
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		refusing := httptest.NewServer(noNewBuckets(t, endpoint))
		want, err := up.Capabilities(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := mapped(t, refusing.URL, "one=shared/one", newRecords()).Capabilities(t.Context())
		if err != nil || got != want {
			t.Errorf("versioning %d: %s, want %s, %v", versioning, got, want, err)
		}
		if careful, err := gateway(t, refusing.URL).Capabilities(t.Context()); err != nil || careful == want {
			t.Errorf("without a map: %s, %v", careful, err)
		}
		refusing.Close()
		page, err := up.ListVersions(t.Context(), storage.ListInput{Bucket: "shared", Limit: 1000})
		if err != nil || len(page.Objects) != len(before) {
			t.Errorf("versioning %d: %d versions are there where %d were: %v", versioning, len(page.Objects), len(before), err)
		}
		uploads, err := up.ListUploads(t.Context(), storage.ListInput{Bucket: "shared", Limit: 10})
		if err != nil || len(uploads.Uploads) > 0 {
			t.Errorf("uploads %+v, %v", uploads, err)
		}
	}
}

// noNewBuckets is a proxy before an upstream whose key may not make buckets.
func noNewBuckets(t *testing.T, endpoint string) http.Handler {
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0 {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
