package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/objsrv/objsrv/internal/archive"
	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// The headers of an upload that is extracted, as MinIO has them.
const (
	extractHeader       = "X-Amz-Meta-Snowball-Auto-Extract"
	extractPrefix       = "X-Amz-Meta-Minio-Snowball-Prefix"
	extractIgnoreDirs   = "X-Amz-Meta-Minio-Snowball-Ignore-Dirs"
	extractIgnoreErrors = "X-Amz-Meta-Minio-Snowball-Ignore-Errors"
)

// Names of PAX records: a header of one entry, and the version that it is to become.
const (
	recordHeader  = "minio.metadata."
	recordVersion = "minio.versionId"
)

// extractLimits bound an archive. One of text shrinks to a tenth or twentieth.
var extractLimits = archive.Limits{Entries: 1_000_000, Size: maxPut, Ratio: 200, Free: 64 << 20}

// extraction is the upload of an archive of which each entry becomes an object.
type extraction struct {
	c            *call
	b            *storage.Bucket
	u            *upload
	body         io.Reader // u, or what u has given
	tar          *archive.Tar
	prefix       string
	ignoreDirs   bool
	ignoreErrors bool
	done         int // objects that have been stored
}

// archiveError is trouble with the archive that the client has sent.
type archiveError struct{ error }

func (e archiveError) Unwrap() error { return e.error }

// asksExtraction tells a PutObject of an archive that is to be extracted.
func (c *call) asksExtraction() bool {
	v := c.r.Header[extractHeader]
	return len(v) > 0 && strings.EqualFold(v[0], "true")
}

// extractArchive stores each file of a tar archive as an object, and each directory as an empty one whose name ends in a
// slash. Each is a write of its own: authorised by its own key, durable when the next begins, told to listeners. An
// error ends the extraction, and says what has been stored before it.
func extractArchive(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	if cond, err := writeConditions(c.r.Header); err != nil || !cond.Zero() {
		return errorf("NotImplemented", "A header you provided implies functionality that is not implemented: conditions on an archive that is extracted.")
	}
	u, err := c.openUpload(checksum.None)
	if err != nil {
		return err
	}
	defer u.close()
	u.begin("")
	h := c.r.Header
	x := &extraction{c: c, b: b, u: u, body: u, prefix: strings.Trim(h.Get(extractPrefix), "/"),
		ignoreDirs: strings.EqualFold(h.Get(extractIgnoreDirs), "true"), ignoreErrors: strings.EqualFold(h.Get(extractIgnoreErrors), "true")}
	if x.prefix != "" {
		x.prefix += "/"
	}
	done, err := x.proveFirst()
	if err == nil {
		defer done()
		err = x.run()
	}
	if err != nil {
		return x.failed(err)
	}
	w := newHeaders(c.w.Header(), 3)
	d := u.digest()
	w.set("Etag", quoteETag(d.ETag))
	w.checksum(d.Checksum)
	return c.reply(http.StatusOK)
}

// failed says what an extraction that has ended has left.
func (x *extraction) failed(err error) error {
	if x.u.err != nil && x.u.err != io.EOF {
		err = x.u.err // the body's own trouble, not what became of it
	}
	var trouble archiveError
	var answer *Error
	switch {
	case errors.As(err, &answer):
	case errors.Is(err, archive.ErrCompression):
		err = errorf("NotImplemented", "The archive has a compression that is not implemented. Those that are: gzip, bzip2, zstd, s2 and snappy.")
	case errors.Is(err, archive.ErrLimit):
		err = errorf("EntityTooLarge", "The archive is larger than what is extracted: %v.", err)
	case errors.As(err, &trouble):
		err = errorf("InvalidRequest", "The archive can't be read: %v.", trouble.error)
	}
	e := *toError(err)
	e.Message = strings.TrimSuffix(e.Message, ".") + fmt.Sprintf(". Stored before that: %d objects.", x.done)
	e.Fields = append(e.Fields[:len(e.Fields):len(e.Fields)], (&Error{}).with("Extracted", strconv.Itoa(x.done)).Fields...)
	return &e
}

// run stores all entries and reads the body to its end, where it proves to be what was signed.
func (x *extraction) run() error {
	var err error
	if x.tar, err = archive.OpenTar(x.body, extractLimits); err != nil {
		return archiveError{err}
	}
	for {
		e, err := x.tar.Next()
		if err == io.EOF {
			break
		}
		var refused *archive.EntryError
		switch {
		case errors.As(err, &refused):
			err = errorf("InvalidArgument", "The archive's entry can't be stored: %s %s.", strconv.QuoteToASCII(refused.Name), refused.Why)
		case err != nil:
			return archiveError{err}
		case e.Dir && x.ignoreDirs:
			continue
		default:
			if err = x.store(e); err == nil {
				x.done++
			}
		}
		var trouble archiveError
		if err != nil && (!x.ignoreErrors || errors.As(err, &trouble) || x.u.err != nil && x.u.err != io.EOF) {
			return err
		}
	}
	_, err = io.Copy(io.Discard, x.body)
	return err
}

// Archives that are read as a whole before the first entry is stored: how long they may be, how many at a time, and how
// many of them of one account, whose clients may be as slow as they like.
const (
	maxProvenFirst = 16 << 20
	provenAtOnce   = 8
	provenOfOne    = 3
)

// places are how many things of one account are done at a time. The zero is ready; it is safe for concurrent use.
type places struct {
	mu sync.Mutex
	of map[string]chan struct{}
}

