package fs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// windowSize is how much of a blob is read and verified at once: some blocks, so that
// they are still in the processor's cache when they are handed on.
const windowSize = 256 << 10

// window is room for a piece of a blob, and for the table of a small one behind it.
type window [windowSize + 4096]byte

// blobFile is an open blob.
type blobFile struct {
	s     *Store
	f     vfs.File
	id    uint64
	size  int64
	chunk int64    // number of the chunk of the table that sums holds, or -1
	sums  []uint32 // at most one chunk
}

// openBlob opens a blob that the index names. A file that is missing is damage.
func (s *Store) openBlob(id uint64, size int64) (*blobFile, error) {
	name, file := blobName(id)
	f, err := s.fs.Open(s.layout.path(blobsName, name, file))
	if isNotExist(err) {
		return nil, fmt.Errorf("blob %x is missing: %w", id, storage.ErrDamaged)
	}
	if err != nil {
		return nil, blobError("open blob", err)
	}
	return &blobFile{s: s, f: f, id: id, size: size, chunk: -1}, nil
}

func (b *blobFile) close() { _ = b.f.Close() } // only read

// readAt reads exactly len(p) bytes; anything less is damage.
func (b *blobFile) readAt(p []byte, off int64) error {
	n, err := b.f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("blob %x ends at %d: %w", b.id, off+int64(n), storage.ErrDamaged)
	}
	return fmt.Errorf("read blob %x: %w: %w", b.id, err, storage.ErrDamaged)
}

// setChunk takes over one chunk of the table after checking it.
func (b *blobFile) setChunk(chunk int64, raw []byte) error {
	n := len(raw) - 4
	if chunkCRC(b.id, b.size, chunk, raw[:n]) != binary.LittleEndian.Uint32(raw[n:]) {
		return fmt.Errorf("checksums of blob %x: %w", b.id, storage.ErrDamaged)
	}
	b.sums = b.sums[:0]
	for i := 0; i < n; i += 4 {
		b.sums = append(b.sums, binary.LittleEndian.Uint32(raw[i:]))
	}
	b.chunk = chunk
	return nil
}

// sumOf returns the checksum of a block, reading its chunk of the table when needed.
func (b *blobFile) sumOf(block int64) (uint32, error) {
	chunk := block / chunkBlocks
	if chunk != b.chunk {
		n := min(blocksOf(b.size)-chunk*chunkBlocks, chunkBlocks)
		raw := make([]byte, 4*n+4)
		if err := b.readAt(raw, headerSize+b.size+chunk*4*(chunkBlocks+1)); err != nil {
			return 0, err
		}
		if err := b.setChunk(chunk, raw); err != nil {
			return 0, err
		}
	}
	return b.sums[block%chunkBlocks], nil
}

// fill reads whole blocks from off, which is the beginning of one, as far as the window
// and until allow, and verifies them. When the rest of the data and the table fit into
// the window, one read gets both.
func (b *blobFile) fill(w *window, off, until int64) ([]byte, error) {
	end := min(off+windowSize, (until+blockData-1)/blockData*blockData, b.size)
	n := end - off
	want := n
	if off == 0 && end == b.size && b.chunk < 0 {
		want += tableSize(b.size)
	}
	if err := b.readAt(w[:want], headerSize+off); err != nil {
		return nil, err
	}
	if want > n {
		if err := b.setChunk(0, w[n:want]); err != nil {
			return nil, err
		}
	}
	for p := int64(0); p < n; p += blockData {
		sum, err := b.sumOf((off + p) / blockData)
		if err != nil {
			return nil, err
		}
		if crc32.Checksum(w[p:min(p+blockData, n)], castagnoli) != sum {
			return nil, fmt.Errorf("block at %d of blob %x: %w", off+p, b.id, storage.ErrDamaged)
		}
	}
	return w[:n], nil
}

// content is the content of one version.
type content struct {
	s           *Store
	bucket, key string // for messages
	size        int64
	data        []byte      // when inline
	buf         *bodyBuffer // holds data
	// When it is not inline: the blobs in order. one is the first when there is no
	// other, open from the beginning.
	extents  []extent
	one      *blobFile
	bare     barePlace
	manifest uint64  // pinned, or 0
	of       *record // of the manifest
	closing  sync.Once
}

// Bytes implements storage.Content.
func (c *content) Bytes() ([]byte, bool) { return c.data, c.extents == nil }

