package s3gw

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// openUpload is open for an upload: one in a bucket that is not there is not there.
func (s *Store) openUpload(ctx context.Context, id storage.UploadRef) (*storage.Bucket, func(), error) {
	b, done, err := s.open(ctx, id.Bucket)
	if errors.Is(err, storage.ErrNoSuchBucket) {
		err = fmt.Errorf("upload to bucket %s: %w", id.Bucket, storage.ErrNoSuchUpload)
	}
	if err == nil && (id.ID == "" || id.Key == "") {
		done()
		err = fmt.Errorf("upload without key or id: %w", storage.ErrNoSuchUpload)
	}
	return b, done, err
}

// uploadError gives the errors of calls about an upload their meaning. Ids that are no ids of the upstream's
// are not found.
func uploadError(what string, err error) error {
	var e *Error
	if errors.As(err, &e) && (e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" || e.Status == http.StatusBadRequest && e.Code == "InvalidArgument") {
		return fmt.Errorf("%s: %w: %w", what, storage.ErrNoSuchUpload, e)
	}
	return wrap(what, err)
}

// CreateUpload implements storage.Uploads.
func (s *Store) CreateUpload(ctx context.Context, in storage.UploadInput) (*storage.Upload, error) {
	b, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	what := fmt.Sprintf("begin an upload to %s/%q", in.Bucket, in.Key)
	r := &request{method: http.MethodPost, bucket: in.Bucket, key: in.Key, query: url.Values{"uploads": {""}}, header: http.Header{}}
	if err := setMeta(r.header, b, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	if err := caps.allowKey(in.Key, -1); err != nil {
		return nil, wrap(what, err)
	}
	if err := caps.allow(&storage.Conditions{}, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	if in.ChecksumAlgorithm != "" {
		if !caps.sums[in.ChecksumAlgorithm] {
			return nil, fmt.Errorf("%s with checksums %s: %w", what, in.ChecksumAlgorithm, storage.ErrNotSupported)
		}
		r.header.Set("X-Amz-Checksum-Algorithm", in.ChecksumAlgorithm)
		if in.ChecksumType != "" {
			r.header.Set("X-Amz-Checksum-Type", in.ChecksumType)
		}
	}
	resp, err := s.client.do(ctx, r)
	if err != nil {
		return nil, wrap(what, err)
	}
	var doc struct {
		ID string `xml:"UploadId"`
	}
	if err := decode(resp, &doc); err != nil {
		return nil, wrap(what, err)
	}
	if doc.ID == "" {
		return nil, fmt.Errorf("%s: the upstream gives no id", what)
	}
	if !caps.partSums {
		doc.ID = markID(doc.ID, in.ChecksumAlgorithm, in.ChecksumType)
	}
	return &storage.Upload{
		UploadRef: storage.UploadRef{Bucket: in.Bucket, Key: in.Key, ID: doc.ID}, Meta: in.Meta, Initiator: in.Initiator,
		Begun: s.answered(resp.Header), ChecksumAlgorithm: in.ChecksumAlgorithm, ChecksumType: in.ChecksumType,
	}, nil
}

// partsAnswer is the document of ListParts.
type partsAnswer struct {
	Initiator string       `xml:"Initiator>ID"`
	Class     string       `xml:"StorageClass"`
	Algorithm string       `xml:"ChecksumAlgorithm"`
	Type      string       `xml:"ChecksumType"`
	Truncated bool         `xml:"IsTruncated"`
	Parts     []listedPart `xml:"Part"`
}

// listedPart is one of them.
type listedPart struct {
	Number   int       `xml:"PartNumber"`
	Modified time.Time `xml:"LastModified"`
	ETag     string    `xml:"ETag"`
	Size     int64     `xml:"Size"`
	sums
}

// listParts returns a page of parts behind a number. SeaweedFS begins its pages with that number again.
func (s *Store) listParts(ctx context.Context, id storage.UploadRef, after, limit int) (*partsAnswer, error) {
	what := fmt.Sprintf("list parts of an upload to %s/%q", id.Bucket, id.Key)
	for ask := limit; ; ask = maxPage {
		q := url.Values{"uploadId": {upstreamID(id.ID)}, "max-parts": {strconv.Itoa(ask)}}
		if after > 0 {
			q.Set("part-number-marker", strconv.Itoa(after))
		}
		resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: id.Bucket, key: id.Key, query: q})
		if err != nil {
			return nil, uploadError(what, err)
		}
		var doc partsAnswer
		if err := decode(resp, &doc); err != nil {
			return nil, wrap(what, err)
		}
		doc.Parts = slices.DeleteFunc(doc.Parts, func(p listedPart) bool { return p.Number <= after })
		switch {
		case len(doc.Parts) == 0 && doc.Truncated && ask < maxPage:
			continue
		case len(doc.Parts) == 0 && doc.Truncated && after > 0:
			return nil, fmt.Errorf("%s: the upstream does not say how its list goes on", what)
		case len(doc.Parts) > limit:
			doc.Parts, doc.Truncated = doc.Parts[:limit], true
		}
		return &doc, nil
	}
}

