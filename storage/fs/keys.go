package fs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/objsrv/objsrv/storage"
)

// The key ranges of the index, by first byte.
const (
	rangeBucket   = 'b' // name -> bucket record
	rangeCount    = 'c' // bucket -> merged counters
	rangeData     = 'd' // data id -> content of a small object
	rangeRef      = 'f' // blob -> merged reference count
	rangeMark     = 'm' // name -> water mark
	rangeNote     = 'l' // bucket, kind, day, key -> nothing, see storage.Calendar
	rangeNull     = 'n' // bucket, key -> sequence of the null version in rangeVersion
	rangeObject   = 'o' // bucket, key -> record of the current live version
	rangeManifest = 'p' // manifest blob -> parts
	rangePart     = 't' // upload sequence, number -> part record
	rangeUpload   = 'u' // bucket, escaped key, upload sequence -> upload record
	rangeVersion  = 'v' // bucket, escaped key, ^sequence -> record of another version
	rangeReclaim  = 'x' // blob, sequence of the drop -> nothing
)

var errKeyForm = errors.New("index key has another form")

func keyOf(rng byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{rng}, id)
}

func bucketKey(name string) []byte  { return append([]byte{rangeBucket}, name...) }
func countKey(bucket uint64) []byte { return keyOf(rangeCount, bucket) }
func markKey(name string) []byte    { return append([]byte{rangeMark}, name...) }

// appendKey appends a key whose user key is stored as it is.
func appendKey(b []byte, rng byte, bucket uint64, key string) []byte {
	b = append(b, rng)
	b = binary.BigEndian.AppendUint64(b, bucket)
	return append(b, key...)
}

func objectKey(bucket uint64, key string) []byte {
	return appendKey(make([]byte, 0, 9+len(key)), rangeObject, bucket, key)
}

func nullKey(bucket uint64, key string) []byte {
	return appendKey(make([]byte, 0, 9+len(key)), rangeNull, bucket, key)
}

// appendEscaped appends s so that escaped strings sort as the strings do and none is a
// prefix of another: 0x00 becomes 0x00 0xFF, and 0x00 0x01 ends the string.
func appendEscaped(b []byte, s string) []byte {
	b = appendEscapedPrefix(b, s)
	return append(b, 0, 1)
}

// appendEscapedPrefix appends s without its end, as the lower bound of all strings
// that begin with s.
func appendEscapedPrefix(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return b
}

// unescape undoes appendEscaped into dst and returns what follows the string.
func unescape(dst, b []byte) (key, rest []byte, err error) {
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i+1 >= len(b) {
			return nil, nil, errKeyForm
		}
		dst = append(dst, b[:i]...)
		switch b[i+1] {
		case 0x01:
			return dst, b[i+2:], nil
		case 0xFF:
			dst = append(dst, 0)
		default:
			return nil, nil, errKeyForm
		}
		b = b[i+2:]
	}
}

// escapedKey is the common prefix of all entries of one key in rangeVersion or
// rangeUpload.
func escapedKey(rng byte, bucket uint64, key string) []byte {
	b := make([]byte, 0, 9+len(key)+10)
	b = append(b, rng)
	b = binary.BigEndian.AppendUint64(b, bucket)
	return appendEscaped(b, key)
}

func versionKey(bucket uint64, key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(escapedKey(rangeVersion, bucket, key), ^seq)
}

func uploadKey(bucket uint64, key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(escapedKey(rangeUpload, bucket, key), seq)
}

// splitEscaped splits a key of rangeVersion or rangeUpload into its user key, appended
// to dst, and its number.
func splitEscaped(dst, k []byte) (key []byte, n uint64, err error) {
	if len(k) < 9 {
		return nil, 0, errKeyForm
	}
	key, rest, err := unescape(dst, k[9:])
	if err != nil || len(rest) != 8 {
		return nil, 0, errKeyForm
	}
	return key, binary.BigEndian.Uint64(rest), nil
}

func partKey(upload uint64, number int) []byte {
	return binary.BigEndian.AppendUint32(keyOf(rangePart, upload), uint32(number))
}

func reclaimKey(blob, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(keyOf(rangeReclaim, blob), seq)
}

// successor returns the least key above all keys that begin with b, or nil when there
// is none.
func successor(b []byte) []byte {
	s := bytes.Clone(b)
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0xFF {
			s[i]++
			return s[:i+1]
		}
	}
	return nil
}

// formatID makes the id of a version or an upload: sequence and random part in
// lower-case hexadecimal.
func formatID(seq, rnd uint64) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], seq)
	binary.BigEndian.PutUint64(raw[8:], rnd)
	return hex.EncodeToString(raw[:])
}

// parseID undoes formatID; ok is false for anything that formatID does not make.
func parseID(id string) (seq, rnd uint64, ok bool) {
	var raw [16]byte
	if !decodeHex16(&raw, id) {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(raw[:]), binary.BigEndian.Uint64(raw[8:]), true
}

// decodeHex16 decodes exactly 32 lower-case hexadecimal digits.
func decodeHex16(raw *[16]byte, s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range raw {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		raw[i] = hi<<4 | lo
	}
	return true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xFF
}

// is tells whether a version has an id.
func (r *record) is(id string) bool {
	if r.null || id == storage.NullVersion {
		return r.null && id == storage.NullVersion
	}
	if r.given != "" {
		return r.given == id
	}
	seq, rnd, ok := parseID(id)
	return ok && r.seq == seq && r.rnd == rnd
}

// versionName is the version id that clients see.
func versionName(r *record) string {
	if r.null {
		return storage.NullVersion
	}
	if r.given != "" {
		return r.given
	}
	return formatID(r.seq, r.rnd)
}
