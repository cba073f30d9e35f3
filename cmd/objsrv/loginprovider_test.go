package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

const (
	loginClient     = "minio-client-app"
	loginSecretText = "the-secret-of-the-client"
)

// loginProvider is an OpenID Connect provider with one client, on whose page people log in by a
// form. It insists on PKCE, on the client's secret, and on its own cookie.
type loginProvider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu    sync.Mutex
	asked url.Values            // of the last request for the page
	codes map[string]url.Values // the request of each code that was not exchanged yet
}

func newLoginProvider(t *testing.T) *loginProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &loginProvider{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "k", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /auth", p.auth)
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *loginProvider) configURL() string { return p.URL + "/.well-known/openid-configuration" }

// environ makes a server trust the provider.
func (p *loginProvider) environ() environ {
	return environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_IDENTITY_OPENID_CONFIG_URL": p.configURL(), "MINIO_IDENTITY_OPENID_CLIENT_ID": loginClient}
}

func (p *loginProvider) auth(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("client_id") != loginClient || q.Get("nonce") == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.asked = q
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "idp", Value: "session", Path: "/"})
	io.WriteString(w, "<form method=post action=/login>")
}

func (p *loginProvider) login(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie("idp"); err != nil || c.Value != "session" {
		http.Error(w, "no cookie", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.codes[code] = url.Values{"request": {p.asked.Encode()}, "user": {r.FormValue("user")}}
	http.Redirect(w, r, p.asked.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {p.asked.Get("state")}}.Encode(), http.StatusSeeOther)
}

func (p *loginProvider) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	id, secret, _ := r.BasicAuth()
	if r.FormValue("grant_type") == "client_credentials" && id == loginClient && secret == loginSecretText {
		json.NewEncoder(w).Encode(map[string]string{"token_type": "Bearer", "access_token": p.sign(map[string]any{"sub": "program", "aud": loginClient, "policy": "readwrite"})})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	asked, _ := url.ParseQuery(code.Get("request"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || id != loginClient || secret != loginSecretText || b64(sum[:]) != asked.Get("code_challenge") || r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	claims := map[string]any{"sub": code.Get("user"), "aud": loginClient, "nonce": asked.Get("nonce"), "policy": "readwrite"}
	if code.Get("user") == "nobody" {
		delete(claims, "policy")
	}
	json.NewEncoder(w).Encode(map[string]string{"token_type": "Bearer", "access_token": "opaque", "id_token": p.sign(claims)})
}

func (p *loginProvider) sign(claims map[string]any) string {
	claims["iss"], claims["exp"] = p.URL, time.Now().Add(time.Hour).Unix()
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
