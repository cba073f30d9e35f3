package checksum

import (
	"crypto/md5"
	"fmt"
	"hash"
	"sync"
	"syscall"
	"testing"
	"time"

	md5simd "github.com/minio/md5-simd"
)

// BenchmarkMD5Choice is the measurement behind the choice of MD5 implementation:
// wall-clock throughput and CPU seconds per GiB of crypto/md5 and of md5-simd's
// server, by the number of concurrent streams and the size of each body.
func BenchmarkMD5Choice(b *testing.B) {
	for _, size := range []int{256 << 10, 1 << 20, 16 << 20} {
		for _, streams := range []int{1, 2, 4, 8, 16} {
			for _, impl := range []string{"std", "simd"} {
				b.Run(fmt.Sprintf("%s/%dKiB/streams=%d", impl, size>>10, streams), func(b *testing.B) {
					newHash := func() (hash.Hash, func()) { return md5.New(), func() {} }
					if impl == "simd" {
						srv := md5simd.NewServer()
						defer srv.Close()
						newHash = func() (hash.Hash, func()) { h := srv.NewHash(); return h, h.Close }
					}
					benchMD5(b, newHash, size, streams)
				})
			}
		}
	}
}

func benchMD5(b *testing.B, newHash func() (hash.Hash, func()), size, streams int) {
	data := make([]byte, 64<<10)
	total := int64(size) * int64(streams)
	b.SetBytes(total)
	cpu := cpuTime()
	for b.Loop() {
		var wg sync.WaitGroup
		for range streams {
			wg.Go(func() {
				h, done := newHash()
				for n := 0; n < size; n += len(data) {
					h.Write(data)
				}
				h.Sum(nil)
				done()
			})
		}
		wg.Wait()
	}
	gib := float64(total) * float64(b.N) / (1 << 30)
	b.ReportMetric((cpuTime()-cpu).Seconds()/gib, "cpu-s/GiB")
}

func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
