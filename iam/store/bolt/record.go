package bolt

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// A record's value in the file, big-endian:
//
//	byte    format, 1
//	uint64  revision
//	int64   expiry in nanoseconds since 1970, 0 for none
//	byte    length of kind; kind
//	uint16  length of name; name
//	...     value
//	uint32  CRC32C of everything before
//
// bbolt has no checksums of its own; kind and name are repeated so that a value which a
// damaged page puts under a foreign key shows.
const (
	format     = 1
	fixedBytes = 1 + 8 + 8 + 1 + 2 + 4
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func seal(b []byte) []byte { return binary.BigEndian.AppendUint32(b, checksum(b)) }

// unseal verifies and removes the checksum.
func unseal(b []byte) ([]byte, bool) {
	if len(b) < 4 {
		return nil, false
	}
	body := b[:len(b)-4]
	return body, checksum(body) == binary.BigEndian.Uint32(b[len(b)-4:])
}

// recordKey is the key in the file: the kind, which has no zero byte, a zero, the name.
func recordKey(kind, name string) []byte {
	k := make([]byte, 0, len(kind)+1+len(name))
	k = append(k, kind...)
	k = append(k, 0)
	return append(k, name...)
}

// splitKey takes a key of the file apart.
func splitKey(k []byte) (kind, name string) {
	for i, c := range k {
		if c == 0 {
			return string(k[:i]), string(k[i+1:])
		}
	}
	return string(k), ""
}

func encodeRecord(r *store.Record) []byte {
	b := make([]byte, 0, fixedBytes+len(r.Kind)+len(r.Name)+len(r.Value))
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, r.Revision)
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(r.Expires)))
	b = append(b, byte(len(r.Kind)))
	b = append(b, r.Kind...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Name)))
	b = append(b, r.Name...)
	b = append(b, r.Value...)
	return seal(b)
}

// decodeRecord reads the value found under key k. Its error is a *store.DamageError.
func decodeRecord(k, v []byte) (store.Record, error) {
	kind, name := splitKey(k)
	damage := &store.DamageError{Kind: kind, Name: name}
	body, ok := unseal(v)
	if !ok {
		damage.Reason = "its checksum is wrong"
		return store.Record{}, damage
	}
	r, err := parseRecord(body)
	if err != nil {
		damage.Reason = err.Error()
		return store.Record{}, damage
	}
	if r.Kind != kind || r.Name != name {
		damage.Reason = "another record stands in its place"
		damage.ClaimedKind, damage.ClaimedName = r.Kind, r.Name
		return store.Record{}, damage
	}
	return r, nil
}

var (
	errFormat = errors.New("its format is not known to this program")
	errShort  = errors.New("it is too short")
)

func parseRecord(b []byte) (r store.Record, err error) {
	if len(b) < fixedBytes-4 {
		return r, errShort
	}
	if b[0] != format {
		return r, errFormat
	}
	r.Revision = binary.BigEndian.Uint64(b[1:])
	r.Expires = fromNanos(int64(binary.BigEndian.Uint64(b[9:])))
	n := int(b[17])
	b = b[18:]
	if len(b) < n+2 {
		return r, errShort
	}
	r.Kind, b = string(b[:n]), b[n:]
	n = int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if len(b) < n {
		return r, errShort
	}
	r.Name = string(b[:n])
	r.Value = append([]byte{}, b[n:]...)
	return r, nil
}

// nanos counts from 1970. Zero is reserved for no expiry, so times outside the range
// become its ends.
func nanos(t time.Time) int64 {
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

// expiryKey sorts by time: the record key follows eight bytes of the expiry.
func expiryKey(t time.Time, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(nanos(t))), key...)
}

// state is the one value of the meta bucket: what the records must add up to. It shows
// when records have vanished with a damaged page.
type state struct {
	revision uint64
	counts   map[string]uint64 // records by kind, expired ones included
}

func encodeState(s *state) []byte {
	b := []byte{format}
	b = binary.BigEndian.AppendUint64(b, s.revision)
	for kind, n := range s.counts {
		if n == 0 {
			continue
		}
		b = append(b, byte(len(kind)))
		b = append(b, kind...)
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return seal(b)
}

func decodeState(v []byte) (state, error) {
	s := state{counts: map[string]uint64{}}
	b, ok := unseal(v)
	switch {
	case !ok || len(b) < 9:
		return s, &store.DamageError{Kind: "meta", Name: "state", Reason: "its checksum is wrong"}
	case b[0] != format:
		return s, &store.DamageError{Kind: "meta", Name: "state", Reason: errFormat.Error()}
	}
	s.revision = binary.BigEndian.Uint64(b[1:])
	for b = b[9:]; len(b) > 0; {
		n := int(b[0])
		if len(b) < 1+n+8 {
			return s, &store.DamageError{Kind: "meta", Name: "state", Reason: errShort.Error()}
		}
		s.counts[string(b[1:1+n])] = binary.BigEndian.Uint64(b[1+n:])
		b = b[1+n+8:]
	}
	return s, nil
}
