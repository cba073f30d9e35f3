package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
)

const (
	// maxChunkHeader bounds the line before a chunk: 16 digits, the signature, CR LF.
	maxChunkHeader = 128
	// maxTrailer bounds everything after the final chunk's header.
	maxTrailer = 8 << 10

	chunkSignature   = ";chunk-signature="
	trailerSignature = "x-amz-trailer-signature"
	checksumPrefix   = "x-amz-checksum-"
)

// chunkedBody decodes the aws-chunked framing of a streaming payload.
func (v *Verifier) chunkedBody(r *http.Request, body io.Reader, a *Auth, secret string) (*Body, error) {
	length, err := decodedLength(r.Header)
	if err != nil {
		return nil, err
	}
	announced, err := announcedTrailer(r.Header, a.Payload)
	if err != nil {
		return nil, err
	}
	c := &chunkReader{v: v, src: v.getReader(body), left: length, announced: announced, payload: a.Payload}
	if a.Payload != PayloadStreamUnsignedTrailer {
		if a.Mode != Header && a.Mode != Presigned {
			return nil, errInvalidRequest("A signed streaming payload requires an authenticated request")
		}
		c.sign = newChunkSigner(v.signingKey(a, secret), a.state.amzDate, a.state.scope, a.state.signature)
		c.hash = sha256.New()
	}
	return &Body{Reader: c, Length: length, Trailer: c.trailerMap}, nil
}

// announcedTrailer returns the lower-case name in x-amz-trailer, "" when there is none. S3
// takes one trailer, a checksum.
func announcedTrailer(h http.Header, p Payload) (string, error) {
	values := h["X-Amz-Trailer"]
	if len(values) == 0 {
		return "", nil
	}
	if p == PayloadStreamSigned {
		return "", errInvalidRequest("The x-amz-trailer header requires a payload that is streamed with a trailer")
	}
	name := strings.ToLower(strings.Trim(values[0], " \t"))
	if len(values) > 1 || strings.ContainsAny(name, ", ") {
		return "", errInvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	alg, ok := strings.CutPrefix(name, checksumPrefix)
	if !ok || alg == "" || alg == "algorithm" || alg == "type" || alg == "mode" {
		return "", errInvalidRequest("The value specified in the x-amz-trailer header is not supported")
	}
	return name, nil
}

func (v *Verifier) getReader(body io.Reader) *bufio.Reader {
	if br, ok := v.readers.Get().(*bufio.Reader); ok {
		br.Reset(body)
		return br
	}
	return bufio.NewReaderSize(body, 4<<10)
}

// chunkReader decodes and verifies. It hands out bytes of a chunk before the chunk's
// signature can be known, but never io.EOF before everything has been verified.
type chunkReader struct {
	v         *Verifier
	src       *bufio.Reader
	sign      *chunkSigner // nil for unsigned chunks
	hash      hash.Hash    // of the current chunk, when signed
	payload   Payload
	announced string
	left      int64  // bytes of content still to come
	chunk     int64  // bytes of the current chunk still to come
	inChunk   bool   // whether a chunk's data or its CR LF is still to come
	signature string // of the current chunk
	trailer   map[string]string
	err       error
}

func (c *chunkReader) trailerMap() map[string]string {
	if c.err != io.EOF {
		return nil
	}
	return c.trailer
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.read(p)
	if err != nil {
		c.fail(err)
		return n, c.err
	}
	return n, nil
}

// fail ends the reader and returns the buffer. What follows in the connection is never read.
func (c *chunkReader) fail(err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errIncompleteBody()
	}
	c.err = err
	c.src.Reset(nil)
	c.v.readers.Put(c.src)
	c.src = nil
}

func (c *chunkReader) read(p []byte) (int, error) {
	for !c.inChunk || c.chunk == 0 {
		if c.inChunk {
			if err := c.endChunk(); err != nil {
				return 0, err
			}
		}
		final, err := c.nextChunk()
		if err != nil {
			return 0, err
		}
		if final {
			return 0, c.finish()
		}
	}
	if int64(len(p)) > c.chunk {
		p = p[:c.chunk]
	}
	n, err := c.src.Read(p)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	c.chunk -= int64(n)
	if err == io.EOF {
		if c.chunk > 0 || n == 0 {
			return n, errIncompleteBody()
		}
		err = nil // the missing CR LF is found at the next read
	}
	return n, err
}

// nextChunk reads the line before a chunk and reports whether it is the final one.
func (c *chunkReader) nextChunk() (final bool, err error) {
	line, err := c.readLine(maxChunkHeader)
	if err != nil {
		return false, err
	}
	digits, signature, signed := strings.Cut(line, chunkSignature)
	if signed != (c.sign != nil) || signed && !isLowerHex(signature, 2*sha256.Size) {
		return false, errIncompleteBody()
	}
	size, ok := parseSize(digits)
	if !ok || size > c.left || size == 0 && c.left > 0 {
		return false, errIncompleteBody()
	}
	c.signature, c.chunk, c.inChunk = signature, size, true
	c.left -= size
	if c.hash != nil {
		c.hash.Reset()
	}
	return size == 0, nil
}

