package notify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/events"
)

// lettersName is the file, beside the queue, of events that the target has refused.
const lettersName = "refused.jsonl"

// Letter is an event that a target has refused for good.
type Letter struct {
	Time  time.Time    `json:"time"`
	Error string       `json:"error"`
	Event events.Event `json:"event"`
}

// letters are the events that one target has refused, the oldest first: a line of JSON for each, so that whoever has to
// find out why needs no tool of ours. When there are as many as may wait in the queue, the next ones are refused with
// ErrFull: the first ones show what went wrong. It is safe for concurrent use.
type letters struct {
	name  string
	limit int
	sync  func(*os.File) error

	mu    sync.Mutex
	count int
	size  int64 // of the lines that are whole
}

// openLetters looks at what earlier runs have left. A line that a power cut has torn is of an event that is still in
// the queue, and is written over.
func openLetters(dir string, limit int) (*letters, error) {
	l := &letters{name: filepath.Join(dir, lettersName), limit: limit, sync: (*os.File).Sync}
	err := l.each(math.MaxInt64, func(line []byte) (bool, error) {
		l.count++
		l.size += int64(len(line))
		return true, nil
	})
	return l, err
}

// each calls use with each whole line below an end until that says no. The caller holds mu.
func (l *letters) each(end int64, use func(line []byte) (bool, error)) error {
	f, err := os.Open(l.name)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for r := bufio.NewReaderSize(io.LimitReader(f, end), readAhead); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := use(line); err != nil || !more {
			return err
		}
	}
}

// add keeps an event; it is durable when add returns.
func (l *letters) add(letter Letter) error {
	line, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.limit {
		return ErrFull
	}
	line = append(line, '\n')
	if err := l.write(line); err != nil {
		return fmt.Errorf("keep an event that was refused: %w", err)
	}
	l.count++
	l.size += int64(len(line))
	return nil
}

// write puts lines behind those that are there. What a failure leaves of them is written over by the next call.
func (l *letters) write(lines []byte) error {
	f, err := os.OpenFile(l.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(l.size)
	if err == nil {
		_, err = f.WriteAt(lines, l.size)
	}
	if err == nil {
		err = l.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(l.name))
}

// first returns the oldest letters, at most so many, and how many there are.
func (l *letters) first(most int) (list []Letter, count int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.each(l.size, func(line []byte) (bool, error) {
		if len(list) >= most {
			return false, nil
		}
		letter, err := readLetter(line)
		list = append(list, letter)
		return true, err
	})
	return list, l.count, err
}

func readLetter(line []byte) (letter Letter, err error) {
	if err = json.Unmarshal(bytes.TrimSpace(line), &letter); err != nil {
		err = fmt.Errorf("read an event that was refused: %w", err)
	}
	return letter, err
}

// move hands letters to use, the oldest first, until that fails or none is left. settle is called when use has had its
// last; then those that it took are gone. What stopped it is returned when nothing was moved, or when it is a line that
// can't be read.
func (l *letters) move(use func(*events.Event) error, settle func() error) (moved int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var full error
	at := int64(0)
	unread := l.each(l.size, func(line []byte) (bool, error) {
		letter, err := readLetter(line)
		if err != nil {
			return false, err
		}
		if full = use(&letter.Event); full != nil {
			return false, nil
		}
		moved++
		at += int64(len(line))
		return true, nil
	})
	if moved == 0 {
		return 0, errors.Join(unread, full)
	}
	if err := settle(); err != nil {
		return 0, err
	}
	return moved, errors.Join(l.cut(at, moved), unread)
}

// discard forgets all letters and returns how many there were.
func (l *letters) discard() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.count
	return n, l.cut(l.size, n)
}

// cut removes the first n letters, which have so many bytes. The caller holds mu.
func (l *letters) cut(bytes int64, n int) error {
	if n == 0 {
		return nil
	}
	if err := l.replace(bytes); err != nil {
		return fmt.Errorf("forget events that were refused: %w", err)
	}
	l.count -= n
	l.size -= bytes
	return syncDir(filepath.Dir(l.name))
}

// replace leaves of the file what is behind an offset.
func (l *letters) replace(from int64) error {
	if from >= l.size {
		return os.Remove(l.name)
	}
	old, err := os.Open(l.name)
	if err != nil {
		return err
	}
	defer old.Close()
	f, err := os.OpenFile(l.name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(old, from, l.size-from))
	if err == nil {
		err = l.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), l.name)
}

// figure returns how many letters there are.
func (l *letters) figure() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}
