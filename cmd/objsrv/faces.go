package main

import (
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/httpd"
)

// gate serves the faces once there are any; before that only probes get more than 503.
func (p *Program) gate() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := p.faces.Load(); f != nil {
			f.ServeHTTP(w, r)
			return
		}
		if name, ok := probe(r.URL.Path); ok && p.health.Serve(w, r, name) {
			return
		}
		w.Header().Set("Retry-After", "1")
		httpd.Text(w, http.StatusServiceUnavailable, "starting")
	})
}

// probe returns the name of a health probe, under our path or MinIO's.
func probe(path string) (string, bool) {
	if name, ok := strings.CutPrefix(path, "/-/health/"); ok {
		return name, true
	}
	return strings.CutPrefix(path, "/minio/health/")
}

func (p *Program) newFaces() *httpd.Faces {
	f := &httpd.Faces{
		S3:      p.services.s3,
		Own:     http.HandlerFunc(p.own),
		Minio:   http.HandlerFunc(p.minio),
		STS:     p.services.sts,
		Domains: p.Config.Domains,
	}
	if p.Config.Browser {
		f.Page = httpd.Page(http.StatusOK, welcomePage)
	}
	return f
}

// own answers paths below /-/.
func (p *Program) own(w http.ResponseWriter, r *http.Request) {
	if name, ok := probe(r.URL.Path); ok && p.health.Serve(w, r, name) {
		return
	}
	switch path := r.URL.Path; {
	case path == "/-/metrics":
		p.services.serveMetrics(w, r)
	case path == fsckPath:
		p.services.serveFsck(w, r)
	case strings.HasPrefix(path, adminapi.Prefix):
		p.services.admin.ServeHTTP(w, r)
	default:
		httpd.Text(w, http.StatusNotFound, "not found")
	}
}

// minio answers paths below /minio/ that MinIO's clients ask for.
func (p *Program) minio(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if name, ok := probe(path); ok && p.health.Serve(w, r, name) {
		return
	}
	switch {
	case path == "/minio/v2/metrics/cluster":
		p.services.serveMetrics(w, r)
	case strings.HasPrefix(path, "/minio/admin/"), strings.HasPrefix(path, "/minio/kms/"):
		p.services.madmin.ServeHTTP(w, r)
	case strings.Contains(path, "/metrics/"):
		httpd.Text(w, http.StatusNotImplemented, "not implemented: this server has the metrics under /minio/v2/metrics/cluster")
	default:
		httpd.Text(w, http.StatusNotFound, "not found")
	}
}

const pageHead = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
	`<title>objsrv</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em}</style>`

// welcomePage is for people who open the address of S3 in a browser.
const welcomePage = pageHead + `<h1>objsrv</h1><p>This address speaks the S3 protocol. Use it with an S3 client, for example
<code>aws --endpoint-url</code> followed by this address.</p><p>This version has no web console.</p></html>
`

// consolePage is for the console's address.
const consolePage = pageHead + `<h1>objsrv</h1><p>This version has no web console. S3 is served at the server's other address.</p></html>
`

// noConsole answers on the console's address.
func noConsole() http.Handler { return httpd.Page(http.StatusNotImplemented, consolePage) }
