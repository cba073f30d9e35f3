package storage

import (
	"context"
	"time"
)

// DocLifecycle names the document of a bucket's lifecycle rules. What is in it is its owner's affair; a Calendar
// keeps notes of the buckets that have it.
const DocLifecycle = "lifecycle"

// Calendar is a Backend that notes on which days the keys of a bucket changed, so that what becomes due some days
// after a change is found without looking at everything else. It keeps notes only of buckets that have DocLifecycle,
// from the moment on at which they have it; what was there before, its owner notes by AddNotes.
//
// A change is noted in one step with itself. That a version, a delete marker or an upload was made is noted on the day of
// its Modified or Begun. What may be due at once because of a change is noted as late, on the day of the change: that tags
// or props were set, that a version was removed for good where versions are kept, and that a version was made with a
// Modified of another day. A note that is there twice is there once, and one stays when what it tells of is gone.
type Calendar interface {
	// Day is the length of a day, counted from 1970-01-01T00:00:00Z on.
	Day() time.Duration
	// Notes returns notes of one kind in the order of their days, and then of their keys bytewise; more tells whether others follow.
	Notes(ctx context.Context, in NotesInput) (list []Note, more bool, err error)
	// AddNotes adds notes to a bucket. Once it has returned they survive a crash.
	AddNotes(ctx context.Context, bucket string, notes []Note) error
	// DropNotes removes the notes of a bucket of days before the given one.
	DropNotes(ctx context.Context, bucket string, before int64) error
}

// Note says that a key changed on a day.
type Note struct {
	Late bool
	Day  int64 // number of the day, see DayOf
	Key  string
}

// NotesInput selects notes.
type NotesInput struct {
	Bucket   string
	Late     bool  // which kind
	From, To int64 // days; To is not among them
	After    Note  // the notes behind this one; the zero Note for all
	Limit    int   // at most this many
}

// DayOf returns the number of the day that t is in; day is the length of one.
func DayOf(t time.Time, day time.Duration) int64 {
	ms, n := t.UnixMilli(), day.Milliseconds()
	d := ms / n
	if ms%n < 0 {
		d--
	}
	return d
}
