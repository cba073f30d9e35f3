package s3gw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// PutObject implements storage.Objects. Modified is the time of the upstream's answer: S3 tells no other.
func (s *Store) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	b, done, err := s.openWrite(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	what := fmt.Sprintf("write %s/%q", in.Bucket, in.Key)
	r := &request{method: http.MethodPut, bucket: in.Bucket, key: in.Key, header: http.Header{}}
	if err := setMeta(r.header, b, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	caps, err := s.can(ctx)
	if err != nil {
		return nil, wrap(what, err)
	}
	if err := caps.allowKey(in.Key, in.Size); err != nil {
		return nil, wrap(what, err)
	}
	if err := caps.allow(&in.If, &in.Meta); err != nil {
		return nil, wrap(what, err)
	}
	setConditions(r.header, &in.If)
	u := &upload{body: in.Body, size: in.Size, digest: in.Digest, alg: caps.sum(in.ChecksumAlgorithm)}
	out, err := s.send(ctx, r, u, &s.buffers)
	if errors.Is(err, errAltered) {
		s.takeBack(ctx, b, in.Key, out.header)
	}
	if err != nil {
		return nil, conditional(what, &in.If, err)
	}
	o := &storage.Object{
		Key: in.Key, VersionID: versionOf(out.header), Latest: true, Size: out.size, ETag: strings.Trim(out.header.Get("Etag"), `"`),
		Modified: s.answered(out.header), Owner: b.Owner, Class: in.Meta.Class, Attrs: in.Meta.Attrs, Tags: in.Meta.Tags, Props: in.Meta.Props,
	}
	if u.alg != "" {
		o.Checksum = out.digest.Checksum
	}
	return o, nil
}

// OwnETag implements storage.ETagger: a checksum that the upstream verifies and answers with proves what it has stored, and
// hashing the body once more would cost more than all else that a gateway does with it. Small bodies are sent with their
// MD5, which every upstream knows.
func (s *Store) OwnETag(size int64, algorithm string) bool {
	caps := s.caps.known.Load()
	return size > smallBody && caps != nil && caps.sums[algorithm] && caps.proves[algorithm] && caps.partProves
}

// conditional is wrap for a conditional write: a missing key is not what S3 calls a failed condition.
func conditional(what string, c *storage.Conditions, err error) error {
	var e *Error
	if errors.As(err, &e) && !c.Zero() && (e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" && e.Code != "NoSuchUpload") {
		return fmt.Errorf("%s: %w: %w", what, storage.ErrNoSuchKey, e)
	}
	return wrap(what, err)
}

// answered is when the upstream answered.
func (s *Store) answered(h http.Header) time.Time {
	t, err := time.Parse(http.TimeFormat, h.Get("Date"))
	if err != nil {
		t = s.o.Now().Truncate(time.Second)
	}
	return t.UTC()
}

// takeBack removes what the upstream has stored wrongly, when that can be named without the risk of removing
// something else: by its version, or by its ETag.
func (s *Store) takeBack(ctx context.Context, b *storage.Bucket, key string, h http.Header) {
	r := &request{method: http.MethodDelete, bucket: b.Name, key: key, query: url.Values{}, header: http.Header{}}
	version, etag := h.Get("X-Amz-Version-Id"), h.Get("Etag")
	caps := s.caps.known.Load()
	switch {
	case version != "" && version != storage.NullVersion:
		r.query.Set("versionId", version)
	case etag != "" && caps != nil && caps.deletes:
		r.header.Set("If-Match", etag)
	default:
		s.o.Report(fmt.Errorf("%s/%q: what the upstream has stored wrongly stays: it can't be named", b.Name, key))
		return
	}
	if _, err := s.client.call(context.WithoutCancel(ctx), r); err != nil {
		s.o.Report(wrap(fmt.Sprintf("remove %s/%q, which the upstream has stored wrongly", b.Name, key), err))
	}
}
