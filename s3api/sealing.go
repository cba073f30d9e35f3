package s3api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
)

// Keys seals the keys of objects with keys that have names; *keyring.Ring is one. The errors are those of package
// keyring.
type Keys interface {
	// Seal encrypts a secret with the newest version of a key and binds it to a context; Unseal is its inverse, with
	// whichever version it was.
	Seal(ctx context.Context, key string, secret, context []byte) ([]byte, error)
	Unseal(ctx context.Context, key string, sealed, context []byte) ([]byte, error)
	// Newest tells whether a secret was sealed with the newest version of its key.
	Newest(key string, sealed []byte) bool
	// Default is the key of SSE-S3, and of SSE-KMS for who names none.
	Default() string
}

// The kinds of server-side encryption (S3 user guide, "Protecting data with encryption").
const (
	sseS3       = "AES256"
	sseKMS      = "aws:kms"
	sseCustomer = "customer" // SSE-C; no value of a header
)

// propSealing is the prop that says how a version's content, or an upload's parts, are kept. Its absence says: as
// they were sent.
const propSealing = "sealing"

// sealing is the value of propSealing. Of an encrypted object it holds the object's own random key, sealed with a
// named key or with the customer's: whoever copies it under another name or key seals that anew and lets the content
// lie.
type sealing struct {
	Mode      string `json:"mode,omitempty"` // "" for content that is only compressed
	KeyName   string `json:"key,omitempty"`
	Sealed    []byte `json:"sealed,omitempty"`
	Context   string `json:"context,omitempty"` // the encryption context, canonical JSON
	BucketKey bool   `json:"bucketKey,omitempty"`
	Shrink    bool   `json:"shrink,omitempty"` // of an upload: parts that shrink are compressed
}

// sealingOf reads propSealing; nil when content is kept as it was sent.
func sealingOf(props map[string]string) (*sealing, error) {
	v, ok := props[propSealing]
	if !ok {
		return nil, nil
	}
	s := new(sealing)
	if err := json.Unmarshal([]byte(v), s); err != nil {
		return nil, fmt.Errorf("how content is kept: %w: %w", err, storage.ErrDamaged)
	}
	return s, nil
}

// in returns props with the sealing among them.
func (s *sealing) in(props map[string]string) (map[string]string, error) {
	if s == nil {
		return props, nil
	}
	v, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("how content is kept: %w", err)
	}
	if props == nil {
		props = make(map[string]string, 1)
	}
	props[propSealing] = string(v)
	return props, nil
}

func (s *sealing) encrypted() bool { return s != nil && s.Mode != "" }

// hidesETag tells whether the ETag must not be the MD5 of the content (S3 API reference, "Object", ETag).
func (s *sealing) hidesETag() bool { return s != nil && (s.Mode == sseKMS || s.Mode == sseCustomer) }

// bound is what an object's key is sealed for: the object by its name, and what the customer added. A key moved to
// another object does not open there.
func (s *sealing) bound(bucket, key string) []byte {
	out := []byte("objsrv object key")
	for _, v := range []string{s.Mode, bucket, key, s.Context} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(v)))
		out = append(out, v...)
	}
	return out
}

// seal seals an object's key, with the customer's when that is the mode.
func (c *call) seal(s *sealing, bucket, key string, objectKey, customer []byte) (err error) {
	if s.Mode == sseCustomer {
		s.Sealed, err = keyring.Wrap(customer, objectKey, s.bound(bucket, key))
		return err
	}
	s.Sealed, err = c.s.Keys.Seal(c.ctx, s.KeyName, objectKey, s.bound(bucket, key))
	switch {
	case errors.Is(err, keyring.ErrNoKey):
		return errNoKey(s.KeyName, err)
	case err != nil:
		return fmt.Errorf("seal with key %q: %w", s.KeyName, err)
	}
	return nil
}

func errNoKey(name string, cause error) *Error {
	e := errorf("KMS.NotFoundException", "Key '%s' does not exist", name)
	e.cause = cause
	return e
}

// unseal is the inverse of seal; nil without an error for content that is not encrypted. A customer's key that is
// not the right one is keyring.ErrWrongKey.
func (c *call) unseal(s *sealing, bucket, key string, customer []byte) ([]byte, error) {
	switch {
	case !s.encrypted():
		return nil, nil
	case s.Mode == sseCustomer:
		return keyring.Unwrap(customer, s.Sealed, s.bound(bucket, key))
	case c.s.Keys == nil:
		return nil, errNoKeys()
	}
	k, err := c.s.Keys.Unseal(c.ctx, s.KeyName, s.Sealed, s.bound(bucket, key))
	switch {
	case errors.Is(err, keyring.ErrNoKey):
		e := errorf("InternalError", "The object was encrypted with the key '%s', of which the server does not have that version any more. The operator finds what to do in docs/encryption.md.", s.KeyName)
		e.cause = err
		return nil, e
	case errors.Is(err, keyring.ErrWrongKey):
		err = fmt.Errorf("%w: %w", err, storage.ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("unseal the key of %s/%s with key %q: %w", bucket, key, s.KeyName, err)
	}
	return k, nil
}

func errNoKeys() *Error {
	return errorf("NotImplemented", "Server-side encryption is not implemented here, because this server has no keys. A gateway leaves encryption to its upstream.")
}

// hideETag replaces an ETag that tells of the content by one that does not, of the same form: 32 hexadecimal digits,
// and the number of parts.
func hideETag(objectKey []byte, etag string) string {
	sum, parts, several := strings.Cut(etag, "-")
	h := hmac.New(sha256.New, objectKey)
	h.Write([]byte("objsrv etag" + sum))
	out := hex.EncodeToString(h.Sum(nil)[:16])
	if several {
		out += "-" + parts
	}
	return out
}

// sealing sets the headers that tell how content is encrypted.
func (h *headers) sealing(c *call, s *sealing) {
	switch {
	case !s.encrypted():
	case s.Mode == sseCustomer:
		h.set("X-Amz-Server-Side-Encryption-Customer-Algorithm", sseS3)
		if md5 := c.r.Header.Get(customerHeader.md5); md5 != "" {
			h.set("X-Amz-Server-Side-Encryption-Customer-Key-Md5", md5)
		}
	default:
		h.set("X-Amz-Server-Side-Encryption", s.Mode)
		if s.Mode == sseKMS {
			h.set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", s.KeyName)
			if s.BucketKey {
				h.set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", strconv.FormatBool(true))
			}
		}
	}
}
