package etcd_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	store "github.com/objsrv/objsrv/iam/store/etcd"
	server "github.com/objsrv/objsrv/test/etcd"
)

// shared is the identity service of one of several gateways.
func shared(t testing.TB, c *server.Cluster, trust time.Duration) *iam.Service {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Endpoints: c.Endpoints(), Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s, err := iam.Open(st, iam.Options{RootUser: "root-access", RootPassword: "root-secret", Trust: trust, Report: func(err error) { t.Logf("report: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), st.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestIssuedHereUsedThere issues sessions at one of two gateways and uses each at the other at once,
// without waiting for anything: none is refused.
func TestIssuedHereUsedThere(t *testing.T) {
	c := server.Start(t, server.Options{})
	gateways := []*iam.Service{shared(t, c, time.Hour), shared(t, c, time.Hour)}
	_, key, err := gateways[0].CreateUser(t.Context(), iam.NewUser{Name: "alice", Policies: []string{"readwrite"}})
	if err != nil {
		t.Fatal(err)
	}
	var by [2]*iam.Identity
	for i, s := range gateways {
		await(t, "the user is known", func() error {
			cred, err := s.Credential(key.AccessKey, "")
			by[i] = cred.Identity
			return err
		})
	}
	total := int64(10_000)
	if testing.Short() {
		total = 500
	}
	var n, refused atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range 16 {
		wg.Go(func() {
			for i := n.Add(1); i <= total; i = n.Add(1) {
				here := i % 2
				_, cred, err := gateways[here].CreateSession(t.Context(), iam.NewSession{By: by[here], Duration: time.Hour})
				if err != nil {
					t.Errorf("session %d: %v", i, err)
					return
				}
				if got, err := gateways[1-here].Credential(cred.AccessKey, cred.SessionToken); err != nil || got.Secret != cred.Secret {
					refused.Add(1)
					t.Errorf("session %d is refused by the other gateway: %v", i, err)
				}
				if _, err := gateways[1-here].Credential(cred.AccessKey, cred.SessionToken+"x"); !errors.Is(err, iam.ErrInvalidToken) {
					t.Errorf("session %d with another token: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d sessions issued at one and used at the other in %v, %d refused", total, time.Since(began).Round(time.Millisecond), refused.Load())
}

// TestRevokedThere revokes at one gateway what the other has never seen: it is refused, and goes on
// being so.
func TestRevokedThere(t *testing.T) {
	c := server.Start(t, server.Options{})
	a, b := shared(t, c, time.Hour), shared(t, c, time.Hour)
	root, err := a.Credential("root-access", "")
	if err != nil {
		t.Fatal(err)
	}
	_, cred, err := a.CreateSession(t.Context(), iam.NewSession{By: root.Identity, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.RevokeSession(t.Context(), cred.AccessKey); err != nil {
		t.Fatal(err)
	}
	await(t, "the session is refused", func() error {
		if _, err := b.Credential(cred.AccessKey, cred.SessionToken); !errors.Is(err, iam.ErrInvalidToken) {
			return errors.Join(errors.New("not refused"), err)
		}
		return nil
	})
	if _, err := b.Credential(cred.AccessKey, cred.SessionToken); !errors.Is(err, iam.ErrInvalidToken) {
		t.Errorf("asked again: %v", err)
	}
}

// TestQuorumLost kills two of three members: who has a session goes on for as long as memory counts,
// nobody gets a new one, and when the members are back everything works again.
func TestQuorumLost(t *testing.T) {
	c := server.Start(t, server.Options{Members: 3})
	const trust = 5 * time.Second
	s := shared(t, c, trust)
	root, err := s.Credential("root-access", "")
	if err != nil {
		t.Fatal(err)
	}
	session := func() (iam.Credential, error) {
		_, cred, err := s.CreateSession(t.Context(), iam.NewSession{By: root.Identity, Duration: time.Hour})
		return cred, err
	}
	cred, err := session()
	if err != nil {
		t.Fatal(err)
	}
	c.Members[0].Kill()
	await(t, "sessions are issued with one member gone", func() error { _, err := session(); return err })
	lost := time.Now()
	c.Members[1].Kill()
	if _, err := session(); !errors.Is(err, iam.ErrUnavailable) {
		t.Errorf("a session without a quorum: %v", err)
	}
	for {
		_, err := s.Credential(cred.AccessKey, cred.SessionToken)
		if errors.Is(err, iam.ErrUnavailable) {
			break
		}
		if err != nil {
			t.Fatalf("the session after %v: %v", time.Since(lost), err)
		}
		if time.Since(lost) > trust+30*time.Second {
			t.Fatalf("memory still counts after %v", time.Since(lost))
		}
		time.Sleep(10 * time.Millisecond)
	}
	if d := time.Since(lost); d < trust/2 {
		t.Errorf("the session was refused %v after the quorum was lost", d)
	}
	if s.Fresh() == nil {
		t.Error("probes are told that all is well")
	}
	if _, err := s.Credential("root-access", ""); err != nil {
		t.Errorf("root, who is not in the store: %v", err)
	}
	c.Members[0].Restart()
	await(t, "the session is good again", func() error { _, err := s.Credential(cred.AccessKey, cred.SessionToken); return err })
	await(t, "sessions are issued again", func() error { _, err := session(); return err })
}
