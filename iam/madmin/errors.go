package madmin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/sigv4"
)

// errDenied is all that a refused caller learns, besides the request's id.
var errDenied = &Refusal{http.StatusForbidden, "AccessDenied", "Access Denied."}

// invalid is the refusal of an argument.
func invalid(message string) error {
	return &Refusal{http.StatusBadRequest, "XMinioAdminInvalidArgument", message}
}

// notAllowed is the refusal of what nobody may do, such as to change root.
func notAllowed(message string) error {
	return &Refusal{http.StatusForbidden, "XMinioIAMActionNotAllowed", message}
}

// quote makes what a client sent fit for a message.
func quote(s string) string {
	if len(s) > 100 {
		s = s[:100]
	}
	return strconv.QuoteToASCII(s)
}

// errorBody is an error as clients of MinIO read it.
type errorBody struct {
	Code      string
	Message   string
	Resource  string
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
}

// fail answers with an error.
func (c *call) fail(err error) {
	p := asRefusal(err)
	c.ev.Code = p.Code
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusNotImplemented {
		c.ev.Err = err
	}
	body, err := json.Marshal(errorBody{Code: p.Code, Message: p.Message, Resource: c.r.URL.Path, RequestID: c.ev.ID})
	if err == nil {
		err = c.send(p.Status, "application/json", body)
	}
	if err != nil {
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
		return &Refusal{http.StatusForbidden, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records."}
	case errors.Is(err, iam.ErrInvalidToken):
		return &Refusal{http.StatusForbidden, "InvalidTokenId", "The security token included in the request is invalid."}
	case errors.Is(err, iam.ErrExpired):
		return &Refusal{http.StatusForbidden, "ExpiredToken", "The provided token has expired."}
	}
	return errDenied
}

// asRefusal is the one table from errors to answers.
func asRefusal(err error) *Refusal {
	var p *Refusal
	var signature *sigv4.Error
	var syntax *policy.SyntaxError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &signature):
		status := http.StatusForbidden
		if signature.Code == "XAmzContentSHA256Mismatch" {
			status = http.StatusBadRequest
		}
		return &Refusal{status, signature.Code, signature.Message}
	case errors.As(err, &syntax):
		return &Refusal{http.StatusBadRequest, "XMinioMalformedIAMPolicy", syntax.Error()}
	}
	for _, row := range errorTable() {
		if errors.Is(err, row.err) {
			if row.plain == "" {
				row.plain = err.Error()
			}
			return &Refusal{row.status, row.code, row.plain}
		}
	}
	return &Refusal{http.StatusInternalServerError, "InternalError", "We encountered an internal error, please try again."}
}

// errorRow is the answer to an error of package iam.
type errorRow struct {
	err    error
	status int
	code   string
	plain  string // instead of the error's text, which may say too much
}

func errorTable() []errorRow {
	return []errorRow{
		{iam.ErrInvalid, http.StatusBadRequest, "XMinioAdminInvalidArgument", ""},
		{iam.ErrNotAccounts, http.StatusForbidden, "AccessDenied", ""},
		{iam.ErrReserved, http.StatusForbidden, "XMinioInvalidIAMCredentials", ""},
		{iam.ErrExists, http.StatusBadRequest, "XMinioIAMServiceAccountNotAllowed", "The name is taken."},
		{iam.ErrInUse, http.StatusBadRequest, "XMinioIAMPolicyInUse", "The policy cannot be removed, as it is in use"},
		{iam.ErrNoSuchUser, http.StatusNotFound, "XMinioAdminNoSuchUser", "The specified user does not exist."},
		{iam.ErrNoSuchGroup, http.StatusNotFound, "XMinioAdminNoSuchGroup", "The specified group does not exist."},
		{iam.ErrNotEmpty, http.StatusBadRequest, "XMinioAdminGroupNotEmpty", "The specified group is not empty - cannot remove it."},
		{iam.ErrNoSuchPolicy, http.StatusNotFound, "XMinioAdminNoSuchPolicy", "The canned policy does not exist."},
		{iam.ErrNoSuchKey, http.StatusNotFound, "XMinioAdminNoSuchAccessKey", "The specified access key does not exist."},
		{iam.ErrFull, http.StatusInsufficientStorage, "XMinioStorageFull", "No space is left for identities."},
		{iam.ErrUnavailable, http.StatusServiceUnavailable, "ServiceUnavailable", "Identities can't be changed now."},
		{iam.ErrDamaged, http.StatusInternalServerError, "InternalError", "The record is damaged."},
	}
}
