package s3api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/s3gw"
)

// ownedRecords are the settings of buckets that an account owns.
type ownedRecords struct{}

func (ownedRecords) Record(string) ([]byte, uint64) {
	return []byte(`{"v":1,"created":"2030-01-02T03:04:05Z","owner":"000000000001","versioning":0}`), 1
}

func (ownedRecords) Names() []string { return nil }

func (r ownedRecords) Fetch(_ context.Context, bucket string) ([]byte, uint64, error) {
	v, rev := r.Record(bucket)
	return v, rev, nil
}

func (ownedRecords) Write(context.Context, string, []byte, uint64) (bool, error) {
	panic("a stranger's request changes settings")
}

// TestWalkAsStrangerAtGateway is TestWalkAsStranger before an upstream: nothing reaches it but the question what
// buckets there are and how they are versioned.
func TestWalkAsStrangerAtGateway(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/walked" && r.URL.Query().Has("versioning"):
			fmt.Fprint(w, "<VersioningConfiguration/>")
		case r.Method == http.MethodGet && r.URL.Path == "/":
			fmt.Fprint(w, "<ListAllMyBucketsResult><Buckets><Bucket><Name>walked</Name></Bucket></Buckets></ListAllMyBucketsResult>")
		default:
			t.Errorf("the upstream is asked for %s %s", r.Method, r.URL)
		}
	}))
	defer srv.Close()
	s, err := s3gw.Open(s3gw.Options{Endpoint: srv.URL, AccessKey: "upstream", SecretKey: "upstream-secret", Owner: "000000000001", Records: ownedRecords{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	walkAsStranger(t, onlyWalked{s})
}

// onlyWalked has the one bucket that the walk is about.
type onlyWalked struct{ storage.Backend }

func (o onlyWalked) Bucket(ctx context.Context, name string) (*storage.Bucket, error) {
	if name != "walked" {
		return nil, storage.ErrNoSuchBucket
	}
	return o.Backend.Bucket(ctx, name)
}
