package migrate

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// errChanged says that the source gives something else than it lists.
var errChanged = errors.New("the source gives another version than it lists")

// copyVersion copies one version as the source lists it. ErrPrecondition when it is here, or is wanted no more.
func (s *Store) copyVersion(ctx context.Context, b *bucket, v *storage.Object, f *flight) error {
	info, err := s.local.Bucket(ctx, b.name)
	if err != nil {
		return err
	}
	origin := storage.Origin{VersionID: v.VersionID, Modified: v.Modified}
	ref := storage.Ref{Bucket: b.name, Key: v.Key, Version: v.VersionID}
	if v.DeleteMarker {
		return s.local.ImportMarker(ctx, ref, info.Owner, origin)
	}
	if b.view().simple {
		ref.Version = ""
	}
	c := &copying{s: s, b: b, f: f, ctx: ctx, ref: ref, origin: origin, owner: info.Owner}
	if partsOf(v.ETag) > 0 {
		return c.parted(v)
	}
	return c.whole(v)
}

// partsOf returns the number of parts that an ETag tells, 0 for none.
func partsOf(etag string) int {
	_, n, _ := strings.Cut(etag, "-")
	count, err := strconv.Atoi(n)
	if err != nil || count < 1 || count > 10_000 {
		return 0
	}
	return count
}

// copying is the copy of one version that has content.
type copying struct {
	s      *Store
	b      *bucket
	f      *flight
	ctx    context.Context
	ref    storage.Ref
	origin storage.Origin
	owner  string
}

// same checks that what was opened is what was listed.
func same(o, listed *storage.Object) error {
	if o.ETag != listed.ETag || o.Size != listed.Size {
		return fmt.Errorf("%w: ETag %q and %d bytes, listed with %q and %d", errChanged, o.ETag, o.Size, listed.ETag, listed.Size)
	}
	return nil
}

func (c *copying) meta(o *storage.Object) storage.Meta {
	return storage.Meta{Owner: c.owner, Class: o.Class, Attrs: o.Attrs, Tags: o.Tags, Props: o.Props}
}

// plain takes from a version what the source alone can say of it, and tells whether that keeps it encrypted.
func plain(o *storage.Object) (encrypted bool) {
	if o == nil || o.Props[storage.PropEncryptedThere] == "" {
		return false
	}
	o.Props = maps.Clone(o.Props)
	delete(o.Props, storage.PropEncryptedThere)
	return true
}

// conditions keep a copy from replacing what a request has written. Where there are versions the key has been settled
// before any request wrote it.
func (c *copying) conditions() storage.Conditions {
	if c.b.view().simple {
		return storage.Conditions{IfNoneMatch: "*"}
	}
	return storage.Conditions{}
}

// whole copies a version that was put whole.
func (c *copying) whole(v *storage.Object) error {
	o, content, err := c.s.source.GetObject(c.ctx, c.ref)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := same(o, v); err != nil {
		return err
	}
	encrypted := plain(o)
	err = c.store(o, content, md5Of(o.ETag))
	if err == nil && encrypted {
		c.b.inTheClear()
	}
	return err
}

// store stores the content under the source's ETag. With want it must have this MD5, unless the source says otherwise
// of the ETag by not having it: an encrypted object's is another.
func (c *copying) store(o *storage.Object, content storage.Content, want bool) error {
	body := &body{c: c, r: content.Range(0, o.Length()), sum: md5.New()}
	_, err := c.s.local.ImportObject(c.ctx, storage.PutInput{
		Bucket: c.ref.Bucket, Key: c.ref.Key, Meta: c.meta(o), Body: body, Size: o.Length(), If: c.conditions(),
		Digest: func() storage.Digest { return storage.Digest{ETag: o.ETag, Checksum: o.Checksum} },
	}, c.origin)
	if err == nil && !(want && hex.EncodeToString(body.sum.Sum(nil)) == o.ETag) {
		c.b.unproven()
	}
	return err
}

