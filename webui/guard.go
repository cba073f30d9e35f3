package webui

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/internal/strictjson"
)

// guard refuses what a page of somebody else could make a browser send (S-203): changes from another origin
// by what the browser says of it, and the types of forms, which need no leave of CORS.
func (v *visit) guard() error {
	asked := *v.r
	asked.Host = v.host() // which a trusted proxy tells
	if err := v.origin.Check(&asked); err != nil {
		return &refusal{http.StatusForbidden, "CrossOrigin", "The request comes from a page of another origin. If this is the console's own page behind a proxy, " +
			"let the proxy pass the Host header on, or set OBJSRV_PUBLIC_URL to the address that the browser shows."}
	}
	if v.r.Header.Get("Upgrade") != "" {
		return &refusal{http.StatusNotImplemented, "NotImplemented", "The console does not speak WebSocket."}
	}
	if v.r.Method != http.MethodPost {
		return nil // nobody's form sends it, and a script of another origin has to ask first
	}
	kind := v.r.Header.Get("Content-Type")
	if kind == "" {
		return nil
	}
	switch plain, _, err := mime.ParseMediaType(kind); {
	case err == nil && (plain == "application/json" || plain == "application/xml" || plain == "application/octet-stream"):
		return nil
	}
	// The type of a request to S3 is that of an object. A browser that says where the page is from has said, to
	// Check, that it is ours.
	if strings.HasPrefix(v.rest, "s3/") && (v.r.Header.Get("Sec-Fetch-Site") == "same-origin" || v.r.Header.Get("Origin") != "") {
		return nil
	}
	return &refusal{http.StatusUnsupportedMediaType, "UnsupportedMediaType",
		"The body of a POST is application/json, application/xml or application/octet-stream here; the type of an object goes into " + typeHeader + "."}
}

// foreign tells whether another site's page has made the browser send the request. The session's cookie
// would not be with it; where an old browser sends it, or where the other origin is of the same site, it
// does not count.
func (v *visit) foreign() bool {
	switch v.r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return true
}

// maxJSON bounds the bodies that the console reads itself.
const maxJSON = 1 << 20

// read reads a JSON body strictly.
func (v *visit) read(into any) error {
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &refusal{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The body is application/json here."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, maxJSON))
	if err != nil {
		return err
	}
	v.ev.BytesIn += int64(len(body))
	if err := strictjson.Decode(body, into); err != nil {
		return badRequest("The body is not what is expected: " + err.Error() + ".")
	}
	return nil
}

// raw is a document as it is.
type raw = json.RawMessage
