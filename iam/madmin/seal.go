package madmin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed body is salt | algorithm | nonce | packets. The key is derived from the secret and
// the salt. A packet is at most packetSize bytes under the AEAD, whose nonce is the stream's
// followed by the packet's number, from 1 on, in little endian. Its associated data is a byte,
// 0 or, in the last packet, 0x80, and the tag that the AEAD makes of nothing under number 0. An
// empty stream is one empty packet.
const (
	saltSize   = 32
	nonceSize  = 8
	headerSize = saltSize + 1 + nonceSize
	packetSize = 16 << 10
	tagSize    = 16
	lastPacket = 0x80
)

// The algorithms: key derivation and AEAD.
const (
	argon2AESGCM   = 0
	argon2ChaCha20 = 1
	pbkdf2AESGCM   = 2
)

// errSealed is the answer to a body that does not open.
var errSealed = &Refusal{http.StatusBadRequest, "XMinioAdminConfigBadJSON", "The body is not encrypted with the secret key of the caller."}

// sealOverhead returns by how much at most a sealed body of n bytes is longer.
func sealOverhead(n int64) int64 {
	return headerSize + tagSize*max(1, (n+packetSize-1)/packetSize)
}

// sealer encrypts and decrypts bodies. Deriving a key takes 64 MiB and much of a processor, so
// that only a few are derived at a time; the rest wait, until their request is given up.
type sealer struct {
	slots     chan struct{}
	algorithm byte // of what it encrypts
}

// concurrentKeys is how many keys are derived at a time.
const concurrentKeys = 2

func newSealer() *sealer {
	return &sealer{slots: make(chan struct{}, concurrentKeys), algorithm: argon2AESGCM}
}

// seal encrypts data under a fresh salt and nonce.
func (s *sealer) seal(ctx context.Context, secret string, data []byte) ([]byte, error) {
	out := make([]byte, headerSize, int64(len(data))+sealOverhead(int64(len(data))))
	rand.Read(out) // never fails: crypto/rand ends the program instead
	out[saltSize] = s.algorithm
	aead, err := s.aead(ctx, secret, out)
	if err != nil {
		return nil, err
	}
	p := newPackets(aead, out[saltSize+1:headerSize])
	for {
		chunk := data[:min(packetSize, len(data))]
		data = data[len(chunk):]
		out = aead.Seal(out, p.next(len(data) == 0), chunk, p.associated)
		if len(data) == 0 {
			return out, nil
		}
	}
}

// open decrypts data, in place. Whatever is wrong with it is errSealed.
func (s *sealer) open(ctx context.Context, secret string, data []byte) ([]byte, error) {
	if len(data) < headerSize+tagSize || data[saltSize] > pbkdf2AESGCM {
		return nil, errSealed
	}
	aead, err := s.aead(ctx, secret, data)
	if err != nil {
		return nil, err
	}
	p := newPackets(aead, data[saltSize+1:headerSize])
	rest := data[headerSize:]
	out := rest[:0]
	for {
		chunk := rest[:min(packetSize+tagSize, len(rest))]
		rest = rest[len(chunk):]
		plain, err := aead.Open(chunk[:0], p.next(len(rest) == 0), chunk, p.associated)
		if err != nil {
			return nil, errSealed
		}
		out = append(out, plain...)
		if len(rest) == 0 {
			return out, nil
		}
	}
}

// aead derives the key for a header.
func (s *sealer) aead(ctx context.Context, secret string, header []byte) (cipher.AEAD, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	const keySize, time, memory, threads, rounds = 32, 1, 64 << 10, 4, 8192
	salt := header[:saltSize]
	switch header[saltSize] {
	case argon2AESGCM:
		return newGCM(argon2.IDKey([]byte(secret), salt, time, memory, threads, keySize))
	case argon2ChaCha20:
		return chacha20poly1305.New(argon2.IDKey([]byte(secret), salt, time, memory, threads, keySize))
	case pbkdf2AESGCM:
		key, err := pbkdf2.Key(sha256.New, secret, salt, rounds, keySize)
		if err != nil {
			return nil, err
		}
		return newGCM(key)
	}
	return nil, errors.New("unknown algorithm")
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// packets counts the packets of a stream.
type packets struct {
	nonce      []byte
	associated []byte
	number     uint32
}

func newPackets(aead cipher.AEAD, nonce []byte) *packets {
	p := &packets{nonce: make([]byte, aead.NonceSize()), associated: make([]byte, 1, 1+tagSize)}
	copy(p.nonce, nonce)
	p.associated = aead.Seal(p.associated, p.nonce, nil, nil)
	return p
}

// next returns the nonce of the next packet, and has the associated data say whether it is the
// last. A body is far too short to run out of numbers.
func (p *packets) next(last bool) []byte {
	p.number++
	binary.LittleEndian.PutUint32(p.nonce[nonceSize:], p.number)
	if last {
		p.associated[0] = lastPacket
	}
	return p.nonce
}
