package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/spf13/pflag"
)

// TestIdentityVariables: what is set under which names, and what is refused before anything is served.
func TestIdentityVariables(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("Bearer x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		env  environ
		says string // of the error
	}{
		"none":           {environ{}, ""},
		"empty values":   {environ{"MINIO_IDENTITY_PLUGIN_URL": "", "MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "", "MINIO_IDENTITY_TLS_ENABLE": ""}, ""},
		"MinIO's":        {environ{"MINIO_IDENTITY_PLUGIN_URL": "http://h/p", "MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "a, b", "MINIO_IDENTITY_PLUGIN_ROLE_ID": "r", "MINIO_IDENTITY_PLUGIN_AUTH_TOKEN": "Bearer x", "MINIO_IDENTITY_TLS_ENABLE": "on", "MINIO_IDENTITY_TLS_SKIP_VERIFY": "on"}, ""},
		"ours":           {environ{"OBJSRV_IDENTITY_PLUGIN_URL": "http://h/p", "OBJSRV_IDENTITY_PLUGIN_ROLE_POLICY": "a,b", "OBJSRV_IDENTITY_PLUGIN_ROLE_ID": "r", "OBJSRV_IDENTITY_PLUGIN_AUTH_TOKEN_FILE": secret, "OBJSRV_IDENTITY_TLS_ENABLE": "true", "OBJSRV_IDENTITY_TLS_SKIP_VERIFY": "1"}, ""},
		"no URL":         {environ{"OBJSRV_IDENTITY_PLUGIN_ROLE_POLICY": "a"}, "IDENTITY_PLUGIN_URL is missing"},
		"no policy":      {environ{"MINIO_IDENTITY_PLUGIN_URL": "http://h/p"}, "IDENTITY_PLUGIN_ROLE_POLICY is missing"},
		"empty policies": {environ{"MINIO_IDENTITY_PLUGIN_URL": "http://h/p", "MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "a,,b"}, "IDENTITY_PLUGIN_ROLE_POLICY has an empty value"},
		"both, differ":   {environ{"MINIO_IDENTITY_PLUGIN_URL": "http://h/p", "OBJSRV_IDENTITY_PLUGIN_URL": "http://h/q"}, "both set and differ"},
		"no switch":      {environ{"MINIO_IDENTITY_TLS_ENABLE": "maybe"}, "MINIO_IDENTITY_TLS_ENABLE: \"maybe\" is neither on nor off"},
		"a missing CA":   {environ{"MINIO_IDENTITY_PLUGIN_URL": "https://h/p", "MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "a", "OBJSRV_IDENTITY_PLUGIN_CA_FILE": secret + ".not"}, "IDENTITY_PLUGIN_CA_FILE can't be read"},
		"a slip":         {environ{"OBJSRV_IDENTITY_TLS_ENABLED": "on"}, "unknown variable OBJSRV_IDENTITY_TLS_ENABLED"},
	} {
		fs := pflag.NewFlagSet("server", pflag.ContinueOnError)
		addFlags(fs)
		c, ignored, err := readConfig(fs, tt.env, []string{"/data"})
		if tt.says != "" {
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || len(ignored) > 0 {
			t.Errorf("%s: %v, ignored %v", name, err, ignored)
			continue
		}
		set := name == "ours" || name == "MinIO's"
		p := c.Plugin
		if c.ClientCerts != set || c.ClientCertsUnverified != set || set != (p.URL == "http://h/p" && strings.Join(p.Policies, " ") == "a b" && p.RoleID == "r" && p.AuthToken == "Bearer x") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// newClientCA makes an authority in dir/CAs; issue makes certificates of clients.
func newClientCA(t *testing.T, dir string) (issue func(cn string) tls.Certificate) {
	t.Helper()
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	caKey := newKey()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "CAs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "CAs", "clients.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(cn string) tls.Certificate {
		key := newKey()
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * time.Minute),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, key.Public(), caKey)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
}

func insecureTransport() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

// TestCertificateLogin: a certificate becomes credentials that minio-go works with, without it, on
// a server that others use as ever.
func TestCertificateLogin(t *testing.T) {
	certs := t.TempDir()
	writeTestCert(t, certs, "localhost")
	issue := newClientCA(t, certs)
	p, _, stderr := start(t, environ{"MINIO_ROOT_PASSWORD": testPassword, "MINIO_IDENTITY_TLS_ENABLE": "on"}, t.TempDir(), "--certs-dir", certs)
	if strings.Contains(stderr.String(), "certificate") {
		t.Errorf("a warning: %s", stderr)
	}
	ctx := t.Context()
	addr := p.Addr().String()
	client := func(creds *credentials.Credentials) *minio.Client {
		c, err := minio.New(addr, &minio.Options{Creds: creds, Region: "us-east-1", Secure: true, Transport: insecureTransport()})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root := client(credentials.NewStaticV4(p.services.root.User, testPassword, ""))
	if err := root.MakeBucket(ctx, "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	login := func(cn string) *credentials.Credentials {
		creds, err := credentials.NewSTSCertificateIdentity("https://"+addr, issue(cn), credentials.CertificateIdentityWithTransport(insecureTransport()))
		if err != nil {
			t.Fatal(err)
		}
		return creds
	}
	put := func(c *minio.Client) error {
		_, err := c.PutObject(ctx, "data", "k", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
		return err
	}
	creds := login("readwrite")
	if err := put(client(creds)); err != nil {
		t.Errorf("the policy readwrite: %v", err)
	}
	if v, err := creds.GetWithContext(nil); err != nil || time.Until(v.Expiration) > 30*time.Minute || time.Until(v.Expiration) < 29*time.Minute {
		t.Errorf("%v, ends %v", err, v.Expiration)
	}
	if err := put(client(login("readonly"))); minio.ToErrorResponse(err).Code != "AccessDenied" {
		t.Errorf("the policy readonly: %v", err)
	}
	if _, err := login("nothing").GetWithContext(nil); err == nil || !strings.Contains(err.Error(), "no policy") {
		t.Errorf("no policy: %v", err)
	}
	if users := p.services.iam.Users(); len(users) != 2 {
		t.Errorf("%+v", users)
	}
}

// TestCertificatesOff: clients are asked for nothing unless it is switched on, and where nobody could log in it is said.
func TestCertificatesOff(t *testing.T) {
	certs := t.TempDir()
	writeTestCert(t, certs, "localhost")
	asks := func(addr string) (asked bool) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		return asked
	}
	for name, tt := range map[string]struct {
		env   environ
		args  []string
		says  string
		asked bool
	}{
		"off":         {environ{}, []string{"--certs-dir", certs}, "", false},
		"on":          {environ{"OBJSRV_IDENTITY_TLS_ENABLE": "on"}, []string{"--certs-dir", certs}, "/CAs", true},
		"skip verify": {environ{"OBJSRV_IDENTITY_TLS_ENABLE": "on", "OBJSRV_IDENTITY_TLS_SKIP_VERIFY": "on"}, []string{"--certs-dir", certs}, "has all rights", true},
		"plain HTTP":  {environ{"OBJSRV_IDENTITY_TLS_ENABLE": "on"}, nil, "no effect without TLS", false},
	} {
		tt.env["OBJSRV_ROOT_PASSWORD"] = testPassword
		p, _, stderr := start(t, tt.env, append([]string{t.TempDir(), "--console-address", "127.0.0.1:0"}, tt.args...)...)
		if (tt.says == "") != !strings.Contains(stderr.String(), "level=WARN") || !strings.Contains(stderr.String(), tt.says) {
			t.Errorf("%s: %s", name, stderr)
		}
		if len(tt.args) > 0 && asks(p.Addr().String()) != tt.asked {
			t.Errorf("%s: asked %v", name, !tt.asked)
		}
		if len(tt.args) > 0 && asks(p.ConsoleAddr().String()) {
			t.Errorf("%s: the console asks", name)
		}
	}
}

// TestCustomTokenLogin: S-195, a real plugin's answers become credentials that minio-go works with, or nothing.
func TestCustomTokenLogin(t *testing.T) {
	var auth string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth = r.Header.Get("Authorization")
		switch r.URL.Query().Get("token") {
		case "good":
			w.Write([]byte(`{"user":"ann","maxValiditySeconds":1800,"claims":{"team":"red"}}`))
		case "endless":
			w.Write([]byte(`{"user":"ann"}`))
		case "large":
			w.Write([]byte(`{"user":"ann","maxValiditySeconds":1800,"claims":{"a":"` + strings.Repeat("x", 10<<20) + `"}}`))
		case "root":
			w.Write([]byte(`{"user":"root","maxValiditySeconds":1800}`))
		case "sub":
			w.Write([]byte(`{"user":"ann","maxValiditySeconds":1800,"claims":{"sub":"root"}}`))
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte(`{"reason":"nobody has this token"}`))
		}
	}))
	defer srv.Close()
	p, stdout, stderr := start(t, environ{
		"MINIO_ROOT_PASSWORD": testPassword, "MINIO_IDENTITY_PLUGIN_URL": srv.URL, "MINIO_IDENTITY_PLUGIN_AUTH_TOKEN": "Bearer s3cret",
		"MINIO_IDENTITY_PLUGIN_ROLE_POLICY": "team,not-yet", "MINIO_IDENTITY_PLUGIN_ROLE_ID": "people",
	}, t.TempDir())
	const role = "arn:minio:iam:us-east-1::role/idmp-people"
	if !strings.Contains(stdout.String(), "Plugin:   role "+role+"\n") || !strings.Contains(stderr.String(), "names the policy not-yet, which does not exist yet") {
		t.Errorf("%s%s", stdout, stderr)
	}
	ctx := t.Context()
	if _, err := p.services.iam.SetPolicy(ctx, "team", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/${jwt:team}/*"}]}`)); err != nil {
		t.Fatal(err)
	}
	root := s3Client(t, p)
	if err := root.MakeBucket(ctx, "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	login := func(token, role string) *credentials.Credentials {
		creds, err := credentials.NewCustomTokenCredentials("http://"+p.Addr().String(), token, role, credentials.CustomTokenValidityOpt(2*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return creds
	}
	for name, want := range map[string]string{"endless": "400", "large": "400", "root": "403", "sub": "403", "broken": "400", "nobody": "403"} {
		if _, err := login(name, role).GetWithContext(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("S-195 %s: %v", name, err)
		}
	}
	if _, err := login("good", role+"x").GetWithContext(nil); err == nil {
		t.Error("another role is taken")
	}
	if len(p.services.iam.Users())+len(p.services.iam.Sessions("")) != 0 {
		t.Error("S-195: something was written")
	}
	creds := login("good", role)
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: creds, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"red/k": "", "blue/k": "AccessDenied"} {
		if _, err := c.PutObject(ctx, "data", key, bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{}); minio.ToErrorResponse(err).Code != want {
			t.Errorf("%s: %v", key, err)
		}
	}
	if v, err := creds.GetWithContext(nil); err != nil || time.Until(v.Expiration) > 30*time.Minute || auth != "Bearer s3cret" {
		t.Errorf("%v, ends %v, sent %q", err, v.Expiration, auth)
	}
	if users := p.services.iam.Users(); len(users) != 1 || users[0].Name != "custom:ann" {
		t.Errorf("%+v", users)
	}
}
