package webui

import (
	"fmt"
	"strings"
	"testing"
)

// TestStoredContent: S-207 and S-081, what is stored never runs on the console's origin: by the console it is a download or a
// preview in a sandbox without scripts, by S3 a document of another origin.
func TestStoredContent(t *testing.T) {
	s := newSite(t, options{})
	b := s.browser().login(rootUser, rootPassword)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	for key, kind := range map[string]string{
		"x.html": "text/html", "x.pdf": "text/html", "x.svg": "image/svg+xml", "x.xhtml": "application/xhtml+xml", "x.xml": "text/xml", "x.txt": "text/plain", "nothing": "",
		"real.pdf": "application/pdf", "picture.png": "image/png", "evil.js": "text/javascript", "unknown": "application/x-unknown", "upper": "TEXT/HTML;charset=x",
	} {
		b.want(200, b.do("PUT", "s3/bucket/"+key, "<script>alert(1)</script>", "X-Objsrv-Content-Type: "+kind,
			"Content-Disposition: inline; filename=\"stored.html\"", "Cache-Control: public, max-age=1000", "Expires: Thu, 01 Jan 2099 00:00:00 GMT"))
		for _, query := range []string{"", "?inline=1", "?response-content-type=text/html", "?inline=1&response-content-disposition=inline"} {
			for _, more := range []string{"", "Range: bytes=0-3"} {
				var headers []string
				if more != "" {
					headers = []string{more}
				}
				r := b.do("GET", "s3/bucket/"+key+query, "", headers...)
				name := fmt.Sprint(key, query, more)
				h := r.Header
				if r.StatusCode != 200 && r.StatusCode != 206 {
					t.Errorf("%s: %s", name, r.Status)
				}
				policy := h.Values("Content-Security-Policy")
				if len(policy) != 1 || !strings.Contains(policy[0], "sandbox;") || strings.Contains(policy[0], "allow-") || !strings.Contains(policy[0], "default-src 'none'") ||
					h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "SAMEORIGIN" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
					t.Errorf("%s: %v", name, h)
				}
				want := "attachment"
				if strings.Contains(query, "inline=1") {
					want = "inline"
				}
				if !strings.HasPrefix(h.Get("Content-Disposition"), want+";") {
					t.Errorf("%s: %q", name, h.Get("Content-Disposition"))
				}
				if h.Get("Cache-Control") != "private, no-cache" || h.Get("Expires") != "" {
					t.Errorf("%s: kept by a cache: %v", name, h)
				}
				if h.Get("X-Objsrv-Cache-Control") != "public, max-age=1000" || h.Get("X-Objsrv-Expires") != "Thu, 01 Jan 2099 00:00:00 GMT" {
					t.Errorf("%s: the page is not told what is stored: %v", name, h)
				}
			}
		}
	}
	for _, r := range []*reply{b.do("GET", "s3/bucket/missing", ""), b.do("GET", "s3/bucket?policy", ""), b.do("GET", "s3/nosuch/k?inline=1", "")} {
		if r.StatusCode != 404 || !strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox;") {
			t.Errorf("an error: %s %v", r.Status, r.Header)
		}
	}
	// On the S3 face, which has the same origin: TestContained of package s3api.
	link := b.link(shareRequest{Bucket: "bucket", Key: "x.html", ExpiresIn: 60})
	stranger := s.browser()
	if got := stranger.want(200, stranger.do("GET", link.URL, "")).Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox ") || strings.Contains(got, "allow-same-origin") {
		t.Errorf("S3: %q", got)
	}
}

// TestNames: an object's download has its name, whatever it is.
func TestNames(t *testing.T) {
	s := newSite(t, options{})
	b := s.browser().login(rootUser, rootPassword)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	for escaped, want := range map[string]string{
		"a/plain.txt": "attachment; filename=plain.txt", "a%22;b": `attachment; filename="a\";b"`, "gr%C3%BC%C3%9Fe": "attachment; filename*=utf-8''gr%C3%BC%C3%9Fe",
		"line%0D%0ASet-Cookie:%20a=b": "attachment; filename*=utf-8''line%0D%0ASet-Cookie%3A%20a%3Db",
	} {
		b.want(200, b.do("PUT", "s3/bucket/"+escaped, "x"))
		r := b.want(200, b.do("GET", "s3/bucket/"+escaped, ""))
		if got := r.Header.Get("Content-Disposition"); got != want || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %q, want %q", escaped, got, want)
		}
	}
}
