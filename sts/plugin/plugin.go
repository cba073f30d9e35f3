package plugin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/objsrv/objsrv/sts"
)

// Limits of what is asked of a plugin (S-195), and of how long it may vouch for somebody, which are
// MinIO's.
const (
	callTimeout  = 10 * time.Second
	maxResponse  = 1 << 20
	maxCalls     = 64 // at the same time; further ones wait, within callTimeout
	maxReason    = 300
	minValidity  = 900
	longValidity = 365 * 24 * 3600
)

// Plugin asks the plugin. It implements sts.TokenPlugin, and may be used by several goroutines.
type Plugin struct {
	config Config
	role   string
	http   *http.Client
}

// New returns the plugin of a server for region. Nothing is asked of it before the first token.
// Errors: those of Config.Check, and what is wrong with CAFile.
func New(c Config, region string) (*Plugin, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	tc := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("CA_FILE can't be read: %w", err)
		}
		if tc.RootCAs = x509.NewCertPool(); !tc.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA_FILE %s holds no certificate in PEM", c.CAFile)
		}
	}
	return &Plugin{config: c, role: c.role(region), http: &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: tc, TLSHandshakeTimeout: callTimeout / 2,
			MaxConnsPerHost: maxCalls, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		// Who is redirected would show the token to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it redirects, which is not followed") },
	}}, nil
}

// RoleARN implements sts.TokenPlugin.
func (p *Plugin) RoleARN() string { return p.role }

// Policies implements sts.TokenPlugin.
func (p *Plugin) Policies() []string { return p.config.Policies }

// Authenticate implements sts.TokenPlugin.
func (p *Plugin) Authenticate(ctx context.Context, token string) (*sts.TokenHolder, error) {
	status, body, err := p.ask(ctx, token)
	if err != nil {
		return nil, unusable("it can't be asked: %v", err)
	}
	switch status {
	case http.StatusOK:
		return holder(body)
	case http.StatusForbidden:
		return nil, refusal(body)
	}
	return nil, unusable("it answered with status %d", status)
}

// unusable is told of a plugin that does not answer as it should. The reason is for administrators.
func unusable(format string, a ...any) error {
	return &sts.Rejection{Code: sts.CommunicationError, Message: "The identity plugin gave no usable answer. An administrator finds why under the id of this request.",
		Reason: "identity plugin: " + fmt.Sprintf(format, a...)}
}

// ask sends a token. Errors do not tell the URL, which has the token in it.
func (p *Plugin) ask(ctx context.Context, token string) (int, []byte, error) {
	u, err := url.Parse(p.config.URL)
	if err != nil {
		return 0, nil, err
	}
	q := u.Query()
	q.Set("token", token)
	u.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), http.NoBody)
	if err != nil {
		return 0, nil, errors.New("its URL and the token make no request")
	}
	r.Header.Set("Accept", "application/json")
	if p.config.AuthToken != "" {
		r.Header.Set("Authorization", p.config.AuthToken)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return 0, nil, fmt.Errorf("read its answer: %w", err)
	}
	if len(body) > maxResponse {
		return 0, nil, fmt.Errorf("it answered more than %d bytes", maxResponse)
	}
	return resp.StatusCode, body, nil
}

// holder reads the answer about a token that the plugin knows.
func holder(body []byte) (*sts.TokenHolder, error) {
	var a struct {
		User     string         `json:"user"`
		Validity json.Number    `json:"maxValiditySeconds"`
		Claims   map[string]any `json:"claims"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&a); err != nil {
		return nil, unusable("its answer is not the JSON that was expected: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, unusable("something follows the JSON of its answer")
	}
	seconds, err := a.Validity.Int64()
	switch {
	case a.User == "":
		return nil, unusable("its answer has no user")
	case err != nil || seconds < minValidity || seconds > longValidity:
		return nil, unusable("maxValiditySeconds of its answer is no whole number from %d to %d: %q", minValidity, longValidity, a.Validity.String())
	}
	h := &sts.TokenHolder{User: a.User, MaxValidity: time.Duration(seconds) * time.Second, Claims: map[string][]string{}}
	for name, v := range a.Claims {
		values, ok := texts(v)
		if ok || sts.ReservedClaim(name) { // to be refused, whatever its value is
			h.Claims[name] = values
		}
	}
	return h, nil
}

// texts returns a string, or a list of strings. Policies can ask for nothing else.
func texts(v any) ([]string, bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []any:
		var out []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// refusal tells the client the reason that the plugin has for it.
func refusal(body []byte) error {
	var a struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Reason == "" {
		return &sts.Rejection{Code: sts.AccessDenied, Message: "The identity plugin refuses the token, and gives no reason."}
	}
	reason := strings.ToValidUTF8(a.Reason, "?")
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "..."
	}
	return &sts.Rejection{Code: sts.AccessDenied, Message: fmt.Sprintf("The identity plugin refuses the token: %q", reason)}
}
