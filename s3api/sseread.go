package s3api

import (
	"errors"
	"io"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/internal/seal"
	"github.com/objsrv/objsrv/storage"
)

// unsealed is what a request that may read an object knows of how it is kept.
type unsealed struct {
	*sealing        // nil when it is kept as it was sent
	customer []byte // the customer's key, proven
	key      []byte // the object's, once it was needed
}

// mayOpen checks what a request that reads an object says of its encryption: the customer's key for SSE-C, from the
// headers of these names, and nothing for any other. Zero bytes and metadata are guarded like content.
func (c *call) mayOpen(ref storage.Ref, o *storage.Object, names *customerNames) (u unsealed, err error) {
	if u.customer, err = c.customerKey(names); err != nil {
		return u, err
	}
	if u.sealing, err = sealingOf(o.Props); err != nil {
		return u, err
	}
	isCustomer := u.encrypted() && u.Mode == sseCustomer
	switch {
	case isCustomer && u.customer == nil:
		return u, errorf("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case !isCustomer && u.customer != nil:
		return u, errorf("InvalidRequest", "The encryption parameters are not applicable to this object.")
	case isCustomer:
		u.key, err = c.unseal(u.sealing, ref.Bucket, ref.Key, u.customer)
		if errors.Is(err, keyring.ErrWrongKey) {
			e := errorf("AccessDenied", "Access Denied")
			e.why = "the customer's key is not the object's"
			return u, e
		}
	}
	return u, err
}

// open returns the content as clients see it. It takes over what it is given.
func (c *call) open(u *unsealed, ref storage.Ref, o *storage.Object, content storage.Content) (storage.Content, error) {
	if u.sealing == nil {
		return content, nil
	}
	var err error
	if u.key == nil {
		u.key, err = c.unseal(u.sealing, ref.Bucket, ref.Key, nil)
	}
	var pieces []seal.Piece
	if err == nil {
		pieces, err = piecesOf(o, content)
	}
	if err != nil {
		content.Close()
		return nil, err
	}
	return seal.Open(content, u.key, pieces), nil
}

// piecesOf lists what the content of a version is made of.
func piecesOf(o *storage.Object, content storage.Content) ([]seal.Piece, error) {
	if p, ok := content.(storage.Parted); ok {
		parts, err := p.Parts()
		if err != nil {
			return nil, err
		}
		if len(parts) > 0 {
			pieces := make([]seal.Piece, len(parts))
			for i := range parts {
				pieces[i] = seal.Piece{Number: parts[i].Number, Size: parts[i].Size, Stored: parts[i].Length()}
			}
			return pieces, nil
		}
	}
	return []seal.Piece{{Size: o.Size, Stored: o.Length()}}, nil
}

// stream is content of an object that is read to be stored anew.
type stream struct {
	r   io.Reader
	h   *checksum.Hasher
	alg checksum.Algorithm
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	return n, err
}

func (s *stream) digest() storage.Digest { return digestOf(s.h, s.alg) }

func (s *stream) sum() *checksum.Hasher { return s.h }
