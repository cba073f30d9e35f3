package s3api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// The limits of multipart uploads (S3 user guide, "Amazon S3 multipart upload limits").
const (
	maxParts    = 10000
	minPartSize = 5 << 20
)

func createMultipartUpload(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	in := storage.UploadInput{Bucket: c.bucket, Key: c.key}
	if c.id != nil {
		in.Initiator = c.id.ARN
	}
	if in.Meta, err = c.objectMeta(b); err != nil {
		return err
	}
	if in.ChecksumAlgorithm, in.ChecksumType, err = uploadChecksum(c.r.Header); err != nil {
		return err
	}
	enc, err := c.newEncoding(b, in.Meta.Attrs)
	if err != nil {
		return err
	}
	if in.Meta.Props, err = enc.sealingOrNil().in(in.Meta.Props); err != nil {
		return err
	}
	u, err := c.s.Backend.CreateUpload(c.ctx, in)
	if err != nil {
		return err
	}
	c.setAbort(b, u)
	h := newHeaders(c.w.Header(), 5)
	h.sealing(c, enc.sealingOrNil())
	if in.ChecksumAlgorithm != "" {
		h.set("X-Amz-Checksum-Algorithm", in.ChecksumAlgorithm)
		h.set("X-Amz-Checksum-Type", in.ChecksumType)
	}
	var doc s3xml.Writer
	doc.Start("InitiateMultipartUploadResult", true)
	doc.Elem("Bucket", c.bucket)
	doc.Elem("Key", c.key)
	doc.Elem("UploadId", u.ID)
	return c.replyXML(http.StatusOK, doc.End("InitiateMultipartUploadResult"))
}

