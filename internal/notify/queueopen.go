package notify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".events"
	positionName  = "position"
	lockName      = "lock"
)

// position is how far a target has the events: up to off of the segment.
type position struct {
	seg uint64
	off int64
}

// openQueue opens the queue in dir, which it makes when missing.
func openQueue(dir string, limit int, log *slog.Logger) (_ *queue, err error) {
	q := &queue{dir: dir, limit: limit, size: segmentSize, log: log, sync: datasync, nextID: 1, open: map[uint64]*expected{}, more: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			for _, f := range []*os.File{q.lock, q.place} {
				if f != nil {
					f.Close()
				}
			}
			err = fmt.Errorf("open the queue of events in %s: %w", dir, err)
		}
	}()
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	if q.lock, err = lockFile(filepath.Join(dir, lockName)); err != nil {
		return nil, err
	}
	if q.place, err = os.OpenFile(filepath.Join(dir, positionName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if err := q.load(); err != nil {
		return nil, err
	}
	if q.waiting > 0 {
		q.more <- struct{}{}
	}
	return q, nil
}

// makeDir makes a directory, with those above it that are missing, and has each of them last: a queue in a directory
// that a power cut takes away has promised nothing.
func makeDir(dir string) error {
	up := filepath.Dir(dir)
	if _, err := os.Stat(up); errors.Is(err, fs.ErrNotExist) && up != dir {
		if err := makeDir(up); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(up)
}

// load reads what earlier runs have left. What is written from now on begins a segment.
func (q *queue) load() error {
	list, err := q.segments()
	if err != nil {
		return err
	}
	q.at = q.readPosition()
	if q.at.seg > 0 { // the numbers go on, or a new segment would be taken for one that was sent
		q.seg = q.at.seg - 1
	}
	if len(list) > 0 {
		q.seg = max(q.seg, list[len(list)-1])
	}
	for _, n := range list {
		if n < q.at.seg { // left by a crash after all of it was sent
			if err := os.Remove(q.segment(n)); err != nil {
				return err
			}
			continue
		}
		if err := q.loadSegment(n); err != nil {
			return err
		}
	}
	if q.at.seg == 0 {
		q.at = position{seg: q.seg + 1}
		if len(list) > 0 {
			q.at.seg = list[0]
		}
	}
	return nil
}

func (q *queue) loadSegment(n uint64) error {
	data, err := os.ReadFile(q.segment(n))
	if err != nil {
		return err
	}
	off := int64(0)
	for off < int64(len(data)) {
		r, ok := readRecord(data[off:])
		if !ok && len(bytes.TrimLeft(data[off:], "\x00")) == 0 { // it was filled ahead
			break
		}
		if !ok {
			q.log.Warn("the end of a segment of the queue of events can't be read, as after a power cut", "segment", q.segment(n), "bytes", int64(len(data))-off)
			break
		}
		off += r.len
		q.nextID = max(q.nextID, r.id+1)
		switch r.kind {
		case kindExpected:
			e, err := r.event()
			if err != nil {
				return err
			}
			q.open[r.id] = &expected{*e, n}
		case kindHappened:
			delete(q.open, r.id)
			if n > q.at.seg || off > q.at.off {
				q.waiting++
			}
		case kindEnded:
			delete(q.open, r.id)
		}
	}
	return nil
}

// segments returns the numbers of the segments in their order.
func (q *queue) segments() (list []uint64, err error) {
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(name, 16, 64)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%s is no segment", e.Name())
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return list, nil
}

// readPosition returns the zero position when there is none that can be read: then everything is sent again.
func (q *queue) readPosition() position {
	var b [20]byte
	if _, err := q.place.ReadAt(b[:], 0); err != nil || crc32.Checksum(b[:16], castagnoli) != binary.BigEndian.Uint32(b[16:]) {
		return position{}
	}
	return position{binary.BigEndian.Uint64(b[:]), int64(binary.BigEndian.Uint64(b[8:]))}
}

// writePosition is not synced: what a power cut takes is sent again.
func (q *queue) writePosition() error {
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], q.at.seg)
	binary.BigEndian.PutUint64(b[8:], uint64(q.at.off))
	binary.BigEndian.PutUint32(b[16:], crc32.Checksum(b[:16], castagnoli))
	if _, err := q.place.WriteAt(b[:], 0); err != nil {
		return fmt.Errorf("write the position in the queue of events: %w", err)
	}
	return nil
}

// gone tells whether a file was removed already.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