// every returns all that is listed. SeaweedFS lists a part that was sent again beside the one that it replaced; which of them
// a completion takes, the ETag that it names decides.
func (d *partsAnswer) every() []storage.Part {
	var out []storage.Part
	for i := range d.Parts {
		p := &d.Parts[i]
		typ := ""
		if p.checksum("").Value != "" {
			typ = "FULL_OBJECT" // of the part's bytes
		}
		out = append(out, storage.Part{Number: p.Number, Size: p.Size, ETag: strings.Trim(p.ETag, `"`), Modified: p.Modified, Checksum: p.checksum(typ)})
	}
	return out
}

// parts returns the last one of each number.
func (d *partsAnswer) parts() []storage.Part {
	var out []storage.Part
	for _, p := range d.every() {
		switch n := len(out) - 1; {
		case n < 0 || out[n].Number != p.Number:
			out = append(out, p)
		case !p.Modified.Before(out[n].Modified):
			out[n] = p
		}
	}
	return out
}

func (d *partsAnswer) upload(b *storage.Bucket, id storage.UploadRef) *storage.Upload {
	u := &storage.Upload{UploadRef: id, Meta: storage.Meta{Owner: b.Owner, Class: class(d.Class)}, Initiator: d.Initiator, ChecksumAlgorithm: d.Algorithm, ChecksumType: d.Type}
	if u.ChecksumAlgorithm == "" {
		_, u.ChecksumAlgorithm, u.ChecksumType = splitID(id.ID)
	}
	return u
}

// Upload implements storage.Uploads. S3 tells neither an open upload's metadata nor when it was begun.
func (s *Store) Upload(ctx context.Context, id storage.UploadRef) (*storage.Upload, error) {
	b, done, err := s.openUpload(ctx, id)
	if err != nil {
		return nil, err
	}
	defer done()
	doc, err := s.listParts(ctx, id, 0, 1)
	if err != nil {
		return nil, err
	}
	return doc.upload(b, id), nil
}

// PutPart implements storage.Uploads.
func (s *Store) PutPart(ctx context.Context, in storage.PartInput) (*storage.Part, error) {
	_, done, err := s.openUpload(ctx, in.Upload)
	if err != nil {
		return nil, err
	}
	defer done()
	what := fmt.Sprintf("write part %d of an upload to %s/%q", in.Number, in.Upload.Bucket, in.Upload.Key)
	r := &request{method: http.MethodPut, bucket: in.Upload.Bucket, key: in.Upload.Key, header: http.Header{},
		query: url.Values{"uploadId": {upstreamID(in.Upload.ID)}, "partNumber": {strconv.Itoa(in.Number)}}}
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	u := &upload{body: in.Body, size: in.Size, digest: in.Digest, alg: caps.sum(in.ChecksumAlgorithm)}
	out, err := s.send(ctx, r, u, &s.buffers)
	if err != nil {
		return nil, uploadError(what, err)
	}
	p := &storage.Part{Number: in.Number, Size: out.size, ETag: strings.Trim(out.header.Get("Etag"), `"`), Modified: s.answered(out.header)}
	if u.alg != "" {
		p.Checksum = out.digest.Checksum
	}
	return p, nil
}

// ListParts implements storage.Uploads.
func (s *Store) ListParts(ctx context.Context, id storage.UploadRef, after, limit int) (parts []storage.Part, more bool, err error) {
	_, done, err := s.openUpload(ctx, id)
	if err != nil {
		return nil, false, err
	}
	defer done()
	if limit <= 0 {
		_, err := s.listParts(ctx, id, 0, 1)
		return nil, false, err
	}
	for {
		doc, err := s.listParts(ctx, id, after, min(limit-len(parts), maxPage))
		if err != nil {
			return nil, false, err
		}
		parts = append(parts, doc.parts()...)
		if !doc.Truncated || len(parts) >= limit || len(doc.Parts) == 0 {
			return parts, doc.Truncated, nil
		}
		after = parts[len(parts)-1].Number
	}
}

