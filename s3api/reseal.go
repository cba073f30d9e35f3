package s3api

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
)

// resealPage is how many versions one call of Reseal looks at.
const resealPage = 500

// ResealPlace is a place among all versions of all buckets, in the order of listings; the zero is the beginning.
type ResealPlace struct{ Bucket, Key, VersionID string }

// ResealPage is what Reseal has done.
type ResealPage struct {
	Looked   int         // versions
	Resealed int         // of them, whose keys were sealed anew
	Failed   int         // of them, whose keys don't open
	First    error       // why the first of those does not
	Next     ResealPlace // to go on from, the zero at the end
}

// Reseal seals the keys of the objects behind a place anew where they were sealed with an older version of a named
// key; contents stay as they lie. It looks at a page of versions. Objects with customers' keys are not the server's to
// seal. Open uploads keep what they were begun with. A key that does not open, and never will, is in nobody's way: it is
// counted. The errors are those of storage.Backend and Keys; after one each object is kept as before or anew.
func (s *Server) Reseal(ctx context.Context, from ResealPlace) (out ResealPage, err error) {
	if s.Keys == nil {
		return out, errNoKeys()
	}
	if from.Key == "" { // the bucket named has been done
		list, _, err := s.Backend.ListBuckets(ctx, "", from.Bucket, 1)
		if err != nil || len(list) == 0 {
			return out, err
		}
		from.Bucket = list[0].Name
	}
	page, err := s.Backend.ListVersions(ctx, storage.ListInput{Bucket: from.Bucket, After: from.Key, AfterID: from.VersionID, Limit: resealPage})
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return ResealPage{Next: ResealPlace{Bucket: from.Bucket}}, nil
	}
	if err != nil {
		return out, err
	}
	for i := range page.Objects {
		o := &page.Objects[i]
		if o.DeleteMarker {
			continue
		}
		out.Looked++
		done, err := s.resealOne(ctx, storage.Ref{Bucket: from.Bucket, Key: o.Key, Version: o.VersionID})
		switch {
		case errors.Is(err, keyring.ErrNoKey), errors.Is(err, keyring.ErrWrongKey), errors.Is(err, storage.ErrDamaged):
			if out.Failed++; out.First == nil {
				out.First = fmt.Errorf("%s/%s: %w", from.Bucket, o.Key, err)
			}
		case err != nil:
			return out, err
		case done:
			out.Resealed++
		}
	}
	out.Next = ResealPlace{Bucket: from.Bucket}
	if page.Truncated {
		out.Next.Key, out.Next.VersionID = page.NextAfter, page.NextID
	}
	return out, nil
}

// errResealed says that a version is kept otherwise by now.
var errResealed = errors.New("sealed by somebody else meanwhile")

// resealOne seals the key of one version anew, if it needs it and is still there.
func (s *Server) resealOne(ctx context.Context, ref storage.Ref) (bool, error) {
	o, err := s.Backend.StatObject(ctx, ref)
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	was := o.Props[propSealing]
	old, err := sealingOf(o.Props)
	if err != nil || !old.encrypted() || old.Mode == sseCustomer || s.Keys.Newest(old.KeyName, old.Sealed) {
		return false, err
	}
	c := &call{s: s, ctx: ctx}
	key, err := c.unseal(old, ref.Bucket, ref.Key, nil)
	if err != nil {
		return false, err
	}
	fresh := *old
	if err := c.seal(&fresh, ref.Bucket, ref.Key, key, nil); err != nil {
		return false, err
	}
	_, err = s.Backend.SetProps(ctx, ref, func(o *storage.Object) (map[string]string, error) {
		if o.Props[propSealing] != was {
			return nil, errResealed
		}
		return fresh.in(cloneProps(o.Props))
	})
	if gone(err) || errors.Is(err, errResealed) {
		return false, nil
	}
	return err == nil, err
}

// gone tells that a version has been deleted since it was listed.
func gone(err error) bool {
	return errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion) || errors.Is(err, storage.ErrNoSuchBucket) || errors.Is(err, storage.ErrMarker)
}