// Close implements storage.Content.
func (c *content) Close() error {
	c.closing.Do(func() {
		if c.buf != nil {
			c.s.bodies.put(c.buf)
			c.buf = nil
		}
		c.data = nil
		if c.one != nil {
			c.one.close()
		}
		c.bare.leave()
		if c.manifest != 0 && c.s.pins.unpin(c.manifest) {
			c.s.reclaim.release(c.manifest)
		}
	})
	return nil
}

// Range implements storage.Content.
func (c *content) Range(off, n int64) io.Reader {
	if off < 0 || n < 0 || off > c.size || n > c.size-off {
		return &rangeReader{err: fmt.Errorf("range %d+%d of %d bytes: %w", off, n, c.size, storage.ErrSize)}
	}
	if c.extents == nil {
		return &memoryReader{c.data[off : off+n]}
	}
	return &rangeReader{c: c, off: off, left: n}
}

// memoryReader reads inline content.
type memoryReader struct{ b []byte }

// Read implements io.Reader.
func (r *memoryReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *memoryReader) WriteTo(w io.Writer) (int64, error) {
	b := r.b
	r.b = nil
	n, err := w.Write(b)
	return int64(n), err
}

// rangeReader reads a range of content that lies in blobs.
type rangeReader struct {
	c     *content
	off   int64 // in the content
	left  int64
	next  int   // of the extents
	start int64 // of the extent next in the content
	blob  *blobFile
	base  int64 // of blob in the content
	w     *window
	ready []byte // verified, not given out yet
	err   error
}

// advance makes verified bytes ready. It returns io.EOF at the end of the range.
func (r *rangeReader) advance() error {
	if r.err == nil && r.left == 0 {
		r.err = io.EOF
	}
	if r.err == nil {
		r.err = r.fill()
	}
	if r.err != nil {
		r.finish()
	}
	return r.err
}

// fill reads the next window.
func (r *rangeReader) fill() error {
	if r.w == nil {
		r.w = r.c.s.windows.get()
	}
	if r.blob == nil || r.off >= r.base+r.blob.size {
		if err := r.open(); err != nil {
			return r.damaged(err)
		}
	}
	in := r.off - r.base
	from := in / blockData * blockData
	b, err := r.blob.fill(r.w, from, min(in+r.left, r.blob.size))
	if err != nil {
		return r.damaged(err)
	}
	b = b[in-from:]
	r.ready = b[:min(int64(len(b)), r.left)]
	r.off += int64(len(r.ready))
	r.left -= int64(len(r.ready))
	return nil
}

// open opens the blob that holds the offset.
func (r *rangeReader) open() error {
	r.drop()
	for ; r.next < len(r.c.extents); r.next++ {
		x := r.c.extents[r.next]
		if r.off < r.start+x.size {
			r.base = r.start
			if r.c.one != nil {
				r.blob = r.c.one
				return nil
			}
			b, err := r.c.s.openBlob(x.blob, x.size)
			r.blob = b
			return err
		}
		r.start += x.size
	}
	return fmt.Errorf("content ends at %d: %w", r.start, storage.ErrDamaged)
}

func (r *rangeReader) damaged(err error) error {
	return r.c.s.noteDamage(fmt.Errorf("%s/%s: %w", r.c.bucket, r.c.key, err))
}

// drop closes the blob that is open for this reader alone.
func (r *rangeReader) drop() {
	if r.blob != nil && r.blob != r.c.one {
		r.blob.close()
	}
	r.blob = nil
}

// finish gives back what the reader holds.
func (r *rangeReader) finish() {
	if r.c == nil {
		return
	}
	r.drop()
	if r.w != nil {
		r.c.s.windows.put(r.w)
		r.w = nil
	}
	r.ready = nil
}

// Read implements io.Reader.
func (r *rangeReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.ready) == 0 {
		if err := r.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	if len(r.ready) == 0 && r.left == 0 {
		r.err = io.EOF
		r.finish()
	}
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *rangeReader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if len(r.ready) == 0 {
			if err := r.advance(); err == io.EOF {
				return total, nil
			} else if err != nil {
				return total, err
			}
		}
		n, err := w.Write(r.ready)
		total += int64(n)
		if err == nil && n < len(r.ready) {
			err = io.ErrShortWrite
		}
		r.ready = r.ready[n:]
		if err != nil {
			r.err = err
			r.finish()
			return total, err
		}
	}
}
