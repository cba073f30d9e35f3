package s3api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// copyTries bounds how often a copy starts again because its source changed under it.
const copyTries = 5

func copyObject(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	src, err := c.openSource()
	if err != nil {
		return err
	}
	if err := c.expect(b, aboutTo{name: events.CreatedCopy, key: c.key}); err != nil {
		return err
	}
	for try := 1; ; try++ {
		o, s, err := c.copyFrom(b, src)
		if errors.Is(err, storage.ErrPrecondition) && try < copyTries {
			// Either a condition on the target does not hold, or the source has changed.
			etag := src.obj.ETag
			if serr := c.statSource(src); serr != nil {
				return serr
			}
			if src.obj.ETag != etag {
				continue
			}
		}
		if err != nil {
			cond, _ := writeConditions(c.r.Header)
			return conditionError(err, &cond)
		}
		c.happened(events.CreatedCopy, b, o)
		c.setExpiration(b, o)
		c.setNewVersion(b, o.VersionID)
		c.setSourceVersion(src)
		h := newHeaders(c.w.Header(), 3)
		h.sealing(c, s)
		return c.replyCopy("CopyObjectResult", o.ETag, func(doc *s3xml.Writer) {
			doc.Time("LastModified", o.Modified)
			writeChecksum(doc, o.Checksum)
			doc.Opt("ChecksumType", o.Checksum.Type)
		})
	}
}

// replyCopy answers with a CopyObjectResult or CopyPartResult.
func (c *call) replyCopy(root, etag string, rest func(*s3xml.Writer)) error {
	var doc s3xml.Writer
	doc.Start(root, true)
	doc.ETag(etag)
	rest(&doc)
	return c.replyXML(http.StatusOK, doc.End(root))
}

// copyFrom copies the source as it was last looked at, and tells how the copy is kept.
func (c *call) copyFrom(b *storage.Bucket, src *source) (*storage.Object, *sealing, error) {
	if err := src.tooLarge(src.obj.Size); err != nil {
		return nil, nil, err
	}
	in := storage.CopyInput{Source: src.pinned(), SourceETag: src.obj.ETag, Bucket: c.bucket, Key: c.key}
	var err error
	if in.Meta, err = c.copyMeta(b, src); err != nil {
		return nil, nil, err
	}
	if in.If, err = writeConditions(c.r.Header); err != nil {
		return nil, nil, err
	}
	alg, err := algorithmHeader(c.r.Header)
	if err != nil {
		return nil, nil, err
	}
	to, customer, err := c.askedSealing(b)
	if err != nil {
		return nil, nil, err
	}
	var room claim
	if !c.toItself(src) || b.Versioning == storage.VersioningEnabled { // else the bucket stays as full as it is
		if room, err = c.claim(b, src.obj.Size); err != nil {
			return nil, nil, err
		}
	}
	defer room.release()
	if !src.sealed.sharesWith(to) {
		return c.copyAnew(b, &in, src, alg)
	}
	if err := c.setChecksum(&in, src, alg); err != nil {
		return nil, nil, err
	}
	if in.Flatten && src.sealed.sealing != nil {
		return c.copyAnew(b, &in, src, alg)
	}
	if to, err = c.sealAnew(&in, src, to, customer); err != nil {
		return nil, nil, err
	}
	o, err := c.s.Backend.CopyObject(c.ctx, in)
	return o, to, err
}

// setChecksum gives the copy a full-object checksum: of the algorithm asked for, else of the
// source's, else CRC64NVME as in a PutObject. What the source has, or what its parts compose to, is taken
// over; only else the source is read, and then the copy has the ETag of an object put whole, as in S3.
// One that must be worked out needs the content, and makes the copy one that was put whole; when the content is
// encrypted or compressed that is left to copyAnew.
func (c *call) setChecksum(in *storage.CopyInput, from *source, alg checksum.Algorithm) error {
	src := from.obj
	have := algorithmOf(src.Checksum)
	if alg == checksum.None {
		alg = have
	}
	if alg == checksum.None {
		alg = checksum.CRC64NVME
	}
	if alg == have {
		if src.Checksum.Type == checksum.FullObject {
			return nil
		}
		if alg.Composable() {
			parts, err := c.s.Backend.Parts(c.ctx, in.Source)
			if err != nil {
				return err
			}
			if in.Checksum, err = combineParts(alg, parts); err == nil {
				return nil
			}
		}
	}
	if from.sealed.sealing != nil {
		in.Flatten = true
		return nil
	}
	d, err := c.digestSource(in.Source, alg)
	in.ETag, in.Checksum, in.Flatten = d.ETag, d.Checksum, true
	return err
}

// digestSource reads the source and returns its ETag and checksum as one object put whole.
func (c *call) digestSource(ref storage.Ref, alg checksum.Algorithm) (storage.Digest, error) {
	o, content, err := c.s.Backend.GetObject(c.ctx, ref)
	if err != nil {
		return storage.Digest{}, err
	}
	defer content.Close()
	h := c.s.Hasher.Get(o.Size, alg, checksum.None)
	defer c.s.Hasher.Put(h)
	if o.Size > 0 {
		if _, err := c.copyContent(h, content.Range(0, o.Size)); err != nil {
			return storage.Digest{}, err
		}
	}
	return digestOf(h, alg), nil
}

