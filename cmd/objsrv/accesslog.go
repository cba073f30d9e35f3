package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// accessLog writes a JSON line for each request. A nil one writes nothing.
type accessLog struct {
	name string // of a file, else ""
	log  atomic.Pointer[slog.Logger]

	mu   sync.Mutex
	file *os.File
}

// openAccessLog opens the log that the setting names.
func openAccessLog(where string, stdout, stderr io.Writer) (*accessLog, error) {
	a := &accessLog{}
	switch where {
	case "", "off":
		return nil, nil
	case "stdout", "-":
		a.log.Store(slog.New(slog.NewJSONHandler(stdout, nil)))
	case "stderr":
		a.log.Store(slog.New(slog.NewJSONHandler(stderr, nil)))
	default:
		a.name = where
		if err := a.reopen(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// reopen opens the file by its name again, after a rotation.
func (a *accessLog) reopen() error {
	if a == nil || a.name == "" {
		return nil
	}
	f, err := os.OpenFile(a.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open access log: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.file
	a.file = f
	a.log.Store(slog.New(slog.NewJSONHandler(f, nil)))
	if old != nil {
		// A request that still has the old logger loses its line to a closed file at worst.
		old.Close()
	}
	return nil
}

func (a *accessLog) write(e *reqlog.Event) {
	if a != nil {
		e.Line(a.log.Load(), time.Now())
	}
}

// Close closes the file.
func (a *accessLog) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
