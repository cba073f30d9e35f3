package s3api

import (
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/storage"
)

// asksSealing tells whether the request says anything of encryption: a copy onto itself may be about that alone.
func (c *call) asksSealing() bool {
	for name := range c.r.Header {
		if strings.HasPrefix(name, sseHeader) {
			return true
		}
	}
	return false
}

// sharesWith tells whether a copy that is to be kept as to says can have the source's content as it lies. Encrypted
// content has a key of its own, which is sealed anew for the copy, whatever it was sealed with before. An ETag that
// does not tell of the content can't be turned back into one that does.
func (u *unsealed) sharesWith(to *sealing) bool {
	if !u.encrypted() || !to.encrypted() {
		return u.encrypted() == to.encrypted()
	}
	return u.hidesETag() == to.hidesETag() || !u.hidesETag()
}

// sealAnew prepares a copy that has the source's content as it lies, and returns how it is kept.
func (c *call) sealAnew(in *storage.CopyInput, src *source, to *sealing, customer []byte) (*sealing, error) {
	from := &src.sealed
	if from.sealing == nil {
		return nil, nil
	}
	if !from.encrypted() {
		to = from.sealing
	} else {
		if from.key == nil {
			var err error
			if from.key, err = c.unseal(from.sealing, src.ref.Bucket, src.ref.Key, nil); err != nil {
				return nil, err
			}
		}
		if err := c.seal(to, in.Bucket, in.Key, from.key, customer); err != nil {
			return nil, err
		}
		if to.hidesETag() && !from.hidesETag() {
			in.ETag = hideETag(from.key, src.obj.ETag)
		}
	}
	var err error
	in.Meta.Props, err = to.in(in.Meta.Props)
	return to, err
}

// openPinned opens the content of a source as clients see it, when it is still the one that was looked at.
func (c *call) openPinned(src *source, ref storage.Ref) (storage.Content, error) {
	o, content, err := c.s.Backend.GetObject(c.ctx, ref)
	if err != nil {
		return nil, err
	}
	if o.ETag != src.obj.ETag || o.VersionID != src.obj.VersionID || o.Props[propSealing] != src.obj.Props[propSealing] {
		content.Close()
		return nil, fmt.Errorf("source %s/%s has changed: %w", ref.Bucket, ref.Key, storage.ErrPrecondition)
	}
	return c.open(&src.sealed, src.ref, o, content)
}

// copyAnew reads the source and stores what it holds as a new object of the request's own form.
func (c *call) copyAnew(b *storage.Bucket, in *storage.CopyInput, src *source, alg checksum.Algorithm) (*storage.Object, *sealing, error) {
	if alg == checksum.None {
		alg = algorithmOf(src.obj.Checksum)
	}
	if alg == checksum.None {
		alg = checksum.CRC64NVME
	}
	enc, err := c.newEncoding(b, in.Meta.Attrs)
	if err != nil {
		return nil, nil, err
	}
	content, err := c.openPinned(src, in.Source)
	if err != nil {
		return nil, nil, err
	}
	defer content.Close()
	h := c.s.Hasher.Get(src.obj.Size, alg, checksum.None)
	defer c.s.Hasher.Put(h)
	put := &storage.PutInput{Bucket: in.Bucket, Key: in.Key, Meta: in.Meta, If: in.If}
	o, err := c.put(put, &stream{content.Range(0, src.obj.Size), h, alg}, src.obj.Size, enc)
	return o, enc.sealingOrNil(), err
}

// copyPartAnew is CopyPart of content that is not shared: it is read as clients see it, and kept as the upload says.
func (c *call) copyPartAnew(in *storage.CopyPartInput, src *source, enc *encoding, s *stream) (*storage.Part, error) {
	content, err := c.openPinned(src, in.Source)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	s.r = content.Range(in.Off, in.Length)
	return c.putPart(&storage.PartInput{Upload: in.Upload, Number: in.Number}, s, in.Length, enc)
}
