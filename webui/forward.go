package webui

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/iam/iamzip"
	"github.com/objsrv/objsrv/sigv4"
)

// typeHeader has the Content-Type that S3 gets. A POST may not have any type of a form itself, see guard.
const typeHeader = "X-Objsrv-Content-Type"

// Limits of bodies that are read before they are handed on.
const (
	maxDocument = 4 << 20 // XML of S3: the longest is a list of 1000 keys to delete
	maxAdmin    = 1 << 20 // of the administration
	maxArchive  = iamzip.MaxSize
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// inside makes the request that a client of the program's own would send: with the path, without what
// speaks of the browser's connection or proves who it is.
func (v *visit) inside(decoded, escaped string) *http.Request {
	r := v.r.Clone(v.r.Context())
	r.URL = &url.URL{Path: decoded, RawPath: escaped, RawQuery: v.r.URL.RawQuery}
	r.RequestURI = r.URL.RequestURI()
	r.Host = "localhost" // never a virtual host
	for name := range r.Header {
		switch {
		case strings.HasPrefix(name, "X-Forwarded-"), strings.HasPrefix(name, "Sec-"), strings.HasPrefix(name, "Access-Control-"):
			delete(r.Header, name)
		}
	}
	for _, name := range []string{"Authorization", "Cookie", "Origin", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Accept-Encoding",
		"X-Amz-Date", "X-Amz-Security-Token", typeHeader} {
		r.Header.Del(name)
	}
	return r
}

// sign makes r a request of the session. The clock is the one that the signature is verified by.
func (v *visit) sign(s *session, r *http.Request, payload string) {
	signer := sigv4.Signer{AccessKey: s.cred.AccessKey, Secret: s.cred.Secret, SessionToken: s.cred.SessionToken, Region: v.Region, Service: "s3"}
	signer.SignHeader(r, payload, v.Now())
}

// s3 hands a request on to S3. Bodies stream both ways.
func (v *visit) s3() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	r := v.inside(strings.TrimPrefix(v.rest, "s3"), "")
	if kind := v.r.Header.Get(typeHeader); kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	inline, err := takeInline(r.URL)
	if err != nil {
		return err
	}
	if err := v.addDigest(r); err != nil {
		return err
	}
	payload := unsignedPayload
	if v.r.Header.Get("X-Amz-Content-Sha256") == "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
		payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	}
	v.sign(s, r, payload)
	v.w.Header().Del("Cache-Control")
	v.S3.ServeHTTP(&contained{ResponseWriter: v.w, object: v.r.Method == http.MethodGet && isObject(v.rest), inline: inline, name: path.Base(v.rest)}, r)
	return nil
}

// takeInline removes the console's own parameter from a query.
func takeInline(u *url.URL) (inline bool, err error) {
	var kept []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		switch part {
		case "inline=1":
			inline = true
		case "":
		default:
			kept = append(kept, part)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	return inline, nil
}

// isObject tells whether a path below s3/ names an object.
func isObject(rest string) bool {
	_, key, _ := strings.Cut(strings.TrimPrefix(rest, "s3/"), "/")
	return key != ""
}

// addDigest adds the digest that S3 wants with some documents. Browsers have no MD5, and without TLS no hash
// at all.
func (v *visit) addDigest(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/xml" || v.r.Header.Get(typeHeader) != "" || r.ContentLength <= 0 || r.ContentLength > maxDocument || r.Header.Get("Content-Md5") != "" {
		return nil
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") || strings.HasPrefix(name, "X-Amz-Sdk-Checksum-") || name == "X-Amz-Trailer" {
			return nil
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, r.Body, maxDocument))
	if err != nil {
		return err
	}
	sum := md5.Sum(body)
	r.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

// administer hands a request on to the administration, which signs the hash of a body.
func (v *visit) administer() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	escaped, ok := strings.CutPrefix(v.r.URL.EscapedPath(), Prefix+"admin/")
	if !ok {
		return errNothing
	}
	r := v.inside(v.AdminPrefix+strings.TrimPrefix(v.rest, "admin/"), v.AdminPrefix+escaped)
	limit := int64(maxAdmin)
	if r.ContentLength > limit && v.IAM.Authorize(&iam.Request{Identity: s.cred.Identity, Action: adminapi.ActionImportIAM, Conditions: v.conditions()}).Allowed {
		limit = maxArchive // nobody else has so much kept in memory
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, r.Body, limit))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.TransferEncoding = nil
	v.sign(s, r, hex.EncodeToString(sum[:]))
	if r.Method == http.MethodGet { // it may be a stream
		ctx, stop := v.during(s)
		defer stop()
		r = r.WithContext(ctx)
	}
	v.Admin.ServeHTTP(v.w, r)
	return nil
}

// during returns a context that ends with the session: who is logged out sees no more of a stream.
func (v *visit) during(s *session) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(v.r.Context())
	go func() {
		for {
			changed := v.IAM.Changed() // before the look, so that nothing happens in between
			if v.good(&s.ticket) != nil {
				cancel()
				return
			}
			select {
			case <-changed:
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}

// lookAgain is how late a stream ends whose session has expired, at the latest.
const lookAgain = 10 * time.Second

// contained has stored content kept from the console's origin (S-207): a browser that shows it as a document
// gives it an origin of its own without scripts, and unless a page asks for a preview it is a download.
type contained struct {
	http.ResponseWriter
	object, inline bool
	name           string // of the download
	begun          bool
}

// storedPolicy is that of stored content. Pictures in SVG have styles within them.
const storedPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"

// Unwrap serves http.ResponseController.
func (c *contained) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (c *contained) WriteHeader(status int) {
	if status >= 200 && !c.begun {
		c.begun = true
		h := c.Header()
		h.Set("Content-Security-Policy", storedPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		// What is stored with an object is for who fetches it without a session; here it may be asked only whether
		// it has changed.
		for _, name := range []string{"Cache-Control", "Expires"} {
			if stored := h.Get(name); stored != "" {
				h.Set("X-Objsrv-"+name, stored) // for the page that shows and changes it
			}
		}
		h.Set("Cache-Control", "private, no-cache")
		h.Del("Expires")
		if c.object && h.Get("Etag") != "" && (status == http.StatusOK || status == http.StatusPartialContent) {
			c.disposition(h)
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

// disposition makes the answer a download under the name that it was stored with, else that of its key.
func (c *contained) disposition(h http.Header) {
	name := c.name
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		name = params["filename"]
	}
	way := "attachment"
	if c.inline {
		way = "inline"
	}
	if value := mime.FormatMediaType(way, map[string]string{"filename": name}); value != "" {
		way = value
	}
	h.Set("Content-Disposition", way)
}

// Write implements io.Writer.
func (c *contained) Write(p []byte) (int, error) {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
	return c.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (c *contained) Flush() {
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}
