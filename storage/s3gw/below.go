package s3gw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// record is the place of a bucket as its record has it: nothing when it is where it would be without a map.
func (p place) record(name string) string {
	if p.bucket == name && p.prefix == "" {
		return ""
	}
	return p.String()
}

// The rate at which buckets that memory does not have are looked for in the records: who makes names up must not keep
// the store of the identities busy. What was created at another gateway is in memory within moments anyway.
const (
	looksPerSecond = 50
	looksAtOnce    = 100
)

// looks counts them.
type looks struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

// take tells whether there may be another look now.
func (l *looks) take(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() {
		l.left = looksAtOnce
	} else if d := now.Sub(l.at); d > 0 {
		l.left = min(looksAtOnce, l.left+looksPerSecond*d.Seconds())
	}
	l.at = now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}

// writers counts the calls of this gateway that make objects, by bucket, and has them wait while one is deleted.
type writers struct {
	mu   sync.Mutex
	n    map[string]int
	gone map[string]chan struct{} // is closed when the deletion has ended
}

func newWriters() writers { return writers{n: map[string]int{}, gone: map[string]chan struct{}{}} }

// enter begins a call that makes an object; leave ends it.
func (w *writers) enter(ctx context.Context, bucket string) (leave func(), err error) {
	w.mu.Lock()
	for w.gone[bucket] != nil {
		gone := w.gone[bucket]
		w.mu.Unlock()
		select {
		case <-gone:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	w.n[bucket]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.n[bucket]--; w.n[bucket] == 0 {
			delete(w.n, bucket)
		}
	}, nil
}

// shut keeps calls out of a bucket until open is called. ok is false when there are some.
func (w *writers) shut(bucket string) (open func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n[bucket] > 0 || w.gone[bucket] != nil {
		return nil, false
	}
	gone := make(chan struct{})
	w.gone[bucket] = gone
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.gone, bucket)
		close(gone)
	}, true
}

// madeLately looks for the record of a bucket that memory has none of: without one it is not there.
func (s *Store) madeLately(ctx context.Context, name string) (value []byte, revision uint64, err error) {
	if s.looks.take(s.o.Now()) {
		if value, revision, err = s.o.Records.Fetch(ctx, name); err != nil {
			return nil, 0, err
		}
	}
	if revision == 0 {
		return nil, 0, fmt.Errorf("bucket %s has not been created: %w", name, storage.ErrNoSuchBucket)
	}
	return value, revision, nil
}

// createBelow creates a bucket below a prefix: its record says that it is there.
func (s *Store) createBelow(ctx context.Context, at place, b *storage.Bucket, value []byte, revision uint64) error {
	what := "create bucket " + b.Name
	if !at.made {
		return fmt.Errorf("%s: the upstream's bucket %s, which the map names, is not there: %w", what, at.bucket, storage.ErrUnavailable)
	}
	versioning, err := s.versioning(ctx, b.Name)
	if errors.Is(wrap(what, err), storage.ErrNoSuchBucket) {
		return fmt.Errorf("%s: the upstream's bucket %s, which the map names, is not there: %w", what, at.bucket, storage.ErrUnavailable)
	}
	if err != nil {
		return wrap(what, err)
	}
	locked, err := s.locked(ctx, &storage.Bucket{Name: b.Name, Versioning: versioning})
	if err != nil {
		return wrap(what, err)
	}
	if b.Versioning != storage.VersioningUnset && b.Versioning != versioning || b.ObjectLock && !locked {
		return fmt.Errorf("%s: versioning and object lock are those of the upstream's bucket %s, which others share: %w", what, at.bucket, storage.ErrNotSupported)
	}
	ok, err := s.o.Records.Write(ctx, b.Name, value, revision)
	s.facts.drop(b.Name)
	if err == nil && !ok {
		err = storage.ErrBucketExists
	}
	return wrap(what, err)
}

