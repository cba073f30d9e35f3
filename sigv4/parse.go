package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	timeFormat = "20060102T150405Z"
	dateFormat = "yyyymmdd" // for its length

	unsignedPayload         = "UNSIGNED-PAYLOAD"
	streamSigned            = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamSignedTrailer     = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamUnsignedTrailer   = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	emptySHA256             = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	maxPresign              = 7 * 24 * 60 * 60 // seconds
	maxAuthorizationHeader  = 8 << 10
	messageComponents       = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
	messageCredential       = `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`
	messageQueryParameters  = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
	messageDate             = "AWS authentication requires a valid Date or x-amz-date header"
	messageContentSHA256    = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
	messageRepeatedHeader   = "The request contains more than one header of the name "
	messageNoContentSHA256  = "Missing required header for this request: x-amz-content-sha256"
	messageStreamNotAllowed = "A streaming payload is allowed for PUT and POST only"
)

// Parse reads the authentication of r without interpreting anything else of it: the
// method, the query's authentication parameters and the headers Authorization, Date and
// x-amz-*. A request without any is Anonymous; its x-amz-content-sha256 counts all the same.
// Malformed, duplicated or mixed kinds of authentication give an *Error. SigV2 gives, where it is not
// allowed, code InvalidRequest with a message that says which signature version is expected.
func (v *Verifier) Parse(r *http.Request) (Auth, error) {
	var q authQuery
	if err := q.read(r.URL.RawQuery); err != nil {
		return Auth{}, err
	}
	if err := checkRepeated(r.Header); err != nil {
		return Auth{}, err
	}
	authorization := r.Header["Authorization"]
	switch {
	case len(authorization) > 1:
		return Auth{}, errInvalidRequest(messageRepeatedHeader + "Authorization")
	case len(authorization) == 1 && (q.presigned() || q.sigV2()), q.presigned() && q.sigV2():
		return Auth{}, errSeveralMechanisms()
	case q.sigV2() && v.V2Bucket != nil:
		return v.parsePresignedV2(r, &q)
	case q.sigV2():
		return Auth{}, errSigV2()
	case len(authorization) == 1:
		return v.parseHeader(r, authorization[0], &q)
	case q.presigned():
		return v.parsePresigned(r, &q)
	}
	var a Auth
	err := a.parsePayload(r, &q)
	if err == nil && (a.Payload == PayloadStreamSigned || a.Payload == PayloadStreamSignedTrailer) {
		err = errInvalidRequest("A signed streaming payload requires an authenticated request")
	}
	return a, orNil(err)
}

// orNil turns a typed nil into a nil error.
func orNil(err *Error) error {
	if err == nil {
		return nil
	}
	return err
}

// mayRepeat tells the x-amz-* headers that may stand in several lines: lists, and user
// metadata, which S3 joins with commas.
func mayRepeat(name string) bool {
	return strings.HasPrefix(name, "X-Amz-Meta-") || name == "X-Amz-Object-Attributes" || name == "X-Amz-Optional-Object-Attributes"
}

// checkRepeated refuses repeated x-amz-* headers, of which one reader might take the
// first value and another the last.
func checkRepeated(h http.Header) error {
	for name, values := range h {
		if len(values) > 1 && isAmz(name) && !mayRepeat(name) {
			return errInvalidRequest(messageRepeatedHeader + strings.ToLower(name))
		}
	}
	return nil
}

// isAmz reports whether name begins with x-amz-, in any case.
func isAmz(name string) bool {
	return len(name) > len("x-amz-") && name[0]|0x20 == 'x' && strings.EqualFold(name[:len("x-amz-")], "x-amz-")
}

