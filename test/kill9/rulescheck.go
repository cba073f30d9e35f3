package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// verify wants everything that stays to be there: of all rounds, or of the last; and, at the end of several rounds,
// everything due to go and the counters to be right.
func (s *rules) verify(ctx context.Context, all bool) error {
	if s.server.Minio {
		return nil
	}
	c := s.server.Client(harness.Access, harness.Secret)
	for w := range s.over {
		for _, o := range s.over[w] {
			if err := s.live(ctx, c, o); err != nil {
				return err
			}
		}
	}
	if all {
		if err := s.awaitDue(ctx, c); err != nil {
			return err
		}
		s.fresh = 0
	}
	for _, v := range s.stays[s.fresh:] {
		got, there, err := fetch(ctx, c, v.bucket, v.key, v.version)
		if err != nil || !there || !bytes.Equal(got, v.what.bytes()) {
			return fmt.Errorf("%w: %s/%s, which stays: there: %v, %d bytes of %v: %w", errRule, v.bucket, v.key, there, len(got), v.what, err)
		}
	}
	s.fresh = len(s.stays)
	if !all {
		return nil
	}
	return s.usage(ctx, c)
}

// awaitDue waits until nothing is left that rules are for, but what is locked, and the markers above that.
func (s *rules) awaitDue(ctx context.Context, c *minio.Client) error {
	return harness.Await(ruleTime, "everything due is gone", func() (bool, error) {
		for _, bucket := range []string{plainBucket, lockedBucket} {
			for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: "due/", Recursive: true, WithVersions: true}) {
				if o.Err != nil {
					return false, o.Err
				}
				if locked := strings.HasPrefix(o.Key, "due/held/") || strings.HasPrefix(o.Key, "due/retained/"); !locked || o.IsLatest && !o.IsDeleteMarker {
					return false, nil
				}
			}
			for u := range c.ListIncompleteUploads(ctx, bucket, "due/", true) {
				return false, u.Err
			}
		}
		return true, nil
	})
}

// usage compares the counters with what is listed. Nobody writes, and nothing is due.
func (s *rules) usage(ctx context.Context, c *minio.Client) error {
	var u struct{ Buckets []harness.Counters }
	if err := s.server.AdminJSON(ctx, &u, "usage"); err != nil {
		return err
	}
	for _, bucket := range []string{plainBucket, lockedBucket, bucket} {
		want := harness.Counters{Name: bucket}
		for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
			switch {
			case o.Err != nil:
				return o.Err
			case o.IsDeleteMarker:
				want.DeleteMarkers++
				continue
			case o.IsLatest:
				want.Objects++
			}
			want.Versions++
			want.Bytes += o.Size
		}
		if !slices.Contains(u.Buckets, want) {
			return fmt.Errorf("%w: %s holds %+v, but the counters are %+v", errRule, bucket, want, u.Buckets)
		}
	}
	return nil
}

// report tells what the rounds so far have shown.
func (s *rules) report(ctx context.Context, r *harness.Report) {
	if s.server.Minio {
		r.Skip("lifecycle rules", "days of objsrv only are short")
		return
	}
	var gone struct {
		Rules []struct{ Expired, Noncurrent, Markers, Uploads, Locked int }
	}
	text, err := "", error(nil)
	for _, bucket := range []string{plainBucket, lockedBucket} {
		if e := s.server.AdminJSON(ctx, &gone, "lifecycle", "status", bucket); e != nil {
			err = errors.Join(err, e)
			continue
		}
		text += fmt.Sprintf(", %s %+v", bucket, gone.Rules)
	}
	if s.checked == 0 || len(s.stays) == 0 {
		err = errors.Join(err, errors.New("the load left nothing to look at"))
	}
	r.Check(fmt.Sprintf("rules: %d operations, %d versions that stay are there, %d looks at overwritten keys, all due is gone, counters are right%s", s.ops, len(s.stays), s.checked, text), err)
}

// clear deletes everything, and lifts what is locked for that.
func (s *rules) clear(ctx context.Context) error {
	if s.server.Minio {
		return nil
	}
	c := s.server.Client(harness.Access, harness.Secret)
	off := minio.LegalHoldDisabled
	// those too whose answer a kill has swallowed
	for o := range c.ListObjects(ctx, lockedBucket, minio.ListObjectsOptions{Prefix: "due/held/", Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return fmt.Errorf("list what is held: %w", o.Err)
		}
		if o.IsDeleteMarker {
			continue
		}
		if err := c.PutObjectLegalHold(ctx, lockedBucket, o.Key, minio.PutObjectLegalHoldOptions{VersionID: o.VersionID, Status: &off}); err != nil {
			return fmt.Errorf("lift the hold of %s: %w", o.Key, err)
		}
	}
	for _, bucket := range []string{plainBucket, lockedBucket} {
		all := c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true})
		for e := range c.RemoveObjects(ctx, bucket, all, minio.RemoveObjectsOptions{GovernanceBypass: true}) {
			return fmt.Errorf("delete %s: %w", e.ObjectName, e.Err)
		}
	}
	return nil
}

// selfTest wants verify to notice a version that is lost, and an overwritten key that goes too early.
func (s *rules) selfTest(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	stop, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s.load(stop, &wg)
	wg.Wait()
	if err := s.verify(ctx, true); err != nil {
		return fmt.Errorf("before the damage: %w", err)
	}
	c := s.server.Client(harness.Access, harness.Secret)
	o := s.over[0][0]
	o.at, o.acked = time.Now(), content{seed: 1, size: 100}
	if s.live(ctx, c, o) == nil {
		return errors.New("an overwritten object is gone too early, and that was not noticed")
	}
	o.acked = content{}
	for _, v := range s.stays {
		if v.bucket == plainBucket {
			if err := c.RemoveObject(ctx, v.bucket, v.key, minio.RemoveObjectOptions{}); err != nil {
				return err
			}
			if s.verify(ctx, true) == nil {
				return errors.New("a version that stays was lost, and that was not noticed")
			}
			return nil
		}
	}
	return errors.New("the load left nothing that stays")
}
