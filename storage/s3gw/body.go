package s3gw

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

const (
	// smallBody is up to which length a body is read before it is sent: then its digest is known first.
	smallBody = 64 << 10
	// frame is the length of the chunks that larger ones are sent in.
	frame = 64 << 10
)

// trailing is the payload hash of a chunked body whose checksum follows it.
const trailing = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

// sumLength is the length of a checksum in base64.
var sumLength = map[string]int{"CRC32": 8, "CRC32C": 8, "CRC64NVME": 12, "SHA1": 28, "SHA256": 44, "SHA512": 88, "MD5": 24, "XXHASH64": 12, "XXHASH3": 12, "XXHASH128": 24}

// upload is a body on its way to the upstream.
type upload struct {
	body   io.Reader
	size   int64  // -1 when it is not known
	alg    string // whose checksum the upstream is to keep; "" for none
	digest func() storage.Digest
}

// stored is what became of it.
type stored struct {
	header http.Header // of the answer
	digest storage.Digest
	size   int64
}

// source reads a body for net/http and keeps the error that ended it, which counts more than what net/http
// makes of it.
type source struct {
	r   io.Reader
	n   int64
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		err = &bodyError{err}
		s.err = err
	}
	return n, err
}

// send sends a request with the body of u. The upstream gets the last of it only when its reader has said that
// all is right (io.EOF), so that nothing is stored of a body that proves wrong at its end.
func (s *Store) send(ctx context.Context, r *request, u *upload, buffers *sync.Pool) (*stored, error) {
	src := &source{r: u.body}
	out := &stored{}
	var finish func()
	var err error
	switch {
	case u.size < 0:
		finish, err = u.spool(r, src, out)
	case u.size <= smallBody:
		finish, err = u.collect(r, src, out, buffers)
	default:
		finish = u.stream(r, src, out, buffers)
	}
	if err != nil {
		return nil, err
	}
	defer finish()
	out.header, err = s.client.call(ctx, r)
	if src.err != nil {
		return nil, src.err
	}
	if err != nil {
		return nil, err
	}
	return out, out.check(u.alg)
}

// collect reads a small body.
func (u *upload) collect(r *request, src *source, out *stored, buffers *sync.Pool) (finish func(), err error) {
	buf := buffers.Get().(*[]byte)
	b := (*buf)[:u.size]
	_, err = io.ReadFull(src, b)
	if err == nil {
		err = end(src)
	}
	if err != nil {
		buffers.Put(buf)
		return nil, sizeError(err)
	}
	out.digest, out.size = u.digest(), u.size
	if out.digest.Coded {
		buffers.Put(buf)
		return nil, errCoded
	}
	u.announce(r, out.digest)
	r.body, r.size = strings.NewReader(string(b)), u.size
	buffers.Put(buf)
	return func() {}, nil
}

// end reads the end of a body.
func end(r io.Reader) error {
	var one [1]byte
	for {
		n, err := r.Read(one[:])
		switch {
		case n > 0:
			return storage.ErrSize
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func sizeError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("body: %w", storage.ErrSize)
	}
	return err
}

// spool reads a body of unknown length, such as that of a form, into a file without a name: S3 wants the length
// first.
func (u *upload) spool(r *request, src *source, out *stored) (finish func(), err error) {
	f, err := os.CreateTemp("", "objsrv-gateway-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file for a body of unknown length: %w: %w", storage.ErrUnavailable, err)
	}
	os.Remove(f.Name()) // fails where open files keep their names: then it is removed by whoever cleans there
	n, err := io.Copy(f, src)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		var b *bodyError
		if !errors.As(err, &b) {
			err = fmt.Errorf("write a temporary file for a body of unknown length: %w: %w", storage.ErrUnavailable, err)
		}
		return nil, err
	}
	out.digest, out.size = u.digest(), n
	if out.digest.Coded {
		f.Close()
		return nil, errCoded
	}
	u.announce(r, out.digest)
	r.body, r.size = f, n
	return func() { f.Close() }, nil
}

// announce sets the headers of a body whose digest is known.
func (u *upload) announce(r *request, d storage.Digest) {
	r.hash = unsigned
	if sum, err := hex.DecodeString(d.ETag); err == nil && len(sum) == 16 {
		r.header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum))
	}
	if u.alg != "" && d.Checksum.Algorithm == u.alg {
		r.header.Set(sumPrefix+algorithms[u.alg], d.Checksum.Value)
	}
}

// stream sends a body as it comes, with its checksum behind it.
func (u *upload) stream(r *request, src *source, out *stored, buffers *sync.Pool) (finish func()) {
	out.size = u.size
	body := &streamed{u: u, src: src, out: out, left: u.size, buf: buffers.Get().(*[]byte)}
	r.body, r.size, r.hash = body, u.size, unsigned
	if u.alg != "" {
		body.framed = true
		r.size, r.hash = framedLength(u.size, u.alg), trailing
		r.header.Set("X-Amz-Trailer", strings.ToLower(sumPrefix)+strings.ToLower(algorithms[u.alg]))
		r.header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(u.size, 10))
		encoding := "aws-chunked"
		if e := r.header.Get("Content-Encoding"); e != "" {
			encoding += "," + e
		}
		r.header.Set("Content-Encoding", encoding)
	}
	return body.release(buffers)
}

