package s3api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// The limits of what is kept with an object (S3 user guide, "Working with object metadata"
// and "Categorizing your objects using tags").
const (
	maxMeta       = 2 << 10 // bytes of names and values of user-defined metadata
	maxObjectTags = 10
)

const (
	metaPrefix      = "X-Amz-Meta-"
	attrMetaPrefix  = "x-amz-meta-"
	attrRedirect    = "x-amz-website-redirect-location"
	attrType        = "content-type"
	attrEncoding    = "content-encoding"
	defaultType     = "binary/octet-stream"
	standardStorage = "STANDARD"
)

// keptHeaders are the headers that are stored with an object and answered with it, by their
// canonical name and that of their storage.Attr.
var keptHeaders = [...]struct{ header, attr string }{
	{"Cache-Control", "cache-control"},
	{"Content-Disposition", "content-disposition"},
	{"Content-Encoding", attrEncoding},
	{"Content-Language", "content-language"},
	{"Content-Type", attrType},
	{"Expires", "expires"},
	{"X-Amz-Website-Redirect-Location", attrRedirect},
}

// objectMeta reads what a request that writes an object says about it besides its content.
// It needs s3:PutObjectTagging when tags are among it.
func (c *call) objectMeta(b *storage.Bucket) (storage.Meta, error) {
	var m storage.Meta
	var acl string
	var err error
	if m.Owner, acl, err = c.writerACL(b); err != nil {
		return m, err
	}
	if m.Class, err = storageClass(c.r.Header.Get("X-Amz-Storage-Class")); err != nil {
		return m, err
	}
	if m.Attrs, err = objectAttrs(c.r.Header); err != nil {
		return m, err
	}
	if m.Tags, err = c.tagHeader(b); err != nil {
		return m, err
	}
	m.Props, err = c.lockProps(b, c.r.Header.Get)
	m.Props = withACL(m.Props, acl)
	return m, err
}

// tagHeader reads x-amz-tagging, which needs a right of its own.
func (c *call) tagHeader(b *storage.Bucket) ([]storage.Tag, error) {
	v := c.r.Header.Get("X-Amz-Tagging")
	if v == "" {
		return nil, nil
	}
	if err := c.authorize("s3:PutObjectTagging", b, c.bucket, c.key); err != nil {
		return nil, err
	}
	return parseTags(v)
}

// storageClass checks a storage class; "" stands for STANDARD. All data is kept alike, the
// name is for the client. The classes of other bucket types are not objects' own.
func storageClass(name string) (string, error) {
	switch name {
	case "", standardStorage:
		return "", nil
	case "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE":
		return name, nil
	}
	return "", errorf("InvalidStorageClass", "The storage class you specified is not valid").with("StorageClassRequested", name)
}

// classOf is the storage class as it is told.
func classOf(class string) string {
	if class == "" {
		return standardStorage
	}
	return class
}

// errNoHeader refuses what a form, a URL or an archive says of an object and no header could: it would be answered with
// as another.
func errNoHeader(name string) error {
	return errorf("InvalidArgument", "What is kept with an object must be able to be a header, without control characters: %s.", strconv.QuoteToASCII(name))
}

func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) })
}

func headerValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// objectAttrs reads the headers that are kept, sorted by name. Content-Type is left out
// when it is the default.
func objectAttrs(header http.Header) ([]storage.Attr, error) {
	var attrs []storage.Attr
	for _, k := range keptHeaders {
		v := header[k.header]
		if len(v) == 0 {
			continue
		}
		value := strings.Join(v, ",")
		switch k.attr {
		case attrEncoding:
			value = sigv4.StripChunkedEncoding(value) // how a body travels, not what it is
		case attrRedirect:
			if !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") {
				return nil, errorf("InvalidRedirectLocation", "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
			}
		}
		if value == "" || k.attr == attrType && value == defaultType {
			continue
		}
		if !headerValue(value) {
			return nil, errNoHeader(k.attr)
		}
		attrs = append(attrs, storage.Attr{Name: k.attr, Value: value})
	}
	size, first := 0, len(attrs)
	for name, v := range header {
		if len(name) <= len(metaPrefix) || name[:len(metaPrefix)] != metaPrefix {
			continue
		}
		a := storage.Attr{Name: strings.ToLower(name), Value: strings.Join(v, ",")}
		if !headerName(a.Name) || !headerValue(a.Value) {
			return nil, errNoHeader(a.Name)
		}
		size += len(a.Name) - len(metaPrefix) + len(a.Value)
		attrs = append(attrs, a)
	}
	if size > maxMeta {
		return nil, errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").
			with("Size", strconv.Itoa(size)).with("MaxSizeAllowed", strconv.Itoa(maxMeta))
	}
	slices.SortFunc(attrs[first:], func(a, b storage.Attr) int { return strings.Compare(a.Name, b.Name) })
	return attrs, nil
}
