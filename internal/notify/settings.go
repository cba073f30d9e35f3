package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Kind is a kind of target.
type Kind struct {
	Name     string   // in ARNs, such as webhook
	Variable string   // what stands for it in variables: OBJSRV_NOTIFY_ + Variable + _KEY
	Keys     []string // its settings, beside those that all have
	Secrets  []string // those of Keys that nobody is shown, and that may come from files
	// New makes a target. Nothing is asked of it before the first Send or Check. An error begins with the key that is wrong.
	New func(*Settings) (Target, error)
}

// Settings are those of one target, by key, and how it connects.
type Settings struct {
	Values map[string]string
	Dial   Dial
}

// Get returns a setting, "" for none.
func (s *Settings) Get(key string) string { return s.Values[key] }

// Need returns a setting that there must be.
func (s *Settings) Need(key string) (string, error) {
	if v := s.Values[key]; v != "" {
		return v, nil
	}
	return "", errors.New(key + " is missing")
}

// Bool reads a switch; off without one.
func (s *Settings) Bool(key string) (bool, error) {
	switch strings.ToLower(s.Values[key]) {
	case "", "off", "false", "0", "no":
		return false, nil
	case "on", "true", "1", "yes":
		return true, nil
	}
	return false, fmt.Errorf("%s is neither on nor off: %q", key, s.Values[key])
}

// Int reads a number within bounds; def without one.
func (s *Settings) Int(key string, def, low, high int) (int, error) {
	v := s.Values[key]
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s is not a number from %d to %d: %q", key, low, high, v)
	}
	return n, nil
}

// OneOf reads a word out of a list; the first without one.
func (s *Settings) OneOf(key string, words ...string) (string, error) {
	v := s.Values[key]
	if v == "" {
		return words[0], nil
	}
	if !slices.Contains(words, v) {
		return "", fmt.Errorf("%s is none of %s: %q", key, strings.Join(words, ", "), v)
	}
	return v, nil
}

// URL reads a URL of one of the schemes, with a host and without a fragment. What is wrong is told without it, since
// there may be a password in it.
func (s *Settings) URL(key string, schemes ...string) (*url.URL, error) {
	v, err := s.Need(key)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(v)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s is no URL of %s with a host", key, strings.Join(schemes, " or "))
	}
	return u, nil
}

// Address reads host:port.
func (s *Settings) Address(key string) (string, error) {
	v, err := s.Need(key)
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(v)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || host == "" {
		return "", fmt.Errorf("%s is not host:port: %q", key, v)
	}
	return v, nil
}

// TLS makes the configuration of a connection from files named by three settings, each of which may be empty:
// certificates that vouch for the target, in place of the system's, and the certificate and key of this server.
func (s *Settings) TLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := s.Get(ca); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s can't be read: %w", ca, err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s %s holds no certificate in PEM", ca, file)
		}
	}
	certFile, keyFile := s.Get(cert), s.Get(key)
	if (certFile == "") != (keyFile == "") {
		return nil, fmt.Errorf("%s and %s go together", cert, key)
	}
	if certFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("%s and %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
