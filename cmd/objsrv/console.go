package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/webui"
)

// consoleConfig is what can be set about the console.
type consoleConfig struct {
	// Redirect sends people who open the S3 address in a browser to the console; on by default.
	// OBJSRV_BROWSER_REDIRECT, MINIO_BROWSER_REDIRECT.
	Redirect bool
	// PublicURL is where browsers reach the console, with the path under which a proxy has it; by default
	// where each request has come from. OBJSRV_PUBLIC_URL, MINIO_BROWSER_REDIRECT_URL.
	PublicURL *url.URL
	// ServerURL is where everybody reaches S3: links that are shared begin with it. OBJSRV_SERVER_URL,
	// MINIO_SERVER_URL.
	ServerURL *url.URL
	// Duration of the console's sessions, unless --sts-duration is set; 12h by default.
	// OBJSRV_BROWSER_SESSION_DURATION, MINIO_BROWSER_SESSION_DURATION.
	Duration time.Duration
	// Of Strict-Transport-Security: OBJSRV_BROWSER_HSTS_SECONDS, _HSTS_INCLUDE_SUB_DOMAINS and _HSTS_PRELOAD, the same
	// as MINIO_*; none is sent by default.
	HSTSSeconds                   int
	HSTSSubdomains, HSTSPreloaded bool
	// ContentSecurity is a further Content-Security-Policy of pages, which can only forbid more, and Referrer their
	// Referrer-Policy; no-referrer by default. OBJSRV_BROWSER_CONTENT_SECURITY_POLICY, OBJSRV_BROWSER_REFERRER_POLICY, the
	// same as MINIO_*.
	ContentSecurity, Referrer string
}

// consoleSettings are those of the console.
func consoleSettings() []setting {
	switchOf := func(name, def string, field func(*consoleConfig) *bool) setting {
		return setting{name: name, minio: []string{"MINIO_" + name}, def: def, set: func(c *Config, v string) (err error) {
			*field(&c.Console), err = parseSwitch(v)
			return err
		}}
	}
	return []setting{
		switchOf("BROWSER_REDIRECT", "on", func(c *consoleConfig) *bool { return &c.Redirect }),
		{name: "PUBLIC_URL", minio: []string{"MINIO_BROWSER_REDIRECT_URL"}, flag: "public-url",
			usage: "`URL` at which browsers reach the console, with the path that a proxy has it under", set: func(c *Config, v string) (err error) {
				c.Console.PublicURL, err = parseURL(v)
				return err
			}},
		{name: "SERVER_URL", minio: []string{"MINIO_SERVER_URL"}, flag: "server-url",
			usage: "`URL` at which everybody reaches S3, for links that are shared", set: func(c *Config, v string) (err error) {
				if c.Console.ServerURL, err = parseURL(v); err == nil && strings.Trim(c.Console.ServerURL.Path, "/") != "" {
					err = fmt.Errorf("%q has a path: signatures of S3 cover the path, so S3 can't be served under one", v)
				}
				return err
			}},
		{name: "BROWSER_SESSION_DURATION", minio: []string{"MINIO_BROWSER_SESSION_DURATION"}, set: func(c *Config, v string) (err error) {
			c.Console.Duration, err = time.ParseDuration(v)
			if err != nil || c.Console.Duration < iam.MinSession || c.Console.Duration > iam.MaxSession {
				return fmt.Errorf("%q is not a duration from 15m to 8760h", v)
			}
			return nil
		}},
		{name: "BROWSER_HSTS_SECONDS", minio: []string{"MINIO_BROWSER_HSTS_SECONDS"}, set: func(c *Config, v string) (err error) {
			if c.Console.HSTSSeconds, err = strconv.Atoi(v); err != nil || c.Console.HSTSSeconds < 0 {
				return fmt.Errorf("%q is not a number of seconds", v)
			}
			return nil
		}},
		switchOf("BROWSER_HSTS_INCLUDE_SUB_DOMAINS", "off", func(c *consoleConfig) *bool { return &c.HSTSSubdomains }),
		switchOf("BROWSER_HSTS_PRELOAD", "off", func(c *consoleConfig) *bool { return &c.HSTSPreloaded }),
		{name: "BROWSER_CONTENT_SECURITY_POLICY", minio: []string{"MINIO_BROWSER_CONTENT_SECURITY_POLICY"}, set: func(c *Config, v string) error {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				return errors.New("a header can't carry it")
			}
			c.Console.ContentSecurity = v
			return nil
		}},
		{name: "BROWSER_REFERRER_POLICY", minio: []string{"MINIO_BROWSER_REFERRER_POLICY"}, set: func(c *Config, v string) error {
			if !slices.Contains(referrerPolicies, v) {
				return fmt.Errorf("%q is none of %s", v, strings.Join(referrerPolicies, ", "))
			}
			c.Console.Referrer = v
			return nil
		}},
	}
}

