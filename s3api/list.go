package s3api

import (
	"encoding/base64"
	"net/http"
	"sync"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// maxKeys is the most entries of one page (S3 API reference, ListObjectsV2).
const maxKeys = 1000

// lister writes one page of a listing.
type lister struct {
	c   *call
	doc *s3xml.Writer
	url bool // encoding-type=url
	in  storage.ListInput
}

// documents holds the buffers of listings, which are large.
var documents = sync.Pool{New: func() any { return new(s3xml.Writer) }}

// newLister reads the parameters that all listings share.
func newLister(c *call, limitName string) (*lister, error) {
	if _, err := c.needBucket(); err != nil {
		return nil, err
	}
	l := &lister{c: c}
	switch enc := c.query.Get("encoding-type"); enc {
	case "":
	case "url":
		l.url = true
	default:
		return nil, errorf("InvalidArgument", "Invalid Encoding Method specified in Request").
			with("ArgumentName", "encoding-type").with("ArgumentValue", enc)
	}
	limit, err := c.intParam(limitName, maxKeys, 0, maxKeys)
	if err != nil {
		return nil, err
	}
	l.in = storage.ListInput{Bucket: c.bucket, Prefix: c.query.Get("prefix"), Delimiter: c.query.Get("delimiter"), Limit: limit}
	return l, nil
}

// start takes a buffer and begins the document.
func (l *lister) start(root string) {
	l.doc = documents.Get().(*s3xml.Writer)
	l.doc.Reset()
	l.doc.Grow(64 << 10)
	l.doc.Start(root, true)
}

// end sends the document and gives the buffer back.
func (l *lister) end(root string) error {
	err := l.c.replyXML(http.StatusOK, l.doc.End(root))
	documents.Put(l.doc)
	return err
}

// name writes an element that encoding-type applies to.
func (l *lister) name(elem, value string) {
	l.doc.Open(elem)
	if l.url {
		l.doc.URLText(value)
	} else {
		l.doc.Text(value)
	}
	l.doc.Close(elem)
}

// optName is name for values that may be missing.
func (l *lister) optName(elem, value string) {
	if value != "" {
		l.name(elem, value)
	}
}

// head writes what every listing begins with.
func (l *lister) head(limitElem string, limit int, truncated bool) {
	l.doc.Elem("Name", l.c.bucket)
	l.name("Prefix", l.in.Prefix)
	l.optName("Delimiter", l.in.Delimiter)
	l.doc.Int(limitElem, int64(limit))
	if l.url {
		l.doc.Elem("EncodingType", "url")
	}
	l.doc.Bool("IsTruncated", truncated)
}

func (l *lister) prefixes(list []string) {
	for _, p := range list {
		l.doc.Open("CommonPrefixes")
		l.name("Prefix", p)
		l.doc.Close("CommonPrefixes")
	}
}

// entry writes what objects and versions share.
func (l *lister) entry(o *storage.Object) {
	l.doc.ETag(o.ETag)
	if o.Checksum.Algorithm != "" {
		l.doc.Elem("ChecksumAlgorithm", o.Checksum.Algorithm)
		l.doc.Elem("ChecksumType", o.Checksum.Type)
	}
	l.doc.Int("Size", o.Size)
	class := o.Class
	if class == "" {
		class = "STANDARD"
	}
	l.doc.Elem("StorageClass", class)
}

// contents writes the objects of ListObjects and ListObjectsV2.
func (l *lister) contents(list []storage.Object, owner owners, metadata bool) error {
	for i := range list {
		o := &list[i]
		l.doc.Raw("<Contents>")
		l.name("Key", o.Key)
		l.doc.Time("LastModified", o.Modified)
		l.entry(o)
		l.doc.Raw(owner.of(o.Owner))
		if metadata {
			if err := l.metadata(o, false); err != nil {
				return err
			}
		}
		l.doc.Raw("</Contents>")
	}
	return nil
}

// ownerXML is the Owner element of an account. Its display name is the account's id.
func ownerXML(account string) string {
	return "<Owner><ID>" + iam.CanonicalID(account) + "</ID><DisplayName>" + account + "</DisplayName></Owner>"
}

// owners gives the Owner elements of a listing. The zero gives none.
type owners struct {
	bucket string            // element of the bucket's account
	others map[string]string // elements of other accounts; nil where the bucket's owns everything
	own    string            // the bucket's account
}

func (c *call) owners() owners {
	o := owners{bucket: ownerXML(c.b.Owner), own: c.b.Owner}
	if c.s.aclsEnabled(c.b) {
		o.others = map[string]string{}
	}
	return o
}

func (o *owners) of(account string) string {
	if o.others == nil || account == "" || account == o.own {
		return o.bucket
	}
	elem, ok := o.others[account]
	if !ok {
		elem = ownerXML(account)
		o.others[account] = elem
	}
	return elem
}

func listObjects(c *call) error {
	l, err := newLister(c, "max-keys")
	if err != nil {
		return err
	}
	l.in.After = c.query.Get("marker")
	page, err := c.s.Backend.ListObjects(c.ctx, l.in)
	if err != nil {
		return err
	}
	l.start("ListBucketResult")
	l.head("MaxKeys", l.in.Limit, page.Truncated)
	l.name("Marker", l.in.After)
	if page.Truncated && l.in.Delimiter != "" {
		l.name("NextMarker", page.NextAfter)
	}
	if err := l.contents(page.Objects, c.owners(), false); err != nil {
		return err
	}
	l.prefixes(page.Prefixes)
	return l.end("ListBucketResult")
}

func listObjectsV2(c *call) error {
	if v := c.query.Get("list-type"); v != "2" {
		return errorf("InvalidArgument", "Invalid List Type specified in Request").with("ArgumentName", "list-type").with("ArgumentValue", v)
	}
	l, err := newLister(c, "max-keys")
	if err != nil {
		return err
	}
	token, startAfter := c.query.Get("continuation-token"), c.query.Get("start-after")
	l.in.After = startAfter
	if token != "" {
		if l.in.After, err = decodeToken(token); err != nil {
			return err
		}
	}
	page, metadata, err := c.listOrLookInto(l.in)
	if err != nil {
		return err
	}
	l.start("ListBucketResult")
	l.head("MaxKeys", l.in.Limit, page.Truncated)
	l.doc.Int("KeyCount", int64(len(page.Objects)+len(page.Prefixes)))
	if c.query.Has("continuation-token") {
		l.doc.Elem("ContinuationToken", token)
	}
	l.optName("StartAfter", startAfter)
	if page.Truncated {
		l.doc.Elem("NextContinuationToken", encodeToken(page.NextAfter))
	}
	var owner owners
	if c.query.Get("fetch-owner") == "true" {
		owner = c.owners()
	}
	if err := l.contents(page.Objects, owner, metadata); err != nil {
		return err
	}
	l.prefixes(page.Prefixes)
	return l.end("ListBucketResult")
}

// A continuation token is the last name of the page before, so that it stays good whatever
// is written or deleted in between, and across restarts. The first byte is its form.
func encodeToken(after string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{1}, after...))
}

