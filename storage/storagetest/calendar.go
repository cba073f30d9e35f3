package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Calendar checks a storage.Calendar. open makes an empty store with a day of 24 hours and the clock, and sees to its end.
func Calendar(t *testing.T, open func(t *testing.T, now func() time.Time) storage.Backend) {
	var now atomic.Int64 // seconds
	const day = 24 * 3600
	b := open(t, func() time.Time { return time.Unix(now.Load(), 0) })
	c, ok := b.(storage.Calendar)
	if !ok {
		t.Fatal("the backend is no calendar")
	}
	e := newEnv(t, b, Options{})
	t.Run("changes", func(t *testing.T) { calendarChanges(e, c, func(d int64) { now.Store(d*day + day/2) }) })
	t.Run("pages", func(t *testing.T) { calendarPages(e, c) })
}

// rules gives a bucket the document that has its changes noted.
func (e *env) rules(bucket string) {
	e.Helper()
	e.ok("UpdateBucket", e.UpdateBucket(e.ctx, bucket, func(b *storage.Bucket) error {
		b.Docs = map[string][]byte{storage.DocLifecycle: []byte("x")}
		return nil
	}))
}

// notes returns the notes of a bucket as "DAY KEY", and those of the other kind as "DAY KEY late" behind them.
func (e *env) notes(c storage.Calendar, in storage.NotesInput) []string {
	e.Helper()
	out := []string{}
	for _, in.Late = range []bool{false, true} {
		list, _, err := c.Notes(e.ctx, in)
		e.ok("Notes", err)
		for _, n := range list {
			s := fmt.Sprintf("%d %s", n.Day, n.Key)
			if n.Late {
				s += " late"
			}
			out = append(out, s)
		}
	}
	return out
}

// calendarChanges makes each kind of change, on a day of its own.
func calendarChanges(e *env, c storage.Calendar, on func(day int64)) {
	var first, gone string
	var bucket string
	steps := []struct {
		what string
		do   func()
		want string // the key noted; "" for none
	}{
		{"put without rules", func() { e.put(bucket, "before", "x"); e.rules(bucket) }, ""},
		{"put", func() { first = e.put(bucket, "k", "1").VersionID }, "k"},
		{"put again", func() { gone = e.put(bucket, "k", "2").VersionID }, "k"},
		{"copy", func() {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "k"}, Bucket: bucket, Key: "copy"})
			e.ok("CopyObject", err)
		}, "copy"},
		{"upload begun", func() { e.upload(bucket, "up") }, "up"},
		{"tags set", func() {
			_, err := e.SetTags(e.ctx, storage.Ref{Bucket: bucket, Key: "k", Version: first}, []storage.Tag{{Key: "a", Value: "b"}})
			e.ok("SetTags", err)
		}, "k late"},
		{"props set", func() {
			_, err := e.SetProps(e.ctx, storage.Ref{Bucket: bucket, Key: "k"}, func(*storage.Object) (map[string]string, error) {
				return map[string]string{storage.PropLegalHold: "OFF"}, nil
			})
			e.ok("SetProps", err)
		}, "k late"},
		{"version removed", func() { e.del(bucket, "k", gone) }, "k late"},
		{"marker made", func() { e.del(bucket, "k", "") }, "k"},
		{"a version that is not there removed", func() { e.del(bucket, "other", gone) }, ""},
		{"multipart", func() { e.multipart(bucket, "m", 1) }, "m"},
		{"rules removed", func() {
			e.ok("UpdateBucket", e.UpdateBucket(e.ctx, bucket, func(b *storage.Bucket) error { b.Docs = nil; return nil }))
			e.put(bucket, "k", "3")
		}, ""},
	}
	bucket = e.bucket(storage.VersioningEnabled)
	want, late := []string{}, []string{}
	for i, s := range steps {
		d := int64(i) - 3 // also days before 1970
		on(d)
		s.do()
		if s.want != "" {
			n := fmt.Sprintf("%d %s", d, s.want)
			if strings.HasSuffix(n, " late") {
				late = append(late, n)
			} else {
				want = append(want, n)
			}
		}
		e.equal(s.what, e.notes(c, storage.NotesInput{Bucket: bucket, From: -100, To: 100, Limit: 100}), append(slices.Clone(want), late...))
	}
}

// calendarPages reads and removes notes in pieces.
func calendarPages(e *env, c storage.Calendar) {
	bucket := e.bucket(storage.VersioningUnset)
	var all []storage.Note
	for d := int64(-2); d < 3; d++ {
		for _, k := range []string{"\x00", "a", "a\x00", "b", "\xff\xff"} {
			all = append(all, storage.Note{Day: d, Key: k})
		}
	}
	e.ok("AddNotes", c.AddNotes(e.ctx, bucket, all))
	e.ok("AddNotes again", c.AddNotes(e.ctx, bucket, all[3:9]))
	for limit := 1; limit < 7; limit++ {
		var got []storage.Note
		in := storage.NotesInput{Bucket: bucket, From: -2, To: 3, Limit: limit}
		for more := true; more; {
			var page []storage.Note
			var err error
			page, more, err = c.Notes(e.ctx, in)
			e.ok("Notes", err)
			if more && len(page) != limit {
				e.Fatalf("a page of %d has %d notes and others follow", limit, len(page))
			}
			got = append(got, page...)
			if more {
				in.After = page[len(page)-1]
			}
		}
		e.equal(fmt.Sprint("pages of ", limit), got, all)
	}
	e.equal("some days", len(e.notes(c, storage.NotesInput{Bucket: bucket, From: -1, To: 1, Limit: 100})), 10)
	e.equal("no days", e.notes(c, storage.NotesInput{Bucket: bucket, From: 1, To: 1, Limit: 100}), []string{})
	e.ok("DropNotes", c.DropNotes(e.ctx, bucket, 1))
	list, _, err := c.Notes(e.ctx, storage.NotesInput{Bucket: bucket, From: -100, To: 100, Limit: 100})
	e.ok("Notes", err)
	e.equal("what is left", list, slices.Clone(all[15:]))
	_, _, err = c.Notes(e.ctx, storage.NotesInput{Bucket: "no-such-bucket", To: 1, Limit: 1})
	e.is("notes of no bucket", err, storage.ErrNoSuchBucket)
}
