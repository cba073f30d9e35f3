package plugin

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts"
)

// open makes a plugin that asks h, and waits for a moment only.
func open(t *testing.T, h http.HandlerFunc, edit func(*Config)) *Plugin {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := Config{URL: srv.URL + "/auth?site=a%20b", Policies: []string{"readonly"}}
	if edit != nil {
		edit(&c)
	}
	p, err := New(c, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAsk(t *testing.T) {
	var got *http.Request
	p := open(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Write([]byte(`{"user":"ann","maxValiditySeconds":3600,"claims":{"team":"x","roles":["a","b"],"n":1,"mixed":["a",1],"sub":7,"o":{"a":"b"}}}` + "\n"))
	}, func(c *Config) { c.AuthToken = "Bearer s3cret" })
	h, err := p.Authenticate(t.Context(), "a&b=c %?")
	if err != nil {
		t.Fatal(err)
	}
	want := &sts.TokenHolder{User: "ann", MaxValidity: time.Hour, Claims: map[string][]string{"team": {"x"}, "roles": {"a", "b"}, "sub": nil}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("%+v", h)
	}
	q := got.URL.Query()
	if got.Method != "POST" || got.URL.Path != "/auth" || q.Get("token") != "a&b=c %?" || q.Get("site") != "a b" || got.Header.Get("Authorization") != "Bearer s3cret" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
}

// TestAnswers: S-195, what is no answer gives nobody anything, and tells the client no more than that.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		code   string
		says   string // to the client
		reason string // to administrators
	}{
		"500":                 {500, `{"user":"ann","maxValiditySeconds":3600}`, "IDPCommunicationError", "", "status 500"},
		"a status like 200":   {201, `{"user":"ann","maxValiditySeconds":3600}`, "IDPCommunicationError", "", "status 201"},
		"a redirect":          {302, ``, "IDPCommunicationError", "", "it redirects"},
		"10 MiB":              {200, `{"user":"ann","maxValiditySeconds":3600,"claims":{"a":"` + strings.Repeat("x", 10<<20) + `"}}`, "IDPCommunicationError", "", "more than 1048576 bytes"},
		"a long refusal":      {403, `{"reason":"` + strings.Repeat("x", 10<<20) + `"}`, "IDPCommunicationError", "", "more than 1048576 bytes"},
		"no JSON":             {200, `user=ann`, "IDPCommunicationError", "", "JSON"},
		"nothing":             {200, ``, "IDPCommunicationError", "", "JSON"},
		"two objects":         {200, `{"user":"ann","maxValiditySeconds":3600}{"user":"root"}`, "IDPCommunicationError", "", "follows"},
		"half an object":      {200, `{"user":"ann","maxValiditySeconds":3600`, "IDPCommunicationError", "", "JSON"},
		"no user":             {200, `{"maxValiditySeconds":3600}`, "IDPCommunicationError", "", "no user"},
		"a list for a user":   {200, `{"user":["ann"],"maxValiditySeconds":3600}`, "IDPCommunicationError", "", "JSON"},
		"no validity":         {200, `{"user":"ann"}`, "IDPCommunicationError", "", "maxValiditySeconds"},
		"a short validity":    {200, `{"user":"ann","maxValiditySeconds":899}`, "IDPCommunicationError", "", "899"},
		"a long validity":     {200, `{"user":"ann","maxValiditySeconds":31536001}`, "IDPCommunicationError", "", "31536001"},
		"a negative validity": {200, `{"user":"ann","maxValiditySeconds":-3600}`, "IDPCommunicationError", "", "-3600"},
		"an endless validity": {200, `{"user":"ann","maxValiditySeconds":1e99}`, "IDPCommunicationError", "", "1e99"},
		"a list of claims":    {200, `{"user":"ann","maxValiditySeconds":3600,"claims":["a"]}`, "IDPCommunicationError", "", "JSON"},
		"refused":             {403, `{"reason":"the token \"x\" is\nold"}`, "AccessDenied", `"the token \"x\" is\nold"`, ""},
		"refused at length":   {403, `{"reason":"` + strings.Repeat("é", 1000) + `"}`, "AccessDenied", `é..."`, ""},
		"refused, no reason":  {403, `<html>`, "AccessDenied", "gives no reason", ""},
	} {
		var calls atomic.Int32
		p := open(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", "/elsewhere?token="+r.URL.Query().Get("token"))
			w.WriteHeader(tt.status)
			w.Write([]byte(tt.body))
		}, nil)
		h, err := p.Authenticate(t.Context(), "the-token")
		var r *sts.Rejection
		if h != nil || !errors.As(err, &r) || r.Code != tt.code || !strings.Contains(r.Message, tt.says) || !strings.Contains(r.Reason, tt.reason) ||
			len(r.Message) > 700 || strings.Contains(r.Error(), "the-token") || calls.Load() != 1 {
			t.Errorf("S-195 %s: %+v, %v, %d calls", name, h, err, calls.Load())
		}
	}
}

