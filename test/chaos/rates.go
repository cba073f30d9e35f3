package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/objsrv/objsrv/test/internal/harness"
)

const (
	// askers ask for sessions at once, in turn at each gateway, and committers write to etcd.
	askers, committers = 48, 48
	// wanted is how many sessions a second are enough, where etcd can do it.
	wanted = 1000
	// recordSize is about that of a session's record.
	recordSize = 700
)

// rates measures how many sessions the gateways issue a second, and how many transactions of one such record etcd
// commits when it is asked directly.
func (t *test) rates(ctx context.Context, report *harness.Report) {
	sessions, failed := t.sessionRate(ctx)
	commits, err := t.commitRate(ctx)
	if err != nil {
		report.Check("etcd's own rate", err)
		return
	}
	name := fmt.Sprintf("%d gateways issue %.0f sessions a second; etcd commits %.0f transactions of such a record", len(t.gateways), sessions, commits)
	load, strained := busy()
	switch {
	case failed > 0:
		report.Check(name, fmt.Errorf("%d failed", failed))
	case sessions >= wanted || sessions >= commits:
		report.Check(name, nil)
	case strained:
		report.Skip(name, fmt.Sprintf("says nothing on a machine with a load of %.1f from others", load))
	default:
		report.Check(name, fmt.Errorf("fewer than %d, and than etcd commits", wanted))
	}
}

// during runs f in n goroutines for some time and returns how often it succeeded a second, and failed.
func during(d time.Duration, n int, f func(worker int) error) (rate float64, failed int64) {
	var done, bad atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for w := range n {
		wg.Go(func() {
			for time.Since(began) < d {
				if f(w) != nil {
					bad.Add(1)
				} else {
					done.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), bad.Load()
}

func (t *test) sessionRate(ctx context.Context) (rate float64, failed int64) {
	c := &http.Client{Timeout: requestTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer c.CloseIdleConnections()
	return during(t.rate, askers, func(w int) error {
		s, err := t.assume(ctx, c, t.gateways[w%len(t.gateways)])
		if err == nil && s.Token == "" {
			err = errors.New("no token")
		}
		return err
	})
}

func (t *test) commitRate(ctx context.Context) (float64, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: t.etcd, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	lease, err := c.Grant(ctx, 600)
	if err != nil {
		return 0, err
	}
	value, n := strings.Repeat("x", recordSize), atomic.Int64{}
	rate, failed := during(t.rate, committers, func(int) error {
		_, err := c.Txn(ctx).Then(clientv3.OpPut(fmt.Sprint("chaos/rate/", n.Add(1)), value, clientv3.WithLease(lease.ID))).Commit()
		return err
	})
	if failed > 0 {
		return 0, fmt.Errorf("%d transactions failed", failed)
	}
	return rate, nil
}
