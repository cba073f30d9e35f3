package adminapi

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// LogLine is a line of GET log.
type LogLine struct {
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"` // info, warn, error
	Message string            `json:"message"`
	Attrs   map[string]string `json:"attrs"`
}

const usualLines = 100

// levels are the words of ?level=, from the least on.
var levels = map[string]slog.Level{"info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// levelName is the word for a level.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warn"
	}
	return "info"
}

// watchLog answers with the last lines, and with those that follow if it is asked to.
func (c *call) watchLog() error {
	last := usualLines
	if c.query.Has("last") {
		var err error
		if last, err = strconv.Atoi(c.query.Get("last")); err != nil || last < 0 || last > live.MaxLines {
			return badArgument("The parameter last is a number of lines from 0 to %d.", live.MaxLines)
		}
	}
	least, ok := levels[c.query.Get("level")]
	if c.query.Has("level") && !ok {
		return badArgument("The parameter level is info, warn or error.")
	}
	on, err := c.flag("follow")
	if err != nil {
		return err
	}
	lines, w, err := c.config.Host.Log().Watch(c.id.ID, 0, func(l *live.Line) bool { return l.Level >= least })
	if err != nil {
		return watchRefusal(err)
	}
	defer w.Close()
	enc := c.lines()
	for i := max(0, len(lines)-last); i < len(lines); i++ {
		if enc.Encode(newLogLine(&lines[i])) != nil {
			return nil // the client is gone
		}
	}
	if !on {
		return nil
	}
	return follow(c, ActionLog, enc, w, func(l *live.Line) any { return newLogLine(l) })
}

func newLogLine(l *live.Line) LogLine {
	out := LogLine{Time: l.Time.UTC(), Level: levelName(l.Level), Message: l.Message, Attrs: make(map[string]string, len(l.Attrs))}
	for _, a := range l.Attrs {
		out.Attrs[a.Name] = a.Value
	}
	return out
}
