package main

import (
	"bytes"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/objsrv/objsrv/s3api"
)

// BenchmarkKept writes and reads 16 MiB in each way of keeping it, client included, over one connection. The goals are
// that of SSE-S3, at least 80 % of plain, and of compression, 150 MiB/s of text.
func BenchmarkKept(b *testing.B) {
	const size = 16 << 20
	content := sealedContent(size)
	for _, mode := range []struct {
		name     string
		sse      encrypt.ServerSide
		compress bool
	}{{"plain", nil, false}, {"SSE-S3", encrypt.NewSSE(), false}, {"compressed", nil, true}, {"both", encrypt.NewSSE(), true}} {
		p := &Program{Config: &Config{Dir: b.TempDir(), Address: "127.0.0.1:0", Region: "us-east-1", RootPassword: testPassword, MaxConnections: 1000, DrainTimeout: time.Second,
			Compression: s3api.Compression{Enabled: mode.compress, Encrypted: true}}, Stdout: io.Discard, Stderr: io.Discard}
		if err := p.Start(); err != nil {
			b.Fatal(err)
		}
		c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4("admin", testPassword, ""), Region: "us-east-1"})
		if err == nil {
			err = c.MakeBucket(b.Context(), "bucket", minio.MakeBucketOptions{})
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Run("PUT/"+mode.name, func(b *testing.B) {
			b.SetBytes(size)
			defer reportCPU(b)()
			for range b.N {
				opts := minio.PutObjectOptions{ServerSideEncryption: mode.sse, DisableMultipart: true, DisableContentSha256: true}
				if _, err := c.PutObject(b.Context(), "bucket", "k", bytes.NewReader(content), size, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("GET/"+mode.name, func(b *testing.B) {
			b.SetBytes(size)
			defer reportCPU(b)()
			for range b.N {
				o, err := c.GetObject(b.Context(), "bucket", "k", minio.GetObjectOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, o); err != nil || n != size {
					b.Fatal(n, err)
				}
				o.Close()
			}
		})
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// reportCPU reports the processor time of what runs until its result is called, which tells more than the clock on a
// busy machine.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64((used()-start).Microseconds())/float64(b.N)/1000, "cpu-ms/op") }
}
