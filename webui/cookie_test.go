package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts/oidc"
)

// TestCookieFlags: S-201, over TLS and without, of logins with keys and with providers.
func TestCookieFlags(t *testing.T) {
	p := newIDP(t, person())
	public, err := url.Parse("https://files.example.com/sub")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		o      options
		secure bool
	}{
		"plain":               {options{}, false},
		"TLS":                 {options{tls: true}, true},
		"behind a TLS proxy":  {options{change: func(c *Config) { c.PublicURL = public }}, true},
		"a short session":     {options{change: func(c *Config) { c.Duration = time.Hour }}, false},
		"forwarded, believed": {options{proxies: "127.0.0.1"}, true},
		"forwarded":           {options{}, false},
	} {
		tt.o.providers = []oidc.Config{p.config("")}
		s := newSite(t, tt.o)
		b := s.browser()
		var forwarded []string
		if strings.HasPrefix(name, "forwarded") {
			forwarded = []string{"X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1"}
		}
		r := b.want(200, b.post("login", map[string]string{"accessKey": rootUser, "secretKey": rootPassword}, forwarded...))
		cookies := r.Cookies()
		if len(cookies) != 1 || cookies[0].SameSite != http.SameSiteStrictMode || time.Duration(cookies[0].MaxAge)*time.Second > s.console.Duration {
			t.Errorf("%s: %v", name, r.Header["Set-Cookie"])
		}
		begin := b.do("GET", "sso/default?again=1", "", forwarded...)
		if got := begin.Cookies(); len(got) != 1 || got[0].SameSite != http.SameSiteLaxMode || got[0].MaxAge != int(oidc.LoginLife/time.Second) {
			t.Errorf("%s: %v", name, begin.Header["Set-Cookie"])
		}
		for _, c := range append(cookies, begin.Cookies()...) {
			if !c.HttpOnly || c.Secure != tt.secure || strings.HasPrefix(c.Name, "__Host-") != tt.secure || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
				t.Errorf("%s: %s", name, c)
			}
			for _, ss := range s.iam.Sessions("") {
				if strings.Contains(c.Value, ss.AccessKey) {
					t.Errorf("%s: the access key is in the cookie", name)
				}
			}
		}
	}
}

// TestSealed: nobody makes a cookie or changes one, and one for another purpose, of another deployment or of
// another name is none.
func TestSealed(t *testing.T) {
	s, other := newSite(t, options{}), newSite(t, options{})
	b := s.browser().login(rootUser, rootPassword)
	good := b.cookies()[0]
	try := func(name string, c http.Cookie) {
		t.Helper()
		thief := s.browser()
		thief.want(401, thief.do("GET", "s3/", "", "Cookie: "+c.Name+"="+c.Value))
		if thief.session().Login != nil {
			t.Error(name)
		}
	}
	for i := range good.Value {
		changed := *good
		flip := byte('A')
		if good.Value[i] == flip {
			flip = 'B'
		}
		changed.Value = good.Value[:i] + string(flip) + good.Value[i+1:]
		try("changed", changed)
	}
	for name, value := range map[string]string{"none": "", "cut": good.Value[:40], "longer": good.Value + "AAAA", "not base64": "%%%"} {
		try(name, http.Cookie{Name: good.Name, Value: value})
	}
	try("another name", http.Cookie{Name: good.Name + "-idp", Value: good.Value})
	try("with the prefix", http.Cookie{Name: "__Host-" + good.Name, Value: good.Value})
	elsewhere := other.browser().login(rootUser, rootPassword)
	try("another deployment", http.Cookie{Name: good.Name, Value: elsewhere.cookies()[0].Value})
	for purpose, value := range map[string]any{providerPart: providerTokens{Refresh: "x"}, beginCookie + "0": begun{}} {
		text, err := s.console.seal.pack(purpose, value)
		if err != nil {
			t.Fatal(err)
		}
		try(purpose, http.Cookie{Name: good.Name, Value: text})
	}
	b.want(200, b.do("GET", "s3/", ""))
}

