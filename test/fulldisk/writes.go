//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// The buckets. That of locks has versions, that of rules deletes what is dueDays old below due/, and the last one sends
// events.
const (
	plain  = "plain"
	locked = "locked"
	ruled  = "ruled"
	events = "events"
)

// dueDays are long enough for the disk to be full by then.
const dueDays = 4

func body(n int, seed byte) []byte { return bytes.Repeat([]byte{seed, 'o', 'b', 'j'}, n/4+1)[:n] }

func (t *test) put(ctx context.Context, bucket, key string, data []byte, opts minio.PutObjectOptions) error {
	opts.DisableMultipart, opts.SendContentMd5 = true, true
	_, err := t.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(len(data)), opts)
	return err
}

func (t *test) holds(ctx context.Context, bucket, key string, want []byte) error {
	o, err := t.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer o.Close()
	got, err := io.ReadAll(o)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%d bytes that differ from the %d written", len(got), len(want))
	}
	if err != nil {
		return fmt.Errorf("%s/%s: %w", bucket, key, err)
	}
	return nil
}

// old are the objects that nothing may change.
var old = map[string]int{"small": 1000, "large": 2 << 20, "sealed": 300_000}

func (t *test) prepare(ctx context.Context) error {
	for _, b := range []string{plain, locked, ruled, events} {
		if err := t.MakeBucket(ctx, b, minio.MakeBucketOptions{ObjectLocking: b == locked}); err != nil {
			return fmt.Errorf("create %s: %w", b, err)
		}
	}
	for name, n := range old {
		opts := minio.PutObjectOptions{}
		if name == "sealed" {
			opts.ServerSideEncryption = encrypt.NewSSE()
		}
		for _, b := range []string{plain, locked, events} {
			if err := t.put(ctx, b, "old/"+name, body(n, 7), opts); err != nil {
				return err
			}
		}
	}
	queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", harness.NotifyTarget, "webhook"))
	queue.AddEvents(notification.ObjectCreatedAll, notification.ObjectRemovedAll)
	var rules notification.Configuration
	rules.AddQueue(queue)
	if err := t.SetBucketNotification(ctx, events, rules); err != nil {
		return err
	}
	for i := range toDelete {
		if err := t.put(ctx, events, fmt.Sprintf("delete/%03d", i), body(100, 1), minio.PutObjectOptions{}); err != nil {
			return err
		}
	}
	c := lifecycle.NewConfiguration()
	c.Rules = []lifecycle.Rule{{ID: "due", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "due/"}, Expiration: lifecycle.Expiration{Days: dueDays}}}
	return t.SetBucketLifecycle(ctx, ruled, c)
}

// whole wants the old objects to be there, by name and in lists, and what new writes would have left half done not to be.
func (t *test) whole(ctx context.Context) error {
	for _, b := range []string{plain, locked, events} {
		seen := 0
		for o := range t.ListObjects(ctx, b, minio.ListObjectsOptions{Prefix: "old/", Recursive: true}) {
			if o.Err != nil {
				return fmt.Errorf("list %s: %w", b, o.Err)
			}
			seen++
		}
		if seen != len(old) {
			return fmt.Errorf("%s lists %d of %d", b, seen, len(old))
		}
		for name, n := range old {
			if err := t.holds(ctx, b, "old/"+name, body(n, 7)); err != nil {
				return err
			}
		}
	}
	return nil
}

// write is one that a full disk is in the way of. undone tells whether nothing of it is there.
type write struct {
	name   string
	do     func(ctx context.Context) error
	undone func(ctx context.Context) error
}

