package s3gw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// createBucketConfiguration is the body of CreateBucket outside of us-east-1.
type createBucketConfiguration struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CreateBucketConfiguration"`
	Location string   `xml:"LocationConstraint"`
}

// CreateBucket implements storage.Buckets.
func (s *Store) CreateBucket(ctx context.Context, b storage.Bucket) error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	defer done()
	what := "create bucket " + b.Name
	if strings.HasPrefix(b.Name, probePrefix) {
		return fmt.Errorf("%s: names that begin with %s are the gateway's: %w", what, probePrefix, storage.ErrNotSupported)
	}
	// A record that is there belongs to a bucket that is there, or to one that is gone.
	_, revision, err := s.o.Records.Fetch(ctx, b.Name)
	if err != nil {
		return wrap(what, err)
	}
	at, err := s.client.at(b.Name)
	if err != nil {
		return fmt.Errorf("%s: the map has no place for it: %w", what, storage.ErrNotSupported)
	}
	// S3 answers in us-east-1 as if an own bucket had been created anew.
	s.facts.drop(b.Name)
	switch _, err := s.bucket(ctx, b.Name); {
	case err == nil:
		return fmt.Errorf("%s: %w", what, storage.ErrBucketExists)
	case !errors.Is(err, storage.ErrNoSuchBucket):
		return err
	}
	if b.Created.IsZero() {
		b.Created = s.o.Now().UTC()
	}
	value, err := s.encode(&b)
	if err != nil {
		return err
	}
	if !at.own {
		return s.createBelow(ctx, at, &b, value, revision)
	}
	switch err := wrap(what, s.makeBucket(ctx, b.Name, b.ObjectLock)); {
	case errors.Is(err, storage.ErrNoSuchBucket): // SeaweedFS, of a bucket that others create at the same moment
		return fmt.Errorf("%s: %w: the upstream does not find what it is to create", what, storage.ErrUnavailable)
	case err != nil:
		return err
	}
	if b.Versioning != storage.VersioningUnset && !b.ObjectLock || b.Versioning == storage.VersioningSuspended {
		err = s.setVersioning(ctx, b.Name, b.Versioning)
	}
	ok := true
	if err == nil {
		ok, err = s.o.Records.Write(ctx, b.Name, value, revision)
	}
	s.facts.drop(b.Name)
	switch {
	case err != nil:
		if _, undo := s.client.call(context.WithoutCancel(ctx), &request{method: http.MethodDelete, bucket: b.Name}); undo != nil {
			s.o.Report(wrap("remove bucket "+b.Name+", whose settings could not be stored", undo))
		}
		return wrap(what, err)
	case !ok:
		return fmt.Errorf("%s: %w", what, storage.ErrBucketExists)
	}
	return nil
}

func (s *Store) makeBucket(ctx context.Context, name string, lock bool) error {
	r := &request{method: http.MethodPut, bucket: name, header: http.Header{}}
	if lock {
		r.header.Set("X-Amz-Bucket-Object-Lock-Enabled", "true")
	}
	if s.client.region != "us-east-1" {
		if err := r.document(createBucketConfiguration{Location: s.client.region}); err != nil {
			return err
		}
	}
	_, err := s.client.call(ctx, r)
	return err
}

func (s *Store) setVersioning(ctx context.Context, bucket string, v storage.Versioning) error {
	doc := versioningConfiguration{Status: "Enabled"}
	if v == storage.VersioningSuspended {
		doc.Status = "Suspended"
	}
	r := &request{method: http.MethodPut, bucket: bucket, query: url.Values{"versioning": {""}}}
	if err := r.document(doc); err != nil {
		return err
	}
	_, err := s.client.call(ctx, r)
	return err
}

// lockConfiguration enables object lock and sets no default: defaults are the gateway's own.
type lockConfiguration struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ObjectLockConfiguration"`
	Enabled string   `xml:"ObjectLockEnabled"`
}

