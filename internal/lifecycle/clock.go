package lifecycle

import "time"

// clock is the time that rules go by: the machine's, but for its jumps. Deletions can't be taken back, so a clock that
// goes ahead of the time that has passed since it was last looked at is believed only once it has stood for a while; until
// then time goes on from where it was. A clock that goes back is believed at once: less is due then.
type clock struct {
	wall func() time.Time
	mono func() time.Duration // time passed since some moment, whatever the clock says
	day  time.Duration

	last  time.Time     // as told last
	at    time.Duration // mono then
	ahead bool          // the wall is ahead since
	since time.Duration
}

// How far a clock may go ahead in a day's terms: slack is drift and slewing, hold how long a jump must stand, and absent
// how long a server may have been switched off.
const (
	slackPart  = 24
	holdPart   = 4
	absentDays = 90
)

// startAt has the clock know the time at which the store was last known to be in use; zero when nothing is known.
func (c *clock) startAt(seen time.Time) {
	now := c.wall()
	c.last, c.at = now, c.mono()
	if !seen.IsZero() && now.Sub(seen) > absentDays*c.day {
		c.last, c.ahead, c.since = seen, true, c.at
	}
}

// read returns the time, and whether the wall's is not believed.
func (c *clock) read() (now time.Time, held bool) {
	wall, at := c.wall(), c.mono()
	expected := c.last.Add(at - c.at)
	switch {
	case !wall.After(expected.Add(c.day / slackPart)):
		c.ahead = false
	case !c.ahead:
		c.ahead, c.since = true, at
	}
	if c.ahead && at-c.since < c.day/holdPart {
		wall = expected
	} else {
		c.ahead = false
	}
	c.last, c.at = wall, at
	return wall, c.ahead
}

// trust takes the wall's time as it is.
func (c *clock) trust() { c.ahead, c.last, c.at = false, c.wall(), c.mono() }
