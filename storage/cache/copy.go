package cache

import (
	"container/list"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// span is what is read at once.
const span = 4 * block

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Copy is an open copy. Its readers may be used one after the other, each by one goroutine.
type Copy struct {
	c  *Cache
	el *list.Element
	e  *entry
	f  *os.File
}

// Close closes the copy.
func (c *Copy) Close() error { return c.f.Close() }

// Range returns a reader of n bytes from off, which are within the copy. It ends with io.EOF behind them, or with an error
// that Is ErrDamaged.
func (c *Copy) Range(off, n int64) *Reader { return &Reader{c: c, off: off, left: n} }

// Reader reads a range of a copy. Every byte that it gives has been compared with its block's checksum.
type Reader struct {
	c         *Copy
	off, left int64
	buf       *[]byte
	have      []byte
	err       error
}

// Err is the error of the copy that ended the reader, nil when it was the writer's of WriteTo or there was none.
func (r *Reader) Err() error { return r.err }

// fill reads whole blocks from off on.
func (r *Reader) fill() error {
	if r.buf == nil {
		r.buf = r.c.c.buffers.Get().(*[]byte)
	}
	e := r.c.e
	begin := r.off / block * block
	buf := (*r.buf)[:min(span, e.size-begin)]
	_, err := r.c.f.ReadAt(buf, begin)
	for at := 0; at < len(buf) && err == nil; at += block {
		part := buf[at:min(at+block, len(buf))]
		if crc32.Checksum(part, castagnoli) != e.sums[(begin+int64(at))/block] {
			err = fmt.Errorf("its checksum does not hold at %d", begin+int64(at))
		}
	}
	if err != nil {
		r.err = fmt.Errorf("%w: %s: %w", ErrDamaged, e.file, err)
		r.release()
		r.c.c.damaged(r.c.el, r.err)
		return r.err
	}
	r.have = buf[r.off-begin:]
	r.have = r.have[:min(int64(len(r.have)), r.left)]
	return nil
}

// took notes that n bytes were given.
func (r *Reader) took(n int) {
	r.have = r.have[n:]
	r.off += int64(n)
	if r.left -= int64(n); r.left == 0 {
		r.release()
	}
	c := r.c.c
	c.mu.Lock()
	c.stats.HitBytes += int64(n)
	c.mu.Unlock()
}

func (r *Reader) release() {
	if r.buf != nil {
		r.c.c.buffers.Put(r.buf)
		r.buf, r.have = nil, nil
	}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case r.left == 0:
		return 0, io.EOF
	}
	if len(r.have) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.have)
	r.took(n)
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *Reader) WriteTo(w io.Writer) (total int64, err error) {
	defer r.release() // also when w has failed
	for r.left > 0 && r.err == nil {
		if len(r.have) == 0 {
			if err := r.fill(); err != nil {
				return total, err
			}
		}
		n, err := w.Write(r.have)
		total += int64(n)
		r.took(n)
		if err != nil {
			return total, err
		}
	}
	return total, r.err
}

// Filling is a copy that is being written. It is for one goroutine, who calls Close.
type Filling struct {
	c    *Cache
	e    *entry
	f    *os.File // nil when it has ended
	n    int64
	sum  uint32 // of the block that is not full yet
	part int
}

// Write adds bytes. It never fails: a copy that can't be written is given up. When all of them are there it becomes the
// copy of its name.
func (w *Filling) Write(p []byte) (int, error) {
	if w.f == nil {
		return len(p), nil
	}
	if w.n+int64(len(p)) > w.e.size {
		w.end(nil) // it is not what was announced
		return len(p), nil
	}
	if _, err := w.f.Write(p); err != nil {
		w.end(err)
		return len(p), nil
	}
	w.n += int64(len(p))
	for rest := p; len(rest) > 0; {
		n := min(block-w.part, len(rest))
		w.sum = crc32.Update(w.sum, castagnoli, rest[:n])
		rest = rest[n:]
		if w.part += n; w.part == block {
			w.flush()
		}
	}
	if w.n < w.e.size {
		return len(p), nil
	}
	if w.part > 0 {
		w.flush()
	}
	err := w.f.Close()
	w.f = nil
	if err != nil {
		w.c.abandon(w.e, err)
		return len(p), nil
	}
	w.c.publish(w.e)
	return len(p), nil
}

func (w *Filling) flush() {
	w.e.sums = append(w.e.sums, w.sum)
	w.sum, w.part = 0, 0
}

func (w *Filling) end(err error) {
	w.f.Close()
	w.f = nil
	w.c.abandon(w.e, err)
}

// Close gives the copy up unless it is complete.
func (w *Filling) Close() {
	if w.f != nil {
		w.end(nil)
	}
}
