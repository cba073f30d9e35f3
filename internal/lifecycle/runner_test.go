package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

func TestExpire(t *testing.T) {
	e := newEnv(t)
	e.put("old", "1") // before there are rules
	e.rules(Rule{Days: 1}, Rule{Prefix: "keep", Days: 30})
	if next := e.pass(0); !next.Equal(at(3, "00:01:00")) {
		t.Errorf("next %s", next)
	}
	e.put("new", "1")
	e.pass(oneDay) // January 3, 12:00
	e.put("newer", "1")
	e.want("a day later", "new, newer, old")
	if next := e.pass(oneDay / 2); !next.Equal(at(4, "00:01:00")) { // midnight, but not a minute past it
		t.Errorf("next %s", next)
	}
	e.want("at midnight", "new, newer, old")
	e.pass(time.Minute)
	e.want("past midnight", "newer")
	e.pass(oneDay)
	e.want("on the next day", "")
	s, err := e.Status(t.Context(), "b")
	if err != nil || s.Walking || s.Rules[0].Actions[Expire] != 3 || s.Rules[0].Bytes != 3 || e.Totals().Actions[Expire] != 3 {
		t.Errorf("%v %+v %+v", err, s, e.Totals())
	}
}

// TestIdle has nothing to do: a bucket without rules never wakes the runner, one with rules once a day, and a
// visit that finds nothing writes nothing.
func TestIdle(t *testing.T) {
	e := newEnv(t)
	e.put("k", "1")
	if next := e.pass(0); !next.IsZero() {
		t.Errorf("without rules it wakes at %s", next)
	}
	e.del("k")
	e.rules(Rule{Days: 30})
	if next := e.pass(0); !next.Equal(at(3, "00:01:00")) {
		t.Errorf("with rules it wakes at %s", next)
	}
	before, _ := e.Bucket(t.Context(), "b")
	if next := e.pass(31 * oneDay); !next.Equal(at(3, "00:01:00").Add(31 * oneDay)) {
		t.Errorf("then it wakes at %s", next)
	}
	if after, _ := e.Bucket(t.Context(), "b"); after != before {
		t.Error("the visit wrote something")
	}
}

func TestVersions(t *testing.T) {
	e := newEnv(t)
	e.versioned()
	e.rules(Rule{Days: 2}, Rule{NoncurrentDays: 1}, Rule{Marker: true})
	e.pass(0)
	e.put("k", "1")
	e.pass(oneDay)
	e.put("k", "2")
	e.pass(2 * oneDay) // 5th: the first was replaced on the 3rd
	e.want("noncurrent", "k")
	e.pass(oneDay) // 6th: the second is of the 3rd
	e.want("current", "k marker, k old")
	e.pass(2 * oneDay) // 8th: became noncurrent on the 6th
	e.want("noncurrent again, and the marker that is alone then", "")
	want := []string{"expire-noncurrent k", "expire k", "expire-noncurrent k", "remove-marker k"}
	if fmt.Sprint(e.removed) != fmt.Sprint(want) {
		t.Error(e.removed)
	}
}

func TestAllVersions(t *testing.T) {
	for name, rule := range map[string]Rule{"expiration": {Days: 2, AllVersions: true, NoncurrentDays: 1}, "marker": {MarkerDays: 2}} {
		e := newEnv(t)
		e.versioned()
		e.rules(rule)
		e.pass(0)
		for i := range 3 {
			e.put("k", fmt.Sprint(i))
		}
		e.put("other", "x")
		if name == "marker" {
			e.del("k")
			e.del("other")
			e.put("other", "y")
		}
		e.pass(3 * oneDay)
		want := map[string]string{"expiration": "", "marker": "other, other old marker, other old"}[name]
		e.want(name, want)
	}
}