// framedLength is that of a chunked body with the trailer of an algorithm.
func framedLength(size int64, alg string) int64 {
	chunk := func(n int64) int64 { return int64(len(strconv.FormatInt(n, 16))) + 2 + n + 2 }
	total := size / frame * chunk(frame)
	if rest := size % frame; rest > 0 {
		total += chunk(rest)
	}
	return total + 3 + int64(len(sumPrefix)+len(algorithms[alg])+1+sumLength[alg]+4)
}

// streamed is the body of a request: blocks of the source, framed or not. It is one block behind
// the source, so that the last one goes out after the source's end.
type streamed struct {
	u      *upload
	src    *source
	out    *stored
	left   int64 // bytes that the source still has
	framed bool

	mu   sync.Mutex // net/http may still read when the request has failed
	buf  *[]byte    // nil when it was given back
	next []byte     // what Read gives
	done bool       // all is in next
	err  error
}

// release returns what gives the buffer back.
func (s *streamed) release(buffers *sync.Pool) func() {
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		buffers.Put(s.buf)
		s.buf, s.err = nil, errors.New("the request has ended")
	}
}

// Read implements io.Reader.
func (s *streamed) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.next) == 0 && s.err == nil && !s.done {
		s.err = s.fill()
	}
	if s.err != nil {
		return 0, s.err
	}
	n := copy(p, s.next)
	s.next = s.next[n:]
	if n == 0 && s.done {
		return 0, io.EOF
	}
	return n, nil
}

// headRoom is what the buffer has before a block for the head of its frame.
const headRoom = 16

// fill reads the next block, and the end of the source with the last one.
func (s *streamed) fill() error {
	b := (*s.buf)[:cap(*s.buf)]
	n := min(s.left, frame)
	block := b[headRoom : headRoom+n]
	if _, err := io.ReadFull(s.src, block); err != nil {
		return sizeError(err)
	}
	if s.left -= n; s.left == 0 {
		if err := end(s.src); err != nil {
			return err
		}
		s.out.digest = s.u.digest()
		if s.out.digest.Coded {
			return errCoded
		}
		s.done = true
	}
	if !s.framed {
		s.next = block
		return nil
	}
	head := strconv.FormatInt(n, 16) + "\r\n"
	begin := headRoom - len(head)
	copy(b[begin:], head)
	s.next = append(b[begin:headRoom+n], "\r\n"...)
	if s.done {
		sum := s.out.digest.Checksum
		if sum.Algorithm != s.u.alg || len(sum.Value) != sumLength[s.u.alg] {
			return fmt.Errorf("the body has a checksum %s where %s was announced", sum.Algorithm, s.u.alg)
		}
		s.next = append(s.next, "0\r\n"+strings.ToLower(sumPrefix+algorithms[s.u.alg])+":"+sum.Value+"\r\n\r\n"...)
	}
	return nil
}

// bufferSize has room for a framed block with the trailer behind it.
const bufferSize = headRoom + frame + 256

// errCoded is for content that is encrypted or compressed here: an upstream would tell its stored length.
var errCoded = fmt.Errorf("encrypted or compressed content: %w", storage.ErrNotSupported)

// errAltered is for an upstream that stored something else than what was sent.
var errAltered = errors.New("the upstream stored something else than what was sent")

// check compares what the upstream says of the body with what was sent. An ETag that is no MD5 by S3's rules, as
// with encryption by KMS, can't be compared; a checksum that the upstream has computed stands for it.
func (o *stored) check(alg string) error {
	etag, sum := strings.Trim(o.header.Get("Etag"), `"`), checksumOf(o.header)
	if etag == "" {
		return fmt.Errorf("%w: it tells no ETag", errAltered)
	}
	if sum.Algorithm != "" && sum.Algorithm == o.digest.Checksum.Algorithm {
		if sum.Value != o.digest.Checksum.Value {
			return fmt.Errorf("%w: its checksum %s is %s, not %s", errAltered, sum.Algorithm, sum.Value, o.digest.Checksum.Value)
		}
		return nil
	}
	if o.digest.ETag == "" {
		return fmt.Errorf("%w: it tells no checksum %s", errAltered, o.digest.Checksum.Algorithm)
	}
	encrypted := strings.HasPrefix(o.header.Get("X-Amz-Server-Side-Encryption"), "aws:kms") || o.header.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != ""
	if isMD5(etag) && isMD5(o.digest.ETag) && !encrypted && etag != o.digest.ETag {
		return fmt.Errorf("%w: its ETag is %s, not %s", errAltered, etag, o.digest.ETag)
	}
	return nil
}

func isMD5(etag string) bool {
	b, err := hex.DecodeString(etag)
	return err == nil && len(b) == 16
}