// list are the writes; key is one that is not there.
func (t *test) list(key string) []write {
	absent := func(bucket, key string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := t.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
			if code := minio.ToErrorResponse(err).Code; code != "NoSuchKey" {
				return fmt.Errorf("%s is there: %v", key, err)
			}
			return nil
		}
	}
	same := func(bucket, name string) func(context.Context) error {
		return func(ctx context.Context) error { return t.holds(ctx, bucket, "old/"+name, body(old[name], 7)) }
	}
	put := func(bucket, key string, n int, opts minio.PutObjectOptions) func(context.Context) error {
		return func(ctx context.Context) error { return t.put(ctx, bucket, key, body(n, 1), opts) }
	}
	core := minio.Core{Client: t.Client}
	hold := minio.LegalHoldEnabled
	list := []write{
		{"put small", put(plain, key, 100, minio.PutObjectOptions{}), absent(plain, key)},
		{"put large", put(plain, key, 5<<20, minio.PutObjectOptions{}), absent(plain, key)},
		{"put encrypted", put(plain, key, 300_000, minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()}), absent(plain, key)},
		{"put locked", put(locked, key, 100, minio.PutObjectOptions{Mode: minio.Governance, RetainUntilDate: time.Now().Add(time.Hour)}), absent(locked, key)},
		{"overwrite", put(plain, "old/large", 3<<20, minio.PutObjectOptions{}), same(plain, "large")},
		{"append", func(ctx context.Context) error {
			return t.server.Append(ctx, plain, "old/small", old["small"], body(100, 1))
		}, same(plain, "small")},
		{"append much", func(ctx context.Context) error {
			return t.server.Append(ctx, plain, "old/sealed", old["sealed"], body(3<<20, 1))
		}, same(plain, "sealed")},
		{"rename", func(ctx context.Context) error { return t.server.Rename(ctx, plain, "old/large", key) }, func(ctx context.Context) error {
			return errors.Join(same(plain, "large")(ctx), absent(plain, key)(ctx))
		}},
		{"rename a version", func(ctx context.Context) error { return t.server.Rename(ctx, locked, "old/large", key) }, func(ctx context.Context) error {
			return errors.Join(same(locked, "large")(ctx), absent(locked, key)(ctx))
		}},
		{"archive", func(ctx context.Context) error {
			files := make(chan minio.SnowballObject, 2)
			files <- minio.SnowballObject{Key: key, Size: 3 << 20, Content: bytes.NewReader(body(3<<20, 1))}
			files <- minio.SnowballObject{Key: key + "2", Size: 3 << 20, Content: bytes.NewReader(body(3<<20, 1))}
			close(files)
			return t.PutObjectsSnowball(ctx, plain, minio.SnowballOptions{InMemory: true}, files)
		}, absent(plain, key)},
		{"copy", func(ctx context.Context) error {
			_, err := t.CopyObject(ctx, minio.CopyDestOptions{Bucket: plain, Object: key}, minio.CopySrcOptions{Bucket: plain, Object: "old/large"})
			return err
		}, absent(plain, key)},
		{"begin an upload", func(ctx context.Context) error {
			_, err := core.NewMultipartUpload(ctx, plain, key, minio.PutObjectOptions{})
			return err
		}, absent(plain, key)},
		{"tags", func(ctx context.Context) error {
			set, _ := tags.NewTags(map[string]string{"a": key}, true)
			return t.PutObjectTagging(ctx, plain, "old/small", set, minio.PutObjectTaggingOptions{})
		}, same(plain, "small")},
		{"legal hold", func(ctx context.Context) error {
			return t.PutObjectLegalHold(ctx, locked, "old/small", minio.PutObjectLegalHoldOptions{Status: &hold})
		}, same(locked, "small")},
		{"bucket", func(ctx context.Context) error { return t.MakeBucket(ctx, "b-"+key, minio.MakeBucketOptions{}) }, func(ctx context.Context) error {
			if there, err := t.BucketExists(ctx, "b-"+key); there || err != nil {
				return fmt.Errorf("the bucket is there: %v %w", there, err)
			}
			return nil
		}},
		{"quota", func(ctx context.Context) error { return t.server.Admin(ctx, "", "quota", "set", plain, "100GiB") }, nil},
		{"account", func(ctx context.Context) error {
			return t.server.Admin(ctx, "secret-of-account\n", "account", "add", "account-"+key, "--secret-stdin")
		}, nil},
		{"encryption key", func(ctx context.Context) error {
			return t.server.Admin(ctx, "", "encryption", "key", "add", "key-"+key)
		}, nil},
		{"put with an event", put(events, key, 100, minio.PutObjectOptions{}), absent(events, key)},
		{"put much with an event", put(events, key+"2", 5<<20, minio.PutObjectOptions{}), absent(events, key+"2")},
	}
	return list
}