// deleteBelow deletes a bucket below a prefix, unless this gateway is writing into it. Its record comes back when another
// has written meanwhile; what that is still writing then stays below the prefix.
func (s *Store) deleteBelow(ctx context.Context, at place, name string) error {
	what := "delete bucket " + name
	if !at.made {
		return fmt.Errorf("%s: the map names it: %w", what, storage.ErrNotSupported)
	}
	value, revision, err := s.o.Records.Fetch(ctx, name)
	if err != nil {
		return wrap(what, err)
	}
	b := &storage.Bucket{Name: name, Owner: s.o.Owner}
	if revision == 0 {
		return fmt.Errorf("%s: %w", what, storage.ErrNoSuchBucket)
	}
	if err := s.fill(b, value); err != nil {
		return wrap(what, err)
	}
	open, ok := s.writers.shut(name)
	if !ok {
		return fmt.Errorf("%s: an object is being written: %w", what, storage.ErrBucketNotEmpty)
	}
	defer open()
	if err := s.empty(ctx, b); err != nil {
		return wrap(what, err)
	}
	ok, err = s.o.Records.Write(ctx, name, nil, revision)
	s.facts.drop(name)
	switch {
	case err != nil:
		return wrap(what, err)
	case !ok:
		return fmt.Errorf("%s: its settings change at this moment: %w", what, storage.ErrUnavailable)
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.empty(ctx, b); err != nil {
		if _, undo := s.o.Records.Write(ctx, name, value, 0); undo != nil {
			s.o.Report(wrap("bring back the settings of bucket "+name+", which is not empty", undo))
		}
		return wrap(what, err)
	}
	return s.abortAll(ctx, b)
}

// empty returns ErrBucketNotEmpty when there is a version or a delete marker below a bucket's prefix.
func (s *Store) empty(ctx context.Context, b *storage.Bucket) error {
	p, err := s.page(storage.ListInput{Bucket: b.Name, Limit: 1})
	if err != nil {
		return err
	}
	out := &storage.ListPage{}
	_, err = s.walk(ctx, b, p, versionsKind, func() listDocument { return &versionsAnswer{out: out} })
	if errors.Is(err, storage.ErrNotSupported) { // the upstream has no versions
		var doc listAnswer
		q := p.query("max-keys")
		q.Set("list-type", "2")
		if err = s.listing(ctx, b.Name, q, &doc); err == nil {
			p.encoded = doc.Encoding == "url"
			err = p.objects(b, &doc, out)
		}
	}
	if err == nil && len(out.Objects) > 0 {
		err = storage.ErrBucketNotEmpty
	}
	return err
}

// abortAll ends the uploads below the prefix of a bucket that is deleted.
func (s *Store) abortAll(ctx context.Context, b *storage.Bucket) error {
	what := "end the uploads of bucket " + b.Name
	for {
		p, err := s.page(storage.ListInput{Bucket: b.Name, Limit: maxPage})
		if err != nil {
			return err
		}
		out := &storage.UploadPage{}
		more, err := s.walk(ctx, b, p, uploadsKind, func() listDocument { return &uploadsAnswer{out: out} })
		if errors.Is(err, storage.ErrNotSupported) {
			return nil
		}
		if err != nil {
			return wrap(what, err)
		}
		for i := range out.Uploads {
			u := &out.Uploads[i]
			_, err := s.client.call(ctx, &request{method: http.MethodDelete, bucket: b.Name, key: u.Key, query: url.Values{"uploadId": {u.ID}}})
			if err != nil && !isStatus(err, http.StatusNotFound) {
				return wrap(what, err)
			}
		}
		if !more || len(out.Uploads) == 0 {
			return nil
		}
	}
}

// Missing returns the upstream's buckets that the map puts others into and that are not there.
func (s *Store) Missing(ctx context.Context) ([]string, error) {
	var list []string
	for _, bucket := range s.o.Map.upstream() {
		_, err := s.client.call(ctx, &request{method: http.MethodHead, upstream: bucket})
		switch {
		case isStatus(err, http.StatusNotFound):
			list = append(list, bucket)
		case err != nil:
			return nil, wrap("look at the upstream's bucket "+bucket, err)
		}
	}
	return list, nil
}
