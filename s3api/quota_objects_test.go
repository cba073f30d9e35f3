package s3api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

func (e *env) objectQuota(bucket string, limit int64) {
	e.t.Helper()
	if err := e.s.SetQuotas(context.Background(), bucket, nil, &limit); err != nil {
		e.t.Fatal(err)
	}
}

// TestObjectQuota fills a bucket up to its number of objects, in each way that makes one.
func TestObjectQuota(t *testing.T) {
	e := newEnv(t)
	ctx := context.Background()
	e.must(200, "PUT", "/bkt/a", "1")
	e.must(200, "PUT", "/bkt/b", "2")
	id := e.create("/bkt/u")
	part := e.must(200, "PUT", "/bkt/u?partNumber=1&uploadId="+id, "3").Header.Get("Etag")
	e.objectQuota("bkt", 2)
	e.refused(400, errCodeQuota, "PUT", "/bkt/c", "x")
	e.refused(400, errCodeQuota, "PUT", "/bkt/c", "", "X-Amz-Copy-Source: bkt/a")
	e.must(200, "PUT", "/bkt/u?partNumber=2&uploadId="+id, "a part is no object")
	complete := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + part + "</ETag></Part></CompleteMultipartUpload>"
	e.refused(400, errCodeQuota, "POST", "/bkt/u?uploadId="+id, complete)
	e.must(204, "DELETE", "/bkt/a", "")
	e.must(200, "POST", "/bkt/u?uploadId="+id, complete)
	e.refused(400, errCodeQuota, "PUT", "/bkt/c", "x")
	if n, err := e.s.ObjectQuota(ctx, "bkt"); n != 2 || err != nil {
		t.Errorf("quota %d, %v", n, err)
	}
	if n, err := e.s.Quota(ctx, "bkt"); n != 0 || err != nil {
		t.Errorf("quota of bytes %d, %v", n, err)
	}
	e.quota("bkt", 5) // both count
	e.objectQuota("bkt", 100)
	e.refused(400, errCodeQuota, "PUT", "/bkt/c", "too many bytes")
	e.must(200, "PUT", "/bkt/c", "x")
	e.objectQuota("bkt", 0)
	e.quota("bkt", 0)
	e.must(200, "PUT", "/bkt/d", "without a quota")
	if err := e.s.Backend.UpdateBucket(ctx, "bkt", func(b *storage.Bucket) error {
		b.Docs = map[string][]byte{docObjectQuota: []byte("x")}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	e.refused(500, "InternalError", "PUT", "/bkt/k", "x")
}

// TestObjectQuotaRace: writers at the same time do not exceed the number together.
func TestObjectQuotaRace(t *testing.T) {
	e := newEnv(t)
	const writers, fit = 32, 5
	e.objectQuota("bkt", fit)
	var wg sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for i := range writers {
		wg.Go(func() {
			if e.do("PUT", fmt.Sprintf("/bkt/k%d", i), strings.Repeat("x", 100)).status == 200 {
				mu.Lock()
				defer mu.Unlock()
				stored++
			}
		})
	}
	wg.Wait()
	if u, err := e.s.Backend.Usage(context.Background(), "bkt"); err != nil || stored > fit || u.Objects != int64(stored) || stored == 0 {
		t.Errorf("%d stored, %+v, %v", stored, u, err)
	}
}

// oneUpdate is a store that is killed behind the first change of a bucket.
type oneUpdate struct {
	storage.Backend
	n int
}

func (o *oneUpdate) UpdateBucket(ctx context.Context, name string, change func(*storage.Bucket) error) error {
	if o.n++; o.n > 1 {
		return storage.ErrUnavailable
	}
	return o.Backend.UpdateBucket(ctx, name, change)
}

// TestQuotasAtOnce: both bounds are set in one step, or none of them.
func TestQuotasAtOnce(t *testing.T) {
	e := newEnv(t)
	bytes, objects, wrong := int64(100), int64(5), int64(-1)
	if err := e.s.SetQuotas(t.Context(), "bkt", &bytes, &wrong); err == nil {
		t.Error("a negative number of objects")
	}
	if n, err := e.s.Quota(t.Context(), "bkt"); n != 0 || err != nil {
		t.Errorf("half of a refused quota: %d %v", n, err)
	}
	e.s.Backend = &oneUpdate{Backend: e.s.Backend}
	if err := e.s.SetQuotas(t.Context(), "bkt", &bytes, &objects); err != nil {
		t.Error("it takes more than one step:", err)
	}
	n, err := e.s.Quota(t.Context(), "bkt")
	m, oerr := e.s.ObjectQuota(t.Context(), "bkt")
	if n != bytes || m != objects || err != nil || oerr != nil {
		t.Errorf("%d bytes %v, %d objects %v", n, err, m, oerr)
	}
}
