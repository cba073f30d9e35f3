package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// front is a proxy that speaks TLS and serves a program under a sub-path.
type front struct {
	*httptest.Server
	keepHost, forwards bool
	to                 string
}

// newFront binds the address first, since the program has to know it.
func newFront(t *testing.T, keepHost, forwards bool) *front {
	t.Helper()
	f := &front{keepHost: keepHost, forwards: forwards}
	f.Server = httptest.NewTLSServer(http.StripPrefix("/files", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := url.Parse(f.to)
		if err != nil {
			t.Error(err)
			return
		}
		proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			if f.keepHost {
				p.Out.Host = p.In.Host
			}
			if f.forwards {
				p.SetXForwarded()
				p.Out.Header.Set("X-Forwarded-Prefix", "/files")
			}
		}}
		proxy.ServeHTTP(w, r)
	})))
	t.Cleanup(f.Close)
	return f
}

// consoleUser is somebody with a browser that follows redirects and keeps cookies.
type consoleUser struct {
	*http.Client
	t    *testing.T
	base string // of the console, with a slash at its end
}

func newConsoleUser(t *testing.T, f *front) *consoleUser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := f.Client()
	c.Jar = jar
	return &consoleUser{Client: c, t: t, base: f.URL + "/files/-/console/"}
}

// do sends what the console's page would, to an address that is relative to it.
func (u *consoleUser) do(method, path, body string) (*http.Response, string) {
	u.t.Helper()
	r, err := http.NewRequest(method, u.base+path, strings.NewReader(body))
	if err != nil {
		u.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if origin, err := url.Parse(u.base); err == nil && method != http.MethodGet {
		r.Header.Set("Origin", origin.Scheme+"://"+origin.Host)
	}
	return u.read(u.Do(r))
}

func (u *consoleUser) read(resp *http.Response, err error) (*http.Response, string) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return resp, string(b)
}

// TestConsoleBehindProxy: the console under a sub-path of a proxy with TLS, by a key and by single sign-on, whether the
// proxy passes the host on or not; also when nothing is set but that the proxy is trusted.
func TestConsoleBehindProxy(t *testing.T) {
	for name, tt := range map[string]struct{ keepHost, forwards, set, dynamic bool }{
		"host passed on":          {true, false, true, false},
		"host not passed on":      {false, false, true, false},
		"trusted, dynamic":        {false, true, false, true},
		"trusted, dynamic, to S3": {true, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			idp, f := newLoginProvider(t), newFront(t, tt.keepHost, tt.forwards)
			env := idp.environ()
			env["MINIO_IDENTITY_OPENID_CLIENT_SECRET"] = loginSecretText
			if tt.set {
				env["MINIO_BROWSER_REDIRECT_URL"] = f.URL + "/files"
			}
			if tt.dynamic {
				env["MINIO_IDENTITY_OPENID_REDIRECT_URI_DYNAMIC"] = "on"
			}
			if tt.forwards {
				env["OBJSRV_TRUSTED_PROXIES"] = "127.0.0.1"
			}
			p, _, _ := start(t, env, t.TempDir(), "--console-address", "127.0.0.1:0")
			f.to = "http://" + p.ConsoleAddr().String()
			u := newConsoleUser(t, f)
			resp, page := u.read(u.Get(f.URL + "/files/"))
			if resp.StatusCode != 200 || resp.Request.URL.String() != u.base || !strings.Contains(page, "csp-nonce") {
				t.Fatalf("%s at %s", resp.Status, resp.Request.URL)
			}
			if resp, body := u.do("POST", "login", `{"accessKey":"admin","secretKey":"`+testPassword+`"}`); resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Set-Cookie"), "__Host-") {
				t.Fatalf("%s %v %s", resp.Status, resp.Header, body)
			}
			if resp, body := u.do("PUT", "s3/bucket", ""); resp.StatusCode != 200 {
				t.Fatalf("%s %s", resp.Status, body)
			}
			if resp, body := u.do("POST", "logout", ""); resp.StatusCode != 200 {
				t.Fatalf("%s %s", resp.Status, body)
			}

			resp, body := u.do("GET", "sso/default?to=%23/buckets", "")
			if resp.StatusCode != 200 || resp.Request.URL.Host != strings.TrimPrefix(idp.URL, "http://") {
				t.Fatalf("led to %s: %s %s", resp.Request.URL, resp.Status, body)
			}
			if got := idp.asked.Get("redirect_uri"); got != f.URL+"/files/oauth_callback" {
				t.Fatalf("redirect_uri is %s", got)
			}
			resp, _ = u.read(u.PostForm(idp.URL+"/login", url.Values{"user": {"alice"}}))
			if resp.StatusCode != 200 || resp.Request.URL.String() != u.base+"#/buckets" {
				t.Fatalf("came back to %s: %s", resp.Request.URL, resp.Status)
			}
			var view struct {
				Login  *struct{ Kind string }
				Server struct{ S3URL string }
			}
			_, body = u.do("GET", "session", "")
			if err := json.Unmarshal([]byte(body), &view); err != nil || view.Login == nil || view.Login.Kind != "openid" {
				t.Fatalf("%v: %s", err, body)
			}
			if resp, body := u.do("PUT", "s3/bucket/k", "content"); resp.StatusCode != 200 {
				t.Errorf("%s %s", resp.Status, body)
			}
		})
	}
}

