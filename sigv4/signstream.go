package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Stream says how SignStream frames a body.
type Stream struct {
	Payload   Payload // one of the three streaming forms
	ChunkSize int     // bytes of content in a chunk but the last; 0 means 64 KiB
	// TrailerName and Trailer are the one trailing header, a checksum, which is asked for
	// after the last byte was read; "" for none. Its value must have TrailerSize bytes.
	TrailerName string
	TrailerSize int
	Trailer     func() string
}

// SignStream signs r for a streamed payload and replaces r.Body by its framed form.
// r.ContentLength must be the length of the content; it becomes that of the framed body.
func (s *Signer) SignStream(r *http.Request, o Stream, t time.Time) error {
	payload := map[Payload]string{
		PayloadStreamSigned: streamSigned, PayloadStreamSignedTrailer: streamSignedTrailer, PayloadStreamUnsignedTrailer: streamUnsignedTrailer,
	}[o.Payload]
	switch {
	case payload == "":
		return errors.New("sign stream: not a streaming payload")
	case r.ContentLength < 0 || r.Body == nil && r.ContentLength > 0:
		return errors.New("sign stream: the length of the content is not known")
	case (o.TrailerName != "") != (o.Trailer != nil), o.TrailerName != "" && o.Payload == PayloadStreamSigned:
		return errors.New("sign stream: a trailer without name or value, or in a form of payload without trailer")
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = 64 << 10
	}
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(r.ContentLength, 10))
	if o.TrailerName != "" {
		r.Header.Set("X-Amz-Trailer", o.TrailerName)
	}
	seed := s.SignHeader(r, payload, t)
	w := &chunkWriter{src: body, stream: o, left: r.ContentLength, data: make([]byte, o.ChunkSize)}
	if o.Payload != PayloadStreamUnsignedTrailer {
		amzDate := t.UTC().Format(timeFormat)
		k := deriveKey(s.keyID(amzDate))
		w.sign = newChunkSigner(&k, amzDate, s.scope(amzDate), seed)
	}
	r.ContentLength = o.framedLength(r.ContentLength)
	r.Body = w
	r.GetBody = nil
	return nil
}

// framedLength returns the length of the framed form of n bytes.
func (o *Stream) framedLength(n int64) int64 {
	header := func(size int64) int64 {
		l := int64(len(strconv.FormatInt(size, 16))) + 2
		if o.Payload != PayloadStreamUnsignedTrailer {
			l += int64(len(chunkSignature)) + 2*sha256.Size
		}
		return l
	}
	size := int64(o.ChunkSize)
	total := n/size*(header(size)+size+2) + header(0) + 2
	if rest := n % size; rest > 0 {
		total += header(rest) + rest + 2
	}
	if o.TrailerName != "" {
		total += int64(len(o.TrailerName) + 1 + o.TrailerSize + 2)
	}
	if o.Payload == PayloadStreamSignedTrailer {
		total += int64(len(trailerSignature)+1+2) + 2*sha256.Size
	}
	return total
}

// chunkWriter is the framed form of a body, made as it is read.
type chunkWriter struct {
	src    io.ReadCloser
	stream Stream
	sign   *chunkSigner // nil for unsigned chunks
	left   int64
	data   []byte
	frame  []byte // what of frame[off:] was not yet read
	off    int
	last   bool
}

func (w *chunkWriter) Close() error { return w.src.Close() }

func (w *chunkWriter) Read(p []byte) (int, error) {
	if w.off == len(w.frame) {
		if w.last {
			return 0, io.EOF
		}
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.frame[w.off:])
	w.off += n
	return n, nil
}

// next makes the next frame: a chunk, or the final one with the trailer.
func (w *chunkWriter) next() error {
	data := w.data[:min(int64(len(w.data)), w.left)]
	if _, err := io.ReadFull(w.src, data); err != nil {
		return fmt.Errorf("read content: %w", err)
	}
	w.left -= int64(len(data))
	w.frame, w.off = strconv.AppendInt(w.frame[:0], int64(len(data)), 16), 0
	if w.sign != nil {
		w.frame = append(append(w.frame, chunkSignature...), w.chain(w.sign.chunk(sha256.Sum256(data)))...)
	}
	w.frame = append(w.frame, "\r\n"...)
	if len(data) > 0 {
		w.frame = append(append(w.frame, data...), "\r\n"...)
		return nil
	}
	w.last = true
	return w.trailer()
}

func (w *chunkWriter) trailer() error {
	var line string
	if o := w.stream; o.TrailerName != "" {
		value := o.Trailer()
		if len(value) != o.TrailerSize {
			return fmt.Errorf("sign stream: trailer of %d bytes, announced were %d", len(value), o.TrailerSize)
		}
		line = o.TrailerName + ":" + value
		w.frame = append(append(w.frame, line...), "\r\n"...)
		line += "\n"
	}
	if w.stream.Payload == PayloadStreamSignedTrailer {
		signature := w.chain(w.sign.trailer(sha256.Sum256([]byte(line))))
		w.frame = append(w.frame, trailerSignature+":"+signature+"\r\n"...)
	}
	w.frame = append(w.frame, "\r\n"...)
	return nil
}

// chain makes mac the signature that the next one covers, and returns it in hex.
func (w *chunkWriter) chain(mac key) string {
	w.sign.previous = hex.EncodeToString(mac[:])
	return w.sign.previous
}
