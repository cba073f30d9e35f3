package metrics

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

const bearerSecret = "correct horse battery"

func encodeToken(header, claims string, sign func(signed string) []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(header)) + "." + b64([]byte(claims))
	return signed + "." + b64(sign(signed))
}

func hs512(secret string) func(string) []byte {
	return func(signed string) []byte {
		m := hmac.New(sha512.New, []byte(secret))
		m.Write([]byte(signed))
		return m.Sum(nil)
	}
}

func hs256(signed string) []byte {
	m := hmac.New(sha256.New, []byte(bearerSecret))
	m.Write([]byte(signed))
	return m.Sum(nil)
}

// TestBearer is S-095 and the kinds of forgery of S-028 and S-069 for the tokens of scrapes.
func TestBearer(t *testing.T) {
	const header, claims = `{"alg":"HS512","typ":"JWT"}`, `{"iss":"prometheus","sub":"admin","exp":2000}`
	good := encodeToken(header, claims, hs512(bearerSecret))
	now := time.Unix(1000, 0)
	verify := func(token string, now time.Time) bool {
		b, err := ParseBearer(token)
		return err == nil && b.AccessKey == "admin" && b.Verify(bearerSecret, now)
	}
	if !verify(good, now) {
		t.Error("a good token is refused")
	}
	if !verify(encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":4949291148,"iat":1,"nbf":1000}`, hs512(bearerSecret)), now) {
		t.Error("a good token of a hundred years is refused")
	}
	if b, err := ParseBearer(encodeToken(header, claims, hs512(""))); err != nil || b.Verify("", now) {
		t.Error("the empty secret signs")
	}
	none := func(string) []byte { return nil }
	for name, token := range map[string]string{
		"alg none":            encodeToken(`{"alg":"none"}`, claims, none),
		"alg None":            encodeToken(`{"alg":"None"}`, claims, none),
		"alg nOnE, no dot":    strings.TrimSuffix(encodeToken(`{"alg":"nOnE"}`, claims, none), "."),
		"alg none, signed":    encodeToken(`{"alg":"none"}`, claims, hs512(bearerSecret)),
		"no alg":              encodeToken(`{}`, claims, hs512(bearerSecret)),
		"HS256":               encodeToken(`{"alg":"HS256"}`, claims, hs256),
		"HS256 for HS512":     encodeToken(header, claims, hs256),
		"RS512":               encodeToken(`{"alg":"RS512"}`, claims, hs512(bearerSecret)),
		"hs512":               encodeToken(`{"alg":"hs512"}`, claims, hs512(bearerSecret)),
		"two algs":            encodeToken(`{"alg":"none","alg":"HS512"}`, claims, hs512(bearerSecret)),
		"jwk":                 encodeToken(`{"alg":"HS512","jwk":{"k":"x"}}`, claims, hs512(bearerSecret)),
		"kid":                 encodeToken(`{"alg":"HS512","kid":"../../dev/null"}`, claims, hs512(bearerSecret)),
		"crit":                encodeToken(`{"alg":"HS512","crit":["b64"]}`, claims, hs512(bearerSecret)),
		"other type":          encodeToken(`{"alg":"HS512","typ":"JWE"}`, claims, hs512(bearerSecret)),
		"wrong secret":        encodeToken(header, claims, hs512("wrong")),
		"empty secret":        encodeToken(header, claims, hs512("")),
		"no signature":        encodeToken(header, claims, none),
		"short signature":     encodeToken(header, claims, func(s string) []byte { return hs512(bearerSecret)(s)[:32] }),
		"other subject":       encodeToken(header, `{"iss":"prometheus","sub":"alice","exp":2000}`, hs512(bearerSecret)),
		"no subject":          encodeToken(header, `{"iss":"prometheus","exp":2000}`, hs512(bearerSecret)),
		"other issuer":        encodeToken(header, `{"iss":"mc","sub":"admin","exp":2000}`, hs512(bearerSecret)),
		"no issuer":           encodeToken(header, `{"sub":"admin","exp":2000}`, hs512(bearerSecret)),
		"no expiry":           encodeToken(header, `{"iss":"prometheus","sub":"admin"}`, hs512(bearerSecret)),
		"null expiry":         encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":null}`, hs512(bearerSecret)),
		"expiry as text":      encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":"2000"}`, hs512(bearerSecret)),
		"expired":             encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":1000}`, hs512(bearerSecret)),
		"negative expiry":     encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":-1}`, hs512(bearerSecret)),
		"endless expiry":      encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":1e300}`, hs512(bearerSecret)),
		"not yet":             encodeToken(header, `{"iss":"prometheus","sub":"admin","exp":2000,"nbf":1001}`, hs512(bearerSecret)),
		"two subjects":        encodeToken(header, `{"iss":"prometheus","sub":"alice","sub":"admin","exp":2000}`, hs512(bearerSecret)),
		"Sub":                 encodeToken(header, `{"iss":"prometheus","Sub":"admin","exp":2000}`, hs512(bearerSecret)),
		"padded":              good + "=",
		"four parts":          good + ".x",
		"one part":            "x",
		"empty":               "",
		"bits behind":         good[:len(good)-1] + string(good[len(good)-1]+1),
		"standard base64":     strings.ReplaceAll(strings.ReplaceAll(good, "-", "+"), "_", "/") + "/",
		"claims changed":      strings.Replace(good, ".", ".e", 1),
		"longer than a limit": encodeToken(header, `{"iss":"prometheus","sub":"`+strings.Repeat("a", maxBearer)+`","exp":2000}`, hs512(bearerSecret)),
	} {
		if verify(token, now) {
			t.Errorf("%s: the token is taken", name)
		}
	}
	if verify(good, time.Unix(2000, 0)) {
		t.Error("the token is taken at the second of its expiry")
	}
}

// FuzzBearer: no token but those signed with the secret is taken, whatever it says.
func FuzzBearer(f *testing.F) {
	f.Add(encodeToken(`{"alg":"HS512","typ":"JWT"}`, `{"iss":"prometheus","sub":"admin","exp":4949291148}`, hs512("another secret")))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		b, err := ParseBearer(token)
		if err == nil && (b.Verify(bearerSecret, time.Unix(1000, 0)) || b.Verify("", time.Unix(1000, 0))) {
			t.Errorf("%q is taken", token)
		}
	})
}
