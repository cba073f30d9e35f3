package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newHealthcheckCommand(env environ) *cobra.Command {
	var timeout time.Duration
	var insecure bool
	cmd := &cobra.Command{
		Use:   "healthcheck [URL]",
		Short: "Ask a server whether it is ready",
		Long: `Ask a server whether it is ready: exit code 0 when it is, 1 when not. Without URL it is
the one on this machine at OBJSRV_ADDRESS (or MINIO_ADDRESS), by HTTPS without checking
the certificate when OBJSRV_CERTS_DIR is set. A URL without a path gets /-/health/ready.`,
		Example: "  objsrv healthcheck\n  objsrv healthcheck https://s3.example.com",
		Args:    argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := localURL(env)
			if len(args) == 1 {
				target, err = args[0], nil
			} else if strings.HasPrefix(target, "https:") {
				insecure = true // a certificate seldom names 127.0.0.1
			}
			if err != nil {
				return err
			}
			answer, err := askHealth(target, timeout, insecure)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), answer)
			return nil
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the answer")
	cmd.Flags().BoolVar(&insecure, "insecure", false, "do not check the server's certificate")
	return cmd
}

// localURL is where a server with this environment listens, seen from this machine.
func localURL(env environ) (string, error) {
	address, certs := ":9000", ""
	for _, s := range settings() {
		if s.name != "ADDRESS" && s.name != "CERTS_DIR" {
			continue
		}
		v, _, err := s.lookup(env, map[string]bool{})
		if err != nil {
			return "", err
		}
		switch {
		case s.name == "CERTS_DIR":
			certs = v
		case v != "":
			address = v
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", usagef("OBJSRV_ADDRESS: %q is not host:port", address)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if certs != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

// askHealth returns what a ready server says, or why it is not ready.
func askHealth(target string, timeout time.Duration, insecure bool) (string, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", usagef("%q is not a URL such as http://127.0.0.1:9000", target)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/-/health/ready"
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", usagef("%v", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return "", fmt.Errorf("not ready: read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("not ready: %s: %s", resp.Status, strings.TrimSpace(string(b)))
	}
	return strings.TrimSpace(string(b)), nil
}
