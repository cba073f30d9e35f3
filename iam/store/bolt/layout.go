package bolt

import (
	"encoding/binary"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

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

// decodeRecord reads the value found under key k. Its error is a *store.DamageError.
func decodeRecord(k, v []byte) (store.Record, error) {
	kind, name := splitKey(k)
	return record.Decode(kind, name, v)
}

// decodeHead is decodeRecord without the value, which it checks all the same.
func decodeHead(k, v []byte) (store.Record, error) {
	kind, name := splitKey(k)
	return record.DecodeHead(kind, name, v)
}

// expiryKey sorts by time: the record key follows eight bytes of the expiry.
func expiryKey(t time.Time, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(record.Nanos(t))), key...)
}

// state is the one value of the meta bucket: what the records must add up to. It shows
// when records have vanished with a damaged page.
type state struct {
	revision uint64
	counts   map[string]uint64 // records by kind, expired ones included
}

// expected returns the number of records of a kind, or of all for "".
func (s *state) expected(kind string) (n uint64) {
	for k, c := range s.counts {
		if kind == "" || k == kind {
			n += c
		}
	}
	return n
}

func encodeState(s *state) []byte {
	b := []byte{record.Format}
	b = binary.BigEndian.AppendUint64(b, s.revision)
	for kind, n := range s.counts {
		if n == 0 {
			continue
		}
		b = append(b, byte(len(kind)))
		b = append(b, kind...)
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return record.Seal(b)
}

func decodeState(v []byte) (state, error) {
	s := state{counts: map[string]uint64{}}
	b, ok := record.Unseal(v)
	switch {
	case !ok || len(b) < 9:
		return s, &store.DamageError{Kind: "meta", Name: "state", Reason: "its checksum is wrong"}
	case b[0] != record.Format:
		return s, &store.DamageError{Kind: "meta", Name: "state", Reason: record.ErrFormat.Error()}
	}
	s.revision = binary.BigEndian.Uint64(b[1:])
	for b = b[9:]; len(b) > 0; {
		n := int(b[0])
		if len(b) < 1+n+8 {
			return s, &store.DamageError{Kind: "meta", Name: "state", Reason: record.ErrShort.Error()}
		}
		s.counts[string(b[1:1+n])] = binary.BigEndian.Uint64(b[1+n:])
		b = b[1+n+8:]
	}
	return s, nil
}
