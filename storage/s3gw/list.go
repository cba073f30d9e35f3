package s3gw

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// maxPage is how many entries one request lists.
const maxPage = 1000

// behind is behind every key that begins with what is before it.
const behind = "\U0010ffff"

// page is what listings share.
type page struct {
	in      storage.ListInput
	rolled  bool // in.After is a common prefix of this listing
	left    int
	last    string // the last name given
	encoded bool
}

func newPage(in storage.ListInput) *page {
	p := &page{in: in, left: in.Limit}
	if rest, ok := strings.CutPrefix(in.After, in.Prefix); ok && in.Delimiter != "" {
		i := strings.Index(rest, in.Delimiter)
		p.rolled = i >= 0 && i+len(in.Delimiter) == len(rest)
	}
	return p
}

// marker is the name behind which the upstream is asked to start.
func (p *page) marker() string {
	if p.rolled {
		return p.in.After + behind
	}
	return p.in.After
}

// query is that of the next request.
func (p *page) query(limit string) url.Values {
	q := url.Values{"prefix": {p.in.Prefix}, "encoding-type": {"url"}, limit: {strconv.Itoa(min(p.left, maxPage))}}
	if p.in.Delimiter != "" {
		q.Set("delimiter", p.in.Delimiter)
	}
	return q
}

// name decodes a name of an answer. ok is false for one that does not belong to the listing: what an upstream
// says is not believed further than it was asked.
func (p *page) name(raw string) (name string, ok bool, err error) {
	name = raw
	if p.encoded {
		if name, err = url.QueryUnescape(raw); err != nil {
			return "", false, fmt.Errorf("the upstream lists the name %q", raw)
		}
	}
	return name, name != "" && strings.HasPrefix(name, p.in.Prefix), nil
}

// take counts an entry that is given, and tells whether there is room for it.
func (p *page) take(name string) bool {
	if p.left == 0 {
		return false
	}
	p.left--
	p.last = max(p.last, name)
	return true
}

// prefix takes a common prefix. One that ends where the listing starts was given by the page before.
func (p *page) prefix(raw string, to *[]string) error {
	name, ok, err := p.name(raw)
	if err != nil || !ok || p.rolled && name == p.in.After || name < p.in.After && !strings.HasPrefix(p.in.After, name) {
		return err
	}
	if p.take(name) {
		*to = append(*to, name)
	}
	return nil
}

// commonPrefix is an element of listings.
type commonPrefix struct {
	Prefix string `xml:"Prefix"`
}

// listAnswer is the document of ListObjectsV2.
type listAnswer struct {
	Contents []struct {
		Key       string    `xml:"Key"`
		Modified  time.Time `xml:"LastModified"`
		ETag      string    `xml:"ETag"`
		Size      int64     `xml:"Size"`
		Class     string    `xml:"StorageClass"`
		Algorithm []string  `xml:"ChecksumAlgorithm"`
		Type      string    `xml:"ChecksumType"`
	} `xml:"Contents"`
	Prefixes  []commonPrefix `xml:"CommonPrefixes"`
	Encoding  string         `xml:"EncodingType"`
	Truncated bool           `xml:"IsTruncated"`
	Next      string         `xml:"NextContinuationToken"`
}

// ListObjects implements storage.Lister.
func (s *Store) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	b, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	p, out, at := newPage(in), &storage.ListPage{}, ""
	for p.left > 0 {
		q := p.query("max-keys")
		q.Set("list-type", "2")
		if after := p.marker(); after != "" {
			q.Set("start-after", after)
		}
		if at != "" {
			q.Set("continuation-token", at)
		}
		var doc listAnswer
		if err := s.listing(ctx, in.Bucket, q, &doc); err != nil {
			return nil, err
		}
		p.encoded = doc.Encoding == "url"
		if err := p.objects(b, &doc, out); err != nil {
			return nil, wrap("list bucket "+in.Bucket, err)
		}
		if !doc.Truncated {
			return out, nil
		}
		if doc.Next == "" || doc.Next == at {
			return nil, fmt.Errorf("list bucket %s: the upstream does not say how its list goes on", in.Bucket)
		}
		at = doc.Next
		if p.left == 0 {
			out.Truncated, out.NextAfter = true, p.last
		}
	}
	return out, nil
}

