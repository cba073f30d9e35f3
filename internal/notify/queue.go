package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/objsrv/objsrv/internal/events"
)

// segmentSize is the length from which a queue goes on in another file. A segment is filled with zeros ahead of its
// records, so that the sync of a record is a write and not a change of what the file system knows of the file.
const (
	segmentSize = 8 << 20
	fillSize    = 256 << 10
)

// ErrFull says that there is no room for an event.
var ErrFull = errors.New("the queue is full")

// queue holds the events of one target in files of its own: what was expected, what has happened, and how far the
// target has it. It is safe for concurrent use, but for its reading end, which has one user.
type queue struct {
	dir   string
	limit int // events that may wait
	size  int64
	log   *slog.Logger
	sync  func(*os.File) error
	lock  *os.File

	mu      sync.Mutex
	file    *os.File // the newest segment; nil until there is something to write
	seg     uint64   // its number, or that of the last one
	length  int64    // of its records
	filled  int64    // of file
	written uint64   // bytes in all
	nextID  uint64
	open    map[uint64]*expected
	waiting int   // events that have happened and are not sent
	failed  error // of a sync: nothing can be promised any more

	syncing sync.Mutex // held while a sync runs; before mu
	synced  uint64     // of written
	more    chan struct{}
	at      position // of the reading end
	current *os.File // segment of at, when it is open for reading
	buf     []byte   // of the reading end
	place   *os.File // file of the position
}

// expected is something that was announced.
type expected struct {
	event events.Event
	seg   uint64 // that has the record
}

// expect notes events and returns their numbers, 0 for one that there is no room for. It is durable after flush.
func (q *queue) expect(list []events.Event) ([]uint64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed != nil {
		return nil, q.failed
	}
	ids, buf := make([]uint64, len(list)), []byte(nil)
	for i := range list {
		if q.full(i) {
			break
		}
		ids[i] = q.nextID + uint64(i)
		var err error
		if buf, err = appendRecord(buf, kindExpected, ids[i], &list[i]); err != nil {
			return nil, err
		}
	}
	if len(buf) == 0 {
		return ids, nil
	}
	if err := q.write(buf); err != nil {
		return nil, err
	}
	for i, id := range ids {
		if id != 0 {
			q.open[id] = &expected{list[i], q.seg}
		}
	}
	q.nextID += uint64(len(list))
	return ids, nil
}

// full tells whether there is no room for one event more beside those that wait, are expected, and more of them. The
// caller holds mu.
func (q *queue) full(more int) bool { return q.waiting+len(q.open)+more >= q.limit }

// happened queues an event. id is its number when it was expected, else 0; one that has no room is refused with
// ErrFull.
func (q *queue) happened(id uint64, e *events.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed != nil {
		return q.failed
	}
	if id == 0 && q.full(0) {
		return ErrFull
	}
	buf, err := appendRecord(nil, kindHappened, id, e)
	if err != nil {
		return err
	}
	if err := q.write(buf); err != nil {
		return err
	}
	delete(q.open, id)
	q.waiting++
	select {
	case q.more <- struct{}{}:
	default:
	}
	return nil
}

// end forgets what was expected.
func (q *queue) end(ids []uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var buf []byte
	for _, id := range ids {
		if q.open[id] == nil {
			continue
		}
		delete(q.open, id)
		buf, _ = appendRecord(buf, kindEnded, id, nil) // which has no event that could be refused
	}
	if len(buf) == 0 || q.failed != nil {
		return q.failed
	}
	return q.write(buf)
}

// expectedNow returns what was expected and has neither happened nor ended.
func (q *queue) expectedNow() map[uint64]events.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[uint64]events.Event, len(q.open))
	for id, e := range q.open {
		out[id] = e.event
	}
	return out
}

// write appends to the newest segment. The caller holds mu.
func (q *queue) write(b []byte) error {
	if q.file == nil {
		if err := q.begin(); err != nil {
			return err
		}
	}
	if err := q.append(b); err != nil {
		// What was written of it would end the segment for whoever reads it.
		if terr := q.file.Truncate(q.length); terr != nil {
			q.failed = fmt.Errorf("write the queue of events: %w", errors.Join(err, terr))
		}
		q.filled = q.length
		return fmt.Errorf("write the queue of events: %w", err)
	}
	q.length += int64(len(b))
	q.written += uint64(len(b))
	return nil
}

// append writes behind the records of the newest segment. The caller holds mu.
func (q *queue) append(b []byte) error {
	if end := q.length + int64(len(b)); end > q.filled {
		more := make([]byte, end-q.filled+fillSize)
		if _, err := q.file.WriteAt(more, q.filled); err != nil {
			return err
		}
		q.filled += int64(len(more))
	}
	_, err := q.file.WriteAt(b, q.length)
	return err
}

// begin makes the next segment. The caller holds mu.
func (q *queue) begin() error {
	f, err := os.OpenFile(q.segment(q.seg+1), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of the queue of events: %w", err)
	}
	if err := syncDir(q.dir); err != nil {
		f.Close()
		os.Remove(f.Name())
		return fmt.Errorf("begin a segment of the queue of events: %w", err)
	}
	q.file, q.length, q.filled = f, 0, 0
	q.seg++
	return nil
}

// flush returns when all that was written before is durable. Those who wait at the same time share a sync.
func (q *queue) flush() error {
	q.mu.Lock()
	want := q.written
	q.mu.Unlock()
	q.syncing.Lock()
	defer q.syncing.Unlock()
	if q.synced >= want {
		return nil
	}
	q.mu.Lock()
	f, upto, failed := q.file, q.written, q.failed
	q.mu.Unlock()
	if failed != nil {
		return failed
	}
	err := q.sync(f)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil { // the kernel may have dropped what it could not write: no later sync can be believed
		q.failed = fmt.Errorf("sync the queue of events: %w", err)
		return q.failed
	}
	q.synced = upto
	if q.length >= q.size && q.written == upto {
		return q.finish()
	}
	return nil
}

// finish lets go of the newest segment, whose records are durable. The zeros behind them are of no use any more, and
// harmless. The caller holds mu.
func (q *queue) finish() error {
	f := q.file
	q.file = nil
	return errors.Join(f.Truncate(q.length), f.Close())
}

// long tells whether the newest segment is long enough for a flush to begin another.
func (q *queue) long() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length >= q.size && q.file != nil
}

// figures returns how many events wait, and how many are expected.
func (q *queue) figures() (waiting, open int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting, len(q.open)
}

func (q *queue) segment(n uint64) string {
	return filepath.Join(q.dir, fmt.Sprintf("%016x%s", n, segmentSuffix))
}

// close makes what is there durable. Nothing may be called after it.
func (q *queue) close() error {
	err := q.flush()
	if q.file != nil {
		err = errors.Join(err, q.finish())
	}
	for _, f := range []*os.File{q.current, q.place, q.lock} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
