package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

// TestTokenTrial: administrators see what would become of a token, and why; nothing comes of it, and the
// token is not told back. With the provider the sessions of its people go, at the next start.
func TestTokenTrial(t *testing.T) {
	issuer, sign := newTestIssuer(t)
	dir := t.TempDir()
	env := environ{
		"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword,
		"MINIO_IDENTITY_OPENID_CONFIG_URL_CORP": issuer + "/.well-known/openid-configuration", "MINIO_IDENTITY_OPENID_CLIENT_ID_CORP": "app",
	}
	p, _, _ := start(t, env, dir)
	a := &adminServer{t: t, svc: p.services.iam, url: "http://" + p.Addr().String()}
	a.environ()
	t.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := sign(map[string]any{"sub": "alice", "aud": "app", "policy": "readwrite,not-here"})
	write(good)
	out, err := a.run("", "oidc test --token-file "+file)
	for _, want := range []string{`"readwrite,not-here"`, "signature", "right, by RS256", "Policies:  readwrite\n", "not-here"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
	if strings.Contains(out, good[len(good)-40:]) {
		t.Error("the token is shown")
	}
	out, err = a.run("", "oidc test --json --provider CORP --token-file "+file)
	var got adminapi.OpenIDTest
	if jerr := json.Unmarshal([]byte(out), &got); err != nil || jerr != nil || !got.Allowed || !got.Verified || got.Provider != "CORP" || got.Claims["sub"] != "alice" {
		t.Errorf("%v, %v: %s", err, jerr, out)
	}
	if len(p.services.iam.Users()) != 0 || len(p.services.iam.Sessions("")) != 0 {
		t.Error("a trial has made something")
	}
	for name, tt := range map[string]struct{ token, flags, want string }{
		"no policy":     {sign(map[string]any{"sub": "alice", "aud": "app"}), "", "names no policy"},
		"other client":  {sign(map[string]any{"sub": "alice", "aud": "b", "policy": "readonly"}), "", "FAILED"},
		"bad signature": {good[:len(good)-8] + "AAAAAAAA", "", "Because:"},
	} {
		write(tt.token)
		if out, err := a.run("", "oidc test --token-file "+file+tt.flags); err != nil || !strings.Contains(out, tt.want) || !strings.Contains(out, "Refused:") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if _, err := a.run("", "oidc test --provider nobody --token-file "+file); err == nil || !strings.Contains(err.Error(), "NoSuchProvider") {
		t.Errorf("%v", err)
	}
	if _, err := a.run("", "oidc test"); err == nil || !strings.Contains(err.Error(), "--token-file") {
		t.Errorf("%v", err)
	}

	login := func() credentials.Value {
		t.Helper()
		c, err := credentials.NewSTSWebIdentity(a.url, func() (*credentials.WebIdentityToken, error) { return &credentials.WebIdentityToken{Token: good}, nil })
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := login()
	if out, err = a.run("", "session list --provider CORP"); err != nil || !strings.Contains(out, first.AccessKeyID) || !strings.Contains(out, "openid:CORP") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = a.run("", "session list --provider ldap"); err != nil || strings.Contains(out, first.AccessKeyID) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = a.run("", "session revoke --provider CORP"); err != nil || out != "1 sessions have ended.\n" {
		t.Errorf("%v: %s", err, out)
	}
	second := login()
	cred, err := p.services.iam.Credential(second.AccessKeyID, second.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.services.iam.CreateAccessKey(t.Context(), iam.NewAccessKey{By: cred.Identity, Parent: cred.Identity.Name, AccessKey: "CORPSKEY"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p, _, stderr := start(t, env, dir)
	if _, err := p.services.iam.Credential(second.AccessKeyID, second.SessionToken); err != nil {
		t.Errorf("a session does not survive a start with its provider: %v", err)
	}
	warned := func(stderr interface{ String() string }) bool {
		return strings.Contains(stderr.String(), "people of the identity provider openid:CORP, which is not configured any more, are still good: 1")
	}
	if warned(stderr) {
		t.Error("a warning for nothing")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p, _, stderr = start(t, environ{"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword}, dir)
	if _, err := p.services.iam.Credential(second.AccessKeyID, second.SessionToken); err == nil {
		t.Error("S-228: a session outlives its provider")
	}
	if !warned(stderr) {
		t.Errorf("no warning of the key: %s", stderr)
	}
	if bytes.Contains([]byte(stderr.String()), []byte(second.AccessKeyID)) {
		t.Error("a session's key is in the log")
	}
}
