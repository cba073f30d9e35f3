package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
)

// canary is an address that nobody has a reason to ask.
func canary(t *testing.T) (address string, asked *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			c.Close()
		}
	}()
	return l.Addr().String(), asked
}

// TestNobodyIsAsked is S-009, S-104 and S-121: no request makes the server ask an address that the request names: in Host and its
// kind, in a token, in a setting of a provider, of a webhook or of a server to fetch from.
func TestNobodyIsAsked(t *testing.T) {
	address, asked := canary(t)
	evil := "http://" + address
	issuer, sign := newTestIssuer(t)
	p, _, _ := start(t, environ{
		"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword,
		"MINIO_IDENTITY_OPENID_CONFIG_URL": issuer + "/.well-known/openid-configuration", "MINIO_IDENTITY_OPENID_CLIENT_ID": "app",
	}, t.TempDir())
	base := "http://" + p.Addr().String()
	token := url.QueryEscape(sign(map[string]any{"sub": "alice", "aud": "app", "policy": "readwrite", "jku": evil, "iss": evil}))
	foreign := url.QueryEscape(`eyJhbGciOiJSUzI1NiIsImprdSI6Imh0dHA6Ly8xMjcuMC4wLjE6MSJ9.` + "e30.AAAA")
	const version = "&Version=2011-06-15"
	for _, tt := range []struct{ method, path, contentType, body string }{
		{"POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRoleWithWebIdentity" + version + "&WebIdentityToken=" + token},
		{"POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRoleWithWebIdentity" + version + "&WebIdentityToken=" + foreign},
		{"POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRoleWithClientGrants" + version + "&Token=" + token},
		{"POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRoleWithLDAPIdentity" + version + "&LDAPUsername=a&LDAPPassword=b"},
		{"POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRoleWithCustomToken" + version + "&Token=x&RoleArn=arn:minio:iam:::role/" + url.QueryEscape(evil)},
		{"GET", "/-/console/", "", ""},
		{"GET", "/-/console/sso/default?to=" + url.QueryEscape(evil), "", ""},
		{"GET", "/oauth_callback?code=x&state=y&iss=" + url.QueryEscape(evil), "", ""},
		{"POST", "/-/console/login", "application/json", `{"accessKey":"` + evil + `","secretKey":"x"}`},
	} {
		for _, header := range []http.Header{
			{"Host": {address}}, {"X-Forwarded-Host": {address}, "X-Forwarded-Proto": {"http"}}, {"Forwarded": {"host=" + address}}, {"Origin": {evil}, "Referer": {evil}},
		} {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header.Clone()
			if host := r.Header.Get("Host"); host != "" {
				r.Host = host
				r.Header.Del("Host")
			}
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if to := resp.Header.Get("Location"); strings.Contains(to, address) {
				t.Errorf("%s %s with %v leads to %s", tt.method, tt.path, header, to)
			}
		}
	}
	root := iam.Credential{AccessKey: "objroot", Secret: testPassword}
	q := url.QueryEscape(evil)
	for _, tt := range []struct{ method, path string }{
		{"PUT", "/minio/admin/v3/idp-config/openid/new?config_url=" + q}, {"PUT", "/minio/admin/v3/idp-config/openid/new"}, {"POST", "/minio/admin/v3/update?updateURL=" + q},
		{"PUT", "/minio/admin/v3/set-remote-target?bucket=b"}, {"PUT", "/minio/admin/v3/tier"}, {"POST", "/-/api/v1/openid/test"}, {"PUT", "/b?notification"},
	} {
		if status, body := knock(t, p, tt.method, tt.path, root); status < 400 {
			t.Errorf("%s: %d %s", tt.path, status, body)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the address in a request was asked %d times", n)
	}
}

// TestSecretsOfLogins is S-077, S-079 and S-250 of the Security Token Service: what is issued, and what proves
// somebody, is in no log, no trace, no list, no metrics and no refusal that is kept.
func TestSecretsOfLogins(t *testing.T) {
	issuer, sign := newTestIssuer(t)
	p, stdout, stderr := start(t, environ{
		"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword, "OBJSRV_ACCESS_LOG": "stdout",
		"MINIO_IDENTITY_OPENID_CONFIG_URL": issuer + "/.well-known/openid-configuration", "MINIO_IDENTITY_OPENID_CLIENT_ID": "app", "MINIO_IDENTITY_OPENID_CLIENT_SECRET": "client-secret-of-app",
	}, t.TempDir())
	w, err := p.host.requests.Watch("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + p.Addr().String()
	token, bad := sign(map[string]any{"sub": "alice", "aud": "app", "policy": "consoleAdmin"}), sign(map[string]any{"sub": "alice", "aud": "other"})
	signature := func(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }
	secrets := []string{testPassword, "client-secret-of-app", signature(token), signature(bad), "a-password-that-is-wrong"}
	login := func(c *credentials.Credentials, err error) credentials.Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, v.SecretAccessKey, v.SessionToken)
		return v
	}
	web := login(credentials.NewSTSWebIdentity(base, func() (*credentials.WebIdentityToken, error) { return &credentials.WebIdentityToken{Token: token}, nil }))
	login(credentials.NewSTSAssumeRole(base, credentials.STSAssumeRoleOptions{AccessKey: "objroot", SecretKey: testPassword, Location: "us-east-1", RoleSessionName: "job"}))
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(web.AccessKeyID, web.SecretAccessKey, web.SessionToken), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	link, err := c.PresignedGetObject(t.Context(), "bucket", "k", 1e11, nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, link.Query().Get("X-Amz-Signature"))
	for _, tt := range []struct{ method, url, body string }{
		{"GET", link.String(), ""},
		{"POST", base + "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=" + bad, ""},
		{"POST", base + "/", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=" + bad},
		{"POST", base + "/?Action=AssumeRoleWithLDAPIdentity&Version=2011-06-15&LDAPUsername=a&LDAPPassword=a-password-that-is-wrong", ""},
		{"GET", base + "/bucket/k?X-Amz-Security-Token=" + url.QueryEscape(web.SessionToken), ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if tt.method == "POST" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.Header.Set("Cookie", "session=a-password-that-is-wrong")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	root := iam.Credential{AccessKey: "objroot", Secret: testPassword}
	said := map[string]string{}
	for _, path := range []string{"/-/metrics", "/-/api/v1/sessions?all=true", "/-/api/v1/keys?all=true", "/-/api/v1/explain?last=1000", "/minio/admin/v3/info"} {
		status, body := knock(t, p, "GET", path, root)
		if status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		said[path] = body
	}
	var trace []any
	for len(w.Entries()) > 0 {
		trace = append(trace, <-w.Entries())
	}
	w.Close()
	b, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	said["trace"], said["access log"], said["log"] = string(b), stdout.String(), stderr.String()
	if len(trace) < 8 || !strings.Contains(said["access log"], "AssumeRoleWithWebIdentity") {
		t.Errorf("%d requests in the trace, access log: %s", len(trace), said["access log"])
	}
	for where, text := range said {
		for i, s := range secrets {
			if len(s) < 12 {
				t.Fatalf("secret %d is too short to look for", i)
			}
			if strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s)) {
				t.Errorf("%s has secret %d", where, i)
			}
		}
	}
}

// TestPasswordDoors is S-086 of the doors that take a secret as it is: whether the key is unknown or its secret
// wrong is not told. That secrets are compared in one time is a rule of internal/archtest.
func TestPasswordDoors(t *testing.T) {
	p, _, _ := start(t, environ{"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword}, t.TempDir())
	if _, _, err := p.services.iam.CreateUser(t.Context(), iam.NewUser{Name: "alice", Secret: "the-secret-of-alice"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.services.iam.CreateUser(t.Context(), iam.NewUser{Name: "off-duty", Secret: "the-secret-of-off-duty", Disabled: true}); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for name, tt := range map[string][2]string{
		"unknown": {"nobody", "the-secret-of-alice"}, "wrong": {"alice", "the-secret-of-alicf"}, "first byte": {"alice", "a"}, "root": {"objroot", testPassword + "x"},
		"disabled": {"off-duty", "the-secret-of-off-duty"}, "disabled, wrong": {"off-duty", "x"},
	} {
		in, err := json.Marshal(map[string]string{"accessKey": tt[0], "secretKey": tt[1]})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post("http://"+p.Addr().String()+"/-/console/login", "application/json", strings.NewReader(string(in)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		var e struct{ Code, Message string }
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatalf("%s: %s", name, body)
		}
		if resp.StatusCode != 403 && resp.StatusCode != 401 || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
		said[name] = resp.Status + e.Code + e.Message
	}
	for name, text := range said {
		if text != said["unknown"] {
			t.Errorf("%s: %q, an unknown key %q", name, text, said["unknown"])
		}
	}
}

// TestConsoleWithProvider is S-050: that people can log in at an identity provider opens nothing to who has not.
// A cookie that was never issued, and a token in its place, are nobody's.
func TestConsoleWithProvider(t *testing.T) {
	issuer, sign := newTestIssuer(t)
	p, _, _ := start(t, environ{
		"MINIO_ROOT_USER": "objroot", "MINIO_ROOT_PASSWORD": testPassword,
		"MINIO_IDENTITY_OPENID_CONFIG_URL": issuer + "/.well-known/openid-configuration", "MINIO_IDENTITY_OPENID_CLIENT_ID": "app", "MINIO_IDENTITY_OPENID_CLIENT_SECRET": "s",
	}, t.TempDir())
	base := "http://" + p.Addr().String() + "/-/console/"
	token := sign(map[string]any{"sub": "alice", "aud": "app", "policy": "consoleAdmin"})
	for _, tt := range []struct{ method, path string }{
		{"GET", "s3/"}, {"PUT", "s3/bucket"}, {"GET", "s3/bucket?policy"}, {"DELETE", "s3/bucket/key"}, {"GET", "admin/whoami"}, {"GET", "admin/users"}, {"GET", "admin/server"},
		{"GET", "admin/trace"}, {"GET", "admin/log"}, {"GET", "admin/config"}, {"POST", "admin/openid/test"}, {"POST", "admin/restart"}, {"POST", "renew"}, {"POST", "share"}, {"POST", "zip"},
	} {
		for name, header := range map[string][2]string{
			"nothing": {"X-None", "x"}, "bearer": {"Authorization", "Bearer " + token}, "a token as a cookie": {"Cookie", "__Host-objsrv=" + token + "; objsrv=" + token + "; token=" + token}, "basic": {"Authorization", "Basic b2Jqcm9vdDp4"},
		} {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if tt.method == "GET" || tt.method == "DELETE" {
				r.Body, r.ContentLength = nil, 0
			} else {
				r.Header.Set("Content-Type", "application/json")
			}
			r.Header.Set(header[0], header[1])
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s %s with %s: %s %s", tt.method, tt.path, name, resp.Status, body)
			}
		}
	}
	if n := len(p.services.iam.Sessions("")) + len(p.services.iam.Users()); n != 0 {
		t.Errorf("%d sessions or users were made", n)
	}
}
