package sigv4

import (
	"strconv"
	"time"
)

// The codes and messages are those that S3 answers, so that clients which look for
// them (for the region, the server's time, or the string to sign) find them.

func newError(code, message string, fields ...Field) *Error {
	return &Error{Code: code, Message: message, Fields: fields}
}

func errMalformed(mode Mode, detail string, fields ...Field) *Error {
	if mode == Header {
		return newError("AuthorizationHeaderMalformed", "The authorization header is malformed; "+detail, fields...)
	}
	return newError("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter; "+detail, fields...)
}

func errQuery(message string) *Error {
	return newError("AuthorizationQueryParametersError", message)
}

func errArgument(message, name, value string) *Error {
	return newError("InvalidArgument", message, Field{"ArgumentName", name}, Field{"ArgumentValue", value})
}

func errInvalidRequest(message string) *Error { return newError("InvalidRequest", message) }

func errSigV2() *Error {
	return errInvalidRequest("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
}

func errSeveralMechanisms() *Error {
	return errInvalidRequest("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, " +
		"Signature query string parameter or the Authorization header should be specified")
}

func errSkewed(requestTime string, now time.Time, skew time.Duration) *Error {
	return newError("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
		Field{"RequestTime", requestTime},
		Field{"ServerTime", now.UTC().Format(time.RFC3339)},
		Field{"MaxAllowedSkewMilliseconds", strconv.FormatInt(skew.Milliseconds(), 10)})
}

func errIncompleteBody() *Error {
	return newError("IncompleteBody", "The request body terminated unexpectedly")
}

func errMalformedTrailer() *Error {
	return newError("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
}

func errPayloadMismatch(client, computed string) *Error {
	return newError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.",
		Field{"ClientComputedContentSHA256", client}, Field{"S3ComputedContentSHA256", computed})
}

const messageSignatureDoesNotMatch = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