// copyMeta merges what the copy keeps of its source with what the request says, as the two
// directives tell.
func (c *call) copyMeta(b *storage.Bucket, src *source) (storage.Meta, error) {
	var m storage.Meta
	var acl string
	var err error
	if m.Owner, acl, err = c.writerACL(b); err != nil {
		return m, err
	}
	header := c.r.Header
	replaceMeta, err := directive(header, "X-Amz-Metadata-Directive", "metadata")
	if err != nil {
		return m, err
	}
	replaceTags, err := directive(header, "X-Amz-Tagging-Directive", "tagging")
	if err != nil {
		return m, err
	}
	if m.Class, err = storageClass(header.Get("X-Amz-Storage-Class")); err != nil {
		return m, err
	}
	if m.Attrs, err = objectAttrs(header); err != nil {
		return m, err
	}
	if !replaceMeta {
		m.Attrs = copiedAttrs(src.obj.Attrs, m.Attrs)
	}
	if c.toItself(src) && !replaceMeta && !replaceTags && header.Get("X-Amz-Storage-Class") == "" &&
		!c.asksSealing() && src.sealed.customer == nil && header.Get("X-Amz-Website-Redirect-Location") == "" && header.Get("X-Amz-Checksum-Algorithm") == "" {
		return m, errorf("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if replaceTags {
		m.Tags, err = c.tagHeader(b)
	} else {
		m.Tags, err = c.copiedTags(b, src)
	}
	if err != nil {
		return m, err
	}
	// A lock is never copied; the copy has the request's or the bucket's default.
	m.Props, err = c.lockProps(b, header.Get)
	m.Props = withACL(m.Props, acl)
	return m, err
}

// toItself tells a copy of the current version onto its own key. A named version may be
// made the current one again.
func (c *call) toItself(src *source) bool {
	return src.ref.Bucket == c.bucket && src.ref.Key == c.key && src.ref.Version == ""
}

// copiedAttrs is the source's metadata. The redirect alone is never copied; the request's counts.
func copiedAttrs(source, request []storage.Attr) []storage.Attr {
	isRedirect := func(a storage.Attr) bool { return a.Name == attrRedirect }
	attrs := slices.DeleteFunc(slices.Clone(source), isRedirect)
	if i := slices.IndexFunc(request, isRedirect); i >= 0 {
		attrs = append(attrs, request[i])
	}
	return attrs
}

// copiedTags is the source's tags, which need the right to read them there and to set them here.
func (c *call) copiedTags(b *storage.Bucket, src *source) ([]storage.Tag, error) {
	if len(src.obj.Tags) == 0 {
		return nil, nil
	}
	if err := c.authorizeRef(src.action("s3:GetObjectTagging"), src.bucket, src.ref); err != nil {
		return nil, err
	}
	c.copied = src.obj.Tags
	return src.obj.Tags, c.mayTake(b)
}

// mayTake asks for the right to write the request's object with the tags that it takes over, which were not known when the
// request was let in: s3:RequestObjectTag counts for the write as for the tagging.
func (c *call) mayTake(b *storage.Bucket) error {
	for _, action := range []string{"s3:PutObject", "s3:PutObjectTagging"} {
		if err := c.authorize(action, b, c.bucket, c.key); err != nil {
			return err
		}
	}
	return nil
}

func uploadPartCopy(c *call) error {
	up, number, err := c.openPart()
	if err != nil {
		return err
	}
	enc, err := c.partEncoding(up, number)
	if err != nil {
		return err
	}
	src, err := c.openSource()
	if err != nil {
		return err
	}
	var p *storage.Part
	for try := 1; ; try++ {
		p, err = c.copyPart(up, number, src, enc)
		if !errors.Is(err, storage.ErrPrecondition) || try == copyTries {
			break
		}
		if err := c.statSource(src); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	c.setSourceVersion(src)
	head := newHeaders(c.w.Header(), 3)
	head.sealing(c, enc.sealingOrNil())
	return c.replyCopy("CopyPartResult", p.ETag, func(doc *s3xml.Writer) {
		doc.Time("LastModified", p.Modified)
		writeChecksum(doc, p.Checksum)
	})
}

// copyPart copies a range of the source, or all of it, into a part.
func (c *call) copyPart(up *storage.Upload, number int, src *source, enc *encoding) (*storage.Part, error) {
	in := storage.CopyPartInput{Upload: up.UploadRef, Number: number, Source: src.pinned(), SourceETag: src.obj.ETag, Length: src.obj.Size}
	if v := c.r.Header["X-Amz-Copy-Source-Range"]; len(v) > 0 {
		s, err := copyRange(v, src.obj.Size)
		if err != nil {
			return nil, err
		}
		in.Off, in.Length = s.off, s.n
	}
	if err := src.tooLarge(in.Length); err != nil {
		return nil, err
	}
	room, err := c.claimBytes(c.b, in.Length)
	if err != nil {
		return nil, err
	}
	defer room.release()
	alg, declared := checksum.Parse(up.ChecksumAlgorithm)
	if !declared {
		alg = checksum.CRC64NVME
	}
	h := c.s.Hasher.Get(in.Length, alg, checksum.None)
	defer c.s.Hasher.Put(h)
	if enc != nil || src.sealed.sealing != nil {
		return c.copyPartAnew(&in, src, enc, &stream{h: h, alg: alg})
	}
	in.Sum = h
	in.Digest = func() storage.Digest { return digestOf(h, alg) }
	return c.s.Backend.CopyPart(c.ctx, in)
}

// copyRange reads x-amz-copy-source-range, which unlike Range has both ends and must lie within the source.
func copyRange(values []string, size int64) (span, error) {
	first, last, ok := parseRange(values[0])
	if len(values) > 1 || !ok || first < 0 || values[0][len(values[0])-1] == '-' {
		return span{}, errorf("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy").
			with("ArgumentName", "x-amz-copy-source-range").with("ArgumentValue", values[0])
	}
	if last >= size {
		return span{}, errorf("InvalidRange", "Range specified is not valid for source object of size: %d", size)
	}
	return span{off: first, n: last - first + 1}, nil
}
