package etcd

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	server "github.com/objsrv/objsrv/test/etcd"
)

// rawValue returns what etcd holds for a user, and its lease.
func rawValue(t *testing.T, raw *clientv3.Client, s *Store, name string) (value []byte, lease clientv3.LeaseID, ok bool) {
	t.Helper()
	resp, err := raw.Get(t.Context(), s.keys.record("user", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range resp.Kvs {
		return kv.Value, clientv3.LeaseID(kv.Lease), true
	}
	return nil, 0, false
}

func rawPut(t *testing.T, raw *clientv3.Client, key string, value []byte) {
	t.Helper()
	if _, err := raw.Put(t.Context(), key, string(value)); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedRecord damages values behind the store's back: reads, lists and checked
// commits fail, overwriting without a check heals, and a watcher is sent to list again.
func TestDamagedRecord(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	for i := range 3 {
		commit(t, s, put(fmt.Sprint("user-", i), fmt.Sprint("value-", i), 0))
	}
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	third, _, _ := rawValue(t, raw, s, "user-2")
	rawPut(t, raw, s.keys.record("user", "user-0"), []byte("garbage"))
	rawPut(t, raw, s.keys.record("user", "user-1"), third) // sound, under a foreign key
	rawPut(t, raw, s.keys.root+"record/no-kind", third)
	rawPut(t, raw, s.keys.root+"elsewhere", third) // no record, nobody's business
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrLagged) {
		t.Errorf("next: %v", err)
	}
	for _, name := range []string{"user-0", "user-1"} {
		if _, err := s.Get(t.Context(), "user", name); !errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
			t.Errorf("get %s: %v", name, err)
		}
		for _, op := range []store.Op{store.Put, store.Delete, store.Check} {
			for _, rev := range []uint64{0, 1} {
				if _, err := s.Commit(t.Context(), store.Change{Op: op, Kind: "user", Name: name, Revision: rev}); !errors.Is(err, store.ErrDamaged) {
					t.Errorf("operation %d on %s at %d: %v", op, name, rev, err)
				}
			}
		}
	}
	l, err := s.List(t.Context(), "")
	damaged, partial := store.Damage(err)
	if !partial || len(damaged) != 3 || len(l.Records) != 1 || damaged[0].Kind != "no-kind" || damaged[2].ClaimedName != "user-2" {
		t.Fatalf("list %+v, %v", l, err)
	}
	if _, err := raw.Delete(t.Context(), s.keys.root+"record/no-kind"); err != nil {
		t.Fatal(err)
	}
	commit(t, s, put("user-0", "healed", store.Any), store.Change{Op: store.Delete, Kind: "user", Name: "user-1", Revision: store.Any})
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 2 {
		t.Errorf("after healing: %+v, %v", l, err)
	}
}

// TestFlippedByte flips every byte of a record, and cuts it at every length.
func TestFlippedByte(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	commit(t, s, put("a", "value", 0))
	sound, _, _ := rawValue(t, raw, s, "a")
	for i := range sound {
		flipped := bytes.Clone(sound)
		flipped[i] ^= 0x10
		for _, v := range [][]byte{flipped, sound[:i]} {
			rawPut(t, raw, s.keys.record("user", "a"), v)
			if r, err := s.Get(t.Context(), "user", "a"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("byte %d: %+v, %v", i, r, err)
			}
		}
	}
}

// TestFormat has a store of another program under the prefix.
func TestFormat(t *testing.T) {
	c := server.Start(t, server.Options{})
	rawPut(t, rawClient(t, c, "", ""), "objsrv//commit", []byte("objsrv iam 2"))
	if s, err := Open(t.Context(), Options{Endpoints: c.Endpoints()}); err == nil {
		s.Close()
		t.Error("it opens")
	} else if !errors.Is(err, store.ErrDamaged) {
		t.Error(err)
	}
}

// TestExpiredBeforeEtcdDrops has records that etcd still holds when they have expired.
func TestExpiredBeforeEtcdDrops(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	start := time.Now()
	now := start
	s.now = func() time.Time { return now }
	brief, long := put("brief", "1", 0), put("long", "1", 0)
	brief.Expires, long.Expires = start.Add(time.Minute), start.Add(time.Hour)
	other := long
	other.Name = "other"
	rev := commit(t, s, brief, long, other, put("lasting", "1", 0))
	leases := map[clientv3.LeaseID]bool{}
	for _, c := range []store.Change{brief, long, other} {
		_, id, _ := rawValue(t, raw, s, c.Name)
		leases[id] = true
		ttl, err := raw.TimeToLive(t.Context(), id)
		want := int64(c.Expires.Sub(start)/time.Second) + int64(s.grace/time.Second)
		if err != nil || ttl.GrantedTTL < want || ttl.GrantedTTL > want+1+int64(leaseSpan/time.Second) {
			t.Errorf("%s has a lease of %+v, %v, want %d s", c.Name, ttl, err, want)
		}
	}
	if len(leases) != 2 || leases[0] {
		t.Errorf("leases %v, want one for each expiry", leases)
	}
	if _, id, _ := rawValue(t, raw, s, "lasting"); id != 0 {
		t.Errorf("a record without expiry has the lease %d", id)
	}

	now = brief.Expires.Add(-1)
	if r, err := s.Get(t.Context(), "user", "brief"); err != nil || !r.Expires.Equal(brief.Expires) {
		t.Errorf("get %+v, %v", r, err)
	}
	now = brief.Expires
	if _, _, ok := rawValue(t, raw, s, "brief"); !ok {
		t.Fatal("etcd has dropped the record already")
	}
	if _, err := s.Get(t.Context(), "user", "brief"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if l, err := s.List(t.Context(), "user"); err != nil || len(l.Records) != 3 {
		t.Errorf("list %+v, %v", l, err)
	}
	for _, op := range []store.Op{store.Put, store.Delete, store.Check} {
		if _, err := s.Commit(t.Context(), store.Change{Op: op, Kind: "user", Name: "brief", Revision: rev}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("operation %d at the old revision: %v", op, err)
		}
	}
	if _, err := s.Commit(t.Context(), store.Change{Op: store.Check, Kind: "user", Name: "brief"}); err != nil {
		t.Errorf("check that it is absent: %v", err)
	}
	commit(t, s, put("brief", "2", 0)) // without expiry: the old lease must not take it along
	if _, id, _ := rawValue(t, raw, s, "brief"); id != 0 {
		t.Errorf("the lease stays: %d", id)
	}
}

// TestLeaseEnds waits for etcd to drop what has expired, and for the event of that.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	s.grace, s.leases.span = 0, time.Second
	w, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	brief := put("brief", "1", 0)
	brief.Expires = time.Now().Add(100 * time.Millisecond)
	commit(t, s, brief)
	for _, deleted := range []bool{false, true} {
		ev, err := w.Next(t.Context())
		if err != nil || len(ev.Records) != 1 || ev.Records[0].Deleted != deleted || ev.Records[0].Name != "brief" {
			t.Fatalf("event %+v, %v", ev, err)
		}
	}
	if _, _, ok := rawValue(t, raw, s, "brief"); ok {
		t.Error("etcd still has the record")
	}
}

// TestLeaseOfRefused refuses a commit that has taken a lease: the next one takes it.
func TestLeaseOfRefused(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	commit(t, s, put("a", "1", 0))
	session := put("b", "1", 0)
	session.Expires = time.Now().Add(time.Hour)
	if _, err := s.Commit(t.Context(), session, put("a", "2", 0)); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	commit(t, s, session)
	if l, err := raw.Leases(t.Context()); err != nil || len(l.Leases) != 1 {
		t.Errorf("leases %+v, %v", l, err)
	}
}

// TestLeasesShared has records hang on few leases: not too many on one, on none that was granted long ago, and on a new
// one where etcd has lost it.
func TestLeasesShared(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	now := time.Now()
	s.now = func() time.Time { return now }
	expires := now.Add(time.Hour).Truncate(leaseSpan)
	add := func(name string, after time.Duration) clientv3.LeaseID {
		t.Helper()
		r := put(name, "1", 0)
		r.Expires = expires.Add(after)
		commit(t, s, r)
		_, id, _ := rawValue(t, raw, s, name)
		return id
	}
	first := add("a", 0)
	if id := add("b", leaseSpan-time.Second); id != first {
		t.Errorf("two leases within a span: %d, %d", first, id)
	}
	if id := add("c", leaseSpan); id == first {
		t.Error("a record of the next span hangs on the lease")
	}
	for i := range leaseRecords - 2 {
		add(fmt.Sprintf("full-%d", i), 0)
	}
	second := add("more", 0)
	if second == first {
		t.Error("too many records hang on a lease")
	}
	if _, err := raw.Revoke(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	third := add("lost", 0)
	if third == second || third == 0 {
		t.Errorf("a record hangs on the lease %d, which etcd has lost", third)
	}
	now = now.Add(leaseReuse)
	if id := add("late", 0); id == third {
		t.Error("a record hangs on a lease of long ago")
	}
}

// TestNoReadBefore checks records at their revisions in the transaction alone, and finds out all the same when they have
// changed.
func TestNoReadBefore(t *testing.T) {
	c := server.Start(t, server.Options{})
	s, other := openStore(t, Options{Endpoints: c.Endpoints()}), openStore(t, Options{Endpoints: c.Endpoints()})
	rev := commit(t, s, put("user", "1", 0))
	check := store.Change{Op: store.Check, Kind: "user", Name: "user", Revision: rev}
	for i := range 3 {
		commit(t, s, check, put(fmt.Sprintf("session-%d", i), "1", 0))
	}
	if !s.lasting.at(s.keys.record("user", "user"), int64(rev)) {
		t.Error("that the record lasts is not remembered")
	}
	commit(t, other, put("user", "2", rev))
	if _, err := s.Commit(t.Context(), check, put("session-x", "1", 0)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("at the old revision: %v", err)
	}
	if _, err := s.Get(t.Context(), "user", "session-x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was refused is there: %v", err)
	}
}
