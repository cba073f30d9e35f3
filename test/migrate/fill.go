package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/tags"
)

// buckets are those of the source, with their share of the keys in a hundred.
var buckets = []struct {
	name  string
	share int
}{{"plain", 45}, {"versioned", 35}, {"suspended", 15}, {"locked", 5}}

// lockedFor is long enough for the run.
const lockedFor = 24 * time.Hour

// fill makes the buckets and so many keys.
func fill(ctx context.Context, c *minio.Client, keys int) error {
	for _, b := range buckets {
		if err := c.MakeBucket(ctx, b.name, minio.MakeBucketOptions{ObjectLocking: b.name == "locked"}); err != nil {
			return err
		}
		if b.name == "versioned" || b.name == "suspended" {
			if err := c.EnableVersioning(ctx, b.name); err != nil {
				return err
			}
		}
		if err := each(keys*b.share/100, func(i int) error { return fillKey(ctx, c, b.name, i) }); err != nil {
			return fmt.Errorf("bucket %s: %w", b.name, err)
		}
	}
	if err := c.SuspendVersioning(ctx, "suspended"); err != nil {
		return err
	}
	if err := each(keys/50, func(i int) error { return put(ctx, c, "suspended", keyName(3*i), 7*i) }); err != nil {
		return err
	}
	t, err := tags.MapToBucketTags(map[string]string{"team": "blue"})
	if err != nil {
		return err
	}
	if err := c.SetBucketTagging(ctx, "versioned", t); err != nil {
		return err
	}
	mode, days, unit := minio.Governance, uint(1), minio.Days
	if err := c.SetBucketObjectLockConfig(ctx, "locked", &mode, &days, &unit); err != nil {
		return err
	}
	return c.SetBucketPolicy(ctx, "plain", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::plain/public/*"]}]}`)
}

// each does n things, some at once.
func each(n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := 0
	for range 16 {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || first != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := do(i); err != nil {
					mu.Lock()
					first = fmt.Errorf("%d: %w", i, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// keyName spreads keys over folders; some have characters that have to be encoded.
func keyName(i int) string {
	return fmt.Sprintf("d%02d/%s key+%05d", i%37, []string{"a", "ä", "x=y&z", "q%41"}[i%4], i)
}

// content follows from a number.
func content(n, size int) []byte {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(n))
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return b
}

// fillKey makes a key with its history; the first of a folder gets an object that stands for the folder as well.
func fillKey(ctx context.Context, c *minio.Client, bucket string, i int) error {
	key := keyName(i)
	if i < 10 {
		if err := put(ctx, c, bucket, key[:len("d00/")], 0); err != nil {
			return err
		}
	}
	versions := 1
	if bucket == "versioned" || bucket == "suspended" {
		versions += i % 3
	}
	for v := range versions {
		if err := put(ctx, c, bucket, key, 10*i+v); err != nil {
			return err
		}
		if bucket == "versioned" && (i+v)%11 == 5 {
			if err := c.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// put makes a version of a key: what it has follows from n.
func put(ctx context.Context, c *minio.Client, bucket, key string, n int) error {
	o := minio.PutObjectOptions{ContentType: "text/x-" + fmt.Sprint(n%5), SendContentMd5: true}
	size := []int{0, 1, 100, 3000, 3000, 9000, 40_000}[n%7]
	if n%3 == 0 {
		o.UserMetadata = map[string]string{"Owner": fmt.Sprint("someone ", n), "Plain-Value": strings.Repeat("v", n%50)}
		o.CacheControl, o.ContentDisposition = "max-age=60", `attachment; filename="x.txt"`
	}
	if n%4 == 0 {
		o.UserTags = map[string]string{"n": fmt.Sprint(n), "colour": "dark blue"}
	}
	if n%10 == 7 {
		o.Checksum = []minio.ChecksumType{minio.ChecksumCRC32C, minio.ChecksumSHA256, minio.ChecksumCRC64NVME}[n%3]
		o.SendContentMd5 = false
	}
	if n%4000 == 30 || n%4000 == 181 { // parts
		size, o.PartSize, o.SendContentMd5 = 5<<20+n%1000+1, 5<<20, false
	}
	if bucket == "locked" {
		switch n % 3 {
		case 0:
			o.Mode, o.RetainUntilDate = minio.Compliance, time.Now().Add(lockedFor).UTC()
		case 1:
			o.LegalHold = minio.LegalHoldEnabled
		}
	}
	_, err := c.PutObject(ctx, bucket, key, bytes.NewReader(content(n, size)), int64(size), o)
	return err
}
