package fs

import (
	"fmt"
	"sync"
)

// counter hands out ascending numbers that are never handed out twice. It reserves
// them in the index in blocks, so that opening the store need not look for the last.
type counter struct {
	mu    sync.Mutex
	next  uint64
	limit uint64 // reserved in the index
	block uint64
	save  func(limit uint64) error
}

// take returns the next number.
func (c *counter) take() (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeLocked()
}

func (c *counter) takeLocked() (uint64, error) {
	if c.next >= c.limit {
		limit := c.next + c.block
		if err := c.save(limit); err != nil {
			return 0, fmt.Errorf("reserve numbers: %w", err)
		}
		c.limit = limit
	}
	n := c.next
	c.next++
	return n, nil
}

// inFlight hands out blob ids and remembers those that are neither committed nor
// removed yet, so that the low water mark is known.
type inFlight struct {
	counter
	open map[uint64]struct{}
}

func (f *inFlight) begin() (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, err := f.takeLocked()
	if err == nil {
		f.open[id] = struct{}{}
	}
	return id, err
}

// watch keeps the low water mark at an id from before known, until it is settled.
func (f *inFlight) watch(id, known uint64) {
	if id >= known {
		return
	}
	f.mu.Lock()
	f.open[id] = struct{}{}
	f.mu.Unlock()
}

// settle forgets an id that has been committed, or whose file is gone for good.
func (f *inFlight) settle(id uint64) {
	f.mu.Lock()
	delete(f.open, id)
	f.mu.Unlock()
}

// has tells whether id is neither committed nor removed.
func (f *inFlight) has(id uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.open[id]
	return ok
}

// low returns the least id that may belong to a file without a commit.
func (f *inFlight) low() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	low := f.next
	for id := range f.open {
		low = min(low, id)
	}
	return low
}

// upcoming returns the number that is handed out next.
func (f *inFlight) upcoming() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}
