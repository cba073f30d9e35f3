// Command webidentity is what an application of aws-sdk-go-v2 in a pod does: it takes its settings
// from the environment alone (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ENDPOINT_URL), says who
// it is, and puts, gets and deletes an object of the bucket that is its argument. `make identity`
// runs it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bucket string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load the settings: %w", err)
	}
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Println("caller", *caller.Arn)
	// An address of IP numbers has no host names of buckets.
	c := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	const key, content = "by-go", "content of aws-sdk-go-v2"
	k := key
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &k, Body: strings.NewReader(content)}); err != nil {
		return err
	}
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &k})
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if b, err := io.ReadAll(got.Body); err != nil || string(b) != content {
		return fmt.Errorf("got %q, %w", b, err)
	}
	if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &k}); err != nil {
		return err
	}
	fmt.Println("put, got and deleted")
	return nil
}
