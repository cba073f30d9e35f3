package madmin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/live"
)

// testHost is a Host with nothing behind it but what tests set.
type testHost struct {
	requests live.Feed[live.Trace]
	log      live.Log
	ended    []bool // of End
	quotas   map[string]int64
	buckets  []Bucket
	settings *config.Service
	files    map[string][]BucketFile
	locked   bool
	idps     []Provider
	keys     []EncryptionKey
}

// Providers implements Providers.
func (h *testHost) Providers() []Provider { return h.idps }

// newTestHost returns a host whose streams end at once.
func newTestHost(*testing.T) Host {
	h := openTestHost()
	h.idps = []Provider{{Kind: "openid", Name: "name"}} // of TestMatrix
	h.requests.Close()
	h.log.Close()
	return h
}

func openTestHost() *testHost {
	return &testHost{quotas: map[string]int64{"b": 0}, files: map[string][]BucketFile{}, settings: config.New(mem.Open(), []config.Subsystem{{
		Name: "site", Description: "the site", Keys: []config.Key{{Name: "region", Type: "string", Description: "its region", Check: func(v string) error {
			if v == "bad" {
				return errors.New("not a region")
			}
			return nil
		}}},
	}}, nil)}
}

// Settings implements Settings.
func (h *testHost) Settings() *config.Service { return h.settings }

// BucketFiles implements Archives.
func (h *testHost) BucketFiles(_ context.Context, _ *iam.Identity, bucket string) ([]BucketFile, error) {
	if _, err := h.Quota(context.Background(), bucket); err != nil {
		return nil, err
	}
	return h.files[bucket], nil
}

func (h *testHost) BucketFileNames() []string {
	return []string{"versioning.xml", "policy.json", "cors.xml"}
}

func (h *testHost) EnsureBucket(_ context.Context, _ *iam.Identity, bucket string, locked bool) error {
	if bucket == "Bad" {
		return &Refusal{http.StatusBadRequest, "InvalidBucketName", "bad name"}
	}
	if _, ok := h.quotas[bucket]; !ok {
		h.quotas[bucket] = 0
	}
	h.locked = locked
	return nil
}

func (h *testHost) SetBucketFile(_ context.Context, _ *iam.Identity, bucket string, f BucketFile) error {
	switch {
	case !slices.Contains(h.BucketFileNames(), f.Name):
		return &Refusal{http.StatusNotImplemented, "NotImplemented", f.Name + " is not implemented"}
	case string(f.Data) == "bad":
		return &Refusal{http.StatusBadRequest, "MalformedXML", "malformed"}
	case string(f.Data) == "failing":
		return errors.New("secret detail")
	}
	h.files[bucket] = append(h.files[bucket], f)
	return nil
}

func (h *testHost) Server(context.Context) (Server, error) {
	return Server{Node: "127.0.0.1:9000", Scheme: "http", Deployment: "123456789012", Region: "us-east-1", Started: time.Unix(0, 0), Version: "v1",
		Drive: Drive{Path: "/data", Writable: true, Total: 100, Used: 40, Free: 60}}, nil
}

func (h *testHost) Usage(context.Context) ([]BucketUsage, error) {
	return []BucketUsage{{"a", 1, 2, 3, 4, false}, {"b", 10, 20, 30, 40, false}}, nil
}

func (h *testHost) EachBucket(_ context.Context, f func(*Bucket) error) error {
	for _, b := range h.buckets {
		if err := f(&b); err != nil {
			return err
		}
	}
	return nil
}

func (h *testHost) End(restart bool)                 { h.ended = append(h.ended, restart) }
func (h *testHost) Requests() *live.Feed[live.Trace] { return &h.requests }
func (h *testHost) Log() *live.Log                   { return &h.log }

func (h *testHost) Quota(_ context.Context, bucket string) (int64, error) {
	if n, ok := h.quotas[bucket]; ok {
		return n, nil
	}
	return 0, &Refusal{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
}

func (h *testHost) SetQuota(ctx context.Context, bucket string, n int64) error {
	if _, err := h.Quota(ctx, bucket); err != nil {
		return err
	}
	h.quotas[bucket] = n
	return nil
}

// newHostServer returns a face over a host of the test's own.
func newHostServer(t *testing.T) (*server, *testHost) {
	s := newServer(t)
	host := openTestHost()
	s.h.(*handler).Host = host
	return s, host
}

// ask sends a request as root and decodes the answer.
func (s *server) ask(q request, v any) {
	s.t.Helper()
	q.as = "objroot"
	status, body := s.send(q)
	if status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", q.path, status, body)
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		s.t.Fatalf("%s: %v in %s", q.path, err, body)
	}
}

