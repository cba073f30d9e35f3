package s3api

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/internal/seal"
	"github.com/objsrv/objsrv/storage"
)

// encoding is how a body is turned into what is stored. nil leaves it as it is.
type encoding struct {
	*sealing
	key    []byte // of the object, when it is encrypted
	number int    // of the part, 0 for an object put whole
}

// newEncoding decides how an object of the request's bucket and key is kept, and makes its key.
func (c *call) newEncoding(b *storage.Bucket, attrs []storage.Attr) (*encoding, error) {
	s, customer, err := c.askedSealing(b)
	if err != nil {
		return nil, err
	}
	if shrink := c.s.Compression.takes(c.key, attrs); shrink && (s == nil || c.s.Compression.Encrypted) {
		if s == nil {
			s = &sealing{}
		}
		s.Shrink = true
	}
	if s == nil {
		return nil, nil
	}
	e := &encoding{sealing: s}
	if s.encrypted() {
		e.key = make([]byte, seal.KeySize)
		rand.Read(e.key) // never fails
		err = c.seal(s, c.bucket, c.key, e.key, customer)
	}
	return e, err
}

// sealingOrNil is the sealing of an encoding that may be nil.
func (e *encoding) sealingOrNil() *sealing {
	if e == nil {
		return nil
	}
	return e.sealing
}

// source is a body on its way into the store, which it sums.
type body interface {
	io.Reader
	digest() storage.Digest
	sum() *checksum.Hasher
}

// encoded is a body in the form that is stored.
type encoded struct {
	io.Reader
	size   int64 // -1 when it shows only at the end
	digest func() storage.Digest
	props  map[string]string
	close  func()
}

// encode turns a body of size bytes (-1 when that is not known) into what an encoding stores of it. Compression that
// is asked for and does not pay is left out: of an object that would not be encrypted either, nothing remains. Part of
// the body may have been read when it returns.
func (e *encoding) encode(b body, size int64, props map[string]string) (*encoded, error) {
	out := &encoded{Reader: b, size: size, digest: b.digest, props: props, close: func() {}}
	s := *e.sealing
	o := seal.Options{Key: e.key, Number: e.number}
	if s.Shrink {
		head, shrinks, err := sample(b, size)
		if err != nil {
			return nil, err
		}
		out.Reader, o.Compress = io.MultiReader(bytes.NewReader(head), b), shrinks
	}
	if e.number == 0 {
		if !o.Compress && !s.encrypted() {
			return out, nil
		}
		s.Shrink = false // it has been decided
		var err error
		if out.props, err = s.in(props); err != nil {
			return nil, err
		}
	}
	enc, err := seal.Encode(out.Reader, o)
	if err != nil {
		return nil, err
	}
	out.Reader, out.size, out.close = enc, seal.Length(size, o), enc.Close
	out.digest = func() storage.Digest {
		d := b.digest()
		d.Coded, d.Size = true, b.sum().Len()
		if s.hidesETag() {
			d.ETag = hideETag(e.key, d.ETag)
		}
		return d
	}
	return out, nil
}

// sample reads the beginning of a body and tells whether it is worth compressing.
func sample(b io.Reader, size int64) (head []byte, shrinks bool, err error) {
	if size >= 0 && size < minCompressed {
		return nil, false, nil
	}
	head = make([]byte, seal.SampleSize)
	n, err := io.ReadFull(b, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, false, err
	}
	head = head[:n]
	return head, n >= minCompressed && seal.Shrinks(head), nil
}

// sum is what the body has been summed by.
func (u *upload) sum() *checksum.Hasher { return u.hash }

// put stores an object from a body in the form that e says.
func (c *call) put(in *storage.PutInput, b body, size int64, e *encoding) (*storage.Object, error) {
	if e == nil {
		in.Body, in.Size, in.Digest = b, size, b.digest
		return c.s.Backend.PutObject(c.ctx, *in)
	}
	enc, err := e.encode(b, size, in.Meta.Props)
	if err != nil {
		return nil, err
	}
	defer enc.close()
	in.Body, in.Size, in.Digest, in.Meta.Props = enc, enc.size, enc.digest, enc.props
	return c.s.Backend.PutObject(c.ctx, *in)
}

// putPart stores a part from a body in the form that e says.
func (c *call) putPart(in *storage.PartInput, b body, size int64, e *encoding) (*storage.Part, error) {
	if e == nil {
		in.Body, in.Size, in.Digest = b, size, b.digest
		return c.s.Backend.PutPart(c.ctx, *in)
	}
	enc, err := e.encode(b, size, nil)
	if err != nil {
		return nil, err
	}
	defer enc.close()
	in.Body, in.Size, in.Digest = enc, enc.size, enc.digest
	return c.s.Backend.PutPart(c.ctx, *in)
}

// partEncoding is how a part of an upload is kept: as the upload was begun, with the customer's key for SSE-C.
func (c *call) partEncoding(up *storage.Upload, number int) (*encoding, error) {
	s, err := sealingOf(up.Meta.Props)
	if err != nil {
		return nil, err
	}
	customer, err := c.customerKey(&customerHeader)
	if err == nil {
		err = c.agrees(s)
	}
	if err != nil {
		return nil, err
	}
	isCustomer := s.encrypted() && s.Mode == sseCustomer
	switch {
	case customer != nil && !isCustomer:
		return nil, errorf("InvalidRequest", "The multipart upload initiate did not request encryption with a customer provided key. Resend the request without specifying encryption parameters.")
	case customer == nil && isCustomer:
		return nil, errorf("InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	case s == nil:
		return nil, nil
	}
	key, err := c.unseal(s, up.Bucket, up.Key, customer)
	if isCustomer && errors.Is(err, keyring.ErrWrongKey) {
		return nil, errorf("InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
	}
	return &encoding{sealing: s, key: key, number: number}, err
}

// agrees refuses headers of SSE-S3 and SSE-KMS that ask for another encryption than an upload has. They need not be
// sent with parts, but MinIO's client sends them with some.
func (c *call) agrees(s *sealing) error {
	asked, err := namedSealing(c.r.Header)
	if err != nil || asked == nil {
		return err
	}
	if !s.encrypted() || asked.Mode != s.Mode || asked.KeyName != "" && asked.KeyName != s.KeyName || asked.Context != "" && asked.Context != s.Context {
		return errorf("InvalidRequest", "The multipart upload initiate did not request the encryption that this request asks for. Resend the request without specifying encryption parameters.")
	}
	return nil
}

// proveKey checks what a request says of encryption that names an upload and neither reads nor writes content. The
// customer's key may be left out, unless needed.
func (c *call) proveKey(up *storage.Upload, needed bool) error {
	if !c.asksSealing() {
		s, err := sealingOf(up.Meta.Props)
		if err != nil || !needed || !s.encrypted() || s.Mode != sseCustomer {
			return err
		}
	}
	_, err := c.partEncoding(up, 0)
	return err
}
