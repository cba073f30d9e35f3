package adminapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/sigv4"
)

// Refusal is an error as it is answered.
type Refusal struct {
	Status  int // of HTTP
	Code    string
	Message string
	Place   *Place // in a policy that is malformed; else nil
}

// Error implements error.
func (p *Refusal) Error() string { return p.Code + ": " + p.Message }

// Error is the body of a refusal.
type Error struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
	Place     *Place `json:"place,omitempty"`
}

// Place is where a policy document is wrong, and why.
type Place struct {
	Path   string `json:"path"`   // "Statement[2].Condition.StringLike"; "" for the whole document
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // in bytes, from 1
	Reason string `json:"reason"`
}

func placeOf(e *policy.SyntaxError) *Place {
	return &Place{Path: e.Path, Line: e.Line, Column: e.Column, Reason: e.Reason}
}

var (
	errDenied = &Refusal{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied."}
	errRoute  = &Refusal{Status: http.StatusNotFound, Code: "NoSuchRoute", Message: "There is nothing under this path."}
)

// badArgument refuses what is well-formed and can't be meant.
func badArgument(format string, args ...any) error {
	return &Refusal{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: fmt.Sprintf(format, args...)}
}

// fail answers with an error.
func (c *call) fail(err error) {
	p := asRefusal(err)
	c.ev.Code = p.Code
	if p.Status >= http.StatusInternalServerError {
		c.ev.Err = err
	}
	if err := c.reply(p.Status, Error{Code: p.Code, Message: p.Message, RequestID: c.ev.ID, Place: p.Place}); err != nil {
		c.ev.Err = err
	}
}

// authRefusal is the answer to an error of Authenticate.
func authRefusal(err error) error {
	var p *Refusal
	var signature *sigv4.Error
	switch {
	case errors.As(err, &p), errors.As(err, &signature), errors.Is(err, iam.ErrDamaged):
		return err
	case errors.Is(err, iam.ErrNoSuchKey):
		return &Refusal{Status: http.StatusForbidden, Code: "InvalidAccessKeyId", Message: "The access key does not exist or is disabled."}
	case errors.Is(err, iam.ErrInvalidToken):
		return &Refusal{Status: http.StatusForbidden, Code: "InvalidToken", Message: "The session token is not valid."}
	case errors.Is(err, iam.ErrExpired):
		return &Refusal{Status: http.StatusForbidden, Code: "ExpiredToken", Message: "The credential has expired."}
	}
	return errDenied
}

// domainErrors are the errors of package iam as they are answered; plain replaces a text
// that may say too much.
var domainErrors = []struct {
	err    error
	status int
	code   string
	plain  string
}{
	{iam.ErrInvalid, http.StatusBadRequest, "InvalidArgument", ""},
	{iam.ErrNotAccounts, http.StatusForbidden, "AccessDenied", ""},
	{iam.ErrReserved, http.StatusForbidden, "ReservedName", ""},
	{iam.ErrExists, http.StatusConflict, "EntityAlreadyExists", ""},
	{iam.ErrInUse, http.StatusConflict, "DeleteConflict", ""},
	{iam.ErrNoSuchUser, http.StatusNotFound, "NoSuchUser", ""},
	{iam.ErrNoSuchAccount, http.StatusNotFound, "NoSuchAccount", ""},
	{iam.ErrAccountUsed, http.StatusConflict, "DeleteConflict", ""},
	{iam.ErrNotEmpty, http.StatusConflict, "DeleteConflict", ""},
	{iam.ErrNoSuchGroup, http.StatusNotFound, "NoSuchGroup", ""},
	{iam.ErrNoSuchPolicy, http.StatusNotFound, "NoSuchPolicy", ""},
	{iam.ErrNoSuchKey, http.StatusNotFound, "NoSuchAccessKey", ""},
	{store.ErrFull, http.StatusInsufficientStorage, "InsufficientStorage", "No space is left for identities."},
	{iam.ErrFull, http.StatusConflict, "LimitExceeded", ""}, // a limit of one user
	{iam.ErrUnavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "Identities can't be changed now."},
	{iam.ErrDamaged, http.StatusInternalServerError, "InternalError", "The record is damaged."},
}

// asRefusal is the one table from errors to answers.
func asRefusal(err error) *Refusal {
	var p *Refusal
	var signature *sigv4.Error
	var syntax *policy.SyntaxError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &signature):
		status := http.StatusForbidden
		if signature.Code == "XAmzContentSHA256Mismatch" {
			status = http.StatusBadRequest
		}
		return &Refusal{Status: status, Code: signature.Code, Message: signature.Message}
	case errors.As(err, &large):
		return &Refusal{Status: http.StatusRequestEntityTooLarge, Code: "EntityTooLarge", Message: fmt.Sprintf("The body is longer than %d bytes.", large.Limit)}
	case errors.As(err, &syntax):
		return &Refusal{Status: http.StatusBadRequest, Code: "MalformedPolicy", Message: syntax.Error(), Place: placeOf(syntax)}
	}
	for _, row := range domainErrors {
		if errors.Is(err, row.err) {
			text := row.plain
			if text == "" {
				text = err.Error()
			}
			return &Refusal{Status: row.status, Code: row.code, Message: text}
		}
	}
	return &Refusal{Status: http.StatusInternalServerError, Code: "InternalError", Message: "An internal error happened."}
}
