package s3gw

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Records keeps one small document for each bucket, durably and for all gateways before one upstream. Errors are
// those of package storage.
type Records interface {
	// Record returns the document of a bucket and its revision from memory; 0 when there is none.
	Record(bucket string) (value []byte, revision uint64)
	// Fetch is Record from where the documents are kept, for a bucket that memory does not have.
	Fetch(ctx context.Context, bucket string) (value []byte, revision uint64, err error)
	// Names returns the buckets that memory has documents of.
	Names() []string
	// Write stores a document when the revision is still the one given (0: there is none), and removes it when
	// value is nil; ok is false when the revision is another. Memory has it when Write returns.
	Write(ctx context.Context, bucket string, value []byte, revision uint64) (ok bool, err error)
}

// record is the document of a bucket.
type record struct {
	Format     int                `json:"v"`
	Created    time.Time          `json:"created"`
	Owner      string             `json:"owner"`
	Region     string             `json:"region,omitempty"`
	Versioning storage.Versioning `json:"versioning"` // as last set through a gateway; the upstream's counts
	ObjectLock bool               `json:"objectLock,omitempty"`
	Docs       map[string][]byte  `json:"docs,omitempty"`
	// Place is where a map had the bucket when this was written, "" for the upstream's of the same name.
	Place string `json:"place,omitempty"`
}

const recordFormat = 1

// factsAge is how long what the upstream said of a bucket counts: that it is there, its versioning and object
// lock. What changes through a gateway counts at once, at every gateway.
const factsAge = 15 * time.Second

// fact is what the upstream said of a bucket.
type fact struct {
	until    time.Time
	revision uint64 // of the bucket's record then
	bucket   *storage.Bucket
}

// facts remembers them.
type facts struct {
	mu sync.Mutex
	m  map[string]fact
}

const maxFacts = 10_000

func (f *facts) get(name string, revision uint64, now time.Time) *storage.Bucket {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.m[name]; ok && known.revision == revision && now.Before(known.until) {
		return known.bucket
	}
	return nil
}

func (f *facts) put(name string, revision uint64, b *storage.Bucket, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.m) >= maxFacts {
		clear(f.m)
	}
	f.m[name] = fact{until, revision, b}
}

func (f *facts) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.m, name)
}

// refusedDocs are documents of buckets that could not be heeded, with the reason.
var refusedDocs = map[string]string{
	"quota":         "the upstream does not tell what a bucket holds",
	"quota-objects": "the upstream does not tell what a bucket holds",
	"encryption":    "an upstream does not keep content that is encrypted before it",
}

// Bucket implements storage.Buckets.
func (s *Store) Bucket(ctx context.Context, name string) (*storage.Bucket, error) {
	done, err := s.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	return s.bucket(ctx, name)
}

func (s *Store) bucket(ctx context.Context, name string) (*storage.Bucket, error) {
	value, revision := s.o.Records.Record(name)
	if b := s.facts.get(name, revision, s.o.Now()); b != nil {
		return b, nil
	}
	b, revision, err := s.ask(ctx, name, value, revision)
	if err != nil {
		return nil, wrap("look at bucket "+name, err)
	}
	s.facts.put(name, revision, b, s.o.Now().Add(factsAge))
	return b, nil
}

