package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// deletion is a verdict that is to be carried out.
type deletion struct {
	o       storage.Object
	v       Verdict
	refused *bool // shared by the versions of a key that go together: they stay when the current one stays
}

// lockedError refuses the deletion of a version under retention, or a legal hold.
type lockedError struct{ until time.Time }

// Error implements error.
func (e *lockedError) Error() string { return "the version is locked" }

// consider judges a version and collects what is due.
func (w *work) consider(o *storage.Object, more bool) {
	v, ok := w.judge.next(o, more)
	if !ok || v.Due > w.today {
		return
	}
	d := &deletion{o: *o, v: v, refused: new(bool)}
	if l := w.last; v.Action == ExpireAll && l != nil && l.o.Key == o.Key && l.v.Action == ExpireAll {
		d.refused = l.refused
	}
	w.batch, w.last = append(w.batch, d), d
}

// input is the deletion as the store is asked for it.
func (w *work) input(d *deletion) storage.DeleteInput {
	in := storage.DeleteInput{Key: d.o.Key, Owner: w.b.Owner, Guard: func(o *storage.Object) error {
		err := w.guard(d, o)
		*d.refused = *d.refused || err != nil
		return err
	}}
	if d.v.Action != Expire {
		in.Version = d.o.VersionID
		return in
	}
	// The guard is not asked when a marker is merely added.
	in.If = storage.Conditions{IfMatch: d.o.ETag, IfMatchModified: d.o.Modified.Truncate(time.Second), HasSize: true, IfMatchSize: d.o.Size}
	return in
}

// guard is asked with the key locked about the version that would go for good.
func (w *work) guard(d *deletion, o *storage.Object) error {
	if o.VersionID == d.o.VersionID {
		if !o.Modified.Equal(d.o.Modified) || o.ETag != d.o.ETag || o.DeleteMarker != d.o.DeleteMarker {
			return errChanged
		}
		together := d.v.Action == ExpireAll && !d.o.Latest // by then those above are gone
		if o.Latest != d.o.Latest && !together {
			return errChanged
		}
		if !together && !d.v.Rule.matches(o) {
			return errChanged
		}
		if together && *d.refused {
			return errChanged
		}
	}
	if until, locked := w.r.Locked(o, w.now); locked {
		return &lockedError{until}
	}
	return nil
}

// flush carries out the deletions that have been collected, and adds the notes. On a full disk the notes wait: deletions
// are what helps there.
func (w *work) flush(ctx context.Context) error {
	for len(w.batch) > 0 {
		n := min(len(w.batch), pageSize)
		if err := w.delete(ctx, w.batch[:n]); err != nil {
			return err
		}
		w.batch = w.batch[n:]
	}
	w.batch = nil
	if len(w.notes) == 0 {
		return nil
	}
	err := w.r.calendar.AddNotes(ctx, w.b.Name, w.notes)
	if err == nil {
		w.notes = w.notes[:0]
	}
	if errors.Is(err, storage.ErrFull) && len(w.notes) < 100*pageSize {
		return nil
	}
	return err
}

// delete carries out deletions in one commit, and then lets others work for as long as that took.
func (w *work) delete(ctx context.Context, list []*deletion) error {
	w.did = true
	in, removals := make([]storage.DeleteInput, len(list)), make([]Removal, len(list))
	for i, d := range list {
		in[i], removals[i] = w.input(d), Removal{d.v.Action, d.o}
	}
	began := time.Now()
	announced, err := w.announce(ctx, removals)
	if err != nil {
		return err
	}
	unknown := true
	defer func() { announced.End(unknown) }()
	results, err := w.r.Backend.DeleteObjects(ctx, w.b.Name, in)
	if err != nil {
		return err
	}
	took := time.Since(began)
	unknown = false
	for i := range results {
		done, failed := w.account(list[i], &results[i])
		if done {
			announced.Removed(i, marker(list[i], &results[i]))
		}
		unknown = unknown || failed
	}
	return rest(ctx, took)
}

func (w *work) announce(ctx context.Context, list []Removal) (Announced, error) {
	a, err := w.r.Announce(ctx, w.b, list)
	if err != nil {
		err = fmt.Errorf("tell of what is about to be deleted: %w", err)
	}
	return a, err
}

// marker is the version of the delete marker that a deletion has made, "" for none.
func marker(d *deletion, res *storage.DeleteResult) string {
	if d.v.Action == Expire && res.DeleteMarker {
		return res.VersionID
	}
	return ""
}

// rest waits, so that a large deletion leaves the half of the store to others.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, time.Second))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// account counts what became of a deletion, and notes when it is to be tried again. It tells whether something was
// deleted, and whether that is not known.
func (w *work) account(d *deletion, res *storage.DeleteResult) (done, unknown bool) {
	c := w.st.of(d.v.Rule)
	var locked *lockedError
	switch err := res.Err; {
	case err == nil && res.VersionID == "":
		c.Changed++
	case err == nil:
		c.Actions[d.v.Action]++
		if marker(d, res) == "" {
			c.Bytes += d.o.Size
		}
		return true, false
	case errors.As(err, &locked):
		c.Kept++
		if !locked.until.IsZero() { // else its end is a change, which is noted
			w.later(d.o.Key, storage.DayOf(locked.until, w.r.day)+1)
		}
	case errors.Is(err, errChanged), errors.Is(err, storage.ErrPrecondition), errors.Is(err, storage.ErrNoSuchKey):
		c.Changed++
	default:
		c.Failed++
		w.later(d.o.Key, w.today+1)
		return false, true
	}
	return false, false
}

// later notes a key so that it is looked at on a day.
func (w *work) later(key string, on int64) {
	w.notes = append(w.notes, storage.Note{Late: true, Day: on - 1, Key: key})
}

// upload ends an upload when that is due.
func (w *work) upload(ctx context.Context, u *storage.Upload) error {
	v, ok := w.rules.DecideUpload(u.Key, u.Begun, w.r.day)
	if !ok || v.Due > w.today {
		return nil
	}
	w.did = true
	announced, err := w.announce(ctx, []Removal{{AbortUpload, storage.Object{Key: u.Key}}})
	if err != nil {
		return err
	}
	unknown := false
	defer func() { announced.End(unknown) }()
	err = w.r.Backend.AbortUpload(ctx, storage.AbortInput{Upload: storage.UploadRef{Bucket: w.b.Name, Key: u.Key, ID: u.ID}, IfBegun: u.Begun})
	c := w.st.of(v.Rule)
	switch {
	case err == nil:
		c.Actions[AbortUpload]++
		announced.Removed(0, "")
	case errors.Is(err, storage.ErrNoSuchUpload), errors.Is(err, storage.ErrPrecondition):
		c.Changed++
	case errors.Is(err, storage.ErrDamaged):
		c.Failed++
		w.later(u.Key, w.today+1)
		unknown = true
	default:
		unknown = true
		return err
	}
	return nil
}
