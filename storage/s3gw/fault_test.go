package s3gw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

const testSecret = "upstream-secret-which-nobody-sees"

// noRecords has no settings of buckets.
type noRecords struct{}

func (noRecords) Record(string) ([]byte, uint64) { return nil, 0 }

func (noRecords) Names() []string { return nil }

func (noRecords) Fetch(context.Context, string) ([]byte, uint64, error) { return nil, 0, nil }

func (noRecords) Write(context.Context, string, []byte, uint64) (bool, error) { return true, nil }

// upstream is a server whose answers a test makes up. Questions about the bucket it answers itself; there is none called "fresh".
type upstream struct {
	mu       sync.Mutex
	requests []string // "METHOD /path?query" of those that reached the handler
	reported []error
}

func (u *upstream) list() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string(nil), u.requests...)
}

// before opens a store before a handler.
func before(t *testing.T, h http.HandlerFunc) (*Store, *upstream) {
	t.Helper()
	u := &upstream{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Has("versioning") && r.URL.Path != "/fresh":
			fmt.Fprint(w, `<VersioningConfiguration/>`)
		case r.URL.Path == "/" && r.Method == http.MethodGet:
			fmt.Fprint(w, `<ListAllMyBucketsResult><Buckets><Bucket><Name>bucket</Name><CreationDate>2020-01-01T00:00:00Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>`)
		default:
			u.mu.Lock()
			u.requests = append(u.requests, r.Method+" "+r.URL.RequestURI())
			u.mu.Unlock()
			h(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	s, err := Open(Options{Endpoint: srv.URL, AccessKey: "upstream", SecretKey: testSecret, Owner: "owner", Records: noRecords{}, Report: func(err error) {
		u.mu.Lock()
		u.reported = append(u.reported, err)
		u.mu.Unlock()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.caps.known.Store(&abilities{conditions: true, deletes: true, tags: true, tagCount: true, sums: map[string]bool{}})
	return s, u
}

// describe answers as for an object of n bytes.
func describeTo(w http.ResponseWriter, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(n))
	w.Header().Set("Etag", `"0cc175b9c0f1b6a831c399e269772661"`)
	w.Header().Set("Last-Modified", "Thu, 01 Dec 2022 16:00:00 GMT")
}

// TestReads has the upstream answer reads wrongly in every way: nothing is padded, nothing is taken for the whole.
func TestReads(t *testing.T) {
	const size = 100_000
	for name, tt := range map[string]struct {
		handler func(n int, w http.ResponseWriter, r *http.Request) // n counts from 1
		want    error
		times   int
		all     bool // the content comes whole
	}{
		"R-041 trouble once":      {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 1, w, 503, size) }, nil, 2, true},
		"R-041 trouble twice":     {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 2, w, 500, size) }, nil, 3, true},
		"R-041 too many requests": {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 9, w, 429, size) }, storage.ErrUnavailable, 3, false},
		"R-041 trouble for ever":  {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 9, w, 500, size) }, storage.ErrUnavailable, 3, false},
		"not found is asked once": {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 9, w, 404, size) }, storage.ErrNoSuchKey, 1, false},
		"refused is asked once":   {func(n int, w http.ResponseWriter, _ *http.Request) { failThen(n, 9, w, 403, size) }, nil, 1, false},
		"S-254 redirected": {func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", 307)
		}, storage.ErrUnavailable, 1, false},
		"S-254 headers without end": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			describeTo(w, size)
			w.Header().Set("X-Amz-Meta-A", strings.Repeat("x", 10<<20))
			w.Write(make([]byte, size))
		}, storage.ErrUnavailable, 3, false},
		"R-041 a short body": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			describeTo(w, size)
			w.Write(make([]byte, size/2))
			panic(http.ErrAbortHandler)
		}, storage.ErrUnavailable, 1, false},
		"no length": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", "Thu, 01 Dec 2022 16:00:00 GMT")
			w.(http.Flusher).Flush()
			w.Write(make([]byte, size))
		}, storage.ErrUnavailable, 1, false},
		"no time": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			w.Write(make([]byte, size))
		}, storage.ErrUnavailable, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			s, u := before(t, func(w http.ResponseWriter, r *http.Request) { n++; tt.handler(n, w, r) })
			o, c, err := s.GetObject(t.Context(), storage.Ref{Bucket: "bucket", Key: "key"})
			var got []byte
			if err == nil {
				defer c.Close()
				got, err = io.ReadAll(c.Range(0, o.Size))
			}
			if whole := err == nil && len(got) == size; whole != tt.all {
				t.Errorf("%d bytes, error %v", len(got), err)
			}
			if !tt.all && err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if n := len(u.list()); n != tt.times {
				t.Errorf("asked %d times, want %d: %v", n, tt.times, u.list())
			}
			if err != nil && strings.Contains(err.Error(), testSecret) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

// failThen answers with a status until it was asked often enough, then with content.
func failThen(n, times int, w http.ResponseWriter, status, size int) {
	if n <= times {
		w.WriteHeader(status)
		return
	}
	describeTo(w, size)
	w.Write(make([]byte, size))
}

