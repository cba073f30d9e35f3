package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Local is the store that is moved into.
type Local interface {
	storage.Backend
	storage.Importer
	storage.Calendar
}

// Source is the store that is left. Errors are those of package storage; ErrUnavailable is one that will pass.
type Source interface {
	storage.PartReader
	Bucket(ctx context.Context, name string) (*storage.Bucket, error)
	ListBuckets(ctx context.Context, prefix, after string, limit int) ([]*storage.Bucket, bool, error)
	GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error)
	StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error)
	Parts(ctx context.Context, ref storage.Ref) ([]storage.Part, error)
	ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error)
	ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error)
	// Document returns what a bucket's sub-resource of this name holds, nil when it holds nothing or the source has
	// no such thing.
	Document(ctx context.Context, bucket, name string) ([]byte, error)
	Close() error
}

// Settings takes over the settings of buckets.
type Settings interface {
	// Apply sets what file, as MinIO's archives name it, holds for a bucket. Its error is told to people.
	Apply(ctx context.Context, bucket, file string, document []byte) error
}

// Options say what moves where.
type Options struct {
	Local  Local
	Source Source
	URL    string // names the source: a migration goes on from no other one
	Owner  string // account that owns the buckets
	// Rate bounds the bytes a second that are copied in the background, 0 for no bound, and Workers how many keys at once.
	Rate    int64
	Workers int
	// Report is told what an operator should know; nil drops it.
	Report func(message string, err error)
	Now    func() time.Time
}

// Store implements storage.Backend.
type Store struct {
	o      Options
	local  Local
	source Source
	rate   limiter
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	state    state
	settings Settings
	buckets  map[string]*bucket
	flights  map[id]*flight
	lastErr  string // of the source, while the copier waits for it
	copying  bool
	closed   bool
	meter    meter
	verify   Verification

	verifying sync.Mutex // held while a verification begins
	adopting  sync.Mutex // held while a bucket is taken over
}

var (
	_ storage.Backend    = (*Store)(nil)
	_ storage.PartReader = (*Store)(nil)
)

// ErrOther says that a migration from another source is not over.
var ErrOther = errors.New("a migration from another source is not complete")

// Open puts a source behind a local store, or goes on with what was begun. The source is not asked. Start begins to copy.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(string, error) {}
	}
	o.Workers = max(o.Workers, 1)
	s := &Store{o: o, local: o.Local, source: o.Source, buckets: map[string]*bucket{}, flights: map[id]*flight{}}
	s.rate.rate = o.Rate
	s.ctx, s.cancel = context.WithCancel(context.Background())
	st, err := s.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("open migration: %w", err)
	}
	if st.URL != "" && st.URL != o.URL {
		return nil, fmt.Errorf("%w: it began with %s", ErrOther, st.URL)
	}
	if st.URL == "" {
		st = state{Format: stateFormat, URL: o.URL, Begun: o.Now().UTC().Truncate(time.Millisecond)}
		if err := s.local.CreateBucket(ctx, storage.Bucket{Name: stateBucket, Owner: o.Owner}); err != nil && !errors.Is(err, storage.ErrBucketExists) {
			return nil, fmt.Errorf("begin migration: %w", err)
		}
		if err := s.save(ctx, stateKey, &st); err != nil {
			return nil, fmt.Errorf("begin migration: %w", err)
		}
	}
	s.state = st
	return s, nil
}

// Start copies in the background until everything is here or the store is closed. settings takes over those of buckets.
func (s *Store) Start(settings Settings) {
	s.mu.Lock()
	s.settings = settings
	done := !s.state.Complete.IsZero()
	s.mu.Unlock()
	if done {
		return
	}
	s.spawn(func() { s.run(s.ctx) }, func() { s.copying = true })
}

// spawn does something in the background that Close waits for; prepare, which may be nil, runs first under the lock. It is
// false when the store is closed.
func (s *Store) spawn(do, prepare func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if prepare != nil {
		prepare()
	}
	s.work.Go(do)
	return true
}

// isIdle tells whether nothing is being copied.
func (s *Store) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.copying
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	return errors.Join(s.local.Close(), s.source.Close())
}
