package s3api

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// parseTags reads a tag set in the form of a query, as x-amz-tagging has it.
func parseTags(v string) ([]storage.Tag, error) {
	var list []xmlTag
	for pair := range strings.SplitSeq(v, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, kerr := url.QueryUnescape(k)
		value, verr := url.QueryUnescape(v)
		if kerr != nil || verr != nil {
			return nil, errorf("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.").
				with("ArgumentName", "x-amz-tagging").with("ArgumentValue", v)
		}
		list = append(list, xmlTag{Key: key, Value: value})
	}
	return objectTags(list)
}

// objectTags checks the tags of an object and sorts them by their keys.
func objectTags(list []xmlTag) ([]storage.Tag, error) {
	if len(list) > maxObjectTags {
		return nil, errorf("InvalidTag", "Object tags cannot be greater than %d", maxObjectTags)
	}
	if err := checkTags(list, maxObjectTags); err != nil {
		return nil, err
	}
	tags := make([]storage.Tag, len(list))
	for i, t := range list {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, errorf("InvalidTag", "System tags cannot be added/updated by requester").with("TagKey", t.Key)
		}
		tags[i] = storage.Tag{Key: t.Key, Value: t.Value}
	}
	slices.SortFunc(tags, func(a, b storage.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags, nil
}

// tagging is the body of PutObjectTagging and of the tagging field of a POST form.
type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  *struct {
		Tag []struct {
			Key   *string `xml:"Key"`
			Value *string `xml:"Value"`
		} `xml:"Tag"`
	} `xml:"TagSet"`
}

// tags returns the tags of the document; each has a key and a value.
func (t *tagging) tags() ([]storage.Tag, error) {
	if t.TagSet == nil {
		return nil, errMalformedXML()
	}
	list := make([]xmlTag, 0, len(t.TagSet.Tag))
	for _, tag := range t.TagSet.Tag {
		if tag.Key == nil || tag.Value == nil {
			return nil, errMalformedXML()
		}
		list = append(list, xmlTag{Key: *tag.Key, Value: *tag.Value})
	}
	return objectTags(list)
}

func getObjectTagging(c *call) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	o, err := c.stat(b, ref)
	if err != nil {
		return err
	}
	c.setVersion(b, o.VersionID)
	var doc s3xml.Writer
	doc.Start("Tagging", true)
	doc.Open("TagSet")
	for _, t := range o.Tags {
		doc.Open("Tag")
		doc.Elem("Key", t.Key)
		doc.Elem("Value", t.Value)
		doc.Close("Tag")
	}
	doc.Close("TagSet")
	return c.replyXML(http.StatusOK, doc.End("Tagging"))
}

func putObjectTagging(c *call) error {
	var doc tagging
	if err := c.readXML(maxXML, false, &doc); err != nil {
		return err
	}
	tags, err := doc.tags()
	if err != nil {
		return err
	}
	return c.setTags(events.TaggingPut, tags, http.StatusOK)
}

func deleteObjectTagging(c *call) error {
	return c.setTags(events.TaggingDelete, nil, http.StatusNoContent)
}

// setTags replaces the tags of the version that the request names, which is the event told.
func (c *call) setTags(event events.Name, tags []storage.Tag, status int) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	if err := c.expect(b, aboutTo{event, c.key, ref.Version}); err != nil {
		return err
	}
	o, err := c.s.Backend.SetTags(c.ctx, ref, tags)
	if err != nil {
		return c.missing(b, ref, err)
	}
	c.happened(event, b, o)
	c.setVersion(b, o.VersionID)
	return c.reply(status)
}
