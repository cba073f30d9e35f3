package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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

// TestOpenIDVariables: what is set under which names, and what is refused before anything is served.
func TestOpenIDVariables(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "https://idp.example.com/a/.well-known/openid-configuration"
	for name, tt := range map[string]struct {
		env  environ
		want string // names, clients and secrets of the providers
		says string // of the error
	}{
		"none":           {environ{}, "", ""},
		"MinIO's":        {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CLIENT_ID": "a", "MINIO_IDENTITY_OPENID_CLIENT_SECRET": "s"}, "/a/s", ""},
		"ours":           {environ{"OBJSRV_IDENTITY_OPENID_CONFIG_URL": url, "OBJSRV_IDENTITY_OPENID_CLIENT_ID": "a", "OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM": "groups"}, "/a/", ""},
		"both, the same": {environ{"OBJSRV_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CONFIG_URL": url, "OBJSRV_IDENTITY_OPENID_CLIENT_ID": "a"}, "/a/", ""},
		"both, differ": {environ{"OBJSRV_IDENTITY_OPENID_CLIENT_ID": "a", "MINIO_IDENTITY_OPENID_CLIENT_ID": "b", "MINIO_IDENTITY_OPENID_CONFIG_URL": url}, "",
			"MINIO_IDENTITY_OPENID_CLIENT_ID and OBJSRV_IDENTITY_OPENID_CLIENT_ID are both set and differ"},
		"further ones": {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL_DEV": url, "MINIO_IDENTITY_OPENID_CLIENT_ID_DEV": "a", "MINIO_IDENTITY_OPENID_CONFIG_URL_my_lab": url,
			"MINIO_IDENTITY_OPENID_CLIENT_ID_my_lab": "b", "MINIO_IDENTITY_OPENID_REDIRECT_URI_DYNAMIC_DEV": "on", "MINIO_IDENTITY_OPENID_ENABLE_off": "off"}, "DEV/a/ my_lab/b/", ""},
		"secret from a file": {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL_X": url, "MINIO_IDENTITY_OPENID_CLIENT_ID_X": "a", "OBJSRV_IDENTITY_OPENID_CLIENT_SECRET_FILE_X": secret}, "X/a/from-a-file", ""},
		"no such file": {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CLIENT_ID": "a", "OBJSRV_IDENTITY_OPENID_CLIENT_SECRET_FILE": secret + ".not"}, "",
			"OBJSRV_IDENTITY_OPENID_CLIENT_SECRET_FILE"},
		"empty values":    {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": "", "MINIO_IDENTITY_OPENID_CLIENT_ID": "", "MINIO_IDENTITY_OPENID_SCOPES": ""}, "", ""},
		"a slip":          {environ{"MINIO_IDENTITY_OPENID_CLAIMNAME": "x"}, "", "unknown variable MINIO_IDENTITY_OPENID_CLAIMNAME"},
		"our slip":        {environ{"OBJSRV_IDENTITY_OPENID_CLIENTID_X": "x"}, "", "unknown variable OBJSRV_IDENTITY_OPENID_CLIENTID_X"},
		"half":            {environ{"MINIO_IDENTITY_OPENID_CLIENT_ID_X": "x"}, "", "OpenID Connect provider X: MINIO_IDENTITY_OPENID_CONFIG_URL is missing"},
		"JWKS_URL":        {environ{"MINIO_IDENTITY_OPENID_JWKS_URL": url}, "", "MINIO_IDENTITY_OPENID_JWKS_URL has no meaning"},
		"contradictions":  {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CLIENT_ID": "a", "MINIO_IDENTITY_OPENID_CONFIG_URL_X": url, "MINIO_IDENTITY_OPENID_CLIENT_ID_X": "a"}, "", "tell them apart"},
		"role and claim":  {environ{"OBJSRV_IDENTITY_OPENID_CONFIG_URL": url, "OBJSRV_IDENTITY_OPENID_CLIENT_ID": "a", "OBJSRV_IDENTITY_OPENID_ROLE_POLICY": "p", "OBJSRV_IDENTITY_OPENID_CLAIM_NAME": "c"}, "", "OBJSRV_IDENTITY_OPENID_ROLE_POLICY gives everybody"},
		"Keycloak's":      {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CLIENT_ID": "a", "MINIO_IDENTITY_OPENID_VENDOR": "keycloak"}, "", "KEYCLOAK_ADMIN_URL is missing"},
		"a missing CA":    {environ{"MINIO_IDENTITY_OPENID_CONFIG_URL": url, "MINIO_IDENTITY_OPENID_CLIENT_ID": "a", "OBJSRV_IDENTITY_OPENID_CA_FILE": secret + ".not"}, "", "CA_FILE can't be read"},
		"no name behind_": {environ{"MINIO_IDENTITY_OPENID_CLIENT_ID_": "a"}, "", "unknown variable MINIO_IDENTITY_OPENID_CLIENT_ID_"},
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
		var got []string
		for _, p := range c.OpenID {
			got = append(got, p.Name+"/"+p.ClientID+"/"+p.ClientSecret)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %q, want %q", name, s, tt.want)
		}
	}
}

// newTestIssuer starts a provider with one key; sign makes tokens of it.
func newTestIssuer(t *testing.T) (url string, sign func(claims map[string]any) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			json.NewEncoder(w).Encode(map[string]string{"issuer": srv.URL, "jwks_uri": srv.URL + "/keys"})
		case "/keys":
			json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
				"kty": "RSA", "kid": "k", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
			}}})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func(claims map[string]any) string {
		claims["iss"], claims["exp"] = srv.URL, time.Now().Add(time.Hour).Unix()
		body, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signed := b64([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + b64(body)
		sum := sha256.Sum256([]byte(signed))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signed + "." + b64(sig)
	}
}

// TestOpenIDLogin: tokens become credentials that minio-go works with, with the rights of the
// token, through a server that tells what it is set to.
func TestOpenIDLogin(t *testing.T) {
	issuer, sign := newTestIssuer(t)
	p, stdout, stderr := start(t, environ{
		"MINIO_ROOT_PASSWORD":                    testPassword,
		"MINIO_IDENTITY_OPENID_CONFIG_URL":       issuer + "/.well-known/openid-configuration",
		"MINIO_IDENTITY_OPENID_CLIENT_ID":        "app",
		"MINIO_IDENTITY_OPENID_CONFIG_URL_ROLE":  issuer + "/.well-known/openid-configuration",
		"MINIO_IDENTITY_OPENID_CLIENT_ID_ROLE":   "minio-client-app",
		"MINIO_IDENTITY_OPENID_ROLE_POLICY_ROLE": "readonly,not-yet",
	}, t.TempDir())
	const role = "arn:minio:iam:us-east-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0"
	for _, want := range []string{"OpenID:   default, policies from the claim policy\n", "OpenID:   ROLE, role " + role + "\n"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in %s", want, stdout)
		}
	}
	if !strings.Contains(stderr.String(), "names the policy not-yet, which does not exist yet") {
		t.Errorf("no warning in %s", stderr)
	}
	ctx := t.Context()
	root := s3Client(t, p)
	if err := root.MakeBucket(ctx, "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	client := func(token, role string) *minio.Client {
		creds, err := credentials.NewSTSWebIdentity("http://"+p.Addr().String(), func() (*credentials.WebIdentityToken, error) {
			return &credentials.WebIdentityToken{Token: token}, nil
		}, func(i *credentials.STSWebIdentity) { i.RoleARN = role })
		if err != nil {
			t.Fatal(err)
		}
		c, err := minio.New(p.Addr().String(), &minio.Options{Creds: creds, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	put := func(c *minio.Client) error {
		_, err := c.PutObject(ctx, "data", "k", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
		return err
	}
	writer := client(sign(map[string]any{"sub": "alice", "aud": "app", "policy": "readwrite"}), "")
	if err := put(writer); err != nil {
		t.Errorf("with the claim readwrite: %v", err)
	}
	reader := client(sign(map[string]any{"sub": "bob", "aud": "minio-client-app", "policy": "consoleAdmin"}), role)
	if err := put(reader); minio.ToErrorResponse(err).Code != "AccessDenied" {
		t.Errorf("with a role that is readonly: %v", err)
	}
	if _, err := reader.StatObject(ctx, "data", "k", minio.StatObjectOptions{}); err != nil {
		t.Errorf("with a role that is readonly: %v", err)
	}
	if err := put(client(sign(map[string]any{"sub": "carol", "aud": "app"}), "")); err == nil || !strings.Contains(err.Error(), "names no policy") {
		t.Errorf("without a policy: %v", err)
	}
	if users := p.services.iam.Users(); len(users) != 2 {
		t.Errorf("%+v", users)
	}
}
