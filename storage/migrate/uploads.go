package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// initiator begins the uploads of the copier, which nobody else sees. No principal has such an id.
const initiator = ".migration"

// CreateUpload implements storage.Uploads. What is begun here ends here; uploads that are open at the source end there.
func (s *Store) CreateUpload(ctx context.Context, in storage.UploadInput) (*storage.Upload, error) {
	if err := s.know(ctx, in.Bucket); err != nil {
		return nil, err
	}
	return s.local.CreateUpload(ctx, in)
}

// Upload implements storage.Uploads.
func (s *Store) Upload(ctx context.Context, ref storage.UploadRef) (*storage.Upload, error) {
	u, err := s.local.Upload(ctx, ref)
	if err == nil && u.Initiator == initiator {
		return nil, fmt.Errorf("upload %q: %w", ref.ID, storage.ErrNoSuchUpload)
	}
	return u, err
}

// PutPart implements storage.Uploads.
func (s *Store) PutPart(ctx context.Context, in storage.PartInput) (*storage.Part, error) {
	return s.local.PutPart(ctx, in)
}

// CopyPart implements storage.Uploads.
func (s *Store) CopyPart(ctx context.Context, in storage.CopyPartInput) (*storage.Part, error) {
	if err := s.first(ctx, in.Source.Bucket, in.Source.Key, false); err != nil {
		return nil, err
	}
	return s.local.CopyPart(ctx, in)
}

// ListParts implements storage.Uploads.
func (s *Store) ListParts(ctx context.Context, id storage.UploadRef, after, limit int) ([]storage.Part, bool, error) {
	return s.local.ListParts(ctx, id, after, limit)
}

// CompleteUpload implements storage.Uploads.
func (s *Store) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	if _, err := s.local.Upload(ctx, in.Upload); err != nil {
		return s.local.CompleteUpload(ctx, in) // it may have been completed before
	}
	if err := s.first(ctx, in.Upload.Bucket, in.Upload.Key, in.If.Zero()); err != nil {
		return nil, err
	}
	o, err := s.local.CompleteUpload(ctx, in)
	return o, s.after(ctx, in.Upload.Bucket, in.Upload.Key, err)
}

// AbortUpload implements storage.Uploads.
func (s *Store) AbortUpload(ctx context.Context, in storage.AbortInput) error {
	return s.local.AbortUpload(ctx, in)
}

// ListUploads implements storage.Lister, without those of the copier.
func (s *Store) ListUploads(ctx context.Context, in storage.ListInput) (*storage.UploadPage, error) {
	if err := s.know(ctx, in.Bucket); err != nil {
		return nil, err
	}
	out := &storage.UploadPage{}
	for want := in.Limit; ; {
		p, err := s.local.ListUploads(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range p.Uploads {
			if p.Uploads[i].Initiator != initiator {
				out.Uploads = append(out.Uploads, p.Uploads[i])
			}
		}
		out.Prefixes = append(out.Prefixes, p.Prefixes...)
		out.Truncated, out.NextAfter, out.NextID = p.Truncated, p.NextAfter, p.NextID
		in.After, in.AfterID, in.Limit = p.NextAfter, p.NextID, want-len(out.Uploads)-len(out.Prefixes)
		if !p.Truncated || in.Limit <= 0 {
			return out, nil
		}
	}
}

// abortOwn aborts the uploads of a copier that was cut off.
func abortOwn(ctx context.Context, l storage.Backend) error {
	return eachBucket(ctx, l, func(info *storage.Bucket) error {
		in := storage.ListInput{Bucket: info.Name, Limit: 1000}
		for {
			p, err := l.ListUploads(ctx, in)
			if err != nil {
				return err
			}
			for i := range p.Uploads {
				if p.Uploads[i].Initiator != initiator {
					continue
				}
				if err := l.AbortUpload(ctx, storage.AbortInput{Upload: p.Uploads[i].UploadRef}); err != nil && !errors.Is(err, storage.ErrNoSuchUpload) {
					return err
				}
			}
			if !p.Truncated {
				return nil
			}
			in.After, in.AfterID = p.NextAfter, p.NextID
		}
	})
}

// bucketLister is what eachBucket needs of a side.
type bucketLister interface {
	ListBuckets(ctx context.Context, prefix, after string, limit int) ([]*storage.Bucket, bool, error)
}

// eachBucket calls f with every bucket of a side.
func eachBucket(ctx context.Context, l bucketLister, f func(*storage.Bucket) error) error {
	for after := ""; ; {
		list, more, err := l.ListBuckets(ctx, "", after, 1000)
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
