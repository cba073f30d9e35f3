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
	of    *stretch
	aead  cipher.AEAD
	count int64
}

func newSegments(of *stretch, aead cipher.AEAD) (*segments, error) {
	s := &segments{of: of, aead: aead, count: (of.n + sealedSize - 1) / sealedSize}
	if s.count == 0 || s.size(s.count-1) < tagSize {
		return nil, fmt.Errorf("encrypted piece of %d bytes: %w", of.n, storage.ErrDamaged)
	}
	return s, nil
}

func (s *segments) length() int64 { return s.of.n - s.count*tagSize }

// size is the length of a segment as it is stored.
func (s *segments) size(number int64) int { return int(min(sealedSize, s.of.n-number*sealedSize)) }

func (s *segments) reader(off, n int64) io.Reader {
	if off < 0 || n < 0 || n > s.length()-off {
		return failing{fmt.Errorf("range %d+%d of an encrypted piece of %d bytes: %w", off, n, s.length(), storage.ErrDamaged)}
	}
	if n == 0 {
		return failing{io.EOF}
	}
	r := &segmentReader{s: s, next: off / segmentSize, end: (off+n-1)/segmentSize + 1, skip: int(off % segmentSize), left: n}
	r.src, r.bare = s.of.bare(r.rest())
	return r
}

// batchSegments are how many segments are read, opened and given at once: so few that they stay in the processor's
// cache, as they are stored and opened, and so many that who receives them is not woken often.
const batchSegments = 4

// segmentReader opens one segment after another.
type segmentReader struct {
	s      *segments
	src    io.Reader // behind sealed
	bare   bool      // src does not verify what it gives
	buf    []byte    // holds sealed
	sealed []byte    // read and not opened
	next   int64     // number of the segment to open, with which sealed begins
	end    int64     // and of the first one behind the range
	skip   int       // bytes of segment next in front of the range
	left   int64     // bytes of the range in segment next and behind it
	plain  []byte    // of Read: opened and not given
}

// rest is the place of the segments that have not been opened.
func (r *segmentReader) rest() (off, n int64) {
	off = r.next * sealedSize
	return off, min(r.end*sealedSize, r.s.of.n) - off
}

// open opens the next segment and returns what the range has of it: in room, which is long enough for all of it and
// where the range's share begins after skip bytes; without room where it has been read to. When something goes wrong
// with what was read unverified it is read again verified, so that the store finds out what has become of it.
func (r *segmentReader) open(room []byte) ([]byte, error) {
	out, err := r.try(room)
	if err != nil && r.bare {
		r.src, r.bare, r.sealed = r.s.of.reader(r.rest()), false, nil
		out, err = r.try(room)
	}
	if err != nil {
		return nil, err
	}
	out = out[r.skip:]
	out = out[:min(int64(len(out)), r.left)]
	r.next++
	r.skip = 0
	r.left -= int64(len(out))
	return out, nil
}

// try opens the next segment, all of it.
func (r *segmentReader) try(room []byte) ([]byte, error) {
	if len(r.sealed) == 0 {
		_, n := r.rest()
		n = min(n, batchSegments*sealedSize)
		if int64(len(r.buf)) < n {
			r.buf = make([]byte, n)
		}
		if _, err := io.ReadFull(r.src, r.buf[:n]); err != nil {
			return nil, fmt.Errorf("read segment %d: %w", r.next, err)
		}
		r.sealed = r.buf[:n]
	}
	segment := r.sealed[:min(len(r.sealed), sealedSize)]
	r.sealed = r.sealed[len(segment):]
	if room == nil {
		room = segment
	}
	nonce := nonce(r.next, r.next == r.s.count-1)
	out, err := r.s.aead.Open(room[:0], nonce[:], segment, nil)
	if err != nil {
		return nil, fmt.Errorf("segment %d of %d does not open: %w", r.next, r.s.count, storage.ErrDamaged)
	}
	return out, nil
}

// size is the length of the next segment when it is open.
func (r *segmentReader) size() int { return r.s.size(r.next) - tagSize }

// Read implements io.Reader. It gives as many segments as there is room for, the whole ones without a copy.
func (r *segmentReader) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		switch {
		case len(r.plain) > 0:
			k := copy(p[n:], r.plain)
			r.plain = r.plain[k:]
			n += k
		case r.left == 0 && n > 0:
			return n, nil
		case r.left == 0:
			err = io.EOF
		case r.skip == 0 && len(p)-n >= r.size():
			var out []byte
			out, err = r.open(p[n:])
			n += len(out)
		default:
			r.plain, err = r.open(nil)
		}
	}
	return n, err
}

// batch is room for some segments, as they are stored and open.
type batch struct {
	sealed [batchSegments * sealedSize]byte
	plain  [batchSegments * segmentSize]byte
}

// batches are kept, since each read of an encrypted object needs one for a moment.
var batches = sync.Pool{New: func() any { return new(batch) }}

// WriteTo implements io.WriterTo.
func (r *segmentReader) WriteTo(w io.Writer) (total int64, err error) {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	if r.buf == nil {
		r.buf = b.sealed[:]
		defer func() { r.buf, r.sealed = nil, nil }()
	}
	for err == nil {
		ready := r.plain
		r.plain = nil
		if len(ready) == 0 {
			ready, err = r.fill(b.plain[:])
		}
		if err != nil || len(ready) == 0 {
			return total, err
		}
		var n int
		n, err = w.Write(ready)
		total += int64(n)
		if err == nil && n < len(ready) {
			err = io.ErrShortWrite
		}
	}
	return total, err
}

// fill opens segments into room, as many as fit.
func (r *segmentReader) fill(room []byte) ([]byte, error) {
	begin, end, n := r.skip, r.skip, 0
	for r.left > 0 && len(room)-n >= r.size() {
		at := room[n:]
		n += r.size()
		out, err := r.open(at)
		if err != nil {
			return nil, err
		}
		end += len(out)
	}
	return room[begin:end], nil
}
