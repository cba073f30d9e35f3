package sts

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Limits of logins with a wrong password, by the address that they come from (S-029). A person
// whose password somebody else tries is never locked out.
const (
	loginBurst = 50          // wrong ones at once
	loginPause = time.Second // until the next one is free
	loginSlots = 4096        // bounds what is kept, however many addresses there are
)

// Limiter counts attempts by the address that they come from. Each address has two counters that it may
// share with others, and is refused when both are full: who shares one with an attacker hardly shares
// both. Its size is fixed. Safe for concurrent use.
type Limiter struct {
	burst float64
	now   func() time.Time
	seed  maphash.Seed

	mu   sync.Mutex
	rows [2][loginSlots]bucket
}

// bucket is one counter. Its zero is that of somebody who was never seen.
type bucket struct {
	used float64 // at the time at
	at   time.Time
}

// NewLimiter returns a limiter that lets an address try burst times at once, and once more each second.
// now is the clock; nil means time.Now.
func NewLimiter(burst int, now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{burst: float64(burst), now: now, seed: maphash.MakeSeed()}
}

// Take counts one attempt of an address without a port, and tells whether there may be one.
func (l *Limiter) Take(remote string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	free := false
	now := l.now()
	for _, b := range l.of(remote) {
		b.settle(now)
		if b.used+1 <= l.burst {
			b.used++
			free = true
		}
	}
	return free
}

// Give takes back an attempt that was no guess.
func (l *Limiter) Give(remote string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.of(remote) {
		b.used = max(0, b.used-1)
	}
}

func (b *bucket) settle(now time.Time) {
	b.used = max(0, b.used-now.Sub(b.at).Seconds()/loginPause.Seconds())
	b.at = now
}

// of returns the counters of an address. Who has an address of IPv6 has a network of 64 bits.
func (l *Limiter) of(remote string) [2]*bucket {
	key := remote
	if a, err := netip.ParseAddr(remote); err == nil {
		if a = a.Unmap().WithZone(""); a.Is6() {
			key = netip.PrefixFrom(a, 64).Masked().String()
		} else {
			key = a.String()
		}
	}
	h := maphash.String(l.seed, key)
	return [2]*bucket{&l.rows[0][h%loginSlots], &l.rows[1][(h>>32)%loginSlots]}
}
