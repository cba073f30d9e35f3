package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// KeySize is the length of the keys that are named and of those that Wrap takes.
const KeySize = 32

// ErrWrongKey says that something was not sealed with this key, or not in this context, or has been changed.
var ErrWrongKey = errors.New("sealed with another key, or changed")

const (
	saltSize = 32
	tagSize  = 16
	wrapInfo = "objsrv key wrap"
)

// Wrap encrypts a secret with a key of KeySize bytes and binds it to a context, which is not part of the
// result: a random salt, a commitment to the key, and the secret under AES-256-GCM. Each call has a key of its own,
// made from key and salt by HKDF-SHA256, so that there is no limit to how often one key wraps; the commitment, a
// second output, makes a result that opens under two keys impossible.
func Wrap(key, secret, context []byte) ([]byte, error) {
	salt := make([]byte, saltSize, saltSize+sha256.Size+len(secret)+tagSize)
	rand.Read(salt) // never fails
	aead, commitment, err := wrapper(key, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(append(salt, commitment...), make([]byte, aead.NonceSize()), secret, context), nil
}

// Unwrap is the inverse of Wrap; ErrWrongKey when it does not open.
func Unwrap(key, wrapped, context []byte) ([]byte, error) {
	if len(wrapped) < saltSize+sha256.Size+tagSize {
		return nil, fmt.Errorf("%d bytes: %w", len(wrapped), ErrWrongKey)
	}
	aead, commitment, err := wrapper(key, wrapped[:saltSize])
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(commitment, wrapped[saltSize:saltSize+sha256.Size]) == 0 {
		return nil, ErrWrongKey
	}
	secret, err := aead.Open(nil, make([]byte, aead.NonceSize()), wrapped[saltSize+sha256.Size:], context)
	if err != nil {
		return nil, ErrWrongKey
	}
	return secret, nil
}

// wrapper is the cipher of one Wrap, with its commitment.
func wrapper(key, salt []byte) (cipher.AEAD, []byte, error) {
	if len(key) != KeySize {
		return nil, nil, fmt.Errorf("key of %d bytes, want %d", len(key), KeySize)
	}
	out, err := hkdf.Key(sha256.New, key, salt, wrapInfo, KeySize+sha256.Size)
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
