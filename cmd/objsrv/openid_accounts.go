package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// accountsEvery is how often accounts of people with sessions or keys are looked up at identity
// providers that tell. Nothing is asked while there are none.
const accountsEvery = 5 * time.Minute

// accountLookup is the part of oidc.Providers that knows accounts.
type accountLookup interface {
	Active(ctx context.Context, issuer, subject string) (active, known bool, err error)
}

// watchAccounts checks accounts until the returned function is called, which waits for its end.
func (s *services) watchAccounts(lookup accountLookup) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(accountsEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if err := s.checkAccounts(ctx, lookup); err != nil && ctx.Err() == nil {
					s.log.Error("accounts of identity providers were not all looked up", "error", err)
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

// account is a person as an identity provider knows it.
type account struct{ issuer, subject string }

// checkAccounts ends the sessions of people whose accounts are disabled or gone, and disables their
// access keys. The person can log in again when the provider says so; the keys stay for the
// administrator to judge.
func (s *services) checkAccounts(ctx context.Context, lookup accountLookup) error {
	people := map[string]account{} // by user
	note := func(user string, g *iam.Grants) {
		if source, _ := iam.SplitName(user); source != iam.SourceOpenID || g == nil {
			return
		}
		if iss, sub := g.Claims["jwt:iss"], g.Claims["jwt:sub"]; len(iss) == 1 && len(sub) == 1 {
			people[user] = account{iss[0], sub[0]}
		}
	}
	for _, session := range s.iam.Sessions("") {
		note(session.Parent, session.Grants)
	}
	for _, k := range s.iam.AccessKeys("") {
		if k.Enabled {
			note(k.Parent, k.Grants)
		}
	}
	var errs []error
	for user, a := range people {
		active, known, err := lookup.Active(ctx, a.issuer, a.subject)
		if err == nil && known && !active {
			err = s.shutOut(ctx, user)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil || len(errs) > 10 {
			break // it is down: the rest would wait for it in vain
		}
	}
	return errors.Join(errs...)
}

// shutOut takes a user's credentials.
func (s *services) shutOut(ctx context.Context, user string) error {
	n, err := s.iam.RevokeSessions(ctx, user, "")
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return fmt.Errorf("end the sessions of %s: %w", user, err)
	}
	keys, off := 0, false
	for _, k := range s.iam.AccessKeys(user) {
		if !k.Enabled {
			continue
		}
		if _, err := s.iam.UpdateAccessKey(ctx, k.AccessKey, iam.AccessKeyUpdate{Enabled: &off}); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return fmt.Errorf("disable access key %s of %s: %w", k.AccessKey, user, err)
		}
		keys++
	}
	s.log.Warn("an account is disabled at its identity provider, or gone: its credentials were taken", "user", user, "sessions", n, "keys", keys)
	return nil
}
