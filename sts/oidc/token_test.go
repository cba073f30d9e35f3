package oidc

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/objsrv/objsrv/sts"
)

// TestForgedTokens: none of them is taken, all get the same answer, and nothing that a token names
// is fetched.
func TestForgedTokens(t *testing.T) {
	i := newIssuer(t)
	other := newIssuer(t)
	ps := i.providers(i.config(""))
	verify(t, ps, i.token()) // a good one is taken
	good, evil := rsaKeys()[0], rsaKeys()[1]
	der, err := x509.MarshalPKIXPublicKey(good.Public())
	if err != nil {
		t.Fatal(err)
	}
	inPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	jwk, err := (&jose.JSONWebKey{Key: good.Public(), KeyID: "k1"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	h := func(pairs ...any) map[string]any {
		m := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
		for n := 0; n < len(pairs); n += 2 {
			if m[pairs[n].(string)] = pairs[n+1]; pairs[n+1] == nil {
				delete(m, pairs[n].(string))
			}
		}
		return m
	}
	token := i.token()
	parts := strings.Split(token, ".")
	unsigned := func(alg string) string {
		return strings.TrimSuffix(sign(t, nil, h("alg", alg), i.claims()), ".")
	}
	for name, forged := range map[string]string{
		"S-028 the client's secret":     sign(t, []byte("objsrv-secret"), h("alg", "HS256", "kid", clientID), i.claims()),
		"S-028 the secret, right kid":   sign(t, []byte("objsrv-secret"), h("alg", "HS256"), i.claims()),
		"S-028 HMAC with the PEM":       sign(t, inPEM, h("alg", "HS256"), i.claims()),
		"S-028 HMAC with the DER":       sign(t, der, h("alg", "HS256"), i.claims()),
		"S-028 HMAC with the JWK":       sign(t, jwk, h("alg", "HS256"), i.claims()),
		"S-028 HMAC with nothing":       sign(t, []byte{}, h("alg", "HS256"), i.claims()),
		"S-028 RSA key used as ES256":   sign(t, good, h("alg", "ES256"), i.claims()),
		"S-028 RS256 key used as PS256": sign(t, good, h("alg", "PS256"), i.claims()),
		"S-028 jwk in the header":       sign(t, evil, h("jwk", json.RawMessage(must(jose.JSONWebKey{Key: evil.Public(), KeyID: "k1"}.MarshalJSON()))), i.claims()),
		"S-028 jku in the header":       sign(t, evil, h("jku", i.URL+"/evil-keys"), i.claims()),
		"S-028 x5u in the header":       sign(t, evil, h("x5u", i.URL+"/evil.pem"), i.claims()),
		"S-028 x5c in the header":       sign(t, evil, h("x5c", []string{base64.StdEncoding.EncodeToString(der)}), i.claims()),
		"S-069 none":                    unsigned("none") + ".",
		"S-069 None":                    unsigned("None") + ".",
		"S-069 NONE":                    unsigned("NONE") + ".",
		"S-069 nOnE":                    unsigned("nOnE") + ".",
		"S-069 none, no dot":            unsigned("none"),
		"S-069 none, old signature":     unsigned("none") + "." + parts[2],
		"S-106 garbage":                 "garbage",
		"S-106 empty parts":             "..",
		"S-106 oversized":               strings.Repeat("a", 1<<20),
		"S-106 oversized and signed":    i.token("pad", strings.Repeat("x", maxToken)),
		"S-106 unknown issuer":          other.token(),
		"S-106 known issuer, bad key":   sign(t, evil, h(), i.claims()),
		"S-106 altered claims":          parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+i.URL+`","sub":"root","aud":"objsrv","exp":9999999999}`)) + "." + parts[2],
		"S-106 cut signature":           token[:len(token)-4],
		"S-106 padded":                  token + "==",
		"S-106 a line end":              token + "\n",
		"S-106 JSON serialization":      `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"S-130 no issuer":               i.token("iss", nil),
		"S-189 issuer is a list":        i.token("iss", []string{i.URL}),
		"S-189 issuer with a slash":     i.token("iss", i.URL+"/"),
		"S-189 issuer in capitals":      i.token("iss", strings.ToUpper(i.URL)),
		"S-189 typ at+jwt":              sign(t, good, h("typ", "at+jwt"), i.claims()),
		"S-189 typ logout+jwt":          sign(t, good, h("typ", "logout+jwt"), i.claims()),
		"S-189 typ is no string":        sign(t, good, h("typ", 1), i.claims()),
		"S-189 crit":                    sign(t, good, h("crit", []string{"exp"}), i.claims()),
		"S-189 b64":                     sign(t, good, h("b64", false), i.claims()),
		"S-189 b64 and crit":            sign(t, good, h("b64", false, "crit", []string{"b64"}), i.claims()),
		"S-189 nested JWT":              sign(t, good, h("cty", "JWT"), token),
		"S-189 JWE":                     strings.Repeat("YQ.", 4) + "YQ",
		"S-189 duplicate claims":        sign(t, good, h(), `{"iss":"`+i.URL+`","sub":"a","sub":"b","aud":"objsrv","exp":9999999999}`),
		"S-189 deep claims":             i.token("x", nested(100)),
		"S-189 claims are a list":       sign(t, good, h(), `["a"]`),
		"S-189 text behind the claims":  sign(t, good, h(), `{"iss":"`+i.URL+`"} {}`),
		"S-190 kid is a path":           sign(t, good, h("kid", "../../etc/passwd"), i.claims()),
		"S-190 kid is SQL":              sign(t, good, h("kid", "' OR 1=1 --"), i.claims()),
		"S-190 kid is a URL":            sign(t, good, h("kid", i.URL+"/evil-keys"), i.claims()),
		"S-190 kid is no string":        sign(t, good, h("kid", 1), i.claims()),
		"S-190 unknown kid":             sign(t, good, h("kid", "k2"), i.claims()),
	} {
		r := refused(t, ps, sts.WebToken{Token: forged})
		if want := unverified("").(*sts.Rejection); r.Code != sts.InvalidIdentityToken || r.Message != want.Message || len(r.Reason) < 20 || len(r.Reason) > 600 {
			t.Errorf("%s: %v", name, r)
		}
	}
	if n := i.stray.Load() + other.stray.Load(); n > 0 || other.requests(wellKnown) > 0 {
		t.Errorf("%d requests were made because a token said so", n)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func nested(n int) any {
	if n == 0 {
		return "x"
	}
	return map[string]any{"x": nested(n - 1)}
}

// TestClaimsRefused: a token that its provider has signed is refused with a sentence that names
// the claim, unless that is of a type that no token has.
func TestClaimsRefused(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config("", "OTHER_AUDIENCES", "portal"))
	now := i.clock()
	for name, tt := range map[string]struct {
		claims []any
		code   string
		says   string
	}{
		"S-048 for the Kubernetes API": {[]any{"aud", []string{"kubernetes.default"}}, sts.InvalidIdentityToken, `"kubernetes.default"`},
		"S-189 other client":           {[]any{"aud", "other"}, sts.InvalidIdentityToken, `"other"`},
		"S-189 list without us":        {[]any{"aud", []string{"a", "b"}}, sts.InvalidIdentityToken, `"a, b"`},
		"S-189 no audience":            {[]any{"aud", nil}, sts.InvalidIdentityToken, `"aud"`},
		"S-189 audience in capitals":   {[]any{"aud", "OBJSRV"}, sts.InvalidIdentityToken, `"OBJSRV"`},
		"S-189 audience is a number":   {[]any{"aud", 7}, sts.InvalidIdentityToken, "malformed"},
		"S-189 audience is an object":  {[]any{"aud", map[string]any{clientID: 1}}, sts.InvalidIdentityToken, "malformed"},
		"S-189 azp of several":         {[]any{"aud", []string{clientID, "other"}, "azp", "other"}, sts.InvalidIdentityToken, `"azp"`},
		"S-130 azp of another client":  {[]any{"azp", "other"}, sts.InvalidIdentityToken, `"azp"`},
		"S-189 azp is a list":          {[]any{"azp", []string{clientID}}, sts.InvalidIdentityToken, `"azp"`},
		"S-189 azp is empty":           {[]any{"azp", ""}, sts.InvalidIdentityToken, `"azp"`},
		"S-189 expired":                {[]any{"exp", now.Add(-2 * time.Minute).Unix()}, sts.ExpiredToken, "expired at"},
		"S-189 no exp":                 {[]any{"exp", nil}, sts.InvalidIdentityToken, `"exp"`},
		"S-189 exp is a string":        {[]any{"exp", fmt.Sprint(now.Add(time.Hour).Unix())}, sts.InvalidIdentityToken, `"exp"`},
		"S-189 exp 10^18":              {[]any{"exp", json.Number("1000000000000000000")}, sts.InvalidIdentityToken, `"exp"`},
		"S-189 exp 1e400":              {[]any{"exp", json.Number("1e400")}, sts.InvalidIdentityToken, "malformed"},
		"S-189 exp is negative":        {[]any{"exp", -1}, sts.InvalidIdentityToken, `"exp"`},
		"S-189 exp in 11 years":        {[]any{"exp", now.AddDate(11, 0, 0).Unix()}, sts.InvalidIdentityToken, `"exp"`},
		"S-189 nbf to come":            {[]any{"nbf", now.Add(2 * time.Minute).Unix()}, sts.InvalidIdentityToken, `"nbf"`},
		"S-189 nbf is a string":        {[]any{"nbf", "0"}, sts.InvalidIdentityToken, `"nbf"`},
		"S-189 iat to come":            {[]any{"iat", now.Add(2 * time.Hour).Unix()}, sts.InvalidIdentityToken, `"iat"`},
		"S-189 no sub":                 {[]any{"sub", nil}, sts.InvalidIdentityToken, `"sub"`},
		"S-130 sub is empty":           {[]any{"sub", ""}, sts.InvalidIdentityToken, `"sub"`},
		"S-189 sub is a list":          {[]any{"sub", []string{"alice"}}, sts.InvalidIdentityToken, "malformed"},
		"S-189 sub has a control":      {[]any{"sub", "alice\x00"}, sts.InvalidIdentityToken, `"sub"`},
		"S-189 half a surrogate":       {[]any{"sub", json.RawMessage(`"\ud800"`)}, sts.InvalidIdentityToken, `"sub"`},
		"S-189 sub is long":            {[]any{"sub", strings.Repeat("a", 256)}, sts.InvalidIdentityToken, `"sub"`},
		"S-189 refresh token":          {[]any{"typ", "Refresh"}, sts.InvalidIdentityToken, `"typ"`},
		"S-189 logout token": {[]any{"events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}},
			sts.InvalidIdentityToken, "logout"},
	} {
		r := refused(t, ps, sts.WebToken{Token: i.token(tt.claims...)})
		if r.Code != tt.code || !strings.Contains(r.Message, tt.says) {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// TestClaimsTaken: what looks odd and is right.
func TestClaimsTaken(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config("", "OTHER_AUDIENCES", "portal, https://portal.example"))
	now := i.clock()
	for name, tt := range map[string]struct {
		claims   []any
		audience string
	}{
		"plain":                    {nil, clientID},
		"list":                     {[]any{"aud", []string{"account", clientID}}, clientID},
		"azp is ours":              {[]any{"azp", clientID}, clientID},
		"access token of Keycloak": {[]any{"aud", "account", "azp", clientID, "typ", "Bearer"}, clientID},
		"no aud but azp":           {[]any{"aud", nil, "azp", clientID}, clientID},
		"other audience":           {[]any{"aud", "https://portal.example"}, "https://portal.example"},
		"azp of another audience":  {[]any{"azp", "portal"}, clientID},
		"ended within the leeway":  {[]any{"exp", now.Add(-59 * time.Second).Unix()}, clientID},
		"begins within the leeway": {[]any{"nbf", now.Add(59 * time.Second).Unix(), "iat", now.Add(59 * time.Second).Unix()}, clientID},
		"exp with a fraction":      {[]any{"exp", json.Number(fmt.Sprint(now.Add(time.Hour).Unix()) + ".75")}, clientID},
		"no iat":                   {[]any{"iat", nil}, clientID},
		"long sub":                 {[]any{"sub", strings.Repeat("a", 255)}, clientID},
		"S-189 nonce":              {[]any{"nonce", "n"}, clientID},
		"19 000 characters":        {[]any{"pad", strings.Repeat("x", 13000)}, clientID},
	} {
		p, err := ps.Verify(t.Context(), sts.WebToken{Token: i.token(tt.claims...)})
		if err != nil || p.Audience != tt.audience || p.Issuer != i.URL || p.Expires.IsZero() {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if p := verify(t, ps, i.token("sub", "bob")); p.Subject != "bob" || p.Provider != "default" {
		t.Errorf("%+v", p)
	}
}

// TestAlgorithms: each kind of key verifies its own algorithms and no other (S-190).
func TestAlgorithms(t *testing.T) {
	i := newIssuer(t)
	ec, wrong := newEC(t, elliptic.P256()), newEC(t, elliptic.P384())
	i.publish(jose.JSONWebKey{Key: rsaKeys()[0].Public(), KeyID: "rsa"}, jose.JSONWebKey{Key: ec.Public(), KeyID: "ec"},
		jose.JSONWebKey{Key: wrong.Public(), KeyID: "p384"})
	ps := i.providers(i.config(""))
	for _, tt := range []struct {
		key  any
		kid  string
		alg  string
		good bool
	}{
		{rsaKeys()[0], "rsa", "RS256", true},
		{rsaKeys()[0], "rsa", "PS256", true}, // the key says nothing of its algorithm
		{ec, "ec", "ES256", true},
		{ec, "ec", "RS256", false},
		{ec, "ec", "ES384", false},
		{ec, "p384", "ES256", false},
		{rsaKeys()[0], "rsa", "ES256", false},
		{rsaKeys()[0], "ec", "RS256", false},
	} {
		token := sign(t, tt.key, map[string]any{"alg": tt.alg, "kid": tt.kid}, i.claims())
		if _, err := ps.Verify(t.Context(), sts.WebToken{Token: token}); (err == nil) != tt.good {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// FuzzVerify: no text is taken but the one token that was signed.
func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	ps, good := i.providers(i.config("")), i.token()
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, token string) {
		p, err := ps.Verify(t.Context(), sts.WebToken{Token: token})
		if err == nil && token != good {
			t.Fatalf("taken: %q %+v", token, p)
		}
		if err != nil && token == good {
			t.Fatal(err)
		}
	})
}
