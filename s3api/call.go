package s3api

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// needBucket returns the request's bucket, or NoSuchBucket.
func (c *call) needBucket() (*storage.Bucket, error) {
	if c.b == nil {
		return nil, errNoSuchBucket(c.bucket)
	}
	return c.b, nil
}

func errNoSuchBucket(name string) *Error {
	return errorf("NoSuchBucket", "The specified bucket does not exist").with("BucketName", name)
}

// body returns the decoded, verifying body of the request.
func (c *call) body() (io.Reader, int64, func() map[string]string, error) {
	b, err := c.s.verify.Body(c.r, &c.auth, c.secret)
	if err != nil {
		return nil, 0, nil, err
	}
	return b.Reader, b.Length, b.Trailer, nil
}

// readBody reads a small body whole. It is returned only when its signature, Content-MD5 and
// checksum hold. needSum asks for one of the latter two, as S3 does of DeleteObjects and fellows.
func (c *call) readBody(limit int64, needSum bool) ([]byte, error) {
	if c.document != nil {
		return c.document, nil
	}
	r, length, trailer, err := c.body()
	if err != nil {
		return nil, err
	}
	if length > limit {
		return nil, errorf("EntityTooLarge", "Your request is larger than the %d bytes allowed for this operation.", limit)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, errorf("EntityTooLarge", "Your request is larger than the %d bytes allowed for this operation.", limit)
	}
	c.ev.BytesIn += int64(len(data))
	return data, c.checkSums(data, trailer(), needSum)
}

// checkSums verifies Content-MD5 and x-amz-checksum-* of a small body.
func (c *call) checkSums(data []byte, trailer map[string]string, need bool) error {
	if v := c.r.Header.Get("Content-Md5"); v != "" {
		want, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(want) != md5.Size {
			return errorf("InvalidDigest", "The Content-MD5 you specified is not valid.").with("Content-MD5", v)
		}
		got := md5.Sum(data)
		if subtle.ConstantTimeCompare(got[:], want) == 0 {
			return errorf("BadDigest", "The Content-MD5 you specified did not match what we received.").
				with("ExpectedDigest", v).with("CalculatedDigest", base64.StdEncoding.EncodeToString(got[:]))
		}
		need = false
	}
	want, err := wantedChecksum(c.r.Header, trailer)
	if err != nil {
		return err
	}
	if want.alg != checksum.None {
		h := want.alg.New()
		h.Write(data)
		if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want.value {
			return errorf("BadDigest", "The %s you specified did not match the calculated checksum.", want.alg)
		}
		need = false
	}
	if need {
		return errorf("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	return nil
}

// maxXML bounds the XML bodies of bucket settings; those with lists have their own.
const maxXML = 1 << 20

// readXML reads and decodes an XML body into v, whose XMLName gives the root element.
func (c *call) readXML(limit int64, needSum bool, v any) error {
	data, err := c.readBody(limit, needSum)
	if err != nil {
		return err
	}
	return decodeXML(data, v)
}

func decodeXML(data []byte, v any) error {
	if err := s3xml.Decode(data, v); err != nil {
		e := errMalformedXML()
		e.cause = err
		return e
	}
	return nil
}

// intParam reads an integer query parameter within a range; def when it is absent.
func (c *call) intParam(name string, def, low, high int) (int, error) {
	if !c.query.Has(name) || c.query.Get(name) == "" {
		return def, nil
	}
	n, err := strconv.Atoi(c.query.Get(name))
	if err != nil || n < low || n > 1<<31-1 {
		return 0, errorf("InvalidArgument", "Provided %s not an integer or within integer range", name).
			with("ArgumentName", name).with("ArgumentValue", c.query.Get(name))
	}
	return min(n, high), nil
}

// replyXML answers with a document.
func (c *call) replyXML(status int, doc []byte) error {
	h := c.w.Header()
	h["Content-Type"] = xmlType
	h["Content-Length"] = []string{itoa(len(doc))}
	c.ev.Status = status
	c.w.WriteHeader(status)
	n, err := c.w.Write(doc)
	c.ev.BytesOut += int64(n)
	return sent(err)
}

var xmlType = []string{"application/xml"}

// reply answers without a body.
func (c *call) reply(status int) error {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		c.w.Header()["Content-Length"] = zeroLength
	}
	c.ev.Status = status
	c.w.WriteHeader(status)
	return nil
}

var zeroLength = []string{"0"}

// errSent marks a failure after the status line has gone out: nothing more can be said.
type errSent struct{ error }

func (e errSent) Unwrap() error { return e.error }

func sent(err error) error {
	if err == nil {
		return nil
	}
	return errSent{err}
}

// replyError writes the error document, or cuts the connection when the answer has begun, so that
// a client never takes a part for the whole.
func (c *call) replyError(err error) {
	var s errSent
	if errors.As(err, &s) {
		c.ev.Err = s.error
		panic(http.ErrAbortHandler)
	}
	e := toError(err)
	c.keepRefusal(e, c.action(), c.key)
	c.ev.Status, c.ev.Code = e.status(), e.Code
	if e.status() >= 500 && e.status() != http.StatusNotImplemented {
		c.ev.Err = err
	}
	h := c.w.Header()
	for k, v := range e.Header {
		h[k] = v
	}
	if c.r.Method == http.MethodHead || e.status() == http.StatusNotModified {
		if e.status() != http.StatusNotModified {
			// The answer to HEAD has no document. MinIO's clients read this header instead; without it every 403 is
			// AccessDenied to them, and `mc alias set` takes a wrong secret for a right one. For other statuses they
			// have texts of their own, which callers compare.
			h["X-Minio-Error-Code"] = []string{e.Code}
			if e.status() == http.StatusForbidden {
				h["X-Minio-Error-Desc"] = []string{strconv.QuoteToASCII(e.Message)}
			}
		}
		c.reply(e.status())
		return
	}
	var doc s3xml.Writer
	control := c.level == accountLevel || c.level == controlLevel
	if control { // S3 Control wraps its errors
		doc.StartIn("ErrorResponse", s3xml.ControlNamespace)
		doc.Open("Error")
	} else {
		doc.Start("Error", false)
	}
	doc.Elem("Code", e.Code)
	doc.Elem("Message", e.Message)
	for _, f := range e.Fields {
		doc.Elem(f.Name, f.Value)
	}
	doc.Elem("Resource", c.r.URL.Path)
	doc.Elem("RequestId", c.ev.ID)
	doc.Elem("HostId", "objsrv")
	if control {
		doc.Close("Error")
		doc.Elem("RequestId", c.ev.ID)
		c.replyXML(e.status(), doc.End("ErrorResponse"))
		return
	}
	c.replyXML(e.status(), doc.End("Error"))
}

type readCloser struct {
	io.Reader
	io.Closer
}

func itoa(n int) string { return strconv.Itoa(n) }

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// quoteETag returns an ETag as headers and documents have it.
func quoteETag(etag string) string { return `"` + etag + `"` }

// unquoteETag strips quotes and the weak mark of an ETag given by a client.
func unquoteETag(s string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`)
}
