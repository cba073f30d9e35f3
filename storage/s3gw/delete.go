package s3gw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/objsrv/objsrv/storage"
)

// maxBatch is how many keys one request deletes (S3 API reference, DeleteObjects).
const maxBatch = 1000

// deleteRequest and deleteAnswer are the documents of DeleteObjects.
type deleteRequest struct {
	XMLName xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Delete"`
	Objects []deleteEntry `xml:"Object"`
}

type deleteEntry struct {
	Key     string `xml:"Key"`
	Version string `xml:"VersionId,omitempty"`
}

type deleteAnswer struct {
	Deleted []struct {
		deleteEntry
		Marker        bool   `xml:"DeleteMarker"`
		MarkerVersion string `xml:"DeleteMarkerVersionId"`
	} `xml:"Deleted"`
	Errors []struct {
		deleteEntry
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	} `xml:"Error"`
}

// DeleteObjects implements storage.Objects. Entries without conditions go upstream in batches; others one by one.
// Where a bucket has no versioning it is not known whether there was something to delete.
func (s *Store) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	b, done, err := s.open(ctx, bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	out := make([]storage.DeleteResult, len(in))
	batch := batchable(in)
	for part := range slices.Chunk(batch, maxBatch) {
		if err := s.deleteBatch(ctx, b, in, part, out); err != nil {
			return nil, err
		}
	}
	for i := range in {
		if _, gone := slices.BinarySearch(batch, i); gone {
			continue
		}
		out[i], err = s.deleteOne(ctx, b, &in[i])
		if errors.Is(err, storage.ErrNoSuchBucket) {
			return nil, err
		}
		out[i].Err = err
	}
	return out, nil
}

// batchable returns the entries that one request can name together: without conditions, none of a key that comes
// twice, whose order counts, and of keys that XML can carry.
func batchable(in []storage.DeleteInput) []int {
	keys := make(map[string]int, len(in))
	for i := range in {
		keys[in[i].Key]++
	}
	var batch []int
	for i := range in {
		if d := &in[i]; d.If.Zero() && d.Guard == nil && keys[d.Key] == 1 && plain(d.Key) && !hasDots(d.Key) {
			batch = append(batch, i)
		}
	}
	if len(batch) < 2 {
		return nil
	}
	return batch
}

// plain tells whether XML can carry a key.
func plain(key string) bool {
	for _, r := range key {
		if r < ' ' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

func (s *Store) deleteBatch(ctx context.Context, b *storage.Bucket, in []storage.DeleteInput, batch []int, out []storage.DeleteResult) error {
	what := "delete from bucket " + b.Name
	doc := deleteRequest{}
	index := make(map[deleteEntry]int, len(batch))
	for _, i := range batch {
		_, key, err := s.client.key(b.Name, in[i].Key)
		if err != nil {
			return wrap(what, err)
		}
		e := deleteEntry{key, in[i].Version}
		doc.Objects = append(doc.Objects, e)
		index[e] = i
		out[i].Err = fmt.Errorf("%s: the upstream did not say what became of %q: %w", what, in[i].Key, storage.ErrUnavailable)
	}
	r := &request{method: http.MethodPost, bucket: b.Name, query: url.Values{"delete": {""}}}
	if err := r.document(doc); err != nil {
		return err
	}
	resp, err := s.client.do(ctx, r)
	if err != nil {
		return wrap(what, err)
	}
	var answer deleteAnswer
	if err := decode(resp, &answer); err != nil {
		return wrap(what, err)
	}
	for _, d := range answer.Deleted {
		if i, ok := index[d.deleteEntry]; ok {
			out[i] = storage.DeleteResult{DeleteMarker: d.Marker, VersionID: d.Version}
			if d.Marker && d.MarkerVersion != "" {
				out[i].VersionID = d.MarkerVersion
			}
		}
	}
	for _, d := range answer.Errors {
		if i, ok := index[d.deleteEntry]; ok {
			out[i].Err = wrap(what, &Error{Status: statusOf(d.Code), Code: d.Code, Message: d.Message})
			if d.Code == "NoSuchKey" || d.Code == "NoSuchVersion" {
				out[i].Err = nil
			}
		}
	}
	return nil
}

// statusOf is the status of a code within a document.
func statusOf(code string) int {
	switch code {
	case "InternalError":
		return http.StatusInternalServerError
	case "SlowDown", "ServiceUnavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func (s *Store) deleteOne(ctx context.Context, b *storage.Bucket, d *storage.DeleteInput) (storage.DeleteResult, error) {
	what := fmt.Sprintf("delete %s/%q", b.Name, d.Key)
	r := &request{method: http.MethodDelete, bucket: b.Name, key: d.Key, header: http.Header{}, query: query(storage.Ref{Version: d.Version})}
	if !d.If.Zero() {
		caps, err := s.can(ctx)
		if err != nil {
			return storage.DeleteResult{}, wrap(what, err)
		}
		if !caps.deletes || d.If.IfNoneMatch != "" || d.If.HasSize || !d.If.IfMatchModified.IsZero() {
			return storage.DeleteResult{}, fmt.Errorf("%s: this condition: %w", what, storage.ErrNotSupported)
		}
		setConditions(r.header, &d.If)
	}
	if err := s.guard(ctx, b, d, r.header); err != nil {
		return storage.DeleteResult{}, err
	}
	h, err := s.client.call(ctx, r)
	var e *Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code != "NoSuchBucket":
		if !d.If.Zero() {
			return storage.DeleteResult{}, fmt.Errorf("%s: %w: %w", what, storage.ErrNoSuchKey, e)
		}
		return storage.DeleteResult{}, nil
	case d.Version != "" && errors.As(err, &e) && isNoVersion(e):
		return storage.DeleteResult{}, nil // no version has such an id
	case err != nil:
		return storage.DeleteResult{}, wrap(what, err)
	}
	return storage.DeleteResult{VersionID: h.Get("X-Amz-Version-Id"), DeleteMarker: h.Get("X-Amz-Delete-Marker") == "true"}, nil
}

// guard asks the caller's guard about what would be removed for good. What it lets pass though governance retains
// it, its caller may bypass: that is told upstream, where locks are enforced in one step with the deletion.
func (s *Store) guard(ctx context.Context, b *storage.Bucket, d *storage.DeleteInput, h http.Header) error {
	if d.Guard == nil || d.Version == "" && b.Versioning == storage.VersioningEnabled {
		return nil // a marker is added
	}
	ref := storage.Ref{Bucket: b.Name, Key: d.Key, Version: d.Version}
	if b.Versioning == storage.VersioningSuspended && d.Version == "" {
		ref.Version = storage.NullVersion
	}
	o, err := s.stat(ctx, b, ref)
	var m *storage.MarkerError
	switch {
	case errors.As(err, &m):
		o = &storage.Object{Key: d.Key, VersionID: m.VersionID, DeleteMarker: true, Modified: m.Modified, Owner: b.Owner}
	case errors.Is(err, storage.ErrNoSuchKey), errors.Is(err, storage.ErrNoSuchVersion):
		return nil
	case err != nil:
		return err
	}
	if err := d.Guard(o); err != nil {
		return err
	}
	if o.Props[storage.PropLockMode] == "GOVERNANCE" {
		h.Set("X-Amz-Bypass-Governance-Retention", "true")
	}
	return nil
}
