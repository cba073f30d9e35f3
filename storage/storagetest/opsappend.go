package storagetest

import (
	"bytes"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// appendInput describes the appending of content.
func appendInput(bucket, key string, offset int64, content []byte) storage.AppendInput {
	b := newBody(bytes.NewReader(content))
	return storage.AppendInput{Bucket: bucket, Key: key, Offset: offset, Body: b, Size: int64(len(content)), Digest: b.digest, MaxParts: 10000, Whole: chained}
}

// chained is an AppendInput.Whole: what it makes depends on all that it is told.
func chained(old *storage.Object, added storage.Part) (storage.Digest, error) {
	return storage.Digest{ETag: digestOf([]byte(old.ETag + added.ETag)).ETag, Checksum: added.Checksum}, nil
}

func (x *exec) buildAppend(o op, bucket, key string) call {
	content, size, failing, reader := bodyOf([3]uint32(o.n[2:5]))
	off, refusing := int64(0), chance(o.n[6], 12)
	if chance(o.n[5], 12) {
		off = 1
	}
	return call{
		text: oneLine(fmt.Sprintf("append %s %.40q, %d bytes (told %d, failing %t), %d beside the end, refusing %t", bucket, key, len(content), size, failing, off, refusing)),
		do: func(b storage.Backend, _ func(string) string) (a answer) {
			body := reader()
			in := appendInput(bucket, key, off, nil)
			if old, err := b.StatObject(x.ctx, storage.Ref{Bucket: bucket, Key: key}); err == nil {
				in.Offset += old.Size
				if body.coded = old.Stored != 0; body.coded && body.size == int64(len(content)) {
					body.size++ // what is coded and has the same length can't be told from what is not
				}
			}
			in.Body, in.Size, in.Digest = body, size, body.digest
			if body.coded && chance(o.n[7], 2) {
				in.Number = 20000 + int(o.n[7]%100)
			}
			in.MaxParts = 30000
			in.Check = func(old *storage.Object) error {
				a.object(old)
				if refusing {
					return errBody
				}
				return nil
			}
			out, err := b.AppendObject(x.ctx, in)
			a.lenient = failing
			if !a.fail(err) {
				a.object(out)
			}
			return a
		},
	}
}
