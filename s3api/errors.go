package s3api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// Error is an answer other than success: an S3 error code with what belongs to it.
type Error struct {
	Code    string
	Message string
	Status  int // 0: as the table of codes says
	Fields  []sigv4.Field
	Header  http.Header // further headers of the answer
	cause   error       // for the log, never for the client
	why     string      // of a refusal, for those who may ask, see keepRefusal
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func errMalformedXML() *Error {
	return errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// with adds an element to the error document.
func (e *Error) with(name, value string) *Error {
	if value != "" {
		e.Fields = append(e.Fields, sigv4.Field{Name: name, Value: value})
	}
	return e
}

// header adds a header to the answer.
func (e *Error) header(name, value string) *Error {
	if e.Header == nil {
		e.Header = http.Header{}
	}
	e.Header.Set(name, value)
	return e
}

// HTTPStatus returns the status of the answer.
func (e *Error) HTTPStatus() int { return e.status() }

func (e *Error) status() int {
	if e.Status != 0 {
		return e.Status
	}
	if s, ok := statusOf[e.Code]; ok {
		return s
	}
	return http.StatusBadRequest
}

// statusOf gives the HTTP status of each code that is not 400 (S3 API reference, "Error responses").
var statusOf = map[string]int{
	"AccessDenied":                                   403,
	"AccessForbidden":                                403,
	"AccountProblem":                                 403,
	"AllAccessDisabled":                              403,
	"InvalidAccessKeyId":                             403,
	"InvalidObjectState":                             403,
	"RequestTimeTooSkewed":                           403,
	"SignatureDoesNotMatch":                          403,
	"NoSuchBucket":                                   404,
	"NoSuchBucketPolicy":                             404,
	"NoSuchConfiguration":                            404,
	"NoSuchCORSConfiguration":                        404,
	"NoSuchKey":                                      404,
	"NoSuchLifecycleConfiguration":                   404,
	"NoSuchObjectLockConfiguration":                  404,
	"NoSuchPublicAccessBlockConfiguration":           404,
	"NoSuchTagSet":                                   404,
	"NoSuchUpload":                                   404,
	"NoSuchVersion":                                  404,
	"NoSuchWebsiteConfiguration":                     404,
	"ObjectLockConfigurationNotFoundError":           404,
	"OwnershipControlsNotFoundError":                 404,
	"ReplicationConfigurationNotFoundError":          404,
	"ServerSideEncryptionConfigurationNotFoundError": 404,
	"MethodNotAllowed":                               405,
	"BucketAlreadyExists":                            409,
	"BucketAlreadyOwnedByYou":                        409,
	"BucketNotEmpty":                                 409,
	"ConditionalRequestConflict":                     409,
	"InvalidBucketState":                             409,
	"OperationAborted":                               409,
	"MissingContentLength":                           411,
	"PreconditionFailed":                             412,
	"InvalidRange":                                   416,
	"InternalError":                                  500,
	"NotImplemented":                                 501,
	"ServiceUnavailable":                             503,
	"SlowDown":                                       503,
	"InsufficientStorage":                            507,
}

// toError maps what a handler returned to an answer. It is the one table from domain
// errors to S3 codes; an error it does not know is an InternalError.
func toError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var se *sigv4.Error
	if errors.As(err, &se) {
		return &Error{Code: se.Code, Message: se.Message, Fields: se.Fields}
	}
	var marker *storage.MarkerError
	if errors.As(err, &marker) {
		return markerError(marker)
	}
	for _, row := range domainErrors {
		if errors.Is(err, row.is) {
			return &Error{Code: row.code, Message: row.message, cause: err}
		}
	}
	if errors.Is(err, context.Canceled) {
		return &Error{Code: "RequestTimeout", Message: "The client went away before the request was complete.", cause: err}
	}
	return &Error{Code: "InternalError", Message: "We encountered an internal error. Please try again.", cause: err}
}

var domainErrors = []struct {
	is            error
	code, message string
}{
	{storage.ErrNoSuchBucket, "NoSuchBucket", "The specified bucket does not exist"},
	{storage.ErrBucketExists, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it."},
	{storage.ErrBucketNotEmpty, "BucketNotEmpty", "The bucket you tried to delete is not empty"},
	{storage.ErrNoSuchKey, "NoSuchKey", "The specified key does not exist."},
	{storage.ErrNoSuchVersion, "NoSuchVersion", "The specified version does not exist."},
	{storage.ErrNoSuchUpload, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
	{storage.ErrInvalidPart, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."},
	{storage.ErrPartOrder, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number."},
	{storage.ErrPartTooSmall, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"},
	{storage.ErrOffset, "InvalidWriteOffset", "The write offset value that you specified does not match the current object size."},
	{storage.ErrTooManyParts, "TooManyParts", "You have attempted to add more parts than the maximum of 10000 that are allowed for this object. Write the object anew, then append to that."},
	{storage.ErrPrecondition, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"},
	{storage.ErrSize, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"},
	{storage.ErrFull, "InsufficientStorage", "The server's disk is full. Delete objects or add space, then try again."},
	{storage.ErrUnavailable, "ServiceUnavailable", "The store can't write at the moment. Please try again later."},
	{storage.ErrClosed, "ServiceUnavailable", "The server is stopping. Please try again."},
	{iam.ErrFull, "InsufficientStorage", "The server's disk is full. Delete objects or add space, then try again."},
	{iam.ErrUnavailable, "ServiceUnavailable", "The identity store can't write at the moment. Please try again later."},
	{keyring.ErrUnavailable, "ServiceUnavailable", "The keys of encryption can't be asked for at the moment. Please try again later."},
	{storage.ErrNotSupported, "NotImplemented", "The storage behind this server does not support this."},
	{storage.ErrDamaged, "InternalError", "The stored data is damaged and was not sent. The operator finds it with 'objsrv fsck'."},
}

// markerError is the answer to a read that meets a delete marker (S3 user guide, "Working with delete markers").
func markerError(m *storage.MarkerError) *Error {
	e := errorf("NoSuchKey", "The specified key does not exist.")
	if m.Named {
		e = errorf("MethodNotAllowed", "The specified method is not allowed against this resource.").
			header("Allow", "DELETE").header("Last-Modified", httpTime(m.Modified))
	}
	return e.header("X-Amz-Delete-Marker", "true").header("X-Amz-Version-Id", m.VersionID)
}
