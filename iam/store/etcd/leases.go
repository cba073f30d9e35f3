package etcd

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
)

const (
	// leaseGrace is how long the lease of a record outlives it: never less, by any server's
	// clock that is right within this, and longer than a commit may take.
	leaseGrace = 30 * time.Second
	// leaseSpan is how far apart the expiries of records may be that hang on one lease. A grant is a commit of etcd by itself:
	// with a lease for each session half of the commits would be grants.
	leaseSpan = 10 * time.Second
	// leaseRecords is how many may hang on one: etcd deletes them in one step.
	leaseRecords = 200
	// leaseReuse is how long after its grant further records may hang on one, so that none is taken for there that a restored
	// cluster does not have.
	leaseReuse = 5 * time.Second
)

// leases are those that further records may hang on.
type leases struct {
	span time.Duration
	mu   sync.Mutex
	m    map[int64]*lease // by the end of their span, in seconds
}

// lease is one that has been granted, or is being.
type lease struct {
	end     int64 // of its span
	asked   time.Time
	records int           // that hang on it, or may
	granted chan struct{} // closed when id is set, or err
	id      clientv3.LeaseID
	err     error
}

func newLeases() leases { return leases{span: leaseSpan, m: map[int64]*lease{}} }

// take counts a record on a lease for its expiry; mine tells that the caller is to grant it.
func (h *leases) take(expires, now time.Time) (l *lease, mine bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	span := int64(h.span / time.Second)
	end := expires.Unix()/span*span + span
	if l = h.m[end]; l != nil && l.records < leaseRecords && now.Sub(l.asked).Abs() < leaseReuse {
		l.records++
		return l, false
	}
	for e, old := range h.m {
		if now.Sub(old.asked).Abs() >= leaseReuse {
			delete(h.m, e)
		}
	}
	l = &lease{end: end, asked: now, records: 1, granted: make(chan struct{})}
	h.m[end] = l
	return l, true
}

// forget has nothing more hang on a lease.
func (h *leases) forget(l *lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m[l.end] == l {
		delete(h.m, l.end)
	}
}

// grant gives each record among parts that expires a lease, which outlives it by the grace at least, and by a span more at
// most.
func (s *Store) grant(ctx context.Context, parts []*part) error {
	for _, p := range parts {
		if p.op != store.Put || p.record.Expires.IsZero() {
			continue
		}
		l, err := s.lease(ctx, p.record.Expires)
		if err != nil {
			return err
		}
		p.lease = l
	}
	return nil
}

func (s *Store) lease(ctx context.Context, expires time.Time) (*lease, error) {
	for {
		l, mine := s.leases.take(expires, s.now())
		if mine {
			s.askLease(ctx, l)
		}
		select {
		case <-l.granted:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.err == nil || mine {
			return l, l.err
		}
		// Whoever asked for it may have gone away: this caller asks for itself.
	}
}

// askLease asks etcd for a lease. One that is granted twice, or that nothing hangs on in the end, ends by itself.
func (s *Store) askLease(ctx context.Context, l *lease) {
	defer close(l.granted)
	ttl := seconds(time.Unix(l.end, 0).Sub(s.now()) + s.grace)
	l.err = s.call(ctx, true, func(ctx context.Context) error {
		resp, err := s.client.Grant(ctx, ttl)
		if err == nil {
			l.id = resp.ID
		}
		return err
	})
	if l.err != nil {
		s.leases.forget(l)
	}
}

// renew forgets the leases of parts when a transaction was refused because one is not there: etcd was restored from a
// snapshot a moment ago. It tells whether that was so.
func (s *Store) renew(parts []*part, err error) bool {
	if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return false
	}
	for _, p := range parts {
		if p.lease != nil {
			s.leases.forget(p.lease)
			p.lease = nil
		}
	}
	return true
}

// lasting are records that are known to have no expiry at a revision, which never changes: whether such a one is still at
// this revision a transaction can find out by itself, without a read before it.
type lasting struct {
	mu sync.Mutex
	m  map[string]int64 // by key
}

// maxLasting bounds what is remembered.
const maxLasting = 10_000

func newLasting() lasting { return lasting{m: map[string]int64{}} }

func (l *lasting) note(key string, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.m) >= maxLasting {
		clear(l.m)
	}
	l.m[key] = revision
}

func (l *lasting) at(key string, revision int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m[key] == revision
}
