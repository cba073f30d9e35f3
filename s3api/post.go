package s3api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// postObject stores the file of a browser's form (S3 API reference, "POST Object"). The form
// carries the signature and stands in for the headers of a PutObject.
func postObject(c *call) error {
	if c.auth.Mode != sigv4.Anonymous {
		if err := c.authorize("s3:PutObject", c.b, c.bucket, ""); err != nil {
			return err
		}
		return errorf("InvalidRequest", "A POST form carries its signature in its fields, not in the request's headers or query.")
	}
	if c.r.ContentLength < 0 {
		return errorf("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	f, err := readForm(c.r)
	if err != nil {
		return err
	}
	policy, err := c.authenticateForm(f)
	if err != nil {
		return err
	}
	if err := c.authorize("s3:PutObject", c.b, c.bucket, c.key); err != nil {
		return err
	}
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	in := storage.PutInput{Bucket: c.bucket, Key: c.key, Size: -1}
	if in.Meta, err = c.formMeta(b, f); err != nil {
		return err
	}
	enc, err := c.newEncoding(b, in.Meta.Attrs)
	if err != nil {
		return err
	}
	u, err := c.newUpload(checksum.None)
	if err != nil {
		return err
	}
	defer u.close()
	if policy != nil {
		f.limit, f.check = min(maxPut, policy.MaxSize), policy.CheckSize
	}
	// How large the file is shows at its end: what surrounds it in the form is bounded on both sides.
	room, err := c.claimUpTo(b, max(c.r.ContentLength-2*maxFormPreamble, 0), c.r.ContentLength, 1)
	if err != nil {
		return err
	}
	defer room.release()
	f.bound(room)
	u.src, u.size, u.hash = f, -1, c.s.Hasher.Get(-1, u.stored, checksum.None)
	in.ChecksumAlgorithm = u.stored.String()
	if err := c.expect(b, aboutTo{name: events.CreatedPost, key: c.key}); err != nil {
		return err
	}
	o, err := c.put(&in, u, -1, enc)
	if err != nil {
		return err
	}
	c.happened(events.CreatedPost, b, o)
	c.setExpiration(b, o)
	return c.replyPost(b, o, f, enc)
}

// authenticateForm proves who signed the form and that its policy allows what it asks for. The
// policy is nil for a form without a signature. From here on the form's fields are the
// request's headers: those that came with the request were not signed and count for nothing.
func (c *call) authenticateForm(f *form) (*sigv4.PostPolicy, error) {
	auth, err := c.s.verify.ParseForm(f.fields)
	if err != nil {
		return nil, err
	}
	if auth.Mode == sigv4.Form {
		err := c.identify(&auth, func(secret string) error { return c.s.verify.VerifyForm(f.fields, &auth, secret) })
		if err != nil {
			return nil, err
		}
		c.auth = auth
	}
	key, err := f.key()
	if err == nil {
		err = refuseOwnKey(key)
	}
	if err != nil {
		return nil, err
	}
	c.key, c.ev.Key, f.fields["key"] = key, key, key
	var policy *sigv4.PostPolicy
	if auth.Mode == sigv4.Form {
		if policy, err = sigv4.ParsePostPolicy(f.fields["policy"]); err != nil {
			return nil, err
		}
		if err := policy.Check(c.bucket, f.fields, c.s.Now()); err != nil {
			return nil, err
		}
	}
	c.formTags = f.fields["tagging"]
	header, err := f.header()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"User-Agent", "Referer", "Origin"} {
		if v := c.r.Header[name]; v != nil {
			header[name] = v
		}
	}
	r := *c.r
	r.Header = header
	c.r = &r
	return policy, nil
}

// formMeta is objectMeta of a form, whose tags are an XML document.
func (c *call) formMeta(b *storage.Bucket, f *form) (storage.Meta, error) {
	m, err := c.objectMeta(b)
	v := f.fields["tagging"]
	if err != nil || v == "" {
		return m, err
	}
	if err := c.authorize("s3:PutObjectTagging", b, c.bucket, c.key); err != nil {
		return m, err
	}
	var doc tagging
	if err := s3xml.Decode([]byte(v), &doc); err != nil {
		return m, errMalformedXML()
	}
	m.Tags, err = doc.tags()
	return m, err
}

// replyPost answers as success_action_redirect or success_action_status ask; values that S3
// can't interpret count as absent.
func (c *call) replyPost(b *storage.Bucket, o *storage.Object, f *form, enc *encoding) error {
	location := c.location(c.key)
	h := newHeaders(c.w.Header(), 8)
	h.set("Etag", quoteETag(o.ETag))
	h.set("Location", location)
	if b.Versioning == storage.VersioningEnabled { // a suspended bucket names no version to writers
		h.set("X-Amz-Version-Id", o.VersionID)
	}
	h.checksum(o.Checksum)
	h.sealing(c, enc.sealingOrNil())
	if to := f.redirect(c.bucket, c.key, o.ETag); to != "" {
		h.set("Location", to)
		return c.reply(http.StatusSeeOther)
	}
	switch f.fields["success_action_status"] {
	case "200":
		return c.reply(http.StatusOK)
	case "201":
		var doc s3xml.Writer
		doc.Start("PostResponse", false)
		doc.Elem("Location", location)
		doc.Elem("Bucket", c.bucket)
		doc.Elem("Key", c.key)
		doc.ETag(o.ETag)
		return c.replyXML(http.StatusCreated, doc.End("PostResponse"))
	}
	return c.reply(http.StatusNoContent)
}

// redirect returns where the browser is sent, with what was stored in the query; "" for nowhere.
func (f *form) redirect(bucket, key, etag string) string {
	to := f.fields["success_action_redirect"]
	if to == "" {
		to = f.fields["redirect"]
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	query := "bucket=" + url.QueryEscape(bucket) + "&key=" + url.QueryEscape(key) + "&etag=" + url.QueryEscape(quoteETag(etag))
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = strings.TrimPrefix(query, "&")
	return u.String()
}
