package sts

import (
	"fmt"
	"testing"
	"time"
)

// TestLimiter: S-029, wrong logins are limited by address, never by person, and nothing grows.
func TestLimiter(t *testing.T) {
	now := time.Unix(1700000000, 0)
	l := NewLimiter(loginBurst, func() time.Time { return now })
	burst := func(remote string) (n int) {
		for range 10 * loginBurst {
			if l.Take(remote) {
				n++
			}
		}
		return n
	}
	if n := burst("192.0.2.1"); n != loginBurst {
		t.Errorf("%d at once", n)
	}
	if n := burst("::ffff:192.0.2.1"); n != 0 {
		t.Errorf("the same address as an IPv6 one: %d", n)
	}
	if n := burst("192.0.2.2"); n != loginBurst {
		t.Errorf("another address: %d", n)
	}
	if n := burst("2001:db8::1") + burst("2001:db8::2:0:0:1"); n != loginBurst {
		t.Errorf("one network: %d", n)
	}
	if n := burst("2001:db8:0:1::1"); n != loginBurst {
		t.Errorf("another network: %d", n)
	}
	now = now.Add(3*loginPause + loginPause/2)
	if n := burst("192.0.2.1"); n != 3 {
		t.Errorf("after a while: %d", n)
	}
	now = now.Add(24 * time.Hour)
	if n := burst("192.0.2.1"); n != loginBurst {
		t.Errorf("on the next day: %d", n)
	}
	l.Give("192.0.2.1")
	if n := burst("192.0.2.1"); n != 1 {
		t.Errorf("after one that was right: %d", n)
	}
	for range 10 * loginBurst {
		l.Give("192.0.2.3")
	}
	if n := burst("192.0.2.3"); n != loginBurst {
		t.Errorf("right logins are no credit: %d", n)
	}
}

// TestLimiterSharing: an attacker with hundreds of addresses leaves others alone.
func TestLimiterSharing(t *testing.T) {
	now := time.Unix(1700000000, 0)
	l := NewLimiter(loginBurst, func() time.Time { return now })
	for i := range 200 {
		for range 2 * loginBurst {
			l.Take(fmt.Sprintf("198.51.%d.%d", i/100, i%100))
		}
	}
	refused := 0
	for i := range 1000 {
		if !l.Take(fmt.Sprintf("203.0.%d.%d", i/100, i%100)) {
			refused++
		}
	}
	// Both counters are shared with a chance of (200/4096)^2, one in 420.
	if refused > 30 {
		t.Errorf("%d of 1000 others are refused", refused)
	}
}
