// Package sigv4 verifies AWS Signature Version 4 requests: Authorization headers,
// presigned URLs, POST policies, and every form of signed or unsigned streaming
// body. It also signs, for clients and tests. It imports the standard library
// only and knows nothing of objects or policies, so that others can use it.
//
// The rules come from the AWS documentation: "Signature Version 4 signing process",
// "Authenticating Requests: Using the Authorization Header / Query Parameters" and
// "Signature Calculations for the Authorization Header: Transferring Payload in
// Multiple Chunks".
package sigv4

import (
	"io"
	"net/http"
	"time"
)

// Mode tells how a request is authenticated.
type Mode uint8

// The modes of authentication.
const (
	Anonymous Mode = iota
	Header         // Authorization header
	Presigned      // query parameters
	Form           // POST policy in a multipart form (see PostPolicy)
)

// Payload tells how a request's body is covered by its signature.
type Payload uint8

// The forms of payload, from x-amz-content-sha256.
const (
	PayloadUnsigned               Payload = iota // UNSIGNED-PAYLOAD, or a presigned URL that names no hash
	PayloadHash                                  // a SHA-256 in hex, verified at the end of the body
	PayloadStreamSigned                          // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
	PayloadStreamSignedTrailer                   // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
	PayloadStreamUnsignedTrailer                 // STREAMING-UNSIGNED-PAYLOAD-TRAILER
)

// Auth is what a request claims about its signer; nothing in it is proven before
// Verifier.Verify returned nil.
type Auth struct {
	Mode         Mode
	AccessKey    string
	SessionToken string // x-amz-security-token, from header or query
	Date         string // scope date, yyyymmdd
	Region       string
	Service      string
	Time         time.Time     // x-amz-date or Date
	Expires      time.Duration // presigned only
	Payload      Payload
	PayloadHash  string // lower-case hex when Payload is PayloadHash

	// unexported: parsed signature, signed headers, seed for streaming, ...
	state authState
}

// Verifier checks requests for one region and service. Safe for concurrent use;
// it caches signing keys.
type Verifier struct {
	Region  string           // "" accepts any region in the scope
	Service string           // "s3", "sts", "iam"
	Now     func() time.Time // nil means time.Now
	MaxSkew time.Duration    // 0 means 15 minutes

	cache keyCache
}

// Parse reads the authentication of r without interpreting anything else of it.
// A request without any is Anonymous. Malformed, duplicated or mixed kinds of
// authentication give an *Error. SigV2 gives code InvalidRequest with a message
// that says which signature version is expected.
func (v *Verifier) Parse(r *http.Request) (Auth, error)

// Verify proves that r was signed with secret: scope, skew or expiry, that host and
// every x-amz-* header (but x-amz-content-sha256 and x-amz-cf-id) are signed, and the signature,
// in constant time. For an unknown access key call it with secret "" and use the
// caller's own InvalidAccessKeyId answer, so that both take the same time.
func (v *Verifier) Verify(r *http.Request, a *Auth, secret string) error

// Body is the decoded body of a request.
type Body struct {
	io.Reader
	// Length is the number of decoded bytes, or -1 when not announced.
	Length int64
	// Trailer returns the verified trailing headers, lower-case names; valid after io.EOF.
	Trailer func() map[string]string
}

// Body returns the decoded content of r's body. Its reader returns io.EOF only when
// everything the signature covers has been verified (payload hash, every chunk
// signature, the final chunk, the announced trailer and its signature); otherwise
// an *Error. secret is that given to Verify.
func (v *Verifier) Body(r *http.Request, a *Auth, secret string) (*Body, error)

// Error is a refusal, with the S3 error code that AWS answers.
type Error struct {
	Code    string // S3 error code, e.g. "SignatureDoesNotMatch"
	Message string
	// Fields are further elements of the error document in order, such as
	// StringToSign, CanonicalRequest, HeadersNotSigned, ServerTime, Region.
	Fields []Field
}

// Field is a named element of an error document.
type Field struct{ Name, Value string }

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }
