package mem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/objsrv/objsrv/storage"
)

// version is one version of an object, or a delete marker. Nothing of it changes
// once it is stored but its tags and props, which are replaced as a whole.
type version struct {
	obj   storage.Object // Latest is set when it is given out
	seq   uint64
	body  []byte
	parts []storage.Part
}

// give returns the version's metadata, sharing nothing that a caller could change.
func (v *version) give(latest bool) *storage.Object {
	o := v.obj
	o.Latest = latest
	o.Attrs = slices.Clone(o.Attrs)
	o.Tags = slices.Clone(o.Tags)
	o.Props = maps.Clone(o.Props)
	return &o
}

// formatID makes the id of a version or upload from its sequence number.
func formatID(seq uint64) string { return fmt.Sprintf("%016x", seq) }

// parseID is the inverse of formatID.
func parseID(id string) (seq uint64, ok bool) {
	seq, err := strconv.ParseUint(id, 16, 64)
	return seq, err == nil && formatID(seq) == id
}

// find resolves a reference. err is that of storage.Objects for a version that is not
// there; a delete marker is found without an error. The caller holds the lock.
func (s *Store) find(ref storage.Ref) (b *bucket, i int, v *version, err error) {
	b, err = s.bucket(ref.Bucket)
	if err != nil {
		return nil, 0, nil, err
	}
	versions := b.objects.at[ref.Key]
	if ref.Version == "" {
		if len(versions) == 0 {
			return nil, 0, nil, fmt.Errorf("key %q: %w", ref.Key, storage.ErrNoSuchKey)
		}
		return b, 0, versions[0], nil
	}
	i = indexOf(versions, ref.Version)
	if i < 0 {
		return nil, 0, nil, fmt.Errorf("key %q, version %q: %w", ref.Key, ref.Version, storage.ErrNoSuchVersion)
	}
	return b, i, versions[i], nil
}

// readable is find for those who want content: a marker is an error.
func (s *Store) readable(ref storage.Ref) (b *bucket, i int, v *version, err error) {
	b, i, v, err = s.find(ref)
	if err == nil && v.obj.DeleteMarker {
		return nil, 0, nil, &storage.MarkerError{VersionID: v.obj.VersionID, Modified: v.obj.Modified, Named: ref.Version != ""}
	}
	return b, i, v, err
}

// indexOf finds a version by its id; -1 when there is none.
func indexOf(versions []*version, id string) int {
	return slices.IndexFunc(versions, func(v *version) bool { return v.obj.VersionID == id })
}

// current is the object that conditions of a write are checked against; nil for none.
func (b *bucket) current(key string) *storage.Object {
	if versions := b.objects.at[key]; len(versions) > 0 {
		return versions[0].give(true)
	}
	return nil
}

// publish makes v the latest version of its key: with an id of its own in a versioned
// bucket, else in place of the null version. The caller holds the lock.
func (s *Store) publish(b *bucket, v *version) {
	v.seq = s.nextSeq()
	v.obj.Modified = s.time()
	old := b.objects.at[v.obj.Key]
	if b.info.Versioning == storage.VersioningEnabled {
		v.obj.VersionID = formatID(v.seq)
	} else {
		v.obj.VersionID = storage.NullVersion
		if i := indexOf(old, storage.NullVersion); i >= 0 {
			old = slices.Delete(slices.Clone(old), i, i+1)
		}
	}
	b.objects.set(v.obj.Key, append([]*version{v}, old...))
	s.note(b, v.obj.Key, v.obj.Modified)
}

// newObject is the metadata of a version that is about to be published. stored is the length
// of what is kept, size that of the content unless the digest knows it better.
func newObject(key string, m storage.Meta, size, stored int64, d storage.Digest) storage.Object {
	if d.Coded {
		size = d.Size
	}
	if stored == size {
		stored = 0
	}
	return storage.Object{
		Key: key, Size: size, Stored: stored, ETag: d.ETag, Checksum: d.Checksum,
		Owner: m.Owner, Class: m.Class,
		Attrs: slices.Clone(m.Attrs), Tags: slices.Clone(m.Tags), Props: maps.Clone(m.Props),
	}
}