// listing asks for one page of a listing.
func (s *Store) listing(ctx context.Context, bucket string, q url.Values, doc any) error {
	what := "list bucket " + bucket
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: bucket, query: q})
	if err == nil {
		err = decode(resp, doc)
	}
	return wrap(what, err)
}

func (p *page) objects(b *storage.Bucket, doc *listAnswer, out *storage.ListPage) error {
	for i := range doc.Contents {
		c := &doc.Contents[i]
		key, ok, err := p.name(c.Key)
		if err != nil {
			return err
		}
		if !ok || key <= p.in.After || !p.take(key) {
			continue
		}
		o := storage.Object{Key: key, Latest: true, Size: c.Size, ETag: strings.Trim(c.ETag, `"`), Modified: c.Modified, Owner: b.Owner, Class: c.Class}
		if b.Versioning == storage.VersioningUnset {
			o.VersionID = storage.NullVersion
		}
		describe(&o, c.Algorithm, c.Type)
		out.Objects = append(out.Objects, o)
	}
	for _, c := range doc.Prefixes {
		if err := p.prefix(c.Prefix, &out.Prefixes); err != nil {
			return err
		}
	}
	return nil
}

// describe sets what follows from the ETag and the names of a listing.
func describe(o *storage.Object, algorithms []string, typ string) {
	o.Class = class(o.Class)
	o.PartCount = partsOf(o.ETag)
	if len(algorithms) > 0 {
		o.Checksum = storage.Checksum{Algorithm: algorithms[0], Type: typ}
	}
}

// versionsAnswer is the document of ListObjectVersions. Versions and markers are in one order.
type versionsAnswer struct {
	Prefixes  []commonPrefix `xml:"CommonPrefixes"`
	Encoding  string         `xml:"EncodingType"`
	Truncated bool           `xml:"IsTruncated"`
	NextKey   string         `xml:"NextKeyMarker"`
	NextID    string         `xml:"NextVersionIdMarker"`
	Entries   []struct {
		XMLName   xml.Name
		Key       string    `xml:"Key"`
		Version   string    `xml:"VersionId"`
		Latest    bool      `xml:"IsLatest"`
		Modified  time.Time `xml:"LastModified"`
		ETag      string    `xml:"ETag"`
		Size      int64     `xml:"Size"`
		Class     string    `xml:"StorageClass"`
		Algorithm []string  `xml:"ChecksumAlgorithm"`
		Type      string    `xml:"ChecksumType"`
	} `xml:",any"`
}

// ListVersions implements storage.Lister.
func (s *Store) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	b, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	p, out := newPage(in), &storage.ListPage{}
	key, id := p.marker(), in.AfterID
	if p.rolled {
		id = ""
	}
	for p.left > 0 {
		q := p.query("max-keys")
		q.Set("versions", "")
		if key != "" {
			q.Set("key-marker", key)
			if id != "" {
				q.Set("version-id-marker", id)
			}
		}
		var doc versionsAnswer
		if err := s.listing(ctx, in.Bucket, q, &doc); err != nil {
			return nil, err
		}
		p.encoded = doc.Encoding == "url"
		if err := p.versions(b, &doc, out); err != nil {
			return nil, wrap("list bucket "+in.Bucket, err)
		}
		if !doc.Truncated {
			return out, nil
		}
		next, _, err := p.name(doc.NextKey)
		if err != nil || next == "" || next == key && doc.NextID == id {
			return nil, fmt.Errorf("list bucket %s: the upstream does not say how its list goes on", in.Bucket)
		}
		key, id = next, doc.NextID
		if p.left == 0 {
			out.Truncated, out.NextAfter = true, p.last
			if n := len(out.Objects); n > 0 && out.Objects[n-1].Key == p.last {
				out.NextID = out.Objects[n-1].VersionID
			}
		}
	}
	return out, nil
}