// TestUploads ends uploads that were begun before the rules and after.
func TestUploads(t *testing.T) {
	e := newEnv(t)
	upload := func(key string) {
		if _, err := e.CreateUpload(t.Context(), storage.UploadInput{Bucket: "b", Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	upload("up/before")
	e.rules(Rule{Prefix: "up/", AbortDays: 1})
	e.pass(0)
	upload("up/after")
	upload("other")
	upload("up/after")
	e.pass(2 * oneDay)
	page, err := e.ListUploads(t.Context(), storage.ListInput{Bucket: "b", Limit: 10})
	if err != nil || len(page.Uploads) != 1 || page.Uploads[0].Key != "other" {
		t.Errorf("%v %+v", err, page.Uploads)
	}
	if n := e.Totals().Actions[AbortUpload]; n != 3 {
		t.Error(n)
	}
}

// TestTagsLater has an object come under a rule when it is old enough already.
func TestTagsLater(t *testing.T) {
	e := newEnv(t)
	e.rules(Rule{Days: 1, Tags: []storage.Tag{{Key: "a", Value: "b"}}})
	e.put("k", "1")
	e.put("l", "1")
	e.pass(0)
	e.pass(5 * oneDay)
	e.want("without tags", "k, l")
	if _, err := e.SetTags(t.Context(), storage.Ref{Bucket: "b", Key: "k"}, []storage.Tag{{Key: "a", Value: "b"}}); err != nil {
		t.Fatal(err)
	}
	e.pass(oneDay)
	e.want("with tags", "l")
}

func TestDate(t *testing.T) {
	e := newEnv(t)
	e.rules(Rule{Date: at(5, "00:00:00")})
	e.put("k", "1")
	e.pass(0)
	e.pass(2 * oneDay) // the 4th
	if s, err := e.Status(t.Context(), "b"); err != nil || s.Next == nil || !s.Next.Equal(at(5, "00:00:00")) {
		t.Errorf("%v %+v", err, s)
	}
	e.want("before the date", "k")
	e.pass(oneDay)
	e.want("on the date", "")
	e.put("k", "2")
	e.pass(time.Hour)
	e.want("after the date", "k")
	e.pass(oneDay)
	e.want("a day later", "")
}

// between is a store in which something happens right before a deletion.
type between struct {
	storage.Backend
	storage.Calendar
	do func()
}

func (b *between) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Backend.DeleteObjects(ctx, bucket, in)
}

// TestRaces changes what was judged before it is deleted: what came in between stays (S-240 counts the rules; this is
// what they must not do).
func TestRaces(t *testing.T) {
	tag := storage.Tag{Key: "a", Value: "b"}
	for _, row := range []struct {
		name      string
		versioned bool
		rule      Rule
		before    func(e *env)
		between   func(e *env)
		want      string
	}{
		{"overwritten", false, Rule{Days: 1}, func(e *env) { e.put("k", "1") }, func(e *env) { e.put("k", "1") }, "k"},
		{"a new version", true, Rule{Days: 1}, func(e *env) { e.put("k", "1") }, func(e *env) { e.put("k", "1") }, "k, k old"},
		{"tags taken away", false, Rule{Days: 1, Tags: []storage.Tag{tag}}, func(e *env) { e.put("k", "1", tag) }, func(e *env) {
			if _, err := e.SetTags(e.Context(), storage.Ref{Bucket: "b", Key: "k"}, nil); err != nil {
				e.Fatal(err)
			}
		}, "k"},
		{"a version becomes current", true, Rule{NoncurrentDays: 1}, func(e *env) { e.put("k", "1"); e.put("k", "2") }, func(e *env) {
			o, err := e.StatObject(e.Context(), storage.Ref{Bucket: "b", Key: "k"})
			if err != nil {
				e.Fatal(err)
			}
			if _, err := e.DeleteObjects(e.Context(), "b", []storage.DeleteInput{{Key: "k", Version: o.VersionID}}); err != nil {
				e.Fatal(err)
			}
		}, "k"},
		{"a version above a lone marker", true, Rule{Marker: true}, func(e *env) { e.del("k") }, func(e *env) { e.put("k", "1") }, "k, k old marker"},
		{"a version above all", true, Rule{AllDays: 1}, func(e *env) { e.put("k", "1"); e.put("k", "2") }, func(e *env) { e.put("k", "3") }, "k, k old, k old"},
		{"retention", true, Rule{NoncurrentDays: 1}, func(e *env) { e.put("k", "1"); e.put("k", "2") }, func(e *env) { e.lock(at(9, "12:00:00")) }, "k, k old"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			if row.versioned {
				e.versioned()
			}
			b := &between{Backend: e.Backend, Calendar: e.Backend.(storage.Calendar)}
			e.start(b)
			e.rules(row.rule)
			row.before(e)
			b.do = func() { row.between(e) }
			e.pass(2 * oneDay)
			if b.do != nil {
				t.Fatal("nothing was due")
			}
			e.want("after the race", row.want)
			s, err := e.Status(t.Context(), "b")
			if c := s.Rules[0].Counts; err != nil || c.Changed+c.Kept == 0 || c.Failed > 0 {
				t.Errorf("%v %+v", err, c)
			}
		})
	}
}

// lock puts a retention on the oldest version of "k"; the zero time takes it away.
func (e *env) lock(until time.Time) {
	e.Helper()
	page, err := e.ListVersions(e.Context(), storage.ListInput{Bucket: "b", Prefix: "k", Limit: 10})
	if err != nil {
		e.Fatal(err)
	}
	oldest := page.Objects[len(page.Objects)-1]
	if _, err := e.SetProps(e.Context(), storage.Ref{Bucket: "b", Key: "k", Version: oldest.VersionID}, func(*storage.Object) (map[string]string, error) {
		return map[string]string{storage.PropLockMode: "COMPLIANCE", storage.PropLockUntil: until.Format(time.RFC3339)}, nil
	}); err != nil {
		e.Fatal(err)
	}
}

// TestLocked has a version stay while it is locked, and go after that by itself.
func TestLocked(t *testing.T) {
	e := newEnv(t)
	e.versioned()
	e.rules(Rule{NoncurrentDays: 1})
	e.put("k", "1")
	e.put("k", "2")
	e.pass(0)
	e.lock(at(9, "12:00:00"))
	for range 7 {
		e.pass(oneDay)
		e.want("locked", "k, k old")
	}
	e.pass(oneDay) // January 10, 12:00
	e.want("free", "k")
}

// dying is a store that fails for ever after some calls, like a process that is killed.
type dying struct {
	storage.Backend
	storage.Calendar
	left int
}

var errDead = errors.New("dead")

func (d *dying) die() error {
	if d.left--; d.left < 0 {
		return errDead
	}
	return nil
}

func (d *dying) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	if err := d.die(); err != nil {
		return nil, err
	}
	return d.Backend.DeleteObjects(ctx, bucket, in)
}

