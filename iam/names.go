package iam

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Limits of names and keys, in bytes.
const (
	MinAccessKey = 3
	MaxAccessKey = 128
	MinSecret    = 8
	MaxSecret    = 128
	MaxPolicies  = 100 // attached to one user or group
)

// CheckAccessKey returns an error that Is ErrInvalid unless s can be an access key, and
// so a user's name: 3 to 128 of letters, digits and _ . @ + -. Characters that have a
// meaning in an Authorization header, in a path or in a policy are not among them.
func CheckAccessKey(s string) error {
	if len(s) < MinAccessKey || len(s) > MaxAccessKey {
		return fmt.Errorf("%w: an access key has %d to %d characters", ErrInvalid, MinAccessKey, MaxAccessKey)
	}
	for _, c := range []byte(s) {
		if !isWord(c) && strings.IndexByte("_.@+-", c) < 0 {
			return fmt.Errorf("%w: an access key consists of letters, digits and _ . @ + -", ErrInvalid)
		}
	}
	if strings.Trim(s, ".") == "" {
		return fmt.Errorf("%w: an access key consists of more than dots", ErrInvalid)
	}
	return nil
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// CheckSecret returns an error that Is ErrInvalid unless s can be a secret key: 8 to 128
// printable ASCII characters, no space at either end.
func CheckSecret(s string) error {
	if len(s) < MinSecret || len(s) > MaxSecret {
		return fmt.Errorf("%w: a secret key has %d to %d characters", ErrInvalid, MinSecret, MaxSecret)
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%w: a secret key consists of printable ASCII characters", ErrInvalid)
		}
	}
	if s != strings.TrimSpace(s) {
		return fmt.Errorf("%w: a secret key neither begins nor ends with a space", ErrInvalid)
	}
	return nil
}

// CheckPolicyName returns an error that Is ErrInvalid unless s can name a policy: 1 to
// 128 of letters, digits and _ . @ + = -, as AWS has it but for the comma, which
// separates policies in claims.
func CheckPolicyName(s string) error {
	if s == "" || len(s) > 128 || strings.Trim(s, ".") == "" {
		return fmt.Errorf("%w: a policy name has 1 to 128 characters", ErrInvalid)
	}
	for _, c := range []byte(s) {
		if !isWord(c) && strings.IndexByte("_.@+=-", c) < 0 {
			return fmt.Errorf("%w: a policy name consists of letters, digits and _ . @ + = -", ErrInvalid)
		}
	}
	return nil
}

// shadows tells whether a name could be taken for root's: equal but for case and spaces.
func shadows(name, root string) bool {
	squeeze := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.EqualFold(squeeze(name), squeeze(root))
}

// NewAccessKeyName returns a random access key in AWS's form: "AKIA" and 16 characters.
func NewAccessKeyName() string { return "AKIA" + random32(16) }

// NewSecret returns a random secret of 40 characters, 240 bits.
func NewSecret() string {
	b := make([]byte, 30)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// Prefixes of unique ids (IAM user guide, "IAM identifiers").
const (
	userID  = "AIDA"
	groupID = "AGPA"
	keyID   = "ABIA" // of a service key; clients never see it
)

// newID returns a unique id in AWS's form: a prefix and 17 characters, 85 bits.
func newID(prefix string) string { return prefix + random32(17) }

// newSessionKey returns the access key of a session issued at t, in AWS's form: ten characters of
// the time, which sort as it does, so that the records of sessions which are issued together stand
// together in the store; then 30 random bits. Two of one moment may be the same: the first to be
// committed has it.
func newSessionKey(t time.Time) string {
	const sorted = "234567ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var key [14]byte
	copy(key[:], "ASIA")
	ticks := uint64(t.UnixNano()) >> 14 // 50 bits
	for i := len(key) - 1; i >= 4; i-- {
		key[i] = sorted[ticks&31]
		ticks >>= 5
	}
	return string(key[:]) + random32(6)
}

// random32 returns n random characters of A-Z and 2-7.
func random32(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base32.StdEncoding.EncodeToString(b)[:n]
}

// newAccount returns a random account id of 12 digits that does not begin with zero.
func newAccount() string {
	const digits = "0123456789"
	b := make([]byte, 0, 12)
	for len(b) < 12 {
		var r [1]byte
		rand.Read(r[:])
		// 250 is the largest multiple of ten in a byte: without the rest no digit is favoured.
		if r[0] >= 250 || len(b) == 0 && r[0]%10 == 0 {
			continue
		}
		b = append(b, digits[r[0]%10])
	}
	return string(b)
}

// CheckAccount returns an error that Is ErrInvalid unless s is an account id: 12 digits.
func CheckAccount(s string) error {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return fmt.Errorf("%w: an account id has 12 digits", ErrInvalid)
	}
	return nil
}

// commonSecrets are the defaults of object servers and the first guesses of everybody.
var commonSecrets = map[string]bool{
	"minioadmin": true, "minio123": true, "miniosecret": true, "minio-secret": true,
	"rustfsadmin": true, "objsrvadmin": true, "changeme": true, "changeme123": true,
	"password": true, "password1": true, "password123": true, "passw0rd": true,
	"12345678": true, "123456789": true, "1234567890": true, "qwertyui": true,
	"qwerty123": true, "adminadmin": true, "admin123": true, "administrator": true,
	"secretkey": true, "secret123": true, "supersecret": true, "letmein1": true,
	"wjalrxutnfemi/k7mdeng/bpxrficyexamplekey": true,
}

// WeakSecret says why the secret of user is easy to guess, or "".
func WeakSecret(user, secret string) string {
	low := strings.ToLower(secret)
	switch {
	case commonSecrets[low]:
		return "it is a well-known default"
	case strings.EqualFold(user, secret):
		return "it equals the user name"
	case user != "" && strings.Contains(low, strings.ToLower(user)) && len(secret)-len(user) < 8:
		return "it is little more than the user name"
	case len(secret) < 12:
		return fmt.Sprintf("it has only %d characters", len(secret))
	}
	different := map[rune]bool{}
	for _, r := range secret {
		different[r] = true
	}
	if len(different) < 6 {
		return fmt.Sprintf("it has only %d different characters", len(different))
	}
	return ""
}
