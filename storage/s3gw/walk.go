package s3gw

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// pageHead is what documents of listings have that go on behind a name and an id.
type pageHead struct {
	Prefixes    []commonPrefix `xml:"CommonPrefixes"`
	Encoding    string         `xml:"EncodingType"`
	Truncated   bool           `xml:"IsTruncated"`
	NextKey     string         `xml:"NextKeyMarker"`
	NextVersion string         `xml:"NextVersionIdMarker"`
	NextUpload  string         `xml:"NextUploadIdMarker"`
}

func (h *pageHead) head() *pageHead { return h }

// listDocument is such a document. take adds its entries to what is listed.
type listDocument interface {
	head() *pageHead
	take(p *page, b *storage.Bucket) error
}

// listKind is what such a listing is asked with.
type listKind struct{ query, limit, id string }

var (
	versionsKind = listKind{"versions", "max-keys", "version-id-marker"}
	uploadsKind  = listKind{"uploads", "max-uploads", "upload-id-marker"}
)

// pageOf fills a page with documents. last is the last name on it when more follow.
func (s *Store) pageOf(ctx context.Context, in storage.ListInput, kind listKind, document func() listDocument) (last string, more bool, err error) {
	b, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return "", false, err
	}
	defer done()
	p, err := s.page(in)
	if err != nil {
		return "", false, err
	}
	if more, err = s.walk(ctx, b, p, kind, document); err != nil || !more {
		return "", false, err
	}
	return p.last, true, nil
}

// walk asks for documents until the page is full or the listing ends; more tells whether others follow.
func (s *Store) walk(ctx context.Context, b *storage.Bucket, p *page, kind listKind, document func() listDocument) (more bool, err error) {
	what := "list " + kind.query + " of bucket " + b.Name
	key, id := p.marker(), p.in.AfterID
	if p.rolled {
		id = ""
	}
	for p.left > 0 {
		q := p.query(kind.limit)
		q.Set(kind.query, "")
		if key != "" {
			q.Set("key-marker", key)
			if id != "" {
				q.Set(kind.id, id)
			}
		}
		doc := document()
		if err := s.listing(ctx, b.Name, q, doc); err != nil {
			return false, err
		}
		h := doc.head()
		p.encoded = h.Encoding == "url"
		if err := doc.take(p, b); err != nil {
			return false, wrap(what, err)
		}
		if !h.Truncated {
			return false, nil
		}
		next, _, err := p.name(h.NextKey)
		next = p.base + next
		nextID := h.NextVersion + h.NextUpload // a document has one of them
		if err != nil || next == p.base || next == key && nextID == id {
			return false, fmt.Errorf("%s: the upstream does not say how its list goes on", what)
		}
		key, id = next, nextID
	}
	return p.in.Limit > 0, nil
}

// follows tells whether an entry is behind the one at which the listing starts, and has the room that it takes. An upstream that gives
// that one again would else be asked without end.
func (p *page) follows(key, id string) bool {
	return key >= p.in.After && (key > p.in.After || p.in.AfterID != "" && id != p.in.AfterID) && p.take(key)
}

// prefixes takes the common prefixes of a document.
func (p *page) prefixes(from []commonPrefix, to *[]string) error {
	for _, c := range from {
		if err := p.prefix(c.Prefix, to); err != nil {
			return err
		}
	}
	return nil
}

// versionsAnswer is the document of ListObjectVersions. Versions and markers are in one order.
type versionsAnswer struct {
	pageHead
	Entries []struct {
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

	out *storage.ListPage
}

// ListVersions implements storage.Lister.
func (s *Store) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	out := &storage.ListPage{}
	var err error
	out.NextAfter, out.Truncated, err = s.pageOf(ctx, in, versionsKind, func() listDocument { return &versionsAnswer{out: out} })
	if err != nil {
		return nil, err
	}
	if n := len(out.Objects); out.Truncated && n > 0 && out.Objects[n-1].Key == out.NextAfter {
		out.NextID = out.Objects[n-1].VersionID
	}
	return out, nil
}

func (doc *versionsAnswer) take(p *page, b *storage.Bucket) error {
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
		if !ok || !p.follows(key, e.Version) {
			continue
		}
		o := storage.Object{Key: key, VersionID: e.Version, Latest: e.Latest, DeleteMarker: marker, Size: e.Size, ETag: strings.Trim(e.ETag, `"`),
			Modified: e.Modified, Owner: b.Owner, Class: e.Class}
		if o.VersionID == "" {
			o.VersionID = storage.NullVersion
		}
		describe(&o, e.Algorithm, e.Type)
		doc.out.Objects = append(doc.out.Objects, o)
	}
	return p.prefixes(doc.Prefixes, &doc.out.Prefixes)
}

// uploadsAnswer is the document of ListMultipartUploads.
type uploadsAnswer struct {
	pageHead
	Uploads []struct {
		Key       string    `xml:"Key"`
		ID        string    `xml:"UploadId"`
		Initiator string    `xml:"Initiator>ID"`
		Begun     time.Time `xml:"Initiated"`
		Class     string    `xml:"StorageClass"`
		Algorithm string    `xml:"ChecksumAlgorithm"`
		Type      string    `xml:"ChecksumType"`
	} `xml:"Upload"`

	out *storage.UploadPage
}

// ListUploads implements storage.Lister.
func (s *Store) ListUploads(ctx context.Context, in storage.ListInput) (*storage.UploadPage, error) {
	out := &storage.UploadPage{}
	var err error
	out.NextAfter, out.Truncated, err = s.pageOf(ctx, in, uploadsKind, func() listDocument { return &uploadsAnswer{out: out} })
	if err != nil {
		return nil, err
	}
	if n := len(out.Uploads); out.Truncated && n > 0 && out.Uploads[n-1].Key == out.NextAfter {
		out.NextID = out.Uploads[n-1].ID
	}
	return out, nil
}

func (doc *uploadsAnswer) take(p *page, b *storage.Bucket) error {
	for i := range doc.Uploads {
		u := &doc.Uploads[i]
		key, ok, err := p.name(u.Key)
		if err != nil {
			return err
		}
		if !ok || !p.follows(key, u.ID) {
			continue
		}
		doc.out.Uploads = append(doc.out.Uploads, storage.Upload{
			UploadRef: storage.UploadRef{Bucket: b.Name, Key: key, ID: u.ID}, Meta: storage.Meta{Owner: b.Owner, Class: class(u.Class)},
			Initiator: u.Initiator, Begun: u.Begun, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
		})
	}
	return p.prefixes(doc.Prefixes, &doc.out.Prefixes)
}
