package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// cleanLogin leaves nothing in the environment that login commands look at.
func cleanLogin(t *testing.T) {
	t.Helper()
	for _, name := range append([]string{"OBJSRV_REGION", "OBJSRV_ROOT_USER", "OBJSRV_ROOT_PASSWORD", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "AWS_ENDPOINT_URL",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"}, clientVariables...) {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
}

// webLogin is a running `objsrv web-identity`.
type webLogin struct {
	t              *testing.T
	url            string
	stdout, stderr *output
	code           chan int
}

func startWebLogin(t *testing.T, p *loginProvider, endpoint string, args ...string) *webLogin {
	t.Helper()
	l := &webLogin{t: t, stdout: &output{}, stderr: &output{}, code: make(chan int, 1)}
	args = append([]string{"web-identity", "-cid", loginClient, "-config-ep", p.configURL(), "-port=0", "-sts-ep", endpoint}, args...)
	go func() { l.code <- run(args, nil, l.stdout, l.stderr) }()
	waitFor(t, func() bool {
		_, rest, ok := strings.Cut(l.stderr.String(), "listening on ")
		l.url, _, _ = strings.Cut(rest, "\n")
		return ok && strings.HasSuffix(rest, "/\n") || len(l.code) > 0
	})
	if l.url == "" {
		t.Fatalf("%s", l.stderr)
	}
	return l
}

func (l *webLogin) end() int {
	l.t.Helper()
	select {
	case code := <-l.code:
		return code
	case <-time.After(time.Minute):
		l.t.Fatal("the command has not ended")
		return 0
	}
}

// browser is somebody's, with cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute}
}

func page(t *testing.T, resp *http.Response, err error) (int, string) {
	t.Helper()
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

// TestWebIdentityLogin: a person logs in by the browser, and what is printed opens what the token's
// policy allows.
func TestWebIdentityLogin(t *testing.T) {
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	endpoint := "http://" + server.Addr().String()
	for _, name := range []string{"one", "two"} {
		if err := s3Client(t, server).MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("OBJSRV_CLIENT_SECRET", loginSecretText)
	l := startWebLogin(t, p, endpoint, "-duration", "30m")
	b := browser(t)
	resp, err := b.Get(l.url)
	if status, body := page(t, resp, err); status != 200 || !strings.Contains(body, "<form") {
		t.Fatalf("%d %s", status, body)
	}
	resp, err = b.PostForm(p.URL+"/login", url.Values{"user": {"alice"}})
	status, body := page(t, resp, err)
	if status != 200 || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", status, body, resp.Header)
	}
	if code := l.end(); code != 0 || l.stdout.String() != body {
		t.Errorf("%d\n%s\nnot\n%s\n%s", code, l.stdout, body, l.stderr)
	}
	var doc loginDocument
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if strings.Join(doc.Buckets, " ") != "one two" || doc.Credentials.SignerType != "SignatureV4" {
		t.Errorf("%s", body)
	}
	if left := time.Until(doc.Credentials.Expiration); left < 28*time.Minute || left > 30*time.Minute {
		t.Errorf("-duration 30m gives %v", left)
	}
	for _, secret := range []string{loginSecretText, doc.Credentials.SecretAccessKey, doc.Credentials.SessionToken, "eyJ", "code="} {
		if strings.Contains(l.stderr.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, l.stderr)
		}
	}
	c, err := minio.New(server.Addr().String(), &minio.Options{Region: "us-east-1",
		Creds: credentials.NewStaticV4(doc.Credentials.AccessKeyID, doc.Credentials.SecretAccessKey, doc.Credentials.SessionToken)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(t.Context(), "one", "k", strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
		t.Error(err)
	}
}

// TestWebIdentityBrowsers: only the browser that has begun the login ends it, and only with the
// provider's answer to it.
func TestWebIdentityBrowsers(t *testing.T) {
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	t.Setenv("OBJSRV_CLIENT_SECRET", loginSecretText)
	l := startWebLogin(t, p, "http://"+server.Addr().String())
	callback := strings.TrimSuffix(l.url, "/") + callbackPath
	victim, stranger := browser(t), browser(t)
	refused := func(name string, c *http.Client, address string, want int, change func(*http.Request)) {
		t.Helper()
		r, err := http.NewRequest("GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(r)
		}
		resp, err := c.Do(r)
		if status, body := page(t, resp, err); status != want || resp.Header.Get("Set-Cookie") != "" || strings.Contains(body, "Secret") {
			t.Errorf("%s: %d %s %v", name, status, body, resp.Header)
		}
		if resp.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("S-204 %s: %v", name, resp.Header)
		}
	}
	refused("S-196 before a login", victim, callback+"?code=x&state=y", 400, nil)
	resp, err := victim.Get(l.url)
	page(t, resp, err)
	p.mu.Lock()
	state := p.asked.Get("state")
	p.mu.Unlock()
	refused("S-196 no state", victim, callback+"?code=x", 400, nil)
	refused("S-196 another state", victim, callback+"?code=x&state="+strings.Repeat("A", 43), 400, nil)
	refused("S-196 no cookie", stranger, callback+"?code=x&state="+state, 400, nil)
	refused("S-196 another cookie", stranger, callback+"?code=x&state="+state, 400, func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "objsrv-login-" + r.URL.Port(), Value: "other"})
	})
	refused("begun by another page", stranger, l.url, 403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	refused("another host's name", victim, callback+"?code=x&state="+state, 421, func(r *http.Request) { r.Host = "evil.example" })
	refused("S-200 another path", victim, l.url+"/evil.example", 404, nil)
	resp, err = victim.PostForm(callback, url.Values{"code": {"x"}, "state": {state}})
	if status, _ := page(t, resp, err); status != 405 {
		t.Errorf("POST: %d", status)
	}
	// None of that has ended the login.
	resp, err = victim.PostForm(p.URL+"/login", url.Values{"user": {"alice"}})
	if status, body := page(t, resp, err); status != 200 || !strings.Contains(body, "SecretAccessKey") {
		t.Errorf("%d %s", status, body)
	}
	if l.end() != 0 {
		t.Error(l.stderr)
	}
	if users := server.services.iam.Users(); len(users) != 1 {
		t.Errorf("%+v", users)
	}
}

