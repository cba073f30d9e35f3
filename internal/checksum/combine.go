package checksum

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/minio/crc64nvme"
)

// field is the ring of polynomials over GF(2) modulo a CRC's polynomial, in the
// reflected representation of the CRCs of S3: the top bit is the coefficient of x^0.
type field struct {
	poly, one uint64
	// squares[k] is x^(8*2^k): the effect of 2^k zero bytes.
	squares [64]uint64
}

var (
	fieldCRC32     = newField(0xedb88320, 32)
	fieldCRC32C    = newField(0x82f63b78, 32)
	fieldCRC64NVME = newField(crc64nvme.NVME, 64)
)

func newField(poly uint64, width int) *field {
	f := &field{poly: poly, one: 1 << (width - 1)}
	q := f.one >> 8
	for k := range f.squares {
		f.squares[k] = q
		q = f.mul(q, q)
	}
	return f
}

// mul returns a*b modulo the polynomial.
func (f *field) mul(a, b uint64) uint64 {
	var p uint64
	for m := f.one; m != 0 && a != 0; m >>= 1 {
		if a&m != 0 {
			p ^= b
			a ^= m
		}
		b = b>>1 ^ f.poly&-(b&1)
	}
	return p
}

// shift returns crc times x^(8n): what crc becomes when n bytes follow it.
func (f *field) shift(crc uint64, n uint64) uint64 {
	for k := 0; n != 0; k, n = k+1, n>>1 {
		if n&1 != 0 {
			crc = f.mul(f.squares[k], crc)
		}
	}
	return crc
}

// Combine returns the checksum of the concatenation of A and B from that of A, that
// of B and the length of B in bytes. alg must be Composable and both sums of its size,
// else it returns an error. sumA may be nil for an empty A. Cost: under a microsecond.
func Combine(alg Algorithm, sumA, sumB []byte, lenB int64) ([]byte, error) {
	if !alg.Composable() {
		return nil, fmt.Errorf("combine checksums: %s is not composable", alg)
	}
	if sumA == nil {
		sumA = make([]byte, alg.Size()) // the CRC of no bytes is zero
	}
	if len(sumA) != alg.Size() || len(sumB) != alg.Size() || lenB < 0 {
		return nil, fmt.Errorf("combine checksums: %s of %d and %d bytes, length %d", alg, len(sumA), len(sumB), lenB)
	}
	out := make([]byte, alg.Size())
	if alg == CRC64NVME {
		a, b := binary.BigEndian.Uint64(sumA), binary.BigEndian.Uint64(sumB)
		binary.BigEndian.PutUint64(out, fieldCRC64NVME.shift(a, uint64(lenB))^b)
		return out, nil
	}
	f := fieldCRC32
	if alg == CRC32C {
		f = fieldCRC32C
	}
	a, b := binary.BigEndian.Uint32(sumA), binary.BigEndian.Uint32(sumB)
	binary.BigEndian.PutUint32(out, uint32(f.shift(uint64(a), uint64(lenB)))^b)
	return out, nil
}

// Compose returns the composite checksum of an object from the checksums of its parts
// in order, as S3 writes it: base64 of the checksum of their concatenation, "-", and
// the number of parts. It panics for None.
func Compose(alg Algorithm, partSums [][]byte) string {
	h := alg.New()
	for _, s := range partSums {
		h.Write(s)
	}
	return Encode(h.Sum(nil)) + "-" + strconv.Itoa(len(partSums))
}

// DecodeComposite splits a composite checksum "base64-N" into its bytes and N. It
// reports false unless both are well formed and N is 1 to 10000.
func (a Algorithm) DecodeComposite(value string) (sum []byte, parts int, ok bool) {
	enc, num, found := strings.Cut(value, "-") // standard base64 has no '-'
	if !found || num == "" || num[0] < '1' || num[0] > '9' {
		return nil, 0, false
	}
	parts, err := strconv.Atoi(num)
	if err != nil || parts > 10000 {
		return nil, 0, false
	}
	sum, ok = a.Decode(enc)
	return sum, parts, ok
}

// ETag returns the ETag, without quotes, of a multipart object from the MD5 sums of its
// parts in order: hex MD5 of their concatenation, "-", and the number of parts.
func ETag(parts [][md5.Size]byte) string {
	h := md5.New()
	for i := range parts {
		h.Write(parts[i][:])
	}
	return hex.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

// DecodeMD5 returns the MD5 of a Content-MD5 header. It reports false unless value is
// strict standard base64 of 16 bytes.
func DecodeMD5(value string) (sum [md5.Size]byte, ok bool) {
	b, ok := MD5.Decode(value)
	if ok {
		copy(sum[:], b)
	}
	return sum, ok
}
