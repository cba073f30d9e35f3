package s3gw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// query is that of a request about a version.
func query(ref storage.Ref, names ...string) url.Values {
	q := url.Values{}
	for _, n := range names {
		q.Set(n, "")
	}
	if ref.Version != "" {
		q.Set("versionId", ref.Version)
	}
	return q
}

// open counts a call and finds its bucket.
func (s *Store) open(ctx context.Context, bucket string) (*storage.Bucket, func(), error) {
	done, err := s.begin()
	if err != nil {
		return nil, nil, err
	}
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		done()
		return nil, nil, err
	}
	return b, done, nil
}

// openWrite is open for a call that makes an object, which a deletion of the bucket does not pass by.
func (s *Store) openWrite(ctx context.Context, bucket string) (*storage.Bucket, func(), error) {
	leave, err := s.writers.enter(ctx, bucket) // before the bucket is looked at
	if err != nil {
		return nil, nil, wrap("write into bucket "+bucket, err)
	}
	b, done, err := s.open(ctx, bucket)
	if err != nil {
		leave()
		return nil, nil, err
	}
	return b, func() { leave(); done() }, nil
}

// StatObject implements storage.Objects.
func (s *Store) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.stat(ctx, b, ref)
}

func (s *Store) stat(ctx context.Context, b *storage.Bucket, ref storage.Ref) (*storage.Object, error) {
	what := fmt.Sprintf("look at %s/%q", ref.Bucket, ref.Key)
	resp, err := s.client.read(ctx, &request{method: http.MethodHead, bucket: ref.Bucket, key: ref.Key, query: query(ref),
		header: http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}}})
	if err != nil {
		return nil, missing(what, ref, err)
	}
	resp.Body.Close()
	// net/http takes the length of HEAD's answers out of the header.
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	o, err := object(b, ref.Key, resp.Header)
	if err != nil {
		return nil, wrap(what, err)
	}
	if err := s.addTags(ctx, o, ref, resp.Header); err != nil {
		return nil, err
	}
	s.tellEncryption(o, resp.Header)
	return o, nil
}

// tellEncryption notes that the upstream encrypts a version, for whoever takes it over.
func (s *Store) tellEncryption(o *storage.Object, h http.Header) {
	if alg := h.Get("X-Amz-Server-Side-Encryption"); s.o.ReadOnly && alg != "" {
		if o.Props == nil {
			o.Props = map[string]string{}
		}
		o.Props[storage.PropEncryptedThere] = alg
	}
}

// addTags reads the tags of a version when it has any. An upstream that does not tell their number is asked
// each time, since policies may depend on them.
func (s *Store) addTags(ctx context.Context, o *storage.Object, ref storage.Ref, h http.Header) error {
	if h.Get("X-Amz-Tagging-Count") == "" {
		caps, err := s.can(ctx)
		if err != nil {
			return wrap("ask the upstream", err)
		}
		if caps.tagCount || !caps.tags {
			return nil
		}
	} else {
		s.counts.Store(true)
	}
	if v := h.Get("X-Amz-Version-Id"); v != "" && ref.Version == "" {
		ref.Version = v // of the version that was looked at
	}
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: ref.Bucket, key: ref.Key, query: query(ref, "tagging")})
	var e *Error
	if errors.As(err, &e) && e.Code == "NoSuchTagSet" {
		return nil
	}
	what := fmt.Sprintf("tags of %s/%q", ref.Bucket, ref.Key)
	if err != nil {
		return missing(what, ref, err)
	}
	var doc tagging
	if err := decode(resp, &doc); err != nil && !errors.Is(err, io.EOF) { // Ceph answers with nothing where there are none
		return wrap(what, err)
	}
	for _, t := range doc.Tags {
		o.Tags = append(o.Tags, storage.Tag(t))
	}
	return nil
}

// tagging is the document of ?tagging.
type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

type tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

// SetTags implements storage.Objects.
func (s *Store) SetTags(ctx context.Context, ref storage.Ref, tags []storage.Tag) (*storage.Object, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	o, err := s.stat(ctx, b, ref)
	if err != nil {
		return nil, err
	}
	r := &request{method: http.MethodPut, bucket: ref.Bucket, key: ref.Key, query: query(pin(ref, o), "tagging")}
	doc := tagging{}
	for _, t := range tags {
		doc.Tags = append(doc.Tags, tag(t))
	}
	if len(tags) == 0 {
		r.method = http.MethodDelete
	} else if err := r.document(doc); err != nil {
		return nil, err
	}
	if _, err := s.client.call(ctx, r); err != nil {
		return nil, missing(fmt.Sprintf("tag %s/%q", ref.Bucket, ref.Key), ref, err)
	}
	o.Tags = tags
	return o, nil
}

// retention and legalHold are the documents of an object's lock.
type retention struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
	Mode    string   `xml:"Mode,omitempty"`
	Until   string   `xml:"RetainUntilDate,omitempty"`
}

type legalHold struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
	Status  string   `xml:"Status"`
}

// SetProps implements storage.Objects for the lock of a version. The step between reading and writing is open
// to others; the upstream itself refuses what would weaken a lock of compliance.
func (s *Store) SetProps(ctx context.Context, ref storage.Ref, change func(*storage.Object) (map[string]string, error)) (*storage.Object, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	o, err := s.stat(ctx, b, ref)
	if err != nil {
		return nil, err
	}
	props, err := change(o)
	if err != nil {
		return nil, err
	}
	if err := setProps(http.Header{}, props); err != nil {
		return nil, err
	}
	ref = pin(ref, o)
	if props[storage.PropLockMode] != o.Props[storage.PropLockMode] || props[storage.PropLockUntil] != o.Props[storage.PropLockUntil] {
		// That it is allowed change has found out.
		h := http.Header{}
		if o.Props[storage.PropLockMode] == "GOVERNANCE" {
			h.Set("X-Amz-Bypass-Governance-Retention", "true")
		}
		err = s.putLock(ctx, ref, "retention", h, retention{Mode: props[storage.PropLockMode], Until: seconds(props[storage.PropLockUntil])})
	}
	if hold := props[storage.PropLegalHold]; err == nil && hold != o.Props[storage.PropLegalHold] {
		if hold == "" {
			hold = "OFF"
		}
		err = s.putLock(ctx, ref, "legal-hold", http.Header{}, legalHold{Status: hold})
	}
	if err != nil {
		return nil, err
	}
	o.Props = props
	return o, nil
}

// seconds writes a time without a fraction, rounded up: a lock never ends before what was asked for.
func seconds(v string) string {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return v
	}
	if whole := t.Truncate(time.Second); !whole.Equal(t) {
		t = whole.Add(time.Second)
	}
	return t.UTC().Format(time.RFC3339)
}

func (s *Store) putLock(ctx context.Context, ref storage.Ref, name string, h http.Header, doc any) error {
	r := &request{method: http.MethodPut, bucket: ref.Bucket, key: ref.Key, query: query(ref, name), header: h}
	if err := r.document(doc); err != nil {
		return err
	}
	_, err := s.client.call(ctx, r)
	return wrap(fmt.Sprintf("lock %s/%q", ref.Bucket, ref.Key), err)
}
