package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/objsrv/objsrv/sts"
)

// Options are what Providers are made of.
type Options struct {
	Providers []Config
	Region    string           // of role ARNs
	Now       func() time.Time // nil means time.Now
	Log       *slog.Logger     // nil for none
}

// Providers are all providers of a server. It implements sts.TokenVerifier.
type Providers struct {
	list []*provider
	now  func() time.Time
}

type provider struct {
	Config
	role   string // ARN, "" for one with a claim
	source *source
	// keycloak looks accounts up; nil when they can't be.
	keycloak *keycloak
}

// New makes the providers. Nothing is asked of them yet. Errors are contradictions between
// settings, and files that can't be read.
func New(o Options) (*Providers, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ps := &Providers{now: o.Now}
	for i := range o.Providers {
		p := &provider{Config: o.Providers[i]}
		p.role = p.Role(o.Region)
		if err := ps.contradicts(p); err != nil {
			return nil, err
		}
		c, err := newClient(&p.Config)
		if err != nil {
			return nil, fmt.Errorf("identity provider %s: %w", p.title(), err)
		}
		p.source = &source{config: &p.Config, client: c, now: o.Now, log: o.Log}
		if p.KeycloakAdminURL != "" {
			p.keycloak = &keycloak{p: p, flow: &Flow{p: p, now: o.Now}}
		}
		ps.list = append(ps.list, p)
	}
	return ps, nil
}

// contradicts refuses a provider that another one leaves no token for.
func (ps *Providers) contradicts(p *provider) error {
	for _, other := range ps.list {
		both := fmt.Sprintf("identity providers %s and %s", other.title(), p.title())
		switch {
		case p.Name == other.Name, p.title() == other.title():
			return fmt.Errorf("identity provider %s is configured twice", p.title())
		case p.role != "" && p.role == other.role:
			return fmt.Errorf("%s have the same CLIENT_ID and so the same role ARN, by which clients choose: register a client of its own for each", both)
		case p.role == "" && other.role == "" && p.Issuer == other.Issuer:
			for _, a := range p.Audiences {
				if slices.Contains(other.Audiences, a) {
					return fmt.Errorf("%s have the same issuer and the audience %s, so a token does not tell them apart: give one of them another CLIENT_ID, or join them", both, a)
				}
			}
		}
	}
	return nil
}

// Info is what may be shown of a provider.
type Info struct {
	Name    string
	RoleARN string // "" for a provider with a claim
	Config  Config // without the client's secret
}

// List returns the providers in the order of their configuration.
func (ps *Providers) List() []Info {
	out := make([]Info, len(ps.list))
	for i, p := range ps.list {
		out[i] = Info{p.title(), p.role, p.Config}
		out[i].Config.ClientSecret = ""
	}
	return out
}

// unverified is the one answer for all tokens that no known provider has signed, so that it
// tells nobody which there are (S-106).
func unverified(reason string) error {
	return &sts.Rejection{
		Code:    sts.InvalidIdentityToken,
		Message: "The token is malformed, or no identity provider that is known here has signed it. An administrator finds the reason under the id of this request.",
		Reason:  "token refused: " + reason,
	}
}

// Verify implements sts.TokenVerifier.
func (ps *Providers) Verify(ctx context.Context, w sts.WebToken) (*sts.Person, error) {
	t, err := splitToken(w.Token)
	if err != nil {
		return nil, w.Trace.Fail("token", unverified(err.Error()))
	}
	t.trace = w.Trace
	t.tell()
	candidates, err := ps.candidates(t.issuer, &w)
	if err != nil {
		return nil, t.trace.Fail("provider", err)
	}
	var first error
	for _, p := range candidates {
		t.trace.Say("provider", "%s may have issued it: %s", p.title(), p.ConfigURL)
		if err := p.verifySignature(ctx, t); err != nil {
			if first == nil { // what is said of a verified token says more
				first = err
			}
			continue
		}
		expires, err := t.check(ps.now())
		if err != nil {
			return nil, t.trace.Fail("claims", err)
		}
		t.trace.Say("claims", "it is of the subject %s and ends at %s", t.claims["sub"], expires.UTC().Format(time.RFC3339))
		audience, err := t.audience(&p.Config)
		if err == nil {
			t.trace.Say("audience", "it is for %s", audience)
			return p.person(ctx, t, expires, audience, w.AccessToken)
		}
		// Another client of the same issuer may be meant.
		first = t.trace.Fail("audience", err)
	}
	return nil, first
}

// candidates are the providers that a token of issuer may be of: the one that is named or whose role is
// asked for, else those with a claim, since stock clients can't ask for no role.
func (ps *Providers) candidates(issuer string, w *sts.WebToken) ([]*provider, error) {
	var out []*provider
	claims := false
	for _, p := range ps.list {
		if w.Provider == p.title() || w.Provider == "" && p.role != "" && p.role == w.RoleARN {
			if !p.issues(issuer) {
				return nil, unverified(fmt.Sprintf("its issuer %.200q is not that of the provider %s, which is asked for: %s", issuer, p.title(), p.Issuer))
			}
			return []*provider{p}, nil
		}
		if p.role == "" {
			claims = true
			if p.issues(issuer) {
				out = append(out, p)
			}
		}
	}
	switch {
	case w.Provider != "":
		return nil, unverified(fmt.Sprintf("there is no provider %.100q", w.Provider))
	case len(out) > 0:
		return out, nil
	case claims:
		return nil, unverified(fmt.Sprintf("no provider with a claim has the issuer %.200q", issuer))
	}
	return nil, &sts.Rejection{Code: sts.InvalidIdentityToken, Message: "RoleArn must be the ARN of a role of this server, as it is shown when the server starts."}
}

