package s3api

import (
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// attribute is a set of what GetObjectAttributes can tell.
type attribute uint8

const (
	wantETag attribute = 1 << iota
	wantChecksum
	wantParts
	wantClass
	wantSize
)

var attributeNames = map[string]attribute{
	"ETag": wantETag, "Checksum": wantChecksum, "ObjectParts": wantParts, "StorageClass": wantClass, "ObjectSize": wantSize,
}

func getObjectAttributes(c *call) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	// It takes the right to read the object as well (S3 API reference, GetObjectAttributes, "Permissions").
	action := "s3:GetObject"
	if ref.Version != "" {
		action = versionAction[action]
	}
	if err := c.authorize(action, b, ref.Bucket, ref.Key); err != nil {
		return err
	}
	want, err := wantedAttributes(c.r.Header)
	if err != nil {
		return err
	}
	limit, after, err := c.partsPage()
	if err != nil {
		return err
	}
	o, err := c.stat(b, ref)
	if err != nil {
		return err
	}
	if _, err := c.mayOpen(ref, o, &customerHeader); err != nil {
		return err
	}
	var parts []storage.Part
	if want&wantParts != 0 && o.PartCount > 0 {
		if parts, err = c.s.Backend.Parts(c.ctx, storage.Ref{Bucket: ref.Bucket, Key: ref.Key, Version: o.VersionID}); err != nil {
			return err
		}
	}
	c.setVersion(b, o.VersionID)
	c.w.Header()["Last-Modified"] = []string{httpTime(o.Modified)}
	var doc s3xml.Writer
	doc.Start("GetObjectAttributesResponse", true)
	if want&wantETag != 0 {
		doc.Elem("ETag", o.ETag) // without quotes, here alone
	}
	if want&wantChecksum != 0 && o.Checksum.Algorithm != "" {
		// Here alone a composite checksum comes without its number of parts.
		bare := o.Checksum
		bare.Value, _, _ = strings.Cut(bare.Value, "-")
		doc.Open("Checksum")
		writeChecksum(&doc, bare)
		doc.Opt("ChecksumType", bare.Type)
		doc.Close("Checksum")
	}
	if len(parts) > 0 {
		writeParts(&doc, parts, after, limit)
	}
	if want&wantClass != 0 {
		doc.Elem("StorageClass", classOf(o.Class))
	}
	if want&wantSize != 0 {
		doc.Int("ObjectSize", o.Size)
	}
	return c.replyXML(http.StatusOK, doc.End("GetObjectAttributesResponse"))
}

// wantedAttributes reads x-amz-object-attributes.
func wantedAttributes(header http.Header) (attribute, error) {
	var want attribute
	for _, line := range header["X-Amz-Object-Attributes"] {
		for name := range strings.SplitSeq(line, ",") {
			a, ok := attributeNames[strings.TrimSpace(name)]
			if !ok {
				return 0, errorf("InvalidArgument", "Invalid attribute name specified.").with("ArgumentName", "x-amz-object-attributes").with("ArgumentValue", name)
			}
			want |= a
		}
	}
	if want == 0 {
		return 0, errorf("InvalidRequest", "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	return want, nil
}

// partsPage reads the headers that page through the parts.
func (c *call) partsPage() (limit, after int, err error) {
	limit = 1000
	for _, p := range []struct {
		name string
		into *int
	}{{"X-Amz-Max-Parts", &limit}, {"X-Amz-Part-Number-Marker", &after}} {
		v := c.r.Header.Get(p.name)
		if v == "" {
			continue
		}
		n, err := parseSize(v)
		if err != nil || n > 1<<31-1 {
			return 0, 0, errorf("InvalidArgument", "Provided %s not an integer or within integer range", strings.ToLower(p.name)).
				with("ArgumentName", strings.ToLower(p.name)).with("ArgumentValue", v)
		}
		*p.into = int(n)
	}
	return min(limit, 1000), after, nil
}

// writeParts writes a page of an object's parts. They are numbered as reads by partNumber
// count them, which is from 1 without gaps.
func writeParts(doc *s3xml.Writer, parts []storage.Part, after, limit int) {
	from := min(after, len(parts))
	to := min(from+limit, len(parts))
	doc.Open("ObjectParts")
	doc.Int("PartsCount", int64(len(parts)))
	doc.Int("PartNumberMarker", int64(after))
	doc.Int("NextPartNumberMarker", int64(to))
	doc.Int("MaxParts", int64(limit))
	doc.Bool("IsTruncated", to < len(parts))
	for i := from; i < to; i++ {
		doc.Open("Part")
		doc.Int("PartNumber", int64(i+1))
		doc.Int("Size", parts[i].Size)
		writeChecksum(doc, parts[i].Checksum)
		doc.Close("Part")
	}
	doc.Close("ObjectParts")
}
