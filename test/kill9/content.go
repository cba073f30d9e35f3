package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// content names the bytes of a version: they follow from it. The zero value means "no object".
type content struct {
	seed uint64
	size int
}

// bytes returns the content: a hash of what follows, then pseudo-random bytes, so that a mix of two
// versions can't be taken for either.
func (c content) bytes() []byte {
	b := make([]byte, c.size)
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], c.seed)
	rand.NewChaCha8(seed).Read(b)
	if c.seed&textSeed != 0 { // each 16 bytes four times, which shrinks
		for i := c.size - 1; i >= 0; i-- {
			b[i] = b[i/64*16+i%16]
		}
	}
	return b
}

// Bits of a seed that say how a version is kept, as far as the key lets it be.
const (
	textSeed   = 1 << 1
	sealedSeed = 1 << 2
)

// options ask for encryption of every other version.
func (c content) options(s *harness.Server) (opts minio.PutObjectOptions) {
	opts.DisableMultipart = true
	if c.seed&sealedSeed != 0 && !s.Minio {
		opts.ServerSideEncryption = encrypt.NewSSE()
	}
	return opts
}

func (c content) String() string {
	if c.seed == 0 {
		return "no object"
	}
	return fmt.Sprintf("version %x of %d bytes", c.seed, c.size)
}
