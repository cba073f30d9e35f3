package s3api

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

func getObject(c *call) error {
	if isVeeam(c.key) {
		return c.readVeeam()
	}
	if c.inner != "" {
		return c.readInner()
	}
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	o, content, err := c.openContent(ref)
	if err != nil {
		return c.missing(b, ref, err)
	}
	defer content.Close()
	s, done, err := c.describe(b, o)
	if done || err != nil {
		return err
	}
	if c.sealed.sealing != nil {
		if content, err = c.open(&c.sealed, ref, o, content); err != nil {
			c.forgetHeaders()
			return err
		}
		defer content.Close()
	}
	c.happened(events.AccessedGet, b, o)
	return c.send(statusOfRead(s), content, s)
}

// openContent opens a version. A request with a range or a condition may need a part of the content only.
func (c *call) openContent(ref storage.Ref) (*storage.Object, storage.Content, error) {
	if p, ok := c.s.Backend.(storage.PartReader); ok {
		for _, name := range [...]string{"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			if len(c.r.Header[name]) > 0 {
				return p.OpenPart(c.ctx, ref)
			}
		}
		if c.query.Has("partNumber") {
			return p.OpenPart(c.ctx, ref)
		}
	}
	return c.s.Backend.GetObject(c.ctx, ref)
}

// headObject answers from the metadata alone; it never opens content.
func headObject(c *call) error {
	if isVeeam(c.key) {
		return c.readVeeam()
	}
	if c.inner != "" {
		return c.readInner()
	}
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	o, err := c.s.Backend.StatObject(c.ctx, ref)
	if err != nil {
		return c.missing(b, ref, err)
	}
	s, done, err := c.describe(b, o)
	if done || err != nil {
		return err
	}
	c.happened(events.AccessedHead, b, o)
	c.ev.Status = statusOfRead(s)
	c.w.WriteHeader(c.ev.Status)
	return nil
}

func statusOfRead(s span) int {
	if s.partial {
		return http.StatusPartialContent
	}
	return http.StatusOK
}

// objectRef is the object version that the request names.
func (c *call) objectRef() (*storage.Bucket, storage.Ref, error) {
	ref := storage.Ref{Bucket: c.bucket, Key: c.key, Version: c.ev.Version}
	b, err := c.needBucket()
	if err == nil && ref.Version == "" && c.query.Has("versionId") {
		err = errorf("InvalidArgument", "Version id cannot be the empty string").with("ArgumentName", "versionId")
	}
	return b, ref, err
}

// stat returns the version ref, whose description is about to be answered with.
func (c *call) stat(b *storage.Bucket, ref storage.Ref) (*storage.Object, error) {
	o, err := c.s.Backend.StatObject(c.ctx, ref)
	if err != nil {
		return nil, c.missing(b, ref, err)
	}
	return o, c.recheck(b, o)
}

// missing answers for an object that could not be opened. Who may not list the bucket does not
// learn whether a key exists (S3 API reference, GetObject, "Permissions").
func (c *call) missing(b *storage.Bucket, ref storage.Ref, err error) error {
	absent := errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion)
	if !absent {
		return err
	}
	c.prefix = ref.Key
	if denied := c.authorize("s3:ListBucket", b, ref.Bucket, ""); denied != nil {
		return denied
	}
	e := toError(err).with("Key", ref.Key).with("VersionId", ref.Version)
	if b.Versioning == storage.VersioningUnset {
		e.Header.Del("X-Amz-Version-Id")
	}
	return e
}

// describe evaluates the conditions of a read and sets the headers of its answer. done tells
// that everything has been said.
func (c *call) describe(b *storage.Bucket, o *storage.Object) (s span, done bool, err error) {
	if err := c.recheck(b, o); err != nil {
		return s, true, err
	}
	if err := refuseSealing(c.r.Header); err != nil {
		return s, true, err
	}
	if c.sealed, err = c.mayOpen(c.ref(), o, &customerHeader); err != nil {
		return s, true, err
	}
	h := newHeaders(c.w.Header(), 17+len(o.Attrs))
	s, overrides, done, err := c.represent(&h, b, o)
	if done || err != nil {
		return s, true, err
	}
	h.attrs(o.Attrs)
	h.sealing(c, c.sealed.sealing)
	if o.Class != "" {
		h.set("X-Amz-Storage-Class", o.Class)
	}
	if c.query.Has("partNumber") && o.PartCount > 0 {
		h.set("X-Amz-Mp-Parts-Count", itoa(o.PartCount))
	}
	if strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		h.checksumOfSpan(s, o)
	}
	if len(o.Tags) > 0 && c.mayReadTags(b) {
		h.set("X-Amz-Tagging-Count", itoa(len(o.Tags)))
	}
	c.setLockHeaders(b, o)
	c.setExpiration(b, o)
	c.override(&h, overrides)
	return s, false, nil
}

// represent evaluates the conditions of a read of o, and sets the headers of what is sent of it: which version it is, which
// span, and a type that override and attributes may replace. done tells that everything has been said.
func (c *call) represent(h *headers, b *storage.Bucket, o *storage.Object) (s span, overrides []override, done bool, err error) {
	failed, unchanged := getConditions.check(c.r.Header, o)
	if failed != "" {
		return s, nil, true, errPrecondition(failed)
	}
	if unchanged != "" {
		c.identityHeaders(h, b, o)
		return s, nil, true, c.reply(http.StatusNotModified)
	}
	if overrides, err = c.overrides(); err != nil {
		return s, nil, true, err
	}
	if s, err = c.span(o); err != nil {
		return s, nil, true, err
	}
	c.identityHeaders(h, b, o)
	h.h["Accept-Ranges"] = acceptRanges
	h.h["Content-Type"] = octets
	h.h["X-Content-Type-Options"] = nosniff
	h.set("Content-Length", strconv.FormatInt(s.n, 10))
	if s.partial {
		h.set("Content-Range", contentRange(s, o.Size))
	}
	return s, overrides, false, nil
}

