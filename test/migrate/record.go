package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

// history is everything that a client can see of a server: all versions of all buckets, newest first within a key.
type history struct {
	versions map[place][]version
	count    int
	markers  int
	parts    int
	bytes    int64
}

type place struct{ bucket, key string }

// version is one of them, with all that is told of it.
type version struct {
	ID       string
	Marker   bool
	Latest   bool
	ETag     string
	Size     int64
	Modified time.Time
	Content  string // SHA-256
	Part1    int64  // size of the first part, of an object that has parts
	Headers  map[string]string
	Tags     map[string]string
}

func (h *history) summary() string {
	return fmt.Sprintf("%d keys with %d versions, %d of them delete markers and %d of parts, %.1f MiB", len(h.versions), h.count, h.markers, h.parts, float64(h.bytes)/(1<<20))
}

// record reads everything.
func record(ctx context.Context, c *minio.Client) (history, error) {
	h := history{versions: map[place][]version{}}
	for _, b := range buckets {
		type slot struct {
			at place
			v  *version
		}
		var slots []slot
		for o := range c.ListObjects(ctx, b.name, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
			if o.Err != nil {
				return h, o.Err
			}
			v := &version{ID: o.VersionID, Marker: o.IsDeleteMarker, Latest: o.IsLatest, ETag: o.ETag, Size: o.Size, Modified: o.LastModified}
			slots = append(slots, slot{place{b.name, o.Key}, v})
		}
		if err := each(len(slots), func(i int) error { return slots[i].v.read(ctx, c, slots[i].at) }); err != nil {
			return h, err
		}
		for _, s := range slots {
			h.add(s.at, s.v)
		}
	}
	return h, nil
}

func (h *history) add(at place, v *version) {
	h.versions[at] = append(h.versions[at], *v)
	h.count++
	h.bytes += v.Size
	if v.Marker {
		h.markers++
	}
	if strings.Contains(v.ETag, "-") {
		h.parts++
	}
}

// read reads what a version holds and what is told of it.
func (v *version) read(ctx context.Context, c *minio.Client, at place) error {
	if v.Marker {
		return nil
	}
	o := minio.GetObjectOptions{VersionID: v.ID, Checksum: true}
	info, err := c.StatObject(ctx, at.bucket, at.key, o)
	if err != nil {
		return fmt.Errorf("stat %v %s: %w", at, v.ID, err)
	}
	if info.ETag != v.ETag || info.Size != v.Size || !info.LastModified.Equal(v.Modified.Truncate(time.Second)) {
		return fmt.Errorf("%v %s is listed as %+v and told as %s %d %v", at, v.ID, v, info.ETag, info.Size, info.LastModified)
	}
	v.Headers = map[string]string{"content-type": info.ContentType, "expires": info.Expires.String()}
	for name, values := range info.Metadata {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-meta-") || strings.HasPrefix(lower, "x-amz-object-lock") || strings.HasPrefix(lower, "x-amz-checksum") ||
			slices.Contains([]string{"cache-control", "content-disposition", "content-encoding", "content-language", "x-amz-storage-class"}, lower) {
			v.Headers[lower] = strings.Join(values, ",")
		}
	}
	if info.UserTagCount > 0 {
		t, err := c.GetObjectTagging(ctx, at.bucket, at.key, minio.GetObjectTaggingOptions{VersionID: v.ID})
		if err != nil {
			return err
		}
		v.Tags = t.ToMap()
	}
	if strings.Contains(v.ETag, "-") {
		o.PartNumber = 1
		info, err := c.StatObject(ctx, at.bucket, at.key, o)
		if err != nil {
			return fmt.Errorf("part 1 of %v: %w", at, err)
		}
		v.Part1 = info.Size
	}
	return v.hash(ctx, c, at)
}

func (v *version) hash(ctx context.Context, c *minio.Client, at place) error {
	r, err := c.GetObject(ctx, at.bucket, at.key, minio.GetObjectOptions{VersionID: v.ID})
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("read %v %s: %w", at, v.ID, err)
	}
	v.Content = hex.EncodeToString(h.Sum(nil))
	return nil
}

// differs says in what two versions differ, "" for nothing.
func (v *version) differs(o *version) string {
	a, b := *v, *o
	a.Headers, b.Headers, a.Tags, b.Tags = nil, nil, nil, nil
	a.Latest, b.Latest = false, false
	switch {
	case !maps.Equal(v.Headers, o.Headers):
		return fmt.Sprintf("headers %v, were %v", o.Headers, v.Headers)
	case !maps.Equal(v.Tags, o.Tags):
		return fmt.Sprintf("tags %v, were %v", o.Tags, v.Tags)
	case a.ID != b.ID, a.Marker != b.Marker, a.ETag != b.ETag, a.Size != b.Size, !a.Modified.Equal(b.Modified), a.Content != b.Content, a.Part1 != b.Part1:
		return fmt.Sprintf("%+v, was %+v", b, a)
	}
	return ""
}

// seen tests the comparison: of a version that has another byte it must say so.
func (r *run) seen(now *history) error {
	for at, list := range r.history.versions {
		if r.traffic.of(at) != nil || list[0].Marker {
			continue
		}
		list[0].Content += "x"
		err := r.compare(now)
		list[0].Content = list[0].Content[:len(list[0].Content)-1]
		if err == nil {
			return fmt.Errorf("%v was altered and nothing said so", at)
		}
		return nil
	}
	return errors.New("traffic has changed everything")
}

// compare compares what is here with what was written down and what traffic has done to it.
func (r *run) compare(now *history) error {
	var mu sync.Mutex
	var wrong []error
	add := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if len(wrong) < 20 {
			wrong = append(wrong, err)
		}
	}
	for at, was := range r.history.versions {
		if err := r.traffic.left(at, was, now.versions[at]); err != nil {
			add(fmt.Errorf("%v: %w", at, err))
		}
	}
	for at, is := range now.versions {
		if r.history.versions[at] == nil {
			if err := r.traffic.left(at, nil, is); err != nil {
				add(fmt.Errorf("%v: %w", at, err))
			}
		}
	}
	return errors.Join(wrong...)
}
