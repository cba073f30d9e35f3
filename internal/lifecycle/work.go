package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// work is one visit of the runner to one bucket.
type work struct {
	r      *Runner
	b      *storage.Bucket
	doc    []byte // of the rules
	of     *bucketState
	rules  *Rules
	st     state
	safe   state // as st was when nothing that had been looked at was left to be done or noted
	now    time.Time
	today  int64 // everything due up to this day is done
	delays []int64
	judge  judge
	notes  []storage.Note // to be added
	batch  []*deletion
	last   *deletion // collected last
	did    bool      // something that is worth to be remembered
}

// newWork makes a visit; the caller holds the runner's lock.
func newWork(r *Runner, b *storage.Bucket, rules *Rules, s *bucketState, now time.Time) *work {
	w := &work{r: r, b: b, doc: s.doc, of: s, rules: rules, st: s.st, safe: s.st, now: now}
	w.today = storage.DayOf(now.Add(-r.margin), r.day)
	w.st.Rules = map[string]*Counts{}
	for id, c := range s.st.Rules {
		w.st.Rules[id] = c.clone()
	}
	if rules != nil {
		w.delays = rules.delays()
	}
	return w
}

// reached remembers the place as one to go on from.
func (w *work) reached() {
	if len(w.batch) == 0 && len(w.notes) == 0 {
		w.safe = w.st
	}
}

// back returns to the last such place after a failure, so that what could not be deleted or noted is looked at again.
func (w *work) back() {
	rules := w.st.Rules
	w.st = w.safe
	w.st.Rules = rules
}

// publish puts what the visit has done where others look; the caller holds the runner's lock.
func (w *work) publish() {
	s := w.of
	for id, c := range w.st.Rules {
		old := s.st.Rules[id]
		if old == nil {
			old = &Counts{}
		}
		t := &w.r.totals
		for a, n := range c.Actions {
			t.Actions[a] += n - old.Actions[a]
		}
		t.Bytes += c.Bytes - old.Bytes
		t.Kept += c.Kept - old.Kept
		t.Changed += c.Changed - old.Changed
		t.Failed += c.Failed - old.Failed
	}
	s.st = w.st
	s.st.Rules = map[string]*Counts{}
	for id, c := range w.st.Rules {
		s.st.Rules[id] = c.clone()
	}
}

// checkpoint makes what has been done visible and durable. A full disk does not stop deletions: then only the place at
// which they go on after a restart is an older one.
func (w *work) checkpoint(ctx context.Context) error {
	w.st.Seen = w.now
	w.r.mu.Lock()
	w.publish()
	w.r.mu.Unlock()
	err := w.r.Backend.UpdateBucket(ctx, w.b.Name, func(b *storage.Bucket) error { return w.st.save(b, w.doc) })
	if errors.Is(err, storage.ErrFull) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	return nil
}

// do does everything that is due.
func (w *work) do(ctx context.Context) error {
	for _, d := range w.rules.dates(w.r.day) {
		if w.st.Walked && d > w.st.Done && d <= w.today {
			w.st.Walked, w.st.Walk, w.st.Stage = false, nil, 0
		}
	}
	if !w.st.Walked {
		if err := w.walk(ctx); err != nil {
			return err
		}
	}
	if w.today > w.st.Done {
		if err := w.noted(ctx); err != nil {
			return err
		}
		w.st.Done = w.today
		w.reached()
	}
	if !w.did {
		return nil
	}
	w.st.Last = w.now
	w.did = false
	return w.checkpoint(ctx)
}

// walk looks at everything in the bucket, and notes what will be due later.
func (w *work) walk(ctx context.Context) error {
	w.did = true
	if w.st.Walk == nil && w.st.Stage == 0 {
		w.st.Start = w.today
		w.st.Walk = &judge{}
	}
	if w.st.Stage == 0 {
		j := *w.st.Walk
		j.rules, j.day, j.until = w.rules, w.r.day, w.today
		w.judge = j
		in := storage.ListInput{Bucket: w.b.Name, After: string(j.Key), AfterID: j.ID, Limit: pageSize}
		n := 0
		if err := w.rules.versions(ctx, w.r.Backend, in, func(o *storage.Object, more bool) (bool, error) {
			w.note(o.Key, o.Modified)
			w.consider(o, more)
			if n++; n%pageSize > 0 {
				return true, ctx.Err()
			}
			return true, w.step(ctx, n%(20*pageSize) == 0)
		}); err != nil {
			return err
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
		w.st.Stage, w.st.Walk = 1, nil
		if err := w.step(ctx, true); err != nil {
			return err
		}
	}
	if err := w.walkUploads(ctx); err != nil {
		return err
	}
	if err := w.settled(); err != nil {
		return err
	}
	w.st.Walked, w.st.Walk, w.st.Stage, w.st.Key, w.st.ID, w.st.Done = true, nil, 0, "", "", w.st.Start
	w.reached()
	return w.checkpoint(ctx)
}

// settled tells whether all notes are in the calendar.
func (w *work) settled() error {
	if len(w.notes) > 0 {
		return fmt.Errorf("note what is due later: %w", storage.ErrFull)
	}
	return nil
}

// step does what has been collected, and now and then remembers where the walk is.
func (w *work) step(ctx context.Context, remember bool) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	if w.st.Stage == 0 {
		j := w.judge
		w.st.Walk = &j
	}
	w.reached()
	if !remember || len(w.notes) > 0 {
		return ctx.Err()
	}
	return w.checkpoint(ctx)
}

