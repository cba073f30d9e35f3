package fs

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var _ storage.Calendar = (*Store)(nil)

// dayBits makes days sort as numbers with a sign do.
const dayBits = 1 << 63

// noteKey makes a key of rangeNote.
func noteKey(bucket uint64, n storage.Note) []byte {
	k := make([]byte, 0, 18+len(n.Key))
	k = append(k, rangeNote)
	k = binary.BigEndian.AppendUint64(k, bucket)
	late := byte(0)
	if n.Late {
		late = 1
	}
	k = append(k, late)
	k = binary.BigEndian.AppendUint64(k, uint64(n.Day)^dayBits)
	return append(k, n.Key...)
}

func parseNote(k []byte) (storage.Note, error) {
	if len(k) < 19 || k[9] > 1 {
		return storage.Note{}, indexError(errKeyForm)
	}
	return storage.Note{Late: k[9] == 1, Day: int64(binary.BigEndian.Uint64(k[10:]) ^ dayBits), Key: string(k[18:])}, nil
}

// note says in the bucket's calendar, when it has one, that something was made at a time in milliseconds.
func (e *edit) note(key string, ms int64) {
	if e.bk.info.Load().Docs[storage.DocLifecycle] == nil {
		return
	}
	day := storage.DayOf(time.UnixMilli(ms), e.s.opts.Day)
	e.addNote(storage.Note{Day: day, Key: key})
	if day != e.today() {
		e.addNote(storage.Note{Late: true, Day: e.today(), Key: key})
	}
}

// noteLate says that something may be due because of a change that is made now.
func (e *edit) noteLate(key string) {
	if e.bk.info.Load().Docs[storage.DocLifecycle] != nil {
		e.addNote(storage.Note{Late: true, Day: e.today(), Key: key})
	}
}

func (e *edit) today() int64 { return storage.DayOf(e.s.opts.Now(), e.s.opts.Day) }

func (e *edit) addNote(n storage.Note) { _ = e.b.Set(noteKey(e.bk.id, n), []byte{recordVersion}, nil) }

// dropNotes removes all notes of the bucket, which most have none of.
func (e *edit) dropNotes() error {
	lower := keyOf(rangeNote, e.bk.id)
	return scan(e.s.db, lower, successor(lower), func(_, _ []byte) (bool, error) {
		_ = e.b.DeleteRange(lower, successor(lower), nil)
		return false, nil
	})
}

// Day implements storage.Calendar.
func (s *Store) Day() time.Duration { return s.opts.Day }

// Notes implements storage.Calendar.
func (s *Store) Notes(ctx context.Context, in storage.NotesInput) (list []storage.Note, more bool, err error) {
	if err := s.enter(); err != nil {
		return nil, false, err
	}
	defer s.leave()
	bk, err := s.bucket(in.Bucket)
	if err != nil || in.Limit <= 0 || in.From >= in.To {
		return nil, false, err
	}
	lower := noteKey(bk.id, storage.Note{Late: in.Late, Day: in.From})
	upper := noteKey(bk.id, storage.Note{Late: in.Late, Day: in.To})
	if in.After.Key != "" && in.After.Day >= in.From {
		lower = append(noteKey(bk.id, storage.Note{Late: in.Late, Day: in.After.Day, Key: in.After.Key}), 0)
	}
	if string(lower) >= string(upper) {
		return nil, false, nil
	}
	r := s.db.NewSnapshot()
	wait(s.commits.barrier())
	err = scan(r, lower, upper, func(k, _ []byte) (bool, error) {
		if len(list) == in.Limit {
			more = true
			return false, nil
		}
		n, err := parseNote(k)
		list = append(list, n)
		return err == nil, err
	})
	if cerr := r.Close(); err == nil && cerr != nil {
		err = indexError(cerr)
	}
	if err != nil {
		return nil, false, s.noteDamage(fmt.Errorf("calendar of %q: %w", in.Bucket, err))
	}
	return list, more, ctx.Err()
}

// AddNotes implements storage.Calendar.
func (s *Store) AddNotes(_ context.Context, bucket string, notes []storage.Note) error {
	if err := s.space.take(blockSize); err != nil {
		return err
	}
	return s.editCalendar(bucket, func(e *edit) {
		for _, n := range notes {
			e.addNote(n)
		}
	})
}

// DropNotes implements storage.Calendar.
func (s *Store) DropNotes(_ context.Context, bucket string, before int64) error {
	return s.editCalendar(bucket, func(e *edit) {
		for _, late := range []bool{false, true} {
			_ = e.b.DeleteRange(noteKey(e.bk.id, storage.Note{Late: late, Day: math.MinInt64}), noteKey(e.bk.id, storage.Note{Late: late, Day: before}), nil)
		}
	})
}

func (s *Store) editCalendar(bucket string, change func(*edit)) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	bk, err := s.bucket(bucket)
	if err != nil {
		return err
	}
	if err := bk.share(); err != nil {
		return err
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	change(e)
	return e.commit()
}