func (p *page) versions(b *storage.Bucket, doc *versionsAnswer, out *storage.ListPage) error {
	for i := range doc.Entries {
		e := &doc.Entries[i]
		marker := e.XMLName.Local == "DeleteMarker"
		if !marker && e.XMLName.Local != "Version" {
			continue
		}
		key, ok, err := p.name(e.Key)
		if err != nil {
			return err
		}
		if !ok || key < p.in.After || key == p.in.After && p.in.AfterID == "" || !p.take(key) {
			continue
		}
		o := storage.Object{Key: key, VersionID: e.Version, Latest: e.Latest, DeleteMarker: marker, Size: e.Size, ETag: strings.Trim(e.ETag, `"`),
			Modified: e.Modified, Owner: b.Owner, Class: e.Class}
		if o.VersionID == "" {
			o.VersionID = storage.NullVersion
		}
		describe(&o, e.Algorithm, e.Type)
		out.Objects = append(out.Objects, o)
	}
	for _, c := range doc.Prefixes {
		if err := p.prefix(c.Prefix, &out.Prefixes); err != nil {
			return err
		}
	}
	return nil
}

// uploadsAnswer is the document of ListMultipartUploads.
type uploadsAnswer struct {
	Uploads []struct {
		Key       string    `xml:"Key"`
		ID        string    `xml:"UploadId"`
		Initiator string    `xml:"Initiator>ID"`
		Begun     time.Time `xml:"Initiated"`
		Class     string    `xml:"StorageClass"`
		Algorithm string    `xml:"ChecksumAlgorithm"`
		Type      string    `xml:"ChecksumType"`
	} `xml:"Upload"`
	Prefixes  []commonPrefix `xml:"CommonPrefixes"`
	Encoding  string         `xml:"EncodingType"`
	Truncated bool           `xml:"IsTruncated"`
	NextKey   string         `xml:"NextKeyMarker"`
	NextID    string         `xml:"NextUploadIdMarker"`
}

// ListUploads implements storage.Lister.
func (s *Store) ListUploads(ctx context.Context, in storage.ListInput) (*storage.UploadPage, error) {
	b, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	p, out := newPage(in), &storage.UploadPage{}
	key, id := p.marker(), in.AfterID
	if p.rolled {
		id = ""
	}
	for p.left > 0 {
		q := p.query("max-uploads")
		q.Set("uploads", "")
		if key != "" {
			q.Set("key-marker", key)
			if id != "" {
				q.Set("upload-id-marker", id)
			}
		}
		var doc uploadsAnswer
		if err := s.listing(ctx, in.Bucket, q, &doc); err != nil {
			return nil, err
		}
		p.encoded = doc.Encoding == "url"
		if err := p.uploads(b, &doc, out); err != nil {
			return nil, wrap("list uploads of "+in.Bucket, err)
		}
		if !doc.Truncated {
			return out, nil
		}
		next, _, err := p.name(doc.NextKey)
		if err != nil || next == "" || next == key && doc.NextID == id {
			return nil, fmt.Errorf("list uploads of %s: the upstream does not say how its list goes on", in.Bucket)
		}
		key, id = next, doc.NextID
		if p.left == 0 {
			out.Truncated, out.NextAfter = true, p.last
			if n := len(out.Uploads); n > 0 && out.Uploads[n-1].Key == p.last {
				out.NextID = out.Uploads[n-1].ID
			}
		}
	}
	return out, nil
}

func (p *page) uploads(b *storage.Bucket, doc *uploadsAnswer, out *storage.UploadPage) error {
	for i := range doc.Uploads {
		u := &doc.Uploads[i]
		key, ok, err := p.name(u.Key)
		if err != nil {
			return err
		}
		if !ok || key < p.in.After || key == p.in.After && p.in.AfterID == "" || !p.take(key) {
			continue
		}
		out.Uploads = append(out.Uploads, storage.Upload{
			UploadRef: storage.UploadRef{Bucket: b.Name, Key: key, ID: u.ID}, Meta: storage.Meta{Owner: b.Owner, Class: class(u.Class)},
			Initiator: u.Initiator, Begun: u.Begun, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
		})
	}
	for _, c := range doc.Prefixes {
		if err := p.prefix(c.Prefix, &out.Prefixes); err != nil {
			return err
		}
	}
	return nil
}

// class is a storage class as package storage has it.
func class(name string) string {
	if name == "STANDARD" {
		return ""
	}
	return name
}
