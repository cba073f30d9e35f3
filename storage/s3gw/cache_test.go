package s3gw_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
	"github.com/objsrv/objsrv/storage/s3gw"
)

// between is a proxy before an upstream that counts what passes.
type between struct {
	url  string
	down atomic.Bool

	mu   sync.Mutex
	seen []string // "METHOD path" of requests for objects
}

func (b *between) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

func newBetween(t *testing.T, endpoint string, change func(http.Header)) *between {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host }, // the signed Host stays
		ModifyResponse: func(r *http.Response) error { change(r.Header); return nil },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/bucket/key" {
			b.mu.Lock()
			b.seen = append(b.seen, r.Method)
			b.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

// cached opens a store with a cache before an upstream.
func cached(t *testing.T, endpoint string, change func(http.Header)) (s *s3gw.Store, b *between, c *cache.Cache, dir string) {
	t.Helper()
	b = newBetween(t, endpoint, change)
	dir = t.TempDir()
	c, err := cache.Open(cache.Options{Dir: dir, Size: 64 << 20, Report: func(err error) { t.Logf("report: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s, err = s3gw.Open(s3gw.Options{Endpoint: b.url, AccessKey: accessKey, SecretKey: secretKey, Owner: "owner", Records: newRecords(), Cache: c,
		Report: func(err error) { t.Logf("report: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.CreateBucket(t.Context(), storage.Bucket{Name: "bucket"}); err != nil {
		t.Fatal(err)
	}
	return s, b, c, dir
}

func noChange(http.Header) {}

// putBytes writes the key of the tests of caches.
func putBytes(t *testing.T, s storage.Backend, b []byte, attrs ...storage.Attr) {
	t.Helper()
	if _, err := s.PutObject(t.Context(), storage.PutInput{Bucket: "bucket", Key: "key", Body: bytes.NewReader(b), Size: int64(len(b)),
		Meta: storage.Meta{Attrs: attrs}, Digest: func() storage.Digest { return storage.Digest{ETag: md5Hex(b)} }}); err != nil {
		t.Fatal(err)
	}
}

var theKey = storage.Ref{Bucket: "bucket", Key: "key"}

// readAll reads a range of an object as one request for all of it, or for a part, does.
func readAll(ctx context.Context, s *s3gw.Store, off, n int64, part bool) (*storage.Object, []byte, error) {
	open := s.GetObject
	if part {
		open = s.OpenPart
	}
	o, c, err := open(ctx, theKey)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	b, err := io.ReadAll(c.Range(off, n))
	return o, b, err
}

// TestCache reads an object again and again: one request each time, and its bytes come from the disk until it changes.
func TestCache(t *testing.T) {
	s, up, c, _ := cached(t, ownServer(t), noChange)
	one := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	size := int64(len(one))
	putBytes(t, s, one)
	up.take()
	expect := func(what string, want []byte, off int64, part bool, requests ...string) *storage.Object {
		t.Helper()
		o, got, err := readAll(t.Context(), s, off, int64(len(want)), part)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, %v", what, len(got), err)
		}
		if seen := up.take(); !slices.Equal(seen, requests) {
			t.Errorf("%s: requests %v, want %v", what, seen, requests)
		}
		return o
	}
	expect("a part of what nobody has read", one[5:100], 5, true, "HEAD", "GET")
	expect("all of it", one, 0, false, "GET")
	expect("all of it again", one, 0, false, "HEAD")
	expect("a part", one[70_000:200_000], 70_000, true, "HEAD")
	if st := c.Stats(); st.Hits != 2 || st.Entries != 1 || st.HitBytes != size+130_000 || st.FilledBytes != size {
		t.Errorf("%+v", st)
	}
	two := bytes.Repeat([]byte("fedcba9876543210"), 20_000)
	putBytes(t, s, two)
	up.take()
	expect("after a change", two, 0, false, "HEAD", "GET")
	expect("after a change, again", two, 0, false, "HEAD")
	// Other metadata with the same content: they are the upstream's of now, whatever the copy.
	putBytes(t, s, two, storage.Attr{Name: "x-amz-meta-a", Value: "b"})
	if _, err := s.SetTags(t.Context(), theKey, []storage.Tag{{Key: "k", Value: "v"}}); err != nil {
		t.Fatal(err)
	}
	o, got, err := readAll(t.Context(), s, 0, size, false)
	if err != nil || !bytes.Equal(got, two) || len(o.Tags) != 1 || !slices.Contains(o.Attrs, storage.Attr{Name: "x-amz-meta-a", Value: "b"}) {
		t.Errorf("%+v, %v", o, err)
	}
	up.take()
	// Who stops reading leaves no copy.
	putBytes(t, s, one)
	if _, _, err := readAll(t.Context(), s, 0, size-1, false); err != nil {
		t.Fatal(err)
	}
	if up.take(); c.Has("bucket\x00key\x00") {
		t.Error("there is a copy of a part")
	}
	expect("after a part", one, 0, false, "GET")
	if _, err := s.DeleteObjects(t.Context(), "bucket", []storage.DeleteInput{{Key: "key"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.GetObject(t.Context(), theKey); !errors.Is(err, storage.ErrNoSuchKey) {
		t.Errorf("after the deletion: %v", err)
	}
}

// TestCacheUpstreamDown: nothing is given out that the upstream has not confirmed.
func TestCacheUpstreamDown(t *testing.T) {
	s, up, c, _ := cached(t, ownServer(t), noChange)
	b := bytes.Repeat([]byte("x"), cache.MinSize)
	putBytes(t, s, b)
	if _, _, err := readAll(t.Context(), s, 0, cache.MinSize, false); err != nil || !c.Has("bucket\x00key\x00") {
		t.Fatal(err)
	}
	up.down.Store(true)
	for _, part := range []bool{false, true} {
		if _, _, err := readAll(t.Context(), s, 0, cache.MinSize, part); !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("with the upstream down: %v", err)
		}
	}
	up.down.Store(false)
	if _, got, err := readAll(t.Context(), s, 0, cache.MinSize, false); err != nil || !bytes.Equal(got, b) {
		t.Errorf("when it is back: %v", err)
	}
}

// TestCacheDamage changes a copy on the disk: readers get the object all the same, from the upstream.
func TestCacheDamage(t *testing.T) {
	s, up, c, dir := cached(t, ownServer(t), noChange)
	b := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	putBytes(t, s, b)
	for _, whole := range []bool{true, false} {
		if _, _, err := readAll(t.Context(), s, 0, int64(len(b)), false); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "objects", "*"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		harmed := bytes.Clone(b)
		harmed[len(b)-7] ^= 1
		if err := os.WriteFile(files[0], harmed, 0o600); err != nil {
			t.Fatal(err)
		}
		up.take()
		_, content, err := s.GetObject(t.Context(), theKey)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		r := content.Range(1000, int64(len(b))-1000)
		if whole {
			_, err = r.(io.WriterTo).WriteTo(&got)
		} else {
			_, err = io.Copy(&got, struct{ io.Reader }{r})
		}
		if err != nil || !bytes.Equal(got.Bytes(), b[1000:]) || !slices.Equal(up.take(), []string{"HEAD", "GET"}) {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		content.Close()
	}
	if st := c.Stats(); st.Damaged != 2 || st.Entries != 0 {
		t.Errorf("%+v", st)
	}
}

// TestCacheKeys leaves contents alone that are encrypted upstream with keys of others.
func TestCacheKeys(t *testing.T) {
	for header, copied := range map[string]bool{"": true, "AES256": true, "aws:kms": false, "aws:kms:dsse": false, "C": false} {
		s, _, c, _ := cached(t, ownServer(t), func(h http.Header) {
			if header == "C" {
				h.Set("X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256")
			} else if header != "" {
				h.Set("X-Amz-Server-Side-Encryption", header)
			}
		})
		putBytes(t, s, make([]byte, cache.MinSize))
		if _, _, err := readAll(t.Context(), s, 0, cache.MinSize, false); err != nil {
			t.Fatal(err)
		}
		if c.Has("bucket\x00key\x00") != copied {
			t.Errorf("encrypted with %q: copied %v", header, !copied)
		}
	}
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