// override sets the headers that the request asks for, and contains what browsers take for documents.
func (c *call) override(h *headers, overrides []override) {
	for _, p := range overrides {
		h.set(p.header, p.value)
	}
	if c.s.Contained && !inert(c.w.Header().Get("Content-Type")) {
		c.w.Header()["Content-Security-Policy"] = containedPolicy
	}
}

var (
	acceptRanges = []string{"bytes"}
	octets       = []string{defaultType}
	nosniff      = []string{"nosniff"}
)

// identityHeaders sets what tells one version from another.
func (c *call) identityHeaders(h *headers, b *storage.Bucket, o *storage.Object) {
	h.set("Etag", quoteETag(o.ETag))
	h.set("Last-Modified", httpTime(o.Modified))
	if b.Versioning != storage.VersioningUnset {
		h.set("X-Amz-Version-Id", o.VersionID)
	}
}

func contentRange(s span, size int64) string {
	var buf [80]byte
	b := append(buf[:0], "bytes "...)
	b = strconv.AppendInt(b, s.off, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, s.off+s.n-1, 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, size, 10)
	return string(b)
}

// attrs sets the headers that were stored with an object.
func (h *headers) attrs(attrs []storage.Attr) {
	for _, a := range attrs {
		h.set(canonicalAttr(a.Name), a.Value)
	}
}

// canonicalAttr is the name of the header that an attribute is answered in. Those of users'
// metadata stay lower-case, as S3 sends them.
func canonicalAttr(name string) string {
	for i := range keptHeaders {
		if keptHeaders[i].attr == name {
			return keptHeaders[i].header
		}
	}
	return name
}

// checksumOfSpan sets the checksum of what the answer carries, when it is known.
func (h *headers) checksumOfSpan(s span, o *storage.Object) {
	switch {
	case s.part != nil:
		if alg := algorithmOf(s.part.Checksum); alg != checksum.None {
			h.set(alg.Header(), s.part.Checksum.Value)
			h.set("X-Amz-Checksum-Type", o.Checksum.Type)
		}
	case s.n == o.Size:
		h.checksum(o.Checksum)
	}
}

func (c *call) mayReadTags(b *storage.Bucket) bool {
	action := "s3:GetObjectTagging"
	if c.ev.Version != "" {
		action = versionAction[action]
	}
	return c.authorize(action, b, c.bucket, c.key) == nil
}

// override is a header of the answer that the request sets.
type override struct{ header, value string }

// overrideParams are the parameters that set headers of the answer.
var overrideParams = [...]struct{ param, header string }{
	{"response-cache-control", "Cache-Control"},
	{"response-content-disposition", "Content-Disposition"},
	{"response-content-encoding", "Content-Encoding"},
	{"response-content-language", "Content-Language"},
	{"response-content-type", "Content-Type"},
	{"response-expires", "Expires"},
}

// overrides reads the response-* parameters, which only signed requests may use.
func (c *call) overrides() ([]override, error) {
	if len(c.query) == 0 {
		return nil, nil
	}
	var list []override
	for _, p := range overrideParams {
		if !c.query.Has(p.param) {
			continue
		}
		if c.auth.Mode == sigv4.Anonymous {
			return nil, errorf("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
		}
		v := c.query.Get(p.param)
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, errorf("InvalidArgument", "The value of %s has characters that a header can't carry.", p.param).with("ArgumentName", p.param)
		}
		if v != "" {
			list = append(list, override{p.header, v})
		}
	}
	return list, nil
}

// send writes the status line and a span of the content. The headers go out with the first
// verified bytes, so that damage at the start is still answered with an error.
func (c *call) send(status int, content storage.Content, s span) error {
	if data, ok := content.Bytes(); ok {
		c.ev.Status = status
		c.w.WriteHeader(status)
		n, err := c.w.Write(data[s.off : s.off+s.n])
		c.ev.BytesOut += int64(n)
		return sent(err)
	}
	out := &answer{c: c, status: status}
	if s.n == 0 {
		out.start()
		return nil
	}
	n, err := c.copyContent(out, content.Range(s.off, s.n))
	if err == nil && n != s.n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !out.started {
		c.forgetHeaders()
		return err
	}
	return sent(err)
}

// copyContent copies what r gives to w, in its own blocks when it can.
func (c *call) copyContent(w io.Writer, r io.Reader) (int64, error) {
	if from, ok := r.(io.WriterTo); ok {
		return from.WriteTo(w)
	}
	buf := c.s.buffer()
	defer c.s.buffers.Put(buf)
	return io.CopyBuffer(w, r, *buf)
}

// forgetHeaders removes what describes an object that is not sent after all.
func (c *call) forgetHeaders() {
	h := c.w.Header()
	for name := range h {
		if name != "X-Amz-Request-Id" && name != "Server" {
			delete(h, name)
		}
	}
}

// answer is the body of an answer whose headers go out with its first bytes. It has no
// method but Write, so that copies go through it.
type answer struct {
	c       *call
	status  int
	started bool
}

func (a *answer) start() {
	a.started = true
	a.c.ev.Status = a.status
	a.c.w.WriteHeader(a.status)
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	if !a.started {
		a.start()
	}
	n, err := a.c.w.Write(p)
	a.c.ev.BytesOut += int64(n)
	return n, err
}

// copyBuffer is the size of the buffers of contents that don't come in blocks of their own.
const copyBuffer = 256 << 10

// buffer takes a buffer of copyBuffer bytes from the pool.
func (s *Server) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, copyBuffer)
	return &b
}
