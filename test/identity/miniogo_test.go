package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority writes the certificate of a new one, and one of a server at 127.0.0.1, as objsrv finds
// them in dir.
func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t}
	made := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.cert, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	server := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "CAs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"CAs/ca.crt": {Type: "CERTIFICATE", Bytes: a.cert.Raw}, "public.crt": {Type: "CERTIFICATE", Bytes: server.Leaf.Raw},
		"private.key": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// issue makes a certificate of what c says, the authority's own when it has none yet.
func (a *authority) issue(c *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// person is a client certificate; its name is that of a policy.
func (a *authority) person(name string) tls.Certificate {
	return a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// TestMinioGo: every provider of credentials of minio-go, against one server that has every source of
// identities, over TLS: with what is right, and with what is not.
func TestMinioGo(t *testing.T) {
	p := newProvider(t)
	p.start()
	directory := ldapserver.Slapd(t, ldapserver.Good)
	plugin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "good-token" {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"reason":"nobody has it"}`)
			return
		}
		io.WriteString(w, `{"user":"ann","maxValiditySeconds":1800}`)
	}))
	defer plugin.Close()
	certs := t.TempDir()
	ca := newAuthority(t, certs)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	s := startOver(t, transport, p.settings("MINIO_CERTS_DIR="+certs, "OBJSRV_CA_FILE="+filepath.Join(certs, "CAs/ca.crt"),
		"MINIO_IDENTITY_TLS_ENABLE=on",
		"MINIO_IDENTITY_PLUGIN_URL="+plugin.URL, "MINIO_IDENTITY_PLUGIN_ROLE_POLICY=readonly", "MINIO_IDENTITY_PLUGIN_ROLE_ID=people",
		"MINIO_IDENTITY_LDAP_SERVER_ADDR="+directory.TLSAddr, "OBJSRV_IDENTITY_LDAP_CA_FILE="+directory.CAFile,
		"MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN="+directory.LookupDN, "MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD="+directory.Lookup,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN=ou=people,"+directory.Base, "MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER=(uid=%s)",
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN=ou=groups,"+directory.Base, "MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER=(&(objectClass=groupOfNames)(member=%d))")...)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("the server is at %s", s.url)
	}
	s.admin("group", "add", "ldap:cn=storage-admins,ou=groups,"+directory.Base, "--policy", "readwrite")
	s.adminWith("app-secret-0815\n", "user", "add", "app", "--policy", "readwrite", "--secret-stdin")
	const role = "arn:minio:iam:us-east-1::role/idmp-people"
	alice := p.user("alice")
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(alice.ID), 0o600); err != nil {
		t.Fatal(err)
	}
	type made struct {
		*credentials.Credentials
		err error
	}
	of := func(c *credentials.Credentials, err error) made { return made{c, err} }
	assumed := func(secret string) made {
		return of(credentials.NewSTSAssumeRole(s.url, credentials.STSAssumeRoleOptions{AccessKey: "app", SecretKey: secret, Location: "us-east-1", DurationSeconds: 900}))
	}
	web := func(token string) made {
		return of(credentials.NewSTSWebIdentity(s.url, func() (*credentials.WebIdentityToken, error) {
			return &credentials.WebIdentityToken{Token: token, Expiry: 900}, nil
		}))
	}
	grants := func(token string) made {
		return of(credentials.NewSTSClientGrants(s.url, func() (*credentials.ClientGrantsToken, error) {
			return &credentials.ClientGrantsToken{Token: token, Expiry: 900}, nil
		}))
	}
	cert := func(name string) made {
		return of(credentials.NewSTSCertificateIdentity(s.url, ca.person(name), credentials.CertificateIdentityWithTransport(transport.Clone())))
	}
	custom := func(token string) made { return of(credentials.NewCustomTokenCredentials(s.url, token, role)) }
	for _, tt := range []struct {
		name, want  string
		good, wrong func() made
		refused     string // what wrong gets
	}{
		{"STSAssumeRole", "get put", func() made { return assumed("app-secret-0815") }, func() made { return assumed("wrong-secret-0815") }, "SignatureDoesNotMatch"},
		{"STSWebIdentity", "get put", func() made { return web(alice.ID) }, func() made { return web(alice.ID[:len(alice.ID)-8] + "AAAAAAAA") }, "InvalidIdentityToken"},
		{"IAM with a token file", "get put", func() made {
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", tokenFile)
			t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/any")
			return of(credentials.NewIAM(s.url), nil)
		}, nil, ""},
		{"STSClientGrants", "get put", func() made { return grants(alice.ID) }, func() made { return grants("forged") }, "InvalidIdentityToken"},
		{"LDAPIdentity", "get put", func() made { return of(credentials.NewLDAPIdentity(s.url, "alice", "alice-secret")) },
			func() made { return of(credentials.NewLDAPIdentity(s.url, "alice", "wrong")) }, "AccessDenied"},
		{"STSCertificateIdentity", "get", func() made { return cert("readonly") }, func() made { return cert("no-such-policy") }, "AccessDenied"},
		{"CustomTokenIdentity", "get", func() made { return custom("good-token") }, func() made { return custom("wrong-token") }, "403 Forbidden"}, // minio-go keeps no more
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.good()
			if c.err != nil {
				t.Fatal(c.err)
			}
			if got := s.allowed(c.Credentials); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if tt.wrong == nil {
				return
			}
			c = tt.wrong()
			err := c.err
			if err == nil {
				_, err = c.GetWithContext(&credentials.CredContext{Client: &http.Client{Transport: transport}})
			}
			got := fmt.Sprint(err)
			if r := (credentials.ErrorResponse{}); errors.As(err, &r) {
				got = r.STSError.Code
			}
			if got != tt.refused {
				t.Errorf("refused with %s, want %s", got, tt.refused)
			}
		})
	}
}
