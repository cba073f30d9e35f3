package madmin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// call is one request.
type call struct {
	*handler
	IAM   *iam.Admin // identities as the caller administers them, before those of the handler, which knows them all
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context
	ev    *reqlog.Event
	cred  iam.Credential
	id    *iam.Identity // of cred, never nil behind serve
	query url.Values
	args  map[string]string // of the path
	body  []byte            // decrypted
	// lifetime is how long a key that is made or changed will live, for svc:DurationSeconds.
	lifetime time.Duration
}

// param returns a parameter of the query.
func (c *call) param(name string) string { return c.query.Get(name) }

// readBody reads the whole body, which ends the check of its signature, and decrypts it where
// the row says so: nothing is done before.
func (c *call) readBody(rt *route) error {
	limit := rt.max
	if rt.sealed {
		limit += sealOverhead(limit)
	}
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	c.ev.BytesIn += int64(len(data))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) && rt.max == 0:
		return invalid("The request takes no body.")
	case errors.As(err, &large):
		return &Refusal{http.StatusBadRequest, "XMinioAdminConfigTooLarge", "The body is longer than " + strconv.FormatInt(rt.max, 10) + " bytes."}
	case err != nil:
		return err
	case !rt.sealed:
		c.body = data
		return nil
	}
	c.body, err = c.sealer.open(c.ctx, c.cred.Secret, data)
	return err
}

// decide asks for one action of the caller. What it refuses may be allowed for another reason:
// nothing is kept of it.
func (c *call) decide(action string) iam.Decision {
	return c.handler.IAM.Authorize(&iam.Request{Identity: c.id, Action: action, KMSKey: c.kmsKey(), Conditions: c.conditions()})
}

// refuse keeps a refusal for whoever explains it, and returns the answer. Administrators of an account are told what is
// none of theirs.
func (c *call) refuse(action string, d iam.Decision) error {
	c.handler.IAM.Refuse(iam.Refusal{
		RequestID: c.ev.ID, Principal: c.id.ARN, AccessKey: c.id.AccessKey, Remote: c.ev.Remote,
		Action: action, Statement: d.Statement, Explicit: d.Explicit,
	})
	return cmp.Or(c.IAM.Refuses(action), error(errDenied))
}

// conditions answers the condition keys of the request.
func (c *call) conditions() reqlog.SignedConditions {
	return reqlog.SignedConditions{Conditions: reqlog.Conditions{Event: c.ev, Referer: c.r.Referer()}, Lifetime: c.lifetime}
}

// reply sends a value as JSON.
func (c *call) reply(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, "application/json", body)
}

// replySealed sends a value as JSON, encrypted for the caller.
func (c *call) replySealed(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if body, err = c.sealer.seal(c.ctx, c.cred.Secret, body); err != nil {
		return err
	}
	return c.send(http.StatusOK, "application/json", body)
}

// replyEmpty sends a status and nothing else.
func (c *call) replyEmpty(status int) error { return c.send(status, "", nil) }

// send sends a whole answer.
func (c *call) send(status int, contentType string, body []byte) error {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	if contentType != "" {
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
	}
	if status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.ev.Status = status
	c.w.WriteHeader(status)
	n, err := io.Copy(c.w, bytes.NewReader(body))
	c.ev.BytesOut += n
	if err != nil {
		c.ev.Err = err
	}
	return nil
}
