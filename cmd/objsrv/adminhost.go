package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
)

// adminHost is the running program as the JSON face sees it. It implements adminapi.Host.
type adminHost struct{ *host }

// History implements adminapi.Machine.
func (h adminHost) History() *live.History { return h.history }

// Restart implements adminapi.Machine.
func (h adminHost) Restart() { h.End(true) }

// Server implements adminapi.Machine.
func (h adminHost) Server(ctx context.Context) (adminapi.Server, error) {
	m, err := h.host.Server(ctx)
	if err != nil {
		return adminapi.Server{}, err
	}
	now := time.Now().UTC()
	s := adminapi.Server{
		Version: m.Version, Commit: m.Commit, GoVersion: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Deployment: m.Deployment, Region: m.Region, Node: m.Node, Domains: list(m.Domains), TLS: m.Scheme == "https",
		Started: m.Started.UTC(), UptimeSeconds: int64(now.Sub(m.Started) / time.Second), Time: now,
		Settings: h.services.config.shown(), Warnings: []string{},
	}
	if w := h.warnings.Load(); w != nil {
		s.Warnings = list(*w)
	}
	s.Addresses.S3 = h.program.Addr().String()
	if a := h.program.ConsoleAddr(); a != nil {
		s.Addresses.Console = a.String()
	}
	d := &m.Drive
	s.Store = adminapi.StoreState{Path: d.Path, Writable: d.Writable, TotalBytes: d.Total, UsedBytes: d.Used, FreeBytes: d.Free,
		TotalInodes: d.UsedInodes + d.FreeInodes, FreeInodes: d.FreeInodes}
	if s.Store.Upstream = h.services.disk == nil; !s.Store.Upstream {
		st := h.services.disk.Stats()
		s.Store.IndexBytes, s.Store.DamagedReads = st.IndexBytes, st.Damaged
	}
	g := h.history.Now()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s.Process = adminapi.ProcessState{
		PID: os.Getpid(), CPUs: runtime.NumCPU(), Goroutines: g.Goroutines, MemoryBytes: g.Memory, HeapBytes: int64(mem.HeapAlloc),
		Connections: g.Connections, RequestsInFlight: h.program.metrics.InFlight(),
	}
	if s.Store.Upstream {
		return s, nil // which does not tell what it holds
	}
	buckets, err := h.host.Usage(ctx)
	if err != nil {
		return s, err
	}
	s.Usage = &adminapi.TotalUsage{}
	for _, b := range buckets {
		s.Usage.Buckets++
		s.Usage.Objects += b.Objects
		s.Usage.Versions += b.Versions
		s.Usage.DeleteMarkers += b.DeleteMarkers
		s.Usage.Bytes += b.Bytes
	}
	return s, nil
}

// gauges are what the history keeps of the program.
func (h *host) gauges() live.Gauges {
	g := live.Gauges{Memory: residentMemory(), Goroutines: int64(runtime.NumGoroutine())}
	if s := h.program.server; s != nil {
		g.Connections = int64(s.Connections())
	}
	if h.program.Config.mode() == serverMode { // a gateway's disk is another's
		d := driveOf(h.program.Config.Dir)
		g.DiskFree, g.DiskTotal = int64(d.Free), int64(d.Total)
	}
	return g
}

// shown returns the settings of the server as administrators see them.
func (c *Config) shown() []adminapi.Setting {
	var out []adminapi.Setting
	for _, s := range settingsOf(c.mode()) {
		v := adminapi.Setting{Name: s.name, Variable: s.variable(), Value: s.def, From: "default"}
		if g, ok := c.given[s.name]; ok {
			v.Value, v.From = g.value, g.from
		} else if stored, ok := c.stored[s.stored]; ok {
			v.Value, v.From = stored, "stored"
		} else if s.name == "VOLUMES" || s.name == "GATEWAY_ENDPOINT" {
			v.Value, v.From = cmp.Or(c.Gateway.Endpoint, c.Dir), "argument"
		}
		if s.secret && v.Value != "" {
			v.Value = "***"
		}
		out = append(out, v)
	}
	return out
}

// Usage implements adminapi.Usages.
func (h adminHost) Usage(ctx context.Context) ([]adminapi.BucketUsage, error) {
	out := []adminapi.BucketUsage{}
	if h.services.disk == nil {
		return nil, &adminapi.Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented",
			Message: "A gateway does not know what the buckets of its upstream hold; ask for the usage of one bucket, which is counted."}
	}
	err := h.eachBucket(ctx, func(b *storage.Bucket) error {
		n, err := h.services.backend.Usage(ctx, b.Name)
		if errors.Is(err, storage.ErrNoSuchBucket) {
			return nil // deleted since it was listed
		}
		if err != nil {
			return err
		}
		quota, err := h.services.s3.Quota(ctx, b.Name)
		if err != nil && !errors.Is(err, storage.ErrNoSuchBucket) {
			return err
		}
		out = append(out, adminapi.BucketUsage{
			Name: b.Name, Created: b.Created.UTC(), Objects: n.Objects, Versions: n.Versions, DeleteMarkers: n.Markers, Bytes: n.Bytes, Quota: quota,
		})
		return nil
	})
	return out, err
}

// BucketsOf implements adminapi.Owners.
func (h adminHost) BucketsOf(ctx context.Context, account string) ([]string, error) {
	names := []string{}
	err := h.eachBucket(ctx, func(b *storage.Bucket) error {
		if b.Owner == account {
			names = append(names, b.Name)
		}
		return nil
	})
	return names, err
}

// Quota implements adminapi.Quotas.
func (h adminHost) Quota(ctx context.Context, bucket string) (adminapi.Quota, error) {
	q := adminapi.Quota{Bucket: bucket}
	var err error
	if q.Quota, err = h.services.s3.Quota(ctx, bucket); err != nil {
		return q, adminRefusal(err)
	}
	if q.Objects, err = h.services.s3.ObjectQuota(ctx, bucket); err != nil {
		return q, adminRefusal(err)
	}
	if h.services.disk == nil {
		return q, nil // an upstream does not tell
	}
	n, err := h.services.backend.Usage(ctx, bucket)
	q.Used, q.UsedObjects = n.Bytes, n.Versions
	return q, adminRefusal(err)
}

// SetQuota implements adminapi.Quotas.
func (h adminHost) SetQuota(ctx context.Context, bucket string, q adminapi.SetQuota) error {
	return adminRefusal(h.services.s3.SetQuotas(ctx, bucket, q.Quota, q.Objects))
}

// adminRefusal says in the words of the face what the client is to know.
func adminRefusal(err error) error {
	var refused *s3api.Error
	if errors.As(err, &refused) {
		return &adminapi.Refusal{Status: refused.HTTPStatus(), Code: refused.Code, Message: refused.Message}
	}
	switch {
	case errors.Is(err, storage.ErrNoSuchBucket):
		return &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The bucket does not exist."}
	case errors.Is(err, storage.ErrNotSupported):
		return &adminapi.Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "The storage behind this server does not support this."}
	}
	if status, code, message := diskRefusal(err); status != 0 {
		return &adminapi.Refusal{Status: status, Code: code, Message: message}
	}
	return err
}

var errNoProvider = &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchProvider", Message: "There is no identity provider of this id."}

// known tells whether an identity provider is configured.
func (s *services) known(id string) bool { return slices.Contains(s.providerIDs(), id) }