// TestRangeAnswers asks for a part of a content: an answer with anything else is no answer.
func TestRangeAnswers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"the whole": func(w http.ResponseWriter, _ *http.Request) { describeTo(w, 100); w.Write(make([]byte, 100)) },
		"another part": func(w http.ResponseWriter, _ *http.Request) {
			describeTo(w, 5)
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 5))
		},
		"changed meanwhile": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPreconditionFailed) },
	} {
		s, _ := before(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				describeTo(w, 100)
				return
			}
			if r.Header.Get("Range") != "bytes=10-19" || r.Header.Get("If-Match") == "" {
				t.Errorf("asked with %v", r.Header)
			}
			h(w, r)
		})
		_, c, err := s.OpenPart(t.Context(), storage.Ref{Bucket: "bucket", Key: "key"})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(c.Range(10, 10)); err == nil {
			t.Errorf("%s: %d bytes are taken for the part", name, len(b))
		}
		c.Close()
	}
}

// put writes n bytes to the key "key".
func put(s *Store, n int, meta storage.Meta) (*storage.Object, error) {
	content := bytes.Repeat([]byte("a"), n)
	return s.PutObject(context.Background(), storage.PutInput{Bucket: "bucket", Key: "key", Meta: meta, Body: bytes.NewReader(content), Size: int64(n),
		Digest: func() storage.Digest { return storage.Digest{ETag: fmt.Sprintf("%032x", n)} }})
}

// TestWrites has the upstream answer writes wrongly: none is acknowledged, none is sent twice, and what is
// stored wrongly is taken back where it can be named.
func TestWrites(t *testing.T) {
	for _, size := range []int{1, 200_000} {
		right := fmt.Sprintf(`"%032x"`, size)
		for name, tt := range map[string]struct {
			handler http.HandlerFunc
			want    error
			after   string // a further request
		}{
			"R-041 trouble":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, storage.ErrUnavailable, ""},
			"R-041 slow down":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, storage.ErrUnavailable, ""},
			"R-041 cut":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, storage.ErrUnavailable, ""},
			"R-041 no ETag":      {func(http.ResponseWriter, *http.Request) {}, errAltered, ""},
			"R-041 another ETag": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", noETag) }, errAltered, "DELETE /bucket/key"},
			"R-041 another version": {func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Etag", noETag)
				w.Header().Set("X-Amz-Version-Id", "v1")
			}, errAltered, "DELETE /bucket/key?versionId=v1"},
			"right": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", right) }, nil, ""},
			"encrypted by KMS": {func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Etag", noETag)
				w.Header().Set("X-Amz-Server-Side-Encryption", "aws:kms")
			}, nil, ""},
			"R-041 altered on the way": {func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(400)
				io.WriteString(w, "<Error><Code>BadDigest</Code></Error>")
			}, storage.ErrUnavailable, ""},
			"another rule": {func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(400)
				io.WriteString(w, "<Error><Code>InvalidTag</Code></Error>")
			}, storage.ErrNotSupported, ""},
			"full":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(507) }, storage.ErrFull, ""},
			"a failed condition": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(412) }, storage.ErrPrecondition, ""},
		} {
			s, u := before(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodPut {
					tt.handler(w, r)
				} else if !strings.Contains(r.URL.RawQuery, "versionId") && r.Header.Get("If-Match") != noETag {
					t.Errorf("%s: %s without a name of what it removes", name, r.Method)
				}
			})
			o, err := put(s, size, storage.Meta{})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("%s, %d bytes: %+v, error %v, want %v", name, size, o, err, tt.want)
			}
			want := []string{"PUT /bucket/key"}
			if tt.after != "" {
				want = append(want, tt.after)
			}
			if got := u.list(); strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("%s, %d bytes: requests %q, want %q", name, size, got, want)
			}
		}
	}
}

// TestCreationNotFound: an upstream that does not find what it is to create is in trouble, and the client is not told that the
// bucket it creates is missing.
func TestCreationNotFound(t *testing.T) {
	s, u := before(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		io.WriteString(w, "<Error><Code>NoSuchBucket</Code></Error>")
	})
	err := s.CreateBucket(t.Context(), storage.Bucket{Name: "fresh"})
	if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNoSuchBucket) {
		t.Errorf("CreateBucket: %v", err)
	}
	if got := u.list(); len(got) == 0 || got[len(got)-1] != "PUT /fresh" {
		t.Errorf("requests %q", got)
	}
}

