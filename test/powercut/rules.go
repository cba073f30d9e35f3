//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// Rules count days of ruleDay; what is due is done within ruleTime, however loaded the machine is.
const (
	ruleDay  = time.Second
	ruleTime = 40 * time.Second
)

// ruleOperations make what a lifecycle rule is for. The bucket has been walked through before, so that after the cut
// only the note of the operation can tell that something is due.
func ruleOperations() []operation {
	var held minio.UploadInfo
	return []operation{
		{name: "rule-expire", setup: ruled("powercut-rules", false),
			do: func(ctx context.Context, r *run) error {
				return errors.Join(r.put(ctx, "stays/"+r.key, body(1000, 2)), r.put(ctx, "due/"+r.key, body(1000, 1)))
			},
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.notWalking(ctx), r.gone(ctx, "due/"+r.key), r.holds(ctx, "stays/"+r.key, body(1000, 2)))
			}},
		{name: "rule-versions", setup: ruled("powercut-versions", true),
			do: func(ctx context.Context, r *run) error {
				return errors.Join(r.put(ctx, "due/"+r.key, body(1000, 1)), r.put(ctx, "due/"+r.key, body(3<<20, 2)))
			},
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.notWalking(ctx), r.gone(ctx, "due/"+r.key))
			}},
		{name: "rule-upload", setup: ruled("powercut-rules", false),
			do: func(ctx context.Context, r *run) (err error) {
				r.upload, err = minio.Core{Client: r.Client}.NewMultipartUpload(ctx, r.bucket, "due/"+r.key, minio.PutObjectOptions{})
				return err
			},
			check: func(ctx context.Context, r *run) error {
				return errors.Join(r.notWalking(ctx), harness.Await(ruleTime, "the upload is gone", func() (bool, error) {
					for u := range r.ListIncompleteUploads(ctx, r.bucket, "due/"+r.key, true) {
						return false, u.Err
					}
					return true, nil
				}))
			}},
		{name: "rule-held", setup: ruled("powercut-versions", true), // what is locked stays, when what came later goes
			do: func(ctx context.Context, r *run) (err error) {
				data := body(1000, 1)
				held, err = r.PutObject(ctx, r.bucket, "due/"+r.key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{LegalHold: minio.LegalHoldEnabled, SendContentMd5: true})
				return errors.Join(err, r.put(ctx, "due/"+r.key+"-free", body(1000, 2)))
			},
			check: func(ctx context.Context, r *run) error {
				if err := errors.Join(r.notWalking(ctx), r.gone(ctx, "due/"+r.key+"-free")); err != nil {
					return err
				}
				o, err := r.StatObject(ctx, r.bucket, "due/"+r.key, minio.StatObjectOptions{VersionID: held.VersionID})
				if err == nil && o.Size != 1000 {
					err = fmt.Errorf("the locked version has %d bytes", o.Size)
				}
				return err
			}},
	}
}

// ruled makes a bucket with rules for due/, unless it is there, and waits until it has been walked through.
func ruled(bucket string, locking bool) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		r.bucket = bucket
		err := r.MakeBucket(ctx, bucket, minio.MakeBucketOptions{ObjectLocking: locking})
		if err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
			return err
		}
		c := lifecycle.NewConfiguration()
		c.Rules = []lifecycle.Rule{{ID: "due", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "due/"}, Expiration: lifecycle.Expiration{Days: 1},
			NoncurrentVersionExpiration:    lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1},
			AbortIncompleteMultipartUpload: lifecycle.AbortIncompleteMultipartUpload{DaysAfterInitiation: 1}}}
		if err := r.SetBucketLifecycle(ctx, bucket, c); err != nil {
			return err
		}
		return harness.Await(ruleTime, "the bucket is walked through", func() (bool, error) {
			walking, err := r.walking(ctx)
			return !walking, err
		})
	}
}

// walking tells whether the server looks at everything in the bucket.
func (r *run) walking(ctx context.Context) (bool, error) {
	var status struct{ Walking bool }
	err := r.server.AdminJSON(ctx, &status, "lifecycle", "status", r.bucket)
	return status.Walking, err
}

func (r *run) notWalking(ctx context.Context) error {
	walking, err := r.walking(ctx)
	if err == nil && walking {
		err = errors.New("the bucket is walked through again: this tells nothing of notes")
	}
	return err
}

// gone waits until nothing is left of a key, not even a version.
func (r *run) gone(ctx context.Context, key string) error {
	return harness.Await(ruleTime, key+" is gone", func() (bool, error) {
		for o := range r.ListObjects(ctx, r.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
			if o.Err != nil || o.Key == key {
				return false, o.Err
			}
		}
		return true, nil
	})
}
