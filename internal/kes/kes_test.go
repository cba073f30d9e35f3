package kes

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
)

// testAPIKey is 0 and 32 times 7.
const testAPIKey = "kes:v1:AAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"

// identityOf is what KES knows an identity by.
func identityOf(t *testing.T, id Identity) string {
	t.Helper()
	c, err := id()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(h[:])
}

// writePair puts a self-signed certificate for 127.0.0.1 into dir, with a password on its key unless that is "".
func writePair(t *testing.T, dir, name, password string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}
	if password != "" {
		if block, err = x509.EncryptPEMBlock(rand.Reader, block.Type, keyDER, []byte(password), x509.PEMCipherAES256); err != nil {
			t.Fatal(err)
		}
	}
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for file, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: block} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestRealServer runs against MinIO KES, the program that KES names: `KES=kes go test ./internal/kes`.
func TestRealServer(t *testing.T) {
	program := os.Getenv("KES")
	if program == "" {
		t.Skip("KES names no program: MinIO KES")
	}
	dir := t.TempDir()
	serverCert, serverKey := writePair(t, dir, "server", "")
	app := must(APIKey(testAPIKey))(t)
	file := must(Files(writePairWith(t, dir, "client", "a password")))(t)
	stranger := must(Files(writePairWith(t, dir, "stranger", "")))(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	addr := l.Addr().String()
	l.Close()
	// The policy "few" may not describe keys.
	config := fmt.Sprintf(`version: v1
address: %s
admin:
  identity: disabled
tls:
  key: %s
  cert: %s
policy:
  all:
    allow: [/v1/key/create/*, /v1/key/generate/*, /v1/key/decrypt/*, /v1/key/list/*, /v1/key/describe/*]
    identities: [%s]
  few:
    allow: [/v1/key/create/*, /v1/key/generate/*, /v1/key/decrypt/*, /v1/key/list/*]
    identities: [%s]
keystore:
  fs:
    path: %s
`, addr, serverKey, serverCert, identityOf(t, app), identityOf(t, file), filepath.Join(dir, "keys"))
	configFile := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(configFile, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(serverCert))(t))
	o := Options{Endpoints: []string{"https://" + addr}, Key: "objects", Identity: app, Roots: roots}
	k := must(New(o))(t)
	if _, err := k.Seal(t.Context(), "objects", []byte("x"), nil); !errors.Is(err, keyring.ErrUnavailable) {
		t.Fatal("before the server is there:", err)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "server", "--config", configFile)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		_, err := k.List(t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	exercise(t, k)

	// One endpoint of several is down.
	o.Endpoints = []string{"https://127.0.0.1:1", "https://" + addr + "/"}
	o.Identity, o.Key = file, "of-the-file"
	two := must(New(o))(t)
	exercise(t, two)
	if two.last.Load() != 1 {
		t.Error("the endpoint that answers is not asked first")
	}
	list, err := two.List(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "objects" || list[1].Name != "of-the-file" || !list[0].Created.IsZero() {
		t.Errorf("of who may not describe: %+v %v", list, err)
	}
	if list, err = k.List(t.Context()); err != nil || len(list) != 2 || list[0].Created.IsZero() || list[0].Versions != 1 {
		t.Errorf("%+v %v", list, err)
	}

	// Who KES does not know, and whose certificate we don't.
	o.Identity = stranger
	if _, err := must(New(o))(t).Seal(t.Context(), "objects", []byte("x"), nil); !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "403") {
		t.Error("a stranger:", err)
	}
	o.Identity, o.Roots = app, x509.NewCertPool()
	if _, err := must(New(o))(t).Seal(t.Context(), "objects", []byte("x"), nil); !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Error("an unknown server:", err)
	}
}

func writePairWith(t *testing.T, dir, name, password string) (certFile, keyFile, _ string) {
	t.Helper()
	certFile, keyFile = writePair(t, dir, name, password)
	return certFile, keyFile, password
}

