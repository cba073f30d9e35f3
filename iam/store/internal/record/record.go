// Package record is the form in which stores keep a record's value outside memory. It
// imports package store only.
//
// The bytes, big-endian:
//
//	byte    format, 1
//	uint64  revision, 0 when the store knows it from elsewhere
//	int64   expiry in nanoseconds since 1970, 0 for none
//	byte    length of kind; kind
//	uint16  length of name; name
//	...     value
//	uint32  CRC32C of everything before
//
// The places where these are kept have no checksums of their own, or none that reach to
// the reader; kind and name are repeated so that a value which stands under a foreign key
// shows.
package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Format is the first byte of what this program writes.
const Format = 1

const fixedBytes = 1 + 8 + 8 + 1 + 2 + 4

// What is wrong with bytes whose checksum is right.
var (
	ErrFormat = errors.New("its format is not known to this program")
	ErrShort  = errors.New("it is too short")
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// Seal appends the checksum of b.
func Seal(b []byte) []byte { return binary.BigEndian.AppendUint32(b, checksum(b)) }

// Unseal verifies and removes the checksum.
func Unseal(b []byte) ([]byte, bool) {
	if len(b) < 4 {
		return nil, false
	}
	body := b[:len(b)-4]
	return body, checksum(body) == binary.BigEndian.Uint32(b[len(b)-4:])
}

// Encode returns the bytes of r, whose kind and name are within the limits of package store.
func Encode(r *store.Record) []byte {
	b := make([]byte, 0, fixedBytes+len(r.Kind)+len(r.Name)+len(r.Value))
	b = append(b, Format)
	b = binary.BigEndian.AppendUint64(b, r.Revision)
	b = binary.BigEndian.AppendUint64(b, uint64(Nanos(r.Expires)))
	b = append(b, byte(len(r.Kind)))
	b = append(b, r.Kind...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Name)))
	b = append(b, r.Name...)
	b = append(b, r.Value...)
	return Seal(b)
}

// Decode reads the bytes v found in the place of kind and name, and keeps nothing of
// them. Its error is a *store.DamageError.
func Decode(kind, name string, v []byte) (store.Record, error) {
	r, err := DecodeHead(kind, name, v)
	if err == nil {
		r.Value = append([]byte{}, v[fixedBytes-4+len(kind)+len(name):len(v)-4]...)
	}
	return r, err
}

// DecodeHead is Decode but for the value, which is judged and left out.
func DecodeHead(kind, name string, v []byte) (store.Record, error) {
	damage := func(reason string) (store.Record, error) {
		return store.Record{}, &store.DamageError{Kind: kind, Name: name, Reason: reason}
	}
	body, ok := Unseal(v)
	if !ok {
		return damage("its checksum is wrong")
	}
	p, err := split(body)
	if err != nil {
		return damage(err.Error())
	}
	if string(p.kind) != kind || string(p.name) != name {
		return store.Record{}, &store.DamageError{
			Kind: kind, Name: name, Reason: "another record stands in its place",
			ClaimedKind: string(p.kind), ClaimedName: string(p.name),
		}
	}
	return store.Record{
		Kind: kind, Name: name, Revision: binary.BigEndian.Uint64(body[1:]),
		Expires: fromNanos(int64(binary.BigEndian.Uint64(body[9:]))),
	}, nil
}

// parts are those of a record that have a length of their own.
type parts struct{ kind, name []byte }

func split(b []byte) (p parts, err error) {
	if len(b) < fixedBytes-4 {
		return p, ErrShort
	}
	if b[0] != Format {
		return p, ErrFormat
	}
	n := int(b[17])
	b = b[18:]
	if len(b) < n+2 {
		return p, ErrShort
	}
	p.kind, b = b[:n], b[n:]
	n = int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if len(b) < n {
		return p, ErrShort
	}
	p.name = b[:n]
	return p, nil
}

// Nanos counts from 1970. Zero is reserved for no expiry, so times outside the range
// become its ends.
func Nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(time.Unix(0, 1)):
		return 1
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}
