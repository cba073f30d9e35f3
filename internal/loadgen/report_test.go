package loadgen

import (
	"strings"
	"testing"
	"time"
)

func TestReportMarkdown(t *testing.T) {
	p := &Plan{
		Targets: []*Target{{Name: "objsrv"}, {Name: "minio"}, {Name: "nginx"}},
		Phases:  []Phase{{Name: "PUT 4 KiB", Goal: 10}, {Name: "GET 16 MiB", Large: true}},
		Rounds:  3, Conns: 16, Duration: time.Second,
	}
	r := newReport(p)
	r.Peak = map[string]int64{"objsrv": 10 << 20, "minio": 20 << 20, "nginx": 1 << 20}
	for i, rate := range []float64{9000, 100, 10_000} { // the median is 9000
		r.Samples = append(r.Samples,
			Sample{Phase: "PUT 4 KiB", Target: "objsrv", Round: i, PerSecond: rate, ServerCPU: 100 * time.Microsecond, P50: time.Millisecond, P99: 2 * time.Millisecond, Written: 2048},
			Sample{Phase: "PUT 4 KiB", Target: "minio", Round: i, PerSecond: 1000, ServerCPU: 1000 * time.Microsecond},
			Sample{Phase: "GET 16 MiB", Target: "objsrv", Round: i, BytesPerSec: 1000 << 20, ServerCPU: time.Millisecond},
			Sample{Phase: "GET 16 MiB", Target: "nginx", Round: i, BytesPerSec: 2000 << 20, ServerCPU: time.Millisecond})
	}
	var b strings.Builder
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| Throughput | objsrv | minio | ratio | nginx | ratio | goal |",
		"| PUT 4 KiB | 9000/s | 1000/s | 9.00 | - | - | 10x |",
		"| GET 16 MiB | 1000 MiB/s | - | - | 2000 MiB/s | 0.50 | |",
		"| PUT 4 KiB | 100 us | 1000 us | 10.00 | - | - |",
		"| PUT 4 KiB | 1ms / 2ms | 0s / 0s | - |",
		"| PUT 4 KiB | 2.0 KiB | 0.0 KiB | - |",
		"| peak of the process | 10 MiB | 20 MiB | 1 MiB |",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, b.String())
		}
	}
}

func TestMedian(t *testing.T) {
	value := func(s Sample) float64 { return s.PerSecond }
	for _, tt := range []struct {
		of   []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{1, 9}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 100, 2}, 3}} {
		var of []Sample
		for _, v := range tt.of {
			of = append(of, Sample{PerSecond: v})
		}
		if got := median(of, value); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.of, got, tt.want)
		}
	}
}

func TestCheckIdle(t *testing.T) {
	for _, tt := range []struct {
		used Usage
		d    time.Duration
		ok   bool
	}{
		{Usage{}, time.Minute, true},
		{Usage{CPU: 60 * time.Millisecond}, time.Minute, true},
		{Usage{CPU: 70 * time.Millisecond}, time.Minute, false},
		{Usage{CPU: 30 * time.Millisecond}, time.Second, true},
		{Usage{CPU: 40 * time.Millisecond}, time.Second, false},
		{Usage{Written: 1}, time.Minute, false},
	} {
		if err := CheckIdle(tt.used, tt.d); (err == nil) != tt.ok {
			t.Errorf("CheckIdle(%+v, %s) = %v", tt.used, tt.d, err)
		}
	}
}
