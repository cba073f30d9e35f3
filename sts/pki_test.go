package sts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// authority issues certificates in tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(cn string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		BasicConstraintsValid: true,
	}
}

// newAuthority makes one that by has certified, or itself when by is nil.
func newAuthority(t *testing.T, cn string, by *authority) *authority {
	t.Helper()
	tmpl, key := template(cn), newKey(t)
	tmpl.IsCA, tmpl.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	if by == nil {
		by = &authority{t: t, cert: tmpl, key: key}
	}
	return &authority{t, by.sign(tmpl, key), key}
}

func (a *authority) sign(tmpl *x509.Certificate, key crypto.Signer) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// client issues a certificate of a client, which edit may change, and sends further ones with it.
func (a *authority) client(cn string, edit func(*x509.Certificate), further ...*x509.Certificate) tls.Certificate {
	a.t.Helper()
	return a.clientWith(newKey(a.t), cn, edit, further...)
}

func (a *authority) clientWith(key crypto.Signer, cn string, edit func(*x509.Certificate), further ...*x509.Certificate) tls.Certificate {
	a.t.Helper()
	tmpl := template(cn)
	tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if edit != nil {
		edit(tmpl)
	}
	return shownAs(a.sign(tmpl, key), key, further...)
}

// shownAs is what a client with key sends.
func shownAs(cert *x509.Certificate, key crypto.Signer, further ...*x509.Certificate) tls.Certificate {
	out := tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	for _, c := range further {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

// revoke makes a revocation list.
func (a *authority) revoke(until time.Time, certs ...tls.Certificate) *x509.RevocationList {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: until.Add(-24 * time.Hour), NextUpdate: until}
	for _, c := range certs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	if list, err = x509.ParseRevocationList(der); err != nil {
		a.t.Fatal(err)
	}
	return list
}
