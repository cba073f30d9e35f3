package etcd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

// leaseGrace is how long the lease of a record outlives it: never less, by any server's
// clock that is right within this, and longer than a commit may take.
const leaseGrace = 30 * time.Second

// part is what a commit demands of one record and does to it.
type part struct {
	key    string
	demand uint64   // store.Any, or the revision of the record before
	op     store.Op // Check when it is only looked at
	record store.Record
	// found is the revision of the key in etcd that goes with demand: they differ where an
	// expired record is still there.
	found int64
	lease clientv3.LeaseID
}

// Commit implements store.Store. The revisions are read first and compared in the
// transaction again; when one has changed between, everything is looked at anew.
func (s *Store) Commit(ctx context.Context, changes ...store.Change) (uint64, error) {
	if err := store.CheckChanges(changes); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.begin(); err != nil {
		return 0, err
	}
	defer s.busy.Done()
	parts, write, err := s.fold(changes)
	if err != nil {
		return 0, err
	}
	if !write {
		return s.check(ctx, parts)
	}
	var leases []clientv3.LeaseID
	revision, err := s.write(ctx, parts, &leases)
	if err != nil && !unknown(ctx, err) {
		s.revoke(ctx, leases)
	}
	return revision, err
}

// unknown tells whether err leaves open whether the commit was applied.
func unknown(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, store.ErrUnavailable)
}

// fold makes one part of all changes of a record, since a transaction of etcd can write a
// key only once. Each change sees those before it.
func (s *Store) fold(changes []store.Change) (parts []*part, write bool, err error) {
	index := make(map[string]*part, len(changes))
	for i := range changes {
		c := &changes[i]
		key := s.keys.record(c.Kind, c.Name)
		p := index[key]
		switch {
		case p == nil:
			p = &part{key: key, demand: c.Revision, op: store.Check}
			index[key] = p
			parts = append(parts, p)
		case c.Revision == store.Any:
		case p.op == store.Check && p.demand == store.Any:
			p.demand = c.Revision
		case p.op == store.Check && p.demand == c.Revision:
		case p.op == store.Delete && c.Revision == 0:
		default:
			return nil, false, fmt.Errorf("%s/%q can't have revision %d within this commit: %w", c.Kind, c.Name, c.Revision, store.ErrConflict)
		}
		if c.Op == store.Check {
			continue
		}
		write = true
		p.op = c.Op
		p.record = store.Record{Kind: c.Kind, Name: c.Name}
		if c.Op == store.Put {
			p.record.Value, p.record.Expires = c.Value, c.Expires
		}
	}
	return parts, write, nil
}

// check reads the records of which a revision is demanded and compares it. It returns
// the revision of the last commit.
func (s *Store) check(ctx context.Context, parts []*part) (uint64, error) {
	ops := []clientv3.Op{clientv3.OpGet(s.keys.commit, clientv3.WithKeysOnly())}
	var asked []*part
	for _, p := range parts {
		if p.demand != store.Any {
			ops = append(ops, clientv3.OpGet(p.key))
			asked = append(asked, p)
		}
	}
	resp, err := s.read(ctx, ops...)
	if err != nil {
		return 0, err
	}
	for i, p := range asked {
		var have uint64
		p.found = 0
		for _, kv := range resp.Responses[i+1].GetResponseRange().Kvs {
			r, err := s.decode(kv)
			if err != nil {
				return 0, err
			}
			p.found = kv.ModRevision
			if !s.expired(&r) {
				have = r.Revision
			}
		}
		if have != p.demand {
			kind, name := s.keys.split([]byte(p.key))
			return 0, fmt.Errorf("%s/%q has revision %d, not %d: %w", kind, name, have, p.demand, store.ErrConflict)
		}
	}
	for _, kv := range resp.Responses[0].GetResponseRange().Kvs {
		return uint64(kv.ModRevision), nil
	}
	return 0, nil
}

// write applies parts. It adds to leases those that it took.
func (s *Store) write(ctx context.Context, parts []*part, leases *[]clientv3.LeaseID) (uint64, error) {
	// That a record must not exist is usually so: then nothing need be read first.
	look := false
	for _, p := range parts {
		look = look || p.demand != store.Any && p.demand != 0
	}
	for first := true; ; first, look = false, true {
		if look {
			if _, err := s.check(ctx, parts); err != nil {
				return 0, err
			}
		}
		if first {
			if err := s.grant(ctx, parts, leases); err != nil {
				return 0, err
			}
		}
		revision, done, err := s.transact(ctx, parts)
		if err != nil || done {
			return revision, err
		}
	}
}

