package lifecycle

import (
	"context"
	"maps"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Status is what the runner knows of a bucket.
type Status struct {
	Bucket  string       `json:"bucket"`
	Walking bool         `json:"walking,omitempty"` // everything is looked at, because the rules have changed
	At      string       `json:"at,omitempty"`      // the key up to which it has been
	Next    *time.Time   `json:"next,omitempty"`    // when something may be due
	Last    *time.Time   `json:"last,omitempty"`    // when something was done last
	Day     string       `json:"day,omitempty"`     // length of a day, when that is not 24 hours
	Held    bool         `json:"held,omitempty"`    // the clock has jumped ahead and is not believed yet
	Error   string       `json:"error,omitempty"`
	Rules   []RuleStatus `json:"rules"`
}

// RuleStatus is what a rule has done.
type RuleStatus struct {
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
	Counts
}

// Status tells how far the runner is with a bucket. ErrNoRules, and the errors of the store.
func (r *Runner) Status(ctx context.Context, bucket string) (*Status, error) {
	b, rules, err := r.ruled(ctx, bucket)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	now, held := r.clock.read()
	r.mu.Unlock()
	next, err := r.upcoming(ctx, bucket, rules, storage.DayOf(now.Add(-r.margin), r.day))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state(b)
	out := &Status{Bucket: bucket, Walking: !s.st.Walked || s.again, Rules: []RuleStatus{}}
	if s.st.Walk != nil {
		out.At = string(s.st.Walk.Key)
	}
	out.Held = held
	if !next.IsZero() && !out.Walking {
		out.Next = &next
	}
	if last := s.st.Last; !last.IsZero() {
		out.Last = &last
	}
	if r.day != realDay {
		out.Day = r.day.String()
	}
	if s.err != nil {
		out.Error = s.err.Error()
	}
	for i := range rules.List {
		rule := &rules.List[i]
		rs := RuleStatus{ID: rule.ID, Enabled: rule.Enabled}
		if c := s.st.Rules[rule.ID]; c != nil {
			rs.Counts = *c.clone()
		}
		out.Rules = append(out.Rules, rs)
	}
	return out, nil
}

// Totals returns what has been done since the start, over all buckets.
func (r *Runner) Totals() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.totals
	c.Actions = maps.Clone(c.Actions)
	return c
}
