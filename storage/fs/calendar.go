package fs

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var _ storage.Calendar = (*Store)(nil)

// dayBits makes days sort as numbers with a sign do.
const dayBits = 1 << 63

// noteKey makes a key of rangeNote.
func noteKey(bucket uint64, day int64, key string) []byte {
	k := make([]byte, 0, 17+len(key))
	k = append(k, rangeNote)
	k = binary.BigEndian.AppendUint64(k, bucket)
	k = binary.BigEndian.AppendUint64(k, uint64(day)^dayBits)
	return append(k, key...)
}

func parseNote(k []byte) (storage.Note, error) {
	if len(k) < 18 {
		return storage.Note{}, indexError(errKeyForm)
	}
	return storage.Note{Day: int64(binary.BigEndian.Uint64(k[9:]) ^ dayBits), Key: string(k[17:])}, nil
}

// note says in the bucket's calendar, when it has one, that a key changed at a time in milliseconds.
func (e *edit) note(key string, ms int64) {
	if e.bk.info.Load().Docs[storage.DocLifecycle] == nil {
		return
	}
	_ = e.b.Set(noteKey(e.bk.id, storage.DayOf(time.UnixMilli(ms), e.s.opts.Day), key), []byte{recordVersion}, nil)
}

// dropNotes removes all notes of the bucket.
func (e *edit) dropNotes() {
	lower := keyOf(rangeNote, e.bk.id)
	_ = e.b.DeleteRange(lower, successor(lower), nil)
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
	lower, upper := noteKey(bk.id, in.From, ""), noteKey(bk.id, in.To, "")
	if in.After.Key != "" && in.After.Day >= in.From {
		lower = append(noteKey(bk.id, in.After.Day, in.After.Key), 0)
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
			_ = e.b.Set(noteKey(e.bk.id, n.Day, n.Key), []byte{recordVersion}, nil)
		}
	})
}

// DropNotes implements storage.Calendar.
func (s *Store) DropNotes(_ context.Context, bucket string, before int64) error {
	return s.editCalendar(bucket, func(e *edit) {
		_ = e.b.DeleteRange(keyOf(rangeNote, e.bk.id), noteKey(e.bk.id, before, ""), nil)
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
