package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/storage"
)

const writeOffsetHeader = "X-Amz-Write-Offset-Bytes"

// appending is a PutObject with an offset on its way.
type appending struct {
	c      *call
	b      *storage.Bucket
	offset int64
	cond   storage.Conditions
	old    *storage.Object // nil when there is none yet
	enc    *encoding       // nil when the object is kept as it was sent
	alg    checksum.Algorithm
	sum    storage.Checksum // of the object so far, over all of it; zero when it has none
}

// appendObject adds to the end of an object (S3 user guide, "Appending data to objects in directory buckets"). AWS has it
// for directory buckets, which know no versions; here it is for buckets that never had versioning. An object that is not
// there yet is made by appending at 0.
func appendObject(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	a := &appending{c: c, b: b}
	if err := a.read(); err != nil {
		return err
	}
	if a.old == nil {
		return a.create()
	}
	return a.append()
}

// read reads the headers and looks at the object.
func (a *appending) read() error {
	c := a.c
	if a.b.Versioning != storage.VersioningUnset {
		return errorf("NotImplemented", "A header you provided implies functionality that is not implemented: x-amz-write-offset-bytes appends in buckets without versioning only.").with("Header", strings.ToLower(writeOffsetHeader))
	}
	if a.c.asksExtraction() {
		return errorf("InvalidRequest", "An archive that is extracted is not appended to anything.")
	}
	v := c.r.Header[writeOffsetHeader]
	var err error
	if a.offset, err = parseSize(v[0]); err != nil || len(v) > 1 {
		return errorf("InvalidArgument", "x-amz-write-offset-bytes is the size of the object in bytes.").with("ArgumentName", strings.ToLower(writeOffsetHeader)).with("ArgumentValue", v[0])
	}
	if a.cond, err = writeConditions(c.r.Header); err != nil {
		return err
	}
	ref := storage.Ref{Bucket: c.bucket, Key: c.key}
	o, content, err := c.s.Backend.GetObject(c.ctx, ref)
	if errors.Is(err, storage.ErrNoSuchKey) {
		return a.absent()
	}
	if err != nil {
		return err
	}
	defer content.Close()
	if o.Size != a.offset {
		return errWriteOffset(o.Size)
	}
	if err := a.cond.Check(o); err != nil {
		return conditionError(err, &a.cond)
	}
	a.old = o
	if err := a.keepsMeta(); err != nil {
		return err
	}
	if err := a.checksum(ref); err != nil {
		return err
	}
	return a.encoding(ref, content)
}

func errWriteOffset(size int64) error {
	return errorf("InvalidWriteOffset", "The write offset value that you specified does not match the current object size.").
		with("ObjectSize", strconv.FormatInt(size, 10))
}

// absent is about an object that is not there yet. The store is asked whether it could append at all, so that an object
// is not begun where it can't go on.
func (a *appending) absent() error {
	c := a.c
	if a.offset != 0 {
		return errWriteOffset(0)
	}
	_, err := c.s.Backend.AppendObject(c.ctx, storage.AppendInput{Bucket: c.bucket, Key: c.key, Body: http.NoBody})
	if errors.Is(err, storage.ErrNoSuchKey) {
		return nil
	}
	if err == nil {
		err = errAppeared()
	}
	return err
}

func errAppeared() error {
	return errorf("ConditionalRequestConflict", "The object was written by somebody else at the same time. Look at its size and try again.")
}

// keepsMeta refuses what would change the object's metadata: it stays. Content-Type and its fellows, which clients send
// by themselves, are let pass.
func (a *appending) keepsMeta() error {
	for name := range a.c.r.Header {
		for _, h := range writeHeaders {
			if strings.EqualFold(name, h) || h[len(h)-1] == '-' && len(name) > len(h) && strings.EqualFold(name[:len(h)], h) {
				return errorf("InvalidRequest", "Cannot specify both a write offset value and user-defined object metadata for existing objects.").with("Header", strings.ToLower(name))
			}
		}
	}
	return nil
}

// checksum finds the checksum that goes on: one that two parts make that of the whole of.
func (a *appending) checksum(ref storage.Ref) error {
	a.alg = algorithmOf(a.old.Checksum)
	switch {
	case a.alg == checksum.None:
		return nil
	case !a.alg.Composable():
		return errorf("InvalidRequest", "The object has a %s checksum, which nothing can be appended to. Those of CRC algorithms can.", a.alg)
	case a.old.Checksum.Type == checksum.FullObject:
		a.sum = a.old.Checksum
		return nil
	}
	parts, err := a.c.s.Backend.Parts(a.c.ctx, ref)
	if err != nil {
		return err
	}
	a.sum, err = combineParts(a.alg, parts)
	return err
}

