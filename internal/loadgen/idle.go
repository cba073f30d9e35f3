package loadgen

import (
	"context"
	"fmt"
	"time"
)

// Settle waits until the processes have for one second neither written nor used processor
// time, as after the end of a load and of the compactions that follow it. After limit it gives up with an
// error that says what still goes on.
func Settle(ctx context.Context, proc Proc, pids []int, limit time.Duration) error {
	const window = time.Second
	deadline := time.Now().Add(limit)
	for {
		used, err := Idle(ctx, proc, pids, window)
		if err != nil {
			return err
		}
		if used.Written == 0 && used.CPU <= clockTick {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("settle: %d bytes written and %s of processor time within %s, %s after the load", used.Written, used.CPU, window, limit)
		}
	}
}

// Idle waits for d and returns what the processes used meanwhile.
func Idle(ctx context.Context, proc Proc, pids []int, d time.Duration) (Usage, error) {
	before, err := proc.Usage(pids)
	if err != nil {
		return Usage{}, err
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return Usage{}, ctx.Err()
	}
	after, err := proc.Usage(pids)
	if err != nil {
		return Usage{}, err
	}
	return after.Sub(before), nil
}

// CheckIdle returns an error when used is more than a server may use that nobody talks to for d: no byte
// written, and a thousandth of one processor (timers of the runtime), or three ticks of the clock,
// whose steps are coarse.
func CheckIdle(used Usage, d time.Duration) error {
	if used.Written != 0 {
		return fmt.Errorf("idle for %s: %d bytes written", d, used.Written)
	}
	if limit := max(d/1000, 3*clockTick); used.CPU > limit {
		return fmt.Errorf("idle for %s: %s of processor time, at most %s wanted", d, used.CPU, limit)
	}
	return nil
}
