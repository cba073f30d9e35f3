package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// setting is one of harness.Settings and which of its values was acknowledged last.
type setting struct {
	harness.Setting
	acked    int
	inFlight bool // the next one was, when the server was killed
}

// settings are set one after the other, by two who share them.
type settings struct {
	server *harness.Server
	shares [2][]*setting
}

// newSettings takes those that only names, with commas; all when it is empty or names "settings".
func newSettings(server *harness.Server, only string) *settings {
	s := &settings{server: server}
	if server.Minio {
		return s
	}
	names := strings.Split(only, ",")
	for i, one := range harness.Settings() {
		if only == "" || slices.Contains(names, "settings") || slices.Contains(names, one.Name) {
			s.shares[i%2] = append(s.shares[i%2], &setting{Setting: one})
		}
	}
	return s
}

// begin makes what the settings are of.
func (s *settings) begin(ctx context.Context) error {
	for _, share := range s.shares {
		for _, one := range share {
			if err := one.Prepare(ctx, s.server); err != nil {
				return fmt.Errorf("prepare %s: %w", one.Name, err)
			}
		}
	}
	return nil
}

// load sets, in goroutines of wg, until ctx is done or the server is gone. It begins anywhere, so that all have their turn.
func (s *settings) load(ctx context.Context, wg *sync.WaitGroup, from int) {
	for _, share := range s.shares {
		wg.Go(func() {
			for i := from; ctx.Err() == nil && len(share) > 0; i++ {
				one := share[i%len(share)]
				one.inFlight = true
				if one.Set(ctx, s.server, one.acked+1) != nil {
					return
				}
				one.acked, one.inFlight = one.acked+1, false
			}
		})
	}
}

// verify wants each setting to be what was acknowledged, or what was in flight, which is settled by that.
func (s *settings) verify(ctx context.Context) error {
	for _, share := range s.shares {
		for _, one := range share {
			if err := s.settle(ctx, one); err != nil {
				return fmt.Errorf("setting %s: %w", one.Name, err)
			}
		}
	}
	return nil
}

func (s *settings) settle(ctx context.Context, one *setting) error {
	may := []int{one.acked}
	if one.inFlight {
		may = append(may, one.acked+1)
	}
	for _, n := range may {
		if n == 0 { // what it is before it was ever set nobody knows
			return nil
		}
		ok, err := one.Is(ctx, s.server, n)
		if err != nil {
			return err
		}
		if ok {
			one.acked, one.inFlight = n, false
			return nil
		}
	}
	return fmt.Errorf("it is none of %d", may)
}

// report tells what the rounds so far have shown.
func (s *settings) report(r *harness.Report) {
	if s.server.Minio {
		r.Skip("settings", "some are of objsrv only")
		return
	}
	if len(s.shares[0])+len(s.shares[1]) == 0 {
		return
	}
	text, err := "", error(nil)
	for _, share := range s.shares {
		for _, one := range share {
			text += fmt.Sprintf(", %s %d", one.Name, one.acked)
			if one.acked == 0 {
				err = errors.Join(err, fmt.Errorf("%s was never set", one.Name))
			}
		}
	}
	r.Check("settings, each what was acknowledged last"+text, err)
}

// selfTest sets each behind the model's back, and wants that to be noticed.
func (s *settings) selfTest(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	for _, share := range s.shares {
		for _, one := range share {
			for range 2 {
				if err := one.Set(ctx, s.server, one.acked+1); err != nil {
					return fmt.Errorf("set %s: %w", one.Name, err)
				}
				one.acked++
			}
			if err := s.settle(ctx, one); err != nil {
				return fmt.Errorf("setting %s, before the damage: %w", one.Name, err)
			}
			if err := one.Set(ctx, s.server, one.acked+1); err != nil {
				return fmt.Errorf("set %s: %w", one.Name, err)
			}
			if s.settle(ctx, one) == nil {
				return fmt.Errorf("%s was changed, and that was not noticed", one.Name)
			}
		}
	}
	return nil
}
