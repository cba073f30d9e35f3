package s3api

import "time"

// lockClock is the time that locks go by. They can't be given back once they have ended, so a clock that is set forward
// while the server runs does not end them: what counts is the time that has passed. A clock that is set back is believed,
// since locks last longer by it. A start reads the clock anew.
type lockClock struct {
	now    func() time.Time
	start  time.Time
	passed func() time.Duration // since start, whatever the clock says
}

// newLockClock goes by now; passed is nil for the machine's own measure, which the readings of time.Now carry.
func newLockClock(now func() time.Time, passed func() time.Duration) lockClock {
	start := now()
	if passed == nil {
		passed = func() time.Duration { return now().Sub(start) }
	}
	return lockClock{now: now, start: start.Round(0), passed: passed}
}

// least is the time by which it is judged whether a lock has ended: the earlier of what the clock says and of what has
// passed.
func (l *lockClock) least() time.Time {
	now, passed := l.now(), l.start.Add(l.passed())
	if now.Round(0).After(passed) {
		return passed
	}
	return now
}

// most is the time from which a new lock is counted: the later of the two, so that one made while the clock was back does
// not end when it is right again.
func (l *lockClock) most() time.Time {
	now, passed := l.now(), l.start.Add(l.passed())
	if passed.After(now.Round(0)) {
		return passed
	}
	return now
}