func (d *dying) AddNotes(ctx context.Context, bucket string, notes []storage.Note) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Calendar.AddNotes(ctx, bucket, notes)
}

func (d *dying) UpdateBucket(ctx context.Context, bucket string, change func(*storage.Bucket) error) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Backend.UpdateBucket(ctx, bucket, change)
}

// TestKilled ends the runner at every step of its work and starts another: in the end what is due is gone, and
// nothing else.
func TestKilled(t *testing.T) {
	for n := 0; ; n++ {
		e := newEnv(t)
		for i := range 1500 {
			e.put(fmt.Sprintf("old%04d", i), "1")
		}
		e.now = e.now.Add(3 * oneDay)
		e.rules(Rule{Days: 1, Prefix: "old"}, Rule{Days: 2, Prefix: "new"})
		e.put("new", "1")
		e.put("stays", "1")
		d := &dying{e.Backend, e.Backend.(storage.Calendar), n}
		e.start(d)
		e.Report = func(error) {}
		e.pass(0)
		alive := d.left >= 0
		e.start(e.Backend)
		e.pass(0)
		if got := e.keys(); got != "new, stays" {
			t.Fatalf("killed at step %d: %s", n, got)
		}
		e.pass(3 * oneDay)
		if got := e.keys(); got != "stays" {
			t.Fatalf("killed at step %d, later: %s", n, got)
		}
		if alive {
			if n < 4 {
				t.Errorf("the work has only %d steps", n)
			}
			return
		}
	}
}

