package etcd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

// part is what a commit demands of one record and does to it.
type part struct {
	key    string
	demand uint64   // store.Any, or the revision of the record before
	op     store.Op // Check when it is only looked at
	record store.Record
	// found is the revision of the key in etcd that goes with demand: they differ where an
	// expired record is still there.
	found int64
	lease *lease // nil for a record that lasts
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
	return s.write(ctx, parts)
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
			if r.Expires.IsZero() {
				s.lasting.note(p.key, kv.ModRevision)
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

// write applies parts.
func (s *Store) write(ctx context.Context, parts []*part) (uint64, error) {
	// That a record must not exist is usually so, and one without expiry can be compared in the transaction: then nothing
	// need be read first.
	look := false
	for _, p := range parts {
		switch {
		case p.demand == store.Any || p.demand == 0:
		case s.lasting.at(p.key, int64(p.demand)):
			p.found = int64(p.demand)
		default:
			look = true
		}
	}
	leased := false
	for first := true; ; first, look = false, true {
		if look {
			if _, err := s.check(ctx, parts); err != nil {
				return 0, err
			}
		}
		if !leased {
			if err := s.grant(ctx, parts); err != nil {
				return 0, err
			}
			leased = true
		}
		revision, done, err := s.transact(ctx, parts)
		if first && err != nil && s.renew(parts, err) {
			leased = false
			continue
		}
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
			var id clientv3.LeaseID
			if p.lease != nil {
				id = p.lease.id
			}
			ops = append(ops, clientv3.OpPut(p.key, string(record.Encode(&p.record)), clientv3.WithLease(id)))
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
