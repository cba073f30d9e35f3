package identity

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// consoleBrowser is somebody's browser at the console.
type consoleBrowser struct {
	*http.Client
	t    *testing.T
	base string
}

func newConsoleBrowser(t *testing.T, s *server) *consoleBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &consoleBrowser{&http.Client{Jar: jar, Timeout: time.Minute}, t, s.url + "/-/console/"}
}

// do sends a request of a page, or opens an address, and follows where it leads.
func (b *consoleBrowser) do(method, address string) (*http.Response, string) {
	b.t.Helper()
	if !strings.Contains(address, "://") {
		address = b.base + address
	}
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(b.Do(r))
}

func (b *consoleBrowser) read(resp *http.Response, err error) (*http.Response, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(text)
}

// login goes to a provider by its button and fills Keycloak's form in. It returns where that has led.
func (b *consoleBrowser) login(provider, name string) *http.Response {
	b.t.Helper()
	_, page := b.do("GET", "sso/"+provider+"?to=%23/buckets")
	form := formAction.FindStringSubmatch(page)
	if form == nil {
		b.t.Fatalf("Keycloak shows no form: %s", page)
	}
	resp, text := b.read(b.PostForm(html.UnescapeString(form[1]), url.Values{"username": {name}, "password": {name + "-secret"}}))
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("came back to %s: %s %s", resp.Request.URL, resp.Status, text)
	}
	return resp
}

// consoleSession is what pages are told of a login.
type consoleSession struct {
	Login *struct {
		User, Provider string
		Policies       []string
		Renewable      bool
		Expires        time.Time
	}
	Refused *struct {
		Claim         string
		Values, Found []string
	}
}

func (b *consoleBrowser) session() (out consoleSession) {
	b.t.Helper()
	if _, body := b.do("GET", "session"); json.Unmarshal([]byte(body), &out) != nil {
		b.t.Fatal(body)
	}
	return out
}

// status sends a request and returns the status alone.
func (b *consoleBrowser) status(method, path string) int {
	b.t.Helper()
	resp, _ := b.do(method, path)
	return resp.StatusCode
}

// TestKeycloakConsole: single sign-on of the console at a real Keycloak: what the policy gives and no more, silent
// renewal, the end of both sessions by one logout, and somebody without a policy.
func TestKeycloakConsole(t *testing.T) {
	k := realm(t)
	s := start(t, append(k.four(), "MINIO_IDENTITY_OPENID_CLIENT_SECRET_LIST=other-secret")...)
	b := newConsoleBrowser(t, s)
	resp := b.login("default", "alice")
	if got := resp.Request.URL.String(); got != b.base+"#/buckets" {
		t.Errorf("came back to %s", got)
	}
	first := b.session().Login
	if first == nil || first.User != "alice" || first.Provider != "default" || !first.Renewable {
		t.Fatalf("%+v", first)
	}
	if get, put := b.status("GET", "s3/"+bucket+"/k"), b.status("PUT", "s3/"+bucket+"/new"); get != 200 || put != 200 {
		t.Errorf("alice: get %d, put %d", get, put)
	}
	if users := b.status("GET", "admin/users"); users != 403 {
		t.Errorf("alice lists users: %d", users)
	}
	for range 2 { // the second time with the refresh token of the first answer
		if status := b.status("POST", "renew"); status != 200 {
			t.Fatalf("renew: %d", status)
		}
	}
	if again := b.session().Login; again == nil || !slices.Equal(again.Policies, first.Policies) {
		t.Errorf("%+v, then %+v", first, again)
	}
	var left struct{ Redirect string }
	if _, body := b.do("POST", "logout"); json.Unmarshal([]byte(body), &left) != nil || !strings.Contains(left.Redirect, "/logout?") {
		t.Fatal(body)
	}
	if status := b.status("GET", "s3/"+bucket+"/k"); status != 401 {
		t.Errorf("after the logout: %d", status)
	}
	if resp, body := b.do("GET", left.Redirect); resp.Request.URL.String() != b.base {
		t.Errorf("Keycloak led to %s: %s", resp.Request.URL, body)
	}
	// Keycloak has no session either: it asks again, and nobody is let in silently.
	if _, body := b.do("GET", "sso/default?prompt=none"); b.session().Login != nil {
		t.Errorf("let in without a question: %s", body)
	}
	b.login("LIST", "bob")
	if l := b.session().Login; l == nil || l.Provider != "LIST" {
		t.Errorf("%+v", l)
	}
	if get, put := b.status("GET", "s3/"+bucket+"/k"), b.status("PUT", "s3/"+bucket+"/new"); get != 200 || put != 403 {
		t.Errorf("bob: get %d, put %d", get, put)
	}

	nobody := newConsoleBrowser(t, s)
	nobody.login("default", "nopol")
	if got := nobody.session(); got.Login != nil || got.Refused == nil || got.Refused.Claim != "policy" || !slices.Contains(got.Refused.Found, "preferred_username") {
		t.Errorf("nopol: %+v", got)
	}
}

// TestDexConsole: single sign-on at a real Dex with people of a real OpenLDAP: groups of the directory are local groups. Renewal
// is not part of it: with its storage in memory or in SQLite, the Dex that was tried hangs when it takes a refresh token.
func TestDexConsole(t *testing.T) {
	d := newDex(t, ldapserver.Slapd(t, ldapserver.Good))
	d.start()
	s := start(t, d.settings("OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM=groups")...) // and of the scopes those that Dex says it has
	s.admin("group", "add", "storage-admins", "--policy", "readwrite")
	login := func(name string) *consoleBrowser {
		t.Helper()
		b := newConsoleBrowser(t, s)
		resp, page := b.do("GET", "sso/default?to=%23/buckets")
		form := formAction.FindStringSubmatch(page)
		if form == nil {
			t.Fatalf("Dex shows no form: %s", page)
		}
		to, err := resp.Request.URL.Parse(html.UnescapeString(form[1]))
		if err != nil {
			t.Fatal(err)
		}
		resp, page = b.read(b.PostForm(to.String(), url.Values{"login": {name}, "password": {name + "-secret"}}))
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Request.URL.String(), b.base) {
			t.Fatalf("%s came back to %s: %s %s", name, resp.Request.URL, resp.Status, page)
		}
		return b
	}
	alice := login("alice")
	if l := alice.session().Login; l == nil || l.Renewable || !slices.Equal(l.Policies, []string{"readwrite"}) {
		t.Fatalf("%+v", l)
	}
	if get, put := alice.status("GET", "s3/"+bucket+"/k"), alice.status("PUT", "s3/"+bucket+"/new"); get != 200 || put != 200 {
		t.Errorf("alice: get %d, put %d", get, put)
	}
	bob := login("bob")
	if got := bob.session(); got.Login != nil || got.Refused == nil || !slices.Contains(got.Refused.Found, "groups") {
		t.Errorf("bob: %+v", got)
	}
	if status := alice.status("POST", "renew"); status != 409 || alice.session().Login == nil { // without offline_access there is nothing to renew with
		t.Errorf("renew: %d", status)
	}
	if _, body := alice.do("POST", "logout"); !strings.Contains(body, `"redirect":null`) { // Dex has no page for it
		t.Error(body)
	}
	// Dex goes: who is logged in stays so, and nobody logs in anew.
	again := login("alice")
	d.stop()
	if get := again.status("GET", "s3/"+bucket+"/k"); get != 200 {
		t.Errorf("without Dex: %d", get)
	}
}