// TestAnnounced: what is to be deleted is announced before, once, and not deleted when nobody can note it; whether it was
// is not known when the store fails.
func TestAnnounced(t *testing.T) {
	e := newEnv(t)
	e.put("a", "1")
	e.put("b", "1")
	e.now = e.now.Add(3 * oneDay)
	e.rules(Rule{Days: 1})
	reported := 0
	e.Report = func(err error) { reported++; t.Log(err) }
	e.deaf = errors.New("no disk")
	e.pass(0)
	e.want("nobody can note it", "a, b")
	if reported != 1 || len(e.removed) > 0 || len(e.ended) > 0 {
		t.Error(reported, e.removed, e.ended)
	}
	e.deaf = nil
	d := &dying{e.Backend, e.Backend.(storage.Calendar), 0}
	e.Runner.Backend = d
	e.pass(oneDay)
	e.want("the store fails", "a, b")
	if reported != 2 || e.announced != 2 || len(e.removed) > 0 || fmt.Sprint(e.ended) != "[true]" {
		t.Error(reported, e.announced, e.removed, e.ended)
	}
	before := 0
	e.Runner.Backend = &between{d.Backend, d.Calendar, func() { before = e.announced }}
	e.pass(oneDay)
	e.want("then", "")
	if reported != 2 || before != 4 || e.announced != 4 || fmt.Sprint(e.removed) != "[expire a expire b]" || fmt.Sprint(e.ended) != "[true false]" {
		t.Error(reported, before, e.announced, e.removed, e.ended)
	}
}

// full is a store whose disk is full: it takes deletions and nothing else.
type full struct {
	storage.Backend
	storage.Calendar
	on bool
}

func (f *full) AddNotes(ctx context.Context, bucket string, notes []storage.Note) error {
	if f.on {
		return storage.ErrFull
	}
	return f.Calendar.AddNotes(ctx, bucket, notes)
}

func (f *full) UpdateBucket(ctx context.Context, bucket string, change func(*storage.Bucket) error) error {
	if f.on {
		return storage.ErrFull
	}
	return f.Backend.UpdateBucket(ctx, bucket, change)
}

// TestFullDisk: deletions are what helps then, and what could not be noted is not forgotten, neither by a runner that goes
// on nor by the next one.
func TestFullDisk(t *testing.T) {
	for _, restart := range []bool{true, false} {
		e := newEnv(t)
		e.put("old", "1")
		e.now = e.now.Add(2 * oneDay)
		e.put("young", "1")
		e.rules(Rule{Days: 1})
		f := &full{e.Backend, e.Backend.(storage.Calendar), true}
		e.start(f)
		reported := 0
		e.Report = func(err error) { reported++; t.Log(err) }
		e.pass(0)
		e.want("on a full disk", "young")
		if s, err := e.Status(t.Context(), "b"); err != nil || s.Error == "" || reported == 0 {
			t.Errorf("nobody is told: %v %+v", err, s)
		}
		f.on = false
		if restart {
			e.start(f)
			e.pass(0)
		}
		e.pass(oneDay / 2)
		e.pass(2 * oneDay)
		e.want("with room again", "")
	}
}