// readBody reads a body to its end and takes its digest.
func readBody(body io.Reader, size int64, digest func() storage.Digest) ([]byte, storage.Digest, error) {
	var buf bytes.Buffer
	if size >= 0 {
		buf.Grow(int(min(size, 1<<20)) + bytes.MinRead)
		body = io.LimitReader(body, size+1) // one more tells a body that is too long
	}
	n, err := buf.ReadFrom(body)
	if err != nil {
		return nil, storage.Digest{}, fmt.Errorf("read body: %w", err)
	}
	if size >= 0 && n != size {
		return nil, storage.Digest{}, fmt.Errorf("read body of %d bytes: %w", size, storage.ErrSize)
	}
	return buf.Bytes(), digest(), nil
}

// PutObject implements storage.Objects.
func (s *Store) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	if _, err := s.Bucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	body, digest, err := readBody(in.Body, in.Size, in.Digest)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if err := in.If.Check(b.current(in.Key)); err != nil {
		return nil, err
	}
	v := &version{obj: newObject(in.Key, in.Meta, int64(len(body)), int64(len(body)), digest), body: body}
	s.publish(b, v)
	return v.give(true), nil
}

// GetObject implements storage.Objects.
func (s *Store) GetObject(_ context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, i, v, err := s.readable(ref)
	if err != nil {
		return nil, nil, err
	}
	if v.parts != nil {
		return v.give(i == 0), parted{content(v.body), v.parts}, nil
	}
	return v.give(i == 0), content(v.body), nil
}

// StatObject implements storage.Objects.
func (s *Store) StatObject(_ context.Context, ref storage.Ref) (*storage.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, i, v, err := s.readable(ref)
	if err != nil {
		return nil, err
	}
	return v.give(i == 0), nil
}

// Parts implements storage.Objects.
func (s *Store) Parts(_ context.Context, ref storage.Ref) ([]storage.Part, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, _, v, err := s.readable(ref)
	if err != nil {
		return nil, err
	}
	if v.obj.PartCount == 0 {
		return nil, nil
	}
	return slices.Clone(v.parts), nil
}

// SetTags implements storage.Objects.
func (s *Store) SetTags(_ context.Context, ref storage.Ref, tags []storage.Tag) (*storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, i, v, err := s.readable(ref)
	if err != nil {
		return nil, err
	}
	v.obj.Tags = slices.Clone(tags)
	s.noteLate(b, ref.Key)
	return v.give(i == 0), nil
}

// SetProps implements storage.Objects. change must not call the store.
func (s *Store) SetProps(_ context.Context, ref storage.Ref, change func(*storage.Object) (map[string]string, error)) (*storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, i, v, err := s.readable(ref)
	if err != nil {
		return nil, err
	}
	props, err := change(v.give(i == 0))
	if err != nil {
		return nil, err
	}
	v.obj.Props = maps.Clone(props)
	s.noteLate(b, ref.Key)
	return v.give(i == 0), nil
}

// CopyObject implements storage.Objects.
func (s *Store) CopyObject(_ context.Context, in storage.CopyInput) (*storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, src, err := s.source(in.Source, in.SourceETag)
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if err := in.If.Check(b.current(in.Key)); err != nil {
		return nil, err
	}
	digest := storage.Digest{ETag: in.ETag, Checksum: in.Checksum}
	if digest.ETag == "" {
		digest.ETag = src.obj.ETag
	}
	if digest.Checksum == (storage.Checksum{}) {
		digest.Checksum = src.obj.Checksum
	}
	v := &version{obj: newObject(in.Key, in.Meta, src.obj.Size, src.obj.Length(), digest), body: src.body, parts: src.parts}
	if !in.Flatten {
		v.obj.PartCount = src.obj.PartCount
	}
	s.publish(b, v)
	return v.give(true), nil
}

// source is readable for the source of a copy, which must have the ETag when one is given.
func (s *Store) source(ref storage.Ref, etag string) (b *bucket, i int, v *version, err error) {
	b, i, v, err = s.readable(ref)
	if err == nil && etag != "" && etag != v.obj.ETag {
		return nil, 0, nil, fmt.Errorf("copy of %q: source has changed: %w", ref.Key, storage.ErrPrecondition)
	}
	return b, i, v, err
}

// DeleteObjects implements storage.Objects.
func (s *Store) DeleteObjects(_ context.Context, name string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	out := make([]storage.DeleteResult, len(in))
	for i := range in {
		out[i] = s.delete(b, &in[i])
	}
	return out, nil
}