// UpdateBucket implements storage.Buckets.
func (s *Store) UpdateBucket(ctx context.Context, name string, change func(*storage.Bucket) error) error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	defer done()
	what := "set bucket " + name
	for {
		value, revision, err := s.o.Records.Fetch(ctx, name)
		if err != nil {
			return wrap(what, err)
		}
		old, revision, err := s.ask(ctx, name, value, revision)
		if err != nil {
			return wrap(what, err)
		}
		b := old.Clone()
		for k, doc := range b.Docs {
			b.Docs[k] = slices.Clone(doc)
		}
		if err := change(b); err != nil {
			return err
		}
		if b.Name != old.Name || !b.Created.Equal(old.Created) || b.Versioning == storage.VersioningUnset && old.Versioning != storage.VersioningUnset {
			return fmt.Errorf("%s: name, creation and the lack of versioning can't be changed", what)
		}
		if value, err = s.encode(b); err != nil {
			return err
		}
		if err := s.follow(ctx, old, b); err != nil {
			return wrap(what, err)
		}
		ok, err := s.o.Records.Write(ctx, name, value, revision)
		s.facts.drop(name)
		if err != nil {
			return wrap(what, err)
		}
		if ok {
			return nil
		}
	}
}

// follow changes at the upstream what is the upstream's.
func (s *Store) follow(ctx context.Context, old, b *storage.Bucket) error {
	at, err := s.client.at(b.Name)
	if err != nil {
		return err
	}
	if !at.own && (b.Versioning != old.Versioning || b.ObjectLock != old.ObjectLock) {
		return fmt.Errorf("versioning and object lock of the upstream's bucket %s, which others share: %w", at.bucket, storage.ErrNotSupported)
	}
	if b.Versioning != old.Versioning {
		if err := s.setVersioning(ctx, b.Name, b.Versioning); err != nil {
			return err
		}
	}
	if b.ObjectLock == old.ObjectLock {
		return nil
	}
	if !b.ObjectLock {
		return fmt.Errorf("object lock can't be taken away: %w", storage.ErrNotSupported)
	}
	r := &request{method: http.MethodPut, bucket: b.Name, query: url.Values{"object-lock": {""}}}
	if err := r.document(lockConfiguration{Enabled: "Enabled"}); err != nil {
		return err
	}
	_, err = s.client.call(ctx, r)
	return err
}

// removable looks whether a bucket is empty. Upstreams look as well, but not every one at old versions and delete markers, and
// SeaweedFS removes a bucket with what it holds unless it is told otherwise.
func (s *Store) removable(ctx context.Context, name string) error {
	b, err := s.bucket(ctx, name)
	if err != nil {
		return err
	}
	return s.empty(ctx, b)
}

// DeleteBucket implements storage.Buckets. Whether open uploads are in the way is the upstream's to say.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	defer done()
	what := "delete bucket " + name
	at, err := s.client.at(name)
	if err != nil {
		return wrap(what, err)
	}
	if !at.own {
		return s.deleteBelow(ctx, at, name)
	}
	if err := s.removable(ctx, name); err != nil {
		return wrap(what, err)
	}
	if _, err := s.client.call(ctx, &request{method: http.MethodDelete, bucket: name}); err != nil {
		return wrap(what, err)
	}
	s.facts.drop(name)
	for {
		_, revision, err := s.o.Records.Fetch(ctx, name)
		if err != nil || revision == 0 {
			return wrap(what, err)
		}
		if ok, err := s.o.Records.Write(ctx, name, nil, revision); ok || err != nil {
			return wrap(what, err)
		}
	}
}

// Usage implements storage.Buckets: S3 has no such question.
func (s *Store) Usage(ctx context.Context, name string) (storage.Usage, error) {
	if _, err := s.Bucket(ctx, name); err != nil {
		return storage.Usage{}, err
	}
	return storage.Usage{}, fmt.Errorf("usage of bucket %s: %w", name, storage.ErrNotSupported)
}
