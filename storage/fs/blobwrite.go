package fs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// writeBuffer is how much of a body is held in memory at once. Larger ones did not
// measure better, and many slow clients would hold many of them.
const writeBuffer = 64 << 10

// writebackEvery is after how many bytes the kernel is asked to begin writing, so
// that the final sync of a large file does not find all of it unwritten.
const writebackEvery = 8 << 20

// bodyBuffer is room for a header and a piece of a body.
type bodyBuffer [headerSize + writeBuffer]byte

// buffers recycles the buffers of one size; the type keeps the pool's values typed.
type buffers[T any] struct{ pool sync.Pool }

func (p *buffers[T]) get() *T {
	if b, ok := p.pool.Get().(*T); ok {
		return b
	}
	return new(T)
}

func (p *buffers[T]) put(b *T) { p.pool.Put(b) }

// blobWriter writes one blob file.
type blobWriter struct {
	s      *Store
	id     uint64
	seg    *segment
	path   string
	f      vfs.File
	size   int64 // of the data so far
	off    int64 // of the file so far
	hinted int64
	sums   []uint32
	crc    uint32 // of the block being filled
}

// newBlob creates a blob file; first has room for the header and begins the file.
func (s *Store) newBlob(o *blobOwner, header []byte) (*blobWriter, error) {
	id, err := s.blobs.begin()
	if err != nil {
		return nil, err
	}
	seg, err := s.segs.acquire(id)
	if err != nil {
		s.blobs.settle(id)
		return nil, blobError("create blob", err)
	}
	_, name := blobName(id)
	w := &blobWriter{s: s, id: id, seg: seg, path: s.fs.PathJoin(seg.path, name)}
	if w.f, err = s.fs.Create(w.path, vfs.WriteCategoryUnspecified); err != nil {
		w.discard()
		return nil, blobError("create blob", err)
	}
	putHeader(header, id, o)
	s.created.Add(1)
	return w, nil
}

// blobError gives an error of writing a blob its meaning.
func blobError(what string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: %w: %w", what, storage.ErrFull, err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %w: %w", what, storage.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// write appends raw, of which the last data bytes are content.
func (w *blobWriter) write(raw []byte, data int) error {
	p := raw[len(raw)-data:]
	for len(p) > 0 {
		n := min(int(blockData-w.size%blockData), len(p))
		w.crc = crc32.Update(w.crc, castagnoli, p[:n])
		w.size += int64(n)
		p = p[n:]
		if w.size%blockData == 0 {
			w.sums = append(w.sums, w.crc)
			w.crc = 0
		}
	}
	return w.append(raw)
}

// begin writes the header, which buf holds, and content that is in memory, which the file system may change.
func (w *blobWriter) begin(buf *bodyBuffer, content []byte) error {
	n := copy(buf[headerSize:], content)
	err := w.write(buf[:headerSize+n], n)
	if err == nil && n < len(content) {
		err = w.write(content[n:], len(content)-n)
	}
	return err
}

func (w *blobWriter) append(raw []byte) error {
	n, err := w.f.Write(raw)
	if err == nil && n < len(raw) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return blobError("write blob", err)
	}
	w.off += int64(n)
	if w.off-w.hinted >= writebackEvery {
		w.hinted = w.off
		if _, err := w.f.SyncTo(w.off); err != nil {
			return blobError("write blob", err)
		}
	}
	return nil
}

// finish writes the table, the record and the tail and makes the file durable.
func (w *blobWriter) finish(meta []byte) error {
	if w.size%blockData != 0 {
		w.sums = append(w.sums, w.crc)
	}
	b := make([]byte, 0, int(tableSize(w.size))+len(meta)+4+tailSize)
	b = appendTable(b, w.id, w.size, w.sums)
	b = appendTail(b, w.id, w.size, w.off+int64(len(b)), meta)
	w.sums = nil
	if err := w.append(b); err != nil {
		return err
	}
	if err := w.f.SyncData(); err != nil {
		return blobError("sync blob", err)
	}
	if err := w.seg.sync(); err != nil {
		return blobError("sync directory of a blob", err)
	}
	return nil
}

