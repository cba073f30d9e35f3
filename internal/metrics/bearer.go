package metrics

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/strictjson"
)

// maxBearer bounds a token; `mc admin prometheus generate` makes about 250 bytes.
const maxBearer = 4 << 10

// Bearer is the token of a scrape, as `mc admin prometheus generate` makes it without asking the server: a JSON
// Web Token (RFC 7519) whose issuer is "prometheus" and whose subject is the access key with whose
// secret it is signed.
type Bearer struct {
	AccessKey string
	expires   time.Time
	begins    time.Time
	signed    string
	signature []byte
}

var errBearer = errors.New("the bearer token is no token of a scrape")

// ParseBearer reads a token. Nothing in it is proven before Verify. The algorithm is HS512, whatever
// the token says: one that names another, none, or a key is refused (RFC 8725 section 3.1).
func ParseBearer(token string) (*Bearer, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxBearer || len(parts) != 3 {
		return nil, errBearer
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, errBearer
		}
	}
	var header struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
	}
	var claims struct {
		Issuer  string   `json:"iss"`
		Subject string   `json:"sub"`
		Expires *float64 `json:"exp"`
		Begins  float64  `json:"nbf"`
		Issued  float64  `json:"iat"`
	}
	switch {
	case strictjson.Decode(raw[0], &header) != nil, header.Algorithm != "HS512", header.Type != "" && header.Type != "JWT",
		strictjson.Decode(raw[1], &claims) != nil, claims.Issuer != "prometheus", claims.Subject == "", claims.Expires == nil,
		!date(*claims.Expires), !date(claims.Begins):
		return nil, errBearer
	}
	return &Bearer{
		AccessKey: claims.Subject, expires: time.Unix(int64(*claims.Expires), 0), begins: time.Unix(int64(claims.Begins), 0),
		signed: token[:len(parts[0])+1+len(parts[1])], signature: raw[2],
	}, nil
}

// date tells whether a number of seconds is a time that time.Unix can hold: mc's tokens live for
// a hundred years.
func date(seconds float64) bool { return seconds >= 0 && seconds < 1<<40 }

// Verify tells whether the token is signed with secret and good at now. It takes as long for a
// wrong secret as for the right one.
func (b *Bearer) Verify(secret string, now time.Time) bool {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(b.signed))
	return hmac.Equal(mac.Sum(nil), b.signature) && secret != "" && now.Before(b.expires) && !now.Before(b.begins)
}
