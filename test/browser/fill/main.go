// Command fill makes the large buckets of the browser's tests: ENDPOINT BUCKET FORMAT N puts N objects of 16 bytes whose keys are
// FORMAT with a number, from OBJSRV_ACCESS_KEY and OBJSRV_SECRET_KEY. It imports minio-go, and nothing of ours.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// workers is how many puts are under way at a time.
const workers = 64

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return errors.New("ENDPOINT BUCKET FORMAT N are needed")
	}
	at, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return err
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds:     credentials.NewStaticV4(os.Getenv("OBJSRV_ACCESS_KEY"), os.Getenv("OBJSRV_SECRET_KEY"), ""),
		Region:    "us-east-1",
		Transport: &http.Transport{MaxIdleConnsPerHost: workers},
	})
	if err != nil {
		return err
	}
	if err := client.MakeBucket(ctx, args[1], minio.MakeBucketOptions{}); err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			body := []byte("sixteen bytes...")
			for i := next.Add(1) - 1; i < n && ctx.Err() == nil; i = next.Add(1) - 1 {
				_, err := client.PutObject(ctx, args[1], fmt.Sprintf(args[2], i), bytes.NewReader(body), int64(len(body)),
					minio.PutObjectOptions{DisableContentSha256: true, DisableMultipart: true})
				if err != nil {
					stop(fmt.Errorf("put %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
