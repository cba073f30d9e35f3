package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/sigv4"
)

const (
	defaultEndpoint = "http://127.0.0.1:9000"
	adminTimeout    = 30 * time.Second
	maxAnswer       = 64 << 20
)

// rawBody is a body that is sent as it is.
type rawBody []byte

func userPath(name string) string   { return "users/" + url.PathEscape(name) }
func policyPath(name string) string { return "policies/" + url.PathEscape(name) }

// call sends one signed request and returns the answer's body, or an error that says
// what the server did not like.
func (f *adminFlags) call(cmd *cobra.Command, method, path string, in any) ([]byte, error) {
	resp, err := f.open(cmd, method, path, in, false)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return answer, nil
}

// open sends one signed request and returns the answer, whose body the caller closes, or an error that says
// what the server did not like. An endless answer may take any time.
func (f *adminFlags) open(cmd *cobra.Command, method, path string, in any, endless bool) (*http.Response, error) {
	var body []byte
	contentType, timeout := "application/json", adminTimeout
	switch v := in.(type) {
	case nil:
	case rawBody:
		body = v
	case archiveBody:
		body, contentType, timeout = v, "application/zip", importTimeout
	default:
		var err error
		if body, err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	signer, err := f.signer(cmd)
	if err != nil {
		return nil, err
	}
	base, err := f.base()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(cmd.Context(), method, base+adminapi.Prefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, usagef("endpoint: %v", err)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", contentType)
	}
	sum := sha256.Sum256(body)
	signer.SignHeader(r, hex.EncodeToString(sum[:]), time.Now())
	client, err := f.client()
	if err != nil {
		return nil, err
	}
	if client.Timeout = timeout; endless {
		client.Timeout = 0
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return nil, refusal(resp, answer)
}

// refusal is the error that an answer stands for. Its text came over the network and is
// shown without control characters.
func refusal(resp *http.Response, body []byte) error {
	var e adminapi.Error
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return fmt.Errorf("the server answers %s: is it an objsrv?", printable(resp.Status))
	}
	return fmt.Errorf("%s: %s (request id %s)", printable(e.Code), printable(e.Message), printable(e.RequestID))
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// base returns the server's URL without a path.
func (f *adminFlags) base() (string, error) {
	raw := f.endpoint
	for _, name := range []string{"OBJSRV_ENDPOINT", "OBJSRV_URL", "AWS_ENDPOINT_URL"} {
		if raw == "" {
			raw = os.Getenv(name)
		}
	}
	if raw == "" {
		raw = defaultEndpoint
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", usagef("the endpoint is a URL like %s, not %q", defaultEndpoint, raw)
	}
	return u.Scheme + "://" + u.Host, nil
}

// signer finds the credentials.
func (f *adminFlags) signer(cmd *cobra.Command) (*sigv4.Signer, error) {
	s := &sigv4.Signer{AccessKey: f.accessKey, Secret: f.secretKey, Region: "us-east-1", Service: "s3"}
	if region := os.Getenv("OBJSRV_REGION"); region != "" {
		s.Region = region
	}
	if s.Secret == "-" {
		secret, err := firstLine(cmd.InOrStdin())
		if err != nil {
			return nil, err
		}
		s.Secret = secret
	}
	if s.AccessKey != "" && s.Secret != "" {
		return s, nil
	}
	if s.AccessKey != "" || s.Secret != "" {
		return nil, usagef("--access-key and --secret-key go together")
	}
	for _, pair := range [][3]string{
		{"OBJSRV_ACCESS_KEY", "OBJSRV_SECRET_KEY"},
		{"OBJSRV_ROOT_USER", "OBJSRV_ROOT_PASSWORD"},
		{"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"},
		{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"},
	} {
		s.AccessKey, s.Secret = os.Getenv(pair[0]), os.Getenv(pair[1])
		if s.AccessKey != "" && s.Secret != "" {
			if pair[2] != "" {
				s.SessionToken = os.Getenv(pair[2])
			}
			return s, nil
		}
	}
	return nil, usagef("no credentials: set OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD, or give --access-key and --secret-key")
}

// client returns an HTTP client that follows no redirect, since the signature is for one host.
func (f *adminFlags) client() (*http.Client, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	file := f.caFile
	if file == "" {
		file = os.Getenv("OBJSRV_CA_FILE")
	}
	if file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, usagef("CA file: %v", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usagef("CA file: no certificate in %s", file)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: t, Timeout: adminTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects; give its own URL")
	}}, nil
}
