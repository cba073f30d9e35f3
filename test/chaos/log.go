package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
)

// operations are what the load consists of. A session is used at a gateway that has not issued it.
var operations = []string{"PUT", "GET", "AssumeRole", "use elsewhere"}

// event is one request.
type event struct {
	at    time.Time // of its end
	op    string
	fault string // kind of error; "" is success
}

// log has all requests in the order of their ends.
type log struct {
	mu     sync.Mutex
	events []event
}

func (l *log) add(op string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event{time.Now(), op, kind(err)})
}

// span is a part of a log.
type span []event

func (l *log) between(from, to time.Time) span {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s span
	for _, e := range l.events {
		if !e.at.Before(from) && e.at.Before(to) {
			s = append(s, e)
		}
	}
	return s
}

// gap is the longest time without a success of an operation that touches the span.
func (l *log) gap(op string, from, to time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest, last := time.Duration(0), from
	for _, e := range l.events {
		if e.op != op || e.fault != "" || !e.at.Before(to) {
			continue
		}
		if e.at.After(from) {
			longest = max(longest, e.at.Sub(last))
		}
		last = e.at
	}
	return max(longest, to.Sub(last))
}

// String counts requests and errors by kind.
func (s span) String() string {
	kinds, failed := map[string]int{}, 0
	for _, e := range s {
		if e.fault != "" {
			kinds[e.op+" "+e.fault]++
			failed++
		}
	}
	text := fmt.Sprintf("%d requests, %d errors (%.2f %%)", len(s), failed, 100*float64(failed)/float64(max(1, len(s))))
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		text += fmt.Sprintf(", %s: %d", k, kinds[k])
	}
	return text
}

// failed is an error when a request of the span failed, or an operation had none.
func (s span) failed() error {
	seen := map[string]bool{}
	for _, e := range s {
		if e.fault != "" {
			return errors.New(s.String())
		}
		seen[e.op] = true
	}
	for _, op := range operations {
		if !seen[op] {
			return fmt.Errorf("no %s: %s", op, s)
		}
	}
	return nil
}

// refused is an error when a gateway did not know a session that another had issued.
func (s span) refused() error {
	for _, e := range s {
		if strings.HasPrefix(e.fault, "403") || strings.HasPrefix(e.fault, "401") {
			return errors.New(s.String())
		}
	}
	return nil
}

// lastError is when an operation failed last, the zero time when it did not.
func (s span) lastError(op string) (at time.Time) {
	for _, e := range s {
		if e.op == op && e.fault != "" {
			at = e.at
		}
	}
	return at
}

// kind names an error for the report.
func kind(err error) string {
	var answer minio.ErrorResponse
	var status statusError
	var network net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &status):
		return status.Error()
	case errors.As(err, &answer) && answer.StatusCode != 0:
		if answer.Code == "" {
			return fmt.Sprint(answer.StatusCode)
		}
		return fmt.Sprint(answer.StatusCode, " ", answer.Code)
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no connection"
	}
	return "cut: " + err.Error()
}

// statusError is an answer that is no success, by its status.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))) }
