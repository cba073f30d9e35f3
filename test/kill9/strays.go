package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// strays deletes every object and upload and tells what files are left under blobs.
func (t *test) strays() error {
	ctx := context.Background()
	if err := t.rules.clear(ctx); err != nil {
		return err
	}
	c := t.server.Client(harness.Access, harness.Secret)
	for o := range c.ListIncompleteUploads(ctx, bucket, "", true) {
		if o.Err != nil {
			return fmt.Errorf("list uploads: %w", o.Err)
		}
		if err := (minio.Core{Client: c}).AbortMultipartUpload(ctx, bucket, o.Key, o.UploadID); err != nil {
			return fmt.Errorf("abort: %w", err)
		}
	}
	for e := range c.RemoveObjects(ctx, bucket, c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}), minio.RemoveObjectsOptions{}) {
		return fmt.Errorf("delete %s: %w", e.ObjectName, e.Err)
	}
	// unlinking follows the commit, at the latest while the server stops and starts
	if err := t.server.Stop(); err != nil {
		return err
	}
	if _, err := t.server.Start(); err != nil {
		return err
	}
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if left = t.blobFiles(); len(left) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d files: %s ...", len(left), strings.Join(left[:min(3, len(left))], " "))
}

// blobFiles returns the regular files below DIR/blobs.
func (t *test) blobFiles() (files []string) {
	filepath.WalkDir(filepath.Join(t.server.Dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	return files
}