// TestServerURL: links to objects begin with the address that is set for S3, and work there.
func TestServerURL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var target string
	public := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := url.Parse(target)
		if err != nil {
			t.Error(err)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host
		}}).ServeHTTP(w, r)
	})}
	go public.Serve(l)
	t.Cleanup(func() { public.Close() })
	address := "http://" + l.Addr().String()
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_SERVER_URL": address + "/"}, t.TempDir(), "--console-address", "127.0.0.1:0")
	target = "http://" + p.Addr().String()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := &consoleUser{Client: &http.Client{Jar: jar}, t: t, base: "http://" + p.ConsoleAddr().String() + "/-/console/"}
	u.do("POST", "login", `{"accessKey":"admin","secretKey":"`+testPassword+`"}`)
	u.do("PUT", "s3/bucket", "")
	u.do("PUT", "s3/bucket/a%20b", "content")
	_, body := u.do("POST", "share", `{"bucket":"bucket","key":"a b","expiresIn":60}`)
	var link struct{ URL string }
	if err := json.Unmarshal([]byte(body), &link); err != nil || !strings.HasPrefix(link.URL, address+"/bucket/a%20b?") {
		t.Fatalf("%v: %s", err, body)
	}
	if resp, content := u.read(http.Get(link.URL)); resp.StatusCode != 200 || content != "content" {
		t.Errorf("%s %s", resp.Status, content)
	}
}

// TestConsoleSettings: what is taken, and what is refused with a sentence.
func TestConsoleSettings(t *testing.T) {
	for _, tt := range []struct{ name, value, says string }{
		{"MINIO_BROWSER_REDIRECT_URL", "files.example.com", "is not a URL"},
		{"OBJSRV_PUBLIC_URL", "https://user@files.example.com", "is not a URL"},
		{"OBJSRV_PUBLIC_URL", "https://files.example.com/sub/", ""},
		{"MINIO_SERVER_URL", "https://files.example.com/sub", "has a path"},
		{"MINIO_SERVER_URL", "https://files.example.com/", ""},
		{"MINIO_BROWSER_SESSION_DURATION", "5m", "is not a duration"},
		{"MINIO_BROWSER_SESSION_DURATION", "8h", ""},
		{"MINIO_BROWSER_HSTS_SECONDS", "-1", "is not a number"},
		{"MINIO_BROWSER_HSTS_SECONDS", "31536000", ""},
		{"MINIO_BROWSER_REFERRER_POLICY", "maybe", "is none of"},
		{"MINIO_BROWSER_CONTENT_SECURITY_POLICY", "frame-ancestors 'none'\r\nX: y", "a header can't carry it"},
		{"OBJSRV_BROWSER_HSTS", "1", "unknown variable OBJSRV_BROWSER_HSTS"},
	} {
		_, _, err := parseServer(t, environ{tt.name: tt.value}, "/data")
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s=%q: %v", tt.name, tt.value, err)
		}
	}
	for server, want := range map[string]int{"": 1, "https://objects.example.com": 0} {
		c, _, err := parseServer(t, environ{"OBJSRV_PUBLIC_URL": "https://files.example.com/s3", "OBJSRV_SERVER_URL": server}, "/data")
		if err != nil || len(c.warnings(nil)) != want {
			t.Errorf("SERVER_URL=%q: %v, %v", server, c.warnings(nil), err)
		}
	}
	c, _, err := parseServer(t, environ{"MINIO_BROWSER_HSTS_SECONDS": "60", "MINIO_BROWSER_HSTS_INCLUDE_SUB_DOMAINS": "on", "MINIO_BROWSER_HSTS_PRELOAD": "on"}, "/data")
	if err != nil || c.Console.hsts() != "max-age=60; includeSubDomains; preload" {
		t.Errorf("%v, %v", c, err)
	}
}
