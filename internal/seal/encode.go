package seal

import (
	"bytes"
	"crypto/cipher"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/s2"
)

// blockSize is how much content is compressed at once. Ranges read some blocks more than they give.
const blockSize = 256 << 10

// Encoder makes a piece of what it reads. It gives io.EOF only after its source has, and any other error of the
// source as it is.
type Encoder struct {
	src   io.Reader
	aead  cipher.AEAD // nil: what src gives goes on as it is
	ended bool        // src has given io.EOF
	buf   *buffers
	n     int // bytes of buf.plain
	next  int64
	out   []byte
	err   error
}

// buffers are those of one Encoder or of one reader of segments.
type buffers struct {
	plain  [segmentSize + 1]byte // the byte more tells whether a segment is the last
	sealed [sealedSize]byte
}

// Pools, since each object that passes needs them for a moment.
var (
	encodeBuffers = sync.Pool{New: func() any { return new(buffers) }}
	compressors   = sync.Pool{New: func() any { return newCompressor() }}
)

// Encode returns the piece that src makes. The caller closes it.
func Encode(src io.Reader, o Options) (*Encoder, error) {
	header, aead, err := newHeader(&o)
	if err != nil {
		return nil, err
	}
	e := &Encoder{src: src, aead: aead, out: header}
	if o.Compress {
		c := compressors.Get().(*compressor)
		c.reset(src)
		e.src = c
	}
	if aead != nil {
		e.buf = encodeBuffers.Get().(*buffers)
	}
	return e, nil
}

// Close gives back what the encoder holds. It does not close the source.
func (e *Encoder) Close() {
	if e.buf != nil {
		encodeBuffers.Put(e.buf)
		e.buf = nil
	}
	if c, ok := e.src.(*compressor); ok {
		c.reset(nil)
		compressors.Put(c)
	}
	e.src, e.out, e.err = nil, nil, io.ErrClosedPipe
}

// Read implements io.Reader.
func (e *Encoder) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, e.err
	}
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		if e.aead == nil {
			n, err := e.src.Read(p)
			e.err = err
			return n, err
		}
		e.err = e.seal()
	}
	n := copy(p, e.out)
	e.out = e.out[n:]
	return n, nil
}

// seal makes the next segment. It returns io.EOF with the last one.
func (e *Encoder) seal() error {
	for idle := 0; !e.ended && e.n < len(e.buf.plain); {
		n, err := e.src.Read(e.buf.plain[e.n:])
		e.n += n
		switch {
		case err == io.EOF:
			e.ended = true
		case err != nil:
			return err
		}
		if idle++; n > 0 {
			idle = 0
		}
		if idle >= 100 {
			return io.ErrNoProgress
		}
	}
	last := e.n <= segmentSize
	nonce := nonce(e.next, last)
	e.out = e.aead.Seal(e.buf.sealed[:0], nonce[:], e.buf.plain[:min(e.n, segmentSize)], nil)
	e.next++
	if last {
		return io.EOF
	}
	e.buf.plain[0] = e.buf.plain[segmentSize]
	e.n = 1
	return nil
}

// compressor reads an S2 stream of its source. It makes no goroutines: requests share the processors already.
type compressor struct {
	src io.Reader
	w   *s2.Writer
	in  []byte
	out bytes.Buffer
	err error
}

func newCompressor() *compressor {
	return &compressor{
		w:  s2.NewWriter(nil, s2.WriterConcurrency(1), s2.WriterBlockSize(blockSize), s2.WriterAddIndex()),
		in: make([]byte, blockSize),
	}
}

func (c *compressor) reset(src io.Reader) {
	c.src, c.err = src, nil
	c.out.Reset()
	c.w.Reset(&c.out)
}

// Read implements io.Reader.
func (c *compressor) Read(p []byte) (int, error) {
	for c.out.Len() == 0 && c.err == nil {
		c.err = c.block()
	}
	if c.out.Len() > 0 {
		return c.out.Read(p)
	}
	return 0, c.err
}

// block compresses the next block, and ends the stream at the end of the source.
func (c *compressor) block() error {
	n, err := io.ReadFull(c.src, c.in)
	ended := err == io.EOF || err == io.ErrUnexpectedEOF
	if err != nil && !ended {
		return err
	}
	if _, err := c.w.Write(c.in[:n]); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if !ended {
		return nil
	}
	if err := c.w.Close(); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return io.EOF
}

// SampleSize is how much of a content Shrinks wants to see.
const SampleSize = 64 << 10

// Shrinks tells whether compression of content that begins with the sample is worth its while: an eighth less.
func Shrinks(sample []byte) bool {
	out := s2.Encode(nil, sample)
	return len(out) < len(sample)-len(sample)/8
}
