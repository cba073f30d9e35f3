package webui

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
)

// refusal is an error as it is answered.
type refusal struct {
	status  int // of HTTP
	code    string
	message string
}

// Error implements error.
func (r *refusal) Error() string { return r.code + ": " + r.message }

var (
	errNothing   = &refusal{http.StatusNotFound, "NoSuchRoute", "There is nothing under this path."}
	errNoSession = &refusal{http.StatusUnauthorized, "NoSession", "Nobody is logged in, or the session has ended. Log in again."}
)

func badRequest(message string) error {
	return &refusal{http.StatusBadRequest, "InvalidRequest", message}
}

// errorBody is the form of errors that the administration has, too.
type errorBody struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
}

// fail answers with an error.
func (v *visit) fail(err error) {
	r := asRefusal(err)
	v.ev.Code = r.code
	if r.status >= http.StatusInternalServerError && r.status != http.StatusNotImplemented {
		v.ev.Err = err
	}
	v.reply(r.status, errorBody{r.code, r.message, v.ev.ID})
}

// asRefusal is the one table from errors to answers. Those of logins are the Security Token Service's.
func asRefusal(err error) *refusal {
	var r *refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &large):
		return &refusal{http.StatusRequestEntityTooLarge, "EntityTooLarge", "The body is longer than " + strconv.FormatInt(large.Limit, 10) + " bytes."}
	case errors.Is(err, iam.ErrUnavailable):
		return &refusal{http.StatusServiceUnavailable, "ServiceUnavailable", "Identities can't be changed now. Try again later."}
	}
	e := sts.AsError(err)
	return &refusal{e.Status, e.Code, e.Message}
}

// reply sends a value as JSON.
func (v *visit) reply(status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	v.ev.Status = status
	v.w.WriteHeader(status)
	if _, err := v.w.Write(append(body, '\n')); err != nil {
		v.ev.Err = err
	}
	return nil
}
