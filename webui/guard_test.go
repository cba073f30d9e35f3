package webui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
)

// TestForeignPages: S-203, what pages of other origins make a browser send changes nothing and reads nothing.
func TestForeignPages(t *testing.T) {
	public, err := url.Parse("https://files.example.com/sub")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, options{change: func(c *Config) { c.PublicURL = nil }})
	b := s.browser().login(rootUser, rootPassword)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	const json, form, text = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded", "Content-Type: text/plain"
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"evil origin", "PUT", "s3/bucket/k", []string{"Origin: https://evil.example"}, 403},
		{"no origin at all", "PUT", "s3/bucket/k", []string{"Origin: null"}, 403},
		{"another port", "PUT", "s3/bucket/k", []string{"Origin: http://127.0.0.1:1"}, 403},
		{"another scheme's port", "DELETE", "s3/bucket/k", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"said by the browser", "POST", "logout", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"a neighbour", "POST", "logout", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"a login", "POST", "login", []string{json, "Sec-Fetch-Site: cross-site"}, 403},
		{"method in a header", "POST", "s3/bucket/k?uploads", []string{"X-Http-Method-Override: PUT", "Origin: https://evil.example"}, 403},
		{"admin", "PUT", "admin/users/eve", []string{json, "Origin: https://evil.example"}, 403},
		{"a form", "POST", "s3/bucket/k?uploads", []string{form}, 415},
		{"plain text to S3", "POST", "s3/bucket/k?uploads", []string{text}, 415},
		{"plain text to S3 of another page", "POST", "s3/bucket/k?uploads", []string{text, "Origin: https://evil.example"}, 403},
		{"plain text to S3 of its own page", "POST", "s3/bucket/k?uploads", []string{text, "Origin: " + s.url}, 200},
		{"a picture to S3, in a browser that says so", "POST", "s3/bucket/k?uploads", []string{"Content-Type: image/png", "Sec-Fetch-Site: same-origin"}, 200},
		{"its own page, a form elsewhere", "POST", "login", []string{text, "Origin: " + s.url}, 415},
		{"multipart", "POST", "share", []string{"Content-Type: multipart/form-data; boundary=x"}, 415},
		{"plain text", "POST", "login", []string{text}, 415},
		{"hidden form", "POST", "zip", []string{"Content-Type: text/plain; application/json"}, 415},
		{"no type for a document", "POST", "share", nil, 415},
		{"two types", "POST", "login", []string{"Content-Type: application/json, text/plain"}, 415},
		{"reads", "GET", "s3/bucket", []string{"Sec-Fetch-Site: cross-site"}, 401},
		{"reads of a neighbour", "GET", "admin/whoami", []string{"Sec-Fetch-Site: same-site"}, 401},
		{"logout by GET", "GET", "logout", nil, 405},
		{"login by GET", "GET", "login?accessKey=admin&secretKey=x", nil, 405},
		{"WebSocket", "GET", "session", []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x", "Origin: https://evil.example"}, 501},
		{"its own page", "PUT", "s3/bucket/k", []string{"Origin: " + s.url, "Sec-Fetch-Site: same-origin"}, 200},
		{"its own page in an old browser", "PUT", "s3/bucket/k", []string{"Origin: " + s.url, "Content-Type: text/plain"}, 200},
		{"typed", "GET", "s3/bucket/k", []string{"Sec-Fetch-Site: none"}, 200},
	} {
		r := b.do(tt.method, tt.path, `{}`, tt.headers...)
		if tt.method == "GET" {
			r = b.do(tt.method, tt.path, "", tt.headers...)
		}
		if r.StatusCode != tt.status {
			t.Errorf("%s: %s %s: %s %s", tt.name, tt.method, tt.path, r.Status, r.body)
		}
		if r.Header.Get("Access-Control-Allow-Origin") != "" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: S-091: %v", tt.name, r.Header)
		}
	}
	b.want(405, b.do("OPTIONS", "session", "", "Origin: https://evil.example", "Access-Control-Request-Method: GET"))
	if b.session().Login == nil {
		t.Error("somebody has logged out")
	}
	// Behind a proxy that does not pass the host on, the page's origin is known by its setting.
	s = newSite(t, options{change: func(c *Config) { c.PublicURL = public }})
	b = s.browser()
	in := map[string]string{"accessKey": rootUser, "secretKey": rootPassword}
	b.want(200, b.post("login", in, "Origin: https://files.example.com"))
	b.want(403, b.post("login", in, "Origin: https://files.example.com.evil.example"), "OBJSRV_PUBLIC_URL")
}