// parseSize reads a chunk's size: 1 to 16 hexadecimal digits and nothing else.
func parseSize(s string) (int64, bool) {
	if s == "" || len(s) > 16 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		if !isHex(s[i]) {
			return 0, false
		}
		n = n<<4 | uint64(unhex(s[i]))
	}
	return int64(n), n < 1<<63
}

// readLine reads up to CR LF, which it requires, and returns the line without it.
func (c *chunkReader) readLine(limit int) (string, error) {
	line, err := c.src.ReadSlice('\n')
	switch {
	case err == io.EOF || err == bufio.ErrBufferFull:
		return "", errIncompleteBody()
	case err != nil:
		return "", err
	case len(line) > limit || len(line) < 2 || line[len(line)-2] != '\r':
		return "", errIncompleteBody()
	}
	return string(line[:len(line)-2]), nil
}

// endChunk reads the CR LF after a chunk's data and verifies the chunk's signature.
func (c *chunkReader) endChunk() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	c.inChunk = false
	line, err := c.readLine(maxChunkHeader)
	if err == nil && line != "" {
		err = errIncompleteBody()
	}
	return err
}

func (c *chunkReader) verifyChunk() error {
	if c.sign == nil {
		return nil
	}
	var sum key
	c.hash.Sum(sum[:0])
	return c.sign.verifyChunk(c.signature, sum)
}

// finish verifies the final chunk and what follows it, and returns io.EOF when all is well.
func (c *chunkReader) finish() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	rest, err := io.ReadAll(io.LimitReader(c.src, maxTrailer+1))
	if err != nil {
		return err
	}
	if c.payload == PayloadStreamSigned {
		switch string(rest) {
		case "\r\n":
			return io.EOF
		case "", "\r":
			return errIncompleteBody()
		}
		return newError("InvalidRequest", "The request body has bytes after the final chunk")
	}
	if len(rest) > maxTrailer {
		return errMalformedTrailer()
	}
	return c.readTrailer(rest)
}

// readTrailer reads "name:value" lines. Clients end them with CR LF or with LF, and
// some put an empty line before the signature, so empty lines are skipped; nothing else is.
func (c *chunkReader) readTrailer(rest []byte) error {
	if string(rest) != "\r\n" && !bytes.HasSuffix(rest, []byte("\n\r\n")) {
		return errIncompleteBody()
	}
	var lines []byte // as they are signed
	var signature string
	for line := range bytes.SplitSeq(rest, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		name, value = strings.ToLower(name), strings.Trim(value, " \t")
		switch {
		case !ok || signature != "":
			return errMalformedTrailer()
		case name == trailerSignature && c.sign != nil && value != "":
			signature = value
		case name == c.announced && c.trailer[name] == "" && value != "":
			c.trailer = map[string]string{name: value}
			lines = append(append(append(append(lines, name...), ':'), value...), '\n')
		default:
			return errMalformedTrailer()
		}
	}
	if c.announced != "" && c.trailer == nil {
		return errMalformedTrailer()
	}
	if c.sign != nil {
		if signature == "" {
			return errMalformedTrailer()
		}
		if err := c.sign.verifyTrailer(signature, sha256.Sum256(lines)); err != nil {
			return err
		}
	}
	return io.EOF
}

// chunkSigner computes the chain of signatures of a streamed body: each chunk's signature
// covers the one before it, the first that of the request.
type chunkSigner struct {
	key            *key
	amzDate, scope string
	previous       string
	buf, mac       []byte
}

func newChunkSigner(k *key, amzDate, scope, seed string) *chunkSigner {
	return &chunkSigner{key: k, amzDate: amzDate, scope: scope, previous: seed}
}

func (s *chunkSigner) start(alg string) {
	b := append(append(s.buf[:0], alg...), '\n')
	b = append(append(b, s.amzDate...), '\n')
	b = append(append(b, s.scope...), '\n')
	s.buf = append(append(b, s.previous...), '\n')
}

// chunk returns the signature of the next chunk, whose data hashes to sum.
func (s *chunkSigner) chunk(sum key) key {
	s.start("AWS4-HMAC-SHA256-PAYLOAD")
	s.buf = append(append(s.buf, emptySHA256...), '\n')
	s.buf = hex.AppendEncode(s.buf, sum[:])
	return hmacSHA256(s.key[:], s.buf, &s.mac)
}

// trailer returns the signature of the trailer, whose lines hash to sum.
func (s *chunkSigner) trailer(sum key) key {
	s.start("AWS4-HMAC-SHA256-TRAILER")
	s.buf = hex.AppendEncode(s.buf, sum[:])
	return hmacSHA256(s.key[:], s.buf, &s.mac)
}

func (s *chunkSigner) verifyChunk(signature string, sum key) error {
	return s.accept(signature, s.chunk(sum))
}

func (s *chunkSigner) verifyTrailer(signature string, sum key) error {
	return s.accept(signature, s.trailer(sum))
}

// accept takes signature as the next of the chain when it is mac.
func (s *chunkSigner) accept(signature string, mac key) error {
	if !equalHex(signature, mac) {
		return newError("SignatureDoesNotMatch", messageSignatureDoesNotMatch,
			Field{"StringToSign", string(s.buf)}, Field{"SignatureProvided", signature}, Field{"StringToSignBytes", spacedHex(s.buf)})
	}
	s.previous = signature
	return nil
}
