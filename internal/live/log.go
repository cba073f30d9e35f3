package live

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Limits of what a Log keeps.
const (
	MaxLines = 1000 // last lines
	maxText  = 2048 // bytes of a message and of each value; longer ones are cut
)

// Line is one line of the server's log.
type Line struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Attrs   []Attr // in the order in which they were logged
}

// Attr is a named value of a Line; a group's members have its name and a dot before theirs.
type Attr struct{ Name, Value string }

// Log keeps the last MaxLines lines that passed its Handler, and feeds those that follow. The zero value is
// ready. Safe for concurrent use.
type Log struct {
	feed  Feed[Line]
	lines []Line // a ring once it is full; under feed.mu
	next  int    // where the oldest line is then
}

// Watch returns the last lines that keep takes, at most n of them (0: all that are kept), and a watcher
// for what follows them; errors as those of Feed.Watch.
func (l *Log) Watch(owner string, n int, keep func(*Line) bool) ([]Line, *Watcher[Line], error) {
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	w, err := l.feed.watch(owner, keep)
	if err != nil {
		return nil, nil, err
	}
	var last []Line
	for i := range l.lines {
		if line := &l.lines[(l.next+i)%len(l.lines)]; keep == nil || keep(line) {
			last = append(last, *line)
		}
	}
	if n > 0 && len(last) > n {
		last = last[len(last)-n:]
	}
	return last, w, nil
}

// Dropped counts the lines that watchers had no room for.
func (l *Log) Dropped() int64 { return l.feed.Dropped() }

// Close ends all watchers.
func (l *Log) Close() { l.feed.Close() }

func (l *Log) add(line Line) {
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	if len(l.lines) < MaxLines {
		l.lines = append(l.lines, line)
	} else {
		l.lines[l.next] = line
		l.next = (l.next + 1) % MaxLines
	}
	for w := range l.feed.watchers {
		w.offer(line)
	}
}

// Handler returns a handler that gives what next takes to next and to l. Values under names of secrets
// (package reqlog) do not get into l.
func (l *Log) Handler(next slog.Handler) slog.Handler { return &handler{log: l, next: next} }

type handler struct {
	log    *Log
	next   slog.Handler
	attrs  []Attr
	prefix string // of groups
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	line := Line{Time: r.Time, Level: r.Level, Message: cut(r.Message), Attrs: slices.Clone(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		line.Attrs = flatten(line.Attrs, h.prefix, a)
		return true
	})
	h.log.add(line)
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.next, n.attrs = h.next.WithAttrs(attrs), slices.Clone(h.attrs)
	for _, a := range attrs {
		n.attrs = flatten(n.attrs, h.prefix, a)
	}
	return &n
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	n := *h
	if n.next = h.next.WithGroup(name); name != "" {
		n.prefix = h.prefix + name + "."
	}
	return &n
}

// flatten appends a, whose groups become prefixes of names.
func flatten(to []Attr, prefix string, a slog.Attr) []Attr {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			to = flatten(to, prefix, member)
		}
		return to
	}
	if a.Equal(slog.Attr{}) {
		return to
	}
	value := reqlog.Masked
	if !reqlog.IsSecret(a.Key) {
		value = cut(v.String())
	}
	return append(to, Attr{prefix + a.Key, value})
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}
