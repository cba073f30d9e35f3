package webui

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/objsrv/objsrv/sts/oidc"
)

// host is where the browser has sent the request, as a trusted proxy tells it, without anything that is no
// part of an address.
func (v *visit) host() string {
	host := v.r.Host
	if told := v.Proxies.Forwarded(v.r, "X-Forwarded-Host"); told != "" {
		host = told
	}
	if strings.ContainsAny(host, "/\\?#@ \t\"'<>") {
		return ""
	}
	return host
}

func (v *visit) scheme() string {
	if v.ev.TLS {
		return "https"
	}
	return "http"
}

// s3URL is where S3 is reached, without a slash at its end: as it is set, else where this request has come
// from.
func (v *visit) s3URL() string {
	if v.ServerURL != nil {
		return strings.TrimSuffix(v.ServerURL.String(), "/")
	}
	host := v.host()
	if v.port != "" {
		name := host
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
		host = net.JoinHostPort(strings.Trim(name, "[]"), v.port)
	}
	return v.scheme() + "://" + host
}

// publicBase is the console's address without a slash at its end: as it is set, else where this request has
// come from. forwarded has a trusted proxy say the path under which it serves the console.
func (v *visit) publicBase(forwarded bool) string {
	if v.PublicURL != nil && !forwarded {
		return strings.TrimSuffix(v.PublicURL.String(), "/")
	}
	base := v.scheme() + "://" + v.host()
	if path := v.Proxies.Forwarded(v.r, "X-Forwarded-Prefix"); strings.HasPrefix(path, "/") {
		base += (&url.URL{Path: strings.TrimRight(path, "/")}).EscapedPath()
	}
	return base
}

// redirectAddress is where a provider is to send browsers back: as it is set for the provider; made from
// each request when REDIRECT_URI_DYNAMIC asks for that; else below the console's public address.
func (v *visit) redirectAddress(c oidc.Config) string {
	if c.RedirectURI != "" {
		return c.RedirectURI
	}
	return v.publicBase(c.RedirectURIDynamic) + callbackPath
}

// Front answers GET / of a browser: it is sent to the console.
func (o *Console) Front() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := "." + Prefix
		if o.PublicURL != nil {
			to = strings.TrimSuffix(o.PublicURL.String(), "/") + Prefix
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept, Authorization")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	})
}

// Apart answers on a listener that is the console's alone. port is that of S3.
func (o *Console) Apart(port string) http.Handler {
	front := o.Front()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			front.ServeHTTP(w, r)
			return
		}
		o.serve(w, r, port)
	})
}
