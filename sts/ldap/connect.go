package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Limits of what a directory may make us wait for and keep.
const (
	limit       = 10 * time.Second // of a login, and of one connection
	dialLimit   = 4 * time.Second  // of one address of several
	maxResponse = 8 << 20          // bytes of all answers of a connection
	maxServers  = 8                // of an SRV record
)

// loadTLS makes what TLS needs but for the server's name.
func loadTLS(c *Config) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.SkipVerify}
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read CA_FILE: %w", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read CA_FILE: %s holds no certificate", c.CAFile)
	}
	return t, nil
}

// conn is a connection that is protected as the settings say, and has nobody's rights yet.
type conn struct {
	*ldap.Conn
	release func() bool
}

func (c *conn) close() {
	c.release()
	c.Close()
}

// connect opens a connection to one of the directory's servers. It ends with ctx, whatever
// the server does.
func (d *Directory) connect(ctx context.Context) (*conn, error) {
	servers, err := d.servers(ctx)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, s := range servers {
		c, err := d.connectTo(ctx, s, len(servers) > 1)
		if err == nil {
			return c, nil
		}
		all = append(all, fmt.Errorf("connect to %s: %w", s, err))
	}
	return nil, errors.Join(all...)
}

// servers are the addresses to try, in order.
func (d *Directory) servers(ctx context.Context) ([]string, error) {
	if d.SRV == "" {
		return []string{d.Address}, nil
	}
	service, proto := d.SRV, "tcp"
	if d.SRV == "on" {
		service, proto = "", ""
	}
	_, records, err := d.resolver.LookupSRV(ctx, service, proto, d.Address)
	if err != nil {
		return nil, fmt.Errorf("look up the directory's servers: %w", err)
	}
	var out []string
	for _, r := range records[:min(len(records), maxServers)] {
		out = append(out, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("look up the directory's servers: %s has no SRV record", d.Address)
	}
	return out, nil
}

// connectTo opens a connection to one server. Nothing but a request for TLS is sent before TLS
// is there, unless the settings say so (S-214).
func (d *Directory) connectTo(ctx context.Context, addr string, hurry bool) (*conn, error) {
	dialer := net.Dialer{}
	if hurry {
		dialer.Timeout = dialLimit
	}
	raw, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		raw.SetDeadline(end) // fails on a connection that is closed, which shows below
	}
	release := context.AfterFunc(ctx, func() { raw.Close() })
	fail := func(err error) (*conn, error) {
		release()
		raw.Close()
		return nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fail(err)
	}
	tc := d.tls.Clone()
	tc.ServerName = host
	bounded := &boundedConn{Conn: raw, left: maxResponse}
	var c *ldap.Conn
	if d.Transport == LDAPS {
		secure := tls.Client(bounded, tc)
		if err := secure.HandshakeContext(ctx); err != nil {
			return fail(err)
		}
		c = ldap.NewConn(secure, true)
	} else {
		c = ldap.NewConn(bounded, false)
	}
	c.SetTimeout(limit)
	c.Start()
	if d.Transport == StartTLS {
		if err := c.StartTLS(tc); err != nil {
			c.Close()
			return fail(fmt.Errorf("StartTLS: %w", err))
		}
	}
	return &conn{c, release}, nil
}

// boundedConn ends when more has been read from it than a directory has to say.
type boundedConn struct {
	net.Conn
	left int
}

var errTooMuch = fmt.Errorf("the directory has answered with more than %d bytes", maxResponse)

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// lookupConn returns a connection that may search.
func (d *Directory) lookupConn(ctx context.Context) (*conn, error) {
	c, err := d.connect(ctx)
	if err != nil || d.LookupDN == "" {
		return c, err
	}
	if err := d.bindLookup(c); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (d *Directory) bindLookup(c *conn) error {
	if err := c.Bind(d.LookupDN, d.LookupPassword); err != nil {
		return fmt.Errorf("bind as %s to search: %w", d.LookupDN, err)
	}
	return nil
}
