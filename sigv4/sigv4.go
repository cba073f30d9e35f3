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
	"sync"
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
	PayloadUnsigned              Payload = iota // UNSIGNED-PAYLOAD, or a presigned URL that names no hash
	PayloadHash                                 // a SHA-256 in hex, verified at the end of the body
	PayloadStreamSigned                         // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
	PayloadStreamSignedTrailer                  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
	PayloadStreamUnsignedTrailer                // STREAMING-UNSIGNED-PAYLOAD-TRAILER
)

// Auth is what a request claims about its signer; nothing in it is proven before
// Verifier.Verify returned nil.
type Auth struct {
	Mode         Mode
	V2           bool // signed with version 2, see Verifier.FormV2 and V2Bucket
	AccessKey    string
	SessionToken string // x-amz-security-token, from header or query
	Date         string // scope date, yyyymmdd
	Region       string
	Service      string
	Time         time.Time     // x-amz-date or Date
	Expires      time.Duration // presigned only
	Payload      Payload
	PayloadHash  string // lower-case hex when Payload is PayloadHash

	state authState
}

// Signs tells whether the signature covers a header, by its name in lower case. That of version 2 covers none but x-amz-*.
func (a *Auth) Signs(header string) bool { return !a.V2 && listed(a.state.signedHeaders, header) }

// authState is what Verify and Body need of the request's authentication.
type authState struct {
	signedHeaders string // as sent: sorted, lower-case, separated by ';'
	signature     string // as sent
	amzDate       string // yyyymmddThhmmssZ, as it stands in the string to sign
	scope         string // date/region/service/aws4_request
	payload       string // last line of the canonical request
}

// Verifier checks requests for one region and service. Safe for concurrent use;
// it caches signing keys, so it must be used by pointer and not be copied.
type Verifier struct {
	Region  string           // "" accepts any region in the scope
	Service string           // "s3", "sts", "iam"
	Now     func() time.Time // nil means time.Now
	MaxSkew time.Duration    // 0 means 15 minutes
	// AnyRegion accepts, in the Authorization header, an empty region too, which clients of
	// MinIO's administration sign with. Region must be "" then.
	AnyRegion bool
	FormV2    bool // accept POST forms signed with version 2 (HMAC-SHA1 over the policy)
	// V2Bucket, when not nil, accepts presigned URLs and Authorization headers of version 2, the
	// latter without streaming payloads. It returns the bucket that a virtual host names, which version 2
	// signs, or "" for path style.
	V2Bucket func(host string) string

	cache   keyCache
	scratch sync.Pool // of *scratch
	readers sync.Pool // of *bufio.Reader, for chunked bodies
}

// Body is the decoded body of a request.
type Body struct {
	io.Reader
	// Length is the number of decoded bytes, or -1 when not announced.
	Length int64
	// Trailer returns the verified trailing headers, lower-case names; valid after io.EOF.
	Trailer func() map[string]string
}

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
