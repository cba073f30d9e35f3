package s3gw_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam"
	iammem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
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
}

func newRecords() *records { return &records{m: map[string][]byte{}, rev: map[string]uint64{}} }

func (r *records) Record(bucket string) ([]byte, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.m[bucket], r.rev[bucket]
}

func (r *records) Fetch(_ context.Context, bucket string) ([]byte, uint64, error) {
	v, rev := r.Record(bucket)
	return v, rev, nil
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
		return true, nil
	}
	r.n++
	r.m[bucket], r.rev[bucket] = bytes.Clone(value), r.n
	return true, nil
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
	s := s3api.New(s3api.Config{Backend: backend, IAM: service, Region: "us-east-1"})
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); service.Close(); ids.Close(); backend.Close() })
	_ = httpd.Health{}
	_ = reqlog.Event{}
	return srv.URL
}

// gateway opens a store before an upstream.
func gateway(t testing.TB, endpoint string) *s3gw.Store {
	t.Helper()
	o := s3gw.Options{Endpoint: endpoint, AccessKey: accessKey, SecretKey: secretKey, Owner: "owner", Records: newRecords(),
		Report: func(err error) { t.Logf("report: %v", err) }}
	if v := os.Getenv("OBJSRV_TEST_UPSTREAM_KEY"); v != "" {
		o.AccessKey, o.SecretKey = v, os.Getenv("OBJSRV_TEST_UPSTREAM_SECRET")
	}
	s, err := s3gw.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformanceOwnServer(t *testing.T) {
	endpoint := ownServer(t)
	open := func(t *testing.T) storage.Backend { return gateway(t, endpoint) }
	g := gateway(t, endpoint)
	caps, err := g.Capabilities(t.Context())
	t.Logf("upstream %s, %v", caps, err)
	storagetest.Run(t, open, storagetest.Options{Thresholds: []int64{64 << 10}})
}