// transact sends the transaction, once. It reports whether all revisions were still as found.
func (s *Store) transact(ctx context.Context, parts []*part) (revision uint64, done bool, err error) {
	mark := format + " " + rand.Text()
	var compare []clientv3.Cmp
	ops := []clientv3.Op{clientv3.OpPut(s.keys.commit, mark)}
	for _, p := range parts {
		if p.demand != store.Any {
			compare = append(compare, clientv3.Compare(clientv3.ModRevision(p.key), "=", p.found))
		}
		switch p.op {
		case store.Put:
			ops = append(ops, clientv3.OpPut(p.key, string(record.Encode(&p.record)), clientv3.WithLease(p.lease)))
		case store.Delete:
			ops = append(ops, clientv3.OpDelete(p.key))
		}
	}
	before := s.seen.Load()
	var resp *clientv3.TxnResponse
	err = s.call(ctx, false, func(ctx context.Context) error {
		resp, err = s.client.Txn(ctx).If(compare...).Then(ops...).Commit()
		return err
	})
	if err != nil {
		revision, err = s.settle(ctx, err, mark, before)
		return revision, err == nil, err
	}
	s.observe(before, resp.Header.Revision)
	return uint64(resp.Header.Revision), resp.Succeeded, nil
}

// settle looks for the mark of a commit that has failed with err, for it may have been
// applied all the same: the answer was lost, or it was the one that filled etcd up, of
// which etcd says that there is no space though it was applied. What is found is
// certain. What is not found was not applied if etcd has answered, else it may come yet.
func (s *Store) settle(ctx context.Context, err error, mark string, before int64) (uint64, error) {
	full := errors.Is(err, store.ErrFull)
	if ctx.Err() != nil || !full && !errors.Is(err, store.ErrUnavailable) {
		return 0, err
	}
	revision, certain := s.find(ctx, mark, before)
	switch {
	case revision != 0:
		return revision, nil
	case full && !certain:
		return 0, fmt.Errorf("%w: whether the commit was applied is not known: %v", store.ErrUnavailable, err)
	}
	return 0, err
}

// maxMarks is how many commits of others find looks through.
const maxMarks = 100

// find goes back through the commits after revision before, newest first, to the one with
// this mark. It returns its revision, or 0 and whether it is certain that there is none.
func (s *Store) find(ctx context.Context, mark string, before int64) (revision uint64, certain bool) {
	var at int64 // 0 is now
	for range maxMarks {
		resp, err := s.read(ctx, clientv3.OpGet(s.keys.commit, clientv3.WithRev(at)))
		if err != nil {
			return 0, false
		}
		kvs := resp.Responses[0].GetResponseRange().Kvs
		switch {
		case len(kvs) == 0 || kvs[0].ModRevision <= before:
			return 0, true
		case string(kvs[0].Value) == mark:
			return uint64(kvs[0].ModRevision), true
		}
		at = kvs[0].ModRevision - 1
	}
	return 0, false
}

// grant takes a lease for each expiry among parts, by the second.
func (s *Store) grant(ctx context.Context, parts []*part, leases *[]clientv3.LeaseID) error {
	now := s.now()
	byTTL := make(map[int64]clientv3.LeaseID)
	for _, p := range parts {
		if p.op != store.Put || p.record.Expires.IsZero() {
			continue
		}
		ttl := seconds(p.record.Expires.Sub(now) + s.grace)
		lease, ok := byTTL[ttl]
		if !ok {
			// A grant that is sent twice leaves a lease behind, which ends by itself.
			err := s.call(ctx, true, func(ctx context.Context) error {
				resp, err := s.client.Grant(ctx, ttl)
				if err == nil {
					lease = resp.ID
				}
				return err
			})
			if err != nil {
				return err
			}
			byTTL[ttl] = lease
			*leases = append(*leases, lease)
		}
		p.lease = lease
	}
	return nil
}

// revoke gives back leases that nothing hangs on. One that stays ends by itself.
func (s *Store) revoke(ctx context.Context, leases []clientv3.LeaseID) {
	for _, id := range leases {
		err := s.call(context.WithoutCancel(ctx), false, func(ctx context.Context) error {
			_, err := s.client.Revoke(ctx, id)
			return err
		})
		if err != nil {
			return
		}
	}
}
