package s3api

import "github.com/objsrv/objsrv/s3api/s3xml"

// write writes the configuration as it is answered.
func (l *lifecycleConfiguration) write() []byte {
	var doc s3xml.Writer
	doc.Start("LifecycleConfiguration", true)
	for i := range l.Rules {
		l.Rules[i].write(&doc)
	}
	return doc.End("LifecycleConfiguration")
}

func (r *lifecycleRule) write(doc *s3xml.Writer) {
	doc.Open("Rule")
	doc.Elem("ID", r.ID)
	optElem(doc, "Prefix", r.Prefix)
	if f := r.Filter; f != nil {
		doc.Open("Filter")
		if a := f.And; a != nil {
			doc.Open("And")
			writeFilter(doc, a.Prefix, a.Tags, a.Larger, a.Smaller)
			doc.Close("And")
		} else {
			writeFilter(doc, f.Prefix, f.Tag, f.Larger, f.Smaller)
		}
		doc.Close("Filter")
	}
	doc.Elem("Status", r.Status)
	if e := r.Expiration; e != nil {
		doc.Open("Expiration")
		optInt(doc, "Days", e.Days)
		if e.Date != nil {
			t, _ := lifecycleDate(*e.Date) // compile has read it
			doc.Time("Date", t)
		}
		optElem(doc, "ExpiredObjectDeleteMarker", e.Marker)
		optElem(doc, "ExpiredObjectAllVersions", e.AllVersions)
		doc.Close("Expiration")
	}
	if n := r.Noncurrent; n != nil {
		doc.Open("NoncurrentVersionExpiration")
		optInt(doc, "NoncurrentDays", n.Days)
		optInt(doc, "NewerNoncurrentVersions", n.Newer)
		doc.Close("NoncurrentVersionExpiration")
	}
	if r.Abort != nil {
		doc.Open("AbortIncompleteMultipartUpload")
		optInt(doc, "DaysAfterInitiation", r.Abort.Days)
		doc.Close("AbortIncompleteMultipartUpload")
	}
	if r.DelMarker != nil {
		doc.Open("DelMarkerExpiration")
		optInt(doc, "Days", r.DelMarker.Days)
		doc.Close("DelMarkerExpiration")
	}
	if r.All != nil {
		doc.Open("AllVersionsExpiration")
		optInt(doc, "Days", r.All.Days)
		optElem(doc, "DeleteMarker", r.All.Marker)
		doc.Close("AllVersionsExpiration")
	}
	doc.Close("Rule")
}

func writeFilter(doc *s3xml.Writer, prefix *string, tags []xmlTag, larger, smaller *int64) {
	optElem(doc, "Prefix", prefix)
	for _, t := range tags {
		doc.Open("Tag")
		doc.Elem("Key", t.Key)
		doc.Elem("Value", t.Value)
		doc.Close("Tag")
	}
	optInt(doc, "ObjectSizeGreaterThan", larger)
	optInt(doc, "ObjectSizeLessThan", smaller)
}

func optElem(doc *s3xml.Writer, name string, v *string) {
	if v != nil {
		doc.Elem(name, *v)
	}
}

func optInt(doc *s3xml.Writer, name string, v *int64) {
	if v != nil {
		doc.Int(name, *v)
	}
}
