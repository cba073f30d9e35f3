package fs

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// queue is a database with compactions that wait.
type queue struct {
	s       *scheduler
	allowed int

	mu      sync.Mutex
	waiting int
	running []pebble.CompactionGrantHandle
}

func (q *queue) GetAllowedWithoutPermission() int { return q.allowed }

func (q *queue) GetWaitingCompaction() (bool, pebble.WaitingCompaction) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting > 0, pebble.WaitingCompaction{}
}

func (q *queue) Schedule(h pebble.CompactionGrantHandle) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		return false
	}
	q.waiting--
	q.running = append(q.running, h)
	return true
}

// want asks for a compaction as Pebble does: when it is refused it waits.
func (q *queue) want() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ok, h := q.s.TrySchedule(); ok {
		q.running = append(q.running, h)
	} else {
		q.waiting++
	}
}

// end ends one compaction.
func (q *queue) end(err error) {
	q.mu.Lock()
	h := q.running[0]
	q.running = q.running[1:]
	q.s.ended(err)
	q.mu.Unlock()
	h.Done()
}

func (q *queue) expect(t *testing.T, what string, running, waiting int) {
	t.Helper()
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.running) != running || q.waiting != waiting {
		t.Errorf("%s: %d run and %d wait, want %d and %d", what, len(q.running), q.waiting, running, waiting)
	}
}

// TestScheduler takes compactions through all that lets one of them run.
func TestScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		q := &queue{s: s, allowed: 1}
		s.Register(2, q)
		for range 6 {
			q.want()
		}
		q.expect(t, "nothing before the index is open", 0, 6)
		s.begin()
		q.expect(t, "one at a time", 1, 5)
		q.end(nil)
		q.expect(t, "the end of one grants the next", 1, 4)
		q.allowed = 2
		s.UpdateGetAllowedWithoutPermission()
		q.expect(t, "a flush that allows more", 2, 3)
		q.end(errors.New("damaged"))
		q.expect(t, "a failure makes a pause", 1, 3)
		q.end(errors.New("damaged"))
		q.expect(t, "no more in the pause", 0, 3)
		time.Sleep(firstHold)
		q.expect(t, "after the pause", 2, 1)
		q.end(errors.New("damaged again"))
		time.Sleep(firstHold)
		q.expect(t, "the second pause is longer", 1, 1)
		time.Sleep(firstHold)
		q.expect(t, "and ends", 2, 0)
		q.end(nil)
		q.end(pebble.ErrCancelledCompaction)
		q.expect(t, "nothing to do", 0, 0)
		q.want()
		q.end(errors.New("damaged"))
		q.want()
		s.Unregister() // within a pause
		time.Sleep(2 * lastHold)
		q.expect(t, "nothing runs once it is unregistered", 0, 1)
	})
}