// completeRequest is the body of CompleteMultipartUpload.
type completeRequest struct {
	XMLName xml.Name       `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUpload"`
	Parts   []completePart `xml:"Part"`
}

type completePart struct {
	Number int    `xml:"PartNumber"`
	ETag   string `xml:"ETag"`
	sums
}

// CompleteUpload implements storage.Uploads. The order of mistakes is the contract's for those that show in the
// list of parts; whether a repeated call succeeds is the upstream's to say.
func (s *Store) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	leave, err := s.writers.enter(ctx, in.Upload.Bucket)
	if err != nil {
		return nil, wrap("complete an upload", err)
	}
	defer leave()
	b, done, err := s.openUpload(ctx, in.Upload)
	if err != nil {
		return nil, err
	}
	defer done()
	what := fmt.Sprintf("complete an upload to %s/%q", in.Upload.Bucket, in.Upload.Key)
	u, have, err := s.allParts(ctx, b, in.Upload)
	if errors.Is(err, storage.ErrNoSuchUpload) {
		// It may have been completed already: the upstream knows, and publishes nothing of what is gone.
		return s.complete(ctx, b, in, what, &storage.Upload{}, named(in.Parts), storage.Digest{})
	}
	if err != nil {
		return nil, err
	}
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	chosen, err := choose(&in, have, caps.partSums)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if u.ChecksumAlgorithm != "" && !caps.partSums && !claimed(u, chosen, in.Parts) {
		u.ChecksumAlgorithm, u.ChecksumType = "", "" // the upstream computes it alone
	}
	digest, err := in.Digest(u, digestible(chosen))
	if err != nil {
		return nil, err
	}
	return s.complete(ctx, b, in, what, u, chosen, digest)
}

// digestible returns parts from which an ETag can be made, as the contract of Digest wants it. SeaweedFS gives copied parts one that
// is no MD5; that of the object is the upstream's in any case.
func digestible(parts []storage.Part) []storage.Part {
	parts = slices.Clone(parts)
	for i := range parts {
		if p := &parts[i]; !isMD5(p.ETag) {
			sum := md5.Sum([]byte(p.ETag))
			p.ETag = hex.EncodeToString(sum[:])
		}
	}
	return parts
}

// named makes parts of what a client says of them.
func named(list []storage.CompletePart) []storage.Part {
	parts := make([]storage.Part, len(list))
	for i, p := range list {
		parts[i] = storage.Part{Number: p.Number, ETag: p.ETag}
	}
	return parts
}

// complete sends the request and looks at what was made.
func (s *Store) complete(ctx context.Context, b *storage.Bucket, in storage.CompleteInput, what string, u *storage.Upload, chosen []storage.Part, digest storage.Digest) (*storage.Object, error) {
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	if err := caps.allow(&in.If, &storage.Meta{}); err != nil {
		return nil, wrap(what, err)
	}
	if !in.If.Zero() && !caps.completes {
		return nil, fmt.Errorf("%s: conditions, which the upstream does not decide in one step with it: %w", what, storage.ErrNotSupported)
	}
	r := &request{method: http.MethodPost, bucket: in.Upload.Bucket, key: in.Upload.Key, query: url.Values{"uploadId": {upstreamID(in.Upload.ID)}}, slow: true}
	doc := completeRequest{}
	for _, p := range chosen {
		e := completePart{Number: p.Number, ETag: `"` + p.ETag + `"`}
		if u.ChecksumAlgorithm != "" && p.Checksum.Algorithm == u.ChecksumAlgorithm {
			*e.fields()[u.ChecksumAlgorithm] = p.Checksum.Value
		}
		doc.Parts = append(doc.Parts, e)
	}
	if err := r.document(doc); err != nil {
		return nil, err
	}
	setConditions(r.header, &in.If)
	if sum := digest.Checksum; sum.Type == "FULL_OBJECT" && sum.Algorithm == u.ChecksumAlgorithm && u.ChecksumType == sum.Type {
		r.header.Set(sumPrefix+algorithms[sum.Algorithm], sum.Value)
		r.header.Set("X-Amz-Checksum-Type", sum.Type)
	}
	resp, err := s.client.do(ctx, r)
	if err != nil {
		return nil, conditional(what, &in.If, err)
	}
	var made copyResult
	if err := decode(resp, &made); err != nil {
		return nil, conditional(what, &in.If, err)
	}
	ref := storage.Ref{Bucket: in.Upload.Bucket, Key: in.Upload.Key}
	if v := resp.Header.Get("X-Amz-Version-Id"); v != "" && v != storage.NullVersion {
		ref.Version = v
	}
	o, err := s.stat(ctx, b, ref)
	if errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion) {
		// It has been deleted since; the upload was completed all the same.
		o, err = &storage.Object{Key: in.Upload.Key, VersionID: versionOf(resp.Header), ETag: strings.Trim(made.ETag, `"`), Owner: b.Owner, Checksum: made.checksum(made.Type)}, nil
	}
	if o != nil {
		o.UploadID = in.Upload.ID
	}
	return o, err
}

