package webui

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts/oidc"
)

// person is what the provider says of somebody who may read.
func person(changes ...any) map[string]any {
	out := map[string]any{"sub": "1234", "policy": "readonly", "preferred_username": "alice"}
	for i := 0; i < len(changes); i += 2 {
		out[changes[i].(string)] = changes[i+1]
	}
	return out
}

// TestSSO: a person comes back from the provider to the place that was asked for, is who the provider says, and
// ends the session here and there.
func TestSSO(t *testing.T) {
	p, other := newIDP(t, person()), newIDP(t, person("sub", "9"))
	s := newSite(t, options{providers: []oidc.Config{p.config("", "DISPLAY_NAME", "Our login"), other.config("lab", "USER_READABLE_CLAIM", "sub")}})
	b := s.browser()
	view := b.session()
	if len(view.Providers) != 2 || view.Providers[0] != (providerView{"default", "Our login", "openid"}) || view.Providers[1] != (providerView{"lab", "lab", "openid"}) {
		t.Fatalf("%+v", view.Providers)
	}
	back := b.begin("default", "?to="+url.QueryEscape("#/buckets/photos?a=ä"))
	if !strings.HasPrefix(back, s.url+"/oauth_callback?") || p.asked.Get("redirect_uri") != s.url+"/oauth_callback" || p.asked.Get("prompt") != "" {
		t.Fatalf("%s, asked %v", back, p.asked)
	}
	in := b.want(303, b.do("GET", back, ""))
	if got := in.Header.Get("Location"); got != "./-/console/#/buckets/photos?a=%C3%A4" {
		t.Errorf("led to %q", got)
	}
	view = b.session()
	l := view.Login
	if l == nil || l.User != "alice" || l.Kind != "openid" || l.Provider != "default" || !strings.HasPrefix(l.QualifiedName, "openid:") ||
		!slices.Equal(l.Policies, []string{"readonly"}) || !l.Renewable || l.May["s3:ListAllMyBuckets"] || l.May["s3:CreateBucket"] || l.May["admin:ListUsers"] {
		t.Fatalf("%+v", l)
	}
	root := s.browser().login(rootUser, rootPassword)
	root.want(200, root.do("PUT", "s3/photos", ""))
	root.want(200, root.do("PUT", "s3/photos/k", "content"))
	root.want(200, root.do("POST", "logout", ""))
	b.want(200, b.do("GET", "s3/photos/k", ""), "content")
	b.want(403, b.do("PUT", "s3/photos/k", "x"), "AccessDenied")
	out := b.want(200, b.do("POST", "logout", ""), `"redirect":"`+p.URL+`/logout?`, "post_logout_redirect_uri="+url.QueryEscape(s.url+"/-/console/"), "id_token_hint=ey")
	if len(s.iam.Sessions("")) != 0 || len(b.cookies()) != 0 {
		t.Errorf("after %s: %v", out.body, b.cookies())
	}
	b.want(303, b.do("GET", b.begin("lab", ""), ""))
	if l := b.session().Login; l == nil || l.User != "9" || l.Provider != "lab" {
		t.Errorf("%+v", l)
	}
	b.want(404, b.do("GET", "sso/nobody", ""), "NoSuchProvider")
	b.begin("default", "?prompt=none")
	if p.asked.Get("prompt") != "none" {
		t.Errorf("asked %v", p.asked)
	}
}

