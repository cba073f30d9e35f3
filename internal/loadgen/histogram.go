package loadgen

import (
	"math/bits"
	"time"
)

// subBits is the precision of a Histogram: each power of two is divided into 2^subBits
// buckets, so a quantile is at most 1/64 too high.
const subBits = 6

// Histogram counts durations, from a nanosecond to centuries, without allocating.
// The zero value is ready for use. It is not safe for concurrent use: each worker
// has its own, and they are merged at the end.
type Histogram struct {
	count   uint64
	max     uint64
	buckets [(64 - subBits + 1) << subBits]uint32
}

// bucket returns the index of the bucket of v: linear up to 2^subBits, above it the
// exponent and the subBits bits below the leading one.
func bucket(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// upper returns the largest value of bucket i.
func upper(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	mantissa := uint64(i&(1<<subBits-1)) + 1<<subBits
	return (mantissa+1)<<shift - 1
}

// Add counts d; a negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	v := uint64(max(d, 0))
	h.buckets[bucket(v)]++
	h.count++
	h.max = max(h.max, v)
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.count += o.count
	h.max = max(h.max, o.max)
}

// Count returns how many durations were added.
func (h *Histogram) Count() int { return int(h.count) }

// Quantile returns the duration that the fraction q (0 to 1) of those counted does
// not exceed; never less than the true one, and at most 1/64 more. Zero when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := max(uint64(q*float64(h.count)+0.999999), 1)
	var seen uint64
	for i, n := range h.buckets {
		seen += uint64(n)
		if seen >= rank {
			return time.Duration(min(upper(i), h.max))
		}
	}
	return time.Duration(h.max)
}
