package s3api

import (
	"sync/atomic"
	"time"
)

// sequence numbers events by the clock, and onwards from the last number when the clock stands or goes back.
type sequence struct{ last atomic.Uint64 }

func (s *sequence) next(now time.Time) uint64 {
	for {
		last := s.last.Load()
		n := max(uint64(now.UnixNano()), last+1)
		if s.last.CompareAndSwap(last, n) {
			return n
		}
	}
}
