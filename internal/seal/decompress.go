package seal

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/objsrv/objsrv/storage"
)

// compressed is the body of a compressed piece.
type compressed struct{ of sizedBody }

// decompressors are kept, since each holds two blocks.
var decompressors = sync.Pool{New: func() any {
	return s2.NewReader(nil, s2.ReaderMaxBlockSize(blockSize), s2.ReaderAllocBlock(blockSize))
}}

func (c *compressed) reader(off, n int64) io.Reader {
	return &inflated{c: c, off: off, left: n}
}

// inflated reads a range of what a compressed body holds.
type inflated struct {
	c         *compressed
	off, left int64
	r         *s2.Reader // nil before the first Read and after the last
	err       error
}

// Read implements io.Reader.
func (r *inflated) Read(p []byte) (n int, err error) {
	if r.err == nil && r.left == 0 {
		r.err = io.EOF
	}
	if r.err == nil && r.r == nil {
		r.err = r.start()
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err = r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.left == 0 {
		err = io.EOF
	} else if err != nil {
		err = damaged(err)
	}
	if err != nil {
		r.err = err
		r.r.Reset(nil)
		decompressors.Put(r.r)
		r.r = nil
	}
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// start begins at the block that holds the offset, which the index tells; at the beginning it takes none.
func (r *inflated) start() error {
	r.r = decompressors.Get().(*s2.Reader)
	src := &seeker{of: r.c.of}
	r.r.Reset(src)
	if r.off == 0 {
		return nil
	}
	rs, err := r.r.ReadSeeker(true, nil)
	if err == nil {
		_, err = rs.Seek(r.off, io.SeekStart)
	}
	if err != nil {
		return damaged(err)
	}
	return nil
}

// damaged is what an error of decompression means: the store's own are told as they are.
func damaged(err error) error {
	if errors.Is(err, storage.ErrDamaged) || errors.Is(err, storage.ErrClosed) || errors.Is(err, storage.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("decompress: %w: %w", err, storage.ErrDamaged)
}

// seeker reads a body from anywhere.
type seeker struct {
	of  sizedBody
	pos int64
	r   io.Reader // at pos, or nil
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	left := s.of.length() - s.pos
	if left <= 0 {
		return 0, io.EOF
	}
	if s.r == nil {
		s.r = s.of.reader(s.pos, left)
	}
	n, err := s.r.Read(p)
	s.pos += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (s *seeker) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += s.pos
	case io.SeekEnd:
		off += s.of.length()
	}
	if off < 0 {
		return 0, fmt.Errorf("seek to %d", off)
	}
	if off != s.pos {
		s.pos, s.r = off, nil
	}
	return off, nil
}