// writes asks for each write on the full disk. What is done, because it found room, is undone.
func (t *test) writes(ctx context.Context, phase string) {
	for _, w := range t.list("new-" + strings.ReplaceAll(phase, " ", "-")) {
		err := w.do(ctx)
		if err == nil {
			t.report.Check(fmt.Sprintf("%s: %s is done", phase, w.name), t.undo(ctx, w.name, phase))
			continue
		}
		bad := isFull(err)
		if t.server.Exited() { // as it does when a log can't be written; a supervisor would start it
			t.restarts++
			if _, err := t.server.Start(); err != nil {
				t.report.Check(phase+": start after "+w.name, err)
				return
			}
		}
		if w.undone != nil {
			bad = errors.Join(bad, w.undone(ctx))
		}
		if strings.Contains(w.name, "event") {
			t.untold = append(t.untold, harness.Told{Name: harness.EventPut, Bucket: events, Key: t.eventKey(w.name, phase)})
		}
		t.report.Check(fmt.Sprintf("%s: %s is refused", phase, w.name), bad)
	}
}

func (t *test) eventKey(name, phase string) string {
	key := "new-" + strings.ReplaceAll(phase, " ", "-")
	if strings.Contains(name, "much") {
		key += "2"
	}
	return key
}

// undo puts back what the old objects were, where a write has been done, and forgets the new one.
func (t *test) undo(ctx context.Context, name, phase string) error {
	key := t.eventKey("", phase)
	switch name {
	case "rename":
		return t.server.Rename(ctx, plain, key, "old/large")
	case "append", "append much", "overwrite", "rename a version":
		return fmt.Errorf("there was room for %s", name)
	case "put with an event", "put much with an event":
		t.told = append(t.told, harness.Told{Name: harness.EventPut, Bucket: events, Key: t.eventKey(name, phase)})
	case "archive":
		t.filled = append(t.filled, key+"2")
	}
	for _, b := range []string{plain, locked} {
		if err := t.RemoveObject(ctx, b, key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// due has rules delete on the full disk what was put while it filled.
func (t *test) due(ctx context.Context) error {
	if t.left == 0 {
		return errors.New("they had nothing to do")
	}
	return harness.Await(30*time.Second, "what is due is gone", func() (bool, error) {
		n, err := t.dueNow(ctx)
		return n == 0, err
	})
}

func (t *test) dueNow(ctx context.Context) (n int, err error) {
	for o := range t.ListObjects(ctx, ruled, minio.ListObjectsOptions{Prefix: "due/", Recursive: true}) {
		if o.Err != nil {
			return n, o.Err
		}
		n++
	}
	return n, nil
}

// works makes every write, now that there is room, and wants it to be done.
func (t *test) works(ctx context.Context, phase string) error {
	key := "again-" + strings.ReplaceAll(phase, " ", "-")
	for _, w := range t.list(key) {
		if err := w.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		switch w.name {
		case "rename":
			if err := t.server.Rename(ctx, plain, key, "old/large"); err != nil {
				return err
			}
		case "rename a version":
			if err := t.server.Rename(ctx, locked, key, "old/large"); err != nil {
				return err
			}
		case "put with an event":
			t.told = append(t.told, harness.Told{Name: harness.EventPut, Bucket: events, Key: key})
		case "put much with an event":
			t.told = append(t.told, harness.Told{Name: harness.EventPut, Bucket: events, Key: key + "2"})
		case "append", "append much", "overwrite":
			name := map[string]string{"append": "small", "append much": "sealed", "overwrite": "large"}[w.name]
			opts := minio.PutObjectOptions{}
			if name == "sealed" {
				opts.ServerSideEncryption = encrypt.NewSSE()
			}
			if err := t.put(ctx, plain, "old/"+name, body(old[name], 7), opts); err != nil {
				return err
			}
		}
	}
	return nil
}
