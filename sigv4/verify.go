package sigv4

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxHashedBody bounds the body that Verify itself reads, see Verify.
const maxHashedBody = 1 << 20

// Verify proves that r was signed with secret: scope, skew or expiry, that host and
// every x-amz-* header (but x-amz-content-sha256 and x-amz-cf-id) are signed, and the signature,
// in constant time. For an unknown access key call it with secret "" and use the
// caller's own InvalidAccessKeyId answer, so that both take the same time.
//
// For services other than "s3" it is the body's own hash that is signed, whatever
// x-amz-content-sha256 says. So Verify reads the body (1 MiB at most), leaves it in r.Body to be
// read again, and sets a.Payload and a.PayloadHash.
//
// An Anonymous a gives AccessDenied: there is nothing to prove. Form has its own PostPolicy.
func (v *Verifier) Verify(r *http.Request, a *Auth, secret string) error {
	if a.Mode != Header && a.Mode != Presigned {
		return newError("AccessDenied", "Access Denied")
	}
	if a.V2 {
		return v.verifyV2(r, a, secret)
	}
	if err := v.checkScope(a); err != nil {
		return err
	}
	if err := v.checkTime(a); err != nil {
		return err
	}
	s := v.getScratch()
	defer v.scratch.Put(s)
	if missing := s.unsignedHeaders(r.Header, a.state.signedHeaders); missing != "" {
		return newError("AccessDenied", "There were headers present in the request which were not signed", Field{"HeadersNotSigned", missing})
	}
	if v.Service != "s3" {
		if err := a.hashBody(r); err != nil {
			return err
		}
	}
	return v.checkSignature(s, r, a, secret)
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

func (v *Verifier) maxSkew() time.Duration {
	if v.MaxSkew != 0 {
		return v.MaxSkew
	}
	return 15 * time.Minute
}

func (v *Verifier) checkScope(a *Auth) error {
	if v.Region != "" && a.Region != v.Region {
		return errMalformed(a.Mode, fmt.Sprintf("the region '%s' is wrong; expecting '%s'", a.Region, v.Region), Field{"Region", v.Region})
	}
	if a.Service != v.Service {
		return errMalformed(a.Mode, fmt.Sprintf("incorrect service %q. This endpoint belongs to %q.", a.Service, v.Service))
	}
	return nil
}

func (v *Verifier) checkTime(a *Auth) error {
	now, skew := v.now(), v.maxSkew()
	if a.Mode == Presigned {
		expiry := a.Time.Add(a.Expires)
		switch {
		case a.Time.After(now.Add(skew)):
			return newError("AccessDenied", "Request is not yet valid",
				Field{"X-Amz-Date", a.state.amzDate}, Field{"ServerTime", now.UTC().Format(time.RFC3339)})
		case now.After(expiry):
			return newError("AccessDenied", "Request has expired",
				Field{"X-Amz-Expires", strconv.FormatInt(int64(a.Expires/time.Second), 10)},
				Field{"Expires", expiry.UTC().Format(time.RFC3339)}, Field{"ServerTime", now.UTC().Format(time.RFC3339)})
		}
		return nil
	}
	if d := now.Sub(a.Time); d > skew || d < -skew {
		return errSkewed(a.state.amzDate, now, skew)
	}
	return nil
}

// hashBody reads the body to learn its hash, and puts it back.
func (a *Auth) hashBody(r *http.Request) error {
	var data []byte
	if r.Body != nil {
		var err error
		if data, err = io.ReadAll(io.LimitReader(r.Body, maxHashedBody+1)); err != nil {
			return bodyError(err)
		}
	}
	if len(data) > maxHashedBody {
		return newError("MaxMessageLengthExceeded", "Your request was too large.")
	}
	sum := sha256.Sum256(data)
	a.Payload, a.PayloadHash = PayloadHash, hex.EncodeToString(sum[:])
	a.state.payload = a.PayloadHash
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

func (v *Verifier) checkSignature(s *scratch, r *http.Request, a *Auth, secret string) error {
	ok := v.proves(s, r, a, secret)
	if !ok && s.repeats {
		// AWS sorts the values of a repeated name. minio-go, and mc with it, signs them in the order in which it
		// sends them; what is signed is then what was sent, and proves it as well.
		s.asSent = true
		ok = v.proves(s, r, a, secret)
		s.asSent = false
	}
	if ok {
		return nil
	}
	return newError("SignatureDoesNotMatch", messageSignatureDoesNotMatch,
		Field{"AWSAccessKeyId", a.AccessKey},
		Field{"StringToSign", string(s.toSign)},
		Field{"SignatureProvided", a.state.signature},
		Field{"StringToSignBytes", spacedHex(s.toSign)},
		Field{"CanonicalRequest", string(s.canonical)},
		Field{"CanonicalRequestBytes", spacedHex(s.canonical)})
}

// proves reports whether the signature is that of the request; s has what was signed.
func (v *Verifier) proves(s *scratch, r *http.Request, a *Auth, secret string) bool {
	s.canonical = s.appendCanonical(s.canonical[:0], r, a.Mode, a.state.signedHeaders, a.state.payload)
	s.toSign = appendToSign(s.toSign[:0], a.state.amzDate, a.state.scope, s.canonical)
	mac := hmacSHA256(v.signingKey(a, secret)[:], s.toSign, &s.mac)
	// A signature made with an empty secret is no proof of anything.
	return equalHex(a.state.signature, mac) && secret != ""
}

func (v *Verifier) signingKey(a *Auth, secret string) *key {
	return v.cache.get(keyID{secret, a.Date, a.Region, a.Service})
}

func (v *Verifier) getScratch() *scratch {
	if s, ok := v.scratch.Get().(*scratch); ok {
		return s
	}
	return &scratch{canonical: make([]byte, 0, 1024), toSign: make([]byte, 0, 256), mac: make([]byte, 0, 512)}
}

// equalHex reports, in constant time, whether s is mac in lower-case hexadecimal.
func equalHex(s string, mac key) bool {
	var want [2 * len(mac)]byte
	hex.Encode(want[:], mac[:])
	if len(s) != len(want) {
		return false
	}
	var got [len(want)]byte
	copy(got[:], s)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// spacedHex writes b as S3 writes StringToSignBytes: "41 57 53".
func spacedHex(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 3*len(b))
	for i, c := range b {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
