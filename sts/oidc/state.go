package oidc

import (
	"context"
	"fmt"
	"time"
)

// State is what is known of a provider from asking it.
type State struct {
	Asked   bool      // since the server started
	Err     error     // of the last time, nil when it answered as it should
	ErrAt   time.Time // when that was
	Fetched time.Time // when its keys were fetched; zero for never
	Keys    int       // of them that can verify tokens
}

// State returns what is known of the provider with a name as List has it; the zero State for none. Nothing is
// asked.
func (ps *Providers) State(name string) State {
	for _, p := range ps.list {
		if p.title() == name {
			return p.source.state()
		}
	}
	return State{}
}

// Check asks the provider with a name as List has it for its document and its keys, now, and returns why it does not
// answer as it should; State has the result as well.
func (ps *Providers) Check(ctx context.Context, name string) error {
	for _, p := range ps.list {
		if p.title() == name {
			return p.source.check(ctx)
		}
	}
	return fmt.Errorf("check provider: there is no %q", name)
}

func (s *source) state() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Asked: !s.tried.IsZero(), Err: s.err}
	if s.err != nil {
		st.ErrAt = s.tried
	}
	if s.have != nil {
		st.Fetched, st.Keys = s.have.at, len(s.have.keys)
	}
	return st
}
