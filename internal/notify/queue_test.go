package notify

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
)

func open(t *testing.T, dir string) *queue {
	t.Helper()
	q, err := openQueue(dir, 100, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func ev(key string) events.Event {
	return events.Event{Name: events.CreatedPut, Bucket: "b", Key: key}
}

// add queues events that were expected first.
func add(t *testing.T, q *queue, keys ...string) {
	t.Helper()
	for _, k := range keys {
		e := ev(k)
		ids, err := q.expect([]events.Event{e})
		if err != nil || ids[0] == 0 {
			t.Fatal(ids, err)
		}
		if err := q.flush(); err != nil {
			t.Fatal(err)
		}
		if err := q.happened(ids[0], &e); err != nil {
			t.Fatal(err)
		}
	}
}

// all takes everything that waits, in batches of n.
func all(t *testing.T, q *queue, n int) (keys []string) {
	t.Helper()
	for {
		list, err := q.take(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return keys
		}
		for _, e := range list {
			keys = append(keys, e.event.Key)
		}
		if err := q.done(list); err != nil {
			t.Fatal(err)
		}
	}
}

func numbers(from, to int) (keys []string) {
	for i := from; i < to; i++ {
		keys = append(keys, fmt.Sprint(i))
	}
	return keys
}

// crash lets go of a queue as a kill would, with what was written in the files.
func crash(q *queue) { q.lock.Close() }

// TestQueue goes through segments, restarts in the middle, and ends without files of events.
func TestQueue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	q := open(t, dir)
	q.size = 1000
	add(t, q, numbers(0, 40)...)
	for range 7 {
		list, err := q.take(2)
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		if err := q.done(list[:1]); err != nil {
			t.Fatal(err)
		}
	}
	crash(q)
	q = open(t, dir)
	q.size = 1000
	if n, _ := q.figures(); n != 33 {
		t.Errorf("%d wait", n)
	}
	add(t, q, numbers(40, 50)...)
	if got := all(t, q, 4); !slices.Equal(got, numbers(7, 50)) {
		t.Errorf("%q", got)
	}
	if err := q.close(); err != nil {
		t.Error(err)
	}
	for i := range 3 { // numbers of segments go on, whatever was removed
		q = open(t, dir)
		if got := all(t, q, 4); got != nil {
			t.Errorf("run %d: %q again", i, got)
		}
		add(t, q, "x")
		crash(q)
		q = open(t, dir)
		if got := all(t, q, 4); !slices.Equal(got, []string{"x"}) {
			t.Errorf("run %d: %q", i, got)
		}
		q.close()
	}
}

// TestQueueExpected: what neither happened nor ended is there after a crash, also when its segment was sent and removed.
func TestQueueExpected(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	q := open(t, dir)
	q.size = 500
	ids, err := q.expect([]events.Event{ev("open"), ev("ended"), ev("happened")})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.end(ids[1:2]); err != nil {
		t.Fatal(err)
	}
	e := ev("happened")
	if err := q.happened(ids[2], &e); err != nil {
		t.Fatal(err)
	}
	add(t, q, numbers(0, 20)...)
	if got := all(t, q, 64); len(got) != 21 {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(q.segment(1)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the first segment is still there:", err)
	}
	crash(q)
	q = open(t, dir)
	defer q.close()
	list := q.expectedNow()
	if len(list) != 1 || list[ids[0]].Key != "open" {
		t.Fatalf("%v", list)
	}
	if n, err := q.expect([]events.Event{ev("new")}); err != nil || n[0] <= ids[0] {
		t.Error("numbers are given twice:", n, err)
	}
}

// TestQueueFull: there is no room beyond the limit, and what was expected has its place.
func TestQueueFull(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "q"))
	defer q.close()
	q.limit = 3
	ids, err := q.expect([]events.Event{ev("0"), ev("1"), ev("2"), ev("3")})
	if err != nil || ids[2] == 0 || ids[3] != 0 {
		t.Fatal(ids, err)
	}
	e := ev("3")
	if err := q.happened(0, &e); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	for i := range 3 {
		e := ev(fmt.Sprint(i))
		if err := q.happened(ids[i], &e); err != nil {
			t.Error(err)
		}
	}
	if got := all(t, q, 1); !slices.Equal(got, numbers(0, 3)) {
		t.Errorf("%q", got)
	}
	if err := q.happened(0, &e); err != nil {
		t.Error("there is room again:", err)
	}
}