// exercise does with a server what a ring can do.
func exercise(t *testing.T, k *Keys) {
	t.Helper()
	ctx := t.Context()
	secret, bound := []byte("thirty-two bytes of a secret key"), []byte("bucket/key")
	if _, err := k.Seal(ctx, k.Default(), secret, bound); !errors.Is(err, keyring.ErrNoKey) {
		t.Fatal("a key that is not there seals, or is made by that:", err)
	}
	if err := k.Create(ctx, k.Default()); err != nil {
		t.Fatal(err)
	}
	if err := k.Create(ctx, k.Default()); !errors.Is(err, keyring.ErrKeyExists) {
		t.Error(err)
	}
	for _, name := range []string{"../list/x", "with.dot", "-x", "x-", "_", "", strings.Repeat("x", 81)} {
		if err := k.Create(ctx, name); !errors.Is(err, keyring.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	sealed, err := k.Seal(ctx, k.Default(), secret, bound)
	if err != nil || !Sealed(sealed) || bytes.Contains(sealed, secret) || !k.Newest(k.Default(), sealed) {
		t.Fatalf("%x %v", sealed, err)
	}
	again, err := k.Seal(ctx, k.Default(), secret, bound)
	if err != nil || bytes.Equal(again, sealed) {
		t.Error("sealed twice alike", err)
	}
	unseals := func(name string, sealed, bound []byte, want error) {
		t.Helper()
		got, err := k.Unseal(ctx, name, sealed, bound)
		if !errors.Is(err, want) || want == nil && !bytes.Equal(got, secret) {
			t.Errorf("%q, %v, want %v", got, err, want)
		}
	}
	unseals(k.Default(), sealed, bound, nil)
	unseals(k.Default(), again, bound, nil)
	unseals(k.Default(), sealed, []byte("bucket/other"), keyring.ErrWrongKey)
	unseals("never-made", sealed, bound, keyring.ErrNoKey)
	unseals("../x", sealed, bound, keyring.ErrNoKey)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		unseals(k.Default(), changed, bound, keyring.ErrWrongKey)
	}
	unseals(k.Default(), sealed[:len(sealed)-1], bound, keyring.ErrWrongKey)
	if err := k.Rotate(ctx, k.Default()); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	// KES itself has bound the context, not only what the data key wraps.
	dataKey, _, _ := split(sealed)
	err = k.ask(ctx, "POST", "key/decrypt/"+k.Default(), map[string][]byte{"ciphertext": dataKey, "context": []byte("bucket/other")}, nil)
	if !errors.Is(err, keyring.ErrWrongKey) {
		t.Error("a data key opens in another context:", err)
	}
}

func TestOptions(t *testing.T) {
	id := must(APIKey(testAPIKey))(t)
	for _, tt := range []struct {
		endpoints []string
		key       string
		id        Identity
		ok        bool
	}{
		{[]string{"https://kes:7373", "https://kes2:7373/"}, "objects", id, true},
		{nil, "objects", id, false},
		{[]string{"http://127.0.0.1:7373"}, "objects", id, false},
		{[]string{"https://kes{1...3}:7373"}, "objects", id, false},
		{[]string{"https://kes:7373/v1"}, "objects", id, false},
		{[]string{"https://u:p@kes:7373"}, "objects", id, false},
		{[]string{"https://kes:7373", "kes:7373"}, "objects", id, false},
		{[]string{"https://kes:7373"}, "", id, false},
		{[]string{"https://kes:7373"}, "a.b", id, false},
		{[]string{"https://kes:7373"}, "objects", nil, false},
	} {
		if _, err := New(Options{Endpoints: tt.endpoints, Key: tt.key, Identity: tt.id}); (err == nil) != tt.ok {
			t.Errorf("%q %q: %v", tt.endpoints, tt.key, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	for _, text := range []string{"", "kes:v1:", testAPIKey[:len(testAPIKey)-4], strings.TrimPrefix(testAPIKey, "kes:v1:"), "kes:v1:AQ" + testAPIKey[9:], testAPIKey + "AAAA"} {
		if _, err := APIKey(text); err == nil || len(text) > 10 && strings.Contains(err.Error(), text[7:]) {
			t.Errorf("%q: %v", text, err)
		}
	}
	dir := t.TempDir()
	cert, key := writePair(t, dir, "plain", "")
	if _, err := Files(cert, key, ""); err != nil {
		t.Error(err)
	}
	if _, err := Files(key, cert, ""); err == nil {
		t.Error("files that are mixed up are taken")
	}
	locked, lockedKey := writePair(t, dir, "locked", "right")
	id := must(Files(locked, lockedKey, "right"))(t)
	for _, password := range []string{"", "wrong"} {
		if _, err := Files(locked, lockedKey, password); err == nil {
			t.Errorf("password %q opens the key", password)
		}
	}
	before := identityOf(t, id)
	writePair(t, dir, "locked", "right")
	if identityOf(t, id) == before {
		t.Error("a renewed certificate does not count")
	}
	pkcs8 := filepath.Join(dir, "pkcs8.key")
	if err := os.WriteFile(pkcs8, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Files(cert, pkcs8, "right"); err == nil || !strings.Contains(err.Error(), "PKCS #8") {
		t.Error(err)
	}
}

// TestTrouble has servers that can't help: nothing is taken for an answer, and errors hold no secret.
func TestTrouble(t *testing.T) {
	const secret = "the secret of an object"
	var answer func(w http.ResponseWriter, r *http.Request)
	var elsewhereAsked bool
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhereAsked = true }))
	defer elsewhere.Close()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	k := must(New(Options{Endpoints: []string{srv.URL}, Key: "objects", Identity: must(APIKey(testAPIKey))(t), Roots: roots, Timeout: time.Minute}))(t)
	status := func(n int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n); fmt.Fprint(w, text) }
	}
	data := func(plain, sealed int) func(http.ResponseWriter, *http.Request) {
		b, _ := json.Marshal(map[string][]byte{"plaintext": make([]byte, plain), "ciphertext": make([]byte, sealed)})
		return status(200, string(b))
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   error
	}{
		"well":           {data(32, 100), nil},
		"store down":     {status(502, `{"message":"failed to read key"}`), keyring.ErrUnavailable},
		"no right":       {status(403, `{"message":"not authorized: insufficient permissions"}`), keyring.ErrUnavailable},
		"no JSON":        {status(200, `<html>`), keyring.ErrUnavailable},
		"no data":        {status(200, `{}`), keyring.ErrUnavailable},
		"short key":      {data(16, 100), keyring.ErrUnavailable},
		"no ciphertext":  {data(32, 0), keyring.ErrUnavailable},
		"too long":       {data(32, 1<<16), keyring.ErrUnavailable},
		"no key":         {status(404, `{"message":"key does not exist"}`), keyring.ErrNoKey},
		"another server": {status(404, `not found`), keyring.ErrUnavailable},
		"elsewhere":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 307) }, keyring.ErrUnavailable},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"plaintext":`)
		}, keyring.ErrUnavailable},
	} {
		answer = tt.answer
		if _, err := k.Seal(t.Context(), "objects", []byte(secret), nil); !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if elsewhereAsked {
		t.Error("a redirect was followed")
	}
	answer = status(200, `{"names":["a","b"],"continue_at":"c"}`)
	if _, err := k.List(t.Context()); err == nil {
		t.Error("the beginning of a list is taken for all of it")
	}
	answer = data(32, 10)
	sealed := must(k.Seal(t.Context(), "objects", []byte(secret), nil))(t)
	srv.Close()
	if _, err := k.Unseal(t.Context(), "objects", sealed, nil); !errors.Is(err, keyring.ErrUnavailable) {
		t.Error("down:", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Unseal(ctx, "objects", sealed, nil); !errors.Is(err, context.Canceled) {
		t.Error("given up:", err)
	}
}

// FuzzSplit: what is not as Seal makes it is refused, and nothing of what is taken apart is lost.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("kes:v1:\x00\x01ab"))
	f.Add([]byte("kes:v1:\xff\xffab"))
	f.Add([]byte("vault:v1:AAAA"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dataKey, wrapped, ok := split(b)
		if ok && (len(dataKey) == 0 || len(dataKey)+len(wrapped)+len(prefix)+2 != len(b)) {
			t.Errorf("%x: %x, %x", b, dataKey, wrapped)
		}
	})
}

// TestSilentServers asks servers that never answer: each is given its time, and no more.
func TestSilentServers(t *testing.T) {
	ended := make(chan struct{})
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	defer srv.Close()
	defer close(ended)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	k := must(New(Options{Endpoints: []string{srv.URL, srv.URL}, Key: "objects", Identity: must(APIKey(testAPIKey))(t), Roots: roots, Timeout: 100 * time.Millisecond}))(t)
	if _, err := k.Seal(t.Context(), "objects", []byte("secret"), nil); !errors.Is(err, keyring.ErrUnavailable) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Seal(ctx, "objects", []byte("secret"), nil); !errors.Is(err, context.Canceled) {
		t.Error("given up:", err)
	}
}
