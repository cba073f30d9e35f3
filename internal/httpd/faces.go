package httpd

import (
	"net"
	"net/http"
	"strings"
)

// Faces chooses who answers a request. Paths are compared as they are: a ServeMux
// would clean S3's.
type Faces struct {
	S3    http.Handler
	Own   http.Handler // paths below /-/, which no bucket name can be
	Minio http.Handler // paths below /minio/, a bucket name that is reserved as in MinIO
	STS   http.Handler // POST / with an Action
	Page  http.Handler // GET / of a browser; nil for none
	// Callback answers where identity providers send browsers back, at MinIO's path; nil for nobody. No
	// bucket can have the name.
	Callback http.Handler
	// Domains are the suffixes of virtual-host-style requests, lower-case: there every
	// path is a key and belongs to S3.
	Domains []string
}

// ServeHTTP implements http.Handler.
func (f *Faces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.pick(r).ServeHTTP(w, r)
}

func (f *Faces) pick(r *http.Request) http.Handler {
	path := r.URL.Path
	if len(path) > 1 && path[1] != '-' && path[1] != 'm' && path[1] != 'o' {
		return f.S3
	}
	switch {
	case f.virtualHost(r.Host):
		return f.S3
	case path == "/-" || strings.HasPrefix(path, "/-/"):
		return f.Own
	case path == "/minio" || strings.HasPrefix(path, "/minio/"):
		return f.Minio
	case path == callbackPath && f.Callback != nil:
		return f.Callback
	case path == "/" && isAction(r):
		return f.STS
	case path == "/" && f.Page != nil && isBrowser(r):
		return f.Page
	}
	return f.S3
}

// callbackPath is MinIO's, as it is registered with identity providers.
const callbackPath = "/oauth_callback"

// virtualHost tells whether host is a subdomain of a domain for buckets.
func (f *Faces) virtualHost(host string) bool {
	if len(f.Domains) == 0 {
		return false
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	for _, d := range f.Domains {
		if prefix, ok := strings.CutSuffix(host, d); ok && len(prefix) > 1 && strings.HasSuffix(prefix, ".") {
			return true
		}
	}
	return false
}

// isAction tells a call of an AWS Query API (STS, IAM) from S3, which has no POST on
// the service: a form, or an Action in the query.
func isAction(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") ||
		r.URL.Query().Has("Action")
}

// isBrowser tells a person who typed the address from a client of S3, which signs or
// asks for no HTML.
func isBrowser(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.RawQuery == "" &&
		r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}