// TestBodyProvesWrong has the body's reader say at its very end that something is wrong: the upstream never gets the whole.
func TestBodyProvesWrong(t *testing.T) {
	wrong := errors.New("the signature of the last chunk is wrong")
	for _, alg := range []string{"", "CRC32"} {
		for _, size := range []int64{0, 1, smallBody, smallBody + 1, frame * 3, 1 << 20} {
			whole := make(chan int64, 1)
			s, u := before(t, func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				if err == nil {
					whole <- n
				}
				w.Header().Set("Etag", noETag)
			})
			s.caps.known.Load().sums["CRC32"] = true
			_, err := s.PutObject(t.Context(), storage.PutInput{Bucket: "bucket", Key: "key", Size: size, ChecksumAlgorithm: alg,
				Body: io.MultiReader(io.LimitReader(zeros{}, size), failing{wrong}), Digest: func() storage.Digest { t.Error("the digest was asked for"); return storage.Digest{} }})
			if !errors.Is(err, wrong) || errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("size %d, checksum %q: error %v", size, alg, err)
			}
			select {
			case n := <-whole:
				t.Errorf("size %d, checksum %q: the upstream got a whole body of %d bytes: %v", size, alg, n, u.list())
			default:
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestInjection (S-254) sends metadata that would be headers of its own: no request is made.
func TestInjection(t *testing.T) {
	s, u := before(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", noETag) })
	for _, m := range []storage.Meta{
		{Attrs: []storage.Attr{{Name: "x-amz-meta-a", Value: "1\r\nX-Amz-Acl: public-read"}}},
		{Attrs: []storage.Attr{{Name: "x-amz-meta-a", Value: "1\n"}}},
		{Attrs: []storage.Attr{{Name: "x-amz-meta-a: 1\r\nx-amz-acl", Value: "public-read"}}},
		{Attrs: []storage.Attr{{Name: "x-amz-acl", Value: "public-read"}}},
		{Attrs: []storage.Attr{{Name: "authorization", Value: "x"}}},
		{Props: map[string]string{"acl": "public"}},
		{Owner: "another"},
	} {
		if _, err := put(s, 1, m); !errors.Is(err, storage.ErrNotSupported) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if got := u.list(); len(got) > 0 {
		t.Errorf("requests %q", got)
	}
}

// TestHostileLists (S-254) has the upstream list what it was not asked for, without end, or something else.
func TestHostileLists(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		keys string // "" wants an error
	}{
		"other keys":        {`<ListBucketResult><Contents><Key>a/1</Key></Contents><Contents><Key>../etc</Key></Contents><Contents><Key></Key></Contents><CommonPrefixes><Prefix>z/</Prefix></CommonPrefixes></ListBucketResult>`, "a/1"},
		"more than asked":   {`<ListBucketResult>` + strings.Repeat(`<Contents><Key>a/1</Key></Contents>`, 100) + `</ListBucketResult>`, strings.TrimSuffix(strings.Repeat("a/1 ", 5), " ")},
		"no place to go on": {`<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>`, ""},
		"an error":          {`<Error><Code>InternalError</Code></Error>`, ""},
		"no XML":            {`<html`, ""},
		"an entity":         {`<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult><Contents><Key>a/&a;</Key></Contents></ListBucketResult>`, ""},
		"without end":       {`<ListBucketResult>` + strings.Repeat(" ", maxDocument) + `</ListBucketResult>`, ""},
		"a wrong name":      {`<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a/%zz</Key></Contents></ListBucketResult>`, ""},
	} {
		s, _ := before(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, tt.body) })
		page, err := s.ListObjects(t.Context(), storage.ListInput{Bucket: "bucket", Prefix: "a/", Limit: 5})
		var keys []string
		if err == nil {
			for _, o := range page.Objects {
				keys = append(keys, o.Key)
			}
			keys = append(keys, page.Prefixes...)
		}
		if got := strings.Join(keys, " "); got != tt.keys || (err != nil) != (tt.keys == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestStalled has the upstream take a request and say nothing, or stop in the middle: it is left.
func TestStalled(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, h := range map[string]http.HandlerFunc{
		"no answer": func(http.ResponseWriter, *http.Request) { <-release },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			describeTo(w, 100_000)
			w.Write(make([]byte, 50_000))
			w.(http.Flusher).Flush()
			<-release
		},
	} {
		s, _ := before(t, h)
		s.client.answer, s.client.standing = 200*time.Millisecond, 200*time.Millisecond
		o, c, err := s.GetObject(t.Context(), storage.Ref{Bucket: "bucket", Key: "key"})
		if err == nil {
			_, err = io.ReadAll(c.Range(0, o.Size))
			c.Close()
		}
		if !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lostRecords can't be reached, or are damaged.
type lostRecords struct {
	noRecords
	revision uint64
	err      error
}

func (l lostRecords) Record(string) ([]byte, uint64) { return []byte("damage"), l.revision }

func (l lostRecords) Fetch(context.Context, string) ([]byte, uint64, error) { return nil, 0, l.err }

// TestLostRecords: a bucket of which nobody has set anything is served while the records can't be reached; one whose
// settings are there and can't be read is not, for they may deny what is asked.
func TestLostRecords(t *testing.T) {
	for name, tt := range map[string]struct {
		records lostRecords
		want    error
	}{
		"unreachable":       {lostRecords{err: storage.ErrUnavailable}, nil},
		"damaged there":     {lostRecords{err: storage.ErrDamaged}, storage.ErrDamaged},
		"damaged in memory": {lostRecords{revision: 7}, storage.ErrDamaged},
	} {
		s, _ := before(t, func(http.ResponseWriter, *http.Request) {})
		s.o.Records = tt.records
		if b, err := s.Bucket(t.Context(), "bucket"); !errors.Is(err, tt.want) || err == nil && (b.Owner != "owner" || len(b.Docs) > 0) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}
