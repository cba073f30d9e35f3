package sigv4

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signer signs requests as a client. Its methods may be used concurrently for different requests.
type Signer struct {
	AccessKey, Secret, SessionToken string
	Region, Service                 string
}

// SignHeader signs r, as it will be sent, with an Authorization header made at t. payload is
// the value of x-amz-content-sha256: a SHA-256 in lower-case hex, "UNSIGNED-PAYLOAD", or "" for
// the hash of an empty body. Signed are host, content-type, content-md5, x-minio-extract and every x-amz-* header.
// It returns the signature in hex, the seed of a streamed body.
func (s *Signer) SignHeader(r *http.Request, payload string, t time.Time) string {
	if payload == "" {
		payload = emptySHA256
	}
	amzDate := t.UTC().Format(timeFormat)
	r.Header.Set("X-Amz-Date", amzDate)
	r.Header.Set("X-Amz-Content-Sha256", payload)
	if s.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.SessionToken)
	}
	signed := signedHeaderList(r.Header, "content-type", "content-md5", "x-minio-extract")
	signature := s.sign(r, Header, signed, payload, amzDate)
	r.Header.Set("Authorization", algorithm+" Credential="+s.AccessKey+"/"+s.scope(amzDate)+", SignedHeaders="+signed+", Signature="+signature)
	return signature
}

// Presign adds the query parameters of a presigned URL to r.URL, made at t and good for
// expires, which S3 limits to 1 second to 7 days. Headers that r has must be sent with the URL as they
// are: host, every x-amz-* header and MinIO's x-minio-extract are signed. The body is not, unless r has an x-amz-content-sha256 header.
func (s *Signer) Presign(r *http.Request, expires time.Duration, t time.Time) {
	amzDate := t.UTC().Format(timeFormat)
	signed := signedHeaderList(r.Header, "x-minio-extract")
	q := []string{
		"X-Amz-Algorithm=" + algorithm,
		"X-Amz-Credential=" + escapeQuery(s.AccessKey+"/"+s.scope(amzDate)),
		"X-Amz-Date=" + amzDate,
		"X-Amz-Expires=" + strconv.FormatInt(int64(expires/time.Second), 10),
		"X-Amz-SignedHeaders=" + escapeQuery(signed),
	}
	if s.SessionToken != "" {
		q = append(q, "X-Amz-Security-Token="+escapeQuery(s.SessionToken))
	}
	if r.URL.RawQuery != "" {
		q = append([]string{r.URL.RawQuery}, q...)
	}
	r.URL.RawQuery = strings.Join(q, "&")
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		payload = unsignedPayload
	}
	r.URL.RawQuery += "&X-Amz-Signature=" + s.sign(r, Presigned, signed, payload, amzDate)
}

// SignPostPolicy returns the fields of a POST form that carry policy, a JSON document, and its
// signature made at t. The policy must name x-amz-algorithm, x-amz-credential, x-amz-date and, with a session
// token, x-amz-security-token among its conditions: see PostFields.
func (s *Signer) SignPostPolicy(policy []byte, t time.Time) map[string]string {
	form := s.PostFields(t)
	form["policy"] = base64.StdEncoding.EncodeToString(policy)
	var buf []byte
	k := deriveKey(s.keyID(form["x-amz-date"]))
	mac := hmacSHA256(k[:], []byte(form["policy"]), &buf)
	form["x-amz-signature"] = hex.EncodeToString(mac[:])
	return form
}

// PostFields returns the fields of a POST form signed at t that its policy has to name.
func (s *Signer) PostFields(t time.Time) map[string]string {
	amzDate := t.UTC().Format(timeFormat)
	form := map[string]string{"x-amz-algorithm": algorithm, "x-amz-credential": s.AccessKey + "/" + s.scope(amzDate), "x-amz-date": amzDate}
	if s.SessionToken != "" {
		form["x-amz-security-token"] = s.SessionToken
	}
	return form
}

func (s *Signer) scope(amzDate string) string {
	return amzDate[:len(dateFormat)] + "/" + s.Region + "/" + s.Service + "/" + terminal
}

func (s *Signer) keyID(amzDate string) keyID {
	return keyID{s.Secret, amzDate[:len(dateFormat)], s.Region, s.Service}
}

func (s *Signer) sign(r *http.Request, mode Mode, signedHeaders, payload, amzDate string) string {
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	var w scratch
	w.canonical = w.appendCanonical(nil, r, mode, signedHeaders, payload)
	w.toSign = appendToSign(nil, amzDate, s.scope(amzDate), w.canonical)
	k := deriveKey(s.keyID(amzDate))
	mac := hmacSHA256(k[:], w.toSign, &w.mac)
	return hex.EncodeToString(mac[:])
}

// signedHeaderList returns host, every x-amz-* header of h, and those of others that h has.
func signedHeaderList(h http.Header, others ...string) string {
	names := []string{"host"}
	for name := range h {
		if lower := strings.ToLower(name); isAmz(name) || slices.Contains(others, lower) {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}

// escapeQuery encodes a query value as the canonical request has it.
func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
