package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/kes"
)

// kesAPIKey is 0 and 32 times 7.
const kesAPIKey = "kes:v1:AAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"

// TestKESSettings has what is refused at the start.
func TestKESSettings(t *testing.T) {
	good := kesConfig{Endpoints: "https://kes1:7373, https://kes2:7373", Key: "objects", APIKey: kesAPIKey}
	for _, tt := range []struct {
		change func(*Config)
		want   string // in the refusal; "" for none
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.KES = kesConfig{} }, ""},
		{func(c *Config) { c.KES.APIKey, c.KES.CertFile, c.KES.KeyFile, c.KES.KeyPassword = "", "c", "k", "p" }, ""},
		{func(c *Config) { c.KES.Endpoints = "" }, "OBJSRV_KMS_KES_ENDPOINT"},
		{func(c *Config) { c.KES.Endpoints = "," }, "no endpoint"},
		{func(c *Config) { c.KES.Endpoints = "http://kes:7373" }, "https"},
		{func(c *Config) { c.KES.Endpoints = "https://kes{1...3}:7373" }, "ranges"},
		{func(c *Config) { c.KES.Key = "" }, "default key"},
		{func(c *Config) { c.KES.APIKey = "" }, "API_KEY"},
		{func(c *Config) { c.KES.APIKey = "kes:v1:AA" }, "API key"},
		{func(c *Config) { c.KES.CertFile, c.KES.KeyFile = "c", "k" }, "either"},
		{func(c *Config) { c.KES.APIKey, c.KES.CertFile = "", "c" }, "together"},
		{func(c *Config) { c.KES.KeyPassword = "p" }, "KEY_FILE"},
		{func(c *Config) { c.Vault.Endpoint = "https://vault:8200" }, "both"},
	} {
		c := Config{KES: good}
		tt.change(&c)
		if err := c.checkKES(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", c.KES, err, tt.want)
		}
	}
}