// TestState: S-196, an answer counts once, for the browser that has begun, and within ten minutes.
func TestState(t *testing.T) {
	p := newIDP(t, person())
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	refused := func(name string, b *browser, back string) {
		t.Helper()
		r := b.want(400, b.do("GET", back, ""), "The login has failed")
		for _, c := range r.Cookies() {
			if !strings.Contains(c.Name, "-login-") || c.MaxAge >= 0 {
				t.Errorf("%s: sets %s", name, c)
			}
		}
		if r.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: S-204, framed: %v", name, r.Header)
		}
	}
	b := s.browser()
	back := b.begin("default", "")
	refused("no state", b, "/oauth_callback?code=x")
	refused("nothing", b, "/oauth_callback")
	refused("another state", b, "/oauth_callback?code=x&state=y")
	refused("another browser", s.browser(), back)
	refused("two states", b, back+"&state=x")
	refused("two codes", b, back+"&code=x")
	b.want(405, b.do("POST", back, ""))
	kept := b.cookies()
	b.want(303, b.do("GET", back, ""))
	thief := s.browser()
	u, _ := url.Parse(s.url)
	thief.Jar.SetCookies(u, kept)
	refused("twice, with the cookie of before", thief, back)
	refused("twice", b, back)

	late := s.browser()
	back = late.begin("default", "")
	s.clock.set(oidc.LoginLife + time.Second)
	refused("late", late, back)
	s.clock.set(0)
	// Several tabs are several logins, and neither takes the other's answer away.
	one, two := b.begin("default", "?to=%23/one"), b.begin("default", "?to=%23/two")
	for want, back := range map[string]string{"./-/console/#/one": one, "./-/console/#/two": two} {
		if got := b.want(303, b.do("GET", back, "")).Header.Get("Location"); got != want {
			t.Errorf("led to %q, not %q", got, want)
		}
	}
	for range 20 {
		b.begin("default", "")
	}
	if n := len(b.cookies()); n > maxBegun+3 {
		t.Errorf("%d cookies", n)
	}
}

// TestTokens: S-197 and S-198, a token that is not of this login gives no session, and a code is worth nothing without the
// verifier of the login.
func TestTokens(t *testing.T) {
	p := newIDP(t, person())
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	for name, spoil := range map[string]map[string]any{
		"S-197 another nonce": {"nonce": "of-another-login"},
		"S-197 no nonce":      {"nonce": nil},
		"no subject":          {"sub": nil},
	} {
		b := s.browser()
		back := b.begin("default", "")
		p.set(func(p *idp) { p.spoil = spoil })
		b.want(400, b.do("GET", back, ""), "not one that can be relied on")
		p.set(func(p *idp) { p.spoil = nil })
		if b.session().Login != nil || len(s.iam.Sessions("")) != 0 {
			t.Errorf("%s: logged in", name)
		}
	}
	// S-198: the challenge is S256 always, and the code of another login needs that one's verifier.
	b, other := s.browser(), s.browser()
	back := b.begin("default", "")
	if p.asked.Get("code_challenge_method") != "S256" || len(p.asked.Get("code_challenge")) != 43 || p.asked.Get("nonce") == "" || len(p.asked.Get("state")) < 32 {
		t.Errorf("asked %v", p.asked)
	}
	stolen, err := url.Parse(other.begin("default", ""))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	q := mine.Query()
	q.Set("code", stolen.Query().Get("code"))
	mine.RawQuery = q.Encode()
	b.want(400, b.do("GET", mine.String(), ""), "not one that can be relied on")
	if b.session().Login != nil {
		t.Error("S-198: the code of another login was taken")
	}
	refusals := s.iam.LastRefusals(1)
	if len(refusals) != 1 || !strings.Contains(refusals[0].Statement, "exchange the code") {
		t.Errorf("an administrator finds %+v", refusals)
	}
}

// TestOpenRedirect: S-200, whatever is asked for, a login ends at the console.
func TestOpenRedirect(t *testing.T) {
	p := newIDP(t, person())
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	for _, to := range []string{"//evil.example", "https:evil.example", `/\evil.example`, "/%09/evil", "\t//evil", "javascript:alert(1)", "https://evil.example/#/", "//evil。example", "..", "/bucket/page.html",
		"#//evil\r\nSet-Cookie: a=b", "#evil", "# /x", "#/" + strings.Repeat("a", 2000)} {
		b := s.browser()
		in := b.want(303, b.do("GET", b.begin("default", "?to="+url.QueryEscape(to)), ""))
		if got := in.Header.Get("Location"); got != "./-/console/" {
			t.Errorf("%q: led to %q", to, got)
		}
		// After the logout only the provider's own page is named, and it leads back here.
		r := b.want(200, b.do("POST", "logout?redirect="+url.QueryEscape(to)+"&to="+url.QueryEscape(to), ""))
		if !strings.Contains(r.body, p.URL+"/logout?") || strings.Contains(r.body, "evil") {
			t.Errorf("%q: %s", to, r.body)
		}
	}
}