func (p *provider) issues(issuer string) bool {
	return strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(p.Issuer, "/")
}

// verifySignature asks go-oidc, with the keys that may have signed t, and for newer ones when
// there are none.
func (p *provider) verifySignature(ctx context.Context, t *token) error {
	have, err := p.source.current(ctx)
	if err != nil {
		return t.trace.Fail("keys", p.unreachable(err))
	}
	keys, err := have.choose(t.header)
	if errors.Is(err, errUnknownKey) {
		newer, ferr := p.source.refetch(ctx, have)
		if ferr != nil {
			newer = have // it is down; what it had published before counts
		}
		have = newer
		keys, err = have.choose(t.header)
	}
	if err != nil {
		return t.trace.Fail("keys", unverified(fmt.Sprintf("%v (provider %s)", err, p.title())))
	}
	t.trace.Say("keys", "%d of the %d keys that the provider published at %s may have signed it", len(keys), len(have.keys), have.at.UTC().Format(time.RFC3339))
	v := oidc.NewVerifier(have.Issuer, chosen{keys}, &oidc.Config{
		SupportedSigningAlgs: []string{t.header.alg}, // which choose has found fit
		SkipClientIDCheck:    true,                   // there may be several: see audience
		SkipExpiryCheck:      true,                   // see check, with leeway
	})
	if _, err := v.Verify(ctx, t.raw); err != nil {
		return t.trace.Fail("signature", unverified(fmt.Sprintf("%.300v (provider %s)", err, p.title())))
	}
	if t.issuer != have.Issuer {
		return t.trace.Fail("issuer", unverified(fmt.Sprintf("its issuer %.200q is not %q", t.issuer, have.Issuer)))
	}
	t.trace.Say("signature", "it is right, by %s", t.header.alg)
	return nil
}

func (p *provider) unreachable(err error) error {
	return &sts.Rejection{Code: sts.CommunicationError, Message: "The identity provider of the token does not answer as it should. Try again later.", Reason: fmt.Sprintf("%.500v", err)}
}

// person reads what a good token says.
func (p *provider) person(ctx context.Context, t *token, expires time.Time, audience, accessToken string) (*sts.Person, error) {
	if err := p.checkAccount(ctx, t.claims["sub"].(string)); err != nil {
		return nil, t.trace.Fail("account", err)
	}
	if p.keycloak != nil {
		t.trace.Say("account", "Keycloak says that the account is enabled")
	}
	if p.Userinfo {
		before := len(t.claims)
		if err := p.addUserinfo(ctx, t, accessToken); err != nil {
			return nil, t.trace.Fail("userinfo", err)
		}
		t.trace.Say("userinfo", "it has %d claims more", len(t.claims)-before)
	}
	if t.trace != nil {
		t.trace.Verified = true
	}
	out := &sts.Person{
		Provider: p.title(), Issuer: t.issuer, Subject: t.claims["sub"].(string), Audience: audience, Expires: expires,
		Claim: p.ClaimName, GroupsClaim: p.GroupsClaim, Policies: p.RolePolicies, Claims: map[string][]string{}, Names: slices.Sorted(maps.Keys(t.claims)),
	}
	if p.ClaimName != "" {
		var v any
		v, out.Claimed = lookup(t.claims, p.ClaimName)
		out.Policies = names(v)
	}
	if p.GroupsClaim != "" {
		v, _ := lookup(t.claims, p.GroupsClaim)
		out.Groups = groupNames(v)
	}
	for name, v := range t.claims {
		if values, ok := text(v); ok && name != "" {
			out.Claims[name] = values
		}
	}
	var err error
	if out.Tags, err = sessionTags(t.claims); err != nil {
		return nil, t.trace.Fail("tags", err)
	}
	return out, nil
}

// addUserinfo completes the claims by those of the userinfo endpoint that the token lacks, as
// MinIO does. The answer must be about the same person (OpenID Connect Core, section 5.3.2).
func (p *provider) addUserinfo(ctx context.Context, t *token, accessToken string) error {
	if accessToken == "" {
		return invalid("This provider's claims come from its userinfo endpoint: WebIdentityAccessToken must be the access token that came with the token.")
	}
	if strings.ContainsAny(accessToken, "\r\n") || len(accessToken) > maxToken {
		return invalid("WebIdentityAccessToken is no access token.")
	}
	have, err := p.source.current(ctx)
	if err != nil {
		return p.unreachable(err)
	}
	info := map[string]any{}
	if err := p.source.client.get(ctx, have.Userinfo, accessToken, &info); err != nil {
		return &sts.Rejection{
			Code: sts.CommunicationError, Message: "The userinfo endpoint of the identity provider did not take the access token, or does not answer.",
			Reason: fmt.Sprintf("userinfo of provider %s: %.500v", p.title(), err),
		}
	}
	if info["sub"] != t.claims["sub"] {
		return &sts.Rejection{Code: sts.RejectedClaim, Message: `The claim "sub" of the userinfo endpoint is not that of the token: the access token is somebody else's.`}
	}
	for name, v := range info {
		if _, ok := t.claims[name]; !ok {
			t.claims[name] = v
		}
	}
	return nil
}
