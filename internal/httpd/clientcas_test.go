package httpd

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newCA makes an authority and returns its certificate and a revocation list of it, in PEM.
func newCA(t *testing.T, cn string) (cert, list []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(cn)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}, tmpl, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl})
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// asked shakes hands with tc's server, shows a certificate when it is asked for one, and tells
// the authorities that it was asked by.
func asked(t *testing.T, tc *tls.Config, mine tls.Certificate) (was bool, by [][]byte, got []*x509.Certificate) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan []*x509.Certificate, 1)
	s := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- r.TLS.PeerCertificates }), Options{})
	done := make(chan error)
	go func() { done <- s.Serve(l, tc) }()
	defer func() {
		s.Shutdown(t.Context())
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		was, by = true, i.AcceptableCAs
		return &mine, nil
	}}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return was, by, <-seen
}

func TestAskClients(t *testing.T) {
	dir, clientDir := t.TempDir(), t.TempDir()
	writeCert(t, dir, "localhost")
	writeCert(t, clientDir, "client")
	mine, err := tls.LoadX509KeyPair(filepath.Join(clientDir, certFile), filepath.Join(clientDir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	first, list := newCA(t, "first")
	write(t, filepath.Join(dir, casDir, "first.crt"), first)
	write(t, filepath.Join(dir, casDir, ".hidden"), []byte("rubbish"))
	write(t, filepath.Join(dir, casDir, "below", "x"), []byte("rubbish"))

	var log bytes.Buffer
	now := time.Now()
	load := func() *Certs {
		c, err := LoadCerts(dir, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		c.now = func() time.Time { return now }
		return c
	}
	off := load()
	if was, _, _ := asked(t, off.AskingConfig(), mine); was || off.Clients().Count != 0 {
		t.Error("a client is asked, though nobody has set it")
	}
	c := load()
	if err := c.AskClients(false); err != nil {
		t.Fatal(err)
	}
	tc := c.AskingConfig()
	if was, _, _ := asked(t, c.Config(), mine); was {
		t.Error("a client is asked where it should not be")
	}
	was, by, got := asked(t, tc, mine)
	if !was || len(by) != 1 || !bytes.Contains(by[0], []byte("first")) || len(got) != 1 || got[0].Subject.CommonName != "client" {
		t.Errorf("asked %v by %q, got %v", was, by, got)
	}
	// Who has no certificate is served.
	if _, _, got := asked(t, tc, tls.Certificate{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	// Authorities come and go without a restart, and so do lists.
	second, _ := newCA(t, "second")
	write(t, filepath.Join(dir, casDir, "second.pem"), append(second, list...))
	now = now.Add(2 * time.Second)
	if _, by, _ := asked(t, tc, mine); len(by) != 2 || len(c.Clients().Lists) != 1 {
		t.Errorf("after a change: by %q, lists %v", by, c.Clients().Lists)
	}
	// What can't be read leaves what was: it may be the list that matters.
	for name, rubbish := range map[string][]byte{"no PEM": []byte("rubbish"), "a key": []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		"a broken certificate": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")} {
		log.Reset()
		write(t, filepath.Join(dir, casDir, "second.pem"), rubbish)
		now = now.Add(2 * time.Second)
		if n := c.Clients().Count; n != 2 || !strings.Contains(log.String(), "second.pem") {
			t.Errorf("%s: %d authorities, %s", name, n, &log)
		}
		if err := load().AskClients(false); err == nil {
			t.Errorf("%s: taken at the start", name)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, casDir)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Second)
	if n := c.Clients().Count; n != 0 {
		t.Errorf("%d authorities are left", n)
	}
}

// TestAskAnyone: whose issuers do not matter is not told any.
func TestAskAnyone(t *testing.T) {
	dir := t.TempDir()
	writeCert(t, dir, "localhost")
	first, _ := newCA(t, "first")
	write(t, filepath.Join(dir, casDir, "first.crt"), first)
	c, err := LoadCerts(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AskClients(true); err != nil {
		t.Fatal(err)
	}
	if was, by, _ := asked(t, c.AskingConfig(), tls.Certificate{}); !was || len(by) != 0 {
		t.Errorf("asked %v by %q", was, by)
	}
}

// TestAskedResumes: handshakes that ask are resumed like others, with the certificate of the first one.
func TestAskedResumes(t *testing.T) {
	dir, clientDir := t.TempDir(), t.TempDir()
	writeCert(t, dir, "localhost")
	writeCert(t, clientDir, "client")
	mine, err := tls.LoadX509KeyPair(filepath.Join(clientDir, certFile), filepath.Join(clientDir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	certs, err := LoadCerts(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := certs.AskClients(true); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", certs.AskingConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	states := make(chan tls.ConnectionState, 2)
	go func() {
		for range cap(states) {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			nc.Write([]byte("x"))
			states <- nc.(*tls.Conn).ConnectionState()
			nc.Close()
		}
	}()
	tc := &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: []tls.Certificate{mine}}
	for i := range cap(states) {
		nc, err := tls.Dial("tcp", l.Addr().String(), tc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(nc); err != nil {
			t.Fatal(err)
		}
		nc.Close()
		st := <-states
		if st.DidResume != (i == 1) || len(st.PeerCertificates) != 1 {
			t.Errorf("handshake %d: resumed %v, %d certificates", i, st.DidResume, len(st.PeerCertificates))
		}
	}
}
