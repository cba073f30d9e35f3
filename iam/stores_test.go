package iam

import (
	"fmt"
	"testing"

	"github.com/objsrv/objsrv/iam/store/etcd"
	server "github.com/objsrv/objsrv/test/etcd"
)

// opener opens a service on a store of its own.
type opener func(testing.TB) *Service

// eachStore runs a test with services in memory, and with services on a real etcd where there is one.
func eachStore(t *testing.T, test func(*testing.T, opener)) {
	t.Helper()
	t.Run("mem", func(t *testing.T) { test(t, open) })
	t.Run("etcd", func(t *testing.T) {
		c, n := server.Start(t, server.Options{}), 0
		test(t, func(t testing.TB) *Service {
			t.Helper()
			n++
			st, err := etcd.Open(t.Context(), etcd.Options{Endpoints: c.Endpoints(), Prefix: fmt.Sprint("test", n)})
			if err != nil {
				t.Fatal(err)
			}
			return openOn(t, st)
		})
	})
}
