package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/objsrv/objsrv/sts"
)

const clientID = "objsrv"

// issuer is a provider of our own that signs anything and answers what it is told to.
type issuer struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	metadata map[string]any // changes of the discovery document
	handlers map[string]http.HandlerFunc
	asked    map[string]int // requests by path
	now      time.Time
	stray    atomic.Int32 // requests for what only the header of a token names
}

var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var out []*rsa.PrivateKey
	for range 2 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out = append(out, k)
	}
	return out
})

// newIssuer starts an issuer with one RSA key of the id "k1".
func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t, handlers: map[string]http.HandlerFunc{}, asked: map[string]int{}, metadata: map[string]any{}, now: time.Now()}
	i.keys = []jose.JSONWebKey{{Key: rsaKeys()[0].Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	h := i.handlers[r.URL.Path]
	keys := jose.JSONWebKeySet{Keys: i.keys}
	doc := map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo",
		"authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	}
	maps.Copy(doc, i.metadata)
	i.mu.Unlock()
	switch {
	case h != nil:
		h(w, r)
	case r.URL.Path == wellKnown:
		json.NewEncoder(w).Encode(doc)
	case r.URL.Path == "/keys":
		json.NewEncoder(w).Encode(keys)
	default:
		i.stray.Add(1)
		http.NotFound(w, r)
	}
}

// set replaces the answer of a path; nil brings the usual one back.
func (i *issuer) set(path string, h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers[path] = h
}

func (i *issuer) publish(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

func (i *issuer) requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

// clock returns the time of the test, and pass lets it go on.
func (i *issuer) clock() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}

func (i *issuer) pass(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.now = i.now.Add(d)
}

// claims of a good token, changed by pairs; a value of nil removes the claim.
func (i *issuer) claims(pairs ...any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "sub": "alice", "aud": clientID, "policy": "readwrite",
		"exp": i.clock().Add(time.Hour).Unix(), "iat": i.clock().Unix(),
	}
	for n := 0; n < len(pairs); n += 2 {
		if c[pairs[n].(string)] = pairs[n+1]; pairs[n+1] == nil {
			delete(c, pairs[n].(string))
		}
	}
	return c
}

// token signs claims with the first key.
func (i *issuer) token(pairs ...any) string {
	return sign(i.t, rsaKeys()[0], map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}, i.claims(pairs...))
}

// sign makes a token of any header and claims, which may be text; key may be a private key, the
// secret of an HMAC, or nil.
func sign(t testing.TB, key any, header map[string]any, claims any) string {
	t.Helper()
	part := func(v any) string {
		data, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			data = string(b)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(data))
	}
	signed := part(header) + "." + part(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature(t, key, header["alg"], []byte(signed)))
}

func signature(t testing.TB, key, alg any, data []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(data)
	var out []byte
	var err error
	switch k := key.(type) {
	case nil:
	case []byte:
		m := hmac.New(sha256.New, k)
		m.Write(data)
		out = m.Sum(nil)
	case *rsa.PrivateKey:
		if name, _ := alg.(string); strings.HasPrefix(name, "PS") {
			out, err = rsa.SignPSS(rand.Reader, k, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			out, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
		}
	case ed25519.PrivateKey:
		out = ed25519.Sign(k, data)
	case *ecdsa.PrivateKey: // of P-256
		r, s, serr := ecdsa.Sign(rand.Reader, k, sum[:])
		if err = serr; err == nil {
			out = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	default:
		t.Fatalf("sign with %T", key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newEC(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// config of a provider at the issuer, changed by pairs of key and value.
func (i *issuer) config(name string, pairs ...string) Config {
	i.t.Helper()
	values := map[string]string{"CONFIG_URL": i.URL + wellKnown, "CLIENT_ID": clientID, "CLIENT_SECRET": "objsrv-secret"}
	for n := 0; n < len(pairs); n += 2 {
		values[pairs[n]] = pairs[n+1]
	}
	c, ok, err := Parse(name, values)
	if err != nil || !ok {
		i.t.Fatalf("%v %v", ok, err)
	}
	return c
}

// providers makes them with the issuer's clock.
func (i *issuer) providers(configs ...Config) *Providers {
	i.t.Helper()
	ps, err := New(Options{Providers: configs, Region: "us-east-1", Now: i.clock})
	if err != nil {
		i.t.Fatal(err)
	}
	return ps
}

// verify asks for a token and wants it taken.
func verify(t *testing.T, ps *Providers, token string) *sts.Person {
	t.Helper()
	p, err := ps.Verify(t.Context(), sts.WebToken{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refused asks for a token and wants it refused.
func refused(t *testing.T, ps *Providers, w sts.WebToken) *sts.Rejection {
	t.Helper()
	p, err := ps.Verify(t.Context(), w)
	r, ok := err.(*sts.Rejection)
	if !ok {
		t.Fatalf("not refused: %+v, %v", p, err)
	}
	return r
}
