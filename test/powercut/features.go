//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// shrunk ends the keys that the server compresses.
const shrunk = ".txt"

func compression() []string {
	return []string{"OBJSRV_COMPRESSION_ENABLE=on", "OBJSRV_COMPRESSION_ALLOW_ENCRYPTION=on", "OBJSRV_COMPRESSION_EXTENSIONS=" + shrunk, "OBJSRV_COMPRESSION_MIME_TYPES=none/none"}
}

// featureOperations write objects that are kept in another form than they were sent in, are locked, come in an archive,
// or count against a quota.
func featureOperations() []operation {
	sealed := func(name, end string, n int) operation {
		return operation{name: name,
			do: func(ctx context.Context, r *run) error {
				_, err := r.PutObject(ctx, r.bucket, r.key+end, bytes.NewReader(body(n, 1)), int64(n), minio.PutObjectOptions{DisableMultipart: true, ServerSideEncryption: encrypt.NewSSE()})
				return err
			},
			check: func(ctx context.Context, r *run) error {
				o, err := r.StatObject(ctx, r.bucket, r.key+end, minio.StatObjectOptions{})
				if err == nil && o.Metadata.Get("X-Amz-Server-Side-Encryption") != "AES256" {
					err = errors.New("the object is not encrypted")
				}
				return errors.Join(err, r.holds(ctx, r.key+end, body(n, 1)))
			}}
	}
	encrypted := func(ctx context.Context, r *run) (err error) {
		r.parts = nil
		if r.upload, err = (minio.Core{Client: r.Client}).NewMultipartUpload(ctx, r.bucket, r.key, minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()}); err != nil {
			return err
		}
		return errors.Join(r.part(ctx, 1, body(5<<20, 1)), r.part(ctx, 2, body(1<<20, 2)))
	}
	return []operation{sealed("encrypted-small", "", 1000), sealed("encrypted-large", "", 3<<20), sealed("encrypted-shrunk", shrunk, 3<<20),
		{name: "shrunk",
			do:    func(ctx context.Context, r *run) error { return r.put(ctx, r.key+shrunk, body(3<<20, 1)) },
			check: func(ctx context.Context, r *run) error { return r.holds(ctx, r.key+shrunk, body(3<<20, 1)) }},
		{name: "encrypted-complete", setup: encrypted,
			do: func(ctx context.Context, r *run) error {
				_, err := minio.Core{Client: r.Client}.CompleteMultipartUpload(ctx, r.bucket, r.key, r.upload, r.parts, minio.PutObjectOptions{})
				return err
			},
			check: func(ctx context.Context, r *run) error {
				return r.holds(ctx, r.key, append(body(5<<20, 1), body(1<<20, 2)...))
			}},
		{name: "encrypted-append",
			setup: func(ctx context.Context, r *run) error {
				_, err := r.PutObject(ctx, r.bucket, r.key, bytes.NewReader(body(100_000, 1)), 100_000, minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()})
				return err
			},
			do: func(ctx context.Context, r *run) error {
				return r.server.Append(ctx, r.bucket, r.key, 100_000, body(200_000, 2))
			},
			check: func(ctx context.Context, r *run) error {
				return r.holds(ctx, r.key, append(body(100_000, 1), body(200_000, 2)...))
			}},
		putLocked(), archived(), counted()}
}

// putLocked puts a version that is locked from the beginning.
func putLocked() operation {
	const bucket = "powercut-locked"
	return operation{name: "put-locked",
		setup: func(ctx context.Context, r *run) error {
			r.bucket = bucket
			err := r.MakeBucket(ctx, bucket, minio.MakeBucketOptions{ObjectLocking: true})
			if minio.ToErrorResponse(err).Code == "BucketAlreadyOwnedByYou" {
				err = nil
			}
			return err
		},
		do: func(ctx context.Context, r *run) error {
			_, err := r.PutObject(ctx, bucket, r.key, bytes.NewReader(body(100, 1)), 100, minio.PutObjectOptions{SendContentMd5: true,
				Mode: minio.Compliance, RetainUntilDate: time.Now().Add(time.Hour), LegalHold: minio.LegalHoldEnabled})
			return err
		},
		check: func(ctx context.Context, r *run) error {
			o, err := r.StatObject(ctx, bucket, r.key, minio.StatObjectOptions{})
			if err != nil {
				return err
			}
			if o.Metadata.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" || o.Metadata.Get("X-Amz-Object-Lock-Legal-Hold") != "ON" {
				return fmt.Errorf("the lock is %v", o.Metadata)
			}
			if err := r.RemoveObject(ctx, bucket, r.key, minio.RemoveObjectOptions{VersionID: o.VersionID, GovernanceBypass: true}); minio.ToErrorResponse(err).Code != "AccessDenied" {
				return fmt.Errorf("deleting the locked version: %v", err)
			}
			return r.holds(ctx, r.key, body(100, 1))
		}}
}

// archived uploads an archive, each file of which is to become an object.
func archived() operation {
	sizes := []int{0, 100, 300_000, 1000, 70_000}
	name := func(r *run, i int) string { return fmt.Sprintf("%s/file %d", r.key, i) }
	return operation{name: "snowball",
		do: func(ctx context.Context, r *run) error {
			files := make(chan minio.SnowballObject, len(sizes))
			for i, n := range sizes {
				files <- minio.SnowballObject{Key: name(r, i), Size: int64(n), Content: bytes.NewReader(body(n, byte(i)))}
			}
			close(files)
			return r.PutObjectsSnowball(ctx, r.bucket, minio.SnowballOptions{InMemory: true}, files)
		},
		check: func(ctx context.Context, r *run) error {
			for i, n := range sizes {
				if err := r.holds(ctx, name(r, i), body(n, byte(i))); err != nil {
					return err
				}
			}
			return nil
		}}
}

// counted puts what fills a quota: after the cut the counters are those of what is there, and there is no room for more.
func counted() operation {
	const size = 10_000
	return operation{name: "quota-counters",
		setup: func(ctx context.Context, r *run) error {
			r.bucket = "powercut-quota-" + r.key[strings.IndexByte(r.key, '/')+1:]
			if err := r.MakeBucket(ctx, r.bucket, minio.MakeBucketOptions{}); err != nil {
				return err
			}
			return errors.Join(r.put(ctx, "before", body(size, 1)), r.server.Admin(ctx, "", "quota", "set", r.bucket, fmt.Sprint(3*size, "B"), "--objects", "3"))
		},
		do: func(ctx context.Context, r *run) error {
			return errors.Join(r.put(ctx, "one", body(size, 1)), r.put(ctx, "two", body(size, 1)))
		},
		check: func(ctx context.Context, r *run) error {
			var u struct{ Buckets []harness.Counters }
			if err := r.server.AdminJSON(ctx, &u, "usage"); err != nil {
				return err
			}
			if want := (harness.Counters{Name: r.bucket, Objects: 3, Versions: 3, Bytes: 3 * size}); !slices.Contains(u.Buckets, want) {
				return fmt.Errorf("the counters are %+v", u.Buckets)
			}
			if err := r.put(ctx, "three", body(1, 1)); err == nil {
				return errors.New("the quota is full, and takes more")
			}
			return errors.Join(r.RemoveObject(ctx, r.bucket, "one", minio.RemoveObjectOptions{}), r.put(ctx, "three", body(size, 1)))
		}}
}
