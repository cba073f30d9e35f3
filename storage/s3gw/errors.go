package s3gw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Error is what the upstream answered instead of success. It is for the log: clients see what the
// error Is.
type Error struct {
	XMLName xml.Name `xml:"Error"`
	Status  int      `xml:"-"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`

	header http.Header
}

// Error implements error. It never has what was sent, so no secret of the upstream's.
func (e *Error) Error() string {
	msg := e.Message
	if len(msg) > 200 {
		msg = msg[:200] + "..."
	}
	return strings.ToValidUTF8(fmt.Sprintf("the upstream answered %d %s: %q", e.Status, e.Code, msg), "?")
}

// readError reads an answer that is no success, and closes it.
func readError(resp *http.Response) error {
	defer resp.Body.Close()
	e := &Error{}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err != nil || xml.Unmarshal(plainXML(b), e) != nil {
		e = &Error{} // HEAD has no document, and proxies have others
	}
	e.Status, e.header = resp.StatusCode, resp.Header
	if e.Code == "" {
		e.Code = resp.Header.Get("X-Minio-Error-Code")
	}
	return e
}

// codes gives the meaning of the upstream's codes.
var codes = map[string]error{
	"InvalidBucketName":              storage.ErrNoSuchBucket, // there is none of such a name
	"NoSuchBucket":                   storage.ErrNoSuchBucket,
	"NoSuchKey":                      storage.ErrNoSuchKey,
	"NoSuchVersion":                  storage.ErrNoSuchVersion,
	"NoSuchUpload":                   storage.ErrNoSuchUpload,
	"BucketAlreadyExists":            storage.ErrBucketExists,
	"BucketAlreadyOwnedByYou":        storage.ErrBucketExists,
	"BucketNotEmpty":                 storage.ErrBucketNotEmpty,
	"InvalidPart":                    storage.ErrInvalidPart,
	"InvalidPartOrder":               storage.ErrPartOrder,
	"EntityTooSmall":                 storage.ErrPartTooSmall,
	"PreconditionFailed":             storage.ErrPrecondition,
	"ConditionalRequestConflict":     storage.ErrUnavailable,
	"OperationAborted":               storage.ErrUnavailable,
	"SlowDown":                       storage.ErrUnavailable,
	"RequestTimeTooSkewed":           storage.ErrUnavailable,
	"NotImplemented":                 storage.ErrNotSupported,
	"InvalidObjectName":              storage.ErrNotSupported,
	"XMinioInvalidObjectName":        storage.ErrNotSupported,
	"XMinioInvalidResourceName":      storage.ErrNotSupported,
	"XMinioObjectExistsAsDirectory":  storage.ErrNotSupported,
	"XMinioParentIsObject":           storage.ErrNotSupported,
	"KeyTooLongError":                storage.ErrNotSupported,
	"MissingContentLength":           storage.ErrNotSupported,
	"InsufficientStorage":            storage.ErrFull,
	"XMinioStorageFull":              storage.ErrFull,
	"XMinioAdminBucketQuotaExceeded": storage.ErrFull,
	"QuotaExceeded":                  storage.ErrFull,
	"UnsupportedOperation":           storage.ErrNotSupported,
	"MethodNotAllowed":               storage.ErrNotSupported,
	"InvalidStorageClass":            storage.ErrNotSupported,
	"InvalidBucketState":             storage.ErrNotSupported,
	"MetadataTooLarge":               storage.ErrNotSupported,
}

// damagedOnTheWay are the codes of requests that did not arrive as they were sent: the client's next try may do better.
var damagedOnTheWay = map[string]bool{"BadDigest": true, "InvalidDigest": true, "IncompleteBody": true, "RequestTimeout": true, "XAmzContentSHA256Mismatch": true, "XAmzContentChecksumMismatch": true}

// ourFault are the codes of requests that are signed for the wrong place, or by a key that counts no more.
var ourFault = map[string]bool{"AuthorizationHeaderMalformed": true, "InvalidRegion": true, "IllegalLocationConstraintException": true, "ExpiredToken": true, "InvalidToken": true}

