package s3api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

const errCodeQuota = "XMinioAdminBucketQuotaExceeded"

func (e *env) quota(bucket string, limit int64) {
	e.t.Helper()
	if err := e.s.SetQuota(context.Background(), bucket, limit); err != nil {
		e.t.Fatal(err)
	}
}

// usage returns the content bytes of a bucket.
func (e *env) usage(bucket string) int64 {
	e.t.Helper()
	u, err := e.s.Backend.Usage(context.Background(), bucket)
	if err != nil {
		e.t.Fatal(err)
	}
	return u.Bytes
}

// TestQuota has every way to write, each up to the quota and one byte beyond it.
func TestQuota(t *testing.T) {
	partTarget := func(e *env) (string, string) { return "/bkt/mp", e.create("/bkt/mp") }
	ten := strings.Repeat("x", 10)
	tests := []struct {
		name string
		do   func(e *env, size int) *answered
	}{
		{"PutObject", func(e *env, size int) *answered { return e.do("PUT", "/bkt/k", ten[:size]) }},
		{"CopyObject", func(e *env, size int) *answered {
			e.must(200, "PUT", "/src/k", ten[:size])
			return e.do("PUT", "/bkt/k", "", "X-Amz-Copy-Source: src/k")
		}},
		{"UploadPart", func(e *env, size int) *answered {
			target, id := partTarget(e)
			return e.do("PUT", target+"?partNumber=1&uploadId="+id, ten[:size])
		}},
		{"UploadPartCopy", func(e *env, size int) *answered {
			e.must(200, "PUT", "/src/k", ten)
			target, id := partTarget(e)
			return e.do("PUT", target+"?partNumber=1&uploadId="+id, "", "X-Amz-Copy-Source: src/k", fmt.Sprintf("X-Amz-Copy-Source-Range: bytes=0-%d", size-1))
		}},
		{"PostObject", func(e *env, size int) *answered {
			f := fields("key=up/k")
			f.content = ten[:size]
			return e.post("/bkt", e.signed(f, bktKey))
		}},
		{"CompleteMultipartUpload", func(e *env, size int) *answered {
			e.quota("bkt", 0) // the parts were stored before there was a quota
			target, id := partTarget(e)
			etag := e.part(target, id, 1, ten[:size])
			e.quota("bkt", 7)
			return e.do("POST", target+"?uploadId="+id, completeDoc(etag))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv(t)
			e.bucket("src", storage.VersioningUnset)
			e.must(200, "PUT", "/bkt/old", "ab")
			e.quota("bkt", 7)
			if a := tt.do(e, 6); a.status != 400 || a.code() != errCodeQuota {
				t.Errorf("one byte too many: %d %s", a.status, a.body)
			}
			if n := e.usage("bkt"); n != 2 {
				t.Errorf("a refused write left %d bytes", n)
			}
			if a := tt.do(e, 5); a.status/100 != 2 {
				t.Errorf("what fits: %d %s", a.status, a.body)
			}
			if len(e.s.quotas.claimed) != 0 {
				t.Errorf("claims are left: %v", e.s.quotas.claimed)
			}
		})
	}
}

// TestQuotaChanges: a quota below what is there refuses writes and keeps what is there; without
// it everything goes again.
func TestQuotaChanges(t *testing.T) {
	e := newEnv(t)
	ctx := context.Background()
	e.must(200, "PUT", "/bkt/k", "hello")
	e.quota("bkt", 3)
	e.refused(400, errCodeQuota, "PUT", "/bkt/l", "x")
	e.must(200, "PUT", "/bkt/k", "", "X-Amz-Copy-Source: bkt/k", "X-Amz-Metadata-Directive: REPLACE", "X-Amz-Meta-A: b")
	if a := e.must(200, "GET", "/bkt/k", ""); a.body != "hello" {
		t.Errorf("body %q", a.body)
	}
	if n, err := e.s.Quota(ctx, "bkt"); n != 3 || err != nil {
		t.Errorf("quota %d, %v", n, err)
	}
	e.must(204, "DELETE", "/bkt/k", "")
	e.must(200, "PUT", "/bkt/l", "abc")
	e.quota("bkt", 0)
	e.must(200, "PUT", "/bkt/m", "without a quota")
	if n, err := e.s.Quota(ctx, "bkt"); n != 0 || err != nil {
		t.Errorf("quota %d, %v", n, err)
	}
	if err := e.s.SetQuota(ctx, "nothing", 1); err == nil {
		t.Error("a quota on no bucket")
	}
	if err := e.s.SetQuota(ctx, "bkt", -1); err == nil {
		t.Error("a negative quota")
	}
}

// TestQuotaUnreadable: a quota that can't be read is not absent.
func TestQuotaUnreadable(t *testing.T) {
	e := newEnv(t)
	for _, doc := range []string{"", "x", "-1", "0", "99999999999999999999"} {
		err := e.s.Backend.UpdateBucket(context.Background(), "bkt", func(b *storage.Bucket) error {
			b.Docs = map[string][]byte{docQuota: []byte(doc)}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		e.refused(500, "InternalError", "PUT", "/bkt/k", "x")
		if _, err := e.s.Quota(context.Background(), "bkt"); err == nil {
			t.Errorf("%q is read as a quota", doc)
		}
	}
}

// TestQuotaRace: writers at the same time do not exceed the quota together.
func TestQuotaRace(t *testing.T) {
	e := newEnv(t)
	const writers, fit, size = 32, 5, 1000
	e.quota("bkt", fit*size+size/2)
	body := strings.Repeat("x", size)
	var wg sync.WaitGroup
	statuses := make([]int, writers)
	for i := range writers {
		wg.Go(func() { statuses[i] = e.do("PUT", fmt.Sprintf("/bkt/k%d", i), body).status })
	}
	wg.Wait()
	stored := 0
	for _, s := range statuses {
		if s == 200 {
			stored++
		} else if s != 400 {
			t.Errorf("status %d", s)
		}
	}
	if n := e.usage("bkt"); n > fit*size || n != int64(stored*size) {
		t.Errorf("%d bytes in %d objects of at most %d", n, stored, fit)
	}
	if len(e.s.quotas.claimed) != 0 {
		t.Errorf("claims are left: %v", e.s.quotas.claimed)
	}
}

// TestQuotaLargeForm: a form that can't fit is refused before its file is read.
func TestQuotaLargeForm(t *testing.T) {
	e := newEnv(t)
	e.quota("bkt", 7)
	f := fields("key=up/k")
	f.content = strings.Repeat("x", 3*maxFormPreamble)
	if a := e.post("/bkt", e.signed(f, bktKey)); a.status != 400 || a.code() != errCodeQuota {
		t.Errorf("%d %s", a.status, a.body)
	}
	if n := e.usage("bkt"); n != 0 {
		t.Errorf("%d bytes", n)
	}
}

// BenchmarkClaim measures what a quota costs a write, and what it costs one into a bucket that has none.
func BenchmarkClaim(b *testing.B) {
	e := newEnv(b)
	e.bucket("limited", storage.VersioningUnset)
	e.quota("limited", 1<<40)
	for _, name := range []string{"bkt", "limited"} {
		bucket, err := e.s.Backend.Bucket(context.Background(), name)
		if err != nil {
			b.Fatal(err)
		}
		c := &call{s: e.s, ctx: context.Background()}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				room, err := c.claim(bucket, 4096)
				if err != nil {
					b.Fatal(err)
				}
				room.release()
			}
		})
	}
}