// ask makes a Bucket of what the upstream says and the record.
func (s *Store) ask(ctx context.Context, name string, value []byte, revision uint64) (*storage.Bucket, uint64, error) {
	at, err := s.client.at(name)
	if err != nil {
		return nil, 0, err
	}
	if at.made && revision == 0 {
		if value, revision, err = s.madeLately(ctx, name); err != nil {
			return nil, 0, err
		}
	}
	// The upstream is asked first: who makes up names of buckets does not reach the records.
	versioning, err := s.versioning(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	if revision == 0 {
		value, revision, err = s.o.Records.Fetch(ctx, name)
		if err != nil && !errors.Is(err, storage.ErrUnavailable) {
			return nil, 0, err
		}
		// Memory follows the records: it lacks those of the last moment only, and without one a bucket is its owner's.
	}
	b := &storage.Bucket{Name: name, Owner: s.o.Owner}
	if revision != 0 {
		if err := s.fill(b, value); err != nil {
			return nil, 0, err
		}
	}
	b.Versioning = versioning
	if b.ObjectLock, err = s.locked(ctx, b); err != nil {
		return nil, 0, err
	}
	if b.Created.IsZero() {
		if b.Created, err = s.created(ctx, name); err != nil {
			return nil, 0, err
		}
	}
	return b, revision, nil
}

// fill sets what the record of a bucket says.
func (s *Store) fill(b *storage.Bucket, value []byte) error {
	var r record
	err := json.Unmarshal(value, &r)
	if err == nil && r.Format != recordFormat {
		err = fmt.Errorf("format %d is not known", r.Format)
	}
	if err != nil {
		return fmt.Errorf("settings of bucket %s: %w: %w", b.Name, storage.ErrDamaged, err)
	}
	at, err := s.client.at(b.Name)
	if err != nil {
		return err
	}
	if place := at.record(b.Name); place != r.Place {
		return fmt.Errorf("%w: bucket %s has settings from when it lay at %q, and the map says %q now (names as they are: \"\"): "+
			"give all gateways the same map, or remove these settings", errMoved, b.Name, r.Place, place)
	}
	b.Created, b.Owner, b.Region, b.Docs = r.Created, r.Owner, r.Region, r.Docs
	b.Versioning, b.ObjectLock = r.Versioning, r.ObjectLock
	return nil
}

// errMoved is for a bucket whose settings were made for another place: they say nothing of what lies here.
var errMoved = fmt.Errorf("%w: the map of buckets differs", storage.ErrUnavailable)

// encode makes the record of a bucket.
func (s *Store) encode(b *storage.Bucket) ([]byte, error) {
	for name, why := range refusedDocs {
		if _, ok := b.Docs[name]; ok {
			return nil, fmt.Errorf("%s of bucket %s: %s: %w", name, b.Name, why, storage.ErrNotSupported)
		}
	}
	at, err := s.client.at(b.Name)
	if err != nil {
		return nil, err
	}
	v, err := json.Marshal(record{recordFormat, b.Created, b.Owner, b.Region, b.Versioning, b.ObjectLock, b.Docs, at.record(b.Name)})
	if err != nil {
		return nil, fmt.Errorf("encode the settings of bucket %s: %w", b.Name, err)
	}
	return v, nil
}

// versioningConfiguration is the document of ?versioning.
type versioningConfiguration struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status  string   `xml:"Status,omitempty"`
}

func (s *Store) versioning(ctx context.Context, bucket string) (storage.Versioning, error) {
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: bucket, query: url.Values{"versioning": {""}}})
	var e *Error
	if errors.As(err, &e) && e.sentinel() == storage.ErrNotSupported {
		_, err = s.client.call(ctx, &request{method: http.MethodHead, bucket: bucket})
		if isStatus(err, http.StatusNotFound) {
			err = storage.ErrNoSuchBucket
		}
		return storage.VersioningUnset, err
	}
	if err != nil {
		return 0, err
	}
	var v struct {
		Status string `xml:"Status"`
	}
	if err := decode(resp, &v); err != nil {
		return 0, err
	}
	switch v.Status {
	case "Enabled":
		return storage.VersioningEnabled, nil
	case "Suspended":
		return storage.VersioningSuspended, nil
	}
	return storage.VersioningUnset, nil
}

// locked tells whether a bucket has object lock, which only one with versioning can have.
func (s *Store) locked(ctx context.Context, b *storage.Bucket) (bool, error) {
	if b.Versioning != storage.VersioningEnabled {
		return false, nil
	}
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: b.Name, query: url.Values{"object-lock": {""}}})
	var e *Error
	if errors.As(err, &e) && (e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" || e.sentinel() == storage.ErrNotSupported) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var v struct {
		Enabled string `xml:"ObjectLockEnabled"`
	}
	err = decode(resp, &v)
	return v.Enabled == "Enabled", err
}
