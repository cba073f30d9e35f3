package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/objsrv/objsrv/sts"
)

// LoginLife is how long a login may take, from Begin to Finish (S-196).
const LoginLife = 10 * time.Minute

// ErrOtherLogin is the error of Finish that leaves the login as it was: the answer is not about it.
var ErrOtherLogin = errors.New("the answer of the identity provider is not about this login: begin anew")

// Flow logs people in at one provider by the authorization code flow with PKCE (OpenID Connect
// Core 1.0, section 3.1; RFC 7636), and programs by client credentials (RFC 6749, section 4.4).
type Flow struct {
	p        *provider
	redirect string
	now      func() time.Time
}

// NewFlow makes a flow of a provider's client. redirect is the URL to which the provider sends the
// person back, as it is registered there. now may be nil. Nothing is asked of the provider yet.
func NewFlow(c Config, redirect string, now func() time.Time) (*Flow, error) {
	ps, err := New(Options{Providers: []Config{c}, Now: now})
	if err != nil {
		return nil, err
	}
	return &Flow{p: ps.list[0], redirect: redirect, now: ps.now}, nil
}

// Login is one person's way through the provider. It can be finished once.
type Login struct {
	// URL is the provider's page, for the browser that has begun.
	URL string

	state, nonce, verifier string
	begun                  time.Time
	used                   atomic.Bool
}

// Tokens are what a provider gives. They are secrets.
type Tokens struct {
	ID      string // a verified ID token; "" for a program's
	Access  string
	Refresh string // "" when the provider gave none
}

// Begin asks the provider where people log in, and makes the secrets of one login. Whoever keeps
// the Login must tie it to the browser that has begun, which Finish can't see.
func (f *Flow) Begin(ctx context.Context) (*Login, error) { return f.begin(ctx) }

func (f *Flow) begin(ctx context.Context, more ...oauth2.AuthCodeOption) (*Login, error) {
	c, err := f.client(ctx)
	if err != nil {
		return nil, err
	}
	if err := endpoint("authorization_endpoint", c.Endpoint.AuthURL, f.p.ConfigURL); err != nil {
		return nil, fmt.Errorf("discover provider %s: %w", f.p.title(), err)
	}
	// Verifiers of package oauth2 are 32 bytes of crypto/rand, which suits the others as well.
	l := &Login{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier(), begun: f.now()}
	l.URL = c.AuthCodeURL(l.state, append(more, oidc.Nonce(l.nonce), oauth2.S256ChallengeOption(l.verifier))...)
	return l, nil
}

// Finish takes the answer that the provider has sent the browser back with, exchanges its code, and
// verifies the ID token: signature, issuer, audience, time and nonce. ErrOtherLogin leaves l
// unfinished; any other error ends it.
func (f *Flow) Finish(ctx context.Context, l *Login, answer url.Values) (*Tokens, error) {
	for name, values := range answer {
		if len(values) > 1 {
			return nil, fmt.Errorf("%w: it has several %.40q", ErrOtherLogin, name)
		}
	}
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(l.state)) != 1 {
		return nil, ErrOtherLogin
	}
	if l.used.Swap(true) {
		return nil, errors.New("this login has been finished already: begin anew")
	}
	if f.now().Sub(l.begun) > LoginLife {
		return nil, fmt.Errorf("the login took longer than %v: begin anew", LoginLife)
	}
	have, err := f.p.source.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	// Who mixes answers of two providers up is found out (RFC 9207).
	if answer.Has("iss") && answer.Get("iss") != have.Issuer {
		return nil, fmt.Errorf("the answer is of the issuer %.200q, not of %q", answer.Get("iss"), have.Issuer)
	}
	if answer.Has("error") {
		return nil, fmt.Errorf("the identity provider refuses the login: %s", said(answer.Get("error"), answer.Get("error_description")))
	}
	if answer.Get("code") == "" {
		return nil, errors.New("the identity provider has sent no code")
	}
	return f.exchange(ctx, l, answer.Get("code"))
}

