package notify

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/objsrv/objsrv/internal/events"
)

// A segment of a queue is a sequence of records: the length of what follows the sum, the CRC32C of that, one byte for
// the kind, eight for the number of what was expected (0 for nothing), and the event in JSON. A record that can't be
// read ends its segment.
const (
	recordHead = 8
	recordBody = 9
	maxRecord  = 1 << 20
)

// The kinds of records.
const (
	kindExpected = 1 + iota // it may happen
	kindHappened            // it has
	kindEnded               // it has not
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends a record; e is nil for kindEnded.
func appendRecord(b []byte, kind byte, id uint64, e *events.Event) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, recordHead)...)
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, id)
	if e != nil {
		doc, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		b = append(b, doc...)
	}
	body := b[start+recordHead:]
	if len(body) > maxRecord {
		return nil, fmt.Errorf("an event of %d bytes is too large for the queue", len(body))
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(body)))
	binary.BigEndian.PutUint32(b[start+4:], crc32.Checksum(body, castagnoli))
	return b, nil
}

// record is one that was read.
type record struct {
	kind byte
	id   uint64
	doc  []byte // the event; shares memory with what it was read from
	len  int64  // in the segment
}

// readRecord reads the first record of b; ok is false when there is none that is whole.
func readRecord(b []byte) (r record, ok bool) {
	if len(b) < recordHead+recordBody {
		return r, false
	}
	n := binary.BigEndian.Uint32(b)
	if n < recordBody || n > maxRecord || int(n) > len(b)-recordHead {
		return r, false
	}
	body := b[recordHead : recordHead+n]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return r, false
	}
	return record{kind: body[0], id: binary.BigEndian.Uint64(body[1:]), doc: body[recordBody:], len: int64(recordHead + n)}, true
}

func (r *record) event() (*events.Event, error) {
	e := new(events.Event)
	if err := json.Unmarshal(r.doc, e); err != nil {
		return nil, fmt.Errorf("read an event of the queue: %w", err)
	}
	return e, nil
}
