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
	if err := e.s.SetObjectQuota(context.Background(), bucket, limit); err != nil {
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
