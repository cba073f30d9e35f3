package s3api

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// maxPut is the largest body of a PutObject, of a part and of the source of a copy (S3
// user guide, "Amazon S3 multipart upload limits").
const maxPut = 5 << 30

// upload is the body of an object or part on its way into the store. It hashes what it
// passes on and returns io.EOF only when everything that the client said of the body has held:
// the signature's hashes (package sigv4), Content-MD5, and the additional checksum.
type upload struct {
	c       *call
	src     io.Reader
	trailer func() map[string]string
	size    int64 // -1 when only src knows
	hash    *checksum.Hasher
	want    wanted
	stored  checksum.Algorithm // whose checksum is stored
	md5     string             // Content-MD5
	err     error              // what Read said at last
}

// openUpload prepares the request's body for reading. declared is the algorithm that the
// multipart upload was created with, or None. Nothing is read yet, so that a client that
// waits for "100 Continue" still waits. The caller calls begin before anything is, and closes the upload.
//
// When neither names an algorithm CRC64NVME is taken, as S3 does by default: beside MD5 it costs
// nothing measurable at 4 KiB and at 1 MiB, and gives every object a checksum that clients can verify
// and that the parts of an upload compose to.
func (c *call) openUpload(declared checksum.Algorithm) (*upload, error) {
	u, err := c.newUpload(declared)
	if err != nil {
		return nil, err
	}
	if u.src, u.size, u.trailer, err = c.body(); err != nil {
		return nil, err
	}
	switch {
	case u.size < 0:
		return nil, errorf("MissingContentLength", "You must provide the Content-Length HTTP header.")
	case u.size > maxPut:
		return nil, errTooLarge(u.size, maxPut)
	}
	return u, nil
}

// begin has the body hashed as it is read. named is the algorithm that the store is told of beforehand, "" for none: with
// that alone a store may do without the MD5.
func (u *upload) begin(named string) {
	s := u.c.s
	if own, ok := s.Backend.(storage.ETagger); ok && u.md5 == "" && own.OwnETag(u.size, named) {
		u.hash = s.Hasher.GetBare(u.stored, checksum.None)
		return
	}
	u.hash = s.Hasher.Get(u.size, u.stored, checksum.None)
}

// newUpload reads what the headers say of a body that is still to be set.
func (c *call) newUpload(declared checksum.Algorithm) (*upload, error) {
	u := &upload{c: c}
	var err error
	if u.want, err = announcedChecksum(c.r.Header); err != nil {
		return nil, err
	}
	if v := c.r.Header["Content-Md5"]; len(v) > 0 {
		if u.md5 = v[0]; len(v) > 1 {
			u.md5 = "" // no value is right
		}
		if _, ok := checksum.DecodeMD5(u.md5); !ok {
			return nil, errContentMD5(u.md5)
		}
	}
	switch {
	case declared != checksum.None:
		if u.want.alg != checksum.None && u.want.alg != declared {
			return nil, errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", declared, u.want.alg)
		}
		u.stored = declared
	case u.want.alg != checksum.None:
		u.stored = u.want.alg
	default:
		u.stored = checksum.CRC64NVME
	}
	return u, nil
}

func errTooLarge(size, most int64) error {
	return errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").
		with("ProposedSize", strconv.FormatInt(size, 10)).with("MaxSizeAllowed", strconv.FormatInt(most, 10))
}

func errContentMD5(value string) error {
	return errorf("InvalidDigest", "The Content-MD5 you specified is not valid.").with("Content-MD5", value)
}

// close gives back what u holds; u is not used any more.
func (u *upload) close() {
	if u.hash != nil {
		u.c.s.Hasher.Put(u.hash)
		u.hash = nil
	}
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.src.Read(p)
	if n > 0 {
		u.hash.Write(p[:n])
		u.c.ev.BytesIn += int64(n)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		err = u.verify()
	default:
		err = bodyError(err)
	}
	u.err = err
	return n, err
}

// bodyError gives the failures of a connection their S3 codes: nothing of them is the server's
// fault. A refusal stays what it is.
func bodyError(err error) error {
	var refusal *Error
	var unproven *sigv4.Error
	switch {
	case errors.As(err, &refusal), errors.As(err, &unproven):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Code: "RequestTimeout", Message: "Your socket connection to the server was not read from or written to within the timeout period.", cause: err}
	}
	return &Error{Code: "IncompleteBody", Message: "You did not provide the number of bytes specified by the Content-Length HTTP header", cause: err}
}

// verify compares what was read with what the client said; io.EOF when it holds.
func (u *upload) verify() error {
	if u.size >= 0 && u.hash.Len() != u.size {
		return bodyError(io.ErrUnexpectedEOF)
	}
	if u.md5 != "" {
		got := u.hash.MD5()
		want, _ := checksum.DecodeMD5(u.md5)
		if subtle.ConstantTimeCompare(got[:], want[:]) == 0 {
			return errorf("BadDigest", "The Content-MD5 you specified did not match what we received.").
				with("ExpectedDigest", u.md5).with("CalculatedDigest", base64.StdEncoding.EncodeToString(got[:]))
		}
	}
	if u.want.alg == checksum.None {
		return io.EOF
	}
	if u.want.value == "" {
		if err := u.want.take(u.trailer()); err != nil {
			return err
		}
	}
	if checksum.Encode(u.hash.Sum(u.want.alg)) != u.want.value {
		return errBadChecksum(u.want.alg)
	}
	return io.EOF
}

// digest is storage.PutInput.Digest of the body that has been read.
func (u *upload) digest() storage.Digest { return digestOf(u.hash, u.stored) }

// digestOf returns ETag and checksum of what was written to h.
func digestOf(h *checksum.Hasher, alg checksum.Algorithm) storage.Digest {
	var d storage.Digest
	if !h.Bare() {
		sum := h.MD5()
		var etag [2 * len(sum)]byte
		hex.Encode(etag[:], sum[:])
		d.ETag = string(etag[:])
	}
	if alg != checksum.None {
		d.Checksum = storage.Checksum{Algorithm: alg.String(), Type: checksum.FullObject, Value: checksum.Encode(h.Sum(alg))}
	}
	return d
}
