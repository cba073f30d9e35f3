package s3api

import (
	"strings"
	"testing"
)

// TestContained: S-207, stored documents have no part in the origin of the server's own pages, whatever
// their types are called, and what is shown without running anything is left alone.
func TestContained(t *testing.T) {
	for _, contained := range []bool{true, false} {
		e := newEnv(t)
		e.s.Contained = contained
		for kind, document := range map[string]bool{
			"text/html": true, "TEXT/HTML; charset=utf-8": true, "application/xhtml+xml": true, "image/svg+xml": true, "text/xml": true, "application/xml": true,
			"text/xsl": true, "application/rdf+xml": true, "multipart/x-mixed-replace; boundary=x": true, "multipart/related": true, "application/vnd.anything": true,
			"text/javascript": true, "nonsense": true, "image/": true, "text/html;": true, " text/html": true, "message/rfc822": true,
			"": false, "application/octet-stream": false, "text/plain; charset=utf-8": false, "image/png": false, "video/mp4": false, "application/pdf": false, "application/json": false,
		} {
			header := []string{"Content-Type: " + kind}
			if kind == "" {
				header = nil
			}
			e.must(200, "PUT", "/bkt/k", "<script>", header...)
			for _, method := range []string{"GET", "HEAD"} {
				a := e.must(200, method, "/bkt/k", "")
				policy := a.Get("Content-Security-Policy")
				if (policy != "") != (document && contained) || strings.Contains(policy, "allow-same-origin") {
					t.Errorf("%s %q, contained %v: %q", method, kind, contained, policy)
				}
				if a.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s %q: sniffed", method, kind)
				}
			}
		}
		e.must(200, "PUT", "/bkt/k", "<script>", "Content-Type: text/plain")
		if got := e.must(200, "GET", "/bkt/k?response-content-type=text/html", "").Get("Content-Security-Policy"); (got != "") != contained {
			t.Errorf("the type of the request, contained %v: %q", contained, got)
		}
	}
}
