package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const redirect = "http://localhost:8888/oauth2/callback"

// loginIssuer has a token endpoint that insists on PKCE, and hands out the ID token of the test.
type loginIssuer struct {
	*issuer
	challenge string         // of the login that the code is of
	claims    map[string]any // changes of the ID token
	form      url.Values     // of the last exchange
	basic     bool           // the client's secret came in the header
}

func newLoginIssuer(t *testing.T) *loginIssuer {
	i := &loginIssuer{issuer: newIssuer(t)}
	i.set("/token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, basic := r.BasicAuth()
		r.ParseForm()
		i.form, i.basic = r.PostForm, basic
		if !basic {
			id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		}
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		w.Header().Set("Content-Type", "application/json")
		switch {
		case id != clientID || secret != "objsrv-secret":
			w.WriteHeader(http.StatusUnauthorized)
			json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client"})
		case r.PostForm.Get("grant_type") == "client_credentials":
			json.NewEncoder(w).Encode(map[string]string{"access_token": "of-a-program", "token_type": "Bearer"})
		case r.PostForm.Get("code") != "the-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.challenge:
			w.WriteHeader(http.StatusBadRequest)
			json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": "PKCE\x1b[2J"})
		default:
			answer := map[string]any{"access_token": "of-a-person", "token_type": "Bearer"}
			if i.claims != nil {
				var pairs []any
				for k, v := range i.claims {
					pairs = append(pairs, k, v)
				}
				answer["id_token"] = i.token(pairs...)
			}
			json.NewEncoder(w).Encode(answer)
		}
	})
	return i
}

func (i *loginIssuer) flow(pairs ...string) *Flow {
	i.t.Helper()
	f, err := NewFlow(i.config("", pairs...), redirect, i.clock)
	if err != nil {
		i.t.Fatal(err)
	}
	return f
}

// begin begins a login and prepares the issuer for it. It returns what the provider sends back.
func (i *loginIssuer) begin(f *Flow) (*Login, url.Values) {
	i.t.Helper()
	l, err := f.Begin(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	u, err := url.Parse(l.URL)
	if err != nil {
		i.t.Fatal(err)
	}
	q := u.Query()
	i.challenge, i.claims = q.Get("code_challenge"), map[string]any{"nonce": q.Get("nonce")}
	return l, url.Values{"code": {"the-code"}, "state": {q.Get("state")}}
}

func TestLogin(t *testing.T) {
	i := newLoginIssuer(t)
	f := i.flow("SCOPES", "openid,groups")
	l, answer := i.begin(f)
	u, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(l.URL, i.URL+"/auth?") || q.Get("response_type") != "code" || q.Get("client_id") != clientID || q.Get("redirect_uri") != redirect || q.Get("scope") != "openid groups" {
		t.Error(l.URL)
	}
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
		t.Errorf("S-198: %s", l.URL)
	}
	if strings.Contains(l.URL, l.verifier) || strings.Contains(l.URL, "objsrv-secret") {
		t.Errorf("a secret is in %s", l.URL)
	}
	answer.Set("iss", i.URL)
	got, err := f.Finish(t.Context(), l, answer)
	if err != nil || got.Access != "of-a-person" || strings.Count(got.ID, ".") != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if !i.basic || i.form.Get("redirect_uri") != redirect || i.form.Get("code_verifier") != l.verifier {
		t.Errorf("%v", i.form)
	}
	other, _ := i.begin(f)
	if other.state == l.state || other.nonce == l.nonce || other.verifier == l.verifier {
		t.Error("two logins share secrets")
	}
}

