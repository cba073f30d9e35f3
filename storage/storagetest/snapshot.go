package storagetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// state is all that a store holds, as its own methods tell it. Ids of versions and
// uploads are kept apart from the text, so that two stores can be compared.
type state struct {
	lines []stateLine
}

// stateLine is one fact. The id belongs between what and text.
type stateLine struct {
	what     string // "bucket b", "version b/k", "upload b/k"
	id       string // of the version or upload; "" for buckets
	modified time.Time
	text     string
	upload   string // id of the upload that a version was completed from
}

// exact returns the lines with ids and times.
func (s *state) exact() []string {
	var out []string
	for _, l := range s.lines {
		out = append(out, fmt.Sprintf("%s id %q at %s from %q: %s", l.what, l.id, l.modified.UTC().Format(time.RFC3339Nano), l.upload, l.text))
	}
	return out
}

// snapshot reads everything that a store holds. It fails when the store contradicts
// itself: when lists, Stat, Get and the counters do not agree.
func snapshot(ctx context.Context, b storage.Backend) (*state, error) {
	s := new(state)
	after := ""
	for {
		list, more, err := b.ListBuckets(ctx, "", after, 100)
		if err != nil {
			return nil, fmt.Errorf("ListBuckets: %w", err)
		}
		for _, bucket := range list {
			if err := s.bucket(ctx, b, bucket); err != nil {
				return nil, fmt.Errorf("bucket %q: %w", bucket.Name, err)
			}
			after = bucket.Name
		}
		if !more {
			return s, nil
		}
	}
}

// bucket reads one bucket.
func (s *state) bucket(ctx context.Context, b storage.Backend, listed *storage.Bucket) error {
	info, err := b.Bucket(ctx, listed.Name)
	if err != nil {
		return err
	}
	if describeBucket(info) != describeBucket(listed) {
		return fmt.Errorf("ListBuckets tells %s, Bucket %s", describeBucket(listed), describeBucket(info))
	}
	u, err := b.Usage(ctx, info.Name)
	if err != nil {
		return err
	}
	timeless := *info
	timeless.Created = time.Time{}
	s.lines = append(s.lines, stateLine{what: "bucket " + info.Name, modified: info.Created, text: describeBucket(&timeless) + fmt.Sprintf(" usage %+v", u)})
	counted, err := s.versions(ctx, b, info.Name)
	if err != nil {
		return err
	}
	if counted != u {
		return fmt.Errorf("counters say %+v, the listing %+v", u, counted)
	}
	return s.uploads(ctx, b, info.Name)
}