// TestClockJumps has the clock jump: a year ahead nothing is deleted, also not when the server is started with
// it, unless it stays there or is confirmed; a year back neither.
func TestClockJumps(t *testing.T) {
	e := newEnv(t)
	e.rules(Rule{Days: 100})
	e.put("k", "1")
	e.pass(0)
	for _, jump := range []time.Duration{365 * oneDay, 0, -365 * oneDay, 0, 365 * oneDay} {
		e.jump = jump
		e.pass(time.Hour)
		e.want(jump.String(), "k")
	}
	if s, err := e.Status(t.Context(), "b"); err != nil || !s.Held {
		t.Errorf("nobody is told of the jump: %v %+v", err, s)
	}
	e.start(e.Backend)
	e.pass(time.Hour)
	e.want("started with a clock a year ahead", "k")
	e.pass(oneDay / holdPart)
	e.want("it has stayed there", "")

	e.jump = 0
	e.put("k", "2")
	e.pass(2 * oneDay)
	e.jump = 365 * oneDay
	e.pass(time.Hour)
	e.want("ahead again", "k")
	if err := e.Runner.Run(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	e.pass(0)
	e.want("confirmed", "")
}

// TestPreview compares what a preview tells with what then happens.
func TestPreview(t *testing.T) {
	e := newEnv(t)
	e.versioned()
	for i := range 5 {
		e.put(fmt.Sprint("k\xff", i), "1")
		e.put(fmt.Sprint("k\xff", i), "22")
		e.now = e.now.Add(oneDay)
	}
	if _, err := e.CreateUpload(t.Context(), storage.UploadInput{Bucket: "b", Key: "up"}); err != nil {
		t.Fatal(err)
	}
	e.rules(Rule{Days: 3}, Rule{NoncurrentDays: 2}, Rule{AbortDays: 4})
	all := e.preview(PreviewInput{Limit: 1000})
	if len(all) != 11 {
		t.Fatalf("%d planned: %+v", len(all), all)
	}
	for limit := 1; limit < 12; limit++ {
		if got := e.preview(PreviewInput{Limit: limit}); fmt.Sprint(got) != fmt.Sprint(all) {
			t.Errorf("in pages of %d: %+v", limit, got)
		}
	}
	var due, done []string
	until := at(8, "12:00:00")
	for _, p := range e.preview(PreviewInput{Limit: 1000, Until: until}) {
		due = append(due, string(p.Action)+" "+p.Key)
		if p.Due.After(until) {
			t.Errorf("%+v", p)
		}
	}
	if len(e.removed) > 0 {
		t.Fatal("a preview deleted", e.removed)
	}
	e.now = until
	e.pass(0)
	done = e.removed
	if fmt.Sprint(due) != fmt.Sprint(done) || len(done) == 0 {
		t.Errorf("planned %q, done %q", due, done)
	}
	if _, err := e.Preview(t.Context(), PreviewInput{Bucket: "b", Cursor: "x", Limit: 1}); !errors.Is(err, ErrCursor) {
		t.Error(err)
	}
}

func (e *env) preview(in PreviewInput) (all []Planned) {
	e.Helper()
	for in.Bucket = "b"; ; {
		p, err := e.Preview(e.Context(), in)
		if err != nil {
			e.Fatal(err)
		}
		all = append(all, p.Planned...)
		if in.Cursor = p.Next; in.Cursor == "" {
			return all
		}
		if len(all) > 100 {
			e.Fatal("the pages do not end")
		}
	}
}

// TestInBackground has the runner itself wait and wake.
func TestInBackground(t *testing.T) {
	e := newEnv(t)
	gone := make(chan struct{}, 10)
	e.Announce = func(context.Context, *storage.Bucket, []Removal) (Announced, error) { return signal{gone}, nil }
	e.put("k", "1")
	e.now = e.now.Add(5 * oneDay)
	e.Start()
	e.rules(Rule{Days: 1})
	e.Changed()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("nothing is deleted")
	}
	e.Runner.Close()
	if e.keys() != "" {
		t.Error(e.keys())
	}
}

// signal tells a channel of what is removed.
type signal struct{ gone chan struct{} }

func (s signal) Removed(int, string) { s.gone <- struct{}{} }
func (s signal) End(bool)            {}
