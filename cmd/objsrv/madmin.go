package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
)

// newMadmin returns MinIO's admin API over the services. It answers below madmin.Root.
func newMadmin(s *services, h *host) http.Handler {
	return madmin.Handler(madmin.Config{
		IAM:       s.iam,
		Host:      h,
		Directory: s.findLDAP(),
		Authenticate: func(r *http.Request) (iam.Credential, error) {
			cred, err := s.s3.AuthenticateKey(r)
			var refused *s3api.Error
			if errors.As(err, &refused) && refused.Code != "InternalError" {
				err = &madmin.Refusal{Status: http.StatusForbidden, Code: refused.Code, Message: refused.Message}
			}
			return cred, err
		},
	})
}

// taggingDocument is a bucket's document of tags, by the name that s3api gives it.
const taggingDocument = "tagging"

// EachBucket implements madmin.Buckets.
func (h *host) EachBucket(ctx context.Context, f func(*madmin.Bucket) error) error {
	return h.eachBucket(ctx, func(b *storage.Bucket) error {
		n, err := h.services.backend.Usage(ctx, b.Name)
		if errors.Is(err, storage.ErrNoSuchBucket) {
			return nil // deleted since it was listed
		}
		unknown := errors.Is(err, storage.ErrNotSupported) // an upstream does not tell
		if err != nil && !unknown {
			return err
		}
		quota, err := h.services.s3.Quota(ctx, b.Name)
		if err != nil && !errors.Is(err, storage.ErrNoSuchBucket) {
			return err
		}
		return f(&madmin.Bucket{
			BucketUsage: madmin.BucketUsage{Name: b.Name, Objects: n.Objects, Versions: n.Versions, DeleteMarkers: n.Markers, Bytes: n.Bytes, Unknown: unknown},
			Created:     b.Created, Owner: b.Owner, Policy: b.Docs[bucketPolicyDoc], Quota: quota, Locking: b.ObjectLock, Tagged: b.Docs[taggingDocument] != nil,
			Versioning: b.Versioning == storage.VersioningEnabled, Suspended: b.Versioning == storage.VersioningSuspended,
		})
	})
}