// versions reads the versions of a bucket and counts them.
func (s *state) versions(ctx context.Context, b storage.Backend, bucket string) (u storage.Usage, err error) {
	in := storage.ListInput{Bucket: bucket, Limit: 500}
	var current []string
	for {
		page, err := b.ListVersions(ctx, in)
		if err != nil {
			return u, fmt.Errorf("ListVersions: %w", err)
		}
		for i := range page.Objects {
			o := &page.Objects[i]
			if o.DeleteMarker {
				u.Markers++
			} else {
				u.Versions++
				u.Bytes += o.Size
				if o.Latest {
					u.Objects++
					current = append(current, o.Key)
				}
			}
			line, err := readVersion(ctx, b, bucket, o)
			if err != nil {
				return u, fmt.Errorf("key %q, version %q: %w", o.Key, o.VersionID, err)
			}
			s.lines = append(s.lines, line)
		}
		if !page.Truncated {
			break
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
	keys, err := currentKeys(ctx, b, bucket)
	if err == nil && !slices.Equal(keys, current) {
		err = fmt.Errorf("ListObjects differs from ListVersions: %s", firstDifference(keys, current))
	}
	return u, err
}

// currentKeys lists the keys that have a current version.
func currentKeys(ctx context.Context, b storage.Backend, bucket string) (keys []string, err error) {
	in := storage.ListInput{Bucket: bucket, Limit: 500}
	for {
		page, err := b.ListObjects(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("ListObjects: %w", err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if !page.Truncated {
			return keys, nil
		}
		in.After = page.NextAfter
	}
}

// readVersion reads all of one version.
func readVersion(ctx context.Context, b storage.Backend, bucket string, o *storage.Object) (stateLine, error) {
	line := stateLine{what: fmt.Sprintf("version %s/%q", bucket, o.Key), id: o.VersionID, modified: o.Modified, upload: o.UploadID}
	ref := storage.Ref{Bucket: bucket, Key: o.Key, Version: o.VersionID}
	full, err := b.StatObject(ctx, ref)
	if o.DeleteMarker {
		var m *storage.MarkerError
		if !errors.As(err, &m) || m.VersionID != o.VersionID || !m.Named || !m.Modified.Equal(o.Modified) {
			return line, fmt.Errorf("listed as a delete marker, StatObject: %v", err)
		}
		line.text = fmt.Sprintf("marker latest %t owner %q", o.Latest, o.Owner)
		return line, nil
	}
	if err != nil {
		return line, err
	}
	if describeObject(ptr(listed(full))) != describeObject(ptr(listed(o))) {
		return line, fmt.Errorf("listed as %s, StatObject: %s", describeObject(o), describeObject(full))
	}
	content, err := readObject(ctx, b, ref)
	if err != nil {
		return line, err
	}
	parts, err := b.Parts(ctx, ref)
	if err != nil {
		return line, err
	}
	timeless := *full
	timeless.Modified, timeless.VersionID, timeless.UploadID = time.Time{}, "", ""
	line.text = fmt.Sprintf("%s content %x parts %s", describeObject(&timeless), sha256.Sum256([]byte(content)), describeParts(parts))
	return line, nil
}

// ptr returns a pointer to v.
func ptr[V any](v V) *V { return &v }

// describeObject prints everything of an object.
func describeObject(o *storage.Object) string {
	var props []string
	for _, name := range slices.Sorted(maps.Keys(o.Props)) {
		props = append(props, fmt.Sprintf("%s=%q", name, o.Props[name]))
	}
	return fmt.Sprintf("%q %q latest %t marker %t size %s etag %q modified %s owner %q class %q attrs %q tags %q checksum %q parts %d upload %q props %q",
		o.Key, o.VersionID, o.Latest, o.DeleteMarker, sizes(o.Size, o.Stored), o.ETag, o.Modified.UTC().Format(time.RFC3339Nano), o.Owner, o.Class,
		o.Attrs, o.Tags, o.Checksum, o.PartCount, o.UploadID, props)
}

// describeParts prints parts without their times.
func describeParts(parts []storage.Part) string {
	var out []string
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%d:%s:%s:%s", p.Number, sizes(p.Size, p.Stored), p.ETag, p.Checksum))
	}
	return strings.Join(out, " ")
}

// uploads reads the open uploads of a bucket.
func (s *state) uploads(ctx context.Context, b storage.Backend, bucket string) error {
	in := storage.ListInput{Bucket: bucket, Limit: 500}
	for {
		page, err := b.ListUploads(ctx, in)
		if err != nil {
			return fmt.Errorf("ListUploads: %w", err)
		}
		for _, l := range page.Uploads {
			u, err := b.Upload(ctx, l.UploadRef)
			if err != nil {
				return fmt.Errorf("upload of %q: %w", l.Key, err)
			}
			parts, more, err := b.ListParts(ctx, u.UploadRef, 0, 20000)
			if err != nil || more {
				return fmt.Errorf("parts of an upload of %q: more %t, error %w", l.Key, more, err)
			}
			line := stateLine{what: fmt.Sprintf("upload %s/%q", bucket, u.Key), id: u.ID, modified: u.Begun}
			u.ID, u.Begun = "", time.Time{}
			line.text = describeUpload(u) + " parts " + describeParts(parts)
			s.lines = append(s.lines, line)
		}
		if !page.Truncated {
			return nil
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}
