package main

import (
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/webui"
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
	if c := p.services.console; c != nil {
		f.Callback = c
		if p.services.config.Console.Redirect {
			f.Page = c.Front()
		}
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
	case p.services.console != nil && (strings.HasPrefix(path, webui.Prefix) || path+"/" == webui.Prefix):
		p.services.console.ServeHTTP(w, r)
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
