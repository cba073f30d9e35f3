package s3api

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// Values answers a policy's condition key for this request. What it answers comes from the
// server: the verified signature, the identity, the connection, the parsed parameters. A header
// or parameter counts only for the key that is defined by it (service authorization
// reference, "Condition keys for Amazon S3"). Keys are lower-case.
func (c *call) Values(key string) ([]string, bool) {
	if name, ok := strings.CutPrefix(key, "s3:existingobjecttag/"); ok {
		return c.existingTag(name)
	}
	if name, ok := strings.CutPrefix(key, "s3:requestobjecttag/"); ok {
		return tagValue(c.requestTags(), name)
	}
	if key == "s3:requestobjecttagkeys" {
		return tagKeys(c.requestTags())
	}
	if name, ok := strings.CutPrefix(key, "s3:x-amz-"); ok {
		return c.headerValue("X-Amz-" + name)
	}
	get, ok := conditionKeys[key]
	if !ok {
		return nil, false
	}
	v, ok := get(c)
	if !ok {
		return nil, false
	}
	return []string{v}, true
}

// conditionKeys answer with one value.
var conditionKeys = map[string]func(*call) (string, bool){
	"aws:currenttime":     func(c *call) (string, bool) { return c.s.Now().UTC().Format(time.RFC3339), true },
	"aws:epochtime":       func(c *call) (string, bool) { return strconv.FormatInt(c.s.Now().Unix(), 10), true },
	"aws:securetransport": func(c *call) (string, bool) { return strconv.FormatBool(c.ev.TLS), true },
	"aws:sourceip":        func(c *call) (string, bool) { return present(c.ev.Remote) },
	"aws:useragent":       func(c *call) (string, bool) { return present(c.r.Header.Get("User-Agent")) },
	"aws:referer":         func(c *call) (string, bool) { return present(c.r.Header.Get("Referer")) },
	"s3:authtype":         authType,
	"s3:signatureversion": signatureVersion,
	"s3:signatureage":     signatureAge,
	"s3:prefix":           listPrefix,
	"s3:delimiter":        queryKey("delimiter", bucketLevel),
	"s3:max-keys":         queryKey("max-keys", bucketLevel),
	"s3:versionid":        func(c *call) (string, bool) { return present(c.ev.Version) },
	"s3:if-match":         func(c *call) (string, bool) { return present(c.r.Header.Get("If-Match")) },
	"s3:if-none-match":    func(c *call) (string, bool) { return present(c.r.Header.Get("If-None-Match")) },
	"s3:resourceaccount": func(c *call) (string, bool) {
		if c.b == nil {
			return "", false
		}
		return c.b.Owner, true
	},
}

func present(s string) (string, bool) { return s, s != "" }

func listPrefix(c *call) (string, bool) {
	if c.prefix != "" {
		return c.prefix, true
	}
	return queryKey("prefix", bucketLevel)(c)
}

func queryKey(name string, l level) func(*call) (string, bool) {
	return func(c *call) (string, bool) { return c.query.Get(name), c.level == l && c.query.Has(name) }
}

func (c *call) headerValue(name string) ([]string, bool) {
	// Header keys are canonical in the map; condition keys are lower-case.
	v := c.r.Header.Get(name)
	if v == "" {
		return nil, false
	}
	return []string{v}, true
}

func signatureVersion(c *call) (string, bool) {
	if c.auth.V2 {
		return "AWS", true
	}
	return "AWS4-HMAC-SHA256", c.auth.Mode != sigv4.Anonymous
}

func authType(c *call) (string, bool) {
	switch c.auth.Mode {
	case sigv4.Header:
		return "REST-HEADER", true
	case sigv4.Presigned:
		return "REST-QUERY-STRING", true
	case sigv4.Form:
		return "POST", true
	}
	return "", false
}

// signatureAge is in milliseconds, of presigned requests.
func signatureAge(c *call) (string, bool) {
	if c.auth.Mode != sigv4.Presigned {
		return "", false
	}
	return strconv.FormatInt(c.s.Now().Sub(c.auth.Time).Milliseconds(), 10), true
}

// existingTag looks up a tag of the object as it is stored. When that can't be read the request
// fails: an absent tag could make a Deny void.
func (c *call) existingTag(name string) ([]string, bool) {
	if c.level != objectLevel || c.b == nil {
		return nil, false
	}
	o, err := c.s.Backend.StatObject(c.ctx, c.ref())
	if err != nil {
		if !errors.Is(err, storage.ErrNoSuchKey) && !errors.Is(err, storage.ErrNoSuchVersion) && !errors.Is(err, storage.ErrMarker) {
			c.unknown = err
		}
		return nil, false
	}
	return tagValue(o.Tags, name)
}

func tagValue(tags []storage.Tag, name string) ([]string, bool) {
	for _, t := range tags {
		if strings.EqualFold(t.Key, name) {
			return []string{t.Value}, true
		}
	}
	return nil, false
}

func tagKeys(tags []storage.Tag) (keys []string, ok bool) {
	for _, t := range tags {
		keys = append(keys, t.Key)
	}
	return keys, len(keys) > 0
}

// requestTags are the tags that the request wants to set: of the body of PutObjectTagging, which
// is read for it, of a form's field, or of the header of the writes that take it. Those of a
// request that is malformed can't be known, and it fails.
func (c *call) requestTags() []storage.Tag {
	var tags []storage.Tag
	var err error
	switch {
	case c.op.name == "PutObjectTagging":
		tags, err = c.documentTags()
	case c.formTags != "":
		var doc tagging
		if err = s3xml.Decode([]byte(c.formTags), &doc); err == nil {
			tags, err = doc.tags()
		}
	default:
		tags, err = parseTags(c.r.Header.Get("X-Amz-Tagging"))
	}
	if err != nil {
		c.unknown = err
	}
	return tags
}

func (c *call) documentTags() ([]storage.Tag, error) {
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return nil, err
	}
	c.document = data
	var doc tagging
	if err := s3xml.Decode(data, &doc); err != nil {
		return nil, errMalformedXML()
	}
	return doc.tags()
}
