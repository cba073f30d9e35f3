package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestResume: a login that was kept is finished as if it had not been, and not with another one's secrets.
func TestResume(t *testing.T) {
	i := newLoginIssuer(t)
	ps, err := New(Options{Providers: []Config{i.config("")}, Now: i.clock})
	if err != nil {
		t.Fatal(err)
	}
	f, ok := ps.Flow("default", redirect)
	if _, other := ps.Flow("nobody", redirect); !ok || other {
		t.Fatal("the flow of another provider")
	}
	if f.Info().Name != "default" || f.Info().Config.ClientSecret != "" {
		t.Errorf("%+v", f.Info())
	}
	l, answer := i.begin(f)
	text, err := json.Marshal(l.Pending())
	if err != nil {
		t.Fatal(err)
	}
	var kept Pending
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	spoiled := kept
	spoiled.Verifier = strings.Repeat("x", 43)
	if _, err := f.Finish(t.Context(), f.Resume(spoiled), answer); err == nil {
		t.Error("S-198: another verifier")
	}
	spoiled = kept
	spoiled.Nonce = "x"
	if _, err := f.Finish(t.Context(), f.Resume(spoiled), answer); err == nil || !strings.Contains(err.Error(), "nonce") {
		t.Errorf("S-197: another nonce: %v", err)
	}
	if _, err := f.Finish(t.Context(), f.Resume(kept), answer); err != nil {
		t.Error(err)
	}
	i.pass(LoginLife + time.Second)
	if _, err := f.Finish(t.Context(), f.Resume(kept), answer); err == nil {
		t.Error("S-196: after ten minutes")
	}
	silent, err := f.BeginSilently(t.Context())
	if err != nil || !strings.Contains(silent.URL, "&prompt=none&") {
		t.Errorf("%+v, %v", silent, err)
	}
}

// TestRenew: a refresh token brings new tokens, which are judged; a refusal is told from trouble.
func TestRenew(t *testing.T) {
	i := newLoginIssuer(t)
	f := i.flow()
	answer := map[string]any{}
	status := http.StatusOK
	i.set("/token", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		i.form = r.PostForm
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(answer)
	})
	answer = map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token(), "refresh_token": "second"}
	got, err := f.Renew(t.Context(), "first")
	if err != nil || got.Refresh != "second" || got.Access != "a" || got.ID != answer["id_token"] {
		t.Errorf("%+v, %v", got, err)
	}
	if i.form.Get("grant_type") != "refresh_token" || i.form.Get("refresh_token") != "first" {
		t.Errorf("asked %v", i.form)
	}
	for name, tt := range map[string]struct {
		status  int
		answer  map[string]any
		refused bool
	}{
		"refused":           {400, map[string]any{"error": "invalid_grant"}, true},
		"down":              {503, map[string]any{}, false},
		"no ID token":       {200, map[string]any{"access_token": "a", "token_type": "Bearer"}, false},
		"expired":           {200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token("exp", i.clock().Add(-time.Hour).Unix())}, false},
		"another audience":  {200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token("aud", "other")}, false},
		"somebody's forged": {200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token() + "A"}, false},
	} {
		status, answer = tt.status, tt.answer
		if got, err := f.Renew(t.Context(), "first"); err == nil || errors.Is(err, ErrRefused) != tt.refused {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestUsualScopes: without SCOPES the provider is asked for what it knows of people, and for nothing that it does not
// know; what is set is asked for as it is.
func TestUsualScopes(t *testing.T) {
	for _, tt := range []struct {
		supported any
		set, want string
	}{
		{nil, "", "openid"},
		{[]string{"openid", "email", "offline_access", "groups", "phone"}, "", "openid email groups"},
		{[]string{"profile"}, "openid,minio", "openid minio"},
		{"openid profile", "", "openid"},
	} {
		i := newLoginIssuer(t)
		i.metadata["scopes_supported"] = tt.supported
		l, err := i.flow("SCOPES", tt.set).Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(l.URL)
		if err != nil || u.Query().Get("scope") != tt.want {
			t.Errorf("%v, %q: %s", tt.supported, tt.set, l.URL)
		}
	}
}

// TestLogoutPage: the provider's page knows whose session it is and where to lead back; not every provider has one.
func TestLogoutPage(t *testing.T) {
	i := newLoginIssuer(t)
	f := i.flow()
	if page, err := f.Logout(t.Context(), "id", "https://here.example/"); page != "" || err != nil {
		t.Errorf("%q, %v", page, err)
	}
	i.metadata["end_session_endpoint"] = i.URL + "/logout?realm=a"
	f = i.flow()
	page, err := f.Logout(t.Context(), "id.tok.en", "https://here.example/-/console/")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/logout" || q.Get("realm") != "a" || q.Get("id_token_hint") != "id.tok.en" || q.Get("post_logout_redirect_uri") != "https://here.example/-/console/" || q.Get("client_id") != clientID {
		t.Error(page)
	}
	i.metadata["end_session_endpoint"] = "javascript:alert(1)"
	if page, err := i.flow().Logout(t.Context(), "", ""); page != "" || err == nil {
		t.Errorf("S-200: %q, %v", page, err)
	}
}
