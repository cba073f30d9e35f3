package fs_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// benchStore opens a store on the machine's disk with a bucket.
func benchStore(b *testing.B) *fs.Store {
	s := openStore(b, fs.Options{Dir: b.TempDir()})
	mustBucket(b, s, "b", storage.VersioningUnset)
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// clients is the number of concurrent callers per processor.
const clients = 16

// cpu reports the processor time of one operation, which on a busy machine tells more
// than the time that passed.
func cpu(b *testing.B) (done func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64((used()-start).Nanoseconds())/1000/float64(b.N), "cpu-us/op") }
}

func benchPut(b *testing.B, size int) {
	s := benchStore(b)
	content := bytesOf(1, size)
	var n atomic.Int64
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.SetParallelism(clients)
	b.ResetTimer()
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			in := putInput("b", fmt.Sprintf("key/%09d", n.Add(1)), content[:size])
			if _, err := s.PutObject(ctx, in); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkPut4KiB(b *testing.B)  { benchPut(b, 4<<10) }
func BenchmarkPut16KiB(b *testing.B) { benchPut(b, 16<<10) }
func BenchmarkPut32KiB(b *testing.B) { benchPut(b, 32<<10) }
func BenchmarkPut33KiB(b *testing.B) { benchPut(b, 33<<10) }
func BenchmarkPut1MiB(b *testing.B)  { benchPut(b, 1<<20) }
func BenchmarkPut16MiB(b *testing.B) { benchPut(b, 16<<20) }

func benchGet(b *testing.B, size, objects int) {
	s := benchStore(b)
	for i := range objects {
		mustPut(b, s, "b", fmt.Sprintf("key/%09d", i), bytesOf(byte(i), size))
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, c, err := s.GetObject(ctx, storage.Ref{Bucket: "b", Key: fmt.Sprintf("key/%09d", rand.IntN(objects))})
			if err != nil {
				b.Error(err)
				return
			}
			n, err := io.Copy(io.Discard, struct{ io.Reader }{c.Range(0, int64(size))})
			if err != nil || n != int64(size) {
				b.Error(n, err)
			}
			_ = c.Close()
		}
	})
}

func BenchmarkGet4KiB(b *testing.B)  { benchGet(b, 4<<10, 5000) }
func BenchmarkGet1MiB(b *testing.B)  { benchGet(b, 1<<20, 20) }
func BenchmarkGet16MiB(b *testing.B) { benchGet(b, 16<<20, 2) }

func BenchmarkStat(b *testing.B) {
	s := benchStore(b)
	mustPut(b, s, "b", "key", bytesOf(1, 4096))
	b.ReportAllocs()
	b.ResetTimer()
	defer cpu(b)()
	for b.Loop() {
		if _, err := s.StatObject(ctx, storage.Ref{Bucket: "b", Key: "key"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	s := benchStore(b)
	for i := range b.N {
		mustPutQuick(b, s, i)
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(clients)
	b.ResetTimer()
	defer cpu(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mustDelete(b, s, "b", fmt.Sprintf("key/%09d", n.Add(1)-1), "")
		}
	})
}

func mustPutQuick(b *testing.B, s *fs.Store, i int) {
	mustPut(b, s, "b", fmt.Sprintf("key/%09d", i), nil)
}

func BenchmarkList1000(b *testing.B) {
	s := benchStore(b)
	for i := range 3000 {
		mustPutQuick(b, s, i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	defer cpu(b)()
	for b.Loop() {
		p, err := s.ListObjects(ctx, storage.ListInput{Bucket: "b", Prefix: "key/", Delimiter: "/", Limit: 1000})
		if err != nil || len(p.Objects) != 1000 {
			b.Fatal(err)
		}
	}
}
