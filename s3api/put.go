package s3api

import (
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/storage"
)

// earlyCheckSize is the body size from which a conditional write is checked before the body is
// read as well as at its end. Below, reading the body is cheaper than a lost connection.
const earlyCheckSize = 1 << 20

func putObject(c *call) error {
	if c.asksExtraction() {
		return extractArchive(c)
	}
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	cond, err := writeConditions(c.r.Header)
	if err != nil {
		return err
	}
	u, err := c.openUpload(checksum.None)
	if err != nil {
		return err
	}
	defer u.close()
	o, enc, err := c.putBody(b, u, cond)
	if err != nil {
		return conditionError(err, &cond)
	}
	c.happened(events.CreatedPut, b, o)
	return c.replyStored(b, o, enc)
}

// putBody stores the request's body as the request's object, and tells how it is kept.
func (c *call) putBody(b *storage.Bucket, u *upload, cond storage.Conditions) (*storage.Object, *encoding, error) {
	in := storage.PutInput{Bucket: c.bucket, Key: c.key, If: cond}
	var err error
	if in.Meta, err = c.objectMeta(b); err != nil {
		return nil, nil, err
	}
	enc, err := c.newEncoding(b, in.Meta.Attrs)
	if err != nil {
		return nil, nil, err
	}
	if err := c.checkEarly(&cond, u.size); err != nil {
		return nil, nil, err
	}
	room, err := c.claim(b, u.size)
	if err != nil {
		return nil, nil, err
	}
	defer room.release()
	in.ChecksumAlgorithm = u.stored.String()
	if err := c.expect(b, aboutTo{name: events.CreatedPut, key: c.key}); err != nil {
		return nil, nil, err
	}
	u.begin(in.ChecksumAlgorithm)
	o, err := c.put(&in, u, u.size, enc)
	return o, enc, err
}

// checkEarly refuses a large conditional write before its body is sent. The check that
// counts is the store's.
func (c *call) checkEarly(cond *storage.Conditions, size int64) error {
	if cond.Zero() || size < earlyCheckSize {
		return nil
	}
	o, err := c.s.Backend.StatObject(c.ctx, storage.Ref{Bucket: c.bucket, Key: c.key})
	switch {
	case errors.Is(err, storage.ErrNoSuchKey):
		o = nil
	case err != nil:
		return nil // the write itself tells what is wrong
	}
	return conditionError(cond.Check(o), cond)
}

// replyStored answers for an object that was put.
func (c *call) replyStored(b *storage.Bucket, o *storage.Object, enc *encoding) error {
	h := newHeaders(c.w.Header(), 8)
	h.set("Etag", quoteETag(o.ETag))
	if b.Versioning == storage.VersioningEnabled { // a suspended bucket names no version to writers
		h.set("X-Amz-Version-Id", o.VersionID)
	}
	h.checksum(o.Checksum)
	h.sealing(c, enc.sealingOrNil())
	c.setExpiration(b, o)
	return c.reply(http.StatusOK)
}

// setNewVersion tells the version that a write made. Where versioning is suspended S3 names none.
func (c *call) setNewVersion(b *storage.Bucket, id string) {
	if b.Versioning == storage.VersioningEnabled {
		c.setVersion(b, id)
	}
}

// headers sets answer headers of which each has one value. The names given to set are
// canonical, or lower-case where no one asks for them again.
type headers struct {
	h      http.Header
	values []string // one piece of memory for all of them
}

func newHeaders(h http.Header, n int) headers {
	return headers{h: h, values: make([]string, 0, n)}
}

func (h *headers) set(name, value string) {
	h.values = append(h.values, value)
	n := len(h.values)
	h.h[name] = h.values[n-1 : n : n]
}

// checksum sets the headers of a stored checksum, if there is one.
func (h *headers) checksum(sum storage.Checksum) {
	if alg := algorithmOf(sum); alg != checksum.None {
		h.set(alg.Header(), sum.Value)
		h.set("X-Amz-Checksum-Type", sum.Type)
	}
}