// TestWebIdentityFailures end the command with a sentence, in the browser too.
func TestWebIdentityFailures(t *testing.T) {
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	for name, tt := range map[string]struct{ secret, user, says string }{
		"the server refuses": {loginSecretText, "nobody", "AssumeRoleWithWebIdentity: IDPRejectedClaim: The claim "},
		"a wrong secret":     {"wrong-secret", "alice", "exchange the code: the identity provider answers invalid_grant"},
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(tt.secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		l := startWebLogin(t, p, "http://"+server.Addr().String(), "-csec-file", file)
		b := browser(t)
		resp, err := b.Get(l.url)
		page(t, resp, err)
		resp, err = b.PostForm(p.URL+"/login", url.Values{"user": {tt.user}})
		if status, body := page(t, resp, err); status != 400 || !strings.Contains(body, tt.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if code := l.end(); code != exitFailure || !strings.Contains(l.stderr.String(), "objsrv: "+tt.says) || l.stdout.String() != "" || strings.Contains(l.stderr.String(), tt.secret) {
			t.Errorf("%s: %d %s", name, code, l.stderr)
		}
	}
}

// loginRunOf runs a login command to its end.
func loginRunOf(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

// TestLoginWays: what the other commands send, and that a real server takes what it implements.
func TestLoginWays(t *testing.T) {
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	t.Setenv("OBJSRV_ENDPOINT", "http://"+server.Addr().String())
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(p.sign(map[string]any{"sub": "alice", "aud": loginClient, "policy": "readwrite"})), 0o600); err != nil {
		t.Fatal(err)
	}
	root := server.services.root
	t.Setenv("OBJSRV_ACCESS_KEY", root.User)
	t.Setenv("OBJSRV_SECRET_KEY", root.Password)
	t.Setenv("OBJSRV_CLIENT_SECRET", loginSecretText)
	for _, args := range [][]string{
		{"assume-role"},
		{"web-identity", "--token-file", token, "--session-name", "job"},
		{"client-grants", "--token-file", token},
		{"client-grants", "-cid=" + loginClient, "-config-ep=" + p.configURL()},
	} {
		code, out, errs := loginRunOf(args...)
		var doc loginDocument
		if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil || doc.Credentials.SessionToken == "" || doc.Buckets == nil {
			t.Errorf("%v: %d %s %s", args, code, out, errs)
		}
	}
	policy := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(policy, []byte(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := loginRunOf("assume-role", "--policy-file", policy); code != 0 || !strings.Contains(out, `"buckets": []`) || !strings.Contains(errs, "AccessDenied") {
		t.Errorf("a policy without lists: %d %s %s", code, out, errs)
	}
}

// TestLoginForms: the forms of the actions, before a server that keeps them.
func TestLoginForms(t *testing.T) {
	cleanLogin(t)
	var form url.Values
	var peer string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		form = r.PostForm
		if peer = ""; len(r.TLS.PeerCertificates) > 0 {
			peer = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		if r.Method == "GET" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		action := form.Get("Action")
		io.WriteString(w, "<"+action+"Response><"+action+"Result><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>"+
			time.Now().Add(time.Hour).Format(time.RFC3339)+"</Expiration></Credentials></"+action+"Result></"+action+"Response>")
	}))
	srv.TLS = clientCertServer()
	srv.StartTLS()
	defer srv.Close()
	dir := t.TempDir()
	ca, password := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "password")
	if err := os.WriteFile(ca, pemOf(srv.Certificate()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(password, []byte(" pass word \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeTestCert(t, dir, "alice")
	t.Setenv("OBJSRV_ENDPOINT", srv.URL)
	t.Setenv("OBJSRV_CA_FILE", ca)
	t.Setenv("OBJSRV_CUSTOM_TOKEN", "the-token")
	for _, tt := range []struct {
		args string
		want url.Values
		peer string
	}{
		{"ldap -user alice --password-file " + password + " -duration 1h", url.Values{"Action": {"AssumeRoleWithLDAPIdentity"}, "LDAPUsername": {"alice"}, "LDAPPassword": {" pass word "}, "DurationSeconds": {"3600"}}, ""},
		{"custom-token --role-arn arn:minio:iam:::role/idmp-x", url.Values{"Action": {"AssumeRoleWithCustomToken"}, "Token": {"the-token"}, "RoleArn": {"arn:minio:iam:::role/idmp-x"}}, ""},
		{"certificate --cert " + dir + "/public.crt --key " + dir + "/private.key", url.Values{"Action": {"AssumeRoleWithCertificate"}}, "alice"},
	} {
		tt.want.Set("Version", "2011-06-15")
		// credential-process asks for nothing else, so the form is the last request.
		code, out, errs := loginRunOf(append([]string{"credential-process"}, strings.Fields(tt.args)...)...)
		if code != 0 || form.Encode() != tt.want.Encode() || peer != tt.peer || !strings.HasPrefix(out, `{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2`) {
			t.Errorf("%s: %d %s %s\n%v by %q", tt.args, code, out, errs, form, peer)
		}
	}
}
