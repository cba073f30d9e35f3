package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrMalformed is returned for an answer that is not HTTP/1.1 as RFC 9112 has it.
var ErrMalformed = errors.New("malformed answer")

// readBuffer is the size of a connection's read buffer: the head of an answer must
// fit, and large bodies are read in pieces of this size.
const readBuffer = 256 << 10

// sampleSize is how much of a body is kept for error messages.
const sampleSize = 512

// Answer is the part of an HTTP response that a load generator looks at.
type Answer struct {
	Status int
	Length int64 // of the body; what Content-Length says when the answer is to HEAD; -1 there without it
	Close  bool  // the server closes the connection after it
	Sample []byte
}

// Reader reads the answers of one connection. It allocates nothing per
// answer and throws bodies away, but for a sample of those that are errors.
type Reader struct {
	// Keep, when not nil, is called with every piece of every body; the bytes are valid
	// during the call.
	Keep func(piece []byte)

	src    io.Reader
	buf    []byte
	r, w   int // unread bytes are buf[r:w]
	sample []byte
	ans    Answer
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, buf: make([]byte, readBuffer), sample: make([]byte, 0, sampleSize)}
}

// Reset makes the reader read from another connection.
func (r *Reader) Reset(src io.Reader) { r.src, r.r, r.w = src, 0, 0 }

// Next reads one answer to its end, passing over interim ones (1xx). toHead says that the
// request was HEAD, whose answer has no body. The result is valid until the next call.
// io.EOF means that the server closed the connection before an answer began.
func (r *Reader) Next(toHead bool) (*Answer, error) {
	for {
		chunked, err := r.head()
		if err != nil {
			return nil, err
		}
		if r.ans.Status < 200 {
			continue
		}
		switch {
		case toHead || r.ans.Status == 204 || r.ans.Status == 304:
			if !toHead {
				r.ans.Length = 0
			}
		case chunked:
			r.ans.Length = 0
			err = r.chunks()
		case r.ans.Length >= 0:
			err = r.discard(r.ans.Length)
		default:
			err = r.rest()
		}
		r.ans.Sample = r.sample
		return &r.ans, err
	}
}

// head reads the status line and the header fields.
func (r *Reader) head() (chunked bool, err error) {
	r.ans = Answer{Length: -1}
	r.sample = r.sample[:0]
	line, err := r.line()
	if err != nil {
		return false, err
	}
	// HTTP/1.1 200 OK
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return false, fmt.Errorf("%w: status line %.60q", ErrMalformed, line)
	}
	if r.ans.Status, err = strconv.Atoi(string(line[9:12])); err != nil || r.ans.Status < 100 {
		return false, fmt.Errorf("%w: status line %.60q", ErrMalformed, line)
	}
	old := line[7] == '0' // HTTP/1.0 has no chunks and closes
	r.ans.Close = old
	for {
		if line, err = r.line(); err != nil {
			return false, unexpected(err)
		}
		if len(line) == 0 {
			if chunked && old {
				return false, fmt.Errorf("%w: chunks in HTTP/1.0", ErrMalformed)
			}
			return chunked, nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return false, fmt.Errorf("%w: header field %.60q", ErrMalformed, line)
		}
		value := bytes.TrimSpace(line[colon+1:])
		switch name := line[:colon]; {
		case is(name, "content-length"):
			n, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || n < 0 {
				return false, fmt.Errorf("%w: content-length %.60q", ErrMalformed, value)
			}
			r.ans.Length = n
		case is(name, "transfer-encoding"):
			chunked = is(value, "chunked")
		case is(name, "connection"):
			r.ans.Close = r.ans.Close || is(value, "close")
		}
	}
}

// is compares ASCII without regard to case; lower is lower-case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// chunks reads a body in the chunked coding, with its trailer.
func (r *Reader) chunks() error {
	for {
		line, err := r.line()
		if err != nil {
			return unexpected(err)
		}
		size, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: chunk size %.60q", ErrMalformed, line)
		}
		if n == 0 {
			break
		}
		r.ans.Length += int64(n)
		if err := r.discard(int64(n)); err != nil {
			return err
		}
		if line, err = r.line(); err != nil {
			return unexpected(err)
		} else if len(line) != 0 {
			return fmt.Errorf("%w: chunk longer than announced", ErrMalformed)
		}
	}
	for {
		line, err := r.line()
		if err != nil {
			return unexpected(err)
		}
		if len(line) == 0 {
			return nil
		}
	}
}

// rest reads a body that the end of the connection ends.
func (r *Reader) rest() error {
	r.ans.Length, r.ans.Close = 0, true
	for {
		if r.r == r.w {
			if err := r.fill(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
		r.ans.Length += int64(r.w - r.r)
		r.take(r.w - r.r)
	}
}

// discard consumes n bytes of a body.
func (r *Reader) discard(n int64) error {
	for n > 0 {
		if r.r == r.w {
			if err := r.fill(); err != nil {
				return unexpected(err)
			}
		}
		piece := int(min(n, int64(r.w-r.r)))
		r.take(piece)
		n -= int64(piece)
	}
	return nil
}

// take consumes n buffered bytes of a body.
func (r *Reader) take(n int) {
	piece := r.buf[r.r : r.r+n]
	r.r += n
	if r.ans.Status >= 300 && len(r.sample) < sampleSize {
		r.sample = append(r.sample, piece[:min(n, sampleSize-len(r.sample))]...)
	}
	if r.Keep != nil {
		r.Keep(piece)
	}
}

// line returns the next line without its end; it is valid until the next read.
func (r *Reader) line() ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(r.buf[r.r+seen:r.w], '\n'); i >= 0 {
			line := r.buf[r.r : r.r+seen+i]
			r.r += seen + i + 1
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		seen = r.w - r.r
		if err := r.fill(); err != nil {
			if seen > 0 {
				err = unexpected(err)
			}
			return nil, err
		}
	}
}

// fill reads more behind the unread bytes, which move to the front of the buffer.
func (r *Reader) fill() error {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		return fmt.Errorf("%w: line longer than %d bytes", ErrMalformed, len(r.buf))
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
