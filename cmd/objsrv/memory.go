package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Settings of the garbage collector for a server whose live heap is small next to what it allocates: it
// runs once per gcPercent growth, until memory nears the soft limit. Identities may take more than
// the limit, a million sessions a gigabyte. Under a limit that is less than what lives the collector
// would run all the time, so that the limit is half as much again.
const (
	gcPercent   = 400
	memoryLimit = 384 << 20
)

// tuneMemory sets the garbage collector, unless GOGC or GOMEMLIMIT say otherwise.
func tuneMemory(env environ) {
	if env["GOGC"] == "" {
		debug.SetGCPercent(gcPercent)
	}
	if env["GOMEMLIMIT"] == "" {
		debug.SetMemoryLimit(memoryLimit)
		followHeap(liveHeap, func(limit int64) { debug.SetMemoryLimit(limit) })
	}
}

// limitFor returns the soft limit beside so many bytes that live.
func limitFor(live int64) int64 { return max(memoryLimit, live+live/2) }

// followHeap calls set after a collection that found another amount of memory alive, at least a sixteenth of the
// limit more or less. It needs no timer: each collection has it called by an object that nobody holds.
func followHeap(live func() int64, set func(limit int64)) {
	limit := int64(memoryLimit)
	var watch func()
	watch = func() {
		if now := limitFor(live()); max(now-limit, limit-now) >= limit/16 {
			limit = now
			set(limit)
		}
		type canary struct{ self *int64 } // with a pointer, so that it shares its place with nobody
		runtime.AddCleanup(&canary{}, func(again func()) { again() }, watch)
	}
	watch()
}

// liveHeap is what the last collection found alive, in bytes.
func liveHeap() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