// TestQueueTorn cuts a segment in many places, with and without the zeros that were behind its records: what is whole before
// the cut is there, and the queue goes on.
func TestQueueTorn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	q := open(t, dir)
	add(t, q, "0", "1")
	name := q.segment(1)
	q.close()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for cut := 0; cut < len(whole); cut += 11 {
		sub := filepath.Join(t.TempDir(), "q")
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		data := slices.Clone(whole[:cut])
		if cut%2 == 1 {
			data = append(data, make([]byte, fillSize)...)
		}
		if err := os.WriteFile(filepath.Join(sub, filepath.Base(name)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		q := open(t, sub)
		q.sync = func(*os.File) error { return nil } // this is about what is read
		waiting, expected := q.figures()
		if waiting+expected < last {
			t.Errorf("cut at %d: %d wait and %d are expected, fewer than at a cut before", cut, waiting, expected)
		}
		last = max(last, waiting+expected)
		add(t, q, "new")
		if got := all(t, q, 64); len(got) != waiting+1 || got[waiting] != "new" {
			t.Errorf("cut at %d: %q", cut, got)
		}
		q.close()
	}
}

// TestQueueFilled: the zeros ahead of the records are no damage after a kill, and gone when a segment is done with.
func TestQueueFilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	q := open(t, dir)
	add(t, q, "0")
	if info, err := os.Stat(q.segment(1)); err != nil || info.Size() < fillSize {
		t.Error(info, err)
	}
	crash(q)
	var log bytes.Buffer
	q, err := openQueue(dir, 100, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || log.Len() > 0 {
		t.Fatal(err, log.String())
	}
	q.size = 2 * fillSize
	for i := 0; q.seg < 3; i++ {
		e := ev(strings.Repeat("k", fillSize/3))
		if err := q.happened(0, &e); err != nil || q.flush() != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(q.segment(2)); err != nil || info.Size()%fillSize == 0 || info.Size() > q.size+fillSize {
		t.Error(info, err)
	}
	length := q.length
	q.close()
	if info, err := os.Stat(q.segment(3)); err != nil || info.Size() != length {
		t.Error(info, err)
	}
	q = open(t, dir)
	defer q.close()
	n, _ := q.figures()
	if got := all(t, q, 2); len(got) != n || n < 4 || got[0] != "0" {
		t.Error(n, len(got))
	}
}

// TestQueueSync: after a sync that failed nothing is promised any more.
func TestQueueSync(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "q"))
	broken := errors.New("no disk")
	q.sync = func(*os.File) error { return broken }
	if _, err := q.expect([]events.Event{ev("0")}); err != nil {
		t.Fatal(err)
	}
	if err := q.flush(); !errors.Is(err, broken) {
		t.Error(err)
	}
	q.sync = (*os.File).Sync
	if _, err := q.expect([]events.Event{ev("1")}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := q.flush(); !errors.Is(err, broken) {
		t.Error(err)
	}
	q.close()
}

// TestQueueLock: two servers don't share a queue.
func TestQueueLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	q := open(t, dir)
	if _, err := openQueue(dir, 1, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened twice")
	}
	q.close()
	open(t, dir).close()
}

// FuzzRecord: a record that is read is one that was written.
func FuzzRecord(f *testing.F) {
	e := ev("k")
	whole, err := appendRecord(nil, kindHappened, 7, &e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:9])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := readRecord(b)
		if !ok {
			return
		}
		if r.len < recordHead+recordBody || r.len > int64(len(b)) || int64(len(r.doc)) != r.len-recordHead-recordBody {
			t.Errorf("%d bytes of %d, event %d", r.len, len(b), len(r.doc))
		}
	})
}

// TestMakeDir: a queue is made where nothing is yet, for its owner alone, and again where it is.
func TestMakeDir(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "events", "webhook", "one")
	for range 2 {
		if err := makeDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; d != top; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err != nil || info.Mode() != os.ModeDir|0o700 {
			t.Errorf("%s: %v, %v", d, info, err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(filepath.Join(top, "file", "queue")); err == nil {
		t.Error("a queue below a file")
	}
}