// delete applies one entry of DeleteObjects.
func (s *Store) delete(b *bucket, in *storage.DeleteInput) storage.DeleteResult {
	versions := b.objects.at[in.Key]
	// target is what the conditions are about, gone what is removed for good.
	target, gone := 0, -1
	switch {
	case in.Version != "":
		target = indexOf(versions, in.Version)
		gone = target
	case b.info.Versioning != storage.VersioningEnabled:
		gone = indexOf(versions, storage.NullVersion)
	}
	var cond *storage.Object
	if target >= 0 && target < len(versions) {
		cond = versions[target].give(target == 0)
	}
	if err := in.If.Check(cond); err != nil {
		return storage.DeleteResult{Err: err}
	}
	var res storage.DeleteResult
	if gone >= 0 {
		old := versions[gone]
		if in.Guard != nil {
			if err := in.Guard(old.give(gone == 0)); err != nil {
				return storage.DeleteResult{Err: err}
			}
		}
		b.objects.set(in.Key, slices.Delete(slices.Clone(versions), gone, gone+1))
		if in.Version != "" && b.info.Versioning != storage.VersioningUnset {
			s.noteLate(b, in.Key)
		}
		res = storage.DeleteResult{VersionID: old.obj.VersionID, DeleteMarker: old.obj.DeleteMarker}
	}
	if in.Version == "" && b.info.Versioning != storage.VersioningUnset {
		marker := &version{obj: storage.Object{Key: in.Key, Owner: in.Owner, DeleteMarker: true}}
		s.publish(b, marker)
		res = storage.DeleteResult{VersionID: marker.obj.VersionID, DeleteMarker: true}
	}
	return res
}

// ListObjects implements storage.Lister.
func (s *Store) ListObjects(_ context.Context, in storage.ListInput) (*storage.ListPage, error) {
	return s.list(in, view[*version]{
		visible: func(versions []*version) []*version {
			if len(versions) == 0 || versions[0].obj.DeleteMarker {
				return nil
			}
			return versions[:1]
		},
		id: func(*version) string { return "" },
	})
}

// ListVersions implements storage.Lister.
func (s *Store) ListVersions(_ context.Context, in storage.ListInput) (*storage.ListPage, error) {
	return s.list(in, view[*version]{
		visible: func(versions []*version) []*version { return versions },
		behind: func(versions []*version, id string) []*version {
			if i := indexOf(versions, id); i >= 0 {
				return versions[i+1:]
			}
			if seq, ok := parseID(id); ok {
				for len(versions) > 0 && versions[0].seq > seq {
					versions = versions[1:]
				}
			}
			return versions
		},
		id: func(v *version) string { return v.obj.VersionID },
	})
}

// list makes a page of objects or versions.
func (s *Store) list(in storage.ListInput, v view[*version]) (*storage.ListPage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	p := list(&b.objects, in, v)
	out := &storage.ListPage{
		Objects: make([]storage.Object, len(p.entries)), Prefixes: p.prefixes,
		Truncated: p.truncated, NextAfter: p.nextAfter, NextID: p.nextID,
	}
	for i, e := range p.entries {
		o := e.obj
		o.Latest = b.objects.at[o.Key][0] == e
		o.Attrs, o.Tags, o.Props = nil, nil, nil
		out.Objects[i] = o
	}
	return out, nil
}

// content is the content of a version; bodies are never changed.
type content []byte

// parted is the content of a version that was completed from an upload, or copied from one.
type parted struct {
	content
	parts []storage.Part
}

// Parts implements storage.Parted.
func (p parted) Parts() ([]storage.Part, error) {
	return slices.Clone(p.parts), nil
}

// inMemory is the largest content that Bytes gives out. Everything is in memory here,
// but callers' tests should meet both of their ways of reading.
const inMemory = 64 << 10

// Range implements storage.Content.
func (c content) Range(off, n int64) io.Reader {
	if off < 0 || n < 0 || off > int64(len(c)) || n > int64(len(c))-off {
		return failingReader{errors.New("range beyond the object's size")}
	}
	return bytes.NewReader(c[off : off+n])
}

// Bytes implements storage.Content.
func (c content) Bytes() ([]byte, bool) {
	if len(c) > inMemory {
		return nil, false
	}
	return c, true
}

// Close implements storage.Content.
func (c content) Close() error { return nil }

// failingReader is a reader that fails.
type failingReader struct{ err error }

// Read implements io.Reader.
func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
