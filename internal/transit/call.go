package transit

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
const maxAnswer = 1 << 20

// refusal is an answer of another status than 2xx.
type refusal struct {
	status int
	errors string
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.errors) }

// ask sends one request with a token, and once more with a new one when that is refused and a new one can be had. The
// answer's data goes into out, nil for none. A server that does not answer in time can't be asked.
func (k *Keys) ask(ctx context.Context, method, path string, in, out any) error {
	inTime, cancel := context.WithTimeout(ctx, k.opts.Timeout)
	defer cancel()
	err := k.askPatiently(inTime, method, path, in, out)
	if err != nil && inTime.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: no answer within %v", keyring.ErrUnavailable, k.opts.Timeout)
	}
	return err
}

// askPatiently is ask until ctx ends.
func (k *Keys) askPatiently(ctx context.Context, method, path string, in, out any) error {
	token, number, err := k.currentToken(ctx, 0)
	if err != nil {
		return err
	}
	err = k.send(ctx, method, path, token, in, out)
	var r *refusal
	if errors.As(err, &r) && r.status == http.StatusForbidden && k.opts.RoleID != "" {
		if token, _, err = k.currentToken(ctx, number); err != nil {
			return err
		}
		err = k.send(ctx, method, path, token, in, out)
	}
	return meaning(err)
}

// meaning says a refusal in the words of keyring.
func meaning(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(r.errors, w) {
				return true
			}
		}
		return false
	}
	switch {
	case r.status == http.StatusNotFound, r.status == http.StatusBadRequest && says("key not found", "disallowed by policy", "version is too new"):
		return fmt.Errorf("%w: %w", keyring.ErrNoKey, r)
	case r.status == http.StatusBadRequest && says("message authentication failed", "invalid ciphertext"):
		return fmt.Errorf("%w: %w", keyring.ErrWrongKey, r)
	}
	return fmt.Errorf("%w: %w", keyring.ErrUnavailable, r)
}

// currentToken returns the token in use with its number, or another one when that of the number was refused, by a login
// with the role, which is one for all who wait for it.
func (k *Keys) currentToken(ctx context.Context, refused int) (token string, number int, err error) {
	if token, number = k.usable(refused); token != "" {
		return token, number, nil
	}
	select {
	case k.login <- struct{}{}:
		defer func() { <-k.login }()
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if token, number = k.usable(refused); token != "" {
		return token, number, nil
	}
	in := map[string]string{"role_id": k.opts.RoleID, "secret_id": k.opts.SecretID}
	var out struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		} `json:"auth"`
	}
	if err := k.exchange(ctx, http.MethodPost, "auth/approle/login", "", in, &out); err != nil {
		return "", 0, fmt.Errorf("log in: %w", meaning(err))
	}
	if out.Auth.ClientToken == "" {
		return "", 0, fmt.Errorf("log in: %w: the answer has no token", keyring.ErrUnavailable)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = out.Auth.ClientToken
	k.number++
	return k.token, k.number, nil
}

// usable returns the token in use with its number, none when it is the one that was refused.
func (k *Keys) usable(refused int) (token string, number int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.number == refused {
		return "", 0
	}
	return k.token, k.number
}

// send is exchange with the answer's data.
func (k *Keys) send(ctx context.Context, method, path, token string, in, out any) error {
	if out == nil {
		return k.exchange(ctx, method, path, token, in, nil)
	}
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	if err := k.exchange(ctx, method, path, token, in, &answer); err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return fmt.Errorf("%w: the answer can't be read", keyring.ErrUnavailable) // it may hold a secret
	}
	return nil
}

// exchange sends one request. Errors never hold what was sent or a secret of the answer.
func (k *Keys) exchange(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, k.opts.Endpoint+"/v1/"+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("X-Vault-Request", "true")
	if token != "" {
		r.Header.Set("X-Vault-Token", token)
	}
	if k.opts.Namespace != "" {
		r.Header.Set("X-Vault-Namespace", k.opts.Namespace)
	}
	resp, err := k.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", keyring.ErrUnavailable, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", keyring.ErrUnavailable, err)
	}
	if resp.StatusCode/100 != 2 {
		var told struct{ Errors []string }
		json.Unmarshal(data, &told) // what is no list of errors tells nothing
		return &refusal{resp.StatusCode, strings.Join(told.Errors, "; ")}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%w: the answer can't be read", keyring.ErrUnavailable)
	}
	return nil
}
