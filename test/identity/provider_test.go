package identity

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// provider is panva's oidc-provider under provider/server.mjs, laid out as a realm of Keycloak.
type provider struct {
	t       *testing.T
	port    string
	process *exec.Cmd
}

func newProvider(t *testing.T) *provider {
	need(t, "IDENTITY_PROVIDER", "panva's oidc-provider")
	return &provider{t: t, port: freePort(t)}
}

// start runs it until stop or the test's end.
func (p *provider) start() {
	p.t.Helper()
	p.process = exec.Command(need(p.t, "IDENTITY_NODE", "node"), "server.mjs")
	p.process.Dir = os.Getenv("IDENTITY_PROVIDER")
	p.process.Env = append(os.Environ(), "PORT="+p.port)
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.stop)
	await(p.t, 60*time.Second, "the provider answers", func() bool {
		resp, err := http.Get(p.configURL())
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (p *provider) stop() {
	if p.process != nil {
		p.process.Process.Kill()
		p.process.Wait()
		p.process = nil
	}
}

func (p *provider) origin() string    { return "http://127.0.0.1:" + p.port }
func (p *provider) issuer() string    { return p.origin() + "/realms/test" }
func (p *provider) configURL() string { return p.issuer() + "/.well-known/openid-configuration" }

func (p *provider) settings(more ...string) []string {
	return append([]string{"MINIO_IDENTITY_OPENID_CONFIG_URL=" + p.configURL(), "MINIO_IDENTITY_OPENID_CLIENT_ID=s3console",
		"MINIO_IDENTITY_OPENID_CLIENT_SECRET=s3console-secret"}, more...)
}

func (p *provider) user(name string) tokens {
	p.t.Helper()
	return grant(p.t, p.issuer()+"/protocol/openid-connect/token", url.Values{"grant_type": {"password"}, "scope": {"openid"}, "client_id": {"s3console"},
		"client_secret": {"s3console-secret"}, "username": {name}, "password": {name + "-secret"}})
}

// sign has the provider's own key sign claims of any kind.
func (p *provider) sign(claims map[string]any) tokens {
	p.t.Helper()
	all := map[string]any{"iss": p.issuer(), "aud": "s3console", "sub": "eve", "policy": "readwrite", "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range claims {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	var out struct{ Token string }
	p.hook("POST", "/sign", all, &out)
	return tokens{ID: out.Token}
}

func (p *provider) hook(method, path string, v, out any) {
	p.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	if code := send(p.t, method, p.origin()+"/_test"+path, "application/json", string(body), "", out); code != 200 {
		p.t.Fatalf("%s: %d", path, code)
	}
}

// TestProviderClaims: claims of any shape, and tokens that are wrong in one point.
func TestProviderClaims(t *testing.T) {
	p := newProvider(t)
	p.start()
	s := start(t, p.settings("OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM=groups")...)
	for name, want := range map[string]string{
		"alice": "get put", "bob": "get", "carol": "get put",
		"nopol": "IDPRejectedClaim: ", "odd": "IDPRejectedClaim: ", "empty": "IDPRejectedClaim: ",
	} {
		if got := s.rights(p.user(name), ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, tt := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"good":                       {nil, "get put"},
		"S-048 for Kubernetes":       {map[string]any{"aud": "kubernetes.default"}, "InvalidIdentityToken: The token is for the audience"},
		"S-130 of another client":    {map[string]any{"azp": "other-app"}, `InvalidIdentityToken: The claim "azp"`},
		"S-130 of another issuer":    {map[string]any{"iss": "https://idp.example.com"}, "InvalidIdentityToken: The token is malformed, or"},
		"S-130 without an issuer":    {map[string]any{"iss": nil}, "InvalidIdentityToken: The token is malformed, or"},
		"S-189 without a subject":    {map[string]any{"sub": nil}, `InvalidIdentityToken: The claim "sub"`},
		"S-189 expired":              {map[string]any{"exp": 1}, "ExpiredTokenException: "},
		"S-189 not yet":              {map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, `InvalidIdentityToken: The claim "nbf"`},
		"S-189 without an end":       {map[string]any{"exp": nil}, `InvalidIdentityToken: The token has no claim "exp"`},
		"S-028 a confused algorithm": {map[string]any{"_header": map[string]any{"kid": "s3console"}}, "InvalidIdentityToken: The token is malformed, or"},
		"S-189 access token of RFC":  {map[string]any{"_header": map[string]any{"typ": "at+jwt"}}, "InvalidIdentityToken: The token is malformed, or"},
	} {
		if got := s.rights(p.sign(tt.claims), ""); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestProviderDown: the server starts without its provider, answers that it is missing, finds it
// when it is there, and lives on its keys when it is gone.
func TestProviderDown(t *testing.T) {
	p := newProvider(t)
	s := start(t, p.settings()...)
	if got := s.rights(unsigned(p.issuer(), "s3console"), ""); !strings.HasPrefix(got, "IDPCommunicationError: ") {
		t.Errorf("while it is down: %q", got)
	}
	if err := get(t.Context(), s.root); err != nil {
		t.Errorf("others are not concerned: %v", err)
	}
	p.start()
	alice := p.user("alice")
	await(t, 30*time.Second, "the provider is found", func() bool { return s.rights(alice, "") == "get put" })
	p.hook("POST", "/fault", map[string]any{"jwks": 503, "discovery": "hang"}, nil)
	if got := s.rights(alice, ""); got != "get put" {
		t.Errorf("while its keys are down: %q", got)
	}
	p.stop()
	if got := s.rights(alice, ""); got != "get put" {
		t.Errorf("after it has gone: %q", got)
	}
}

// TestProviderRotation: the old key leaves at once.
func TestProviderRotation(t *testing.T) {
	p := newProvider(t)
	p.start()
	s := start(t, p.settings()...)
	old := p.user("alice")
	if got := s.rights(old, ""); got != "get put" {
		t.Fatal(got)
	}
	p.hook("POST", "/rotate", nil, nil)
	fresh := p.user("alice")
	await(t, 90*time.Second, "a token of the new key", func() bool { return s.rights(fresh, "") == "get put" })
	if got := s.rights(old, ""); !strings.HasPrefix(got, "InvalidIdentityToken: ") {
		t.Errorf("a token of the old key: %q", got)
	}
}

// TestSessionEnds: S-188, credentials work until their expiry and not a moment longer.
func TestSessionEnds(t *testing.T) {
	p := newProvider(t)
	p.start()
	s := start(t, p.settings()...)
	v, err := s.login(p.sign(map[string]any{"exp": time.Now().Add(15 * time.Second).Unix()}), "")
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(credentials.NewStatic(v.AccessKeyID, v.SecretAccessKey, v.SessionToken, credentials.SignatureV4))
	// What is asked after the end is refused, and what is answered before it is not, however slow the
	// machine is.
	worked := 0
	await(t, time.Minute, "the end", func() bool {
		asked := time.Now()
		if err := get(t.Context(), c); err != nil {
			if now := time.Now(); now.Before(v.Expiration) {
				t.Errorf("refused %v before the end: %v", v.Expiration.Sub(now), err)
			}
			return true
		}
		if asked.After(v.Expiration) {
			t.Fatalf("it works %v after the end", asked.Sub(v.Expiration))
		}
		worked++
		return false
	})
	if worked == 0 {
		t.Error("it never worked")
	}
	if _, err := c.ListBuckets(t.Context()); minio.ToErrorResponse(err).Code != "ExpiredToken" {
		t.Errorf("afterwards: %v", err)
	}
}
