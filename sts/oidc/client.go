package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// Limits of what is asked of a provider.
const (
	maxResponse = 1 << 20
	callTimeout = 10 * time.Second
)

// client asks one provider.
type client struct {
	http *http.Client
}

// newClient makes the client of a provider. It trusts CAFile alone where there is one, follows no
// redirect, and connects to no address that only a mistake or an attacker makes a provider's (S-105).
func newClient(c *Config) (*client, error) {
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
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1}
	if !proxied(c.ConfigURL) { // else it is the proxy that looks names up
		local := c.loopback()
		d.Control = func(_, address string, _ syscall.RawConn) error { return checkAddress(address, local) }
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSClientConfig: tc, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout, MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 1,
	}
	return &client{&http.Client{
		Transport: t, Timeout: callTimeout,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			return fmt.Errorf("it redirects to %s, which is not followed", r.URL.Redacted())
		},
	}}, nil
}

func proxied(configURL string) bool {
	u, err := url.Parse(configURL)
	if err != nil {
		return false
	}
	p, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	return err != nil || p != nil
}

// awsMetadata is where machines of AWS find their credentials over IPv6.
var awsMetadata = netip.MustParseAddr("fd00:ec2::254")

// checkAddress judges the address that a name has led to, at the moment of connecting. Private
// networks are where many providers are; this machine is, when it is configured so.
func checkAddress(address string, local bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: not an address", address)
	}
	switch ip := ap.Addr().Unmap().WithZone(""); {
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(), ip == awsMetadata:
		return fmt.Errorf("%s is no address of an identity provider", ip)
	case ip.IsLoopback() && !local:
		return fmt.Errorf("the name leads to this machine (%s): if that is meant, CONFIG_URL must say localhost or 127.0.0.1, and ISSUER what the provider calls itself", ip)
	}
	return nil
}

// get reads a JSON document into v. bearer is sent when it is not empty.
func (c *client) get(ctx context.Context, address, bearer string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &statusError{address, resp.StatusCode, resp.Status}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	if len(body) > maxResponse {
		return fmt.Errorf("%s answered more than %d bytes", address, maxResponse)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "application/jwt" {
		return fmt.Errorf("%s answered a signed token, where JSON is understood alone: set the client's userinfo response to be unsigned", address)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s did not answer the JSON that was expected: %w", address, err)
	}
	return nil
}

// statusError is an answer that is no success.
type statusError struct {
	address string
	code    int
	status  string
}

// Error implements error.
func (e *statusError) Error() string { return e.address + " answered " + e.status }

// endpoint judges an address that the provider names: no way leads from https to less.
func endpoint(name, address, configURL string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return fmt.Errorf("the document has no %s", name)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return fmt.Errorf("its %s is no URL of http or https", name)
	case u.Scheme == "http" && strings.HasPrefix(configURL, "https:"):
		return fmt.Errorf("its %s is not encrypted, unlike the document", name)
	}
	return nil
}

// readToken reads the bearer token of TOKEN_FILE anew each time: it is rotated.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("TOKEN_FILE can't be read: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", errors.New("TOKEN_FILE holds no token")
	}
	return token, nil
}
