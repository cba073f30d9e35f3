package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// minRSA is the shortest key whose signatures count, in bits (RFC 7518, section 3.3).
const minRSA = 2048

// maxKeys bounds the keys of a provider.
const maxKeys = 100

// key is one public key of a provider.
type key struct {
	id     string
	algs   []string // with which it signs
	public crypto.PublicKey
}

// keySet is what a provider had published at one time.
type keySet struct {
	keys []key
}

// readKeys reads a JSON Web Key Set (RFC 7517). What can't sign tokens is left out: secret and
// weak keys, those for encryption, curves and types that are not known.
func readKeys(raw []json.RawMessage) *keySet {
	set := &keySet{}
	for _, data := range raw[:min(len(raw), maxKeys)] {
		var k jose.JSONWebKey
		var more struct {
			Ops []string `json:"key_ops"`
		}
		if json.Unmarshal(data, &k) != nil || json.Unmarshal(data, &more) != nil {
			continue
		}
		if k.Use != "" && k.Use != "sig" || more.Ops != nil && !slices.Contains(more.Ops, "verify") || !k.Valid() {
			continue
		}
		public := k.Public().Key
		algs := algorithms(public)
		if k.Algorithm != "" {
			if !slices.Contains(algs, k.Algorithm) {
				continue
			}
			algs = []string{k.Algorithm}
		}
		if len(algs) > 0 {
			set.keys = append(set.keys, key{k.KeyID, algs, public})
		}
	}
	return set
}

// algorithms are those of RFC 7518 and RFC 8037 that a key can verify: the key decides, not the
// token (S-028).
func algorithms(public any) []string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSA {
			return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512}
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return []string{oidc.ES256}
		case elliptic.P384():
			return []string{oidc.ES384}
		case elliptic.P521():
			return []string{oidc.ES512}
		}
	case ed25519.PublicKey:
		return []string{oidc.EdDSA}
	}
	return nil
}

// Why no key of a set fits a token.
var (
	errUnknownKey   = errors.New("no key of the provider has the token's key id and algorithm")
	errAmbiguousKey = errors.New("the token names no key, and the provider has several that may have signed it")
)

// choose returns the keys that may have signed a token with this header.
func (s *keySet) choose(h *header) ([]crypto.PublicKey, error) {
	var out []crypto.PublicKey
	for i := range s.keys {
		k := &s.keys[i]
		if (!h.hasID || k.id == h.id) && slices.Contains(k.algs, h.alg) {
			out = append(out, k.public)
		}
	}
	switch {
	case len(out) == 0:
		return nil, errUnknownKey
	case !h.hasID && len(out) > 1:
		return nil, errAmbiguousKey
	}
	return out, nil
}

// chosen is the go-oidc key set of the keys that choose has returned.
type chosen struct{ keys []crypto.PublicKey }

// VerifySignature implements oidc.KeySet.
func (c chosen) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	return (&oidc.StaticKeySet{PublicKeys: c.keys}).VerifySignature(ctx, token)
}

// header is that of a token (RFC 7515, section 4.1). What it says of keys elsewhere is not looked
// at.
type header struct {
	alg   string
	id    string
	hasID bool
}

// readHeader judges the header of a token.
func readHeader(raw []byte) (*header, error) {
	m, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("its header is %w", err)
	}
	h := &header{}
	h.alg, _ = m["alg"].(string)
	if h.alg == "" {
		return nil, errors.New("its header names no algorithm")
	}
	var isText bool
	if v, ok := m["kid"]; ok {
		if h.id, isText = v.(string); !isText {
			return nil, errors.New("its key id is no string")
		}
		h.hasID = true
	}
	if v, ok := m["typ"]; ok {
		// Other types of tokens are for other purposes (RFC 8725, section 3.11): access tokens of
		// RFC 9068, logout tokens.
		if s, _ := v.(string); !strings.EqualFold(s, "JWT") {
			return nil, fmt.Errorf("its header has the type %.40q, not JWT", fmt.Sprint(v))
		}
	}
	for _, name := range []string{"crit", "b64", "enc", "zip"} {
		if _, ok := m[name]; ok {
			return nil, fmt.Errorf("its header has %s, which is not understood", name)
		}
	}
	return h, nil
}
