package mem

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var _ storage.Calendar = (*Store)(nil)

// note notes that something was made; the caller holds the lock.
func (s *Store) note(b *bucket, key string, at time.Time) {
	if b.info.Docs[storage.DocLifecycle] == nil {
		return
	}
	day := storage.DayOf(at, s.day)
	b.add(storage.Note{Day: day, Key: key})
	if day != storage.DayOf(s.now(), s.day) {
		s.noteLate(b, key)
	}
}

// noteLate notes that something may be due because of what is changed now; the caller holds the lock.
func (s *Store) noteLate(b *bucket, key string) {
	if b.info.Docs[storage.DocLifecycle] != nil {
		b.add(storage.Note{Late: true, Day: storage.DayOf(s.now(), s.day), Key: key})
	}
}

func (b *bucket) add(n storage.Note) {
	if b.notes == nil {
		b.notes = map[storage.Note]bool{}
	}
	b.notes[n] = true
}

// Day implements storage.Calendar.
func (s *Store) Day() time.Duration { return s.day }

func compareNotes(a, b storage.Note) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Key, b.Key))
}

// Notes implements storage.Calendar.
func (s *Store) Notes(_ context.Context, in storage.NotesInput) ([]storage.Note, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(in.Bucket)
	if err != nil || in.Limit <= 0 {
		return nil, false, err
	}
	var list []storage.Note
	for n := range b.notes {
		if n.Late == in.Late && n.Day >= in.From && n.Day < in.To && (in.After.Key == "" || compareNotes(n, in.After) > 0) {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, compareNotes)
	if len(list) > in.Limit {
		return list[:in.Limit], true, nil
	}
	return list, false, nil
}

// AddNotes implements storage.Calendar.
func (s *Store) AddNotes(_ context.Context, bucket string, notes []storage.Note) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(bucket)
	if err != nil {
		return err
	}
	for _, n := range notes {
		b.add(n)
	}
	return nil
}

// DropNotes implements storage.Calendar.
func (s *Store) DropNotes(_ context.Context, bucket string, before int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(bucket)
	if err != nil {
		return err
	}
	for n := range b.notes {
		if n.Day < before {
			delete(b.notes, n)
		}
	}
	return nil
}
