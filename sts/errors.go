package sts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/sigv4"
)

// Error is a refusal as it is answered.
type Error struct {
	Status  int    // of HTTP
	Code    string // of the STS API reference
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func errDenied(format string, a ...any) error {
	return &Error{http.StatusForbidden, "AccessDenied", fmt.Sprintf(format, a...)}
}

func invalid(format string, a ...any) error {
	return &Error{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, a...)}
}

// printable keeps what a client chose from breaking a message.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strconv.QuoteToASCII(s)
}

// credentialError answers for a key that can't be used. A signature that is malformed or out of
// time is told first, as AWS does.
func credentialError(err, verr error) error {
	var se *sigv4.Error
	if errors.As(verr, &se) && se.Code != "SignatureDoesNotMatch" {
		return verr
	}
	switch {
	case errors.Is(err, iam.ErrExpired):
		return &Error{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired."}
	case errors.Is(err, iam.ErrNoSuchKey), errors.Is(err, iam.ErrInvalidToken):
		return &Error{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	return err
}

// asError is the one table from errors to answers.
func asError(err error) *Error {
	var e *Error
	var signature *sigv4.Error
	var syntax *policy.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &signature):
		return signatureError(signature)
	case errors.As(err, &large):
		return &Error{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The body is longer than " + strconv.Itoa(maxBody) + " bytes."}
	case errors.As(err, &syntax):
		return &Error{http.StatusBadRequest, "MalformedPolicyDocument", syntax.Error()}
	}
	for _, row := range []struct {
		err     error
		status  int
		code    string
		message string // instead of the error's text
	}{
		{iam.ErrInvalid, http.StatusBadRequest, "ValidationError", ""},
		{iam.ErrNoSuchPolicy, http.StatusBadRequest, "ValidationError", ""},
		{iam.ErrFull, http.StatusServiceUnavailable, "Throttling", ""},
		{iam.ErrNoSuchKey, http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{iam.ErrDisabled, http.StatusForbidden, "AccessDenied", "The user is disabled on this server."},
		{iam.ErrReserved, http.StatusForbidden, "AccessDenied", "The name of the user is reserved on this server."},
		{iam.ErrUnavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "Sessions can't be issued now."},
	} {
		if errors.Is(err, row.err) {
			if row.message == "" {
				row.message = err.Error()
			}
			return &Error{row.status, row.code, row.message}
		}
	}
	return &Error{http.StatusInternalServerError, "InternalFailure", "An internal error happened."}
}

// signatureError translates S3's codes of a signature's faults into those of the Query APIs.
func signatureError(e *sigv4.Error) *Error {
	code, status := e.Code, http.StatusForbidden
	switch {
	case strings.HasPrefix(code, "Authorization"), code == "InvalidArgument", code == "InvalidRequest":
		code, status = "IncompleteSignature", http.StatusBadRequest
	case code == "RequestTimeTooSkewed":
		code = "SignatureDoesNotMatch"
	case code == "EntityTooLarge":
		code, status = "RequestEntityTooLarge", http.StatusRequestEntityTooLarge
	}
	return &Error{status, code, e.Message}
}

// errorResponse is the body of a refusal.
type errorResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// fail answers with an error.
func (c *call) fail(err error) {
	e := asError(err)
	c.ev.Code = e.Code
	kind := "Sender"
	if e.Status >= http.StatusInternalServerError {
		c.ev.Err, kind = err, "Receiver"
	}
	c.write(e.Status, errorResponse{Type: kind, Code: e.Code, Message: e.Message, RequestID: c.ev.ID})
}

// writer makes documents, one at a time: an encoder has a buffer of more bytes than most answers.
type writer struct {
	doc     bytes.Buffer
	encoder *xml.Encoder
}

func newWriter() any {
	w := &writer{}
	w.encoder = xml.NewEncoder(&w.doc)
	return w
}

// marshal returns the document of v, which is there until the next one.
func (w *writer) marshal(v any) ([]byte, error) {
	w.doc.Reset()
	if err := w.encoder.Encode(v); err != nil {
		w.encoder = xml.NewEncoder(&w.doc) // the old one may be in the midst of an element
		return nil, err
	}
	return w.doc.Bytes(), nil
}

// write sends a document.
func (c *call) write(status int, v any) {
	wr := c.writers.Get().(*writer)
	defer c.writers.Put(wr)
	doc, err := wr.marshal(v)
	if err != nil {
		c.ev.Err = fmt.Errorf("write answer: %w", err)
		status, doc = http.StatusInternalServerError, nil
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(doc)))
	c.ev.Status = status
	c.w.WriteHeader(status)
	n, err := c.w.Write(doc)
	c.ev.BytesOut += int64(n)
	if err != nil {
		c.ev.Err = err
	}
}
