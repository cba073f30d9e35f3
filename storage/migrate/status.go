package migrate

import (
	"maps"
	"slices"
	"time"
)

// Status says how far a migration is.
type Status struct {
	Source   string
	Begun    time.Time
	Complete time.Time // zero while something is left
	// Copying tells whether the copier works; Waiting why it can't go on.
	Copying      bool
	Waiting      string
	Done, Total  Amount // Total is of the buckets that have been counted
	Copied       Amount
	Counted      bool // Total is that of all buckets
	Versions     float64
	Bytes        float64       // a second
	Left         time.Duration // at this speed; 0 when that can't be told
	Buckets      []BucketStatus
	Failures     []Failure // the first of them
	FailureCount int
	Verification Verification
}

// Amount counts versions, delete markers among them, and their bytes.
type Amount struct{ Versions, Bytes int64 }

// BucketStatus is how far one bucket is.
type BucketStatus struct {
	Name        string
	State       string // settings, copying, done, foreign, gone
	Done, Total Amount // Total once it is Counted
	Counted     bool
	Failed      int
	NotCarried  []string
	Unproven    int64 // contents whose ETag is no MD5 of them, so that they could not be compared with it
	InTheClear  int64 // contents that are encrypted there and not here
	Whole       int64 // multipart objects stored without their parts, which the source does not tell
}

// Failure is a key that could not be copied.
type Failure struct{ Bucket, Key, Reason string }

// maxFailures is how many are told.
const maxFailures = 1000

// Status returns how far it is.
func (s *Store) Status() Status {
	s.mu.Lock()
	st := Status{Source: s.state.URL, Begun: s.state.Begun, Complete: s.state.Complete, Waiting: s.lastErr, Verification: s.verify, Counted: s.state.Adopted}
	st.Verification.Problems = slices.Clone(s.verify.Problems)
	s.mu.Unlock()
	st.Copying = !s.isIdle()
	for _, b := range s.sorted() {
		b.mu.Lock()
		r := b.rec
		bs := BucketStatus{
			Name: b.name, State: string(r.Stage), Done: Amount(r.Done), Total: Amount(r.Total), Counted: r.Counted, Failed: len(b.fail),
			NotCarried: r.Notes, Unproven: r.Unproven, Whole: r.Whole, InTheClear: r.InTheClear,
		}
		for _, key := range slices.Sorted(maps.Keys(b.fail)) {
			if st.FailureCount++; len(st.Failures) < maxFailures {
				st.Failures = append(st.Failures, Failure{b.name, key, b.fail[key]})
			}
		}
		b.mu.Unlock()
		st.Buckets = append(st.Buckets, bs)
		if r.Stage == stageForeign || r.Stage == stageGone {
			continue
		}
		add(&st.Done, r.Done)
		add(&st.Copied, r.Copied)
		if r.Counted {
			add(&st.Total, r.Total)
		} else if r.Stage == stageDone {
			add(&st.Total, r.Done)
		} else {
			st.Counted = false
		}
	}
	if st.Copying {
		st.Versions, st.Bytes = s.meter.rate(s.o.Now())
		st.Left = left(&st)
	}
	return st
}

func add(to *Amount, a amount) {
	to.Versions += a.Versions
	to.Bytes += a.Bytes
}

// left is the time that the rest takes at the speed of now: of versions or of bytes, whichever takes longer.
func left(st *Status) time.Duration {
	if !st.Counted || st.Versions == 0 {
		return 0
	}
	d := float64(st.Total.Versions-st.Done.Versions) / st.Versions
	if st.Bytes > 0 {
		d = max(d, float64(st.Total.Bytes-st.Done.Bytes)/st.Bytes)
	}
	return max(0, time.Duration(min(d, 1e9)*float64(time.Second)).Round(time.Second))
}