// amend replaces the record of a file that is not published yet.
func (w *blobWriter) amend(meta []byte) error {
	if err := w.append(appendTail(nil, w.id, w.size, w.off, meta)); err != nil {
		return err
	}
	if err := w.f.SyncData(); err != nil {
		return blobError("sync blob", err)
	}
	return nil
}

// published tells that the commit that names the blob is durable.
func (w *blobWriter) published() {
	w.s.blobs.settle(w.id)
	w.closeFile()
}

// failed gives the blob up after err. When it is not known whether the commit went
// through, the file stays; the next start finds out.
func (w *blobWriter) failed(err error) {
	if w.s.gate.err() != nil && errors.Is(err, storage.ErrUnavailable) {
		w.closeFile()
		return
	}
	w.discard()
}

// discard hands the file to the reclaimer.
func (w *blobWriter) discard() {
	w.closeFile()
	w.s.reclaim.orphan(w.id)
}

func (w *blobWriter) closeFile() {
	if w.f != nil {
		_ = w.f.Close() // synced before, or given up
		w.f = nil
	}
	if w.seg != nil {
		w.s.segs.release(w.seg, w.s.blobs.upcoming())
		w.seg = nil
	}
}

// received is a body that has been read: small ones in memory, others in a blob.
type received struct {
	s    *Store
	buf  *bodyBuffer // holds inline
	data []byte      // the content when blob is nil
	blob *blobWriter
	size int64
}

// release gives back what the body holds; it does not touch the blob.
func (r *received) release() {
	if r.buf != nil {
		r.s.bodies.put(r.buf)
		r.buf, r.data = nil, nil
	}
}

// receive reads a body to its end. inline is the size up to which it stays in memory.
// size is the length announced, or -1.
func (s *Store) receive(body io.Reader, size int64, inline int, o *blobOwner) (r *received, err error) {
	r = &received{s: s, buf: s.bodies.get()}
	defer func() {
		if err != nil {
			if r.blob != nil {
				r.blob.failed(err)
			}
			r.release()
		}
	}()
	buf := r.buf[headerSize:]
	n, eof, err := readFull(body, buf)
	if err != nil {
		return r, fmt.Errorf("read body: %w", err)
	}
	if eof && n <= inline {
		if size >= 0 && int64(n) != size {
			return r, fmt.Errorf("body of %d bytes, announced %d: %w", n, size, storage.ErrSize)
		}
		r.data, r.size = buf[:n], int64(n)
		return r, s.space.take(int64(n) + blockSize)
	}
	if err := s.space.take(max(size, int64(n)) + 2*blockSize); err != nil {
		return r, err
	}
	if r.blob, err = s.newBlob(o, r.buf[:headerSize]); err != nil {
		return r, err
	}
	return r, r.drain(body, size, n, eof)
}

// drain writes the n bytes that are in the buffer, and the rest of the body, to the blob.
func (r *received) drain(body io.Reader, size int64, n int, eof bool) error {
	raw := r.buf[:headerSize+n]
	for {
		r.size += int64(n)
		if size >= 0 && (r.size > size || eof && r.size < size) {
			return fmt.Errorf("body of %d bytes or more, announced %d: %w", r.size, size, storage.ErrSize)
		}
		if err := r.blob.write(raw, n); err != nil {
			return err
		}
		if eof {
			return nil
		}
		var err error
		if n, eof, err = readFull(body, r.buf[headerSize:]); err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		raw = r.buf[headerSize : headerSize+n]
		if size < 0 {
			if err := r.s.space.take(int64(n)); err != nil {
				return err
			}
		}
	}
}

// readFull reads until buf is full or the reader ends, which is not an error.
func readFull(r io.Reader, buf []byte) (n int, eof bool, err error) {
	for idle := 0; n < len(buf); {
		m, err := r.Read(buf[n:])
		n += m
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
		if idle++; m > 0 {
			idle = 0
		}
		if idle >= 100 {
			return n, false, io.ErrNoProgress
		}
	}
	return n, false, nil
}

// dataKey is where inline content lies; dataValue is what lies there. Its checksum is in
// the version's record.
func dataKey(id uint64) []byte { return keyOf(rangeData, id) }

// contentCRC is the checksum of inline content, bound to where it lies.
func contentCRC(id uint64, data []byte) uint32 {
	var h [8]byte
	binary.LittleEndian.PutUint64(h[:], id)
	return crcOf(h[:], data)
}
