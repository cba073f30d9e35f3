package oidc

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/objsrv/objsrv/sts"
)

// TestDownAtStart: a provider that is down stops nothing, is not asked with every token, and is
// found when it is back.
func TestDownAtStart(t *testing.T) {
	i := newIssuer(t)
	down := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }
	i.set(wellKnown, down)
	ps := i.providers(i.config(""))
	for n := 1; n <= 3; n++ {
		for range 5 {
			if r := refused(t, ps, sts.WebToken{Token: i.token()}); r.Code != sts.CommunicationError || !strings.Contains(r.Reason, "503") || strings.Contains(r.Message, "503") {
				t.Fatal(r)
			}
		}
		if got := i.requests(wellKnown); got != n {
			t.Fatalf("asked %d times, want %d", got, n)
		}
		i.pass(4 * time.Second)
	}
	i.set(wellKnown, nil)
	verify(t, ps, i.token())
	for range 20 {
		i.pass(10 * time.Minute)
		i.set(wellKnown, down) // what it has said is still good
		verify(t, ps, i.token())
	}
	if n := i.requests("/keys"); n != 1 {
		t.Errorf("keys were fetched %d times", n)
	}
	i.pass(usableFor)
	if r := refused(t, ps, sts.WebToken{Token: i.token()}); r.Code != sts.CommunicationError {
		t.Errorf("keys of a provider that is gone for a day: %v", r)
	}
	i.set(wellKnown, nil)
	i.pass(refetchEvery)
	verify(t, ps, i.token())
}

// TestBackOff: the attempts for a provider that has never answered come ever more seldom.
func TestBackOff(t *testing.T) {
	i := newIssuer(t)
	i.set(wellKnown, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusInternalServerError) })
	ps := i.providers(i.config(""))
	for range 600 {
		refused(t, ps, sts.WebToken{Token: i.token()})
		i.pass(time.Second)
	}
	if n := i.requests(wellKnown); n < 12 || n > 20 {
		t.Errorf("asked %d times in 10 minutes", n)
	}
}

// TestRotation: a key that is new is found with the first token that names it; one that was
// withdrawn counts no more (S-190).
func TestRotation(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config(""))
	verify(t, ps, i.token())
	i.publish(jose.JSONWebKey{Key: rsaKeys()[1].Public(), KeyID: "k2"})
	i.pass(refetchEvery)
	verify(t, ps, sign(t, rsaKeys()[1], map[string]any{"alg": "RS256", "kid": "k2"}, i.claims()))
	if r := refused(t, ps, sts.WebToken{Token: i.token()}); r.Code != sts.InvalidIdentityToken {
		t.Error(r)
	}
}

// TestWithdrawn: a key is forgotten although no token names a new one.
func TestWithdrawn(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config(""))
	verify(t, ps, i.token())
	i.publish(jose.JSONWebKey{Key: rsaKeys()[1].Public(), KeyID: "k2"})
	i.pass(freshFor)
	refused(t, ps, sts.WebToken{Token: i.token()})
}

// TestRefetchIsLimited: whatever key ids come, and however many at once, the keys are fetched once a
// minute; and the answers go on (S-190).
func TestRefetchIsLimited(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config(""))
	verify(t, ps, i.token())
	for minute := 1; minute <= 3; minute++ {
		i.pass(refetchEvery)
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				token := sign(t, rsaKeys()[1], map[string]any{"alg": "RS256", "kid": fmt.Sprint("x", n)}, i.claims())
				if _, err := ps.Verify(t.Context(), sts.WebToken{Token: token}); err == nil {
					t.Error("taken")
				}
			})
		}
		wg.Wait()
		if n := i.requests("/keys"); n != 1+minute {
			t.Fatalf("after %d minutes the keys were fetched %d times", minute, n)
		}
	}
	i.set("/keys", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) })
	i.pass(refetchEvery)
	r := refused(t, ps, sts.WebToken{Token: sign(t, rsaKeys()[1], map[string]any{"alg": "RS256", "kid": "x"}, i.claims())})
	if r.Code != sts.InvalidIdentityToken {
		t.Errorf("an unknown key id while the keys are down: %v", r)
	}
	verify(t, ps, i.token())
}

