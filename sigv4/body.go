package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Body returns the decoded content of r's body. Its reader returns io.EOF only when
// everything the signature covers has been verified (payload hash, every chunk
// signature, the final chunk, the announced trailer and its signature); otherwise
// an *Error. Bytes that it returns before are not yet verified and must not be made
// visible. secret is that given to Verify; for Anonymous it is not used.
//
// A body shorter than announced gives IncompleteBody. Errors of the connection that are not an
// early end are returned as they are. Memory does not depend on the size of the body or its chunks.
func (v *Verifier) Body(r *http.Request, a *Auth, secret string) (*Body, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	switch a.Payload {
	case PayloadHash:
		if r.ContentLength == 0 && a.PayloadHash != emptySHA256 {
			return nil, errPayloadMismatch(a.PayloadHash, emptySHA256)
		}
		return plainBody(r, &hashReader{src: body, hash: sha256.New(), want: a.PayloadHash})
	case PayloadStreamSigned, PayloadStreamSignedTrailer, PayloadStreamUnsignedTrailer:
		return v.chunkedBody(r, body, a, secret)
	}
	return plainBody(r, &plainReader{body})
}

func plainBody(r *http.Request, src io.Reader) (*Body, error) {
	if len(r.Header["X-Amz-Trailer"]) > 0 {
		return nil, errInvalidRequest("The x-amz-trailer header requires a payload that is streamed with a trailer")
	}
	return &Body{Reader: src, Length: r.ContentLength, Trailer: noTrailer}, nil
}

func noTrailer() map[string]string { return nil }

// bodyError maps an early end, which net/http reports as io.ErrUnexpectedEOF, to IncompleteBody.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return newError("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return err
}

// plainReader passes an unsigned body through.
type plainReader struct{ src io.Reader }

func (p *plainReader) Read(b []byte) (int, error) {
	n, err := p.src.Read(b)
	if err != nil && err != io.EOF {
		err = bodyError(err)
	}
	return n, err
}

// hashReader passes a body through and holds its SHA-256 against want at the end.
type hashReader struct {
	src  io.Reader
	hash hash.Hash
	want string
	err  error
}

func (h *hashReader) Read(b []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	n, err := h.src.Read(b)
	h.hash.Write(b[:n])
	if err != nil {
		h.err = h.end(err)
	}
	return n, h.err
}

func (h *hashReader) end(err error) error {
	if err != io.EOF {
		return bodyError(err)
	}
	var sum [sha256.Size]byte
	h.hash.Sum(sum[:0])
	if !equalHex(h.want, sum) {
		return errPayloadMismatch(h.want, hex.EncodeToString(sum[:]))
	}
	return io.EOF
}

// StripChunkedEncoding returns the value of a Content-Encoding header without the
// token "aws-chunked" (in any case), which belongs to the transfer and is never stored.
// The other tokens keep their order and the space between them; nothing left gives "".
// A value without the token is returned as it is.
func StripChunkedEncoding(value string) string {
	if !strings.Contains(strings.ToLower(value), "aws-chunked") {
		return value
	}
	var kept []string
	for token := range strings.SplitSeq(value, ",") {
		if name := strings.Trim(token, " \t"); name != "" && !strings.EqualFold(name, "aws-chunked") {
			kept = append(kept, token)
		}
	}
	return strings.Trim(strings.Join(kept, ","), " \t")
}

// decodedLength reads x-amz-decoded-content-length, which every streaming payload needs.
func decodedLength(h http.Header) (int64, error) {
	values := h["X-Amz-Decoded-Content-Length"]
	if len(values) == 0 || values[0] == "" {
		return 0, newError("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	// ParseUint takes neither a sign nor space, and 63 bits keep the result an int64.
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil || len(values) > 1 {
		return 0, newError("IncompleteBody", "The x-amz-decoded-content-length header is not the length of a body")
	}
	return int64(n), nil
}
