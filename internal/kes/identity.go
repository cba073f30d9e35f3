package kes

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"
)

// Identity returns the certificate that says who asks. It is called for each connection.
type Identity func() (*tls.Certificate, error)

// The form of an API key: "kes:v1:" and the base64 of a byte for the kind and the seed of an Ed25519 key.
const (
	apiKeyPrefix  = "kes:v1:"
	apiKeyEd25519 = 0
)

// APIKey is the identity of an API key, which KES knows by the hash of its public key. The certificate is made, and
// signed by the key itself, when it is needed. Errors do not repeat the key.
func APIKey(text string) (Identity, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text), apiKeyPrefix)
	b, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(b) != 1+ed25519.SeedSize || b[0] != apiKeyEd25519 {
		return nil, errors.New("not an API key of KES, which begins with " + apiKeyPrefix + "; `kes identity new` makes one")
	}
	private := ed25519.NewKeyFromSeed(b[1:])
	return func() (*tls.Certificate, error) { return selfSigned(private) }, nil
}

// validity of a certificate that is made for one connection.
const validity = 30 * 24 * time.Hour

func selfSigned(private ed25519.PrivateKey) (*tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	now := time.Now().UTC()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "objsrv"},
		NotBefore:             now.Add(-time.Hour), // the server's clock may be behind
		NotAfter:              now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
}

// Files is the identity of a certificate and its private key in PEM files, which are read for each connection, so that
// renewed ones count. They are read once here too. The key may be encrypted as RFC 1421 has it, which is what MinIO
// reads with a password; PKCS #8's way is refused.
func Files(certFile, keyFile, password string) (Identity, error) {
	read := func() (*tls.Certificate, error) {
		cert, err := os.ReadFile(certFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate for KES: %w", err)
		}
		key, err := os.ReadFile(keyFile)
		if err != nil {
			return nil, fmt.Errorf("read the private key for KES: %w", err)
		}
		if key, err = decrypted(key, password); err != nil {
			return nil, fmt.Errorf("%s: %w", keyFile, err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%s with %s: %w", certFile, keyFile, err)
		}
		return &pair, nil
	}
	if _, err := read(); err != nil {
		return nil, err
	}
	return read, nil
}

// decrypted takes a password off the private key in PEM.
func decrypted(key []byte, password string) ([]byte, error) {
	block, _ := pem.Decode(key)
	switch {
	case block == nil:
		return nil, errors.New("no private key in PEM")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("a key that PKCS #8 encrypts is not read; `openssl pkey -in FILE -out PLAIN` takes the password off")
	case !x509.IsEncryptedPEMBlock(block): // deprecated, since it is weak: the file's mode protects such a key
		return key, nil
	case password == "":
		return nil, errors.New("the private key is encrypted, and no password is given")
	}
	der, err := x509.DecryptPEMBlock(block, []byte(password))
	if err != nil {
		return nil, errors.New("the password does not open the private key")
	}
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
}
