package notify

import (
	"fmt"
	"math"
	"os"

	"github.com/objsrv/objsrv/internal/events"
)

// taken is an event at the reading end, and where the next one begins.
type taken struct {
	event *events.Event
	next  position
}

// readAhead is how much of a segment is read at once.
const readAhead = 256 << 10

// take returns the next events that have happened, at most so many; none when none waits. They stay until done is called.
func (q *queue) take(most int) (list []taken, err error) {
	for at := q.at; ; {
		q.mu.Lock()
		last, length, newest := q.seg, q.length, q.file != nil && at.seg == q.seg
		q.mu.Unlock()
		if at.seg > last {
			return list, nil
		}
		if !newest {
			length = math.MaxInt64
		}
		list, at, err = q.read(list, at, length, most)
		if err != nil || len(list) > 0 || newest && at.off >= length {
			return list, err
		}
		if newest {
			return nil, nil
		}
		// All of this segment is sent, and no more is written to it.
		if err := q.leave(at.seg); err != nil {
			return nil, err
		}
		at = q.at
	}
}

// read reads records of one segment, from at on up to an end.
func (q *queue) read(list []taken, at position, end int64, most int) ([]taken, position, error) {
	if q.current == nil {
		f, err := os.Open(q.segment(at.seg))
		if gone(err) {
			return list, at, nil
		}
		if err != nil {
			return nil, at, fmt.Errorf("read the queue of events: %w", err)
		}
		q.current = f
	}
	if q.buf == nil {
		q.buf = make([]byte, readAhead)
	}
	buf := q.buf
	for len(list) < most && at.off < end {
		want := buf[:min(int64(len(buf)), end-at.off)]
		n, _ := q.current.ReadAt(want, at.off) // an error is the end, or that of the segment
		b := want[:n]
		used := 0
		for len(list) < most {
			r, ok := readRecord(b[used:])
			if !ok {
				break
			}
			used += int(r.len)
			at.off += r.len
			if r.kind != kindHappened {
				continue
			}
			e, err := r.event()
			if err != nil {
				return nil, at, err
			}
			list = append(list, taken{e, at})
		}
		switch {
		case used > 0:
		case n == len(buf) && len(buf) < maxRecord+recordHead: // a record longer than the buffer
			buf = make([]byte, maxRecord+recordHead)
		default:
			return list, at, nil
		}
	}
	return list, at, nil
}

// done says that the target has events up to the last of list.
func (q *queue) done(list []taken) error {
	if len(list) == 0 {
		return nil
	}
	q.at = list[len(list)-1].next
	q.mu.Lock()
	q.waiting -= len(list)
	q.mu.Unlock()
	return q.writePosition()
}

// leave goes on to the next segment and removes the one that was read. What was expected in it is noted anew.
func (q *queue) leave(seg uint64) error {
	if q.current != nil {
		q.current.Close() // which was only read
		q.current = nil
	}
	if err := q.carry(seg); err != nil {
		return err
	}
	q.at = position{seg: seg + 1}
	if err := q.writePosition(); err != nil {
		return err
	}
	if err := os.Remove(q.segment(seg)); err != nil && !gone(err) {
		return fmt.Errorf("remove a segment of the queue of events: %w", err)
	}
	return nil
}

// carry notes anew what was expected in a segment that is to go.
func (q *queue) carry(seg uint64) error {
	q.mu.Lock()
	var buf []byte
	var list []*expected
	for id, e := range q.open {
		if e.seg > seg {
			continue
		}
		b, err := appendRecord(buf, kindExpected, id, &e.event)
		if err != nil {
			q.mu.Unlock()
			return err
		}
		buf = b
		list = append(list, e)
	}
	if len(buf) == 0 {
		q.mu.Unlock()
		return nil
	}
	err := q.failed
	if err == nil {
		err = q.write(buf)
	}
	for _, e := range list {
		if err == nil {
			e.seg = q.seg
		}
	}
	q.mu.Unlock()
	if err != nil {
		return err
	}
	return q.flush()
}
