package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/objsrv/objsrv/sts"
)

// maxToken bounds a token, in characters (STS API reference, AssumeRoleWithWebIdentity).
const maxToken = 20000

// maxLife bounds how far in the future a token may end.
const maxLife = 10 * 366 * 24 * time.Hour

// token is one whose parts could be read; nothing is known of its signature yet.
type token struct {
	raw    string
	header *header
	issuer string // as it claims
	claims map[string]any
	trace  *sts.Trace // nil for a login
}

// tell tells the trace what can be read of a token.
func (t *token) tell() {
	if t.trace == nil {
		return
	}
	t.trace.Claims = t.claims
	key := "names no key"
	if t.header.hasID {
		key = fmt.Sprintf("names the key %.100q", t.header.id)
	}
	t.trace.Say("token", "a signed token of %d characters, which says that it is signed by %.20q and %s", len(t.raw), t.header.alg, key)
	t.trace.Say("issuer", "%.300s", t.issuer)
}

// splitToken splits a token in compact form (RFC 7515, section 7.1).
func splitToken(raw string) (*token, error) {
	if len(raw) > maxToken {
		return nil, fmt.Errorf("it is longer than %d characters", maxToken)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("it has %d parts, where a signed token has 3", len(parts))
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil || len(decoded[i]) == 0 || strings.ContainsAny(p, "\r\n") {
			return nil, errors.New("its parts are not base64url")
		}
	}
	t := &token{raw: raw}
	var err error
	if t.header, err = readHeader(decoded[0]); err != nil {
		return nil, err
	}
	if t.claims, err = parseObject(decoded[1]); err != nil {
		return nil, fmt.Errorf("its claims are %w", err)
	}
	if t.issuer, _ = t.claims["iss"].(string); t.issuer == "" {
		return nil, errors.New("it has no issuer")
	}
	return t, nil
}

// check judges the claims of a token whose signature is verified (OpenID Connect Core,
// section 3.1.3.7), but for issuer and audience. It returns when the token ends.
func (t *token) check(now time.Time) (expires time.Time, err error) {
	if sub, _ := t.claims["sub"].(string); !subject(sub) {
		return expires, invalid(`The claim "sub" must be a string of 1 to 255 printable characters.`)
	}
	if err := t.checkPurpose(); err != nil {
		return expires, err
	}
	expires, ok, err := t.time("exp")
	switch {
	case err != nil:
		return expires, err
	case !ok:
		return expires, invalid(`The token has no claim "exp", so it would never end.`)
	case now.After(expires.Add(sts.Leeway)):
		return expires, &sts.Rejection{Code: sts.ExpiredToken, Message: "The token has expired at " + expires.UTC().Format(time.RFC3339) + "."}
	case expires.Sub(now) > maxLife:
		return expires, invalid(`The claim "exp" is more than 10 years away.`)
	}
	for _, name := range []string{"nbf", "iat"} {
		at, ok, err := t.time(name)
		if err != nil {
			return expires, err
		}
		if ok && at.After(now.Add(sts.Leeway)) {
			return expires, invalid("The claim %q is %s, which is still to come.", name, at.UTC().Format(time.RFC3339))
		}
	}
	return expires, nil
}

// subject judges a sub, which has at most 255 characters (OpenID Connect Core, section 2).
// U+FFFD is what unpaired surrogates become: two people could have it.
func subject(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
}

// checkPurpose refuses signed tokens that are for something else: Keycloak's refresh tokens,
// back-channel logout tokens.
func (t *token) checkPurpose() error {
	if typ, _ := t.claims["typ"].(string); slices.Contains([]string{"refresh", "offline", "logout"}, strings.ToLower(typ)) {
		return invalid(`The claim "typ" says that this is a token of the type %s.`, typ)
	}
	if events, ok := t.claims["events"].(map[string]any); ok {
		if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; ok {
			return invalid("This is a logout token.")
		}
	}
	return nil
}

// time reads a NumericDate (RFC 7519, section 2).
func (t *token) time(name string) (at time.Time, ok bool, err error) {
	v, ok := t.claims[name]
	if !ok {
		return at, false, nil
	}
	n, ok := v.(json.Number)
	if ok {
		var seconds float64
		if seconds, err = n.Float64(); err == nil && seconds >= 0 && seconds < math.MaxInt32*64 {
			return time.Unix(int64(seconds), 0), true, nil
		}
	}
	return at, false, invalid("The claim %q is no number of seconds.", name)
}

// audience returns the accepted audience that the token is for. Without one, it may have been
// issued to the client itself, which azp tells, as with the access tokens of Keycloak. An azp of
// somebody else is refused, though aud be right: the token was given to another program (S-130).
func (t *token) audience(c *Config) (string, error) {
	list, ok := text(t.claims["aud"])
	if _, there := t.claims["aud"]; there && !ok {
		return "", invalid(`The claim "aud" is neither a string nor a list of strings.`)
	}
	azp, there := t.claims["azp"]
	party, ok := azp.(string)
	if there && (!ok || !slices.Contains(c.Audiences, party)) {
		return "", invalid(`The claim "azp" says that the token was issued to %.100q, which is not the client of this provider, nor one of its OTHER_AUDIENCES.`, fmt.Sprint(azp))
	}
	for _, a := range c.Audiences {
		if slices.Contains(list, a) {
			return a, nil
		}
	}
	if party != "" && party == c.ClientID {
		return party, nil
	}
	if len(list) == 0 {
		return "", invalid(`The token has no claim "aud".`)
	}
	return "", invalid(`The token is for the audience %.100q, which is not the client of this provider, nor one of its OTHER_AUDIENCES.`, strings.Join(list, ", "))
}

// invalid is about a token that a known provider has signed, so its holder may know.
func invalid(format string, args ...any) error {
	return &sts.Rejection{Code: sts.InvalidIdentityToken, Message: fmt.Sprintf(format, args...)}
}
