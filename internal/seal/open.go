package seal

import (
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

// Bytes implements storage.Content.
func (c *content) Bytes() ([]byte, bool) { return nil, false }

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
	h := make([]byte, headerSize(c.key))
	stored := p.Stored - int64(len(h))
	if stored < 0 {
		return nil, fmt.Errorf("piece of %d bytes: %w", p.Stored, storage.ErrDamaged)
	}
	if _, err := io.ReadFull(c.Content.Range(p.base, int64(len(h))), h); err != nil {
		return nil, fmt.Errorf("header of a piece: %w", err)
	}
	shrunk, aead, err := parseHeader(h, c.key, p.Number)
	if err != nil {
		return nil, err
	}
	var b sizedBody = &stretch{c.Content, p.base + int64(len(h)), stored}
	if aead != nil {
		if b, err = newSegments(b, aead); err != nil {
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
