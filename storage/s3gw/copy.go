package s3gw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/objsrv/objsrv/storage"
)

// copyResult is the document of CopyObject and UploadPartCopy.
type copyResult struct {
	XMLName  xml.Name
	ETag     string    `xml:"ETag"`
	Modified time.Time `xml:"LastModified"`
	Type     string    `xml:"ChecksumType"`
	sums
}

// setSource names the source of a copy and its state.
func (s *Store) setSource(h http.Header, ref storage.Ref, etag string) error {
	bucket, key, err := s.client.key(ref.Bucket, ref.Key)
	if err != nil {
		return err
	}
	v := s3utils.EncodePath("/" + bucket + "/" + key)
	if ref.Version != "" {
		v += "?versionId=" + url.QueryEscape(ref.Version)
	}
	h.Set("X-Amz-Copy-Source", v)
	if etag != "" {
		h.Set("X-Amz-Copy-Source-If-Match", `"`+etag+`"`)
	}
	return nil
}

// CopyObject implements storage.Objects. The upstream copies, so ETag and checksum of the copy are its own.
func (s *Store) CopyObject(ctx context.Context, in storage.CopyInput) (*storage.Object, error) {
	b, done, err := s.openWrite(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	from, err := s.bucket(ctx, in.Source.Bucket)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("copy %s/%q to %s/%q", in.Source.Bucket, in.Source.Key, in.Bucket, in.Key)
	r := &request{method: http.MethodPut, bucket: in.Bucket, key: in.Key, header: http.Header{}, slow: true}
	if err := setMeta(r.header, b, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	if !in.If.Zero() && !caps.copies || in.If.IfMatch != "" && !caps.matches {
		return nil, fmt.Errorf("%s: conditional copies: %w", what, storage.ErrNotSupported)
	}
	if caps.allowKey(in.Key, -1) != nil {
		source, err := s.stat(ctx, from, in.Source)
		if err != nil {
			return nil, err
		}
		if err := caps.allowKey(in.Key, source.Size); err != nil {
			return nil, wrap(what, err)
		}
	}
	if err := caps.allow(&storage.Conditions{}, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	setConditions(r.header, &in.If)
	if err := s.setSource(r.header, in.Source, in.SourceETag); err != nil {
		return nil, wrap(what, err)
	}
	r.header.Set("X-Amz-Metadata-Directive", "REPLACE")
	if caps.tags {
		r.header.Set("X-Amz-Tagging-Directive", "REPLACE")
	}
	if alg := caps.sum(in.Checksum.Algorithm); alg != "" {
		r.header.Set("X-Amz-Checksum-Algorithm", alg)
	}
	resp, err := s.client.do(ctx, r)
	if err != nil {
		return nil, s.copyError(ctx, what, in.Source, err)
	}
	var doc copyResult
	if err := decode(resp, &doc); err != nil {
		return nil, s.copyError(ctx, what, in.Source, err)
	}
	ref := storage.Ref{Bucket: in.Bucket, Key: in.Key}
	if v := resp.Header.Get("X-Amz-Version-Id"); v != "" && v != storage.NullVersion {
		ref.Version = v
	}
	o, err := s.stat(ctx, b, ref)
	if errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion) {
		// It has been deleted since; the copy was made all the same.
		o, err = &storage.Object{Key: in.Key, VersionID: versionOf(resp.Header), ETag: strings.Trim(doc.ETag, `"`), Modified: doc.Modified, Owner: b.Owner}, nil
	}
	return o, err
}

// copyError gives the errors of a copy their meaning: what is missing is the source, and one that is a delete
// marker is a request that makes no sense.
func (s *Store) copyError(ctx context.Context, what string, from storage.Ref, err error) error {
	var e *Error
	if (isStatus(err, http.StatusBadRequest) || isStatus(err, http.StatusMethodNotAllowed)) && from.Version != "" {
		var marker *storage.MarkerError
		if _, serr := s.StatObject(ctx, from); errors.As(serr, &marker) {
			return serr
		}
	}
	if errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" && e.Code != "NoSuchUpload" {
		return missing(what, from, err)
	}
	return wrap(what, err)
}

// RenameObject implements storage.Objects: an upstream renames nothing, and a copy with a deletion behind it is not
// one step.
func (s *Store) RenameObject(ctx context.Context, in storage.RenameInput) (*storage.Object, storage.DeleteResult, error) {
	_, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, storage.DeleteResult{}, err
	}
	defer done()
	return nil, storage.DeleteResult{}, fmt.Errorf("rename %s/%q: %w", in.Bucket, in.Source, storage.ErrNotSupported)
}

// AppendObject implements storage.Objects: an upstream that knows nothing of appending would replace the object.
func (s *Store) AppendObject(ctx context.Context, in storage.AppendInput) (*storage.Object, error) {
	_, done, err := s.open(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	return nil, fmt.Errorf("append to %s/%q: %w", in.Bucket, in.Key, storage.ErrNotSupported)
}

// CopyPart implements storage.Uploads. The upstream copies, so Sum and Digest are not used.
func (s *Store) CopyPart(ctx context.Context, in storage.CopyPartInput) (*storage.Part, error) {
	b, done, err := s.openUpload(ctx, in.Upload)
	if err != nil {
		return nil, err
	}
	defer done()
	from, err := s.bucket(ctx, in.Source.Bucket)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("copy %s/%q to a part of %s/%q", in.Source.Bucket, in.Source.Key, b.Name, in.Upload.Key)
	r := &request{method: http.MethodPut, bucket: in.Upload.Bucket, key: in.Upload.Key, header: http.Header{}, slow: true,
		query: url.Values{"uploadId": {upstreamID(in.Upload.ID)}, "partNumber": {strconv.Itoa(in.Number)}}}
	if err := s.setSource(r.header, in.Source, in.SourceETag); err != nil {
		return nil, wrap(what, err)
	}
	// Upstreams differ in what they make of a range that goes beyond the source.
	o, err := s.stat(ctx, from, in.Source)
	if err != nil {
		return nil, err
	}
	if in.Off < 0 || in.Length < 0 || in.Off > o.Size || in.Length > o.Size-in.Off {
		return nil, fmt.Errorf("%s: bytes %d+%d of %d: %w", what, in.Off, in.Length, o.Size, storage.ErrSize)
	}
	// S3 takes ranges of sources above 5 MB only, and none of an empty one.
	if in.Length < o.Size || in.Off > 0 {
		r.header.Set("X-Amz-Copy-Source-Range", fmt.Sprintf("bytes=%d-%d", in.Off, in.Off+in.Length-1))
	}
	resp, err := s.client.do(ctx, r)
	if err != nil {
		return nil, s.copyError(ctx, what, in.Source, err)
	}
	var doc copyResult
	if err := decode(resp, &doc); err != nil {
		return nil, s.copyError(ctx, what, in.Source, err)
	}
	return &storage.Part{Number: in.Number, Size: in.Length, ETag: strings.Trim(doc.ETag, `"`), Modified: doc.Modified, Checksum: doc.checksum(doc.Type)}, nil
}