// FuzzHolder: whatever is answered, nobody is vouched for without a name, or for longer than may be.
func FuzzHolder(f *testing.F) {
	for _, s := range []string{`{"user":"ann","maxValiditySeconds":3600,"claims":{"team":"x","n":1,"sub":{}}}`, `{"user":"a","maxValiditySeconds":"900"}`, `{"User":"a","MAXVALIDITYSECONDS":900.0}`, `[]`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := holder(body)
		var r *sts.Rejection
		if err != nil {
			if h != nil || !errors.As(err, &r) {
				t.Fatalf("%+v, %v", h, err)
			}
			return
		}
		if h.User == "" || h.MaxValidity < minValidity*time.Second || h.MaxValidity > longValidity*time.Second {
			t.Fatalf("%+v", h)
		}
	})
}

// TestSlow: S-195, a plugin that takes a minute is not waited for. The limit itself is no more than 10 s.
func TestSlow(t *testing.T) {
	if callTimeout > 10*time.Second {
		t.Errorf("the limit is %v", callTimeout)
	}
	for name, begin := range map[string]bool{"no header": false, "no end": true} {
		stop := make(chan struct{})
		p := open(t, func(w http.ResponseWriter, r *http.Request) {
			if begin {
				w.Write([]byte(`{"user":`))
				w.(http.Flusher).Flush()
			}
			<-stop
		}, nil)
		if p.http.Timeout != callTimeout {
			t.Errorf("the limit in use is %v", p.http.Timeout)
		}
		p.http.Timeout = 100 * time.Millisecond
		began := time.Now()
		_, err := p.Authenticate(t.Context(), "the-token")
		close(stop)
		var r *sts.Rejection
		if !errors.As(err, &r) || r.Code != "IDPCommunicationError" || strings.Contains(r.Error(), "the-token") || time.Since(began) > 30*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}

// TestDown: who can't be reached is told of without the token.
func TestDown(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	p, err := New(Config{URL: srv.URL, Policies: []string{"p"}}, "r")
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
	_, err = p.Authenticate(t.Context(), "the-token")
	var r *sts.Rejection
	if !errors.As(err, &r) || r.Code != "IDPCommunicationError" || !strings.Contains(r.Reason, "refused") || strings.Contains(r.Error(), "the-token") {
		t.Errorf("%v", err)
	}
}

// TestVerified: the plugin's certificate is verified, by the authorities of CAFile where there is one.
func TestVerified(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"user":"ann","maxValiditySeconds":900}`))
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Config{URL: srv.URL, Policies: []string{"p"}}
	for _, ca := range []string{"", file} {
		c.CAFile = ca
		p, err := New(c, "r")
		if err != nil {
			t.Fatal(err)
		}
		h, err := p.Authenticate(t.Context(), "t")
		if ca == "" && (err == nil || !strings.Contains(err.Error(), "certificate")) || ca != "" && (err != nil || h.User != "ann") {
			t.Errorf("CA_FILE %q: %+v, %v", ca, h, err)
		}
	}
}

func TestConfig(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Config{URL: "https://auth.example.com/p", Policies: []string{"a", "b"}}
	for says, edit := range map[string]func(*Config){
		"URL is missing":            func(c *Config) { c.URL = "" },
		"URL is not":                func(c *Config) { c.URL = "ftp://auth.example.com" },
		"without user":              func(c *Config) { c.URL = "https://a:b@auth.example.com" },
		"fragment":                  func(c *Config) { c.URL += "#x" },
		"the parameter token":       func(c *Config) { c.URL += "?token=x" },
		"ROLE_POLICY is missing":    func(c *Config) { c.Policies = nil },
		"an empty value":            func(c *Config) { c.Policies = []string{"a", ""} },
		"ROLE_ID":                   func(c *Config) { c.RoleID = "a/b" },
		"AUTH_TOKEN":                func(c *Config) { c.AuthToken = "a\r\nb" },
		"CA_FILE can't be read":     func(c *Config) { c.CAFile = empty + ".not" },
		"holds no certificate":      func(c *Config) { c.CAFile = empty },
		"at most 64 letters":        func(c *Config) { c.RoleID = strings.Repeat("a", 65) },
		"URL is not a URL of http ": func(c *Config) { c.URL = "https:///p" },
	} {
		c := good
		edit(&c)
		if _, err := New(c, "r"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	// MinIO's: printf https://auth.example.com/p | openssl sha1 -binary | base64, for URLs.
	for id, want := range map[string]string{"": "arn:minio:iam:eu::role/idmp-" + hashOfURL, "My_role-1": "arn:minio:iam:eu::role/idmp-My_role-1"} {
		c := good
		c.RoleID = id
		if p, err := New(c, "eu"); err != nil || p.RoleARN() != want || !reflect.DeepEqual(p.Policies(), good.Policies) {
			t.Errorf("%q: %v", p.RoleARN(), err)
		}
	}
}

const hashOfURL = "Uot6V93KwYaDM1NynyG2P63TUVo"
