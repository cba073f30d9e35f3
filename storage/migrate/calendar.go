package migrate

import (
	"context"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// The calendar is that of the local store: what comes from the source is noted when it comes, with the day that it is of.

var _ storage.Calendar = (*Store)(nil)

// Day implements storage.Calendar.
func (s *Store) Day() time.Duration { return s.local.Day() }

// Notes implements storage.Calendar.
func (s *Store) Notes(ctx context.Context, in storage.NotesInput) ([]storage.Note, bool, error) {
	return s.local.Notes(ctx, in)
}

// AddNotes implements storage.Calendar.
func (s *Store) AddNotes(ctx context.Context, bucket string, notes []storage.Note) error {
	return s.local.AddNotes(ctx, bucket, notes)
}

// DropNotes implements storage.Calendar.
func (s *Store) DropNotes(ctx context.Context, bucket string, before int64) error {
	return s.local.DropNotes(ctx, bucket, before)
}