func (v *Verifier) parseHeader(r *http.Request, value string, q *authQuery) (Auth, error) {
	a := Auth{Mode: Header}
	scheme, rest, _ := strings.Cut(value, " ")
	switch {
	case scheme == "AWS" && v.V2Bucket != nil && len(value) <= maxAuthorizationHeader:
		return v.parseHeaderV2(r, rest, q)
	case scheme == "AWS":
		return Auth{}, errSigV2()
	case scheme != algorithm || len(value) > maxAuthorizationHeader:
		return Auth{}, errArgument("Unsupported Authorization Type", "Authorization", scheme)
	}
	credential, err := a.parseComponents(rest)
	if err == nil {
		err = a.parseCredential(credential)
	}
	if err == nil && a.Region == "" && !v.AnyRegion {
		err = errMalformed(Header, messageCredential)
	}
	if err == nil {
		err = a.parseHeaderTime(r.Header)
	}
	if err == nil && !validSignedHeaders(a.state.signedHeaders) {
		err = errMalformed(Header, "the SignedHeaders must be lower-case, sorted and unique.")
	}
	if err == nil {
		err = a.parsePayload(r, q)
	}
	if err != nil {
		return Auth{}, err
	}
	if a.state.payload == "" && v.Service == "s3" {
		return Auth{}, errInvalidRequest(messageNoContentSHA256)
	}
	a.SessionToken = first(r.Header["X-Amz-Security-Token"])
	if q.seen[qSecurityToken] {
		return Auth{}, errSeveralMechanisms()
	}
	return a, nil
}

// parseComponents reads "Credential=…, SignedHeaders=…, Signature=…" in any order.
func (a *Auth) parseComponents(s string) (credential string, err *Error) {
	var haveCredential, haveSigned, haveSignature bool
	for more := true; more; {
		var part string
		part, s, more = strings.Cut(s, ",")
		name, value, _ := strings.Cut(strings.Trim(part, " "), "=")
		var have *bool
		switch name {
		case "Credential":
			have, credential = &haveCredential, value
		case "SignedHeaders":
			have, a.state.signedHeaders = &haveSigned, value
		case "Signature":
			have, a.state.signature = &haveSignature, value
		}
		if have == nil || *have || value == "" {
			return "", errMalformed(Header, messageComponents)
		}
		*have = true
	}
	if !haveCredential || !haveSigned || !haveSignature {
		return "", errMalformed(Header, messageComponents)
	}
	return credential, nil
}

// parseCredential reads accesskey/date/region/service/aws4_request. A header's region may be
// empty here; whether it may, the caller knows.
func (a *Auth) parseCredential(s string) *Error {
	accessKey, scope, _ := strings.Cut(s, "/")
	date, rest, _ := strings.Cut(scope, "/")
	region, rest, _ := strings.Cut(rest, "/")
	service, term, ok := strings.Cut(rest, "/")
	if !ok || accessKey == "" || region == "" && a.Mode != Header || service == "" || strings.Contains(term, "/") {
		return errMalformed(a.Mode, messageCredential)
	}
	if term != terminal {
		return errMalformed(a.Mode, "incorrect terminal "+strconv.Quote(term)+`. This endpoint uses "aws4_request".`)
	}
	// Whether it is a day is known when it is held against x-amz-date, see checkDate.
	if len(date) != len(dateFormat) || strings.Trim(date, "0123456789") != "" {
		return errMalformed(a.Mode, "incorrect date format "+strconv.Quote(date)+`. This date in the credential must be in the format "yyyyMMdd".`)
	}
	a.AccessKey, a.Date, a.Region, a.Service, a.state.scope = accessKey, date, region, service, scope
	return nil
}

// parseHeaderTime reads x-amz-date or, without it, Date, and holds it against the scope's date.
func (a *Auth) parseHeaderTime(h http.Header) *Error {
	values := h["X-Amz-Date"]
	if len(values) == 0 {
		values = h["Date"]
	}
	if len(values) != 1 {
		return newError("AccessDenied", messageDate)
	}
	t, ok := parseTime(values[0])
	if !ok {
		// Either header may be an HTTP date; what is signed is the ISO 8601 form all the same.
		if t, ok = parseHTTPDate(values[0]); !ok {
			return newError("AccessDenied", messageDate)
		}
		a.Time, a.state.amzDate = t, t.UTC().Format(timeFormat)
		return a.checkDate()
	}
	a.Time, a.state.amzDate = t, values[0]
	return a.checkDate()
}

func (a *Auth) checkDate() *Error {
	if !strings.HasPrefix(a.state.amzDate, a.Date) {
		return errMalformed(a.Mode, "Invalid credential date "+strconv.Quote(a.Date)+". This date is not the same as X-Amz-Date: "+strconv.Quote(a.state.amzDate[:len(dateFormat)])+".")
	}
	return nil
}

// parseHTTPDate reads the date forms of RFC 9110, and the zone "-0000" that botocore writes.
func parseHTTPDate(s string) (time.Time, bool) {
	t, err := http.ParseTime(s)
	if err != nil {
		t, err = time.Parse(time.RFC1123Z, s)
	}
	return t, err == nil
}

