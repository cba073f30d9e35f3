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
	"strconv"
	"strings"
	"testing"
	"time"
)

// writeCert puts a new self-signed certificate for name into dir.
func writeCert(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	tmpl := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// served returns the name in the certificate that a handshake for name gets.
func served(t *testing.T, c *Certs, name string) string {
	t.Helper()
	cert, err := c.choose(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf.Subject.CommonName
}

func TestCerts(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadCerts(dir, slog.Default()); err == nil || !strings.Contains(err.Error(), "public.crt") {
		t.Fatalf("an empty directory: %v", err)
	}
	writeCert(t, dir, "default.example")
	writeCert(t, filepath.Join(dir, "a"), "*.a.example")
	if err := os.MkdirAll(filepath.Join(dir, "CAs"), 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	now := time.Now()
	c, err := LoadCerts(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c.now = func() time.Time { return now }
	for name, want := range map[string]string{"": "default.example", "x.a.example": "*.a.example", "x.y.a.example": "default.example", "other": "default.example"} {
		if got := served(t, c, name); got != want {
			t.Errorf("%q gets %s, want %s", name, got, want)
		}
	}

	// Changed files count a second later, not before.
	later := time.Now().Add(time.Minute)
	writeCert(t, dir, "second.example")
	os.Chtimes(filepath.Join(dir, certFile), later, later)
	if got := served(t, c, ""); got != "default.example" {
		t.Errorf("at once: %s", got)
	}
	now = now.Add(2 * time.Second)
	if got := served(t, c, ""); got != "second.example" {
		t.Errorf("after a change: %s", got)
	}

	// Files that do not fit leave the old certificate, and are told of once.
	log.Reset()
	os.WriteFile(filepath.Join(dir, keyFile), []byte("rubbish"), 0o600)
	for range 3 {
		now = now.Add(2 * time.Second)
		if got := served(t, c, ""); got != "second.example" {
			t.Errorf("with rubbish: %s", got)
		}
	}
	if n := strings.Count(log.String(), "not loaded"); n != 1 {
		t.Errorf("told %d times: %s", n, &log)
	}
	if err := c.Reload(); err == nil {
		t.Error("Reload of rubbish succeeded")
	}
	writeCert(t, dir, "third.example")
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := served(t, c, ""); got != "third.example" {
		t.Errorf("after Reload: %s", got)
	}
}

func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	writeCert(t, dir, "localhost")
	certs, err := LoadCerts(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(http.HandlerFunc(sized), Options{})
	done := make(chan error)
	go func() { done <- s.Serve(l, certs.Config()) }()
	defer func() {
		s.Shutdown(t.Context())
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	for _, size := range []int{0, 100, 5000, 60000, 1 << 20} {
		for _, connection := range []string{"", "close"} {
			req, _ := http.NewRequest("GET", "https://"+l.Addr().String()+"/"+strconv.Itoa(size), nil)
			req.Close = connection == "close"
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || len(b) != size || resp.ProtoMajor != 1 {
				t.Errorf("%d bytes of %d, %s, %v", len(b), size, resp.Proto, err)
			}
		}
	}
	if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// A client that never finishes its handshake is let go.
func TestHandshakeStall(t *testing.T) {
	dir := t.TempDir()
	writeCert(t, dir, "localhost")
	certs, err := LoadCerts(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(http.HandlerFunc(sized), Options{Limits: Limits{HeaderTimeout: 100 * time.Millisecond}})
	done := make(chan error)
	go func() { done <- s.Serve(l, certs.Config()) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte{22, 3, 1}) // the beginning of a ClientHello
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, c); isTimeout(err) {
		t.Error("a stalled handshake was waited for")
	}
	s.Shutdown(t.Context())
	if err := <-done; err != nil {
		t.Error(err)
	}
}