// TestLogoutEnds: S-202, the cookie is worth nothing after a logout, another password, the end of the user or of
// the session, and what the user may no more the cookie may no more, at once.
func TestLogoutEnds(t *testing.T) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secret := "another-good-secret"
	for name, end := range map[string]func(s *site, b *browser){
		"logout": func(s *site, b *browser) { b.want(200, b.do("POST", "logout", "")) },
		"another login of the browser": func(s *site, b *browser) {
			b.login(rootUser, rootPassword)
			b.want(200, b.do("POST", "logout", ""))
		},
		"password": func(s *site, b *browser) {
			_, err := s.iam.UpdateUser(ctx, "ann", iam.UserUpdate{Secret: &secret})
			must(err)
		},
		"disabled": func(s *site, b *browser) {
			_, err := s.iam.SetStatus(ctx, "ann", false)
			must(err)
		},
		"deleted": func(s *site, b *browser) { must(s.iam.DeleteUser(ctx, "ann")) },
		"deleted and made again": func(s *site, b *browser) {
			must(s.iam.DeleteUser(ctx, "ann"))
			s.user("ann", annPassword, "readwrite")
		},
		"revoked": func(s *site, b *browser) { must(s.iam.RevokeSession(ctx, b.session().Login.AccessKey)) },
		"all revoked": func(s *site, b *browser) {
			_, err := s.iam.RevokeSessions(ctx, "ann", "")
			must(err)
		},
		"time": func(s *site, b *browser) { s.clock.set(12*time.Hour + time.Second) },
	} {
		s := newSite(t, options{})
		s.user("ann", annPassword, "readwrite")
		b := s.browser().login("ann", annPassword)
		b.want(200, b.do("PUT", "s3/bucket", ""))
		copied := s.copyOf(b)
		end(s, b)
		for _, x := range []struct{ method, path string }{{"GET", "s3/bucket"}, {"PUT", "s3/bucket/k"}, {"GET", "admin/whoami"}, {"POST", "renew"}} {
			if r := copied.do(x.method, x.path, ""); r.StatusCode != 401 || !strings.Contains(r.body, "NoSession") {
				t.Errorf("%s: %s %s: %s", name, x.method, x.path, r.Status)
			}
		}
		if copied.session().Login != nil {
			t.Errorf("%s: still logged in", name)
		}
	}
	s := newSite(t, options{})
	s.user("ann", annPassword, "readwrite", "consoleAdmin")
	b := s.browser().login("ann", annPassword)
	b.want(200, b.do("GET", "admin/users", ""))
	_, err := s.iam.DetachPolicy(ctx, "ann", "consoleAdmin")
	must(err)
	b.want(403, b.do("GET", "admin/users", ""))
	if b.session().Login.May["admin:ListUsers"] {
		t.Error("it is still offered")
	}
}

// TestTemporaryLogin: temporary credentials are taken with their token, and are gone after the logout.
func TestTemporaryLogin(t *testing.T) {
	s := newSite(t, options{})
	s.user("ann", annPassword, "readwrite")
	ann, err := s.iam.Credential("ann", "")
	if err != nil {
		t.Fatal(err)
	}
	_, cred, err := s.iam.CreateSession(t.Context(), iam.NewSession{By: ann.Identity, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	login := map[string]string{"accessKey": cred.AccessKey, "secretKey": cred.Secret}
	b.want(403, b.post("login", login))
	login["sessionToken"] = cred.SessionToken + "x"
	b.want(403, b.post("login", login))
	login["sessionToken"] = cred.SessionToken
	b.want(200, b.post("login", login), `"user":"ann"`)
	if len(s.iam.Sessions("")) != 1 {
		t.Error("another session was made")
	}
	b.want(200, b.do("PUT", "s3/bucket", ""))
	b.want(200, b.do("POST", "logout", ""))
	if _, err := s.iam.Credential(cred.AccessKey, cred.SessionToken); err == nil {
		t.Error("the session goes on")
	}
}