// parseTime reads yyyymmddThhmmssZ. The length rules out what time.Parse takes besides, fractions.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeFormat) {
		return time.Time{}, false
	}
	t, err := time.Parse(timeFormat, s)
	return t, err == nil
}

func (v *Verifier) parsePresigned(r *http.Request, q *authQuery) (Auth, error) {
	a := Auth{Mode: Presigned}
	for _, p := range []param{qAlgorithm, qCredential, qDate, qExpires, qSignedHeaders, qSignature} {
		if q.value[p] == "" {
			return Auth{}, errQuery(messageQueryParameters)
		}
	}
	if q.value[qAlgorithm] != algorithm {
		return Auth{}, errQuery(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	}
	if err := a.parseCredential(q.value[qCredential]); err != nil {
		return Auth{}, err
	}
	t, ok := parseTime(q.value[qDate])
	if !ok {
		return Auth{}, errQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	a.Time, a.state.amzDate = t, q.value[qDate]
	if err := a.checkDate(); err != nil {
		return Auth{}, err
	}
	expires, err := parseExpires(q.value[qExpires])
	if err != nil {
		return Auth{}, err
	}
	a.Expires = expires
	a.state.signature, a.state.signedHeaders = q.value[qSignature], q.value[qSignedHeaders]
	if !validSignedHeaders(a.state.signedHeaders) {
		return Auth{}, errQuery("X-Amz-SignedHeaders must be lower-case, sorted and unique")
	}
	a.SessionToken = q.value[qSecurityToken]
	if token := r.Header["X-Amz-Security-Token"]; len(token) > 0 {
		if q.seen[qSecurityToken] {
			return Auth{}, errSeveralMechanisms()
		}
		a.SessionToken = token[0]
	}
	if err := a.parsePayload(r, q); err != nil {
		return Auth{}, err
	}
	if a.state.payload == "" {
		a.state.payload = unsignedPayload
	}
	return a, nil
}

func parseExpires(s string) (time.Duration, *Error) {
	n, err := strconv.ParseInt(s, 10, 64)
	digits := strings.TrimLeft(s, "0123456789") == ""
	switch {
	case err != nil && !digits && !strings.HasPrefix(s, "-"), s[0] == '+':
		return 0, errQuery("X-Amz-Expires should be a number")
	case err == nil && n < 0:
		return 0, errQuery("X-Amz-Expires must be non-negative")
	case err == nil && n == 0:
		return 0, errQuery("X-Amz-Expires must be at least 1 second")
	case err != nil && !digits:
		return 0, errQuery("X-Amz-Expires should be a number")
	case err != nil || n > maxPresign:
		return 0, errQuery("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	return time.Duration(n) * time.Second, nil
}

// parsePayload reads x-amz-content-sha256: the header or, without it, the query
// parameter into which some SDKs put it when they presign.
func (a *Auth) parsePayload(r *http.Request, q *authQuery) *Error {
	var value string
	if values := r.Header["X-Amz-Content-Sha256"]; len(values) > 0 {
		value = values[0]
	} else if q.seen[qContentSHA256] && a.Mode == Presigned {
		value = q.value[qContentSHA256]
	} else {
		return nil
	}
	a.state.payload = value
	switch value {
	case unsignedPayload:
		a.Payload = PayloadUnsigned
		return nil
	case streamSigned:
		a.Payload = PayloadStreamSigned
	case streamSignedTrailer:
		a.Payload = PayloadStreamSignedTrailer
	case streamUnsignedTrailer:
		a.Payload = PayloadStreamUnsignedTrailer
	default:
		if !isLowerHex(value, len(emptySHA256)) {
			return errArgument(messageContentSHA256, "x-amz-content-sha256", value)
		}
		a.Payload, a.PayloadHash = PayloadHash, value
		return nil
	}
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		return errArgument(messageStreamNotAllowed, "x-amz-content-sha256", value)
	}
	return nil
}

// validSignedHeaders reports whether s is a list of lower-case header names, sorted and unique.
func validSignedHeaders(s string) bool {
	last := ""
	for more := true; more; {
		var name string
		name, s, more = strings.Cut(s, ";")
		if name <= last { // also when empty
			return false
		}
		for i := range len(name) {
			if c := name[i]; c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' || c == ',' || c == ':' {
				return false
			}
		}
		last = name
	}
	return true
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