func (f *Flow) exchange(ctx context.Context, l *Login, code string) (*Tokens, error) {
	c, err := f.client(ctx)
	if err != nil {
		return nil, err
	}
	got, err := c.Exchange(f.with(ctx), code, oauth2.VerifierOption(l.verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", tokenError(err))
	}
	return f.tokens(ctx, got, l.nonce)
}

// tokens takes what a token endpoint has answered about a person.
func (f *Flow) tokens(ctx context.Context, got *oauth2.Token, nonce string) (*Tokens, error) {
	t := &Tokens{Access: got.AccessToken, Refresh: got.RefreshToken}
	if t.ID, _ = got.Extra("id_token").(string); t.ID == "" {
		return nil, errors.New("the identity provider has sent no ID token: the scopes must have openid")
	}
	if err := f.checkID(ctx, t.ID, nonce); err != nil {
		var r *sts.Rejection
		if errors.As(err, &r) && r.Reason != "" {
			err = errors.New(r.Reason) // it is for whoever has configured the client
		}
		return nil, fmt.Errorf("judge the ID token: %w", err)
	}
	return t, nil
}

// checkID judges an ID token as a client does (OpenID Connect Core, section 3.1.3.7). An empty nonce is that of a
// token which was renewed, and need not be there (section 12.2).
func (f *Flow) checkID(ctx context.Context, raw, nonce string) error {
	t, err := splitToken(raw)
	if err != nil {
		return err
	}
	if err := f.p.verifySignature(ctx, t); err != nil {
		return err
	}
	if _, err := t.check(f.now()); err != nil {
		return err
	}
	if _, err := t.audience(&f.p.Config); err != nil {
		return err
	}
	if list, _ := text(t.claims["aud"]); !slices.Contains(list, f.p.ClientID) {
		return errors.New("it is for other audiences than the client")
	}
	got, _ := t.claims["nonce"].(string)
	if nonce != "" && subtle.ConstantTimeCompare([]byte(got), []byte(nonce)) != 1 {
		return errors.New(`its claim "nonce" is not that of this login`)
	}
	return nil
}

// ClientCredentials gets an access token for the client itself, with its secret.
func (f *Flow) ClientCredentials(ctx context.Context) (*Tokens, error) {
	c, err := f.client(ctx)
	if err != nil {
		return nil, err
	}
	if c.ClientSecret == "" {
		return nil, errors.New("client credentials need the client's secret")
	}
	scopes := slices.DeleteFunc(slices.Clone(c.Scopes), func(s string) bool { return s == oidc.ScopeOpenID }) // that is for people
	cc := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: c.Endpoint.TokenURL, Scopes: scopes, AuthStyle: c.Endpoint.AuthStyle}
	got, err := cc.Token(f.with(ctx))
	if err != nil {
		return nil, fmt.Errorf("get an access token: %w", tokenError(err))
	}
	return &Tokens{Access: got.AccessToken}, nil
}

// client is the client as package oauth2 knows it, by what the provider says of itself.
func (f *Flow) client(ctx context.Context) (*oauth2.Config, error) {
	have, err := f.p.source.current(ctx)
	if err != nil {
		return nil, err
	}
	if err := endpoint("token_endpoint", have.Token, f.p.ConfigURL); err != nil {
		return nil, fmt.Errorf("discover provider %s: %w", f.p.title(), err)
	}
	scopes := f.p.Scopes
	if len(scopes) == 0 {
		scopes = have.usualScopes()
	}
	return &oauth2.Config{
		ClientID: f.p.ClientID, ClientSecret: f.p.ClientSecret, RedirectURL: f.redirect, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: have.Authorization, TokenURL: have.Token, AuthStyle: authStyle(have.TokenAuth, f.p.ClientSecret)},
	}, nil
}

// usualScopes are asked for where SCOPES is not set: what is said of people, as far as the provider knows the names
// (OpenID Connect Core, section 5.4; groups is Dex's and others').
func (m *metadata) usualScopes() []string {
	scopes := []string{oidc.ScopeOpenID}
	var supported []string
	if json.Unmarshal(m.Scopes, &supported) != nil {
		return scopes
	}
	for _, s := range []string{"profile", "email", "groups"} {
		if slices.Contains(supported, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// authStyle chooses how the client proves itself. Trying one after the other, as package oauth2
// does, would use the code up. Basic is the default (OpenID Connect Discovery 1.0, section 3); a
// client without a secret only names itself.
func authStyle(supported json.RawMessage, secret string) oauth2.AuthStyle {
	var methods []string
	if json.Unmarshal(supported, &methods) != nil {
		methods = nil
	}
	if secret == "" || slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// with makes package oauth2 use the provider's HTTP client; it takes it in no other way.
func (f *Flow) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, f.p.source.client.http)
}

// tokenError says what the token endpoint did not like. The text of package oauth2 would have the
// whole answer.
func tokenError(err error) error {
	var r *oauth2.RetrieveError
	switch {
	case !errors.As(err, &r):
		return err
	case r.ErrorCode != "":
		return fmt.Errorf("the identity provider answers %s", said(r.ErrorCode, r.ErrorDescription))
	case r.Response != nil:
		return fmt.Errorf("the identity provider answers %s", said(r.Response.Status, ""))
	}
	return errors.New("the identity provider does not answer as it should")
}

// said shows words of a provider, which came over the network.
func said(code, description string) string {
	s := code
	if description != "" {
		s += " (" + description + ")"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf("%.300s", s))
}