// TestGuessing: S-205, wrong logins of an address are limited whatever they say of where they come from, and
// nobody is locked out.
func TestGuessing(t *testing.T) {
	s := newSite(t, options{directory: oneDirectory{}})
	s.user("ann", annPassword, "readwrite")
	b := s.browser()
	tried := 0
	for i := range 100 {
		r := b.post("login", map[string]string{"accessKey": "ann", "secretKey": fmt.Sprint("guess-", i)}, fmt.Sprint("X-Forwarded-For: 192.0.2.", i), fmt.Sprint("X-Real-Ip: 192.0.2.", i))
		if r.StatusCode == http.StatusTooManyRequests {
			if r.Header.Get("Retry-After") == "" {
				t.Error("it does not say when")
			}
			continue
		}
		b.want(403, r, "wrong")
		tried++
	}
	if tried != maxWrongLogins {
		t.Errorf("%d were tried", tried)
	}
	// Neither does the other form help, nor a user who does not exist.
	b.want(429, b.post("login/ldap", map[string]string{"username": "bob", "password": "x"}))
	b.want(429, b.post("login", map[string]string{"accessKey": "nobody", "secretKey": "x"}))
	s.clock.set(time.Minute)
	b.login("ann", annPassword)
	for range 2 * maxWrongLogins { // right ones are no guesses
		b.login("ann", annPassword)
	}
	for range maxWrongLogins + 2 {
		r := b.post("login/ldap", map[string]string{"username": "bob", "password": "wrong"})
		if r.StatusCode != 403 && r.StatusCode != 429 {
			t.Fatal(r.Status, r.body)
		}
	}
	b.want(429, b.post("login/ldap", map[string]string{"username": "bob", "password": "wrong"}))
}

// oneDirectory has bob alone.
type oneDirectory struct{}

// Login implements sts.Directory.
func (oneDirectory) Login(_ context.Context, name, password string) (*sts.DirectoryEntry, error) {
	switch {
	case name == "bob" && password == "bob-secret":
		return &sts.DirectoryEntry{DN: "uid=bob,dc=example,dc=com", Name: "bob", Groups: []string{"cn=staff,dc=example,dc=com"}}, nil
	case name == "down":
		return nil, fmt.Errorf("connection refused")
	}
	return nil, sts.ErrWrongLogin
}

// Review implements sts.Directory.
func (oneDirectory) Review(context.Context, []sts.DirectoryEntry, func(int, *sts.DirectoryEntry) error) error {
	return nil
}

// TestLDAPLogin: a person of the directory gets what its policies give, and learns when that is nothing.
func TestLDAPLogin(t *testing.T) {
	s := newSite(t, options{directory: oneDirectory{}})
	b := s.browser()
	login := func(name, password string) *reply {
		return b.post("login/ldap", map[string]string{"username": name, "password": password})
	}
	if !b.session().LDAP {
		t.Error("the form is not offered")
	}
	b.want(403, login("bob", "bob-secret"), "No policy is attached to uid=bob,dc=example,dc=com")
	if _, _, err := s.iam.CreateUser(t.Context(), iam.NewUser{Name: "ldap:uid=bob,dc=example,dc=com", Policies: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
	b.want(403, login("bob", "wrong"), "wrong")
	b.want(400, login("bob", " "))
	b.want(503, login("down", "x"))
	b.want(200, login("bob", "bob-secret"), `"kind":"ldap"`, `"user":"bob"`)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	b.want(200, b.do("POST", "logout", ""))
	none := newSite(t, options{}).browser()
	none.want(404, none.post("login/ldap", map[string]string{"username": "bob", "password": "x"}))
}
