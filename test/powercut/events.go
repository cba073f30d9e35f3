//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// eventExpire is what a target is told of a deletion by a rule.
const eventExpire = "s3:LifecycleExpiration:Delete"

// notify has the bucket send events to the target.
func (r *run) notify(ctx context.Context, events ...notification.EventType) error {
	queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", "CUT", "webhook"))
	queue.AddEvents(events...)
	var c notification.Configuration
	c.AddQueue(queue)
	return r.SetBucketNotification(ctx, r.bucket, c)
}

// eventOperations have rules that send events to a target that is down from before the operation until after the cut:
// it must be told at least once of what was acknowledged.
func eventOperations(s *harness.Sink) []operation {
	rules := func(ctx context.Context, r *run) error {
		s.SetDown(true)
		r.bucket = "powercut-events"
		if err := r.MakeBucket(ctx, r.bucket, minio.MakeBucketOptions{}); err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
			return err
		}
		return r.notify(ctx, notification.ObjectCreatedAll, notification.ObjectRemovedAll)
	}
	const many = 24
	name := func(r *run, i int) string { return fmt.Sprintf("%s-%d", r.key, i) }
	return []operation{
		{name: "event-put", setup: rules,
			do: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(1<<10, 1)) },
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.holds(ctx, r.key, body(1<<10, 1)), s.Await(told(harness.EventPut, r.bucket, r.key)))
			}},
		{name: "event-delete",
			setup: func(ctx context.Context, r *run) error {
				return errors.Join(rules(ctx, r), r.put(ctx, r.key, body(1<<10, 1)))
			},
			do: func(ctx context.Context, r *run) error {
				return r.RemoveObject(ctx, r.bucket, r.key, minio.RemoveObjectOptions{})
			},
			check: func(ctx context.Context, r *run) error {
				return s.Await(told(harness.EventPut, r.bucket, r.key), told(harness.EventDelete, r.bucket, r.key))
			}},
		{name: "event-rule", // a deletion by a rule, which nobody acknowledges but who looks
			setup: func(ctx context.Context, r *run) error {
				s.SetDown(true)
				return errors.Join(ruled("powercut-event-rules", false)(ctx, r), r.notify(ctx, "s3:LifecycleExpiration:*", notification.ObjectRemovedAll))
			},
			do: func(ctx context.Context, r *run) error {
				return errors.Join(r.put(ctx, "due/"+r.key, body(1000, 1)), r.gone(ctx, "due/"+r.key))
			},
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.gone(ctx, "due/"+r.key), s.Await(told(eventExpire, r.bucket, "due/"+r.key), told(harness.EventDelete, r.bucket, "due/"+r.key)))
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
				var list []harness.Told
				for i := range many {
					list = append(list, told(harness.EventPut, r.bucket, name(r, i)))
					if i%2 == 0 {
						list = append(list, told(harness.EventDelete, r.bucket, name(r, i)))
					}
				}
				return s.Await(list...)
			}},
	}
}

func told(name, bucket, key string) harness.Told {
	return harness.Told{Name: name, Bucket: bucket, Key: key}
}
