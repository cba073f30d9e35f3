package seal

import (
	"crypto/cipher"
	"fmt"
	"io"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

// segments is the body of an encrypted piece.
type segments struct {
	of    sizedBody
	aead  cipher.AEAD
	count int64
}

func newSegments(of sizedBody, aead cipher.AEAD) (*segments, error) {
	s := &segments{of: of, aead: aead, count: (of.length() + sealedSize - 1) / sealedSize}
	if rest := of.length() - (s.count-1)*sealedSize; s.count == 0 || rest < tagSize {
		return nil, fmt.Errorf("encrypted piece of %d bytes: %w", of.length(), storage.ErrDamaged)
	}
	return s, nil
}

func (s *segments) length() int64 { return s.of.length() - s.count*tagSize }

func (s *segments) reader(off, n int64) io.Reader {
	if off < 0 || n < 0 || n > s.length()-off {
		return failing{fmt.Errorf("range %d+%d of an encrypted piece of %d bytes: %w", off, n, s.length(), storage.ErrDamaged)}
	}
	if n == 0 {
		return failing{io.EOF}
	}
	first := off / segmentSize
	from := first * sealedSize
	to := min(((off+n-1)/segmentSize+1)*sealedSize, s.of.length())
	return &segmentReader{s: s, src: s.of.reader(from, to-from), stored: to - from, next: first, skip: int(off % segmentSize), left: n}
}

// readSegments is how many segments are read from the store at once.
const readSegments = 4

// segmentReader opens one segment after another. Its Read and its WriteTo are not to be mixed.
type segmentReader struct {
	s      *segments
	src    io.Reader
	stored int64  // bytes that src still has
	sealed []byte // read and not opened yet
	buf    []byte // holds sealed
	next   int64  // number of the segment that sealed begins with
	skip   int    // bytes of that segment in front of the range
	left   int64  // bytes of the range to give
	plain  []byte // opened and not given yet
}

// Read implements io.Reader. It gives as many segments as there is room for, the whole ones without a copy.
func (r *segmentReader) Read(p []byte) (n int, err error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	for n < len(p) && r.left > 0 {
		if len(r.plain) == 0 {
			k, err := r.open(p[n:])
			n += k
			if err != nil {
				return n, err
			}
			continue
		}
		k := copy(p[n:], r.plain)
		r.plain = r.plain[k:]
		r.left -= int64(k)
		n += k
	}
	return n, nil
}

// open opens the next segment: into p, telling how much of it there is, when the range has all of it and p has
// room, else for later.
func (r *segmentReader) open(p []byte) (int, error) {
	if len(r.sealed) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	segment := r.sealed[:min(len(r.sealed), sealedSize)]
	r.sealed = r.sealed[len(segment):]
	size := len(segment) - tagSize
	direct := r.skip == 0 && len(p) >= size && r.left >= int64(size)
	dst := p[:0:len(p)]
	if !direct {
		dst = segment[:0] // in its own place
	}
	nonce := nonce(r.next, r.next == r.s.count-1)
	out, err := r.s.aead.Open(dst, nonce[:], segment, nil)
	if err != nil {
		return 0, fmt.Errorf("segment %d of %d does not open: %w", r.next, r.s.count, storage.ErrDamaged)
	}
	r.next++
	if direct {
		r.left -= int64(size)
		return size, nil
	}
	r.plain = out[r.skip:]
	r.plain = r.plain[:min(int64(len(r.plain)), r.left)]
	r.skip = 0
	return 0, nil
}

// fill reads some segments.
func (r *segmentReader) fill() error {
	n := min(r.stored, readSegments*sealedSize)
	if n < tagSize {
		return fmt.Errorf("segment %d is cut: %w", r.next, storage.ErrDamaged)
	}
	if int64(len(r.buf)) < n {
		r.buf = make([]byte, n)
	}
	if _, err := io.ReadFull(r.src, r.buf[:n]); err != nil {
		return fmt.Errorf("read segment %d: %w", r.next, err)
	}
	r.sealed = r.buf[:n]
	r.stored -= n
	return nil
}

// WriteTo implements io.WriterTo. What the store gives in pieces of its own is opened out of them, so that nothing
// is copied but the segments that two of them share.
func (r *segmentReader) WriteTo(w io.Writer) (int64, error) {
	src, ok := r.src.(io.WriterTo)
	if !ok || r.buf != nil {
		return io.Copy(w, struct{ io.Reader }{r})
	}
	o := &opener{r: r, w: w, room: openBuffers.Get().(*openBuffer)}
	defer openBuffers.Put(o.room)
	_, err := src.WriteTo(o)
	if err == nil && (o.part > 0 || r.left > 0) {
		err = o.open(o.room.part[:o.part]) // it is cut: this fails
	}
	if err == nil {
		err = o.flush()
	}
	return o.written, err
}

// openBuffer is room for a segment that comes in two pieces, and for what has been opened.
type openBuffer struct {
	part  [sealedSize]byte
	plain [readSegments * segmentSize]byte
}

// openBuffers are kept, since each read of an encrypted object needs one for a moment.
var openBuffers = sync.Pool{New: func() any { return new(openBuffer) }}

// opener is the writer that opens what is written to it, and writes that on.
type opener struct {
	r       *segmentReader
	w       io.Writer
	room    *openBuffer
	part    int // bytes of room.part
	n       int // bytes of room.plain
	seen    int64
	written int64
}

// Write implements io.Writer.
func (o *opener) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		want := int(min(sealedSize, o.r.stored-o.seen)) // of the segment that is being read
		var err error
		if o.part == 0 && len(p) >= want {
			err = o.open(p[:want])
			p = p[want:]
		} else {
			k := copy(o.room.part[o.part:want], p)
			o.part += k
			p = p[k:]
			if o.part < want {
				break
			}
			o.part = 0
			err = o.open(o.room.part[:want])
		}
		if err != nil {
			return all - len(p), err
		}
		o.seen += int64(want)
	}
	return all, nil
}

// open opens a segment.
func (o *opener) open(segment []byte) error {
	if len(segment) < tagSize || o.r.left <= 0 {
		return fmt.Errorf("segment %d is cut: %w", o.r.next, storage.ErrDamaged)
	}
	if len(o.room.plain)-o.n < len(segment)-tagSize {
		if err := o.flush(); err != nil {
			return err
		}
	}
	nonce := nonce(o.r.next, o.r.next == o.r.s.count-1)
	out, err := o.r.s.aead.Open(o.room.plain[o.n:o.n], nonce[:], segment, nil)
	if err != nil {
		return fmt.Errorf("segment %d of %d does not open: %w", o.r.next, o.r.s.count, storage.ErrDamaged)
	}
	o.r.next++
	if o.r.skip > 0 { // the first one, and nothing is in front of it
		out = out[:copy(out, out[o.r.skip:])]
		o.r.skip = 0
	}
	n := min(int64(len(out)), o.r.left)
	o.n += int(n)
	o.r.left -= n
	return nil
}

// flush writes on what has been opened.
func (o *opener) flush() error {
	n, err := o.w.Write(o.room.plain[:o.n])
	o.written += int64(n)
	if err == nil && n < o.n {
		err = io.ErrShortWrite
	}
	o.n = 0
	return err
}
