package iam

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Session tokens are JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 by a key of the
// deployment's own, as MinIO's clients expect to read them. What a session may is in its
// record, never in its token: the record holds the token's hash.

// tokenClaims are what a token tells its holder.
type tokenClaims struct {
	AccessKey string `json:"accessKey"`
	Parent    string `json:"parent"`
	Issued    int64  `json:"iat"`
	Expires   int64  `json:"exp"`
	ID        string `json:"jti"`
}

// tokenHeader is the one header of our tokens. The algorithm is the key's: another header
// is another token.
const tokenHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" // {"alg":"HS256","typ":"JWT"}

// maxToken bounds a token that is looked at, in bytes.
const maxToken = 8 << 10

func signToken(key []byte, c *tokenClaims) (string, error) {
	claims, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("make session token: %w", err)
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(tokenMAC(key, signed)), nil
}

func tokenMAC(key []byte, signed string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(signed))
	return m.Sum(nil)
}

// errUnknownSession is for a token of ours, in time, whose session is not known: it was revoked, or
// issued by another process a moment ago.
var errUnknownSession = fmt.Errorf("%w: the session is not known", ErrInvalidToken)

// judgeToken tells why the token of a session that is not known can't be used.
func (s *Service) judgeToken(accessKey, token string) error {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || len(token) > maxToken {
		return ErrInvalidToken
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(token[i+1:])
	if err != nil || subtle.ConstantTimeCompare(mac, tokenMAC(s.tokenKey, token[:i])) == 0 {
		return ErrInvalidToken
	}
	body, ok := strings.CutPrefix(token[:i], tokenHeader+".")
	if !ok {
		return ErrInvalidToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return ErrInvalidToken
	}
	var c tokenClaims
	if json.Unmarshal(raw, &c) != nil || c.AccessKey != accessKey {
		return ErrInvalidToken
	}
	if s.now().Before(time.Unix(c.Expires, 0)) {
		return errUnknownSession
	}
	return ErrExpired
}

// ensureTokenKey returns the key that signs tokens, and makes it when there is none. A
// damaged one is replaced: sessions go on, since their records hold the hashes.
func (s *Service) ensureTokenKey(ctx context.Context) ([]byte, error) {
	for {
		rev := uint64(0)
		r, err := s.store.Get(ctx, kindDeployment, nameTokenKey)
		switch {
		case err == nil:
			var t tokenKeyRecord
			if err = decode(r.Value, &t, &t.header); err == nil && len(t.Key) == sha256.Size {
				return t.Key, nil
			}
			s.report(fmt.Errorf("the key of session tokens is damaged and made anew: %w", errors.Join(ErrDamaged, err)))
			rev = r.Revision
		case errors.Is(err, store.ErrDamaged):
			s.report(fmt.Errorf("the key of session tokens is damaged and made anew: %w", err))
			rev = store.Any
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
		t := tokenKeyRecord{header: header{formatVersion, s.account}, Key: make([]byte, sha256.Size)}
		rand.Read(t.Key)
		changes, err := appendPut(nil, kindDeployment, nameTokenKey, rev, t)
		if err != nil {
			return nil, err
		}
		if _, err = s.store.Commit(ctx, changes...); err != nil && !errors.Is(err, store.ErrConflict) {
			return nil, err
		}
	}
}

// DeriveKey returns a key of 32 bytes for one purpose, made of the deployment's own: all servers over one
// store have the same, and it changes only when the deployment's does. Nothing of the one can be learnt
// from the other (RFC 5869).
func (s *Service) DeriveKey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, s.tokenKey, nil, "objsrv "+purpose, sha256.Size)
	if err != nil {
		panic(err) // only for lengths that are not ours
	}
	return key
}
