package kes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/internal/keyring"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// refusal is an answer of another status than 2xx.
type refusal struct {
	status  int
	message string
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.message) }

// ask sends one request to the endpoint that has answered last, and to the others while none can answer. The answer
// goes into out, nil for none.
func (k *Keys) ask(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	var trouble []error
	first := int(k.last.Load())
	for i := range k.opts.Endpoints {
		n := (first + i) % len(k.opts.Endpoints)
		err := k.exchange(ctx, method, k.opts.Endpoints[n]+"/v1/"+path, body, out)
		var r *refusal
		if err == nil || errors.As(err, &r) && r.status < 500 {
			k.last.Store(int64(n))
			return meaning(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		trouble = append(trouble, err)
	}
	return fmt.Errorf("%w: %w", keyring.ErrUnavailable, errors.Join(trouble...))
}

// meaning says a refusal in the words of keyring, by the messages that KES has.
func meaning(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	is := func(status int, words string) bool { return r.status == status && strings.Contains(r.message, words) }
	switch {
	case is(http.StatusNotFound, "key does not exist"):
		return fmt.Errorf("%w: %w", keyring.ErrNoKey, r)
	case is(http.StatusBadRequest, "key already exists"):
		return fmt.Errorf("%w: %w", keyring.ErrKeyExists, r)
	case is(http.StatusBadRequest, "ciphertext is not authentic"):
		return fmt.Errorf("%w: %w", keyring.ErrWrongKey, r)
	}
	return fmt.Errorf("%w: %w", keyring.ErrUnavailable, r)
}

// exchange sends one request to one server. Errors never hold what was sent or a secret of the answer.
func (k *Keys) exchange(ctx context.Context, method, url string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, k.opts.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := k.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	defer clear(data)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		var told struct{ Message string }
		json.Unmarshal(data, &told) // what is no message tells nothing
		return &refusal{resp.StatusCode, strings.TrimSpace(told.Message)}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return errors.New("the answer can't be read") // it may hold a secret
	}
	return nil
}