// TestWorthNothing: who has no policy lands on a page that says which claim was looked for and what was there.
func TestWorthNothing(t *testing.T) {
	p := newIDP(t, person("policy", nil, "groups", []string{"a"}))
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	b := s.browser()
	in := b.want(303, b.do("GET", b.begin("default", "?to=%23/x"), ""))
	if in.Header.Get("Location") != "./-/console/" {
		t.Error(in.Header)
	}
	view := b.session()
	why := view.Refused
	if view.Login != nil || why == nil || why.Claim != "policy" || why.Code != "IDPRejectedClaim" || !slices.Contains(why.Found, "groups") || len(why.Values) != 0 || why.Provider != "default" {
		t.Fatalf("%+v", why)
	}
	if b.session().Refused != nil {
		t.Error("it is told twice")
	}
	p.set(func(p *idp) { p.claims = person("policy", []string{"nosuch", "other"}) })
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	if why := b.session().Refused; why == nil || !slices.Equal(why.Values, []string{"nosuch", "other"}) || !strings.Contains(why.Message, "none of which exists") {
		t.Errorf("%+v", why)
	}
	// A provider that says no is not an attack: the pages tell it.
	back, err := url.Parse(b.begin("default", ""))
	if err != nil {
		t.Fatal(err)
	}
	b.want(303, b.do("GET", "/oauth_callback?"+url.Values{"state": {back.Query().Get("state")}, "error": {"access_denied"}}.Encode(), ""))
	if why := b.session().Refused; why == nil || why.Code != "access_denied" {
		t.Errorf("%+v", why)
	}
	p.Close()
	down := newSite(t, options{providers: []oidc.Config{p.config("")}})
	b = down.browser()
	if r := b.want(303, b.do("GET", "sso/default", "")); r.Header.Get("Location") != "../" {
		t.Error(r.Header)
	}
	if why := b.session().Refused; why == nil || !strings.Contains(why.Message, "can't be reached now") {
		t.Errorf("%+v", why)
	}
}

// TestRenew: a session is renewed while the provider agrees, with what it says then; one logout ends all.
func TestRenew(t *testing.T) {
	p := newIDP(t, person())
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	b := s.browser()
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	first := b.session().Login
	before := s.copyOf(b)
	p.set(func(p *idp) { p.claims["policy"] = "readwrite" })
	s.clock.set(time.Minute)
	b.want(200, b.do("POST", "renew", ""), `"policies":["readwrite"]`)
	second := b.session().Login
	if second.AccessKey == first.AccessKey || !second.Expires.After(first.Expires) || second.QualifiedName != first.QualifiedName {
		t.Errorf("%+v, then %+v", first, second)
	}
	// An upload with the cookie of before goes on.
	before.want(200, before.do("GET", "admin/whoami", ""))
	b.want(200, b.do("POST", "renew", ""))
	if before.session().Login != nil || len(s.iam.Sessions("")) != 2 {
		t.Errorf("%d sessions are left", len(s.iam.Sessions("")))
	}
	b.want(200, b.do("POST", "logout", ""))
	if n := len(s.iam.Sessions("")); n != 0 {
		t.Errorf("S-202: %d sessions are left after the logout", n)
	}

	// The provider renews nothing any more: the session goes on until it ends.
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	p.set(func(p *idp) { clear(p.refresh) })
	b.want(409, b.do("POST", "renew", ""), "NotRenewed")
	b.want(200, b.do("GET", "admin/whoami", ""))
	// Somebody else's token renews nothing, and a person without policies is out at once.
	for name, claims := range map[string]map[string]any{"somebody else": person("sub", "666"), "no policy": person("policy", "nosuch")} {
		p.set(func(p *idp) { p.claims = person() })
		b.want(303, b.do("GET", b.begin("default", ""), ""))
		p.set(func(p *idp) { p.claims = claims })
		b.want(403, b.do("POST", "renew", ""))
		if b.session().Login != nil {
			t.Errorf("%s: still logged in", name)
		}
	}
	// Who has logged in with a key logs in anew.
	k := s.browser().login(rootUser, rootPassword)
	k.want(409, k.do("POST", "renew", ""), "NotRenewable")
}

