// Package etcd is a store.Store in an etcd cluster, which several servers share. It
// imports etcd's client and what that is made of, package store, and its internal packages
// feed and record.
//
// Under the prefix of the store, which is followed by two slashes, stand
//
//	record/KIND/NAME   one record, in the form of package record
//	commit             the format of the store, and a random mark; each commit writes
//	                   it, so that its revision in etcd is that of the last commit
//
// A prefix never has two slashes in a row, so the keys of two stores never mix, not even
// when one prefix begins with the other. Revisions are etcd's own.
//
// A commit is one transaction of etcd and never more: what does not fit into one is
// refused. It is never sent twice, since the first may have been applied; its mark tells.
// Records with an expiry hang on leases that end a little later; those that expire together share one.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

// Store implements store.Store.
type Store struct {
	client  *clientv3.Client
	session *session
	keys    keyspace
	timeout time.Duration
	now     func() time.Time
	grace   time.Duration // from a record's expiry to that of its lease
	leases  leases
	lasting lasting

	life context.Context // ends with Close
	stop context.CancelFunc
	busy sync.WaitGroup // commits that Close waits for
	rest sync.WaitGroup // goroutines

	seen atomic.Int64 // the highest revision of etcd in any answer

	mu       sync.Mutex
	closed   bool
	watchers map[*watcher]struct{}
}

// Open connects to the cluster and makes sure that it answers, that the user may read,
// and that the store has a format which this program knows. Its errors: ErrUnavailable when
// the cluster gave no answer in time, ErrDamaged for a foreign format, that of ctx, or
// a sentence on the option that is wrong.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open identity store in etcd: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, o Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	s := &Store{session: c.session, keys: c.keys, timeout: c.timeout, now: time.Now, grace: leaseGrace, leases: newLeases(), lasting: newLasting(), watchers: make(map[*watcher]struct{})}
	s.life, s.stop = context.WithCancel(context.Background())
	c.client.Context = s.life
	if s.client, err = clientv3.New(c.client); err != nil {
		s.stop()
		return nil, err
	}
	s.session.auth = s.client.Auth
	if err := s.checkFormat(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.rest.Go(s.attend)
	return s, nil
}

// format begins the value of the commit key. The mark of the commit follows.
const format = "objsrv iam 1"

func (s *Store) checkFormat(ctx context.Context) error {
	resp, err := s.read(ctx, clientv3.OpGet(s.keys.commit))
	if err != nil {
		return err
	}
	for _, kv := range resp.Responses[0].GetResponseRange().Kvs {
		if !strings.HasPrefix(string(kv.Value), format+" ") {
			return fmt.Errorf("%w: the key %s has the value %q, this program knows %q", store.ErrDamaged, s.keys.commit, kv.Value, format)
		}
	}
	return nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, kind, name string) (store.Record, error) {
	if err := store.CheckKey(kind, name); err != nil {
		return store.Record{}, err
	}
	resp, err := s.read(ctx, clientv3.OpGet(s.keys.record(kind, name)))
	if err != nil {
		return store.Record{}, err
	}
	for _, kv := range resp.Responses[0].GetResponseRange().Kvs {
		r, err := s.decode(kv)
		if err != nil {
			return store.Record{}, err
		}
		if !s.expired(&r) {
			return r, nil
		}
	}
	return store.Record{}, fmt.Errorf("%s/%q: %w", kind, name, store.ErrNotFound)
}

// decode reads a record of the store. Its error is a *store.DamageError.
func (s *Store) decode(kv *mvccpb.KeyValue) (store.Record, error) {
	kind, name := s.keys.split(kv.Key)
	r, err := record.Decode(kind, name, kv.Value)
	r.Revision = uint64(kv.ModRevision)
	return r, err
}

func (s *Store) expired(r *store.Record) bool {
	return !r.Expires.IsZero() && !s.now().Before(r.Expires)
}

// Pages of a listing: the first has firstPage records, those that follow as many as
// should make pageBytes, judged by the page before.
const (
	firstPage = 128
	maxPage   = 16 << 10
	pageBytes = 4 << 20
	listTries = 5
)

// List implements store.Store. It reads page by page at one revision, and begins anew when
// that is compacted meanwhile.
func (s *Store) List(ctx context.Context, kind string) (store.Listing, error) {
	for try := 1; ; try++ {
		l, damaged, err := s.list(ctx, kind)
		switch {
		case errors.Is(err, errCompacted) && try < listTries:
			continue
		case err != nil:
			return store.Listing{}, err
		case len(damaged) > 0:
			return l, damaged
		}
		return l, nil
	}
}

func (s *Store) list(ctx context.Context, kind string) (l store.Listing, damaged store.DamageList, err error) {
	from, end := s.keys.records(kind)
	page := int64(firstPage)
	resp, err := s.read(ctx,
		clientv3.OpGet(from, clientv3.WithRange(end), clientv3.WithLimit(page)),
		clientv3.OpGet(s.keys.commit, clientv3.WithKeysOnly()))
	if err != nil {
		return l, nil, err
	}
	at := resp.Header.Revision
	for _, kv := range resp.Responses[1].GetResponseRange().Kvs {
		l.Revision = uint64(kv.ModRevision)
	}
	for {
		part := resp.Responses[0].GetResponseRange()
		size := 0
		for _, kv := range part.Kvs {
			size += len(kv.Key) + len(kv.Value)
			r, err := s.decode(kv)
			var d *store.DamageError
			switch {
			case errors.As(err, &d):
				damaged = append(damaged, d)
			case !s.expired(&r):
				l.Records = append(l.Records, r)
			}
		}
		n := len(part.Kvs)
		if !part.More || n == 0 {
			return l, damaged, nil
		}
		from = string(part.Kvs[n-1].Key) + "\x00"
		page = min(max(1, int64(n)*pageBytes/int64(size)), maxPage)
		resp, err = s.read(ctx, clientv3.OpGet(from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(at)))
		if err != nil {
			return store.Listing{}, nil, err
		}
	}
}

// Close implements store.Store. It waits for commits, each of which ends within some
// timeouts; reads are broken off.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.busy.Wait()
	s.stop()
	err := s.client.Close()
	s.rest.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("close identity store in etcd: %w", err)
	}
	return nil
}

// begin counts a commit that Close has to wait for.
func (s *Store) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	s.busy.Add(1)
	return nil
}

// attend looks at etcd's revision whenever there is a connection again, until Close.
func (s *Store) attend() {
	conn := s.client.ActiveConnection()
	for state := conn.GetState(); conn.WaitForStateChange(s.life, state); {
		if state = conn.GetState(); state == connectivity.Ready {
			// An error is nothing to act on: it comes with a lost connection, and so
			// with the next turn.
			_, _ = s.read(s.life, clientv3.OpGet(s.keys.commit, clientv3.WithKeysOnly()))
		}
	}
}

// observe compares the revision of an answer with what had been seen when its request
// began. Etcd's revisions go back when the cluster was restored from an older snapshot:
// then the watchers, which wait for revisions that come twice, must read anew.
func (s *Store) observe(before, revision int64) {
	if revision >= before {
		for {
			seen := s.seen.Load()
			if seen >= revision || s.seen.CompareAndSwap(seen, revision) {
				return
			}
		}
	}
	s.seen.Store(revision)
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		w.end(fmt.Errorf("%w: etcd went back from revision %d to %d", store.ErrLagged, before, revision))
	}
}

// seconds rounds up, within what a lease may have.
func seconds(d time.Duration) int64 {
	return min(max(1, int64(math.Ceil(d.Seconds()))), clientv3.MaxLeaseTTL)
}
