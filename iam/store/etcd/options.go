package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Options say where the store is. Contradictions are refused.
type Options struct {
	// Endpoints are members of one cluster: "https://host:2379", "http://host:2379", or
	// "host:2379", which is https when anything of TLS is given. At least one; not mixed.
	Endpoints []string
	// Prefix of all keys; "" is "objsrv". Slashes at its end do not count. Stores with
	// different prefixes do not see each other.
	Prefix string

	// Username and Password log in; both or none.
	Username, Password string

	// TLS is used as it is. Instead of it, files in PEM: the certificate authorities that
	// the servers are judged by ("" for those of the system), and the client's
	// certificate and key, which are read for each connection, so that they can be renewed.
	TLS                       *tls.Config
	CAFile, CertFile, KeyFile string

	// DialTimeout bounds one attempt to connect; 0 is 3 s.
	DialTimeout time.Duration
	// Timeout bounds each request, with login and retries; 0 is 5 s.
	Timeout time.Duration
}

const (
	defaultDialTimeout = 3 * time.Second
	defaultTimeout     = 5 * time.Second

	// An unanswered ping shows a dead connection below a watcher, which sends nothing.
	pingAfter   = 10 * time.Second // etcd refuses clients that ping more often than each 5 s
	pingTimeout = 5 * time.Second

	// maxSend is beyond what any etcd takes: it is etcd that refuses, by its own limits.
	maxSend = 64 << 20
)

// config is what Options amount to.
type config struct {
	client  clientv3.Config
	session *session
	keys    keyspace
	timeout time.Duration
}

func (o *Options) config() (config, error) {
	c := config{timeout: o.Timeout}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	dial := o.DialTimeout
	if dial == 0 {
		dial = defaultDialTimeout
	}
	if dial < 0 || c.timeout < 0 {
		return c, errors.New("a timeout is negative")
	}
	if (o.Username == "") != (o.Password == "") {
		return c, errors.New("user and password: give both or none")
	}
	var err error
	if c.keys, err = newKeyspace(o.Prefix); err != nil {
		return c, err
	}
	endpoints, secure, err := o.endpoints()
	if err != nil {
		return c, err
	}
	c.session = newSession(o.Username, o.Password)
	c.client = clientv3.Config{
		Endpoints: endpoints, DialKeepAliveTime: pingAfter, DialKeepAliveTimeout: pingTimeout,
		MaxCallSendMsgSize: maxSend,
		// The client would send a write again when a server answers that a deadline has
		// passed, though the first may have been applied. So it retries nothing; call does.
		MaxUnaryRetries: 1,
		Logger:          zap.NewNop(), // errors are returned
		DialOptions: []grpc.DialOption{
			grpc.WithChainUnaryInterceptor(reason),
			grpc.WithChainStreamInterceptor(c.session.openStream),
			grpc.WithPerRPCCredentials(c.session),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
				MinConnectTimeout: dial,
			}),
		},
	}
	if secure {
		c.client.TLS, err = o.tls()
	}
	return c, err
}

// endpoints returns them with their scheme, and whether that is https.
func (o *Options) endpoints() (urls []string, secure bool, err error) {
	if len(o.Endpoints) == 0 {
		return nil, false, errors.New("no endpoint is given")
	}
	wantTLS := o.TLS != nil || o.CAFile != "" || o.CertFile != "" || o.KeyFile != ""
	for i, e := range o.Endpoints {
		if !strings.Contains(e, "://") {
			if e = "http://" + e; wantTLS {
				e = "https" + e[len("http"):]
			}
		}
		u, err := url.Parse(e)
		if err != nil {
			return nil, false, errors.New("an endpoint is no URL") // it may hold a password
		}
		host, port, err := net.SplitHostPort(u.Host)
		if err != nil || host == "" || port == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
			u.Scheme != "http" && u.Scheme != "https" {
			return nil, false, fmt.Errorf("endpoint %q: want https://host:port", u.Redacted())
		}
		https := u.Scheme == "https"
		switch {
		case wantTLS && !https:
			return nil, false, fmt.Errorf("endpoint %q: certificates are given, so it must be https", e)
		case i > 0 && https != secure:
			return nil, false, errors.New("endpoints: http and https are mixed")
		}
		secure = https
		urls = append(urls, u.Scheme+"://"+u.Host)
	}
	return urls, secure, nil
}

func (o *Options) tls() (*tls.Config, error) {
	if o.TLS != nil {
		if o.CAFile != "" || o.CertFile != "" || o.KeyFile != "" {
			return nil, errors.New("TLS is given twice, as a configuration and as files")
		}
		return o.TLS.Clone(), nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read certificate authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", o.CAFile)
		}
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("client certificate and key: give both or none")
	}
	if o.CertFile == "" {
		return c, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return c, nil
}
