package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How often a provider is asked.
const (
	refetchEvery = time.Minute    // at most, whatever tokens say (S-190)
	freshFor     = time.Hour      // then it is asked again, with the next token
	usableFor    = 24 * time.Hour // without an answer; then its keys count no more
	firstRetry   = time.Second    // of a provider that has never answered; doubles up to refetchEvery
)

// metadata is the part of a discovery document that is used.
type metadata struct {
	Issuer   string `json:"issuer"`
	JWKS     string `json:"jwks_uri"`
	Userinfo string `json:"userinfo_endpoint"`

	// For people who log in.
	Scopes        json.RawMessage `json:"scopes_supported"` // read by usualScopes alone
	Authorization string          `json:"authorization_endpoint"`
	Token         string          `json:"token_endpoint"`
	EndSession    string          `json:"end_session_endpoint"`                  // OpenID Connect RP-Initiated Logout 1.0
	TokenAuth     json.RawMessage `json:"token_endpoint_auth_methods_supported"` // read by authStyle alone
}

// published is what a provider has said of itself.
type published struct {
	metadata
	*keySet
	at time.Time
}

// source asks a provider for its metadata and keys when a token needs them, and keeps the answer.
// A provider that is down costs one attempt from time to time, and nothing at start.
type source struct {
	config *Config
	client *client
	now    func() time.Time
	log    *slog.Logger
	flight singleflight.Group

	mu       sync.Mutex
	have     *published // nil until the first answer
	tried    time.Time
	failures int // in a row
	err      error
}

// errUnavailable wraps why there are no keys.
type errUnavailable struct{ err error }

// Error implements error.
func (e errUnavailable) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e errUnavailable) Unwrap() error { return e.err }

// current returns what is known of the provider, asking it when that is nothing or old.
func (s *source) current(ctx context.Context) (*published, error) {
	have, age, err := s.known()
	switch {
	case have != nil && age < freshFor:
		return have, nil
	case have != nil && age < usableFor:
		if fresh, err := s.refetch(ctx, have); err == nil {
			return fresh, nil
		}
		return have, nil
	case !s.due():
		return nil, errUnavailable{err}
	}
	return s.fetch(ctx)
}

// refetch asks for newer keys than have, unless the provider was asked a moment ago: then it
// returns what there is.
func (s *source) refetch(ctx context.Context, have *published) (*published, error) {
	if now, _, _ := s.known(); now != have {
		return now, nil // somebody else has
	}
	if !s.due() {
		return have, nil
	}
	return s.fetch(ctx)
}

func (s *source) known() (*published, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.have == nil {
		return nil, 0, s.err
	}
	return s.have, s.now().Sub(s.have.at), s.err
}

// due tells whether it is time for another attempt.
func (s *source) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := refetchEvery
	if s.have == nil {
		if wait = 0; s.failures > 0 {
			wait = min(firstRetry<<min(s.failures-1, 10), refetchEvery)
		}
	}
	return s.tried.IsZero() || s.now().Sub(s.tried) >= wait
}

// fetch asks the provider, once for all who want to know at the same time. The request's end
// does not end it: the answer is for others too.
func (s *source) fetch(ctx context.Context) (*published, error) {
	done := s.flight.DoChan("", func() (any, error) {
		if have, _, err := s.known(); !s.due() { // somebody's attempt has just ended
			if have == nil {
				return nil, errUnavailable{err}
			}
			return have, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*callTimeout)
		defer cancel()
		p, err := s.ask(ctx)
		s.note(p, err)
		if err != nil {
			return nil, errUnavailable{err}
		}
		return p, nil
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*published), nil
	case <-ctx.Done():
		return nil, errUnavailable{ctx.Err()}
	}
}

// note keeps an answer, and tells the log when a provider goes and when it is back.
func (s *source) note(p *published, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried, s.err = s.now(), err
	switch {
	case err == nil:
		if s.failures > 0 {
			s.log.Info("identity provider answers again", "provider", s.config.title())
		}
		s.have, s.failures = p, 0
	default:
		if s.failures++; s.failures == 1 {
			s.log.Error("identity provider does not answer as it should", "provider", s.config.title(), "error", err)
		}
	}
}

// ask fetches the discovery document, then the keys.
func (s *source) ask(ctx context.Context) (*published, error) {
	bearer, err := readToken(s.config.TokenFile)
	if err != nil {
		return nil, err
	}
	p := &published{at: s.now()}
	if err := s.client.get(ctx, s.config.ConfigURL, bearer, &p.metadata); err != nil {
		return nil, fmt.Errorf("discover provider %s: %w", s.config.title(), err)
	}
	if err := s.checkMetadata(&p.metadata); err != nil {
		return nil, fmt.Errorf("discover provider %s: %w", s.config.title(), err)
	}
	if !strings.HasPrefix(p.JWKS, "https:") {
		bearer = ""
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.client.get(ctx, p.JWKS, bearer, &set); err != nil {
		return nil, fmt.Errorf("fetch keys of provider %s: %w", s.config.title(), err)
	}
	if p.keySet = readKeys(set.Keys); len(p.keys) == 0 {
		return nil, fmt.Errorf("fetch keys of provider %s: %w", s.config.title(), errors.New("none of them can verify a token"))
	}
	return p, nil
}

func (s *source) checkMetadata(m *metadata) error {
	if m.Issuer != s.config.Issuer && m.Issuer != s.config.Issuer+"/" {
		return fmt.Errorf("the document says that the issuer is %q, not %q: if that is right, set ISSUER to it", m.Issuer, s.config.Issuer)
	}
	if err := endpoint("jwks_uri", m.JWKS, s.config.ConfigURL); err != nil {
		return err
	}
	if s.config.Userinfo {
		return endpoint("userinfo_endpoint", m.Userinfo, s.config.ConfigURL)
	}
	return nil
}

// check asks the provider now, whenever it was asked before.
func (s *source) check(ctx context.Context) error {
	done := s.flight.DoChan("check", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*callTimeout)
		defer cancel()
		p, err := s.ask(ctx)
		s.note(p, err)
		return nil, err
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
