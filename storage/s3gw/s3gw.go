// Package s3gw is a storage.Backend in front of another S3 endpoint, the upstream, which keeps the bytes.
// Any number of processes may stand before one upstream.
//
// It imports package storage, the signer and the path encoding of minio-go, and net/http: an upstream is spoken
// to over HTTP, with deadlines of ours. It is the one package below storage that may; nothing of HTTP shows in
// what it exports. The client of minio-go itself is not used, because it has no place for what must pass
// unchanged (arbitrary Expires, conditions of deletes, what a delete made, the versions of copies) and takes no context
// for listings. Wire formats are those of the Amazon S3 API reference.
//
// # What is kept where
//
// Objects, versions, tags, metadata, uploads, versioning and object lock are the upstream's. The settings of
// buckets that decide what is allowed (policies, CORS, public access block, ownership, tags) are the gateway's
// own: they are kept as Records, by the name of the bucket, and the upstream's own settings of these kinds do not
// count here. Access control lists of objects and arbitrary properties have no place in an upstream: they are
// refused with ErrNotSupported.
//
// What the upstream can do is asked once, in a bucket that is made for it and removed (see capabilities).
// A condition or an upload's checksum algorithm that it does not know is refused, never dropped. A checksum of an object put
// whole that it can't keep is verified on the way and compared by ETag, and not told afterwards.
package s3gw

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
)

// Options say where the upstream is.
type Options struct {
	Endpoint             string // URL without a path
	Region               string // that requests are signed for; "" is us-east-1
	AccessKey, SecretKey string
	TLS                  *tls.Config // nil is the system's
	Owner                string      // account that owns buckets without a record
	Records              Records     // of the settings of buckets
	Map                  *Map        // where buckets lie; nil: at the upstream's of the same names
	// Cache keeps copies of contents that were read whole; nil: there are none. A copy is given out when the upstream has
	// said, for this very read, that its state is the present one. Its owner closes it after the store.
	Cache    *cache.Cache
	ReadOnly bool        // nothing is ever written, so that what the upstream can do is not tried out
	Report   func(error) // is told of trouble that no caller hears of; nil drops it
	Now      func() time.Time
}

// Store implements storage.Backend.
type Store struct {
	o       Options
	client  *client
	facts   facts
	caps    capabilities
	looks   looks
	writers writers
	counts  atomic.Bool // the upstream has told a number of tags; of one that is only read

	buffers sync.Pool // of *[]byte, bufferSize long

	mu     sync.Mutex
	closed bool
	busy   sync.WaitGroup
}

var (
	_ storage.Backend    = (*Store)(nil)
	_ storage.PartReader = (*Store)(nil)
	_ storage.ETagger    = (*Store)(nil)
)

// Open returns a store over the upstream. It does not wait for it: what is asked while it can't be reached
// is ErrUnavailable.
func Open(o Options) (*Store, error) {
	if o.AccessKey == "" || o.SecretKey == "" {
		return nil, errors.New("open upstream: access key and secret key are needed")
	}
	if o.Records == nil {
		return nil, errors.New("open upstream: there is no place for the settings of buckets")
	}
	c, err := newClient(&o)
	if err != nil {
		return nil, fmt.Errorf("open upstream: %w", err)
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{o: o, client: c, facts: facts{m: map[string]fact{}}, writers: newWriters()}
	s.buffers.New = func() any {
		b := make([]byte, bufferSize)
		return &b
	}
	return s, nil
}

// Check asks the upstream for its buckets. Errors: ErrUnavailable, or what the upstream answered.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.client.call(ctx, &request{method: http.MethodGet})
	var e *Error
	if errors.As(err, &e) && e.Code == "AccessDenied" {
		return nil // it knows the key, which may not list buckets
	}
	return wrap("ask the upstream", err)
}

// Stats count requests to the upstream since the store was opened.
type Stats struct {
	Requests   int64
	Unanswered int64 // had no answer: no connection, or it broke or stood still
	Failed     int64 // were answered with a status of 500 and above
	Repeated   int64 // were sent once more
}

// Stats returns the figures.
func (s *Store) Stats() Stats {
	c := &s.client.counts
	return Stats{Requests: c.requests.Load(), Unanswered: c.unanswered.Load(), Failed: c.failed.Load(), Repeated: c.repeated.Load()}
}

// begin counts a call that Close waits for.
func (s *Store) begin() (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	s.busy.Add(1)
	return s.busy.Done, nil
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.busy.Wait()
	s.client.transport.CloseIdleConnections()
	return nil
}
