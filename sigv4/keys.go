package sigv4

import (
	"crypto/sha256"
	"sync"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	terminal  = "aws4_request"

	// cacheSize bounds each of the cache's two generations.
	cacheSize = 1024
)

type key = [sha256.Size]byte

// keyID names a signing key. The secret is part of it: a changed secret is another key.
type keyID struct{ secret, date, region, service string }

// keyCache remembers derived signing keys: deriving takes four HMACs, and a client uses
// one key for a day. Two generations bound it: when the younger is full, the older goes.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyID]*key
}

// get returns the signing key of id. An empty secret is cached like any other, so that
// unknown access keys take no other path than known ones.
func (c *keyCache) get(id keyID) *key {
	c.mu.RLock()
	k := c.young[id]
	if k == nil {
		k = c.old[id]
	}
	c.mu.RUnlock()
	if k != nil {
		return k
	}
	derived := deriveKey(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= cacheSize {
		c.old, c.young = c.young, make(map[keyID]*key)
	}
	c.young[id] = &derived
	return &derived
}

func deriveKey(id keyID) key {
	var buf []byte
	k := hmacSHA256([]byte("AWS4"+id.secret), []byte(id.date), &buf)
	k = hmacSHA256(k[:], []byte(id.region), &buf)
	k = hmacSHA256(k[:], []byte(id.service), &buf)
	return hmacSHA256(k[:], []byte(terminal), &buf)
}

// hmacSHA256 is HMAC (RFC 2104) with SHA-256. Unlike crypto/hmac it allocates nothing
// once *buf, its working space, has grown to 64 bytes more than msg. msg must not be in *buf.
func hmacSHA256(k, msg []byte, buf *[]byte) key {
	var pad [sha256.BlockSize]byte
	if len(k) > len(pad) {
		sum := sha256.Sum256(k)
		k = sum[:]
	}
	copy(pad[:], k)
	for i := range pad {
		pad[i] ^= 0x36
	}
	b := append(append((*buf)[:0], pad[:]...), msg...)
	*buf = b
	inner := sha256.Sum256(b)
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], pad[:])
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}
