package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// visit asks a server as a browser does, without following where it is sent.
func visit(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// TestConsoleAddresses: the console is on both addresses, browsers are led to it, and S3 clients are not.
func TestConsoleAddresses(t *testing.T) {
	p, stdout, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--console-address", "127.0.0.1:0")
	s3, console := "http://"+p.Addr().String(), "http://"+p.ConsoleAddr().String()
	for _, tt := range []struct{ url, accept, status, location, says string }{
		{s3 + "/", "text/html,*/*", "303 See Other", "./-/console/", ""},
		{console + "/", "*/*", "303 See Other", "./-/console/", ""},
		{s3 + "/", "*/*", "403 Forbidden", "", "<Code>AccessDenied</Code>"},
		{s3 + "/-/console", "", "303 See Other", "./console/", ""},
		{s3 + "/-/console/", "", "200 OK", "", "csp-nonce"},
		{console + "/-/console/", "", "200 OK", "", "csp-nonce"},
		{console + "/-/console/session", "", "200 OK", "", `"s3URL":"` + s3 + `"`},
		{s3 + "/-/console/session", "", "200 OK", "", `"s3URL":"` + s3 + `"`},
		{console + "/bucket/key", "", "404 Not Found", "", "NoSuchRoute"},
		{console + "/-/health/live", "", "200 OK", "", "ok"},
		{s3 + "/-/console/nothing", "", "404 Not Found", "", "NoSuchRoute"},
	} {
		resp, body := visit(t, tt.url, "Accept", tt.accept)
		if resp.Status != tt.status || resp.Header.Get("Location") != tt.location || !strings.Contains(body, tt.says) {
			t.Errorf("%s: %s to %q: %s", tt.url, resp.Status, resp.Header.Get("Location"), body)
		}
	}
	if !strings.Contains(stdout.String(), "Console:  "+console+"\n") {
		t.Errorf("banner: %s", stdout)
	}
	if _, err := s3Client(t, p).ListBuckets(t.Context()); err != nil {
		t.Errorf("a client lists buckets: %v", err)
	}
}

// TestConsoleOff: there is nothing, and nobody is led there.
func TestConsoleOff(t *testing.T) {
	for name, env := range map[string]environ{
		"off":         {"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_BROWSER": "off"},
		"no redirect": {"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_BROWSER_REDIRECT": "off"},
	} {
		p, _, _ := start(t, env, t.TempDir(), "--console-address", "127.0.0.1:0")
		s3 := "http://" + p.Addr().String()
		if resp, body := visit(t, s3+"/", "Accept", "text/html"); resp.StatusCode != 403 || !strings.Contains(body, "AccessDenied") {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
		resp, _ := visit(t, s3+"/-/console/")
		if off := name == "off"; (resp.StatusCode == 404) != off || (p.ConsoleAddr() == nil) != off {
			t.Errorf("%s: %s, console at %v", name, resp.Status, p.ConsoleAddr())
		}
	}
}

// TestConsoleStreams: S-209, one user watches no more than so much, and nothing after the logout.
func TestConsoleStreams(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	base := "http://" + p.Addr().String() + "/-/console/"
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	post := func(path, body string) {
		t.Helper()
		resp, err := c.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	post("login", `{"accessKey":"admin","secretKey":"`+testPassword+`"}`)
	var open []io.ReadCloser
	refused := 0
	for range 100 {
		resp, err := c.Get(base + "admin/trace")
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 200 {
			open = append(open, resp.Body)
			continue
		}
		refused++
		resp.Body.Close()
	}
	if len(open) == 0 || len(open) > 20 || refused != 100-len(open) {
		t.Errorf("%d streams are open, %d were refused", len(open), refused)
	}
	post("logout", "")
	for _, body := range open { // each ends, or the test does not
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Error(err)
		}
		body.Close()
	}
}

// TestConsoleLogin: who logs in on one address uses the other's handlers with the cookie, until the logout.
func TestConsoleLogin(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir(), "--console-address", "127.0.0.1:0")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	do := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+p.ConsoleAddr().String()+"/-/console/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	login, err := json.Marshal(map[string]string{"accessKey": p.services.root.User, "secretKey": testPassword})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PUT", "s3/bucket", "", 401, "NoSession"},
		{"POST", "login", string(login), 200, `"kind":"root"`},
		{"PUT", "s3/bucket", "", 200, ""},
		{"PUT", "s3/bucket/a//b", "content", 200, ""},
		{"GET", "s3/bucket/a//b", "", 200, "content"},
		{"GET", "s3/bucket/c", "", 404, "<Code>NoSuchKey</Code>"},
		{"GET", "admin/whoami", "", 200, `"root":true`},
		{"PUT", "admin/users/ann", `{"secret":"a-good-secret"}`, 201, `"name":"ann"`},
		{"POST", "logout", "", 200, `{"redirect":null}`},
		{"GET", "s3/bucket/a//b", "", 401, "NoSession"},
		{"GET", "session", "", 200, `"login":null`},
	} {
		if status, body := do(tt.method, tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, status, body)
		}
	}
	if n := len(p.services.iam.Sessions("")); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}
