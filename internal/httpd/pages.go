package httpd

import (
	"encoding/xml"
	"io"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// Text answers with a line of plain text. For HEAD only the header is sent.
func Text(w http.ResponseWriter, status int, line string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(line)+1))
	w.WriteHeader(status)
	io.WriteString(w, line+"\n")
}

// Page serves one small HTML document at every path, without script and unframed.
func Page(status int, html string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Length", strconv.Itoa(len(html)))
		w.WriteHeader(status)
		io.WriteString(w, html)
	})
}

// queryError is the error document of the AWS Query APIs.
type queryError struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// NoSTS answers calls of the Security Token Service with 501.
func NoSTS(w http.ResponseWriter, r *http.Request) {
	e := reqlog.From(r.Context())
	e.Op, e.Code = "STS", "NotImplemented"
	doc, err := xml.Marshal(queryError{Type: "Sender", Code: e.Code, RequestID: e.ID,
		Message: "This server does not implement the Security Token Service."})
	if err != nil {
		Text(w, http.StatusInternalServerError, "error document: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
	w.WriteHeader(http.StatusNotImplemented)
	w.Write(doc)
}
