package fs

import (
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Failed compactions are repeated after a pause, which grows up to a limit. Pebble has
// none, and repeats what can't succeed (on a damaged file of values) for ever.
const (
	firstHold = time.Second
	lastHold  = time.Minute
)

// scheduler lets Pebble compact up to the concurrency that it asks for. Pebble's own has
// a ticker that wakes an idle process ten times a second; this one looks again only when
// a compaction or a flush ends, which are the moments when more becomes allowed. A
// compaction waits only when it was refused: as many are running as may, or the last
// one failed and the pause is not over. The end of either grants the next.
//
// Its mutex is taken after Pebble's, so that it is never held in a call of Pebble.
type scheduler struct {
	db pebble.DBForCompaction

	mu       sync.Mutex
	turn     sync.Cond // granting has become false
	running  int
	granting bool
	refused  bool // a compaction was, since grant looked for waiting ones
	begun    bool // the index is open
	closed   bool
	pause    time.Duration // of the last failure; 0 when there was none
	hold     *time.Timer   // ends the pause; nil when there is none
	calls    sync.WaitGroup
}

func newScheduler() *scheduler {
	s := &scheduler{}
	s.turn.L = &s.mu
	return s
}

// Register implements pebble.CompactionScheduler.
func (s *scheduler) Register(_ int, db pebble.DBForCompaction) { s.db = db }

// Unregister implements pebble.CompactionScheduler.
func (s *scheduler) Unregister() {
	s.mu.Lock()
	s.closed = true
	if s.hold != nil && s.hold.Stop() {
		s.calls.Done()
	}
	for s.granting {
		s.turn.Wait()
	}
	s.mu.Unlock()
	s.calls.Wait()
}

// begin allows compactions, now that the index is open.
func (s *scheduler) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	if s.mayRun() {
		s.calls.Go(s.grant)
	}
}

// mayRun tells whether one more compaction may run. The mutex is held.
func (s *scheduler) mayRun() bool {
	return s.begun && !s.closed && s.hold == nil && s.running < s.db.GetAllowedWithoutPermission()
}

// TrySchedule implements pebble.CompactionScheduler.
func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayRun() {
		s.refused = true
		return false, nil
	}
	s.running++
	return true, s
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler. Its caller
// holds Pebble's mutex.
func (s *scheduler) UpdateGetAllowedWithoutPermission() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mayRun() {
		s.calls.Go(s.grant)
	}
}

// grant starts the compactions that wait, as many as may run.
func (s *scheduler) grant() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.granting {
		s.turn.Wait()
	}
	s.granting = true
	for s.mayRun() {
		s.running++
		s.refused = false
		s.mu.Unlock()
		waiting, _ := s.db.GetWaitingCompaction()
		accepted := waiting && s.db.Schedule(s)
		s.mu.Lock()
		if !accepted {
			s.running--
			if !s.refused { // else one has come to wait since it was looked for
				break
			}
		}
	}
	s.granting = false
	s.turn.Broadcast()
}

// ended is told how a compaction ended, before Done. Its caller holds Pebble's mutex.
func (s *scheduler) ended(err error) {
	if errors.Is(err, pebble.ErrCancelledCompaction) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.pause = 0
		return
	}
	if s.closed || s.hold != nil {
		return
	}
	s.pause = min(max(2*s.pause, firstHold), lastHold)
	s.calls.Add(1)
	s.hold = time.AfterFunc(s.pause, s.resume)
}

// resume ends the pause.
func (s *scheduler) resume() {
	defer s.calls.Done()
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	s.grant()
}

// Started implements pebble.CompactionGrantHandle.
func (s *scheduler) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (s *scheduler) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (s *scheduler) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// Done implements pebble.CompactionGrantHandle.
func (s *scheduler) Done() {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	s.grant()
}
