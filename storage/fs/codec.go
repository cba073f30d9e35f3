package fs

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/objsrv/objsrv/storage"
)

// recordVersion is the first byte of every value of the index.
const recordVersion = 1

// givenVersion is the first byte of the record of a version whose id another store has given. Programs that know
// nothing of these call it damaged rather than misread it.
const givenVersion = 2

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crcOf(parts ...[]byte) uint32 {
	var c uint32
	for _, p := range parts {
		c = crc32.Update(c, castagnoli, p)
	}
	return c
}

// seal appends the checksum of identity and value to value.
func seal(value []byte, identity []byte) []byte {
	return binary.LittleEndian.AppendUint32(value, crcOf(identity, value))
}

// unseal checks and strips the checksum.
func unseal(value []byte, identity []byte) ([]byte, error) {
	n := len(value) - 4
	if n < 1 {
		return nil, fmt.Errorf("record of %d bytes: %w", len(value), storage.ErrDamaged)
	}
	if crcOf(identity, value[:n]) != binary.LittleEndian.Uint32(value[n:]) {
		return nil, fmt.Errorf("checksum of a record: %w", storage.ErrDamaged)
	}
	if value[0] != recordVersion {
		return nil, fmt.Errorf("record of version %d: %w", value[0], storage.ErrDamaged)
	}
	return value[:n], nil
}

// arena hands out strings that share few allocations.
type arena struct {
	buf   []byte
	chunk int
}

func (a *arena) take(n int) []byte {
	if cap(a.buf)-len(a.buf) < n {
		a.buf = make([]byte, 0, max(n, a.chunk))
	}
	l := len(a.buf)
	a.buf = a.buf[:l+n]
	return a.buf[l : l+n : l+n]
}

func (a *arena) str(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	d := a.take(len(b))
	copy(d, b)
	return unsafe.String(&d[0], len(d))
}

// same returns prev when it equals b, so that repeated values cost nothing.
func (a *arena) same(prev string, b []byte) string {
	if prev == string(b) {
		return prev
	}
	return a.str(b)
}

func (a *arena) hex(b []byte) string {
	d := a.take(2 * len(b))
	hex.Encode(d, b)
	return unsafe.String(&d[0], len(d))
}

// reader decodes a value; after the first error it returns zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) byte() byte {
	if len(r.b) < 1 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) take(n int) []byte {
	if n < 0 || len(r.b) < n {
		r.fail()
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u32() uint32 {
	if p := r.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if p := r.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of items that each take at least one byte, so that a wrong
// number can't ask for much memory.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte { return r.take(r.count()) }

func (r *reader) err(what string) error {
	if r.bad {
		return fmt.Errorf("%s ends early: %w", what, storage.ErrDamaged)
	}
	return nil
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// ETags are mostly an MD5 in hexadecimal, or one with the number of parts: those are
// stored as 16 bytes and the number, after the byte 1; any other after the byte 0.
func appendETag(b []byte, etag string) []byte {
	var raw [16]byte
	head, suffix, multi := strings.Cut(etag, "-")
	if decodeHex16(&raw, head) {
		n, err := uint64(0), error(nil)
		if multi {
			n, err = strconv.ParseUint(suffix, 10, 32)
		}
		if err == nil && multi == (n > 0) && (!multi || strconv.FormatUint(n, 10) == suffix) {
			b = append(b, 1)
			b = append(b, raw[:]...)
			return binary.AppendUvarint(b, n)
		}
	}
	return appendString(append(b, 0), etag)
}

func (r *reader) etag(a *arena) string {
	if r.byte() == 0 {
		return a.str(r.bytes())
	}
	raw := r.take(16)
	n := r.uvarint()
	if r.bad {
		return ""
	}
	if n == 0 {
		return a.hex(raw)
	}
	var tmp [48]byte
	hex.Encode(tmp[:], raw)
	tmp[32] = '-'
	return a.str(strconv.AppendUint(tmp[:33], n, 10))
}

// checksumNames gives the algorithms their numbers in records; never reordered.
var checksumNames = [...]string{"", "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}

var checksumTypes = [...]string{"", "FULL_OBJECT", "COMPOSITE"}

const checksumLiteral = 0xFF

// Checksums are stored as numbers for algorithm and type and the decoded value with
// the number of parts; in full, after checksumLiteral, when that would lose anything.
func appendChecksum(b []byte, c storage.Checksum) []byte {
	alg, typ := slices.Index(checksumNames[:], c.Algorithm), slices.Index(checksumTypes[:], c.Type)
	head, suffix, multi := strings.Cut(c.Value, "-")
	raw, err := base64.StdEncoding.DecodeString(head)
	n := uint64(0)
	if err == nil && multi {
		n, err = strconv.ParseUint(suffix, 10, 32)
	}
	if alg < 0 || typ < 0 || err != nil || multi != (n > 0) || (multi && strconv.FormatUint(n, 10) != suffix) ||
		base64.StdEncoding.EncodeToString(raw) != head {
		b = append(b, checksumLiteral)
		b = appendString(b, c.Algorithm)
		b = appendString(b, c.Type)
		return appendString(b, c.Value)
	}
	b = append(b, byte(alg))
	if alg == 0 && typ == 0 && len(raw) == 0 && n == 0 {
		return b
	}
	b = append(b, byte(typ), byte(len(raw)))
	b = append(b, raw...)
	return binary.AppendUvarint(b, n)
}

func (r *reader) checksum(a *arena) (c storage.Checksum) {
	alg := r.byte()
	switch {
	case alg == 0:
		return c
	case alg == checksumLiteral:
		c.Algorithm = a.str(r.bytes())
		c.Type = a.str(r.bytes())
		c.Value = a.str(r.bytes())
		return c
	case int(alg) >= len(checksumNames):
		r.fail()
		return c
	}
	typ := r.byte()
	raw := r.take(int(r.byte()))
	n := r.uvarint()
	if r.bad || int(typ) >= len(checksumTypes) {
		r.fail()
		return c
	}
	c.Algorithm, c.Type = checksumNames[alg], checksumTypes[typ]
	var tmp [384]byte
	v := base64.StdEncoding.AppendEncode(tmp[:0], raw)
	if n > 0 {
		v = strconv.AppendUint(append(v, '-'), n, 10)
	}
	c.Value = a.str(v)
	return c
}

func appendMeta(b []byte, attrs []storage.Attr, tags []storage.Tag, props map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(attrs)))
	for _, at := range attrs {
		b = appendString(appendString(b, at.Name), at.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(tags)))
	for _, t := range tags {
		b = appendString(appendString(b, t.Key), t.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(props)))
	if len(props) == 0 {
		return b
	}
	names := make([]string, 0, len(props))
	for k := range props {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		b = appendString(appendString(b, k), props[k])
	}
	return b
}

func (r *reader) meta(a *arena) (attrs []storage.Attr, tags []storage.Tag, props map[string]string) {
	if n := r.count(); n > 0 {
		attrs = make([]storage.Attr, n)
		for i := range attrs {
			attrs[i] = storage.Attr{Name: a.str(r.bytes()), Value: a.str(r.bytes())}
		}
	}
	if n := r.count(); n > 0 {
		tags = make([]storage.Tag, n)
		for i := range tags {
			tags[i] = storage.Tag{Key: a.str(r.bytes()), Value: a.str(r.bytes())}
		}
	}
	if n := r.count(); n > 0 {
		props = make(map[string]string, n)
		for range n {
			k := a.str(r.bytes())
			props[k] = a.str(r.bytes())
		}
	}
	return attrs, tags, props
}
