package webui

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts/oidc"
)

const (
	idpClient = "console"
	idpSecret = "the-secret-of-the-client"
)

// idp is an OpenID Connect provider. Who comes to its page is logged in as it is told, at once.
type idp struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu      sync.Mutex
	claims  map[string]any        // of the person
	spoil   map[string]any        // changes of the next tokens
	asked   url.Values            // of the last request for the page
	codes   map[string]url.Values // the request of each code that was not exchanged yet
	refresh map[string]bool       // good refresh tokens
}

func newIDP(t *testing.T, claims map[string]any) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, claims: claims, codes: map[string]url.Values{}, refresh: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/auth",
			"token_endpoint": p.URL + "/token", "end_session_endpoint": p.URL + "/logout"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "k", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /auth", p.auth)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// config is a provider of a site.
func (p *idp) config(name string, further ...string) oidc.Config {
	p.t.Helper()
	values := map[string]string{"CONFIG_URL": p.URL + "/.well-known/openid-configuration", "CLIENT_ID": idpClient, "CLIENT_SECRET": idpSecret}
	for i := 0; i < len(further); i += 2 {
		values[further[i]] = further[i+1]
	}
	c, ok, err := oidc.Parse(name, values)
	if err != nil || !ok {
		p.t.Fatal(err)
	}
	return c
}

// set changes what the provider says.
func (p *idp) set(f func(p *idp)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *idp) auth(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = r.URL.Query()
	code := rand.Text()
	p.codes[code] = p.asked
	http.Redirect(w, r, p.asked.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {p.asked.Get("state")}}.Encode(), http.StatusSeeOther)
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	answer := map[string]any{"token_type": "Bearer", "access_token": "opaque"}
	claims := maps.Clone(p.claims)
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	switch {
	case id != idpClient || secret != idpSecret:
		ok = false
	case r.FormValue("grant_type") == "refresh_token":
		ok = p.refresh[r.FormValue("refresh_token")]
		delete(p.refresh, r.FormValue("refresh_token"))
	default:
		ok = ok && asked.Get("code_challenge_method") == "S256" && b64(sum[:]) == asked.Get("code_challenge") && r.FormValue("redirect_uri") == asked.Get("redirect_uri")
		claims["nonce"] = asked.Get("nonce")
	}
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant"})
		return
	}
	maps.Copy(claims, p.spoil)
	next := rand.Text()
	p.refresh[next] = true
	answer["refresh_token"], answer["id_token"] = next, p.sign(claims)
	json.NewEncoder(w).Encode(answer)
}

func (p *idp) sign(claims map[string]any) string {
	claims["iss"], claims["aud"], claims["exp"] = p.URL, idpClient, time.Now().Add(5*time.Minute).Unix()
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	signed := b64([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + b64(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return signed + "." + b64(sig)
}

// begin goes to a provider and returns the address that it leads back to, with its answer.
func (b *browser) begin(name, query string) string {
	b.s.t.Helper()
	r := b.want(303, b.do("GET", "sso/"+name+query, ""))
	return b.want(303, b.do("GET", r.Header.Get("Location"), "")).Header.Get("Location")
}
