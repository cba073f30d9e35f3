package etcd_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	store "github.com/objsrv/objsrv/iam/store/etcd"
	server "github.com/objsrv/objsrv/test/etcd"
)

// service is the identity service of one of several servers.
func service(t *testing.T, c *server.Cluster) *iam.Service {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Endpoints: c.Endpoints(), Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s, err := iam.Open(st, iam.Options{
		RootUser: "root-access", RootPassword: "root-secret", Report: func(err error) { t.Logf("report: %v", err) },
	})
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

// await repeats f until it succeeds.
func await(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// TestServers has two servers share their identities: what one changes is in force at the
// other, also when etcd was away between.
func TestServers(t *testing.T) {
	c := server.Start(t, server.Options{})
	a, b := service(t, c), service(t, c)
	if a.Account() != b.Account() {
		t.Fatalf("accounts %s and %s", a.Account(), b.Account())
	}
	for round := range 2 {
		name := fmt.Sprint("alice-", round)
		_, cred, err := a.CreateUser(t.Context(), iam.NewUser{Name: name, Policies: []string{"readwrite"}})
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the key is good at the other server", func() error {
			got, err := b.Credential(cred.AccessKey, "")
			if err == nil && got.Secret != cred.Secret {
				t.Fatal("another secret")
			}
			return err
		})
		id, err := b.Credential(cred.AccessKey, "")
		if err != nil {
			t.Fatal(err)
		}
		_, session, err := b.CreateSession(t.Context(), iam.NewSession{By: id.Identity, Duration: time.Hour, Name: "s"})
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the session is good at the first", func() error {
			_, err := a.Credential(session.AccessKey, session.SessionToken)
			return err
		})
		if _, err := b.SetStatus(t.Context(), name, false); err != nil {
			t.Fatal(err)
		}
		await(t, "who is disabled is refused everywhere", func() error {
			if _, err := a.Credential(session.AccessKey, session.SessionToken); err == nil {
				return errors.New("the session is good")
			}
			if _, err := a.Credential(cred.AccessKey, ""); err == nil {
				return errors.New("the key is good")
			}
			return nil
		})
		if err := a.DeleteUser(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		await(t, "the user is gone", func() error {
			if _, err := b.User(name); !errors.Is(err, iam.ErrNoSuchUser) {
				return fmt.Errorf("user: %v", err)
			}
			return nil
		})
		c.Members[0].Kill()
		c.Members[0].Restart()
		await(t, "etcd is back", func() error {
			_, err := b.SetPolicy(t.Context(), "p", []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`))
			return err
		})
	}
}

// TestServersTogether has both servers create users at once, some of the same name: each
// name is given once, and both have all.
func TestServersTogether(t *testing.T) {
	c := server.Start(t, server.Options{})
	servers := []*iam.Service{service(t, c), service(t, c)}
	const users, writers = 40, 8
	var mu sync.Mutex
	made := map[string]int{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range users {
				name := fmt.Sprint("user-", i)
				_, _, err := servers[w%2].CreateUser(t.Context(), iam.NewUser{Name: name})
				switch {
				case err == nil:
					mu.Lock()
					made[name]++
					mu.Unlock()
				case !errors.Is(err, iam.ErrExists):
					t.Errorf("create %s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	for name, n := range made {
		if n != 1 {
			t.Errorf("%s was created %d times", name, n)
		}
	}
	for _, s := range servers {
		await(t, "all users", func() error {
			if n := len(s.Users()); n != users {
				return fmt.Errorf("%d users", n)
			}
			return nil
		})
	}
}