// encoding decides how what is added is kept: as the object is. Its key opens with the request's, if it is the customer's.
func (a *appending) encoding(ref storage.Ref, content storage.Content) error {
	c := a.c
	sealed, err := c.mayOpen(ref, a.old, &customerHeader)
	if err != nil {
		return err
	}
	if asked, err := namedSealing(c.r.Header); err != nil {
		return err
	} else if asked != nil {
		if err := c.agrees(sealed.sealing); err != nil {
			return errorf("EncryptionTypeMismatch", "The existing object was created with a different encryption type. Subsequent write requests must include the appropriate encryption parameters in the request.")
		}
	}
	if sealed.sealing == nil {
		return nil
	}
	pieces, err := piecesOf(a.old, content)
	if err != nil {
		return err
	}
	s := *sealed.sealing
	s.Shrink = c.s.Compression.takes(c.key, a.old.Attrs) && (!s.encrypted() || c.s.Compression.Encrypted)
	a.enc = &encoding{sealing: &s, key: sealed.key, number: pieces[len(pieces)-1].Number + 1}
	if s.encrypted() && a.enc.key == nil {
		a.enc.key, err = c.unseal(sealed.sealing, ref.Bucket, ref.Key, nil)
	}
	return err
}

// openBody opens the request's body, which must not be empty.
func (a *appending) openBody() (*upload, error) {
	u, err := a.c.openUpload(a.alg)
	if err == nil && u.size == 0 {
		u.close()
		err = errorf("InvalidRequest", "Request body cannot be empty when 'write offset' is specified.")
	}
	return u, err
}

// create makes the object.
func (a *appending) create() error {
	c := a.c
	cond := a.cond
	if cond.Zero() {
		cond.IfNoneMatch = "*"
	}
	u, err := a.openBody()
	if err != nil {
		return err
	}
	defer u.close()
	o, enc, err := c.putBody(a.b, u, cond)
	if a.cond.Zero() && errors.Is(err, storage.ErrPrecondition) {
		err = errAppeared()
	}
	if err != nil {
		return conditionError(err, &a.cond)
	}
	return a.reply(o, enc)
}

func (a *appending) reply(o *storage.Object, enc *encoding) error {
	a.c.happened(events.CreatedPut, a.b, o)
	a.c.w.Header().Set("X-Amz-Object-Size", strconv.FormatInt(o.Size, 10))
	return a.c.replyStored(a.b, o, enc)
}

// append adds the body.
func (a *appending) append() error {
	c := a.c
	u, err := a.openBody()
	if err != nil {
		return err
	}
	defer u.close()
	take := c.claimBytes
	if a.offset == 0 {
		take = c.claim // it makes an object
	}
	room, err := take(a.b, u.size)
	if err != nil {
		return err
	}
	defer room.release()
	if err := c.expect(a.b, aboutTo{name: events.CreatedPut, key: c.key}); err != nil {
		return err
	}
	u.begin("")
	in := storage.AppendInput{Bucket: c.bucket, Key: c.key, Offset: a.offset, Body: u, Size: u.size, Digest: u.digest, MaxParts: maxParts, Whole: a.whole, Check: a.check}
	if a.enc != nil {
		enc, err := a.enc.encode(u, u.size, nil)
		if err != nil {
			return err
		}
		defer enc.close()
		in.Body, in.Size, in.Digest, in.Number = enc, enc.size, enc.digest, a.enc.number
	}
	o, err := c.s.Backend.AppendObject(c.ctx, in)
	switch {
	case errors.Is(err, storage.ErrPrecondition):
		return errAppeared()
	case err != nil:
		return err
	}
	return a.reply(o, a.enc)
}

// check makes sure under the object's lock that it is the one that was looked at.
func (a *appending) check(now *storage.Object) error {
	if now.ETag != a.old.ETag || now.Size != a.old.Size || now.Checksum != a.old.Checksum || now.Props[propSealing] != a.old.Props[propSealing] {
		return errAppeared()
	}
	return conditionError(a.cond.Check(now), &a.cond)
}

// whole makes ETag and checksum of the object from those of its two pieces. No S3 server tells what the ETag of an
// appended object is; here it has the form of a multipart upload's, so that nobody takes it for an MD5, and changes with
// each byte of what has been appended.
func (a *appending) whole(old *storage.Object, added storage.Part) (storage.Digest, error) {
	if err := a.check(old); err != nil {
		return storage.Digest{}, err
	}
	before, count, _ := strings.Cut(old.ETag, "-")
	n, err := strconv.Atoi(count)
	if err != nil {
		n = 1
	}
	sum := md5.Sum([]byte(before + added.ETag))
	d := storage.Digest{ETag: fmt.Sprintf("%s-%d", hex.EncodeToString(sum[:]), n+1)}
	if a.sum != (storage.Checksum{}) {
		d.Checksum, err = combineParts(a.alg, []storage.Part{{Size: old.Size, Checksum: a.sum}, {Number: 2, Size: added.Size, Checksum: added.Checksum}})
		return d, err
	}
	return d, nil
}
