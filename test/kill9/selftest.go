package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// selfTest changes objects behind the model's back and wants verify to see each change.
func (t *test) selfTest() error {
	if _, err := t.server.Start(); err != nil {
		return err
	}
	ctx := context.Background()
	c := t.server.Client(harness.Access, harness.Secret)
	if err := c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		return err
	}
	t.load(time.Second)
	if _, err := t.server.Start(); err != nil {
		return err
	}
	if err := t.verify(true); err != nil {
		return fmt.Errorf("before the damage: %w", err)
	}
	put := func(k *key, data []byte) error {
		_, err := c.PutObject(ctx, bucket, k.name, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
		return err
	}
	for _, w := range t.writers {
		for _, k := range w.keys {
			damage := func() error { return put(k, []byte("resurrected")) }
			repair := func() error { return c.RemoveObject(ctx, bucket, k.name, minio.RemoveObjectOptions{}) }
			if k.acked.seed != 0 {
				was := k.acked.bytes()
				torn := bytes.Clone(was)
				torn[len(torn)-1]++
				damage, repair = func() error { return put(k, torn) }, func() error { return put(k, was) }
			}
			if err := damage(); err != nil {
				return err
			}
			if t.verify(true) == nil {
				return fmt.Errorf("%s was changed, and that was not noticed", k.name)
			}
			if err := repair(); err != nil {
				return err
			}
		}
	}
	for _, w := range t.writers {
		for _, k := range w.keys {
			if k.acked.seed != 0 {
				if err := c.RemoveObject(ctx, bucket, k.name, minio.RemoveObjectOptions{}); err != nil {
					return err
				}
				if t.verify(true) == nil {
					return fmt.Errorf("%s was lost, and that was not noticed", k.name)
				}
				return nil
			}
		}
	}
	return errors.New("the load left no object")
}