// TestAuthorities reads certificates of a file and of a directory, and takes nothing for none.
func TestAuthorities(t *testing.T) {
	dir := t.TempDir()
	writeTestCert(t, dir, "kes")
	for _, path := range []string{dir, filepath.Join(dir, "public.crt")} {
		if pool, err := authorities(path); err != nil || pool == nil {
			t.Error(path, err)
		}
	}
	for _, path := range []string{t.TempDir(), filepath.Join(dir, "private.key"), filepath.Join(dir, "none")} {
		if _, err := authorities(path); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
	if pool, err := authorities(""); pool != nil || err != nil {
		t.Error(err)
	}
}

// kesServer is a real KES, with its files in a directory.
type kesServer struct {
	program, dir, addr string
	cmd                *exec.Cmd
}

// newKESServer writes the configuration of one for 127.0.0.1 that the API key of tests may use.
func newKESServer(t *testing.T, program string) *kesServer {
	t.Helper()
	s := &kesServer{program: program, dir: t.TempDir()}
	identity, err := kes.APIKey(kesAPIKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s.addr = "localhost:" + port
	l.Close()
	writeTestCert(t, s.dir, "localhost")
	hash := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	config := fmt.Sprintf("version: v1\naddress: 127.0.0.1:%s\nadmin:\n  identity: %s\ntls:\n  key: %s/private.key\n  cert: %s/public.crt\nkeystore:\n  fs:\n    path: %s/keys\n",
		port, hex.EncodeToString(hash[:]), s.dir, s.dir, s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, "config.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func (s *kesServer) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.program, "server", "--config", filepath.Join(s.dir, "config.yml"))
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", strings.Replace(s.addr, "localhost", "127.0.0.1", 1))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func (s *kesServer) stop() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// TestRealKES has objects under the keys of MinIO KES, the program that KES names: it comes, goes and comes again, and
// what needs no key of its does not notice.
func TestRealKES(t *testing.T) {
	program := os.Getenv("KES")
	if program == "" {
		t.Skip("KES names no program: MinIO KES")
	}
	remote, certs, dir, ctx := newKESServer(t, program), t.TempDir(), t.TempDir(), t.Context()
	writeTestCert(t, certs, "localhost")
	plainEnv := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_KMS_KES_ENDPOINT": "https://" + remote.addr, "MINIO_KMS_KES_KEY_NAME": "objects",
		"MINIO_KMS_KES_API_KEY": kesAPIKey, "MINIO_KMS_KES_CAPATH": filepath.Join(remote.dir, "public.crt")}
	client := func(p *Program) *minio.Client {
		root := p.services.root
		c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(root.User, root.Password, ""), Secure: true, Region: p.Config.Region, MaxRetries: 1,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	customer, err := encrypt.NewSSEC([]byte("a customer's key of thirty-two b"))
	if err != nil {
		t.Fatal(err)
	}
	named, err := encrypt.NewSSEKMS("second", nil)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]encrypt.ServerSide{"plain": nil, "c": customer, "s3": encrypt.NewSSE(), "kms": named}
	content := sealedContent(200_000)
	put := func(c *minio.Client, name string, mode encrypt.ServerSide) error {
		_, err := c.PutObject(ctx, "bucket", name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ServerSideEncryption: mode})
		return err
	}
	get := func(c *minio.Client, name string, mode encrypt.ServerSide) error {
		opts := minio.GetObjectOptions{}
		if name == "c" {
			opts.ServerSideEncryption = mode
		}
		o, err := c.GetObject(ctx, "bucket", name, opts)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(o)
		if err == nil && !bytes.Equal(got, content) {
			err = fmt.Errorf("%d bytes of something else", len(got))
		}
		return err
	}
	wantUnavailable := func(what string, err error) {
		t.Helper()
		if e := minio.ToErrorResponse(err); e.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %v", what, err)
		}
	}

	// Before KES: the directory's own key.
	p, _, _ := start(t, plainEnv, dir, "--certs-dir", certs)
	c := client(p)
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := put(c, "before", encrypt.NewSSE()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	// It is not there yet.
	p, _, _ = start(t, env, dir, "--certs-dir", certs)
	c = client(p)
	wantUnavailable("write before KES is there", put(c, "early", encrypt.NewSSE()))
	remote.start(t)
	if err := put(c, "s3", modes["s3"]); minio.ToErrorResponse(err).Code != "KMS.NotFoundException" {
		t.Error("write with a key that was never made:", err)
	}
	for _, name := range []string{"objects", "second"} {
		if err := p.services.keys.Create(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"c", "s3", "kms", "plain"} {
		if name == "plain" { // which alone may be found
			wantNowhere(t, dir, "unencryptedcontent", kesAPIKey)
		}
		if err := put(c, name, modes[name]); err != nil {
			t.Errorf("put %s: %v", name, err)
		}
	}
	all := func(when string) {
		t.Helper()
		for name, mode := range modes {
			if err := get(c, name, mode); err != nil {
				t.Errorf("%s: get %s: %v", when, name, err)
			}
		}
		if err := get(c, "before", nil); err != nil {
			t.Errorf("%s: get what was there before: %v", when, err)
		}
	}
	all("with KES")
	if _, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: "moved", Encryption: modes["s3"]}, minio.CopySrcOptions{Bucket: "bucket", Object: "before"}); err != nil {
		t.Error("copy to a key of KES:", err)
	}
	admin := p.services.encryption()
	var refused *adminapi.Refusal
	if err := admin.RotateKey(ctx, "second"); !errors.As(err, &refused) || refused.Status != http.StatusNotImplemented {
		t.Error("rotate:", err)
	}
	if err := admin.CreateKey(ctx, "with.dot"); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || !strings.Contains(refused.Message, "KES") {
		t.Error("create:", err)
	}
	if keys, err := admin.Keys(ctx); err != nil || len(keys) != 2 || !keys[0].Default || keys[1].Name != "second" {
		t.Errorf("%+v %v", keys, err)
	}

	remote.stop()
	for name, mode := range modes {
		needs := name == "s3" || name == "kms"
		read, write := get(c, name, mode), put(c, name+" again", mode)
		switch {
		case needs:
			wantUnavailable("without KES: get "+name, read)
			wantUnavailable("without KES: put "+name, write)
		case read != nil || write != nil:
			t.Errorf("without KES, which it does not need: %s: %v, %v", name, read, write)
		}
	}
	if _, err := admin.Keys(ctx); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Error("without KES: list:", err)
	}
	remote.start(t)
	all("with KES again")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p, _, _ = start(t, env, dir, "--certs-dir", certs)
	c = client(p)
	all("after a restart")
	if err := get(c, "moved", nil); err != nil {
		t.Error(err)
	}
}
