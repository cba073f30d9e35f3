package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// ErrRefused is the error of Renew when the provider has answered that it renews nothing: the person has logged out
// there, is disabled, or was away for too long.
var ErrRefused = errors.New("the identity provider does not renew the login")

// Flow makes a flow of the provider name, as List has it, which shares what is known of the provider; false
// when there is none of that name. redirect is as with NewFlow.
func (ps *Providers) Flow(name, redirect string) (*Flow, bool) {
	for _, p := range ps.list {
		if p.title() == name {
			return &Flow{p: p, redirect: redirect, now: ps.now}, true
		}
	}
	return nil, false
}

// Info returns what may be shown of the flow's provider.
func (f *Flow) Info() Info {
	i := Info{f.p.title(), f.p.role, f.p.Config}
	i.Config.ClientSecret = ""
	return i
}

// Pending is what has to be kept of a Login until its answer comes, by whoever can't keep the Login itself.
// All of it is secret, and must be tied to the browser that has begun.
type Pending struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Begun    time.Time `json:"t"`
}

// Pending returns the secrets of the login.
func (l *Login) Pending() Pending { return Pending{l.state, l.nonce, l.verifier, l.begun} }

// Resume makes the Login again, without its URL. That it is finished once is for the caller to see to; the
// provider takes a code once, too (RFC 6749, section 4.1.2).
func (f *Flow) Resume(p Pending) *Login {
	return &Login{state: p.State, nonce: p.Nonce, verifier: p.Verifier, begun: p.Begun}
}

// BeginSilently is Begin for somebody whom the provider is to know already: it asks nothing, and answers with an
// error when it would have to (OpenID Connect Core, section 3.1.2.1, prompt).
func (f *Flow) BeginSilently(ctx context.Context) (*Login, error) {
	return f.begin(ctx, oauth2.SetAuthURLParam("prompt", "none"))
}

// Renew gets new tokens by a refresh token (OpenID Connect Core, section 12), and verifies the ID token, but not
// that it is of the same person. When the answer has no further refresh token, the old one stays good.
func (f *Flow) Renew(ctx context.Context, refresh string) (*Tokens, error) {
	c, err := f.client(ctx)
	if err != nil {
		return nil, err
	}
	got, err := c.TokenSource(f.with(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		var r *oauth2.RetrieveError
		if errors.As(err, &r) && r.ErrorCode != "" {
			return nil, fmt.Errorf("%w: %w", ErrRefused, tokenError(err))
		}
		return nil, fmt.Errorf("renew the login: %w", tokenError(err))
	}
	return f.tokens(ctx, got, "")
}

// Logout returns the provider's page that ends the person's session there, and leads back to after, which has to
// be registered; "" when the provider has none (OpenID Connect RP-Initiated Logout 1.0). idToken tells whose
// session it is; without one the provider may ask the person.
func (f *Flow) Logout(ctx context.Context, idToken, after string) (string, error) {
	have, err := f.p.source.current(ctx)
	if err != nil || have.EndSession == "" {
		return "", err
	}
	if err := endpoint("end_session_endpoint", have.EndSession, f.p.ConfigURL); err != nil {
		return "", fmt.Errorf("discover provider %s: %w", f.p.title(), err)
	}
	u, err := url.Parse(have.EndSession)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("client_id", f.p.ClientID)
	if idToken != "" {
		q.Set("id_token_hint", idToken)
	}
	if after != "" {
		q.Set("post_logout_redirect_uri", after)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