// walkUploads looks at all open uploads.
func (w *work) walkUploads(ctx context.Context) error {
	if !w.rules.aborts() {
		return nil
	}
	in := storage.ListInput{Bucket: w.b.Name, After: string(w.st.Key), AfterID: w.st.ID, Limit: pageSize}
	for {
		page, err := w.r.Backend.ListUploads(ctx, in)
		if err != nil {
			return err
		}
		for i := range page.Uploads {
			w.note(page.Uploads[i].Key, page.Uploads[i].Begun)
			if err := w.upload(ctx, &page.Uploads[i]); err != nil {
				return err
			}
		}
		if err := w.flush(ctx); err != nil || !page.Truncated {
			return err
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
		w.st.Key, w.st.ID = place(page.NextAfter), page.NextID
		w.reached()
	}
}

// note collects a note of a change that something may be due for later.
func (w *work) note(key string, at time.Time) {
	d := storage.DayOf(at, w.r.day)
	if len(w.delays) == 0 || d+w.delays[len(w.delays)-1]+1 <= w.st.Start {
		return
	}
	n := storage.Note{Day: d, Key: key}
	if len(w.notes) > 0 && w.notes[len(w.notes)-1] == n {
		return
	}
	w.notes = append(w.notes, n)
}

// noted looks at the keys for whose changes something is due since the last time, and forgets notes for which nothing
// can be due any more.
func (w *work) noted(ctx context.Context) error {
	if err := w.days(ctx, storage.NotesInput{Late: true, From: w.st.Done, To: w.today}); err != nil {
		return err
	}
	for _, n := range w.delays {
		if err := w.days(ctx, storage.NotesInput{From: w.st.Done - n, To: w.today - n}); err != nil {
			return err
		}
	}
	if err := w.settled(); err != nil {
		return err
	}
	before := w.today
	if len(w.delays) > 0 {
		before -= w.delays[len(w.delays)-1]
	}
	for _, late := range []bool{false, true} {
		old, _, err := w.r.calendar.Notes(ctx, storage.NotesInput{Bucket: w.b.Name, Late: late, From: minDay, To: before, Limit: 1})
		if err != nil {
			return err
		}
		if len(old) > 0 {
			w.did = true
			return w.r.calendar.DropNotes(ctx, w.b.Name, before)
		}
	}
	return nil
}

// days looks at the keys that were noted on some days.
func (w *work) days(ctx context.Context, in storage.NotesInput) error {
	in.Bucket, in.Limit = w.b.Name, pageSize
	for more := true; more; {
		var list []storage.Note
		var err error
		if list, more, err = w.r.calendar.Notes(ctx, in); err != nil || len(list) == 0 {
			return err
		}
		seen := map[string]bool{}
		for _, note := range list {
			if seen[note.Key] {
				continue
			}
			seen[note.Key] = true
			if err := w.key(ctx, note.Key); err != nil {
				return err
			}
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
		w.did, in.After = true, list[len(list)-1]
	}
	return nil
}

// The first and the last day that notes are asked for.
const (
	minDay = -1 << 40
	maxDay = 1 << 40
)

// key looks at one key.
func (w *work) key(ctx context.Context, key string) error {
	w.judge = judge{rules: w.rules, day: w.r.day, until: w.today}
	if err := w.rules.ofKey(ctx, w.r.Backend, w.b.Name, key, func(o *storage.Object, more bool) error {
		w.consider(o, more)
		if len(w.batch) < pageSize {
			return nil
		}
		return w.flush(ctx)
	}); err != nil || !w.rules.aborts() {
		return err
	}
	in := storage.ListInput{Bucket: w.b.Name, Prefix: key, Limit: fewFirst}
	for {
		page, err := w.r.Backend.ListUploads(ctx, in)
		if err != nil {
			return err
		}
		for i := range page.Uploads {
			if page.Uploads[i].Key != key {
				return nil
			}
			if err := w.upload(ctx, &page.Uploads[i]); err != nil {
				return err
			}
		}
		if !page.Truncated {
			return nil
		}
		in.After, in.AfterID, in.Limit = page.NextAfter, page.NextID, pageSize
	}
}

// next tells when to come again; zero for never. What is written from now on may be due late on the next day: then one
// look tells that nothing is.
func (w *work) next() time.Time {
	if len(w.delays) == 0 {
		return time.Time{}
	}
	return dayTime(w.today+1, w.r.day).Add(w.r.margin)
}

// upcoming tells when something is due by what is noted now, or by a date; zero for nothing.
func (r *Runner) upcoming(ctx context.Context, bucket string, rules *Rules, today int64) (time.Time, error) {
	next := int64(maxDay)
	for _, d := range rules.dates(r.day) {
		if d > today {
			next = min(next, d)
		}
	}
	look := func(in storage.NotesInput, delay int64) error {
		in.Bucket, in.From, in.To, in.Limit = bucket, today-delay, maxDay, 1
		list, _, err := r.calendar.Notes(ctx, in)
		if len(list) > 0 {
			next = min(next, list[0].Day+delay+1)
		}
		return err
	}
	err := look(storage.NotesInput{Late: true}, 0)
	for _, n := range rules.delays() {
		if err == nil {
			err = look(storage.NotesInput{}, n)
		}
	}
	if err != nil || next == maxDay {
		return time.Time{}, err
	}
	return dayTime(next, r.day), nil
}
