package fs

import (
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// stripeCount is large enough that a batch of 1000 deletions holds up few others.
const stripeCount = 16384

// stripes is a fixed set of locks that stand for many names.
type stripes [stripeCount]sync.RWMutex

func stripeOf(bucket uint64, key string) int {
	return int((xxhash.Sum64String(key) ^ bucket*0x9E3779B97F4A7C15) % stripeCount)
}

// lock locks the stripes with the given numbers, each once and in ascending order, and
// returns what unlocks them.
func (s *stripes) lock(list ...int) (unlock func()) {
	if len(list) == 1 {
		m := &s[list[0]]
		m.Lock()
		return m.Unlock
	}
	slices.Sort(list)
	list = slices.Compact(list)
	for _, i := range list {
		s[i].Lock()
	}
	return func() {
		for _, i := range list {
			s[i].Unlock()
		}
	}
}

// tracker lets readers wait for the commits that they could have seen before these
// were durable.
type tracker struct {
	mu  sync.Mutex
	cur *generation
	old []*generation // with commits still running, oldest first
}

// generation is a set of commits that began between two calls of barrier.
type generation struct {
	running int
	done    chan struct{}
}

// begin notes a commit that is about to become visible.
func (t *tracker) begin() *generation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cur == nil {
		t.cur = &generation{}
	}
	t.cur.running++
	return t.cur
}

// end notes that the commit is durable, or has failed.
func (t *tracker) end(g *generation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.running--
	if g.running == 0 && g != t.cur {
		close(g.done)
		t.old = slices.DeleteFunc(t.old, func(o *generation) bool { return o == g })
	}
}

// barrier returns channels that are all closed once every commit that is visible now is
// durable.
func (t *tracker) barrier() []*generation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cur != nil && t.cur.running > 0 {
		t.cur.done = make(chan struct{})
		t.old = append(t.old, t.cur)
		t.cur = nil
	}
	if len(t.old) == 0 {
		return nil
	}
	return slices.Clone(t.old)
}

// wait waits for what barrier returned.
func wait(list []*generation) {
	for _, g := range list {
		<-g.done
	}
}