// referrerPolicies are those of the specification Referrer Policy.
var referrerPolicies = []string{"no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin",
	"strict-origin-when-cross-origin", "unsafe-url"}

// parseURL reads an address of this server.
func parseURL(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not a URL such as https://s3.example.com", v)
	}
	return u, nil
}

// hsts is the value of Strict-Transport-Security (RFC 6797), "" for none.
func (c *consoleConfig) hsts() string {
	if c.HSTSSeconds == 0 {
		return ""
	}
	v := "max-age=" + strconv.Itoa(c.HSTSSeconds)
	if c.HSTSSubdomains {
		v += "; includeSubDomains"
	}
	if c.HSTSPreloaded {
		v += "; preload"
	}
	return v
}

// openConsole makes the console; nil when it is switched off.
func (s *services) openConsole() error {
	if !s.config.Browser {
		return nil
	}
	c := &s.config.Console
	var err error
	s.console, err = webui.New(webui.Config{
		IAM: s.iam, Sessions: s.sts, Providers: s.openID, LDAP: s.config.LDAP != nil,
		S3: s.s3, Admin: s.admin, AdminPrefix: adminapi.Prefix, Region: s.config.Region,
		Version: readVersion().Version, Operations: s.implemented(), Gateway: s.disk == nil, Migration: s.moving != nil, Duration: c.Duration,
		PublicURL: c.PublicURL, ServerURL: c.ServerURL, Proxies: s.config.TrustedProxies,
		Headers: webui.Headers{HSTS: c.hsts(), ContentSecurity: c.ContentSecurity, Referrer: c.Referrer},
		Log:     s.log,
	})
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	return nil
}

// warnings are about addresses that can't be meant as they are.
func (c *consoleConfig) warnings() []string {
	if c.PublicURL != nil && c.ServerURL == nil && strings.Trim(c.PublicURL.Path, "/") != "" {
		return []string{fmt.Sprintf("the console is reached at %s, where S3 can't be, since it has a path: set OBJSRV_SERVER_URL to where S3 is reached, for links that are shared", c.PublicURL)}
	}
	return nil
}

// upstreamOnly are the operations that a gateway refuses with 501, because its upstream does what they set.
var upstreamOnly = []string{"PutBucketLifecycle", "PutBucketLifecycleConfiguration", "PutBucketEncryption"}

// implemented are the operations of S3 that this server has.
func (s *services) implemented() (names []string) {
	for _, o := range s3api.Operations() {
		if o.State == s3api.Implemented && !(s.disk == nil && slices.Contains(upstreamOnly, o.Name)) {
			names = append(names, o.Name)
		}
	}
	return names
}

// serveConsole answers on the console's own address.
func (p *Program) serveConsole() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := probe(r.URL.Path); ok && p.health.Serve(w, r, name) {
			return
		}
		if p.faces.Load() == nil {
			w.Header().Set("Retry-After", "1")
			httpd.Text(w, http.StatusServiceUnavailable, "starting")
			return
		}
		_, port, err := net.SplitHostPort(p.Addr().String())
		if err != nil {
			port = ""
		}
		p.services.console.Apart(port).ServeHTTP(w, r)
	})
}