// copyOf is another browser with the same cookies.
func (s *site) copyOf(b *browser) *browser {
	other := s.browser()
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	other.Jar.SetCookies(u, b.cookies())
	return other
}

// TestRole: a provider with ROLE_POLICY gives everybody the role's policies.
func TestRole(t *testing.T) {
	p := newIDP(t, person("policy", nil))
	s := newSite(t, options{providers: []oidc.Config{p.config("", "ROLE_POLICY", "readwrite")}})
	b := s.browser()
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	b.want(200, b.do("PUT", "s3/bucket", ""))
	name := b.session().Login.QualifiedName
	if _, err := s.iam.SetStatus(t.Context(), name, false); err != nil {
		t.Fatal(err)
	}
	b.want(401, b.do("GET", "s3/", ""))
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	if why := b.session().Refused; why == nil || !strings.Contains(why.Message, "disabled") {
		t.Errorf("%+v", why)
	}
}

// TestMay: pages are told what may be offered, also to who may create buckets of some names alone.
func TestMay(t *testing.T) {
	s := newSite(t, options{})
	for name, doc := range map[string]string{
		"team":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::team-*","arn:aws:s3:::team-*/*"]}]}`,
		"own":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::${aws:username}-x"}]}`,
		"other": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::team-*/*"},{"Effect":"Allow","Action":["admin:ListUsers","kms:ListKeys"]}]}`,
	} {
		if _, err := s.iam.SetPolicy(t.Context(), name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	for policy, want := range map[string]string{"team": "create", "own": "create", "other": "users keys", "readwrite": "create list", "consoleAdmin": "create list users keys", "readonly": ""} {
		s.user("user-"+policy, annPassword, policy)
		may := s.browser().login("user-"+policy, annPassword).session().Login.May
		var got []string
		for _, m := range []struct{ action, word string }{{"s3:CreateBucket", "create"}, {"s3:ListAllMyBuckets", "list"}, {"admin:ListUsers", "users"}, {"kms:ListKeys", "keys"}} {
			if may[m.action] {
				got = append(got, m.word)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

// TestServerView: what sort of server it is, and its account, is told to who is logged in, and to nobody else.
func TestServerView(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := newSite(t, options{change: func(c *Config) { c.Gateway, c.Migration = on, on }})
		b := s.browser()
		if v := b.session(); v.Server.Gateway || v.Server.Migration || v.Server.Deployment != "" || !v.Server.Features["GetObject"] {
			t.Errorf("nobody is told %+v", v.Server)
		}
		v := b.login(rootUser, rootPassword).session()
		if v.Server.Gateway != on || v.Server.Migration != on || v.Login.Account != v.Server.Deployment || v.Login.Account != s.iam.Account() {
			t.Errorf("%v: %+v, account %q", on, v.Server, v.Login.Account)
		}
	}
}

// FuzzPlace: S-200, whatever a page asks for leads to the console's own document and nowhere else.
func FuzzPlace(f *testing.F) {
	for _, to := range []string{"#/a", "//evil", "#/a?b=c#d", "#/\\evil", "#/\r\nX: y", "javascript:x", "#/%", "#/ä"} {
		f.Add(to)
	}
	base, err := url.Parse("https://files.example.com/s3/oauth_callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got := "." + Prefix + place(to)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.Path != "/s3"+Prefix || u.RawQuery != "" || strings.ContainsAny(got, "\r\n\t ") {
			t.Fatalf("%q leads to %q: %v", to, got, err)
		}
	})
}
