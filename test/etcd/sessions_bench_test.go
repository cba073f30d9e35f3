package etcd_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	server "github.com/objsrv/objsrv/test/etcd"
)

// BenchmarkSessions has three gateways issue sessions together, on one etcd of one or three members; an operation is a
// session. Each gateway has a user of its own and 16 requests in flight.
func BenchmarkSessions(b *testing.B) {
	for _, members := range []int{1, 3} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			c := server.Start(b, server.Options{Members: members})
			const gateways = 3
			var services [gateways]*iam.Service
			var by [gateways]*iam.Identity
			for i := range services {
				services[i] = shared(b, c, time.Hour)
				_, key, err := services[i].CreateUser(b.Context(), iam.NewUser{Name: fmt.Sprintf("user-%d", i), Policies: []string{"readwrite"}})
				if err != nil {
					b.Fatal(err)
				}
				cred, err := services[i].Credential(key.AccessKey, "")
				if err != nil {
					b.Fatal(err)
				}
				by[i] = cred.Identity
			}
			b.ResetTimer()
			var n atomic.Int64
			var wg sync.WaitGroup
			for i := range 16 * gateways {
				wg.Go(func() {
					for n.Add(1) <= int64(b.N) {
						if _, _, err := services[i%gateways].CreateSession(b.Context(), iam.NewSession{By: by[i%gateways], Duration: time.Hour}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
		})
	}
}