// uploadChecksum reads the checksum algorithm and type that an upload is created with; "" when
// it declares none.
func uploadChecksum(header http.Header) (algorithm, typ string, err error) {
	alg, err := algorithmHeader(header)
	if err != nil {
		return "", "", err
	}
	typ = header.Get("X-Amz-Checksum-Type")
	switch {
	case typ == "":
		typ = alg.DefaultType()
	case alg == checksum.None:
		return "", "", errorf("InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case typ != checksum.Composite && typ != checksum.FullObject:
		return "", "", errorf("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
	case !alg.Allows(typ):
		return "", "", errorf("InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", typ, alg)
	}
	return alg.String(), typ, nil
}

// uploadRef is the upload that the request names. Its id is no right to anything: the
// operation has been authorised for bucket and key, and the id must belong to them.
func (c *call) uploadRef() storage.UploadRef {
	return storage.UploadRef{Bucket: c.bucket, Key: c.key, ID: c.query.Get("uploadId")}
}

// openPart finds the upload and the number that a part is for.
func (c *call) openPart() (*storage.Upload, int, error) {
	if _, err := c.needBucket(); err != nil {
		return nil, 0, err
	}
	number, err := c.partNumber()
	if err != nil {
		return nil, 0, err
	}
	u, err := c.s.Backend.Upload(c.ctx, c.uploadRef())
	return u, number, err
}

func uploadPart(c *call) error {
	up, number, err := c.openPart()
	if err != nil {
		return err
	}
	enc, err := c.partEncoding(up, number)
	if err != nil {
		return err
	}
	declared, _ := checksum.Parse(up.ChecksumAlgorithm)
	u, err := c.openUpload(declared)
	if err != nil {
		return err
	}
	defer u.close()
	room, err := c.claimBytes(c.b, u.size)
	if err != nil {
		return err
	}
	defer room.release()
	u.begin(up.ChecksumAlgorithm)
	p, err := c.putPart(&storage.PartInput{Upload: up.UploadRef, Number: number, ChecksumAlgorithm: up.ChecksumAlgorithm}, u, u.size, enc)
	if err != nil {
		return err
	}
	h := newHeaders(c.w.Header(), 5)
	h.set("Etag", quoteETag(p.ETag))
	h.sealing(c, enc.sealingOrNil())
	if alg := algorithmOf(p.Checksum); alg != checksum.None {
		h.set(alg.Header(), p.Checksum.Value)
	}
	return c.reply(http.StatusOK)
}

func abortMultipartUpload(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	in := storage.AbortInput{Upload: c.uploadRef()}
	if v := c.r.Header.Get("X-Amz-If-Match-Initiated-Time"); v != "" {
		var err error
		if in.IfBegun, err = parseTime(v); err != nil {
			return errorf("InvalidArgument", "Invalid value for x-amz-if-match-initiated-time.").with("ArgumentName", "x-amz-if-match-initiated-time").with("ArgumentValue", v)
		}
	}
	err := c.s.Backend.AbortUpload(c.ctx, in)
	switch {
	case errors.Is(err, storage.ErrPrecondition):
		return errPrecondition("x-amz-if-match-initiated-time")
	case err != nil:
		return err
	}
	return c.reply(http.StatusNoContent)
}

func listParts(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	limit, err := c.intParam("max-parts", 1000, 0, 1000)
	if err != nil {
		return err
	}
	after, err := c.intParam("part-number-marker", 0, 0, maxParts)
	if err != nil {
		return err
	}
	urlKeys := false
	switch e := c.query.Get("encoding-type"); e {
	case "", "url":
		urlKeys = e != ""
	default:
		return errorf("InvalidArgument", "Invalid Encoding Method specified in Request").with("ArgumentName", "encoding-type").with("ArgumentValue", e)
	}
	u, err := c.s.Backend.Upload(c.ctx, c.uploadRef())
	if err != nil {
		return err
	}
	if err := c.proveKey(u, false); err != nil {
		return err
	}
	parts, more, err := c.s.Backend.ListParts(c.ctx, u.UploadRef, after, limit)
	if err != nil {
		return err
	}
	c.setAbort(c.b, u)
	var doc s3xml.Writer
	doc.Grow(1024 + 256*len(parts))
	doc.Start("ListPartsResult", true)
	c.uploadElements(&doc, u, urlKeys)
	doc.Int("PartNumberMarker", int64(after))
	next := 0
	if len(parts) > 0 {
		next = parts[len(parts)-1].Number
	}
	doc.Int("NextPartNumberMarker", int64(next))
	doc.Int("MaxParts", int64(limit))
	doc.Bool("IsTruncated", more)
	for i := range parts {
		writePart(&doc, &parts[i])
	}
	return c.replyXML(http.StatusOK, doc.End("ListPartsResult"))
}

// uploadElements writes what ListParts tells about the upload.
func (c *call) uploadElements(doc *s3xml.Writer, u *storage.Upload, urlKeys bool) {
	doc.Elem("Bucket", u.Bucket)
	if urlKeys {
		doc.Elem("EncodingType", "url")
		doc.Open("Key")
		doc.URLText(u.Key)
		doc.Close("Key")
	} else {
		doc.Elem("Key", u.Key)
	}
	doc.Elem("UploadId", u.ID)
	writeInitiator(doc, u.Initiator)
	c.owner(doc, c.s.objectOwner(c.b, u.Meta.Owner))
	doc.Elem("StorageClass", classOf(u.Meta.Class))
	doc.Opt("ChecksumAlgorithm", u.ChecksumAlgorithm)
	doc.Opt("ChecksumType", u.ChecksumType)
}

// writeInitiator writes who began an upload: a user by ARN and name, the root of an account as its Owner elements have the
// account (S3 API reference, Initiator).
func writeInitiator(doc *s3xml.Writer, arn string) {
	id, name := arn, arn
	if account, ok := iam.RootAccount(arn); ok {
		id, name = iam.CanonicalID(account), account
	} else if _, user, ok := strings.Cut(arn, ":user/"); ok {
		name = user
	}
	doc.Open("Initiator")
	doc.Elem("ID", id)
	doc.Elem("DisplayName", name)
	doc.Close("Initiator")
}

func writePart(doc *s3xml.Writer, p *storage.Part) {
	doc.Open("Part")
	doc.Int("PartNumber", int64(p.Number))
	doc.Time("LastModified", p.Modified)
	doc.ETag(p.ETag)
	doc.Int("Size", p.Size)
	writeChecksum(doc, p.Checksum)
	doc.Close("Part")
}

// writeChecksum writes a checksum's element, if there is one.
func writeChecksum(doc *s3xml.Writer, sum storage.Checksum) {
	if alg := algorithmOf(sum); alg != checksum.None {
		doc.Elem(alg.Element(), sum.Value)
	}
}
