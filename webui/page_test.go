package webui

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFraming: S-204, no page of anybody shows the console's in a frame, nothing runs but its own scripts, and each
// document has its own nonce.
func TestFraming(t *testing.T) {
	s := newSite(t, options{change: func(c *Config) {
		c.Headers = Headers{HSTS: "max-age=60", ContentSecurity: "frame-ancestors https://portal.example; script-src *"}
	}, tls: true})
	b := s.browser()
	seen := map[string]bool{}
	for _, path := range []string{"", "", "/oauth_callback"} {
		h := b.do("GET", path, "").Header
		policies := h.Values("Content-Security-Policy")
		if len(policies) != 2 || !strings.Contains(policies[0], "frame-ancestors 'none'") || !strings.Contains(policies[0], "default-src 'none'") || strings.Contains(policies[0], "unsafe-eval") {
			t.Errorf("%q: %q", path, policies)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("Strict-Transport-Security") != "max-age=60" {
			t.Errorf("%q: %v", path, h)
		}
		if path == "" {
			if strings.Contains(policies[0], "unsafe-inline") || seen[policies[0]] {
				t.Errorf("%q", policies)
			}
			seen[policies[0]] = true
		}
	}
	r := b.do("GET", "", "")
	_, nonce, _ := strings.Cut(r.body, "nonce=")
	nonce, _, _ = strings.Cut(nonce, ">")
	if len(nonce) < 22 || !strings.Contains(r.Header.Get("Content-Security-Policy"), "style-src 'self' 'nonce-"+nonce+"'") {
		t.Errorf("the nonce %q of %s is not that of %v", nonce, r.body, r.Header)
	}
	if h := newSite(t, options{}).browser().do("GET", "", "").Header; h.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over plain HTTP")
	}
}

// TestAssets: files of the pages come in a form that the browser takes, for ever where their names have hashes.
func TestAssets(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("script"))
	z.Close()
	s := newSite(t, options{change: func(c *Config) {
		c.App = fstest.MapFS{
			"index.html": {Data: []byte("page")}, "assets/a.js.gz": {Data: packed.Bytes()}, "assets/b.css": {Data: []byte("styles")}, "assets/b.css.br": {Data: []byte("brotli")},
			"icon.svg": {Data: []byte("<svg/>")}, "secret.bin": {Data: []byte("x")},
		}
	}})
	b := s.browser()
	for _, tt := range []struct {
		path, accept string
		status       int
		body         string
		encoding     string
		forever      bool
	}{
		{"assets/a.js", "gzip, br", 200, packed.String(), "gzip", true},
		{"assets/a.js", "br;q=1, gzip;q=0", 200, "script", "", true},
		{"assets/a.js", "", 200, "script", "", true},
		{"assets/b.css", "gzip, deflate, br", 200, "brotli", "br", true},
		{"assets/b.css", "gzip;q=0.5, br;q=0.0", 200, "styles", "", true},
		{"icon.svg", "gzip", 200, "<svg/>", "", false},
		{"assets/a.js.gz", "gzip", 404, "", "", false},
		{"assets/", "gzip", 404, "", "", false},
		{"assets/../index.html", "", 404, "", "", false},
		{"index.html", "", 404, "", "", false},
		{"secret.bin", "", 404, "", "", false},
		{"assets/none.js", "", 404, "", "", false},
	} {
		r := b.do("GET", tt.path, "", "Accept-Encoding: "+tt.accept)
		h := r.Header
		if r.StatusCode != tt.status || tt.status == 200 && r.body != tt.body || h.Get("Content-Encoding") != tt.encoding || strings.Contains(h.Get("Cache-Control"), "immutable") != tt.forever {
			t.Errorf("%s for %q: %s %q %v", tt.path, tt.accept, r.Status, r.body, h)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || tt.status == 200 && h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", tt.path, h)
		}
	}
	if r := b.do("HEAD", "assets/a.js", "", "Accept-Encoding: identity"); r.StatusCode != http.StatusOK || r.body != "" {
		t.Error(r.Status)
	}
}

// TestBuild: the pages of this build are there, and what their document names.
func TestBuild(t *testing.T) {
	app := embeddedApp()
	page, err := fs.ReadFile(app, indexFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, []byte(noncePlace)) {
		t.Error("the document has no place for the nonce")
	}
	b := newSite(t, options{change: func(c *Config) { c.App = nil }}).browser()
	for part := range strings.SplitSeq(string(page), `"./`) {
		if name, _, ok := strings.Cut(part, `"`); ok && strings.HasPrefix(name, "assets/") {
			b.want(200, b.do("GET", name, ""))
		}
	}
	for _, other := range []string{"http://", "https://", `"//`} {
		if bytes.Contains(page, []byte(other)) {
			t.Errorf("the document names another host: %s", page)
		}
	}
}
