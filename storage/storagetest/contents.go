package storagetest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/objsrv/objsrv/storage"
)

var contentCases = []testCase{
	{"contents/ranges", contentRanges},
	{"contents/open-during-delete", contentOpen},
	{"contents/readers", contentReaders},
}

// contentOffsets are positions in a content of n bytes at which blocks, chunks and
// parts are likely to begin or end.
func contentOffsets(n int64, bounds ...int64) []int64 {
	out := []int64{0, 1, n / 2, n - 1, n}
	for _, b := range append([]int64{512, 4096, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20}, bounds...) {
		out = append(out, b-1, b, b+1)
	}
	kept := out[:0]
	for _, off := range out {
		if off >= 0 && off <= n {
			kept = append(kept, off)
		}
	}
	return kept
}

func contentRanges(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, size := range e.sizes() {
		if size > 1<<20+1 {
			continue
		}
		content := noise(uint64(size), int(size))
		_, err := e.PutObject(e.ctx, putInput(bucket, "k", content))
		e.ok("PutObject", err)
		e.ranges(fmt.Sprintf("%d bytes", size), bucket, content)
	}
	for _, sizes := range [][]int{{1, 0, 70000, 5}, {65536, 65536, 1}, {4096, 1 << 20}, {10, 20, 30}} {
		_, content := e.multipart(bucket, "k", sizes...)
		var bounds []int64
		var at int64
		for _, n := range sizes {
			at += int64(n)
			bounds = append(bounds, at)
		}
		e.ranges(fmt.Sprintf("parts of %d", sizes), bucket, content, bounds...)
	}
}

// ranges reads the key "k" between all pairs of offsets.
func (e *env) ranges(what, bucket string, content []byte, bounds ...int64) {
	e.Helper()
	_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("GetObject", err)
	defer c.Close()
	offsets := contentOffsets(int64(len(content)), bounds...)
	for _, from := range offsets {
		for _, to := range offsets {
			if from > to || to-from > 300<<10 && from > 1 { // enough of the long ones
				continue
			}
			got, err := readRange(c, from, to-from)
			if err != nil || !bytes.Equal(got, content[from:to]) {
				e.Fatalf("%s: bytes %d to %d: got %d, error %v", what, from, to, len(got), err)
			}
		}
	}
}

// contentReaders reads with odd buffers, and parts of a range only.
func contentReaders(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{100, 70000, 1<<20 + 3} {
		content := noise(5, size)
		_, err := e.PutObject(e.ctx, putInput(bucket, "k", content))
		e.ok("PutObject", err)
		_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
		e.ok("GetObject", err)
		for range 20 {
			off := rnd.Int64N(int64(size))
			n := rnd.Int64N(int64(size) - off + 1)
			r := c.Range(off, n)
			var got []byte
			for {
				buf := make([]byte, rnd.IntN(9000)+1)
				k, err := r.Read(buf)
				got = append(got, buf[:k]...)
				if err == io.EOF {
					break
				}
				e.ok("Read", err)
				if len(got) > size {
					e.Fatalf("a range of %d bytes does not end", n)
				}
			}
			if !bytes.Equal(got, content[off:off+n]) {
				e.Errorf("size %d: bytes %d+%d differ, got %d", size, off, n, len(got))
			}
			for range 2 { // io.EOF stays
				if k, err := r.Read(make([]byte, 10)); k != 0 || err != io.EOF {
					e.Errorf("Read after the end: %d, %v", k, err)
				}
			}
			if n > 10 { // begun, and left unread
				_, err := io.ReadFull(c.Range(off, n), make([]byte, 10))
				e.ok("ReadFull", err)
			}
		}
		e.ok("Close", c.Close())
	}
}

func contentOpen(e *env) {
	for what, gone := range map[string]func(bucket string){
		"deleted":     func(b string) { e.del(b, "k", "") },
		"overwritten": func(b string) { e.put(b, "k", "new") },
		"copied over": func(b string) {
			e.put(b, "other", "new")
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: b, Key: "other"}, Bucket: b, Key: "k"})
			e.ok("CopyObject", err)
		},
		"deleted with its bucket": func(b string) {
			e.del(b, "k", "")
			e.ok("DeleteBucket", e.DeleteBucket(e.ctx, b))
		},
	} {
		for _, multipart := range []bool{false, true} {
			for _, size := range []int{10, 70000, 1<<20 + 5} {
				bucket := e.bucket(storage.VersioningUnset)
				content := noise(11, size)
				if multipart {
					_, content = e.multipart(bucket, "k", size/2, size/2+1)
				} else {
					_, err := e.PutObject(e.ctx, putInput(bucket, "k", content))
					e.ok("PutObject", err)
				}
				o, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
				e.ok("GetObject", err)
				r := c.Range(0, o.Size)
				head := make([]byte, 5)
				_, err = io.ReadFull(r, head)
				e.ok("read", err)
				gone(bucket)
				rest, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(append(head, rest...), content) {
					e.Errorf("%s while being read: %d bytes of %d, error %v", what, 5+len(rest), len(content), err)
				}
				again, err := readContent(c, o.Size)
				if err != nil || again != string(content) {
					e.Errorf("%s, then read again: %d bytes of %d, error %v", what, len(again), len(content), err)
				}
				e.ok("Close", c.Close())
			}
		}
	}
}
