package live

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

func TestFeed(t *testing.T) {
	var f Feed[int]
	f.Publish(1) // for nobody
	even, err := f.Watch("a", func(n *int) bool { return *n%2 == 0 })
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Watch("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		f.Publish(n)
	}
	all.Close()
	all.Close()
	f.Publish(4)
	f.Close()
	if got := read(even); fmt.Sprint(got) != "[0 2 4]" {
		t.Errorf("even: %v", got)
	}
	if got := read(all); fmt.Sprint(got) != "[0 1 2 3]" {
		t.Errorf("all: %v", got)
	}
	even.Close()
	if f.Active() {
		t.Error("a closed feed is watched")
	}
	late, err := f.Watch("c", nil)
	if err != nil || len(read(late)) != 0 {
		t.Errorf("watcher of a closed feed: %v", err)
	}
}

// read returns all that a watcher of a closed feed has.
func read[T any](w *Watcher[T]) []T {
	var all []T
	for v := range w.Entries() {
		all = append(all, v)
	}
	return all
}

// TestLimits is S-209: a user has few streams, a slow reader loses entries, holds no memory beyond
// its queue, and slows nobody down.
func TestLimits(t *testing.T) {
	var f Feed[int]
	var mine []*Watcher[int]
	for range MaxOfOne {
		w, err := f.Watch("a", nil)
		if err != nil {
			t.Fatal(err)
		}
		mine = append(mine, w)
	}
	if _, err := f.Watch("a", nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more of a user: %v", err)
	}
	for i := range MaxAll - MaxOfOne {
		if _, err := f.Watch(fmt.Sprint("user", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Watch("z", nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more of all: %v", err)
	}
	mine[0].Close()
	if _, err := f.Watch("a", nil); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
	for n := range MaxQueue + 10 {
		f.Publish(n)
	}
	if n := mine[1].Dropped(); n != 10 {
		t.Errorf("%d entries were dropped", n)
	}
	if n := f.Dropped(); n != 10*MaxAll {
		t.Errorf("%d entries were dropped in all", n)
	}
	f.Close()
	if got := read(mine[1]); len(got) != MaxQueue || got[0] != 0 {
		t.Errorf("%d entries", len(got))
	}
}

// TestFeedRace has watchers come and go while entries are published.
func TestFeedRace(t *testing.T) {
	var f Feed[int]
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 500 {
				f.Publish(n)
			}
		})
		wg.Go(func() {
			for range 100 {
				w, err := f.Watch(fmt.Sprint(i), nil)
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case <-w.Entries():
				default:
				}
				w.Close()
			}
		})
	}
	wg.Wait()
	if f.Active() {
		t.Error("still watched")
	}
}

func TestLog(t *testing.T) {
	var l Log
	var out bytes.Buffer
	log := slog.New(l.Handler(slog.NewTextHandler(&out, nil)))
	log.Debug("not enabled")
	log.Info("first", "n", 1)
	log.With("request", "R1").WithGroup("g").Error("second", "error", errors.New("broken"), slog.Group("h", "x", 2))
	warnings := func(line *Line) bool { return line.Level >= slog.LevelWarn }
	last, w, err := l.Watch("a", 0, warnings)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[{request R1} {g.error broken} {g.h.x 2}]"; len(last) != 1 || last[0].Message != "second" || fmt.Sprint(last[0].Attrs) != want {
		t.Errorf("%v, want %s", last, want)
	}
	log.Info("third")
	log.Warn("fourth")
	l.Close()
	if got := read(w); len(got) != 1 || got[0].Message != "fourth" {
		t.Errorf("%v", got)
	}
	for _, want := range []string{"first", "second", "third", "fourth"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the log behind it", want)
		}
	}
	for n := range MaxLines + 5 {
		log.Info(fmt.Sprint("line ", n))
	}
	last, _, _ = l.Watch("a", 0, nil)
	if len(last) != MaxLines || last[0].Message != "line 5" || last[MaxLines-1].Message != fmt.Sprint("line ", MaxLines+4) {
		t.Errorf("%d lines from %q to %q", len(last), last[0].Message, last[len(last)-1].Message)
	}
	if last, _, _ = l.Watch("a", 3, nil); len(last) != 3 || last[0].Message != fmt.Sprint("line ", MaxLines+2) {
		t.Errorf("last three: %v", last)
	}
}

// TestSecrets is S-250 and S-257: no secret gets into what administrators watch, and no entry is
// longer than its bounds.
func TestSecrets(t *testing.T) {
	const secret = "s3cr3tvalue"
	h := http.Header{"X-Amz-Meta-A": {strings.Repeat("x", 5000)}}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Amz-Security-Token", "X-Amz-Server-Side-Encryption-Customer-Key",
		"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key", "X-Api-Key", "X-Vault-Token"} {
		h[name] = []string{secret}
	}
	e := &reqlog.Event{Method: "GET", Host: "h", URI: "/b/k?X-Amz-Signature=" + secret + "&X-Amz-Credential=" + secret + "&X-Amz-Security-Token=" + secret + "&list-type=2",
		Header: h, Answer: http.Header{"Set-Cookie": {secret}, "Etag": {"e"}}, Start: time.Unix(10, 0), Answered: time.Unix(11, 0)}
	tr := NewTrace(e, time.Unix(12, 0))
	text := fmt.Sprintf("%+v", tr)
	if strings.Contains(text, secret) {
		t.Errorf("a secret is in %s", text)
	}
	if tr.Header.Get("Host") != "h" || tr.Answer.Get("Etag") != "e" || !strings.Contains(tr.URI, "list-type=2") || tr.Took != 2*time.Second || tr.FirstByte != time.Second {
		t.Errorf("%+v", tr)
	}
	if n := len(tr.Header.Get("X-Amz-Meta-A")); n > maxText+len("…") {
		t.Errorf("a value of %d bytes", n)
	}
	if h.Get("Authorization") != secret {
		t.Error("the request's own header was changed")
	}
	var l Log
	log := slog.New(l.Handler(slog.DiscardHandler))
	slog.New(l.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil))).With("token", secret).Error(strings.Repeat("m", 5000), "password", secret, slog.Group("g", "secret", secret))
	log.Info("dropped")
	last, _, _ := l.Watch("a", 0, nil)
	if len(last) != 1 || strings.Contains(fmt.Sprint(last), secret) || len(last[0].Message) > maxText+len("…") {
		t.Errorf("%d lines: %.200s", len(last), fmt.Sprint(last))
	}
}

func BenchmarkPublishUnwatched(b *testing.B) {
	var f Feed[Trace]
	e := &reqlog.Event{}
	b.ReportAllocs()
	for b.Loop() {
		if f.Active() {
			f.Publish(NewTrace(e, time.Time{}))
		}
	}
}
