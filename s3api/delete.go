package s3api

import (
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// The limits of DeleteObjects (S3 API reference).
const (
	maxDeleteKeys = 1000
	maxDeleteBody = 2 << 20
)

func deleteObject(c *call) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	in := storage.DeleteInput{Key: ref.Key, Version: ref.Version, Owner: b.Owner}
	if in.If, err = deleteConditions(c.r.Header); err != nil {
		return err
	}
	if b.ObjectLock {
		in.Guard = c.lockGuard(b, c.mayBypass(b, c.key))
	}
	if err := c.expect(b, removes(b, &in)); err != nil {
		return err
	}
	results, err := c.s.Backend.DeleteObjects(c.ctx, c.bucket, []storage.DeleteInput{in})
	if err != nil {
		return err
	}
	r := results[0]
	if r.Err != nil {
		return c.deleteError(b, &in, r.Err)
	}
	c.removed(b, &in, &r)
	if r.DeleteMarker {
		c.w.Header()["X-Amz-Delete-Marker"] = isTrue
	}
	c.setVersion(b, r.VersionID)
	return c.reply(http.StatusNoContent)
}

var isTrue = []string{"true"}

// deleteError answers for a deletion that was refused. A condition that matches nothing tells
// that the key does not exist only to those who may know.
func (c *call) deleteError(b *storage.Bucket, in *storage.DeleteInput, err error) error {
	if errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion) {
		return c.missing(b, storage.Ref{Bucket: c.bucket, Key: in.Key, Version: in.Version}, err)
	}
	return conditionError(err, &in.If)
}

// deleteRequest is the body of DeleteObjects.
type deleteRequest struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool     `xml:"Quiet"`
	Objects []struct {
		Key          *string `xml:"Key"`
		VersionID    string  `xml:"VersionId"`
		ETag         string  `xml:"ETag"`
		LastModified string  `xml:"LastModifiedTime"`
		Size         string  `xml:"Size"`
	} `xml:"Object"`
}

// deletion is one entry of a DeleteObjects on its way.
type deletion struct {
	in  storage.DeleteInput
	res storage.DeleteResult
	err error
}

func deleteObjects(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	var req deleteRequest
	if err := c.readXML(maxDeleteBody, true, &req); err != nil {
		return err
	}
	list, err := c.deletions(b, &req)
	if err != nil {
		return err
	}
	if err := c.runDeletions(b, list); err != nil {
		return err
	}
	var doc s3xml.Writer
	doc.Start("DeleteResult", true)
	for i := range list {
		switch d := &list[i]; {
		case d.err != nil:
			e := toError(d.err)
			c.keepRefusal(e, c.action(), d.in.Key)
			d.writeError(&doc, e)
		case !req.Quiet:
			d.write(&doc)
		}
	}
	return c.replyXML(http.StatusOK, doc.End("DeleteResult"))
}

// deletions reads the entries of a request and asks for the right to each.
func (c *call) deletions(b *storage.Bucket, req *deleteRequest) ([]deletion, error) {
	if n := len(req.Objects); n == 0 || n > maxDeleteKeys {
		return nil, errMalformedXML()
	}
	list := make([]deletion, len(req.Objects))
	for i := range req.Objects {
		o, d := &req.Objects[i], &list[i]
		if o.Key == nil || *o.Key == "" {
			return nil, errMalformedXML()
		}
		d.in = storage.DeleteInput{Key: *o.Key, Version: o.VersionID, Owner: b.Owner}
		d.in.If.IfMatch = unquoteETag(o.ETag)
		if o.Size != "" {
			size, err := parseSize(o.Size)
			if err != nil {
				return nil, errMalformedXML()
			}
			d.in.If.IfMatchSize, d.in.If.HasSize = size, true
		}
		if o.LastModified != "" {
			t, err := parseTime(o.LastModified)
			if err != nil {
				return nil, errMalformedXML()
			}
			d.in.If.IfMatchModified = t
		}
		if d.err = checkKey(*o.Key); d.err == nil {
			action := "s3:DeleteObject"
			if o.VersionID != "" {
				action = versionAction[action]
			}
			d.err = c.authorizeRef(action, b, storage.Ref{Bucket: c.bucket, Key: *o.Key, Version: o.VersionID})
		}
		if b.ObjectLock && d.err == nil {
			d.in.Guard = c.lockGuard(b, c.mayBypass(b, *o.Key))
		}
	}
	return list, nil
}

// runDeletions deletes what may be deleted, in one call of the store.
func (c *call) runDeletions(b *storage.Bucket, list []deletion) error {
	in := make([]storage.DeleteInput, 0, len(list))
	for i := range list {
		if list[i].err == nil {
			in = append(in, list[i].in)
		}
	}
	if len(in) == 0 {
		return nil
	}
	if err := c.expectDeletions(b, in); err != nil {
		return err
	}
	results, err := c.s.Backend.DeleteObjects(c.ctx, c.bucket, in)
	if err != nil {
		return err
	}
	n := 0
	for i := range list {
		d := &list[i]
		if d.err != nil {
			continue
		}
		if d.res = results[n]; d.res.Err != nil {
			d.err = c.deleteError(b, &d.in, d.res.Err)
		} else {
			c.removed(b, &d.in, &d.res)
		}
		n++
	}
	return nil
}

func (c *call) expectDeletions(b *storage.Bucket, in []storage.DeleteInput) error {
	if len(c.s.notificationRules(b)) == 0 {
		return nil
	}
	list := make([]aboutTo, len(in))
	for i := range in {
		list[i] = removes(b, &in[i])
	}
	return c.expect(b, list...)
}

func (d *deletion) writeError(doc *s3xml.Writer, e *Error) {
	doc.Open("Error")
	doc.Elem("Key", d.in.Key)
	doc.Opt("VersionId", d.in.Version)
	doc.Elem("Code", e.Code)
	doc.Elem("Message", e.Message)
	doc.Close("Error")
}

func (d *deletion) write(doc *s3xml.Writer) {
	doc.Open("Deleted")
	doc.Elem("Key", d.in.Key)
	doc.Opt("VersionId", d.in.Version)
	if d.res.DeleteMarker {
		doc.Bool("DeleteMarker", true)
		doc.Elem("DeleteMarkerVersionId", d.res.VersionID)
	}
	doc.Close("Deleted")
}