// TestLoginRefusals: what the browser brings back, and what the provider gives, must be of this
// login. None of it exchanges a code unless it says so.
func TestLoginRefusals(t *testing.T) {
	i := newLoginIssuer(t)
	f := i.flow()
	for name, tt := range map[string]struct {
		change func(l *Login, answer url.Values)
		says   string
		other  bool // the login is left as it was
		asked  bool // the code is exchanged
	}{
		"S-196 no state":                {func(_ *Login, a url.Values) { a.Del("state") }, "", true, false},
		"S-196 another browser's state": {func(l *Login, a url.Values) { other, _ := f.Begin(t.Context()); a.Set("state", other.state) }, "", true, false},
		"S-196 two states":              {func(_ *Login, a url.Values) { a.Add("state", a.Get("state")) }, "", true, false},
		"S-196 after 10 minutes":        {func(*Login, url.Values) { i.pass(LoginLife + 1) }, "took longer", false, false},
		"no code":                       {func(_ *Login, a url.Values) { a.Del("code") }, "no code", false, false},
		"the person refuses":            {func(_ *Login, a url.Values) { a.Set("error", "access_denied\x1b[2J") }, "access_denied\uFFFD[2J", false, false},
		"another issuer's answer":       {func(_ *Login, a url.Values) { a.Set("iss", "https://evil.example") }, "issuer", false, false},
		"S-198 another login's code":    {func(*Login, url.Values) { other, _ := f.Begin(t.Context()); i.challenge = challengeOf(other) }, "invalid_grant (PKCE\uFFFD[2J)", false, true},
		"S-197 another nonce":           {func(*Login, url.Values) { i.claims["nonce"] = "another" }, "nonce", false, true},
		"S-197 no nonce":                {func(*Login, url.Values) { i.claims["nonce"] = nil }, "nonce", false, true},
		"S-197 a nonce that is no text": {func(*Login, url.Values) { i.claims["nonce"] = []string{"x"} }, "nonce", false, true},
		"no ID token":                   {func(*Login, url.Values) { i.claims = nil }, "no ID token", false, true},
		"another client's ID token":     {func(*Login, url.Values) { i.claims["aud"] = "another" }, "audience", false, true},
		"azp alone is no audience":      {func(*Login, url.Values) { i.claims["aud"], i.claims["azp"] = "another", clientID }, "audiences", false, true},
		"an ID token of another issuer": {func(*Login, url.Values) { i.claims["iss"] = "https://evil.example" }, "different provider", false, true},
		"an expired ID token":           {func(*Login, url.Values) { i.claims["exp"] = i.clock().Unix() - 3600 }, "expired", false, true},
	} {
		l, answer := i.begin(f)
		good := url.Values{"code": answer["code"], "state": answer["state"][:1]}
		tt.change(l, answer)
		before := i.requests("/token")
		got, err := f.Finish(t.Context(), l, answer)
		if err == nil || got != nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, ErrOtherLogin) != tt.other {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if asked := i.requests("/token") != before; asked != tt.asked {
			t.Errorf("%s: exchanged: %v", name, asked)
		}
		if _, err := f.Finish(t.Context(), l, good); (err == nil) != tt.other {
			t.Errorf("%s: then with the right answer: %v", name, err)
		}
		if _, err := f.Finish(t.Context(), l, good); err == nil {
			t.Errorf("S-196 state twice, %s: finished", name)
		}
	}
}

func challengeOf(l *Login) string {
	_, c, _ := strings.Cut(l.URL, "code_challenge=")
	c, _, _ = strings.Cut(c, "&")
	return c
}

// TestClientProves: the secret goes where the provider wants it, once.
func TestClientProves(t *testing.T) {
	for name, tt := range map[string]struct {
		supported any
		basic     bool
	}{
		"nothing said": {nil, true},
		"both":         {[]string{"client_secret_post", "client_secret_basic"}, true},
		"in the form":  {[]string{"client_secret_post", "private_key_jwt"}, false},
		"no list":      {"client_secret_post", true},
	} {
		i := newLoginIssuer(t)
		if tt.supported != nil {
			i.metadata["token_endpoint_auth_methods_supported"] = tt.supported
		}
		f := i.flow()
		l, answer := i.begin(f)
		if _, err := f.Finish(t.Context(), l, answer); err != nil || i.basic != tt.basic || i.requests("/token") != 1 {
			t.Errorf("%s: %v, basic %v", name, err, i.basic)
		}
		if got, err := f.ClientCredentials(t.Context()); err != nil || got.Access != "of-a-program" || i.form.Get("scope") != "" {
			t.Errorf("%s: %+v %v %v", name, got, err, i.form)
		}
	}
	i := newLoginIssuer(t)
	f := i.flow("CLIENT_SECRET", "wrong secret")
	l, answer := i.begin(f)
	if _, err := f.Finish(t.Context(), l, answer); err == nil || !strings.Contains(err.Error(), "invalid_client") || strings.Contains(err.Error(), "wrong secret") {
		t.Error(err)
	}
	if _, err := i.flow("CLIENT_SECRET", "").ClientCredentials(t.Context()); err == nil {
		t.Error("client credentials without a secret")
	}
}

// TestLoginDiscovery: a provider that can't log people in says why, and none leads from https to
// less.
func TestLoginDiscovery(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"authorization_endpoint": {"authorization_endpoint": "javascript:alert(1)"},
		"token_endpoint":         {"token_endpoint": ""},
	} {
		i := newLoginIssuer(t)
		i.metadata = change
		if _, err := i.flow().Begin(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
