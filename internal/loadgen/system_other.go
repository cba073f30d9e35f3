//go:build !linux

package loadgen

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// InMemory returns errors.ErrUnsupported: what a server uses is read from Linux's /proc, so that nothing is
// measured elsewhere.
func InMemory(string) (bool, error) {
	return false, fmt.Errorf("measuring needs Linux: %w", errors.ErrUnsupported)
}

func syncDisks() {}

func ownCPU() time.Duration { return 0 }

func kernel() string { return runtime.GOOS }
