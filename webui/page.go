package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"errors"
	"html"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// dist are the pages as `make console` has built them.
//
//go:embed all:dist
var dist embed.FS

func embeddedApp() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for a name that is no path
	}
	return sub
}

const (
	indexFile  = "index.html"
	noncePlace = "__CSP_NONCE__" // where index.html has the nonce of its styles
)

// Headers are what an administrator sets about the answers with pages.
type Headers struct {
	// HSTS is the value of Strict-Transport-Security over TLS; "" sends none.
	HSTS string
	// ContentSecurity is a further policy. Browsers keep to all policies of a page, so that it can only forbid more.
	ContentSecurity string
	// Referrer is the value of Referrer-Policy; "" means no-referrer.
	Referrer string
}

// contentPolicy is that of the document; nonce is for styles that the component library makes.
func contentPolicy(nonce string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data: blob:; media-src 'self' blob:; " +
		"font-src 'self'; connect-src 'self'; frame-src blob: 'self'; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// documentHeaders are those of every page.
func (v *visit) documentHeaders(policy string) {
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	if v.Headers.ContentSecurity != "" {
		h.Add("Content-Security-Policy", v.Headers.ContentSecurity)
	}
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	if v.Headers.Referrer != "" {
		h.Set("Referrer-Policy", v.Headers.Referrer)
	}
	if v.Headers.HSTS != "" && v.secure() {
		h.Set("Strict-Transport-Security", v.Headers.HSTS)
	}
}

// failedLogin answers a person whose login has gone wrong on the way, when there is nothing that the pages
// could do about it.
func (v *visit) failedLogin(status int, why string) error {
	v.ev.Code = "LoginFailed"
	v.documentHeaders("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	page := `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Login failed</title>` +
		`<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em}</style><h1>The login has failed</h1><p>` +
		html.EscapeString(why+" "+v.seeLog()) + `</p><p><a href=".` + Prefix + `">Begin again</a></p></html>` + "\n"
	v.w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	v.ev.Status = status
	v.w.WriteHeader(status)
	if _, err := io.WriteString(v.w, page); err != nil {
		v.ev.Err = err
	}
	return nil
}

// index sends the one document that the pages are.
func (v *visit) index() error {
	nonce := rand.Text()
	page := bytes.ReplaceAll(v.page, []byte(noncePlace), []byte(nonce))
	v.documentHeaders(contentPolicy(nonce))
	v.w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	v.w.WriteHeader(http.StatusOK)
	if v.r.Method != http.MethodHead {
		v.w.Write(page)
	}
	return nil
}

// contentTypes are those of files that pages consist of. That of the system's tables would differ between machines.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp", ".jpg": "image/jpeg",
	".woff": "font/woff", ".woff2": "font/woff2", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
	".txt": "text/plain; charset=utf-8", ".map": "application/json",
}

// compressed are the forms in which a file may be there beside itself, or instead.
var compressed = []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// asset sends a file of the pages. Those below assets/ have the hash of their content in their names.
func (v *visit) asset(name string) error {
	kind, known := contentTypes[path.Ext(name)]
	if !known || !fs.ValidPath(name) || name == indexFile {
		return errNothing
	}
	h := v.w.Header()
	file, encoding, err := v.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errNothing
	}
	if err != nil {
		return err
	}
	defer file.Close()
	h.Set("Content-Type", kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox") // of a picture that is opened as a document
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	if seeker, ok := file.(io.ReadSeeker); ok {
		http.ServeContent(v.w, v.r, "", time.Time{}, seeker)
		return nil
	}
	v.w.WriteHeader(http.StatusOK)
	if v.r.Method != http.MethodHead {
		_, err = io.Copy(v.w, file)
	}
	if err != nil {
		v.ev.Err = err
	}
	return nil
}

// open finds the form of a file that the browser takes; one that is there in gzip alone is decoded for
// others.
func (v *visit) open(name string) (f io.ReadCloser, encoding string, err error) {
	accepted := v.r.Header.Get("Accept-Encoding")
	for _, c := range compressed {
		if !accepts(accepted, c.encoding) {
			continue
		}
		if f, err := v.App.Open(name + c.suffix); err == nil {
			return f, c.encoding, nil
		}
	}
	if f, err := v.App.Open(name); !errors.Is(err, fs.ErrNotExist) {
		return f, "", err
	}
	packed, err := v.App.Open(name + ".gz")
	if err != nil {
		return nil, "", err
	}
	z, err := gzip.NewReader(packed)
	if err != nil {
		packed.Close()
		return nil, "", err
	}
	return unpacked{z, packed}, "", nil
}

// unpacked reads a file that is kept in gzip.
type unpacked struct {
	*gzip.Reader
	file io.Closer
}

// Close implements io.Closer.
func (u unpacked) Close() error { return u.file.Close() }

// accepts tells whether Accept-Encoding has an encoding, not with a weight of zero.
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			weight := strings.ReplaceAll(params, " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}
