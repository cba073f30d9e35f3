package webui

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Cookies of the console. What they hold is sealed, so that a browser, and whoever reads its files, has no
// keys; and signed by that, so that nobody makes one.
const (
	sessionCookie = "" // the session: a ticket
	maxCookie     = 4000
)

// sealer seals values of cookies with AES-256-GCM.
type sealer struct {
	aead cipher.AEAD
	key  []byte
	id   string // of the deployment: cookies know no ports, and several servers may share a host
}

func newSealer(key []byte, deployment string) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("seal cookies: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("seal cookies: %w", err)
	}
	sum := sha256.Sum256([]byte(deployment))
	return sealer{aead, key, hex.EncodeToString(sum[:4])}, nil
}

// pack seals a value for one purpose.
func (s *sealer) pack(purpose string, value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("seal cookie: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(purpose))), nil
}

// unpack opens what pack has sealed for the same purpose.
func (s *sealer) unpack(purpose, text string, value any) error {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return err
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, value)
}

// proof is a hash of a secret that only this deployment can make.
func (s *sealer) proof(secret string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte("secret\x00" + secret))
	return m.Sum(nil)[:16]
}

// random returns n random bytes in base64.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// cookieName is the name of the cookie for a purpose. The prefix has browsers refuse one that another host
// of the domain, or a page without TLS, has set.
func (v *visit) cookieName(purpose string) string {
	name := "objsrv-" + v.seal.id
	if purpose != "" {
		name += "-" + purpose
	}
	if v.secure() {
		return "__Host-" + name
	}
	return name
}

// setCookie seals value into the cookie of a purpose. It fails when that would be longer than browsers take.
func (v *visit) setCookie(purpose string, value any, life time.Duration, mode http.SameSite) error {
	text, err := v.seal.pack(purpose, value)
	if err != nil {
		return err
	}
	if len(text) > maxCookie {
		return errTooLong
	}
	http.SetCookie(v.w, v.cookie(purpose, text, max(1, int(life/time.Second)), mode))
	return nil
}

var errTooLong = errors.New("the cookie would be too long")

// dropCookie has the browser forget a cookie that it has.
func (v *visit) dropCookie(purpose string, mode http.SameSite) {
	if _, err := v.r.Cookie(v.cookieName(purpose)); err == nil {
		http.SetCookie(v.w, v.cookie(purpose, "", -1, mode))
	}
}

func (v *visit) cookie(purpose, text string, age int, mode http.SameSite) *http.Cookie {
	return &http.Cookie{Name: v.cookieName(purpose), Value: text, Path: "/", MaxAge: age, HttpOnly: true, Secure: v.secure(), SameSite: mode}
}

// readCookie opens the cookie of a purpose; false when there is none of ours. Of several with the name, as a
// neighbouring host may set, the first that is sealed by us counts.
func (v *visit) readCookie(purpose string, value any) bool {
	for _, c := range v.r.CookiesNamed(v.cookieName(purpose)) {
		if v.seal.unpack(purpose, c.Value, value) == nil {
			return true
		}
	}
	return false
}

// secure tells whether browsers are to keep cookies to TLS.
func (v *visit) secure() bool {
	return v.ev.TLS || v.PublicURL != nil && v.PublicURL.Scheme == "https"
}
