package ldapserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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

// Certificate chooses the one that a server shows.
type Certificate int

// The certificates. All but Foreign are signed by the authority of CAFile.
const (
	Good      Certificate = iota
	OtherName             // for another host
	Expired               // an hour ago
	Foreign               // of an authority that nobody knows
)

// issue writes ca.crt, server.crt and server.key into dir.
func issue(t testing.TB, dir string, kind Certificate, ip net.IP) {
	t.Helper()
	authority := func(name string) (*x509.Certificate, *ecdsa.PrivateKey) {
		key := newKey(t)
		c := template(1, name)
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		return sign(t, c, c, key, key), key
	}
	ca, caKey := authority("test authority")
	writePEM(t, filepath.Join(dir, "ca.crt"), "CERTIFICATE", ca.Raw)
	if kind == Foreign {
		ca, caKey = authority("another authority")
	}
	key := newKey(t)
	c := template(2, "server")
	c.KeyUsage, c.ExtKeyUsage, c.IPAddresses = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []net.IP{ip}
	switch kind {
	case OtherName:
		c.IPAddresses = []net.IP{net.IPv4(127, 99, 99, 99)}
	case Expired:
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	}
	writePEM(t, filepath.Join(dir, "server.crt"), "CERTIFICATE", sign(t, c, ca, key, caKey).Raw)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "server.key"), "PRIVATE KEY", der)
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
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
	}
}

func sign(t testing.TB, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
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
