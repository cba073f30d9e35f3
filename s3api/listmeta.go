package s3api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// wantsMetadata tells whether a listing is asked for the metadata and tags of what it lists, as MinIO's clients do.
func (c *call) wantsMetadata() bool { return c.query.Get("metadata") == "true" }

// metadata writes UserMetadata and UserTags of an object or version, of what the caller may read: who may list a bucket
// need not be allowed to look into its objects. What has been deleted since the page was made is listed without them, and
// so are objects with customers' keys, whose metadata is guarded by these.
func (l *lister) metadata(listed *storage.Object, versions bool) error {
	c := l.c
	ref := storage.Ref{Bucket: c.bucket, Key: listed.Key}
	read, readTags := "s3:GetObject", "s3:GetObjectTagging"
	if versions {
		ref.Version = listed.VersionID
		read, readTags = versionAction[read], versionAction[readTags]
	}
	o, err := c.s.Backend.StatObject(c.ctx, ref)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := sealingOf(o.Props)
	if err != nil {
		return err
	}
	c.judged, c.tagged = &judged{object: o}, &tagged{ref: ref, object: o}
	defer func() { c.judged, c.tagged = nil, nil }()
	if !(s.encrypted() && s.Mode == sseCustomer) && c.may(read, c.b, ref) {
		l.doc.Open("UserMetadata")
		l.attrs(o.Attrs, s)
		l.doc.Close("UserMetadata")
	}
	if len(o.Tags) > 0 && c.may(readTags, c.b, ref) {
		pairs := make([]string, len(o.Tags))
		for i, t := range o.Tags {
			pairs[i] = url.QueryEscape(t.Key) + "=" + url.QueryEscape(t.Value)
		}
		l.doc.Elem("UserTags", strings.Join(pairs, "&"))
	}
	return c.unknown
}

// attrs writes an element for each header that is kept with an object. Names of headers that can't be names of elements
// are left out.
func (l *lister) attrs(attrs []storage.Attr, s *sealing) {
	typed := false
	for _, a := range attrs {
		name := a.Name
		typed = typed || name == attrType
		if strings.HasPrefix(name, attrMetaPrefix) {
			name = http.CanonicalHeaderKey(name)
		}
		if !strings.ContainsFunc(name, func(r rune) bool {
			return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			l.doc.Elem(name, a.Value)
		}
	}
	if !typed {
		l.doc.Elem(attrType, defaultType)
	}
	if s.encrypted() {
		l.doc.Elem(sseHeader, s.Mode)
		if s.Mode == sseKMS {
			l.doc.Elem(sseKeyHeader, s.KeyName)
		}
	}
}