func TestInfo(t *testing.T) {
	s, _ := newHostServer(t)
	var info infoMessage
	s.ask(request{method: get, path: "info", query: "metrics=false&no-cache=false"}, &info)
	if info.Buckets.Count != 2 || info.Objects.Count != 11 || info.Versions.Count != 22 || info.DeleteMarkers.Count != 33 || info.Usage.Size != 44 {
		t.Errorf("counters %+v", info)
	}
	if len(info.Servers) != 1 || info.Servers[0].Endpoint != "127.0.0.1:9000" || info.Servers[0].Uptime < 1 || info.Servers[0].Drives[0].Free != 60 || info.Backend.OnlineDisks != 1 {
		t.Errorf("servers %+v, backend %+v", info.Servers, info.Backend)
	}
	var st storageInfo
	s.ask(request{method: get, path: "storageinfo"}, &st)
	if len(st.Disks) != 1 || st.Disks[0].State != "ok" || st.Backend.OnlineDisks["127.0.0.1:9000"] != 1 {
		t.Errorf("storage %+v", st)
	}
	var u dataUsage
	s.ask(request{method: get, path: "datausageinfo", query: "capacity=true"}, &u)
	if u.Total != 100 || u.Free != 60 || u.Used != 40 || u.Buckets["b"] != (bucketUsage{40, 10, 20, 30}) || u.BucketsCount != 2 || u.Bytes != 44 {
		t.Errorf("usage %+v", u)
	}
	u = dataUsage{}
	if s.ask(request{method: get, path: "datausageinfo"}, &u); u.Total != 0 {
		t.Errorf("capacity %d that nobody asked for", u.Total)
	}
	var locks []any
	if s.ask(request{method: get, path: "top/locks", query: "count=10&stale=false"}, &locks); locks == nil || len(locks) != 0 {
		t.Errorf("locks %v", locks)
	}
}

func TestService(t *testing.T) {
	s, host := newHostServer(t)
	var r serviceResult
	for _, q := range []string{"action=restart&dry-run=false&type=2", "action=stop&type=2", "action=restart&dry-run=true&type=2"} {
		if s.ask(request{method: post, path: "service", query: q}, &r); len(r.Results) != 1 || r.Results[0].Host != "127.0.0.1:9000" {
			t.Errorf("%s: %+v", q, r)
		}
	}
	if !slices.Equal(host.ended, []bool{true, false}) {
		t.Errorf("ended %v", host.ended)
	}
	for _, q := range []string{"action=restart&dry-run=perhaps", "action=restart&type=3", "action=stop&wait=1", "action=", "action=reboot", "action=stop&action=restart"} {
		if status, body := s.send(request{as: "objroot", method: post, path: "service", query: q}); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", q, status, body)
		}
	}
	if len(host.ended) != 2 {
		t.Errorf("a refused request has an effect: %v", host.ended)
	}
}

func TestBucketQuota(t *testing.T) {
	s, host := newHostServer(t)
	var q bucketQuota
	if s.ask(request{method: get, path: "get-bucket-quota", query: "bucket=b"}, &q); q != (bucketQuota{}) {
		t.Errorf("no quota: %+v", q)
	}
	set := func(bucket, body string) (int, string) {
		return s.send(request{as: "objroot", method: put, path: "set-bucket-quota", query: "bucket=" + bucket, body: body})
	}
	for _, body := range []string{`{"quota":1000,"size":0,"rate":0,"requests":0,"quotatype":"hard"}`, `{"size":1000,"quotatype":"hard"}`, `{"size":1000,"quota":1000,"quotatype":"hard"}`} {
		host.quotas["b"] = 0
		if status, answer := set("b", body); status != http.StatusOK || host.quotas["b"] != 1000 {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if s.ask(request{method: get, path: "get-bucket-quota", query: "bucket=b"}, &q); q != (bucketQuota{Quota: 1000, Size: 1000, Type: "hard"}) {
		t.Errorf("quota: %+v", q)
	}
	for _, tt := range []struct {
		bucket, body string
		status       int
	}{
		{"b", ``, 400}, {"b", `null`, 400}, {"b", `[]`, 400}, {"b", `{"quota":-1,"quotatype":"hard"}`, 400}, {"b", `{"quota":1.5,"quotatype":"hard"}`, 400},
		{"b", `{"quota":1,"quotatype":"fifo"}`, 400}, {"b", `{"quota":1}`, 400}, {"b", `{"quota":1,"size":2,"quotatype":"hard"}`, 400},
		{"b", `{"quota":18446744073709551615,"quotatype":"hard"}`, 400}, {"b", `{"quota":1,"quota":2,"quotatype":"hard"}`, 400}, {"b", `{"Quota":1,"quotatype":"hard"}`, 400},
		{"b", `{"quota":1,"rate":5,"quotatype":"hard"}`, 501}, {"b", `{"requests":5}`, 501},
		{"x", `{"quota":1,"quotatype":"hard"}`, 404},
	} {
		if status, answer := set(tt.bucket, tt.body); status != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.bucket, tt.body, status, answer, tt.status)
		}
	}
	if host.quotas["b"] != 1000 {
		t.Errorf("a refused request has an effect: %d", host.quotas["b"])
	}
	if status, answer := set("b", `{"quota":0,"size":0,"rate":0,"requests":0}`); status != http.StatusOK || host.quotas["b"] != 0 {
		t.Errorf("cleared: %d %s", status, answer)
	}
}

func (h *testHost) Targets(context.Context) []Target {
	return []Target{{"redis", "R", "arn:minio:sqs::R:redis", false}, {"webhook", "A", "arn:minio:sqs::A:webhook", true}, {"webhook", "B", "arn:minio:sqs::B:webhook", false}}
}

// TestTargets has them in MinIO's form.
func TestTargets(t *testing.T) {
	var m infoMessage
	m.targets((&testHost{}).Targets(t.Context()))
	got, err := json.Marshal(m.Services)
	const want = `{"notifications":[{"redis":[{"R":{"status":"offline"}}]},{"webhook":[{"A":{"status":"online"}},{"B":{"status":"offline"}}]}]}`
	if err != nil || string(got) != want || len(m.SQSARN) != 3 {
		t.Errorf("%s %v %v", got, err, m.SQSARN)
	}
}