// TestNoKeyID: without one the token must leave no choice (S-190).
func TestNoKeyID(t *testing.T) {
	i := newIssuer(t)
	ec := newEC(t, elliptic.P256())
	noKid := func() string { return sign(t, rsaKeys()[0], map[string]any{"alg": "RS256"}, i.claims()) }
	i.publish(jose.JSONWebKey{Key: rsaKeys()[0].Public()}, jose.JSONWebKey{Key: ec.Public()})
	verify(t, i.providers(i.config("")), noKid())
	i.publish(jose.JSONWebKey{Key: rsaKeys()[0].Public(), KeyID: "k1"}, jose.JSONWebKey{Key: rsaKeys()[1].Public(), KeyID: "k2"})
	refused(t, i.providers(i.config("")), sts.WebToken{Token: noKid()})
	refused(t, i.providers(i.config("")), sts.WebToken{Token: sign(t, rsaKeys()[0], map[string]any{"alg": "RS256", "kid": ""}, i.claims())})
}

// TestUnusableKeys are left out of a set, and the others stay (S-190).
func TestUnusableKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	good := string(must(jose.JSONWebKey{Key: rsaKeys()[0].Public(), KeyID: "good"}.MarshalJSON()))
	edit := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	ec := string(must(jose.JSONWebKey{Key: newEC(t, elliptic.P256()).Public(), KeyID: "ec"}.MarshalJSON()))
	set := []json.RawMessage{}
	for _, k := range []string{
		string(must(jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"}.MarshalJSON())),
		`{"kty":"oct","k":"c2VjcmV0","kid":"secret"}`,
		`{"kty":"RSA","kid":"empty"}`, `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"curve"}`, `{"kty":"new"}`, `7`, `null`,
		strings.Replace(ec, "P-256", "P-384", 1), // the point is not on the curve
		edit(`"kty"`, `"use":"enc","kty"`), edit(`"kty"`, `"key_ops":["encrypt"],"kty"`), edit(`"kty"`, `"alg":"RSA-OAEP","kty"`),
		edit(`"kty"`, `"alg":"HS256","kty"`), edit(`"kty"`, `"alg":"ES256","kty"`),
		edit(`"kty"`, `"key_ops":["verify"],"use":"sig","alg":"RS512","kty"`),
	} {
		set = append(set, json.RawMessage(k))
	}
	got := readKeys(set)
	if len(got.keys) != 1 || got.keys[0].id != "good" || len(got.keys[0].algs) != 1 || got.keys[0].algs[0] != "RS512" {
		t.Errorf("%+v", got.keys)
	}
	many := make([]json.RawMessage, 1000)
	for n := range many {
		many[n] = json.RawMessage(good)
	}
	if n := len(readKeys(many).keys); n != maxKeys {
		t.Errorf("%d keys", n)
	}
}

// TestBadAnswers: what a provider answers wrongly is not used, is bounded, and is told to the
// administrator alone (S-105, S-190).
func TestBadAnswers(t *testing.T) {
	var redirected http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"keys":["`))
		chunk := []byte(strings.Repeat("x", 64<<10))
		for range 1600 { // 100 MiB
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	says := func(key string, value any) map[string]any { return map[string]any{key: value} }
	for name, tt := range map[string]struct {
		metadata map[string]any
		path     string
		handler  http.HandlerFunc
		reason   string
	}{
		"S-190 another issuer":        {metadata: says("issuer", "https://evil.example"), reason: "set ISSUER"},
		"S-190 no issuer":             {metadata: says("issuer", nil), reason: "set ISSUER"},
		"S-190 keys of 100 MiB":       {path: "/keys", handler: endless, reason: "more than 1048576 bytes"},
		"S-190 document of 100 MiB":   {path: wellKnown, handler: endless, reason: "more than 1048576 bytes"},
		"S-105 redirect":              {path: wellKnown, handler: redirected, reason: "redirects to"},
		"S-105 redirect of the keys":  {path: "/keys", handler: redirected, reason: "redirects to"},
		"S-105 keys at the metadata":  {metadata: says("jwks_uri", "http://169.254.169.254/keys"), reason: "no address of an identity provider"},
		"S-105 mapped address":        {metadata: says("jwks_uri", "http://[::ffff:169.254.169.254]/keys"), reason: "no address of an identity provider"},
		"S-105 the address 0.0.0.0":   {metadata: says("jwks_uri", "http://0.0.0.0:1/keys"), reason: "no address of an identity provider"},
		"S-105 keys in a file":        {metadata: says("jwks_uri", "file:///etc/passwd"), reason: "jwks_uri is no URL"},
		"no keys":                     {metadata: says("jwks_uri", ""), reason: "no jwks_uri"},
		"HTML":                        {path: wellKnown, handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, reason: "JSON"},
		"a list":                      {path: wellKnown, handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "[]") }, reason: "JSON"},
		"an empty set":                {path: "/keys", handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"keys":[]}`) }, reason: "none of them"},
		"not found":                   {path: wellKnown, handler: http.NotFound, reason: "404"},
		"a signed document, no JSON":  {path: wellKnown, handler: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/jwt") }, reason: "signed token"},
		"the connection is cut":       {path: wellKnown, handler: func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, reason: "EOF"},
		"userinfo of another network": {metadata: says("userinfo_endpoint", "ftp://x/y"), reason: "userinfo_endpoint is no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.metadata = tt.metadata
			i.set(tt.path, tt.handler)
			r := refused(t, i.providers(i.config("", "CLAIM_USERINFO", "on")), sts.WebToken{Token: i.token(), AccessToken: "a"})
			if r.Code != sts.CommunicationError || !strings.Contains(r.Reason, tt.reason) || strings.Contains(r.Message, tt.reason) {
				t.Error(r)
			}
		})
	}
}

// TestAddresses are judged when a name has been looked up (S-105).
func TestAddresses(t *testing.T) {
	for address, want := range map[string][2]bool{ // as configured elsewhere, on this machine
		"192.0.2.1:443":              {true, true},
		"10.1.2.3:443":               {true, true},
		"[2001:db8::1]:443":          {true, true},
		"127.0.0.1:443":              {false, true},
		"[::1]:443":                  {false, true},
		"[::ffff:127.0.0.1]:443":     {false, true},
		"127.9.9.9:80":               {false, true},
		"0.0.0.0:80":                 {false, false},
		"[::]:80":                    {false, false},
		"169.254.169.254:80":         {false, false},
		"[::ffff:169.254.169.254]:1": {false, false},
		"[fe80::1%eth0]:80":          {false, false},
		"[fd00:ec2::254]:80":         {false, false},
		"224.0.0.1:80":               {false, false},
		"localhost:80":               {false, false}, // not an address
	} {
		for n, local := range []bool{false, true} {
			if err := checkAddress(address, local); (err == nil) != want[n] {
				t.Errorf("%s, on this machine %v: %v", address, local, err)
			}
		}
	}
	for url, want := range map[string]bool{
		"http://localhost:8080/x": true, "http://127.0.0.1/x": true, "http://[::1]/x": true,
		"http://localhost.example.com/": false, "http://idp.example.com/": false, "http://2130706433/": false, "http://0177.0.0.1/": false,
	} {
		if c := (&Config{ConfigURL: url}); c.loopback() != want {
			t.Errorf("%s: %v", url, !want)
		}
	}
}

// TestNameOfThisMachine: a name that leads here is not followed unless it is written so.
func TestNameOfThisMachine(t *testing.T) {
	i := newIssuer(t)
	c := i.config("")
	c.ConfigURL = strings.Replace(c.ConfigURL, "127.0.0.1", "localhost", 1)
	if _, err := i.providers(c).list[0].source.current(t.Context()); err != nil {
		t.Error(err)
	}
	guarded, err := newClient(&Config{ConfigURL: "http://idp.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := guarded.get(t.Context(), c.ConfigURL, "", &struct{}{}); err == nil || !strings.Contains(err.Error(), "CONFIG_URL must say localhost") {
		t.Error(err)
	}
}

// TestHanging: a provider that hangs keeps a request no longer than its client waits.
func TestHanging(t *testing.T) {
	i := newIssuer(t)
	release := make(chan struct{})
	i.set(wellKnown, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := i.providers(i.config("")).Verify(ctx, sts.WebToken{Token: i.token()})
	if r, ok := err.(*sts.Rejection); !ok || r.Code != sts.CommunicationError {
		t.Errorf("%v", err)
	}
}
