package webui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"

	"github.com/objsrv/objsrv/internal/reqlog"
)

// maxAnswer bounds the answers that are read here: a page of a list is less.
const maxAnswer = 8 << 20

// ask sends a request of the session's to a face of this program. It has an event of its own under the same
// request id, so that what is said of the browser's request stays as it is.
func (v *visit) ask(s *session, face http.Handler, w http.ResponseWriter, method, path string, query url.Values, body []byte) {
	ev := *v.ev
	ev.Bucket, ev.Key, ev.Version = "", "", ""
	r := &http.Request{
		Method: method, URL: &url.URL{Path: path, RawQuery: query.Encode()}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "localhost",
		Header: http.Header{"User-Agent": {v.r.UserAgent()}}, RemoteAddr: v.r.RemoteAddr, TLS: v.r.TLS,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	r.RequestURI = r.URL.RequestURI()
	sum := sha256.Sum256(body)
	v.sign(s, r, hex.EncodeToString(sum[:]))
	defer func() { // also when the face cuts its answer
		if ev.Err != nil && v.ev.Err == nil {
			v.ev.Err = ev.Err
		}
	}()
	face.ServeHTTP(w, r.WithContext(reqlog.With(r.Context(), &ev)))
}

// answer keeps an answer, up to maxAnswer bytes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(p) > maxAnswer {
		return 0, io.ErrShortWrite
	}
	return a.body.Write(p)
}