// allParts returns an upload with all its parts by number.
func (s *Store) allParts(ctx context.Context, b *storage.Bucket, id storage.UploadRef) (*storage.Upload, map[int][]storage.Part, error) {
	have := map[int][]storage.Part{}
	for after := 0; ; {
		doc, err := s.listParts(ctx, id, after, maxPage)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range doc.every() {
			have[p.Number] = append(have[p.Number], p)
			after = max(after, p.Number)
		}
		if !doc.Truncated || len(doc.Parts) == 0 {
			return doc.upload(b, id), have, nil
		}
	}
}

// choose returns the parts that are named. Where the upstream does not tell the checksums of parts, each of which was verified when
// it came, the ETags name them alone.
func choose(in *storage.CompleteInput, have map[int][]storage.Part, sums bool) ([]storage.Part, error) {
	if len(in.Parts) == 0 {
		return nil, fmt.Errorf("no part: %w", storage.ErrInvalidPart)
	}
	for i := 1; i < len(in.Parts); i++ {
		if in.Parts[i].Number <= in.Parts[i-1].Number {
			return nil, fmt.Errorf("part %d behind part %d: %w", in.Parts[i].Number, in.Parts[i-1].Number, storage.ErrPartOrder)
		}
	}
	var chosen []storage.Part
	for _, want := range in.Parts {
		i := slices.IndexFunc(have[want.Number], func(p storage.Part) bool {
			return p.ETag == want.ETag && (want.Checksum == "" || want.Checksum == p.Checksum.Value || !sums && p.Checksum.Value == "")
		})
		if i < 0 {
			return nil, fmt.Errorf("part %d: %w", want.Number, storage.ErrInvalidPart)
		}
		chosen = append(chosen, have[want.Number][i])
	}
	for _, p := range chosen[:len(chosen)-1] {
		if p.Size < in.MinPartSize {
			return nil, fmt.Errorf("part %d has %d bytes: %w", p.Number, p.Size, storage.ErrPartTooSmall)
		}
	}
	return chosen, nil
}

// AbortUpload implements storage.Uploads. When an upload was begun only the list of uploads tells.
func (s *Store) AbortUpload(ctx context.Context, in storage.AbortInput) error {
	_, done, err := s.openUpload(ctx, in.Upload)
	if err != nil {
		return err
	}
	defer done()
	what := fmt.Sprintf("abort an upload to %s/%q", in.Upload.Bucket, in.Upload.Key)
	if !in.IfBegun.IsZero() {
		begun, err := s.begun(ctx, in.Upload)
		if err != nil {
			return err
		}
		if begun.IsZero() {
			return fmt.Errorf("%s: the upstream does not tell when uploads were begun: %w", what, storage.ErrNotSupported)
		}
		if !begun.Truncate(time.Second).Equal(in.IfBegun.Truncate(time.Second)) {
			return fmt.Errorf("%s: begun %s: %w", what, begun.UTC(), storage.ErrPrecondition)
		}
	}
	// Some answer with success for an upload that is not there.
	if _, err := s.listParts(ctx, in.Upload, 0, 1); err != nil {
		return err
	}
	_, err = s.client.call(ctx, &request{method: http.MethodDelete, bucket: in.Upload.Bucket, key: in.Upload.Key, query: url.Values{"uploadId": {upstreamID(in.Upload.ID)}}})
	return uploadError(what, err)
}

// begun looks an upload up in the list.
func (s *Store) begun(ctx context.Context, id storage.UploadRef) (time.Time, error) {
	in := storage.ListInput{Bucket: id.Bucket, Prefix: id.Key, Limit: maxPage}
	for {
		page, err := s.ListUploads(ctx, in)
		if err != nil {
			return time.Time{}, err
		}
		for i := range page.Uploads {
			if u := page.Uploads[i].UploadRef; u.Key == id.Key && u.ID == upstreamID(id.ID) {
				return page.Uploads[i].Begun, nil
			}
		}
		if !page.Truncated {
			return time.Time{}, fmt.Errorf("upload to %s/%q: %w", id.Bucket, id.Key, storage.ErrNoSuchUpload)
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}
