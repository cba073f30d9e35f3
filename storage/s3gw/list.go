package s3gw

import (
	"context"
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
	base    string // what is before every name upstream
	rolled  bool   // in.After is a common prefix of this listing
	left    int
	last    string // the last name given
	encoded bool
}

// page begins a page of a bucket.
func (s *Store) page(in storage.ListInput) (*page, error) {
	at, err := s.client.at(in.Bucket)
	if err != nil {
		return nil, err
	}
	p := &page{in: in, base: at.prefix, left: in.Limit}
	if rest, ok := strings.CutPrefix(in.After, in.Prefix); ok && in.Delimiter != "" {
		i := strings.Index(rest, in.Delimiter)
		p.rolled = i >= 0 && i+len(in.Delimiter) == len(rest)
	}
	return p, nil
}

// marker is the name behind which the upstream is asked to start, "" for none.
func (p *page) marker() string {
	switch {
	case p.in.After == "", p.in.After < p.in.Prefix: // nothing that is listed is before it; SeaweedFS would find nothing
		return ""
	case p.rolled:
		return p.base + p.in.After + behind
	}
	return p.base + p.in.After
}

// query is that of the next request.
func (p *page) query(limit string) url.Values {
	q := url.Values{"prefix": {p.base + p.in.Prefix}, "encoding-type": {"url"}, limit: {strconv.Itoa(min(p.left, maxPage))}}
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
	name, ok = strings.CutPrefix(name, p.base)
	return name, ok && name != "" && strings.HasPrefix(name, p.in.Prefix), nil
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
	p, err := s.page(in)
	if err != nil {
		return nil, err
	}
	out, at := &storage.ListPage{}, ""
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
	return p.prefixes(doc.Prefixes, &out.Prefixes)
}

// describe sets what follows from the ETag and the names of a listing.
func describe(o *storage.Object, algorithms []string, typ string) {
	o.Class = class(o.Class)
	o.PartCount = partsOf(o.ETag)
	if len(algorithms) > 0 {
		o.Checksum = storage.Checksum{Algorithm: algorithms[0], Type: typ}
	}
}

// class is a storage class as package storage has it.
func class(name string) string {
	if name == "STANDARD" {
		return ""
	}
	return name
}
