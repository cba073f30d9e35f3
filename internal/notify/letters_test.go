package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// picky is a target that refuses what judge says, and keeps the keys of what it takes.
type picky struct {
	fake
	judge func(key string) error
	check error
	asked map[string]int // times, of each key
}

func newPicky(judge func(string) error, check error) *picky {
	return &picky{fake: *newFake(), judge: judge, check: check, asked: map[string]int{}}
}

func (p *picky) Check(context.Context) error { return p.check }

func (p *picky) Send(ctx context.Context, list []Message) (int, error) {
	for i := range list {
		p.mu.Lock()
		p.asked[list[i].Event.Key]++
		p.mu.Unlock()
		if err := p.judge(list[i].Event.Key); err != nil {
			return i, err
		}
		if _, err := p.fake.Send(ctx, list[i:i+1]); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (p *picky) times(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[key]
}

// refusing refuses keys that begin with "bad".
func refusing(key string) error {
	if strings.HasPrefix(key, "bad") {
		return &Refusal{errors.New("it answered 400")}
	}
	return nil
}

func tell(t *testing.T, h *Hub, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := h.Send(to(k), true); err != nil {
			t.Fatal(err)
		}
	}
}

// until waits for a state of the only target.
func until(t *testing.T, h *Hub, what string, is func(Status) bool) {
	t.Helper()
	for !is(h.Status()[0]) {
		select {
		case <-t.Context().Done():
			t.Fatalf("never %s: %+v", what, h.Status()[0])
		case <-time.After(time.Millisecond):
		}
	}
}

// lettersOf returns the keys of the letters.
func lettersOf(t *testing.T, h *Hub) (keys []string) {
	t.Helper()
	list, n, ok, err := h.Refused("fake:1", 1000)
	if err != nil || !ok || n != len(list) {
		t.Fatal(n, len(list), ok, err)
	}
	for _, l := range list {
		if l.Error != "it answered 400" || l.Time.IsZero() {
			t.Errorf("%+v", l)
		}
		keys = append(keys, l.Event.Key)
	}
	return keys
}

// TestPoison: an event that its target refuses again and again does not stop those behind it, also after a restart. It is kept, and
// goes out when it is tried again and the target has learnt to take it.
func TestPoison(t *testing.T) {
	dir, p := t.TempDir(), newPicky(refusing, nil)
	h := openHub(t, dir, 100, p)
	h.Start(t.Context(), nothing)
	tell(t, h, "bad1", "1", "bad2", "2")
	if got := p.wait(t, 2); !slices.Equal(got, []string{"s3:ObjectCreated:Put 1", "s3:ObjectCreated:Put 2"}) {
		t.Errorf("%q", got)
	}
	until(t, h, "empty", func(s Status) bool { return s.Waiting == 0 })
	if s := h.Status()[0]; s.Refused != 2 || s.RefusedTotal != 2 || s.Dropped != 0 || s.State != OK {
		t.Errorf("%+v", s)
	}
	if n := p.times("bad1"); n != refusalsEnough {
		t.Errorf("it was asked %d times", n)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	p = newPicky(func(string) error { return nil }, nil)
	h = openHub(t, dir, 100, p)
	defer h.Close()
	h.Start(t.Context(), nothing)
	if got := lettersOf(t, h); !slices.Equal(got, []string{"bad1", "bad2"}) {
		t.Errorf("%q", got)
	}
	if n, ok, err := h.Retry("fake:1"); n != 2 || !ok || err != nil {
		t.Error(n, ok, err)
	}
	p.wait(t, 2)
	if got := lettersOf(t, h); got != nil {
		t.Errorf("%q are still there", got)
	}
	if _, ok, _ := h.Retry("fake:2"); ok {
		t.Error("there is no such target")
	}
}

// TestWrongSetting: a target that refuses everything is set up wrongly, or somebody else is at its address. Then nothing
// is given up, and all of it arrives in its order when that has been mended.
func TestWrongSetting(t *testing.T) {
	var mu sync.Mutex
	wrong := true
	p := newPicky(func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if wrong {
			return &Refusal{errors.New("HTTP request to an HTTPS server")}
		}
		return nil
	}, errors.New("it answered 400"))
	h := openHub(t, t.TempDir(), 100, p)
	defer h.Close()
	h.Start(t.Context(), nothing)
	tell(t, h, numbers(0, 10)...)
	until(t, h, "failing", func(s Status) bool { return s.State == Failing })
	mu.Lock()
	wrong = false
	mu.Unlock()
	got := p.wait(t, 10)
	for i := range 10 {
		if got[i] != fmt.Sprintf("s3:ObjectCreated:Put %d", i) {
			t.Fatalf("%q", got)
		}
	}
	if s := h.Status()[0]; s.Refused != 0 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

// TestStrict: a target that takes no test, and nothing yet, is seen to take others: those that come later, too.
func TestStrict(t *testing.T) {
	p := newPicky(refusing, errors.New("no Records"))
	h := openHub(t, t.TempDir(), 100, p)
	defer h.Close()
	h.Start(t.Context(), nothing)
	tell(t, h, "bad1")
	until(t, h, "failing", func(s Status) bool { return s.State == Failing })
	tell(t, h, "bad2", "1", "2")
	until(t, h, "empty", func(s Status) bool { return s.Waiting == 0 })
	if got := lettersOf(t, h); !slices.Equal(got, []string{"bad1", "bad2"}) {
		t.Errorf("%q", got)
	}
	got := p.wait(t, 3) // what proved it came twice
	if last := got[len(got)-2:]; !slices.Equal(last, []string{"s3:ObjectCreated:Put 1", "s3:ObjectCreated:Put 2"}) {
		t.Errorf("%q", got)
	}
}

// TestLetters: there is a bound, beyond which events are dropped and counted; what is tried again leaves when there is room for
// it in the queue, and a torn line is not taken for a letter.
func TestLetters(t *testing.T) {
	dir := t.TempDir()
	l, err := openLetters(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		err := l.add(Letter{Error: "no", Event: ev(fmt.Sprint(i))})
		if (i == 3) != errors.Is(err, ErrFull) || i < 3 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, lettersName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"time":"20`); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if l, err = openLetters(dir, 5); err != nil || l.figure() != 3 {
		t.Fatal(l.figure(), err)
	}
	var got []string
	settled := 0
	n, err := l.move(func(e *events.Event) error {
		if len(got) == 2 {
			return ErrFull
		}
		got = append(got, e.Key)
		return nil
	}, func() error { settled++; return nil })
	if n != 2 || err != nil || settled != 1 || !slices.Equal(got, numbers(0, 2)) {
		t.Errorf("%d %v %d %q", n, err, settled, got)
	}
	if _, err := l.move(func(*events.Event) error { return ErrFull }, nil); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if err := l.add(Letter{Event: ev("4")}); err != nil {
		t.Error(err)
	}
	broken := errors.New("no disk")
	l.sync = func(*os.File) error { return broken }
	if err := l.add(Letter{Event: ev("lost")}); !errors.Is(err, broken) {
		t.Error(err)
	}
	// Its line is in the file, and no letter: the event is still in the queue.
	if list, n, err := l.first(9); n != 2 || err != nil || len(list) != n || list[1].Event.Key != "4" {
		t.Errorf("%v %d %v", list, n, err)
	}
	l.sync = (*os.File).Sync
	if err := l.add(Letter{Event: ev("5")}); err != nil {
		t.Error(err)
	}
	if l, err = openLetters(dir, 5); err != nil {
		t.Fatal(err)
	}
	list, n, err := l.first(2)
	if n != 3 || err != nil || len(list) != 2 || list[0].Event.Key != "2" || list[1].Event.Key != "4" {
		t.Errorf("%v %d %v", list, n, err)
	}
	if n, err := l.discard(); n != 3 || err != nil || l.figure() != 0 {
		t.Error(n, err, l.figure())
	}
	if n, err := l.discard(); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// TestLettersAfterFailure: what could not be kept is not moved, and is in nobody's way when there is a disk again.
func TestLettersAfterFailure(t *testing.T) {
	l, err := openLetters(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.add(Letter{Event: ev("kept")}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no disk")
	l.sync = func(*os.File) error { return broken }
	if err := l.add(Letter{Event: ev("lost")}); !errors.Is(err, broken) {
		t.Error(err)
	}
	l.sync = (*os.File).Sync
	var got []string
	n, err := l.move(func(e *events.Event) error { got = append(got, e.Key); return nil }, func() error { return nil })
	if n != 1 || err != nil || !slices.Equal(got, []string{"kept"}) || l.figure() != 0 {
		t.Errorf("%d %v %q, left %d", n, err, got, l.figure())
	}
	if err := l.add(Letter{Event: ev("next")}); err != nil {
		t.Error(err)
	}
	if list, n, err := l.first(9); n != 1 || err != nil || len(list) != 1 || list[0].Event.Key != "next" {
		t.Errorf("%v %d %v", list, n, err)
	}
}

// TestLettersFull: a disk that can't keep a letter leaves the event in the queue; a bound that is reached does not.
func TestLettersFull(t *testing.T) {
	p := newPicky(refusing, nil)
	h := openHub(t, t.TempDir(), 2, p)
	defer h.Close()
	s := h.senders["fake:1"]
	var mu sync.Mutex
	broken := errors.New("no disk")
	s.letters.sync = func(*os.File) error { mu.Lock(); defer mu.Unlock(); return broken }
	h.Start(t.Context(), nothing)
	tell(t, h, "bad0")
	until(t, h, "failing", func(s Status) bool {
		return s.State == Failing && s.Waiting == 1 && strings.Contains(s.LastError, "no disk")
	})
	mu.Lock()
	broken = nil
	mu.Unlock()
	for i := 1; i < 4; i++ {
		until(t, h, "empty", func(s Status) bool { return s.Waiting == 0 })
		tell(t, h, fmt.Sprint("bad", i))
	}
	until(t, h, "dropping", func(s Status) bool { return s.Waiting == 0 && s.Dropped == 2 })
	if got := lettersOf(t, h); !slices.Equal(got, []string{"bad0", "bad1"}) {
		t.Errorf("%q", got)
	}
}
