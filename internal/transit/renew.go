package transit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// tokenInfo is what the server tells of a token ("Token auth method (API)", lookup-self). Times are seconds.
type tokenInfo struct {
	TTL       int64 `json:"ttl"`          // that are left; 0 of a token that does not end
	Whole     int64 `json:"creation_ttl"` // that it was made with, and that a renewal asks for
	Renewable bool  `json:"renewable"`
}

// Keep renews the token when two thirds of its life have passed, until ctx ends. It returns nil then, when the token
// does not end, and when a role logs in anew where the token can't be renewed; otherwise why it can't be renewed any
// more, once, early enough to put another one in its place. A server that can't be asked is asked again.
func (k *Keys) Keep(ctx context.Context) error {
	err := k.keep(ctx)
	if ctx.Err() != nil || k.opts.RoleID != "" {
		return nil
	}
	return err
}

func (k *Keys) keep(ctx context.Context) error {
	t, err := k.lookUp(ctx, time.Time{})
	if err != nil {
		return fmt.Errorf("the token can't be looked up: it has ended, or lacks the policy \"default\": %w", err)
	}
	for t.TTL > 0 {
		ends := time.Now().Add(time.Duration(t.TTL) * time.Second)
		cannot := func(why string, args ...any) error {
			return fmt.Errorf("the token ends at %s and can't be renewed: "+why, append([]any{ends.UTC().Format(time.RFC3339)}, args...)...)
		}
		if !t.Renewable {
			return cannot("it was made so")
		}
		if err := pause(ctx, time.Until(ends)*2/3); err != nil {
			return err
		}
		err := k.patiently(ctx, ends, func() error {
			in := map[string]string{"increment": strconv.FormatInt(t.Whole, 10) + "s"}
			return k.ask(ctx, http.MethodPost, "auth/token/renew-self", in, nil)
		})
		if err != nil {
			return cannot("%w", err)
		}
		whole := t.Whole
		if t, err = k.lookUp(ctx, ends); err != nil {
			return cannot("%w", err)
		}
		if t.TTL > 0 && t.TTL < whole-whole/20-2 { // what a look takes is no loss
			ends = time.Now().Add(time.Duration(t.TTL) * time.Second)
			return cannot("it is as old as it may become")
		}
	}
	return nil
}

// lookUp asks for what is known of the token, again until a time, the zero for ever, while the server can't be asked.
func (k *Keys) lookUp(ctx context.Context, until time.Time) (t tokenInfo, err error) {
	err = k.patiently(ctx, until, func() error { return k.ask(ctx, http.MethodGet, "auth/token/lookup-self", nil, &t) })
	return t, err
}

// The pauses between questions to a server that can't be asked.
const (
	firstPause = time.Second
	mostPause  = time.Minute
)

// patiently does something again until a time, the zero for ever, while the server can't be asked.
func (k *Keys) patiently(ctx context.Context, until time.Time, do func() error) error {
	for wait := firstPause; ; wait = min(2*wait, mostPause) {
		err := do()
		var r *refusal
		if err == nil || errors.As(err, &r) && r.status < 500 && r.status != http.StatusTooManyRequests {
			return err
		}
		if !until.IsZero() && time.Now().Add(wait).After(until) {
			return err
		}
		if pause(ctx, wait) != nil {
			return err
		}
	}
}

// pause waits. Its error is that of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