func decodeToken(token string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) == 0 || raw[0] != 1 {
		return "", errorf("InvalidArgument", "The continuation token provided is incorrect").
			with("ArgumentName", "continuation-token").with("ArgumentValue", token)
	}
	return string(raw[1:]), nil
}

func listObjectVersions(c *call) error {
	l, err := newLister(c, "max-keys")
	if err != nil {
		return err
	}
	l.in.After, l.in.AfterID = c.query.Get("key-marker"), c.query.Get("version-id-marker")
	if l.in.AfterID != "" && l.in.After == "" {
		return errorf("InvalidArgument", "A version-id marker cannot be specified without a key marker.").with("ArgumentName", "version-id-marker")
	}
	page, err := c.s.Backend.ListVersions(c.ctx, l.in)
	if err != nil {
		return err
	}
	l.start("ListVersionsResult")
	l.head("MaxKeys", l.in.Limit, page.Truncated)
	l.name("KeyMarker", l.in.After)
	l.doc.Elem("VersionIdMarker", l.in.AfterID)
	if page.Truncated {
		l.name("NextKeyMarker", page.NextAfter)
		l.doc.Opt("NextVersionIdMarker", page.NextID)
	}
	if err := l.versions(page.Objects, c.owners(), c.wantsMetadata()); err != nil {
		return err
	}
	l.prefixes(page.Prefixes)
	return l.end("ListVersionsResult")
}

func (l *lister) versions(list []storage.Object, owner owners, metadata bool) error {
	for i := range list {
		o := &list[i]
		elem := "Version"
		if o.DeleteMarker {
			elem = "DeleteMarker"
		}
		l.doc.Open(elem)
		l.name("Key", o.Key)
		l.doc.Elem("VersionId", o.VersionID)
		l.doc.Bool("IsLatest", o.Latest)
		l.doc.Time("LastModified", o.Modified)
		if !o.DeleteMarker {
			l.entry(o)
		}
		l.doc.Raw(owner.of(o.Owner))
		if metadata && !o.DeleteMarker {
			if err := l.metadata(o, true); err != nil {
				return err
			}
		}
		l.doc.Close(elem)
	}
	return nil
}

func listMultipartUploads(c *call) error {
	l, err := newLister(c, "max-uploads")
	if err != nil {
		return err
	}
	l.in.After, l.in.AfterID = c.query.Get("key-marker"), c.query.Get("upload-id-marker")
	if l.in.After == "" {
		// S3 ignores an upload id marker without a key marker.
		l.in.AfterID = ""
	}
	page, err := c.s.Backend.ListUploads(c.ctx, l.in)
	if err != nil {
		return err
	}
	l.start("ListMultipartUploadsResult")
	l.doc.Elem("Bucket", c.bucket)
	l.name("KeyMarker", l.in.After)
	l.doc.Elem("UploadIdMarker", l.in.AfterID)
	if page.Truncated {
		l.name("NextKeyMarker", page.NextAfter)
		l.doc.Opt("NextUploadIdMarker", page.NextID)
	}
	l.optName("Delimiter", l.in.Delimiter)
	l.name("Prefix", l.in.Prefix)
	l.doc.Int("MaxUploads", int64(l.in.Limit))
	if l.url {
		l.doc.Elem("EncodingType", "url")
	}
	l.doc.Bool("IsTruncated", page.Truncated)
	for i := range page.Uploads {
		l.upload(&page.Uploads[i])
	}
	l.prefixes(page.Prefixes)
	return l.end("ListMultipartUploadsResult")
}

func (l *lister) upload(u *storage.Upload) {
	class := u.Meta.Class
	if class == "" {
		class = "STANDARD"
	}
	l.doc.Open("Upload")
	l.name("Key", u.Key)
	l.doc.Elem("UploadId", u.ID)
	writeInitiator(l.doc, u.Initiator)
	l.doc.Raw(ownerXML(l.c.s.objectOwner(l.c.b, u.Meta.Owner)))
	l.doc.Elem("StorageClass", class)
	l.doc.Time("Initiated", u.Begun)
	l.doc.Opt("ChecksumAlgorithm", u.ChecksumAlgorithm)
	l.doc.Opt("ChecksumType", u.ChecksumType)
	l.doc.Close("Upload")
}
