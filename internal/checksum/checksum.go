// Package checksum computes the checksums of S3 uploads: MD5 for ETags and the ten
// additional algorithms, of whole objects and composed from parts. It owns the
// libraries behind them (md5-simd, crc64nvme, xxhash, xxh3) and imports nothing of
// ours. Rules: S3 user guide, "Checking object integrity"; names: the S3 API model.
//
// A server makes one Pool, takes a Hasher from it for each body, writes the body
// through it, and reads MD5 and the additional checksums in the end.
package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

// Algorithm is a checksum algorithm of S3. The zero value is None.
type Algorithm uint8

// The algorithms of the S3 API model. None stands for "no additional checksum".
const (
	None Algorithm = iota
	CRC32
	CRC32C
	CRC64NVME
	SHA1
	SHA256
	SHA512
	MD5
	XXHASH64
	XXHASH3
	XXHASH128
	numAlgorithms
)

// MaxSize is the size in bytes of the longest checksum, that of SHA512.
const MaxSize = sha512.Size

// The checksum types of the S3 API model.
const (
	Composite  = "COMPOSITE"   // checksum of the parts' checksums, followed by "-N"
	FullObject = "FULL_OBJECT" // checksum of the object's bytes
)

// info is what is fixed for an algorithm.
type info struct {
	name, header          string
	size                  int
	composite, fullObject bool // allowed types of a multipart upload
}

var infos = [numAlgorithms]info{
	CRC32:     {"CRC32", "x-amz-checksum-crc32", 4, true, true},
	CRC32C:    {"CRC32C", "x-amz-checksum-crc32c", 4, true, true},
	CRC64NVME: {"CRC64NVME", "x-amz-checksum-crc64nvme", 8, false, true},
	SHA1:      {"SHA1", "x-amz-checksum-sha1", sha1.Size, true, false},
	SHA256:    {"SHA256", "x-amz-checksum-sha256", sha256.Size, true, false},
	SHA512:    {"SHA512", "x-amz-checksum-sha512", sha512.Size, true, false},
	MD5:       {"MD5", "x-amz-checksum-md5", md5.Size, true, false},
	XXHASH64:  {"XXHASH64", "x-amz-checksum-xxhash64", 8, true, false},
	XXHASH3:   {"XXHASH3", "x-amz-checksum-xxhash3", 8, true, false},
	XXHASH128: {"XXHASH128", "x-amz-checksum-xxhash128", 16, true, false},
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Algorithms returns every algorithm but None, in the order of their constants.
func Algorithms() []Algorithm {
	all := make([]Algorithm, 0, numAlgorithms-1)
	for a := None + 1; a < numAlgorithms; a++ {
		all = append(all, a)
	}
	return all
}

// Parse returns the algorithm of a name as it stands in x-amz-checksum-algorithm and
// x-amz-sdk-checksum-algorithm, such as "CRC32", in any case (SDKs send both cases).
// It reports false for an unknown name and for "".
func Parse(name string) (Algorithm, bool) {
	for a := None + 1; a < numAlgorithms; a++ {
		if strings.EqualFold(name, infos[a].name) {
			return a, true
		}
	}
	return None, false
}

// ParseHeader returns the algorithm whose value the header or trailer of that name
// carries, such as "x-amz-checksum-crc32", in any case. It reports false for every
// other name, including x-amz-checksum-algorithm, -type and -mode.
func ParseHeader(name string) (Algorithm, bool) {
	for a := None + 1; a < numAlgorithms; a++ {
		if strings.EqualFold(name, infos[a].header) {
			return a, true
		}
	}
	return None, false
}

// String returns the name as on the wire, "CRC32"; "" for None.
func (a Algorithm) String() string { return infos[a].name }

// Header returns the lower-case name of the header that carries a checksum of this
// algorithm, "x-amz-checksum-crc32"; "" for None.
func (a Algorithm) Header() string { return infos[a].header }

// Element returns the name of the XML element that carries a checksum of this
// algorithm, "ChecksumCRC32"; "" for None.
func (a Algorithm) Element() string {
	if a == None {
		return ""
	}
	return "Checksum" + infos[a].name
}

// Size returns the number of bytes of a checksum; 0 for None.
func (a Algorithm) Size() int { return infos[a].size }

// Composable reports whether the checksum of an object follows from the checksums
// and the lengths of its parts (see Combine): true for the CRCs.
func (a Algorithm) Composable() bool { return infos[a].fullObject }

// Allows reports whether a multipart upload with this algorithm may have the checksum
// type typ, Composite or FullObject. CRC64NVME is full-object only, CRC32 and CRC32C
// are both, everything else is composite only.
func (a Algorithm) Allows(typ string) bool {
	switch typ {
	case Composite:
		return infos[a].composite
	case FullObject:
		return infos[a].fullObject
	}
	return false
}

// DefaultType returns the checksum type of a multipart upload that names this
// algorithm but no type: FullObject for CRC64NVME, else Composite; "" for None.
func (a Algorithm) DefaultType() string {
	switch {
	case a == None:
		return ""
	case infos[a].composite:
		return Composite
	}
	return FullObject
}

// New returns a hash whose Sum is the checksum as S3 encodes it: numbers big-endian,
// XXHASH128 in the canonical form (high half first). All seeds are 0. It panics for None.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(castagnoli)
	case CRC64NVME:
		return crc64nvme.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case MD5:
		return md5.New()
	case XXHASH64:
		return xxhash.New()
	case XXHASH3:
		return xxh3.New()
	case XXHASH128:
		return xxh3.New128()
	}
	panic("checksum: New of None or of an unknown algorithm")
}

// Encode returns sum as S3 writes it in headers and XML: standard base64.
func Encode(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// Decode returns the bytes of a checksum in base64. It reports false unless value is
// strict standard base64 of exactly a.Size() bytes; a composite value with "-N" is
// refused too (see DecodeComposite).
func (a Algorithm) Decode(value string) ([]byte, bool) {
	if a == None || len(value) != base64.StdEncoding.EncodedLen(a.Size()) {
		return nil, false
	}
	// The decoder skips line breaks and may write up to two bytes more than the checksum
	// has, so its count must be looked at.
	sum := make([]byte, base64.StdEncoding.DecodedLen(len(value)))
	n, err := base64.StdEncoding.Strict().Decode(sum, []byte(value))
	if err != nil || n != a.Size() {
		return nil, false
	}
	return sum[:n], true
}
