package s3api

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

// docQuota names the bucket's quota among its documents: the bytes that it may hold, in decimal
// digits. A bucket without the document has no quota. docObjectQuota is the number of versions with content, alike.
const (
	docQuota       = "quota"
	docObjectQuota = "quota-objects"
)

// quotaUnreadable stands for a quota that is set and can't be read: nothing is written then.
const quotaUnreadable = -1

// parseQuota reads the document.
func parseQuota(doc []byte) int64 {
	n, err := strconv.ParseInt(string(doc), 10, 64)
	if err != nil || n <= 0 {
		return quotaUnreadable
	}
	return n
}

// Quota returns how many bytes the bucket may hold, 0 for as many as there is room for. The errors are
// those of storage.Backend.
func (s *Server) Quota(ctx context.Context, bucket string) (int64, error) {
	return s.quota(ctx, bucket, docQuota)
}

// ObjectQuota returns how many versions with content the bucket may hold, 0 for any number. Errors as of Quota.
func (s *Server) ObjectQuota(ctx context.Context, bucket string) (int64, error) {
	return s.quota(ctx, bucket, docObjectQuota)
}

func (s *Server) quota(ctx context.Context, bucket, doc string) (int64, error) {
	b, err := s.Backend.Bucket(ctx, bucket)
	if err != nil || b.Docs[doc] == nil {
		return 0, err
	}
	if n := parseQuota(b.Docs[doc]); n > 0 {
		return n, nil
	}
	return 0, errors.New("the bucket's quota can't be read; set it again")
}

// SetQuota bounds the content bytes of all versions in the bucket; 0 removes the bound. What is
// there already stays. The errors are those of storage.Backend.
func (s *Server) SetQuota(ctx context.Context, bucket string, limit int64) error {
	return s.SetQuotas(ctx, bucket, &limit, nil)
}

// SetQuotas is SetQuota for the content bytes and for the number of versions with content, in one step. A bound that is
// nil stays what it is.
func (s *Server) SetQuotas(ctx context.Context, bucket string, bytes, objects *int64) error {
	limits := map[string]*int64{docQuota: bytes, docObjectQuota: objects}
	for _, n := range limits {
		if n != nil && *n < 0 {
			return errors.New("a quota is not negative")
		}
	}
	return s.Backend.UpdateBucket(ctx, bucket, func(b *storage.Bucket) error {
		for doc, n := range limits {
			switch {
			case n == nil:
			case *n == 0:
				delete(b.Docs, doc)
			default:
				if b.Docs == nil {
					b.Docs = map[string][]byte{}
				}
				b.Docs[doc] = strconv.AppendInt(nil, *n, 10)
			}
		}
		return nil
	})
}

// quotas holds what running writes into buckets with a quota have claimed, so that those that run at
// the same time can't together exceed it. It is for one process.
type quotas struct {
	mu      sync.Mutex
	claimed map[string]claimed // by bucket
}

// claimed is what has been claimed of a bucket.
type claimed struct{ bytes, objects int64 }

// claim is room in a bucket that one write has taken. The zero claim is that of a bucket
// without quota.
type claim struct {
	of      *quotas
	bucket  string
	limit   int64 // the quota of bytes, 0 for none
	n       int64
	objects int64
}

// release gives the room back, once the write is in the bucket's counters or has failed.
func (cl claim) release() {
	if cl.of == nil {
		return
	}
	cl.of.mu.Lock()
	defer cl.of.mu.Unlock()
	left := cl.of.claimed[cl.bucket]
	left.bytes -= cl.n
	if left.objects -= cl.objects; left.bytes > 0 || left.objects > 0 {
		cl.of.claimed[cl.bucket] = left
	} else {
		delete(cl.of.claimed, cl.bucket)
	}
}

// claim takes room for an object of size bytes, or refuses the write. What it replaces counts until it has been
// replaced, as in MinIO. Parts of an upload that is not complete are in no counter: each is held
// against the quota alone, and all of them when they are completed.
func (c *call) claim(b *storage.Bucket, size int64) (claim, error) {
	return c.claimUpTo(b, size, size, 1)
}

// claimBytes is claim for bytes that make no further object.
func (c *call) claimBytes(b *storage.Bucket, size int64) (claim, error) {
	return c.claimUpTo(b, size, size, 0)
}

// claimUpTo takes room for most bytes, or for as many as there is room for when those are not
// fewer than least, and for so many objects.
func (c *call) claimUpTo(b *storage.Bucket, least, most, objects int64) (claim, error) {
	if b.Docs[docQuota] == nil && b.Docs[docObjectQuota] == nil {
		return claim{}, nil
	}
	limit, objectLimit := c.s.settings(b).quota, c.s.settings(b).objects
	if limit == quotaUnreadable || objectLimit == quotaUnreadable {
		return claim{}, errorf("InternalError", "The bucket's quota can't be read; nothing is written without it.")
	}
	q := &c.s.quotas
	q.mu.Lock()
	defer q.mu.Unlock()
	use, err := c.s.Backend.Usage(c.ctx, b.Name)
	if err != nil {
		return claim{}, err
	}
	taken := q.claimed[b.Name]
	if objectLimit > 0 && objects > 0 && use.Versions+taken.objects+objects > objectLimit {
		return claim{}, errObjectQuota(b.Name, objectLimit)
	}
	cl := claim{of: q, bucket: b.Name, limit: limit, n: most, objects: objects}
	if limit > 0 {
		room := limit - use.Bytes - taken.bytes
		if least > room {
			return claim{}, errQuota(b.Name, limit)
		}
		cl.n = min(most, room)
	}
	if q.claimed == nil {
		q.claimed = map[string]claimed{}
	}
	q.claimed[b.Name] = claimed{taken.bytes + cl.n, taken.objects + objects}
	return cl, nil
}

// errQuota has the code and the status of MinIO.
func errQuota(bucket string, limit int64) *Error {
	return errorf("XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded: the bucket may hold %d bytes. Delete versions, or have an administrator raise the quota.", limit).
		with("BucketName", bucket)
}

func errObjectQuota(bucket string, limit int64) *Error {
	return errorf("XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded: the bucket may hold %d objects, all versions counted. Delete some, or have an administrator raise the quota.", limit).
		with("BucketName", bucket)
}

// claimParts takes room for the parts that a CompleteMultipartUpload names. A part that is replaced
// meanwhile has another ETag, by which the store refuses it; of an upload that is gone the store says
// whether it was completed.
func (c *call) claimParts(b *storage.Bucket, in *storage.CompleteInput) (claim, error) {
	if b.Docs[docQuota] == nil && b.Docs[docObjectQuota] == nil {
		return claim{}, nil
	}
	named := make(map[int]bool, len(in.Parts))
	for _, p := range in.Parts {
		named[p.Number] = true
	}
	var size int64
	for after, more := 0, true; more; {
		var parts []storage.Part
		var err error
		parts, more, err = c.s.Backend.ListParts(c.ctx, in.Upload, after, 1000)
		if errors.Is(err, storage.ErrNoSuchUpload) {
			return claim{}, nil
		}
		if err != nil {
			return claim{}, err
		}
		for i := range parts {
			after = parts[i].Number
			if named[after] {
				size += parts[i].Size
			}
		}
		more = more && len(parts) > 0
	}
	return c.claim(b, size)
}
