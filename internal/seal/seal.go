// Package seal is the form in which content lies in a store when it is encrypted, compressed or both:
// what is read from an Encoder is stored, and Open gives it back as storage.Content with ranges of its own.
// It knows bytes and keys; whose key it is, and where that one is kept, is its callers' affair. It may import
// storage, for the Content that it reads and gives and for ErrDamaged, and is the only user of S2.
//
// # Form
//
// Each body, be it an object's or a part's, is a piece:
//
//	format      1 byte, 1
//	flags       1 byte: 1 compressed, 2 encrypted
//	salt        32 random bytes      of encrypted pieces
//	commitment  32 bytes             of encrypted pieces
//	body
//
// The body is the content, or an S2 stream of it with an index at its end when compressed. When encrypted it is
// cut into segments of 64 KiB, the last one shorter, each sealed with AES-256-GCM and so 16 bytes longer. The
// key of a piece is HKDF-SHA256 of the object's key, the salt, and an info that names format, flags and the
// number of the part: a piece can't be taken for another object's, another part's or one of other flags. The nonce
// holds the number of the segment and whether it is the last, so that one that was moved, cut off or added does
// not open. Keys are never used twice, since each piece has a salt of its own.
//
// The commitment is a second output of the same HKDF. AES-GCM by itself lets who makes both keys build a text that
// opens under either; a piece opens only with the key that it was made with.
//
// Segments and headers prove themselves, so that a store that also gives bytes without verifying them is read so. What
// does not open is read again verified, and the store finds the damage and reports it.
//
// The standard library has all of this. DARE (minio/sio) has segments alike, but neither a commitment nor a place
// for the part's number and flags, so that it would not be less code.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

const (
	// KeySize is the length of an object's key.
	KeySize = 32

	format         = 1
	flagCompressed = 1
	flagEncrypted  = 2

	plainHeader  = 2
	saltSize     = 32
	sealedHeader = plainHeader + saltSize + sha256.Size

	segmentSize = 64 << 10
	tagSize     = 16
	sealedSize  = segmentSize + tagSize
)

// Options say how a piece is to be made.
type Options struct {
	Key      []byte // of the object, KeySize bytes; nil leaves the piece unencrypted
	Number   int    // of the part, 0 for a body that is an object by itself
	Compress bool
}

// Length is the length of the piece that n bytes of content make; -1 when that shows only at the end.
func Length(n int64, o Options) int64 {
	switch {
	case n < 0 || o.Compress:
		return -1
	case o.Key == nil:
		return plainHeader + n
	}
	segments := max((n+segmentSize-1)/segmentSize, 1)
	return sealedHeader + n + segments*tagSize
}

// newHeader makes the header of a piece, and the cipher of its segments when it is encrypted.
func newHeader(o *Options) ([]byte, cipher.AEAD, error) {
	h := make([]byte, plainHeader, sealedHeader)
	h[0] = format
	if o.Compress {
		h[1] |= flagCompressed
	}
	if o.Key == nil {
		return h, nil, nil
	}
	h[1] |= flagEncrypted
	h = h[:plainHeader+saltSize]
	rand.Read(h[plainHeader:]) // never fails
	aead, commitment, err := derive(o.Key, h, o.Number)
	return append(h, commitment...), aead, err
}

// derive makes the cipher and the commitment of an encrypted piece, whose header begins with h.
func derive(key, h []byte, number int) (cipher.AEAD, []byte, error) {
	if len(key) != KeySize {
		return nil, nil, fmt.Errorf("key of %d bytes, want %d", len(key), KeySize)
	}
	info := append([]byte("objsrv seal piece"), h[:plainHeader]...)
	info = binary.BigEndian.AppendUint32(info, uint32(number))
	out, err := hkdf.Key(sha256.New, key, h[plainHeader:plainHeader+saltSize], string(info), KeySize+sha256.Size)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(out[:KeySize])
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	return aead, out[KeySize:], nil
}

// parseHeader checks the beginning of a piece: of an encrypted one exactly when there is a key, so that plain
// bytes are never taken for the content of an encrypted object.
func parseHeader(h, key []byte, number int) (compressed bool, aead cipher.AEAD, err error) {
	switch {
	case h[0] != format || h[1]&^(flagCompressed|flagEncrypted) != 0:
		return false, nil, fmt.Errorf("unknown form %x of a piece: %w", h[:plainHeader], storage.ErrDamaged)
	case h[1]&flagEncrypted != 0 != (key != nil):
		return false, nil, fmt.Errorf("a piece is not encrypted as its object: %w", storage.ErrDamaged)
	}
	compressed = h[1]&flagCompressed != 0
	if key == nil {
		return compressed, nil, nil
	}
	aead, commitment, err := derive(key, h, number)
	if err == nil && subtle.ConstantTimeCompare(commitment, h[plainHeader+saltSize:]) == 0 {
		err = fmt.Errorf("a piece was made with another key: %w", storage.ErrDamaged)
	}
	return compressed, aead, err
}

func headerSize(key []byte) int64 {
	if key == nil {
		return plainHeader
	}
	return sealedHeader
}

// nonce is that of a segment. No key seals two segments of one number.
func nonce(segment int64, last bool) [12]byte {
	var n [12]byte
	if last {
		n[0] = 1
	}
	binary.BigEndian.PutUint64(n[4:], uint64(segment))
	return n
}
