package etcd

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/storetest"
	server "github.com/objsrv/objsrv/test/etcd"
)

// TestStore runs the suite, each test under a prefix of its own.
func TestStore(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	var n atomic.Int64
	storetest.Run(t, func(t *testing.T) storetest.Factory {
		o := Options{Endpoints: c.Endpoints(), Prefix: fmt.Sprint("suite", n.Add(1))}
		// Leases of this test must not move the revisions of the next.
		t.Cleanup(func() { erase(t, raw, o.Prefix) })
		return storetest.Factory{Persistent: true, Shared: true, Open: func(t *testing.T) store.Store { return openStore(t, o) }}
	})
}

func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// rawClient is etcd's own client, for what happens behind the store's back.
func rawClient(t testing.TB, c *server.Cluster, user, password string) *clientv3.Client {
	t.Helper()
	raw, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints(), Username: user, Password: password, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

func erase(t testing.TB, raw *clientv3.Client, prefix string) {
	t.Helper()
	if _, err := raw.Delete(raw.Ctx(), prefix+"//", clientv3.WithPrefix()); err != nil {
		t.Error(err)
	}
}

func put(name, value string, rev uint64) store.Change {
	return store.Change{Kind: "user", Name: name, Value: []byte(value), Revision: rev}
}

func commit(t testing.TB, s store.Store, changes ...store.Change) uint64 {
	t.Helper()
	rev, err := s.Commit(t.Context(), changes...)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// eventually repeats f until it succeeds.
func eventually(t testing.TB, f func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func BenchmarkCommit(b *testing.B) {
	s := openStore(b, Options{Endpoints: server.Start(b, server.Options{}).Endpoints()})
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Commit(b.Context(), put(fmt.Sprint(n.Add(1)), "value", 0)); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkList lists 100 000 records of 200 bytes.
func BenchmarkList(b *testing.B) {
	s := openStore(b, Options{Endpoints: server.Start(b, server.Options{Args: []string{"--max-txn-ops", "2000"}}).Endpoints()})
	for i := range 100 {
		changes := many(1000, 200)
		for j := range changes {
			changes[j].Name += fmt.Sprint("-", i)
		}
		commit(b, s, changes...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, err := s.List(b.Context(), ""); err != nil || len(l.Records) != 100_000 {
			b.Fatal(len(l.Records), err)
		}
	}
}
