package checksum

import (
	"crypto/md5"
	"fmt"
	"hash"
	"runtime"
	"sync"
	"sync/atomic"
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

// benchMD5 hashes b.N bodies, streams of them at a time, one after another in each stream.
func benchMD5(b *testing.B, newHash func() (hash.Hash, func()), size, streams int) {
	data := make([]byte, 64<<10)
	b.SetBytes(int64(size))
	var begun atomic.Int64
	var wg sync.WaitGroup
	cpu := cpuTime()
	for range streams {
		wg.Go(func() {
			for begun.Add(1) <= int64(b.N) {
				h, done := newHash()
				for n := 0; n < size; n += len(data) {
					h.Write(data)
					runtime.Gosched() // as reading the next bytes from the network does
				}
				h.Sum(nil)
				done()
			}
		})
	}
	wg.Wait()
	gib := float64(size) * float64(b.N) / (1 << 30)
	b.ReportMetric((cpuTime()-cpu).Seconds()/gib, "cpu-s/GiB")
}

func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// BenchmarkHasherConcurrent measures what the Pool chooses, as BenchmarkMD5Choice does.
func BenchmarkHasherConcurrent(b *testing.B) {
	for _, size := range []int{1 << 20, 16 << 20} {
		for _, streams := range []int{1, 4, 8, 16} {
			b.Run(fmt.Sprintf("%dMiB/streams=%d", size>>20, streams), func(b *testing.B) {
				p := NewPool()
				defer p.Close()
				benchMD5(b, func() (hash.Hash, func()) {
					h := p.Get(int64(size), None, None)
					return hasherHash{h}, func() { p.Put(h) }
				}, size, streams)
			})
		}
	}
}

// hasherHash gives a Hasher the methods of hash.Hash that benchMD5 needs.
type hasherHash struct{ *Hasher }

func (h hasherHash) Sum(b []byte) []byte { sum := h.MD5(); return append(b, sum[:]...) }
func (h hasherHash) Reset()              {}
func (h hasherHash) Size() int           { return 16 }
func (h hasherHash) BlockSize() int      { return 64 }