// get returns the places of an account.
func (p *places) get(account string, n int) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[string]chan struct{}{}
	}
	own, ok := p.of[account]
	if !ok {
		own = make(chan struct{}, n)
		p.of[account] = own
	}
	return own
}

// proveFirst reads all of a body whose signed hash shows only at its end that nobody has changed it on the way. What is
// signed chunk by chunk, or comes over TLS, needs no such thing: there what has been read is the sender's. The caller calls
// done when the body is not needed any more.
func (x *extraction) proveFirst() (done func(), err error) {
	c := x.c
	if c.auth.Payload != sigv4.PayloadHash || c.auth.Mode == sigv4.Anonymous || c.r.TLS != nil || c.ev.TLS {
		return func() {}, nil
	}
	if x.u.size > maxProvenFirst {
		return nil, errorf("InvalidRequest", "Without TLS an archive with a signed hash of the whole is extracted up to %d bytes. Send a larger one over TLS, or signed chunk by chunk (STREAMING-AWS4-HMAC-SHA256-PAYLOAD).", maxProvenFirst)
	}
	own := c.s.provingOf.get(c.id.Account, provenOfOne)
	select {
	case own <- struct{}{}:
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
	select {
	case c.s.proving <- struct{}{}:
	case <-c.ctx.Done():
		<-own
		return nil, c.ctx.Err()
	}
	done = func() { <-c.s.proving; <-own }
	data := make([]byte, x.u.size)
	if _, err = io.ReadFull(x.u, data); err == nil {
		_, err = io.Copy(io.Discard, x.u) // the end, where it is proven
	}
	if err != nil {
		done()
		return nil, err
	}
	x.body = bytes.NewReader(data)
	return done, nil
}

// content is the content of an entry, whose errors are the archive's.
type content struct{ t *archive.Tar }

// Read implements io.Reader.
func (c content) Read(p []byte) (int, error) {
	n, err := c.t.Read(p)
	if err != nil && err != io.EOF {
		err = archiveError{err}
	}
	return n, err
}

// store makes one entry an object, as a PutObject of it would.
func (x *extraction) store(e *archive.Entry) (err error) {
	m := *x.c
	m.key = x.prefix + e.Name
	m.judged, m.tagged, m.expected = nil, nil, expected{}
	defer func() { m.endExpected(err) }()
	if err = checkKey(m.key); err == nil {
		err = refuseOwnKey(m.key)
	}
	if err != nil {
		return err
	}
	if m.r, err = x.request(e); err != nil {
		return err
	}
	if err = m.authorize("s3:PutObject", x.b, m.bucket, m.key); err != nil {
		return err
	}
	in := storage.PutInput{Bucket: m.bucket, Key: m.key}
	if in.Meta, err = m.objectMeta(x.b); err != nil {
		return err
	}
	enc, err := m.newEncoding(x.b, in.Meta.Attrs)
	if err != nil {
		return err
	}
	room, err := m.claim(x.b, e.Size)
	if err != nil {
		return err
	}
	defer room.release()
	if err = m.expect(x.b, aboutTo{name: events.CreatedPut, key: m.key}); err != nil {
		return err
	}
	h := m.s.Hasher.Get(e.Size, checksum.CRC64NVME, checksum.None)
	defer m.s.Hasher.Put(h)
	o, err := m.put(&in, &stream{content{x.tar}, h, checksum.CRC64NVME}, e.Size, enc)
	if err != nil {
		return err
	}
	m.happened(events.CreatedPut, x.b, o)
	return nil
}

// request is the request as it would be for one entry: with the headers that all objects of the archive get, without those
// about the archive, and with those of the entry's own.
func (x *extraction) request(e *archive.Entry) (*http.Request, error) {
	r := *x.c.r
	r.Header = make(http.Header, len(x.c.r.Header))
	for name, v := range x.c.r.Header {
		switch {
		case name == extractHeader || strings.HasPrefix(name, "X-Amz-Meta-Minio-Snowball-"):
		case name == "Content-Type" || name == "Content-Encoding" || name == "Content-Disposition": // of the archive
		default:
			r.Header[name] = v
		}
	}
	for record, v := range e.Records {
		if record == recordVersion {
			return nil, errorf("NotImplemented", "An entry of the archive asks for a version id of its own: %s.", strconv.QuoteToASCII(e.Name))
		}
		name, ok := strings.CutPrefix(record, recordHeader)
		if !ok {
			continue
		}
		name = http.CanonicalHeaderKey(name)
		if !entryHeader(name) {
			return nil, errorf("NotImplemented", "An entry of the archive has a header that implies functionality that is not implemented: %s.", strings.ToLower(name)).with("Header", strings.ToLower(name))
		}
		r.Header[name] = []string{v}
	}
	return &r, nil
}

// entryHeader tells what an entry may say of itself: what is kept with an object and how. What else is asked of a PutObject
// (conditions, checksums) would be ignored, and so is refused. Other names are nothing to S3, and pass as they would in a
// request.
func entryHeader(canonical string) bool {
	if !strings.HasPrefix(canonical, "X-Amz-") {
		return canonical != "Content-Md5" && !strings.HasPrefix(canonical, "If-")
	}
	o := op{headers: join(writeHeaders, sseHeaders, customerHeaders)}
	return !commonHeaders[canonical] && o.knowsHeader(canonical)
}
