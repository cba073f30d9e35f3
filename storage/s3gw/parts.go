package s3gw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/storage"
)

// maxHeads is how many parts are looked at one by one where the upstream does not list them.
const maxHeads = 1000

// attributesAnswer is the document of GetObjectAttributes.
type attributesAnswer struct {
	Type  string `xml:"Checksum>ChecksumType"`
	Parts struct {
		Truncated bool `xml:"IsTruncated"`
		Next      int  `xml:"NextPartNumberMarker"`
		Parts     []struct {
			Number int   `xml:"PartNumber"`
			Size   int64 `xml:"Size"`
			sums
		} `xml:"Part"`
	} `xml:"ObjectParts"`
}

// Parts implements storage.Objects. S3 tells the parts' sizes, and their checksums when they have any, not their ETags and
// times.
func (s *Store) Parts(ctx context.Context, ref storage.Ref) ([]storage.Part, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	o, err := s.stat(ctx, b, ref)
	if err != nil || o.PartCount == 0 {
		return nil, err
	}
	ref = pin(ref, o)
	parts, err := s.attributes(ctx, ref)
	if err != nil {
		return nil, err
	}
	var size int64
	for i := range parts {
		size += parts[i].Size
	}
	if len(parts) > 0 && size == o.Size {
		return parts, nil
	}
	return s.heads(ctx, ref, o) // MinIO lists the parts of encrypted objects with other lengths
}

// attributes asks for the list of parts; an upstream may have none.
func (s *Store) attributes(ctx context.Context, ref storage.Ref) ([]storage.Part, error) {
	what := fmt.Sprintf("list parts of %s/%q", ref.Bucket, ref.Key)
	var parts []storage.Part
	for next := 0; ; {
		h := http.Header{"X-Amz-Object-Attributes": {"ObjectParts,Checksum"}, "X-Amz-Max-Parts": {strconv.Itoa(maxPage)}}
		if next > 0 {
			h.Set("X-Amz-Part-Number-Marker", strconv.Itoa(next))
		}
		resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: ref.Bucket, key: ref.Key, query: query(ref, "attributes"), header: h})
		var e *Error
		if errors.As(err, &e) && (e.sentinel() == storage.ErrNotSupported || e.Status == http.StatusBadRequest) {
			return nil, nil
		}
		if err != nil {
			return nil, missing(what, ref, err)
		}
		var doc attributesAnswer
		if err := decode(resp, &doc); err != nil {
			return nil, nil // SeaweedFS and others answer with the object itself
		}
		for i := range doc.Parts.Parts {
			p := &doc.Parts.Parts[i]
			parts = append(parts, storage.Part{Number: p.Number, Size: p.Size, Checksum: p.checksum("FULL_OBJECT")})
		}
		if !doc.Parts.Truncated || doc.Parts.Next <= next {
			return parts, nil
		}
		next = doc.Parts.Next
	}
}

// heads asks for each part. What they have together must be the object.
func (s *Store) heads(ctx context.Context, ref storage.Ref, o *storage.Object) ([]storage.Part, error) {
	what := fmt.Sprintf("look at the parts of %s/%q", ref.Bucket, ref.Key)
	if o.PartCount > maxHeads {
		return nil, fmt.Errorf("%s: it has %d, which the upstream does not list: %w", what, o.PartCount, storage.ErrNotSupported)
	}
	var parts []storage.Part
	var size int64
	for n := 1; n <= o.PartCount; n++ {
		q := query(ref)
		q.Set("partNumber", strconv.Itoa(n))
		resp, err := s.client.read(ctx, &request{method: http.MethodHead, bucket: ref.Bucket, key: ref.Key, query: q,
			header: http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}, "If-Match": {`"` + o.ETag + `"`}}})
		if err != nil {
			return nil, missing(what, ref, err)
		}
		resp.Body.Close()
		parts = append(parts, storage.Part{Number: n, Size: resp.ContentLength})
		size += resp.ContentLength
	}
	if size != o.Size {
		return nil, fmt.Errorf("%s: the upstream does not tell them: %w", what, storage.ErrNotSupported)
	}
	return parts, nil
}