// sentinel returns what an error is in the words of package storage, nil when it has no word.
func (e *Error) sentinel() error {
	if s := codes[e.Code]; s != nil {
		return s
	}
	switch {
	case e.Status == http.StatusNotImplemented:
		return storage.ErrNotSupported
	case e.Status == http.StatusInsufficientStorage:
		return storage.ErrFull
	case e.Status == http.StatusPreconditionFailed:
		return storage.ErrPrecondition
	case damagedOnTheWay[e.Code]:
		return storage.ErrUnavailable
	case e.Status == http.StatusBadRequest && e.Code != "" && !ourFault[e.Code]:
		return storage.ErrNotSupported // what passes here and not there: the rules of upstreams differ
	case e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Status/100 == 3:
		return storage.ErrUnavailable
	}
	return nil
}

// wrap says what was tried, and what its failure means.
func wrap(what string, err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		if s := e.sentinel(); s != nil {
			return fmt.Errorf("%s: %w: %w", what, s, e)
		}
		return fmt.Errorf("%s: %w", what, e)
	case known(err), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %w", what, storage.ErrUnavailable, err)
}

// known tells whether err has a meaning of its own already: it comes from the body's reader, or was found
// before anything was sent.
func known(err error) bool {
	var b *bodyError
	if errors.As(err, &b) {
		return true
	}
	for _, s := range []error{
		storage.ErrNoSuchBucket, storage.ErrBucketExists, storage.ErrBucketNotEmpty, storage.ErrNoSuchKey, storage.ErrNoSuchVersion, storage.ErrNoSuchUpload, storage.ErrPrecondition,
		storage.ErrDamaged, storage.ErrNotSupported, storage.ErrSize, storage.ErrClosed, storage.ErrUnavailable, storage.ErrFull,
	} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// bodyError is what the reader of a body said: the client's fault, not the upstream's.
type bodyError struct{ err error }

// Error implements error.
func (e *bodyError) Error() string { return e.err.Error() }

// Unwrap returns the reader's error.
func (e *bodyError) Unwrap() error { return e.err }

// transient tells whether a read is worth another try.
func transient(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Status == http.StatusTooManyRequests || e.Status >= 500 && e.Status != http.StatusNotImplemented && e.Status != http.StatusInsufficientStorage
	}
	return !known(err) && !errors.Is(err, errStalled) && !errors.Is(err, context.Canceled)
}

// isStatus tells whether err is an answer with a status.
func isStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// missing gives the errors of a read of an object their meaning: HEAD has no code, and delete markers
// answer with their headers.
func missing(what string, ref storage.Ref, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return wrap(what, err)
	}
	if e.header.Get("X-Amz-Delete-Marker") == "true" && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed) {
		m := &storage.MarkerError{VersionID: e.header.Get("X-Amz-Version-Id"), Named: ref.Version != ""}
		if m.VersionID == "" {
			m.VersionID = ref.Version
		}
		m.Modified, _ = time.Parse(http.TimeFormat, e.header.Get("Last-Modified")) // the zero time when it isn't told
		return m
	}
	if e.Status == http.StatusBadRequest && strings.HasSuffix(e.Code, "InvalidObjectName") { // what can't be a key there is not there
		e.Status, e.Code = http.StatusNotFound, ""
	}
	switch {
	case e.Code == "NoSuchBucket":
	case e.Status == http.StatusNotFound && ref.Version != "",
		ref.Version != "" && isNoVersion(e):
		return fmt.Errorf("%s: %w: %w", what, storage.ErrNoSuchVersion, e)
	case e.Status == http.StatusNotFound && (e.Code == "" || e.Code == "NoSuchVersion"):
		return fmt.Errorf("%s: %w: %w", what, storage.ErrNoSuchKey, e)
	}
	return wrap(what, err)
}

// isNoVersion tells whether an answer says that a version's id is none.
func isNoVersion(e *Error) bool {
	return e.Status == http.StatusBadRequest && (e.Code == "" || e.Code == "InvalidArgument" || e.Code == "NoSuchVersion" || e.Code == "XMinioInvalidResourceName")
}
