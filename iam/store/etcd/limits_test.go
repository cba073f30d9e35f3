package etcd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	server "github.com/objsrv/objsrv/test/etcd"
)

func many(n, size int) []store.Change {
	changes := make([]store.Change, n)
	for i := range changes {
		changes[i] = put(fmt.Sprintf("%05d", i), strings.Repeat("x", size), 0)
	}
	return changes
}

// TestTransactionLimits commits what fits into one transaction, and what does not: that
// is refused, says why, and leaves nothing.
func TestTransactionLimits(t *testing.T) {
	c := server.Start(t, server.Options{})
	s := openStore(t, Options{Endpoints: c.Endpoints(), Prefix: "usual"})
	for _, tt := range []struct {
		n, size int
		want    string // "" when it fits
	}{
		{127, 1, ""},
		{128, 1, "--max-txn-ops"},
		{5000, 1, "--max-txn-ops"},
		{2, store.MaxValue, "--max-request-bytes"},
		{3, store.MaxValue, "--max-request-bytes"}, // beyond what gRPC lets pass
		{70, store.MaxValue, "--max-request-bytes"},
	} {
		_, err := s.Commit(t.Context(), many(tt.n, tt.size)...)
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%d records of %d bytes: %v, want %q", tt.n, tt.size, err, tt.want)
		}
		l, err := s.List(t.Context(), "")
		if err != nil || tt.want != "" && len(l.Records) != 0 {
			t.Fatalf("%d records of %d bytes: %d are there, %v", tt.n, tt.size, len(l.Records), err)
		}
		for i := range l.Records {
			commit(t, s, store.Change{Op: store.Delete, Kind: "user", Name: l.Records[i].Name, Revision: l.Records[i].Revision})
		}
	}
	large := server.Start(t, server.Options{Args: []string{"--max-txn-ops", "2000", "--max-request-bytes", "8000000"}})
	s = openStore(t, Options{Endpoints: large.Endpoints()})
	rev := commit(t, s, many(1999, 1)...)
	changes := many(1999, 2)
	for i := range changes {
		changes[i].Revision = rev
	}
	commit(t, s, changes...)
	changes = many(6, store.MaxValue)
	for i := range changes {
		changes[i].Revision = store.Any
	}
	commit(t, s, changes...)
}

// TestPages lists more than one page, of small and of large records.
func TestPages(t *testing.T) {
	c := server.Start(t, server.Options{})
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	want := map[string]int{}
	add := func(changes ...store.Change) {
		commit(t, s, changes...)
		for _, c := range changes {
			want[c.Name] = len(c.Value)
		}
	}
	for i := range 10 {
		changes := many(100, 10)
		for j := range changes {
			changes[j].Name = fmt.Sprintf("%03d-%d", j, i)
		}
		add(changes...)
	}
	for i := range 12 {
		add(put(fmt.Sprintf("1-large-%02d", i), strings.Repeat("x", store.MaxValue), 0))
	}
	add(store.Change{Kind: "userz", Name: "z"}, store.Change{Kind: "use", Name: "u"}, store.Change{Kind: "user0", Name: "0"})
	l, err := s.List(t.Context(), "")
	if err != nil || len(l.Records) != len(want) {
		t.Fatalf("%d records, %v, want %d", len(l.Records), err, len(want))
	}
	for i, r := range l.Records {
		if n, ok := want[r.Name]; !ok || n != len(r.Value) {
			t.Errorf("record %q of %d bytes", r.Name, len(r.Value))
		}
		if i > 0 && l.Records[i-1].Kind+"\x00"+l.Records[i-1].Name >= r.Kind+"\x00"+r.Name {
			t.Errorf("%s/%q after %s/%q", r.Kind, r.Name, l.Records[i-1].Kind, l.Records[i-1].Name)
		}
	}
	if l, err := s.List(t.Context(), "user"); err != nil || len(l.Records) != len(want)-3 {
		t.Errorf("%d users, %v", len(l.Records), err)
	}
}

// TestFull fills etcd up: commits are refused with nothing of them written, reads go on,
// and so do commits when there is room again.
func TestFull(t *testing.T) {
	c := server.Start(t, server.Options{Args: []string{"--quota-backend-bytes", fmt.Sprint(4 << 20)}})
	raw := rawClient(t, c, "", "")
	s := openStore(t, Options{Endpoints: c.Endpoints()})
	n := 0
	for ; ; n++ {
		big := put(fmt.Sprint(n), strings.Repeat("x", 256<<10), 0)
		small := put(fmt.Sprint("small-", n), "x", 0)
		_, err := s.Commit(t.Context(), small, big)
		if err == nil && n < 1000 {
			continue
		}
		if !errors.Is(err, store.ErrFull) {
			t.Fatalf("commit %d: %v", n, err)
		}
		break
	}
	l, err := s.List(t.Context(), "")
	if err != nil || len(l.Records) != 2*n {
		t.Errorf("%d records after %d commits, %v", len(l.Records), n, err)
	}
	if _, err := s.Commit(t.Context(), put("tiny", "", store.Any)); !errors.Is(err, store.ErrFull) {
		t.Errorf("with the alarm on: %v", err)
	}
	for i := range n {
		if _, err := raw.Delete(t.Context(), s.keys.record("user", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	now, err := raw.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Compact(t.Context(), now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Defragment(t.Context(), c.Members[0].Endpoint); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.AlarmDisarm(t.Context(), &clientv3.AlarmMember{}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, put("tiny", "", 0))
}
