package main

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimitFor(t *testing.T) {
	for live, want := range map[int64]int64{0: memoryLimit, 200 << 20: memoryLimit, 256 << 20: memoryLimit, 1 << 30: 3 << 29} {
		if got := limitFor(live); got != want {
			t.Errorf("%d bytes live: limit %d, want %d", live, got, want)
		}
	}
}

// TestFollowHeap has the limit follow what lives, up and down, collection by collection.
func TestFollowHeap(t *testing.T) {
	var live atomic.Int64
	limits := make(chan int64, 100)
	followHeap(live.Load, func(limit int64) { limits <- limit })
	for _, tt := range []struct{ live, want int64 }{{1 << 30, 3 << 29}, {2 << 30, 3 << 30}, {1 << 20, memoryLimit}} {
		live.Store(tt.live)
		for deadline := time.Now().Add(time.Minute); ; {
			runtime.GC()
			select {
			case got := <-limits:
				if got != tt.want {
					t.Fatalf("%d bytes live: limit %d, want %d", tt.live, got, tt.want)
				}
			default:
				if time.Now().After(deadline) {
					t.Fatalf("%d bytes live: no new limit", tt.live)
				}
				runtime.Gosched()
				continue
			}
			break
		}
	}
	live.Store(memoryLimit / 3) // too little to matter
	for range 3 {
		runtime.GC()
	}
	if len(limits) > 0 {
		t.Errorf("limit %d", <-limits)
	}
}

func TestLiveHeap(t *testing.T) {
	held := make([]byte, 64<<20)
	runtime.GC()
	if n := liveHeap(); n < int64(len(held)) || n > 16*int64(len(held)) {
		t.Errorf("%d bytes live beside a slice of %d", n, len(held))
	}
	runtime.KeepAlive(held)
}
