package metrics

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/storage"
)

// scrape returns the text of the metrics and the status of the answer.
func scrape(m *Metrics) (string, int) {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/-/metrics", nil))
	return w.Body.String(), w.Code
}

func TestRequests(t *testing.T) {
	m, other := New(Options{Version: "v1"}), New(Options{})
	now := time.Now()
	m.now = func() time.Time { return now.Add(3 * time.Millisecond) }
	m.Begin()
	m.Begin()
	m.Begin()
	m.End(&reqlog.Event{Op: "GetObject", Start: now, Status: 206, BytesOut: 10})
	m.End(&reqlog.Event{Start: now, Status: 403, Code: "AccessDenied", BytesIn: 5})
	text, _ := scrape(m)
	for _, want := range []string{
		`objsrv_requests_total{operation="GetObject",status="2xx"} 1`,
		`objsrv_requests_total{operation="GetObject",status="5xx"} 0`,
		`objsrv_requests_total{operation="none",status="4xx"} 1`,
		`objsrv_request_errors_total{code="AccessDenied",operation="none"} 1`,
		`objsrv_request_duration_seconds_bucket{operation="GetObject",le="0.0025"} 0`,
		`objsrv_request_duration_seconds_bucket{operation="GetObject",le="0.005"} 1`,
		`objsrv_response_sent_bytes_total{operation="GetObject"} 10`,
		`objsrv_request_received_bytes_total{operation="none"} 5`,
		`objsrv_requests_in_flight 1`,
		`objsrv_build_info{version="v1"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if text, _ := scrape(other); strings.Contains(text, "GetObject") {
		t.Error("two sets share their counters")
	}
}

func TestClass(t *testing.T) {
	for status, want := range map[int]string{0: "cut", 99: "cut", 200: "2xx", 304: "3xx", 404: "4xx", 507: "5xx", 600: "cut", -1: "cut"} {
		if got := classes[class(status)]; got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

// fakeBuckets has as many buckets as names, in pages of two.
type fakeBuckets struct {
	storage.Buckets
	names []string
	err   error
}

func (f *fakeBuckets) ListBuckets(_ context.Context, _, after string, _ int) (list []*storage.Bucket, more bool, err error) {
	for _, n := range f.names {
		if n > after && len(list) == 2 {
			return list, true, f.err
		}
		if n > after {
			list = append(list, &storage.Bucket{Name: n})
		}
	}
	return list, false, f.err
}

func (f *fakeBuckets) Usage(_ context.Context, name string) (storage.Usage, error) {
	if name == "gone" {
		return storage.Usage{}, storage.ErrNoSuchBucket
	}
	return storage.Usage{Objects: 1, Versions: 2, Markers: 3, Bytes: 4}, nil
}

func TestStore(t *testing.T) {
	f := &fakeBuckets{names: []string{"a", "b", "c", "d", "gone"}}
	m := New(Options{})
	m.AddStore(f, func() []Stat {
		return []Stat{{Name: "damage_total", Help: "Damage.", Counter: true, Value: 7}, {Name: "disk_bytes", Help: "Disk.", Value: 8}}
	})
	text, _ := scrape(m)
	for _, want := range []string{
		`objsrv_bucket_objects{bucket="a"} 1`, `objsrv_bucket_versions{bucket="d"} 2`, `objsrv_bucket_delete_markers{bucket="c"} 3`,
		`objsrv_bucket_bytes{bucket="b"} 4`, `objsrv_buckets 4`,
		"# TYPE objsrv_store_damage_total counter", "objsrv_store_damage_total 7", "# TYPE objsrv_store_disk_bytes gauge", "objsrv_store_disk_bytes 8",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "gone") {
		t.Error("a bucket that is gone has figures")
	}
	f.err = errors.New("store closed")
	if _, status := scrape(m); status != 500 {
		t.Errorf("a store that can't tell gives status %d, not 500", status)
	}
}

func BenchmarkEnd(b *testing.B) {
	m := New(Options{})
	e := &reqlog.Event{Op: "GetObject", Start: time.Now(), Status: 200, BytesOut: 4096}
	b.ReportAllocs()
	for b.Loop() {
		m.Begin()
		m.End(e)
	}
}
