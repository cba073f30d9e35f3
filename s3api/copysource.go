package s3api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// source is the object that a copy reads.
type source struct {
	ref    storage.Ref
	bucket *storage.Bucket
	obj    *storage.Object
	sealed unsealed
}

const sourceVersion = "?versionId="

func errCopySource() *Error {
	return errorf("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey").
		with("ArgumentName", "x-amz-copy-source")
}

// parseCopySource reads x-amz-copy-source: "[/]bucket/key[?versionId=id]", percent-encoded. The
// version is split off before anything is decoded, so that an encoded question mark belongs to the key;
// decoding happens once; nothing is cleaned, as a key with ".." in it is a key like any other and leads
// nowhere else.
func parseCopySource(values []string) (storage.Ref, error) {
	var ref storage.Ref
	if len(values) != 1 {
		return ref, errCopySource()
	}
	path, version, named := strings.Cut(values[0], sourceVersion)
	if named {
		v, err := url.PathUnescape(version)
		if err != nil || v == "" || len(v) > storage.MaxKey {
			return ref, errorf("InvalidArgument", "Version id cannot be the empty string").with("ArgumentName", "x-amz-copy-source")
		}
		ref.Version = v
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return ref, errCopySource()
	}
	var found bool
	ref.Bucket, ref.Key, found = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !found || ref.Key == "" || !validForLookup(ref.Bucket) || checkKey(ref.Key) != nil {
		return ref, errCopySource()
	}
	return ref, nil
}

// openSource finds the source of a copy, with the right to read it and under its conditions.
func (c *call) openSource() (*source, error) {
	ref, err := parseCopySource(c.r.Header[copySourceHeader])
	if err != nil {
		return nil, err
	}
	s := &source{ref: ref}
	s.bucket, err = c.s.Backend.Bucket(c.ctx, ref.Bucket)
	if err != nil && !errors.Is(err, storage.ErrNoSuchBucket) {
		return nil, err
	}
	c.tagged = nil // what was asked of the target's tags says nothing of the source
	if err := c.authorizeRef(s.action("s3:GetObject"), s.bucket, ref); err != nil {
		return nil, err
	}
	if s.bucket == nil {
		return nil, errNoSuchBucket(ref.Bucket)
	}
	if err := c.checkOwner(s.bucket, "X-Amz-Source-Expected-Bucket-Owner"); err != nil {
		return nil, err
	}
	return s, c.statSource(s)
}

// action is the action on the source, or its version form when the source names a version.
func (s *source) action(name string) string {
	if s.ref.Version != "" {
		return versionAction[name]
	}
	return name
}

// statSource reads the source's metadata and evaluates its conditions.
func (c *call) statSource(s *source) error {
	var err error
	if s.obj, err = c.s.Backend.StatObject(c.ctx, s.ref); err != nil {
		if errors.Is(err, storage.ErrMarker) {
			return errorf("InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id.")
		}
		return c.missing(s.bucket, s.ref, err)
	}
	if err := c.recheck(s.bucket, s.obj); err != nil {
		return err
	}
	if s.sealed, err = c.mayOpen(s.ref, s.obj, &sourceCustomerHeader); err != nil {
		return err
	}
	failed, unchanged := copyConditions.check(c.r.Header, s.obj)
	if failed == "" {
		failed = unchanged
	}
	if failed != "" {
		return errPrecondition(strings.ToLower(failed))
	}
	return nil
}

// pinned names the very version that was looked at. Where versions have no ids of their own the
// ETag, which goes with it, tells whether it is still that one.
func (s *source) pinned() storage.Ref {
	ref := s.ref
	if s.bucket.Versioning == storage.VersioningEnabled {
		ref.Version = s.obj.VersionID
	}
	return ref
}

// tooLarge refuses sources that AWS would refuse.
func (s *source) tooLarge(n int64) error {
	if n <= maxPut {
		return nil
	}
	return errorf("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxPut))
}

// setSourceVersion tells the version that was copied.
func (c *call) setSourceVersion(s *source) {
	if s.bucket.Versioning != storage.VersioningUnset {
		c.w.Header()["X-Amz-Copy-Source-Version-Id"] = []string{s.obj.VersionID}
	}
}

// directive reads x-amz-metadata-directive or x-amz-tagging-directive; replace is false for COPY.
func directive(header http.Header, name, what string) (replace bool, err error) {
	switch v := header.Get(name); v {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	default:
		return false, errorf("InvalidArgument", "Unknown %s directive.", what).with("ArgumentName", strings.ToLower(name)).with("ArgumentValue", v)
	}
}