// md5Of tells whether an ETag has the form of an MD5.
func md5Of(etag string) bool {
	raw, err := hex.DecodeString(etag)
	return err == nil && len(raw) == md5.Size
}

// parted copies a version that was uploaded in parts. Without knowing them it is stored whole, under its ETag all the same.
func (c *copying) parted(v *storage.Object) error {
	parts, err := c.s.source.Parts(c.ctx, c.ref)
	if errors.Is(err, storage.ErrNotSupported) {
		parts, err = nil, nil
	}
	if err != nil {
		return err
	}
	o, content, err := c.s.source.OpenPart(c.ctx, c.ref)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := same(o, v); err != nil {
		return err
	}
	encrypted := plain(o)
	var size int64
	for i := range parts {
		size += parts[i].Size
	}
	whole := len(parts) == 0 || size != o.Size
	if whole {
		err = c.store(o, content, false)
	} else {
		err = c.upload(o, content, parts)
	}
	if err == nil && whole {
		c.b.withoutParts()
	}
	if err == nil && encrypted {
		c.b.inTheClear()
	}
	return err
}

// upload copies part by part.
func (c *copying) upload(o *storage.Object, content storage.Content, parts []storage.Part) error {
	local := c.s.local
	u, err := local.CreateUpload(c.ctx, storage.UploadInput{Bucket: c.ref.Bucket, Key: c.ref.Key, Meta: c.meta(o), Initiator: initiator})
	if err != nil {
		return err
	}
	all := md5.New()
	in := storage.CompleteInput{Upload: u.UploadRef, If: c.conditions(), Digest: func(*storage.Upload, []storage.Part) (storage.Digest, error) {
		return storage.Digest{ETag: o.ETag, Checksum: o.Checksum}, nil
	}}
	var off int64
	for i := range parts {
		p := &parts[i]
		body := &body{c: c, r: content.Range(off, p.Size), sum: md5.New()}
		off += p.Size
		var sum []byte
		var stored *storage.Part
		stored, err = local.PutPart(c.ctx, storage.PartInput{Upload: u.UploadRef, Number: p.Number, Body: body, Size: p.Size, Digest: func() storage.Digest {
			sum = body.sum.Sum(nil)
			return storage.Digest{ETag: hex.EncodeToString(sum), Checksum: p.Checksum}
		}})
		if err != nil {
			break
		}
		all.Write(sum)
		in.Parts = append(in.Parts, storage.CompletePart{Number: p.Number, ETag: stored.ETag})
	}
	if err == nil {
		_, err = local.ImportUpload(c.ctx, in, c.origin)
	}
	if err != nil {
		// It would be aborted when the copier starts the next time.
		return errors.Join(err, local.AbortUpload(context.WithoutCancel(c.ctx), storage.AbortInput{Upload: u.UploadRef}))
	}
	if hex.EncodeToString(all.Sum(nil))+"-"+strconv.Itoa(len(parts)) != o.ETag {
		c.b.unproven()
	}
	return nil
}

func (b *bucket) unproven() {
	b.mu.Lock()
	b.rec.Unproven++
	b.mu.Unlock()
}

func (b *bucket) inTheClear() {
	b.mu.Lock()
	b.rec.InTheClear++
	b.mu.Unlock()
}

func (b *bucket) withoutParts() {
	b.mu.Lock()
	b.rec.Whole++
	b.mu.Unlock()
}

// body is content on its way here, at the speed that it may have.
type body struct {
	c   *copying
	r   io.Reader
	sum hash.Hash
}

// chunk is how much is read at once, so that the rate is even.
const chunk = 64 << 10

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if err := context.Cause(b.c.ctx); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p[:min(len(p), chunk)])
	_, _ = b.sum.Write(p[:n]) // a hash does not fail
	if n > 0 && !b.c.f.urgent.Load() {
		if werr := b.c.s.rate.wait(b.c.ctx, n); werr != nil && err == nil {
			err = werr
		}
	}
	return n, err
}
