//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// deliveryTime is how long an event may take once its target is up again: the sender waits up to 30 s between attempts.
const deliveryTime = 50 * time.Second

// told is an event as a target is told of it.
type told struct{ name, bucket, key string }

// sink is a target of events: a webhook that can be down. Its port stays taken; while it is down, connections end
// without an answer.
type sink struct {
	listener net.Listener
	server   http.Server

	mu   sync.Mutex
	down bool
	got  map[told]int
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: l, down: true, got: map[told]int{}}
	s.server.Handler = s
	go s.server.Serve(l)
	return s, nil
}

// settings are the server's environment for the target harness.NotifyTarget.
func (s *sink) settings() []string {
	return []string{"OBJSRV_NOTIFY_ALLOW=127.0.0.0/8", "OBJSRV_NOTIFY_WEBHOOK_ENABLE_" + harness.NotifyTarget + "=on",
		"OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_" + harness.NotifyTarget + "=http://" + s.listener.Addr().String() + "/"}
}

func (s *sink) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		EventName string
		Records   []struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key string }
			}
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || err != nil {
		panic(http.ErrAbortHandler) // the connection ends
	}
	for _, rec := range body.Records {
		if key, err := url.QueryUnescape(rec.S3.Object.Key); err == nil {
			s.got[told{body.EventName, rec.S3.Bucket.Name, key}]++
		}
	}
}

// await returns when the target has been told of all of list.
func (s *sink) await(list ...told) error {
	s.setDown(false)
	defer s.setDown(true)
	var missing []told
	err := harness.Await(deliveryTime, "all events delivered", func() (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		missing = nil
		for _, t := range list {
			if s.got[t] == 0 {
				missing = append(missing, t)
			}
		}
		return len(missing) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w; %d of %d are missing, the first is %v", err, len(missing), len(list), missing[0])
	}
	return nil
}

// Events of the operations.
const (
	eventPut    = "s3:ObjectCreated:Put"
	eventDelete = "s3:ObjectRemoved:Delete"
)

// eventOperations have rules that send events to a target that is down from before the operation until after the cut:
// it must be told at least once of what was acknowledged.
func eventOperations(s *sink) []operation {
	rules := func(ctx context.Context, r *run) error {
		s.setDown(true)
		r.bucket = "powercut-events"
		if err := r.MakeBucket(ctx, r.bucket, minio.MakeBucketOptions{}); err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
			return err
		}
		queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", harness.NotifyTarget, "webhook"))
		queue.AddEvents(notification.ObjectCreatedAll, notification.ObjectRemovedAll)
		var c notification.Configuration
		c.AddQueue(queue)
		return r.SetBucketNotification(ctx, r.bucket, c)
	}
	const many = 24
	name := func(r *run, i int) string { return fmt.Sprintf("%s-%d", r.key, i) }
	return []operation{
		{name: "event-put", setup: rules,
			do: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(1<<10, 1)) },
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.holds(ctx, r.key, body(1<<10, 1)), s.await(told{eventPut, r.bucket, r.key}))
			}},
		{name: "event-delete",
			setup: func(ctx context.Context, r *run) error {
				return errors.Join(rules(ctx, r), r.put(ctx, r.key, body(1<<10, 1)))
			},
			do: func(ctx context.Context, r *run) error {
				return r.RemoveObject(ctx, r.bucket, r.key, minio.RemoveObjectOptions{})
			},
			check: func(ctx context.Context, r *run) error {
				return s.await(told{eventPut, r.bucket, r.key}, told{eventDelete, r.bucket, r.key})
			}},
		{name: "event-many", setup: rules, // at the same time, so that their notes share syncs
			do: func(ctx context.Context, r *run) error {
				var wg sync.WaitGroup
				errs := make([]error, many)
				for i := range many {
					wg.Go(func() {
						if errs[i] = r.put(ctx, name(r, i), body(100+i*5000, 1)); errs[i] == nil && i%2 == 0 {
							errs[i] = r.RemoveObject(ctx, r.bucket, name(r, i), minio.RemoveObjectOptions{})
						}
					})
				}
				wg.Wait()
				return errors.Join(errs...)
			},
			check: func(ctx context.Context, r *run) error {
				var list []told
				for i := range many {
					list = append(list, told{eventPut, r.bucket, name(r, i)})
					if i%2 == 0 {
						list = append(list, told{eventDelete, r.bucket, name(r, i)})
					}
				}
				return s.await(list...)
			}},
	}
}
