package loadgen

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramBuckets(t *testing.T) {
	var h Histogram
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 1000, 1 << 20, 1<<20 + 1, math.MaxInt64, math.MaxUint64} {
		i := bucket(v)
		if i < 0 || i >= len(h.buckets) {
			t.Fatalf("bucket(%d) = %d of %d", v, i, len(h.buckets))
		}
		if up := upper(i); up < v || up-v > v>>subBits {
			t.Errorf("upper(bucket(%d)) = %d", v, up)
		}
		if i > 0 && upper(i-1) >= v {
			t.Errorf("%d belongs into a lower bucket than %d", v, i)
		}
	}
}

func TestHistogramQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 100, 10_000} {
		var a, b Histogram
		values := make([]time.Duration, n)
		for i := range values {
			values[i] = time.Duration(math.Exp(rng.Float64() * 24))
			if i%2 == 0 {
				a.Add(values[i])
			} else {
				b.Add(values[i])
			}
		}
		a.Merge(&b)
		slices.Sort(values)
		if a.Count() != n {
			t.Fatalf("count %d, want %d", a.Count(), n)
		}
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			want := values[max(int(math.Ceil(q*float64(n))), 1)-1]
			if got := a.Quantile(q); got < want || got > want+want>>subBits {
				t.Errorf("quantile %v of %d: %d, want %d", q, n, got, want)
			}
		}
	}
	if got := new(Histogram).Quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing: %v", got)
	}
}
