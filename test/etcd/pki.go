package etcd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Pair names the files of a certificate and its key.
type Pair struct{ Cert, Key string }

// PKI is a certificate authority with a certificate for servers on 127.0.0.1 and one for
// clients, in files of the test.
type PKI struct {
	CA             string
	Server, Client Pair
}

// NewPKI makes one that is valid for an hour. user is the client's common name.
func NewPKI(t testing.TB, user string) *PKI {
	t.Helper()
	dir := t.TempDir()
	caKey := newKey(t)
	caTemplate := template(1, "test authority")
	caTemplate.IsCA, caTemplate.BasicConstraintsValid, caTemplate.KeyUsage = true, true, x509.KeyUsageCertSign
	p := &PKI{CA: filepath.Join(dir, "ca.crt")}
	ca := sign(t, p.CA, caTemplate, caTemplate, caKey, caKey)
	issue := func(serial int64, name string, usage ...x509.ExtKeyUsage) Pair {
		pair := Pair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
		key := newKey(t)
		c := template(serial, name)
		c.KeyUsage, c.ExtKeyUsage, c.IPAddresses = x509.KeyUsageDigitalSignature, usage, []net.IP{net.IPv4(127, 0, 0, 1)}
		sign(t, pair.Cert, c, ca, key, caKey)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, pair.Key, "PRIVATE KEY", der)
		return pair
	}
	// Etcd's gateway from HTTP to gRPC is a client of its own server.
	p.Server = issue(2, "server", x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
	p.Client = issue(3, user, x509.ExtKeyUsageClientAuth)
	return p
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
	}
}

// sign writes the certificate and returns it.
func sign(t testing.TB, path string, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", der)
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ClientTLS is the configuration of a client that has the client's certificate.
func (p *PKI) ClientTLS(t testing.TB) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(p.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(p.Client.Cert, p.Client.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
}
