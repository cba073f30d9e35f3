package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
)

// host is the running program as its administrators see it. It implements madmin.Host, and is behind adminHost.
type host struct {
	program  *Program
	services *services
	started  time.Time
	requests live.Feed[live.Trace]
	events   live.Feed[events.Event]
	log      live.Log
	history  *live.History
	counting counters
	checked  checks
	warnings atomic.Pointer[[]string] // that were said at the start; nil until then
	ending   chan bool                // true to start anew; Program.Run reads it
}

func newHost(p *Program) *host {
	h := &host{program: p, started: time.Now(), ending: make(chan bool, 1)}
	h.history = live.NewHistory(h.gauges, nil)
	return h
}

// Requests implements madmin.Machine.
func (h *host) Requests() *live.Feed[live.Trace] { return &h.requests }

// Log implements madmin.Machine.
func (h *host) Log() *live.Log { return &h.log }

// closeStreams ends what administrators watch, so that a drain need not wait for them.
func (h *host) closeStreams() {
	h.requests.Close()
	h.events.Close()
	h.log.Close()
}

// dropped counts the entries that watchers had no room for.
func (h *host) dropped() int64 { return h.requests.Dropped() + h.events.Dropped() + h.log.Dropped() }

// End implements madmin.Machine. The first word counts.
func (h *host) End(restart bool) {
	select {
	case h.ending <- restart:
	default:
	}
}

// node is the name of the server among nodes: host and port of S3.
func (h *host) node() string {
	addr := h.program.Addr().String()
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(name); ip != nil && !ip.IsUnspecified() {
		return addr
	}
	if name, err = os.Hostname(); err != nil || name == "" {
		name = "127.0.0.1"
	}
	return net.JoinHostPort(name, port)
}

// upstreamPatience is how long people who ask for the state of a gateway wait for its upstream.
const upstreamPatience = 3 * time.Second

// Server implements madmin.Machine.
func (h *host) Server(ctx context.Context) (madmin.Server, error) {
	v := readVersion()
	s := madmin.Server{
		Node: h.node(), Scheme: "http", Deployment: h.services.iam.Account(), Region: h.services.config.Region, Domains: h.services.config.Domains,
		Started: h.started, Version: v.Version, Commit: v.Revision,
	}
	if h.program.certs != nil {
		s.Scheme = "https"
	}
	if h.services.disk == nil {
		ctx, cancel := context.WithTimeout(ctx, upstreamPatience)
		defer cancel()
		s.Drive.Path, s.Drive.Writable = h.services.config.Gateway.Endpoint, h.services.checkStore(ctx) == nil
		return s, nil
	}
	st := h.services.disk.Stats()
	s.Drive = driveOf(h.services.config.Dir)
	s.Drive.Path, s.Drive.Writable = h.services.config.Dir, st.Available
	return s, nil
}

// Usage implements madmin.Machine.
func (h *host) Usage(ctx context.Context) ([]madmin.BucketUsage, error) {
	var out []madmin.BucketUsage
	if h.services.disk == nil { // an upstream does not tell what they hold
		err := h.eachBucket(ctx, func(b *storage.Bucket) error {
			out = append(out, madmin.BucketUsage{Name: b.Name, Unknown: true})
			return nil
		})
		return out, err
	}
	err := h.eachBucket(ctx, func(b *storage.Bucket) error {
		n, err := h.services.backend.Usage(ctx, b.Name)
		if errors.Is(err, storage.ErrNoSuchBucket) {
			return nil // deleted since it was listed
		}
		out = append(out, madmin.BucketUsage{Name: b.Name, Objects: n.Objects, Versions: n.Versions, DeleteMarkers: n.Markers, Bytes: n.Bytes})
		return err
	})
	return out, err
}

// eachBucket calls f with every bucket, in the order of names.
func (h *host) eachBucket(ctx context.Context, f func(*storage.Bucket) error) error {
	after := ""
	for {
		list, more, err := h.services.backend.ListBuckets(ctx, "", after, 1000)
		if err != nil {
			return err
		}
		for _, b := range list {
			if err := f(b); err != nil {
				return err
			}
			after = b.Name
		}
		if !more || len(list) == 0 {
			return nil
		}
	}
}

// Settings implements madmin.Settings.
func (h *host) Settings() *config.Service { return h.services.settings }

// Quota implements madmin.Quotas.
func (h *host) Quota(ctx context.Context, bucket string) (int64, error) {
	n, err := h.services.s3.Quota(ctx, bucket)
	return n, bucketRefusal(err)
}

// SetQuota implements madmin.Quotas.
func (h *host) SetQuota(ctx context.Context, bucket string, bytes int64) error {
	return bucketRefusal(h.services.s3.SetQuota(ctx, bucket, bytes))
}

// BucketFiles implements madmin.Archives.
func (h *host) BucketFiles(ctx context.Context, by *iam.Identity, bucket string) ([]madmin.BucketFile, error) {
	files, err := h.services.s3.BucketFiles(ctx, by, bucket)
	if err != nil {
		return nil, bucketRefusal(err)
	}
	out := make([]madmin.BucketFile, len(files))
	for i, f := range files {
		out[i] = madmin.BucketFile(f)
	}
	return out, nil
}

// BucketFileNames implements madmin.Archives.
func (h *host) BucketFileNames() []string { return s3api.BucketFileNames() }

// EnsureBucket implements madmin.Archives.
func (h *host) EnsureBucket(ctx context.Context, by *iam.Identity, bucket string, locked bool) error {
	return bucketRefusal(h.services.s3.EnsureBucket(ctx, by.Account, bucket, locked))
}

// SetBucketFile implements madmin.Archives.
func (h *host) SetBucketFile(ctx context.Context, by *iam.Identity, bucket string, f madmin.BucketFile) error {
	return bucketRefusal(h.services.s3.SetBucketFile(ctx, by, bucket, s3api.BucketFile(f)))
}

// bucketRefusal says in the words of the face what the client is to know.
func bucketRefusal(err error) error {
	var refused *s3api.Error
	if errors.As(err, &refused) {
		return &madmin.Refusal{Status: refused.HTTPStatus(), Code: refused.Code, Message: refused.Message}
	}
	if errors.Is(err, storage.ErrNotSupported) {
		return &madmin.Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "The storage behind this gateway does not support this."}
	}
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return &madmin.Refusal{Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	}
	if status, _, message := diskRefusal(err); status == http.StatusInsufficientStorage {
		return &madmin.Refusal{Status: status, Code: "XMinioStorageFull", Message: message}
	}
	return err
}
