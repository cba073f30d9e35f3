package sts

import (
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"
)

// TestKeys: S-217, keys that others may find out are refused, whatever they are.
func TestKeys(t *testing.T) {
	number := func(bits uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), bits-1) }
	for name, tt := range map[string]struct {
		key any
		ok  bool
	}{
		"RSA 2047": {&rsa.PublicKey{N: number(2047), E: 65537}, false},
		"RSA 2048": {&rsa.PublicKey{N: number(2048), E: 65537}, true},
		"P-224":    {&ecdsa.PublicKey{Curve: elliptic.P224()}, false},
		"P-256":    {&ecdsa.PublicKey{Curve: elliptic.P256()}, true},
		"Ed25519":  {ed25519.PublicKey{}, true},
		"DSA":      {&dsa.PublicKey{}, false},
		"unknown":  {nil, false},
	} {
		err := checkKey(&x509.Certificate{PublicKey: tt.key})
		var r *Rejection
		if tt.ok != (err == nil) || err != nil && (!errors.As(err, &r) || r.Code != invalidCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestChains: S-217, what stands between a certificate and its authority.
func TestChains(t *testing.T) {
	root := newAuthority(t, "root", nil)
	now := time.Now()
	below := func(edit func(*x509.Certificate)) *authority {
		tmpl, key := template("middle"), newKey(t)
		tmpl.IsCA, tmpl.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		edit(tmpl)
		return &authority{t, root.sign(tmpl, key), key}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakTmpl := template("weak")
	weakTmpl.IsCA, weakTmpl.KeyUsage = true, x509.KeyUsageCertSign
	// A list that bears root's name and the identifier of its key, but not its signature.
	forger := newAuthority(t, "root", nil)
	forger.cert.SubjectKeyId = root.cert.SubjectKeyId
	for name, tt := range map[string]struct {
		by    *authority
		lists []*x509.RevocationList
		ok    bool
	}{
		"an authority for clients":       {below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), nil, true},
		"an authority for servers":       {below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), nil, false},
		"an authority that has expired":  {below(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }), nil, false},
		"an authority with a weak key":   {&authority{t, root.sign(weakTmpl, weak), weak}, nil, false},
		"an authority that may not sign": {below(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), nil, false},
		"an empty list":                  {below(func(*x509.Certificate) {}), []*x509.RevocationList{root.revoke(now.Add(time.Hour))}, true},
		"another one's list":             {below(func(*x509.Certificate) {}), []*x509.RevocationList{newAuthority(t, "other", nil).revoke(now.Add(-time.Hour))}, true},
		"a forged list":                  {below(func(*x509.Certificate) {}), []*x509.RevocationList{forger.revoke(now.Add(time.Hour))}, false},
	} {
		cc := ClientCertificates{Authorities: (&trust{certs: []*x509.Certificate{root.cert}, lists: tt.lists}).authorities}
		cert := tt.by.client("readwrite", nil)
		pool := x509.NewCertPool()
		pool.AddCert(tt.by.cert)
		if err := cc.verify(cert.Leaf, pool, now); tt.ok != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
