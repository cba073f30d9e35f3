package s3api

import (
	"errors"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// tagValues answers the condition keys about tags: those of the object as it is stored, those
// that the request wants to set on an object, and on a bucket.
func (c *call) tagValues(key string) ([]string, bool) {
	if name, ok := strings.CutPrefix(key, "s3:existingobjecttag/"); ok {
		return c.existingTag(name)
	}
	if name, ok := strings.CutPrefix(key, "s3:requestobjecttag/"); ok {
		return tagValue(c.requestTags(), name)
	}
	if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		return tagValue(c.bucketTags(), name)
	}
	switch key {
	case "s3:requestobjecttagkeys":
		return tagKeys(c.requestTags())
	case "aws:tagkeys":
		return tagKeys(c.bucketTags())
	}
	return nil, false
}

// existingTag looks up a tag of the object that is asked about, as it is stored. When that can't be read
// the request fails: an absent tag could make a Deny void.
func (c *call) existingTag(name string) ([]string, bool) {
	ref := c.asked.ref()
	if ref.Key == "" || c.asked.b == nil {
		return nil, false
	}
	if c.tagged != nil && c.tagged.object != nil && c.tagged.ref == ref {
		return tagValue(c.tagged.object.Tags, name)
	}
	c.tagged = &tagged{action: c.asked.req.Action, ref: ref}
	o, err := c.s.Backend.StatObject(c.ctx, ref)
	if err != nil {
		if !errors.Is(err, storage.ErrNoSuchKey) && !errors.Is(err, storage.ErrNoSuchVersion) && !errors.Is(err, storage.ErrMarker) {
			c.unknown = err
		}
		return nil, false
	}
	c.tagged.tags = o.Tags
	return tagValue(o.Tags, name)
}

// tagged is the object whose tags a decision was based on; one that was absent had none.
type tagged struct {
	action string
	ref    storage.Ref
	tags   []storage.Tag
	object *storage.Object // to judge instead of what is stored
}

// holds tells that a decision, if tags counted in it, would be the same for o.
func (t *tagged) holds(b *storage.Bucket, o *storage.Object) bool {
	return t == nil || t.object != nil || t.ref.Bucket != b.Name || t.ref.Key != o.Key || slices.Equal(t.tags, o.Tags)
}

func tagValue(tags []storage.Tag, name string) (values []string, ok bool) {
	for _, t := range tags {
		if strings.EqualFold(t.Key, name) {
			values = append(values, t.Value)
		}
	}
	return values, len(values) > 0
}

func tagKeys(tags []storage.Tag) (keys []string, ok bool) {
	for _, t := range tags {
		keys = append(keys, t.Key)
	}
	return keys, len(keys) > 0
}

// requestTags are the tags that the request wants to set on an object: of the body of PutObjectTagging, which
// is read for it, of a form's field, of the header of the writes that take it, or those that a copy
// or a renaming takes over. Those of a request that is malformed can't be known, and it fails.
func (c *call) requestTags() []storage.Tag {
	var tags []storage.Tag
	var doc tagging
	var err error
	switch {
	case c.op == nil:
	case c.op.name == "PutObjectTagging":
		if err = c.early(&doc); err == nil {
			tags, err = doc.tags()
		}
	case c.op.name == "PostObject":
		if c.formTags == "" {
			break
		}
		if err = s3xml.Decode([]byte(c.formTags), &doc); err == nil {
			tags, err = doc.tags()
		}
	case c.op.name == "RenameObject" || c.op.name == "CopyObject" && c.r.Header.Get("X-Amz-Tagging-Directive") != "REPLACE":
		tags = c.copied
	case c.op.knowsHeader("X-Amz-Tagging"):
		tags, err = parseTags(c.r.Header.Get("X-Amz-Tagging"))
	}
	if err != nil {
		c.unknown = err
	}
	return tags
}

// bucketTags are the tags that CreateBucket or PutBucketTagging want to set on the bucket.
func (c *call) bucketTags() []storage.Tag {
	var list []xmlTag
	switch {
	case c.op == nil:
	case c.op.name == "CreateBucket":
		conf, err := c.bucketConfiguration()
		if err != nil {
			c.unknown = err
		} else if conf.Tags != nil {
			list = conf.Tags.Tag
		}
	case c.op.name == "PutBucketTagging":
		var conf bucketTagging
		if err := c.early(&conf); err != nil {
			c.unknown = err
		} else if conf.TagSet != nil {
			list = conf.TagSet.Tag
		}
	}
	tags := make([]storage.Tag, len(list))
	for i, t := range list {
		tags[i] = storage.Tag{Key: t.Key, Value: t.Value}
	}
	return tags
}
