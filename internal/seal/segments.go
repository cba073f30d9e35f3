package seal

import (
	"crypto/cipher"
	"fmt"
	"io"

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

// segmentReader opens one segment after another.
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
