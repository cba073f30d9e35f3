package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
)

// lifecycleSettings are those of lifecycle rules.
func lifecycleSettings() []setting {
	return []setting{{name: "LIFECYCLE_DAY", flag: "lifecycle-day", def: "24h",
		usage: "`length` of a day of lifecycle rules, such as 10s; for tests only", set: func(c *Config, v string) (err error) {
			c.LifecycleDay, err = time.ParseDuration(v)
			if err != nil || c.LifecycleDay < time.Second || c.LifecycleDay > 24*time.Hour || c.LifecycleDay%time.Second != 0 {
				return fmt.Errorf("%q is not a duration in seconds from 1s to 24h", v)
			}
			return nil
		}}}
}

// newLifecycle makes what does the work of lifecycle rules. It begins with Start, when everything that it asks is there.
func (s *services) newLifecycle() (err error) {
	s.lifecycle, err = lifecycle.New(lifecycle.Config{
		Backend: s.backend,
		Rules:   func(b *storage.Bucket) (*lifecycle.Rules, error) { return s.s3.LifecycleRules(b) },
		Locked:  s3api.Locked,
		Announce: func(ctx context.Context, b *storage.Bucket, list []lifecycle.Removal) (lifecycle.Announced, error) {
			return s.s3.AnnounceLifecycle(ctx, b, list)
		},
		Report: func(err error) { s.log.Error("lifecycle", "error", err) },
	})
	return err
}

// lifecycleWarnings tells that days are not what their name says.
func (s *services) lifecycleWarnings() []string {
	if s.config.LifecycleDay == 0 || s.config.LifecycleDay == 24*time.Hour {
		return nil
	}
	return []string{fmt.Sprintf("lifecycle rules count days of %v, which is for tests only: unset OBJSRV_LIFECYCLE_DAY", s.config.LifecycleDay)}
}

// errNoLifecycle is the answer of a gateway.
var errNoLifecycle = &adminapi.Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented",
	Message: "A gateway deletes nothing by itself. Put lifecycle rules into the buckets of its upstream."}

// lifecycleRefusal gives errors of lifecycle their answers.
func lifecycleRefusal(err error) error {
	switch {
	case errors.Is(err, lifecycle.ErrNoRules):
		return &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchLifecycleConfiguration", Message: "The bucket has no lifecycle rules."}
	case errors.Is(err, lifecycle.ErrCursor):
		return &adminapi.Refusal{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: "The cursor is none that a page before has given."}
	}
	return adminRefusal(err)
}

// LifecycleStatus implements adminapi.Lifecycles.
func (h adminHost) LifecycleStatus(ctx context.Context, bucket string) (*adminapi.LifecycleStatus, error) {
	if h.services.lifecycle == nil {
		return nil, errNoLifecycle
	}
	s, err := h.services.lifecycle.Status(ctx, bucket)
	if err != nil {
		return nil, lifecycleRefusal(err)
	}
	out := &adminapi.LifecycleStatus{Bucket: s.Bucket, Walking: s.Walking, At: s.At, Next: s.Next, Last: s.Last, Day: s.Day, Held: s.Held, Error: s.Error,
		Rules: []adminapi.LifecycleRule{}}
	for _, r := range s.Rules {
		a := r.Actions
		out.Rules = append(out.Rules, adminapi.LifecycleRule{ID: r.ID, Enabled: r.Enabled, Expired: a[lifecycle.Expire], ExpiredAll: a[lifecycle.ExpireAll],
			Noncurrent: a[lifecycle.ExpireNoncurrent], Markers: a[lifecycle.RemoveMarker], Uploads: a[lifecycle.AbortUpload],
			Bytes: r.Bytes, Locked: r.Kept, Changed: r.Changed, Failed: r.Failed})
	}
	return out, nil
}

// LifecyclePreview implements adminapi.Lifecycles.
func (h adminHost) LifecyclePreview(ctx context.Context, in adminapi.LifecycleQuery) (*adminapi.LifecyclePreview, error) {
	if h.services.lifecycle == nil {
		return nil, errNoLifecycle
	}
	p, err := h.services.lifecycle.Preview(ctx, lifecycle.PreviewInput{Bucket: in.Bucket, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, lifecycleRefusal(err)
	}
	out := &adminapi.LifecyclePreview{Planned: []adminapi.LifecyclePlan{}, Next: p.Next}
	for _, e := range p.Planned {
		out.Planned = append(out.Planned, adminapi.LifecyclePlan{Key: e.Key, VersionID: e.Version, UploadID: e.Upload, Size: e.Size, DeleteMarker: e.Marker,
			Action: string(e.Action), Rule: e.Rule, Due: e.Due, Locked: e.Locked})
	}
	return out, nil
}

// LifecycleRun implements adminapi.Lifecycles.
func (h adminHost) LifecycleRun(ctx context.Context, bucket string) error {
	if h.services.lifecycle == nil {
		return errNoLifecycle
	}
	return lifecycleRefusal(h.services.lifecycle.Run(ctx, bucket))
}
