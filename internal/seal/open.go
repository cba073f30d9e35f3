package seal

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

// Piece is where a piece lies among those of one content.
type Piece struct {
	Number       int // as in Options
	Size, Stored int64
}

// piece is a piece with its place, and what its header has told.
type piece struct {
	Piece
	at   int64 // in the content as readers see it
	base int64 // in what is stored
	body body  // nil until it is read
}

// body gives ranges of what a piece holds.
type body interface {
	reader(off, n int64) io.Reader
}

// content is what Open returns.
type content struct {
	storage.Content
	key    []byte
	size   int64
	pieces []piece
	small  *[segmentSize]byte // holds what Bytes gives, or nil
}

// Open returns the content that the pieces hold, which lie behind each other in c. key is the one that they were
// made with, nil when they are not encrypted. Nothing is read yet; a piece that is not what it should be is an
// error of reading that Is storage.ErrDamaged. Closing the result closes c.
func Open(c storage.Content, key []byte, pieces []Piece) storage.Content {
	out := &content{Content: c, key: key, pieces: make([]piece, len(pieces))}
	var base int64
	for i, p := range pieces {
		out.pieces[i] = piece{Piece: p, at: out.size, base: base}
		out.size += p.Size
		base += p.Stored
	}
	return out
}

// smalls are kept, since each read of a small encrypted object needs one.
var smalls = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// Bytes implements storage.Content: one segment that lies in memory is opened at once. When it does not open, readers
// tell why.
func (c *content) Bytes() ([]byte, bool) {
	stored, ok := c.Content.Bytes()
	if !ok || c.key == nil || len(c.pieces) != 1 || c.size > segmentSize {
		return nil, false
	}
	if c.small != nil {
		return c.small[:c.size], true
	}
	b, err := c.open(&c.pieces[0])
	s, plain := b.(*segments)
	if err != nil || !plain || s.count != 1 {
		return nil, false
	}
	c.small = smalls.Get().(*[segmentSize]byte)
	nonce := nonce(0, true)
	out, err := s.aead.Open(c.small[:0], nonce[:], stored[sealedHeader:], nil)
	if err != nil {
		c.drop()
		return nil, false
	}
	return out, true
}

// drop gives back what Bytes has taken.
func (c *content) drop() {
	if c.small != nil {
		smalls.Put(c.small)
		c.small = nil
	}
}

// Close implements storage.Content.
func (c *content) Close() error {
	c.drop()
	return c.Content.Close()
}

// Range implements storage.Content.
func (c *content) Range(off, n int64) io.Reader {
	if off < 0 || n < 0 || off > c.size || n > c.size-off {
		return failing{fmt.Errorf("range %d+%d of %d bytes: %w", off, n, c.size, storage.ErrSize)}
	}
	next := sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].at+c.pieces[i].Size > off })
	return &reader{c: c, next: next, off: off, left: n}
}

// failing is a reader that fails.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// open reads the header of a piece.
func (c *content) open(p *piece) (body, error) {
	if p.body != nil {
		return p.body, nil
	}
	n := headerSize(c.key)
	if p.Stored < n {
		return nil, fmt.Errorf("piece of %d bytes: %w", p.Stored, storage.ErrDamaged)
	}
	shrunk, aead, err := c.header(p, n)
	if err != nil {
		return nil, err
	}
	rest := &stretch{c.Content, p.base + n, p.Stored - n}
	var b sizedBody = rest
	if aead != nil {
		if b, err = newSegments(rest, aead); err != nil {
			return nil, err
		}
	}
	if p.body = b; shrunk {
		p.body = &compressed{b}
	} else if b.length() != p.Size {
		return nil, fmt.Errorf("piece of %d bytes, want %d: %w", b.length(), p.Size, storage.ErrDamaged)
	}
	return p.body, nil
}

// header reads the header of a piece, n bytes. That of an encrypted one proves itself by its commitment, and is read
// verified only when it does not.
func (c *content) header(p *piece, n int64) (compressed bool, aead cipher.AEAD, err error) {
	h := make([]byte, n)
	at := &stretch{c.Content, p.base, n}
	if c.key != nil {
		if src, bare := at.bare(0, n); bare {
			if _, err := io.ReadFull(src, h); err == nil {
				if compressed, aead, err = parseHeader(h, c.key, p.Number); err == nil {
					return compressed, aead, nil
				}
			}
		}
	}
	if _, err := io.ReadFull(at.reader(0, n), h); err != nil {
		return false, nil, fmt.Errorf("header of a piece: %w", err)
	}
	return parseHeader(h, c.key, p.Number)
}

// sizedBody is a body that knows its length.
type sizedBody interface {
	body
	length() int64
}

// stretch is a piece of what is stored.
type stretch struct {
	c       storage.Content
	base, n int64
}

func (s *stretch) length() int64 { return s.n }

func (s *stretch) reader(off, n int64) io.Reader { return s.c.Range(s.base+off, n) }

// barer is a Content that also gives what it has not verified, for less. What goes wrong in reading it so is to be
// read by Range again.
type barer interface {
	Bare(off, n int64) io.Reader
}

// bare is reader without the store's own verification when the store has that, and tells whether it has.
func (s *stretch) bare(off, n int64) (r io.Reader, bare bool) {
	if c, ok := s.c.(barer); ok {
		return c.Bare(s.base+off, n), true
	}
	return s.reader(off, n), false
}

// reader reads a range across pieces.
type reader struct {
	c    *content
	next int
	off  int64
	left int64
	r    io.Reader // of the piece before next
	in   int64     // left of r
	err  error
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (n int, err error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case r.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	for r.in == 0 {
		if r.err = r.advance(); r.err != nil {
			return 0, r.err
		}
	}
	n, err = r.r.Read(p[:min(int64(len(p)), r.in)])
	r.in -= int64(n)
	r.left -= int64(n)
	r.off += int64(n)
	switch {
	case r.in == 0 && (err == nil || err == io.EOF):
		return n, nil
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		err = fmt.Errorf("a piece ends %d bytes early: %w", r.in, storage.ErrDamaged)
	}
	r.err = err
	return n, err
}

// advance opens the piece that holds the offset.
func (r *reader) advance() error {
	if r.next >= len(r.c.pieces) {
		return fmt.Errorf("content ends at %d: %w", r.off, storage.ErrDamaged)
	}
	p := &r.c.pieces[r.next]
	r.next++
	if p.Size == 0 {
		return nil
	}
	b, err := r.c.open(p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("piece is cut: %w", storage.ErrDamaged)
	}
	if err != nil {
		return err
	}
	r.in = min(r.left, p.at+p.Size-r.off)
	r.r = b.reader(r.off-p.at, r.in)
	return nil
}

// copyBuffers are for contents that don't write themselves.
var copyBuffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// WriteTo implements io.WriterTo.
func (r *reader) WriteTo(w io.Writer) (total int64, err error) {
	for r.err == nil && r.left > 0 {
		if r.in == 0 {
			r.err = r.advance()
			continue
		}
		var n int64
		if from, ok := r.r.(io.WriterTo); ok {
			n, err = from.WriteTo(w)
		} else {
			buf := copyBuffers.Get().(*[256 << 10]byte)
			n, err = io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(r.r, r.in), buf[:])
			copyBuffers.Put(buf)
		}
		if err == nil && n < r.in {
			err = fmt.Errorf("a piece ends %d bytes early: %w", r.in-n, storage.ErrDamaged)
		}
		r.in, r.left, r.off, total = r.in-n, r.left-n, r.off+n, total+n
		r.err = err
	}
	return total, r.err
}
