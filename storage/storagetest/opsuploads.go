package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/objsrv/objsrv/storage"
)

func (x *exec) buildUpload(o op, bucket, key string) call {
	return call{
		text: oneLine(fmt.Sprintf("createUpload %s %.40q", bucket, key)),
		do: func(b storage.Backend, _ func(string) string) (a answer) {
			u, err := b.CreateUpload(x.ctx, storage.UploadInput{
				Bucket: bucket, Key: key, Meta: meta(o.n[2]), Initiator: "i", ChecksumAlgorithm: pick([]string{"", "CRC32"}, o.n[3]), ChecksumType: "COMPOSITE",
			})
			if a.fail(err) {
				return a
			}
			a.id(u.ID)
			timeless := *u
			timeless.ID, timeless.Begun = "", time.Time{}
			a.add("%s", describeUpload(&timeless))
			return a
		},
		ended: func(a answer) {
			x.ups = append(x.ups, storage.UploadRef{Bucket: bucket, Key: key, ID: a.ids[0]})
		},
	}
}

// partNumber picks the number of a part; few, so that they replace each other.
func partNumber(n uint32) int { return pick([]int{1, 2, 3, 4, 7, 10000}, n) }

// part appends the description of a part.
func (a *answer) part(p *storage.Part) {
	a.add(" %s", describeParts([]storage.Part{*p}))
}

func (x *exec) buildPart(o op, bucket string) call {
	ref, number := x.upload(bucket, o.n[1]), partNumber(o.n[2])
	content, size, failing, reader := bodyOf([3]uint32(o.n[3:6]))
	return call{
		text: oneLine(fmt.Sprintf("putPart %.60q number %d, %d bytes (told %d, failing %t)", ref, number, len(content), size, failing)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			body := reader()
			p, err := b.PutPart(x.ctx, storage.PartInput{Upload: refFor(ref, id), Number: number, Body: body, Size: size, Digest: body.digest})
			a.lenient = failing
			if !a.fail(err) {
				a.part(p)
			}
			return a
		},
	}
}

func (x *exec) buildCopyPart(o op, bucket, key string) call {
	ref, number := x.upload(bucket, o.n[2]), partNumber(o.n[3])
	from := storage.Ref{Bucket: bucket, Key: key}
	if chance(o.n[4], 2) {
		from.Version = x.version(bucket, key, o.n[5])
	}
	return call{
		text: oneLine(fmt.Sprintf("copyPart %.60q number %d from %.60q", ref, number, from)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			src := from
			src.Version = id(from.Version)
			var size int64
			if o, err := b.StatObject(x.ctx, src); err == nil {
				size = o.Length()
			}
			off := int64(o.n[6]) % (size + 1)
			in := copyPartInput(refFor(ref, id), number, src, off, int64(o.n[7])%(size-off+1))
			if chance(o.n[8], 6) {
				in.SourceETag = "wrong"
			}
			p, err := b.CopyPart(x.ctx, in)
			a.lenient = true
			if !a.fail(err) {
				a.part(p)
			}
			return a
		},
	}
}

func (x *exec) buildListParts(o op, bucket string) call {
	ref := x.upload(bucket, o.n[1])
	return call{
		text: oneLine(fmt.Sprintf("listParts %.60q", ref)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			parts, more, err := b.ListParts(x.ctx, refFor(ref, id), int(o.n[2]%4), int(o.n[3]%4)+1)
			if !a.fail(err) {
				a.add(" %s more %t", describeParts(parts), more)
			}
			return a
		},
	}
}

// completion makes up the request of a CompleteUpload. The parts are those that are
// there, but for one mistake now and then. One that succeeded is asked for again as
// it was.
func (x *exec) completion(o op, ref storage.UploadRef) (by completedBy, cond uint32, failing bool) {
	if by, ok := x.done[ref.ID]; ok {
		return by, noCondition, false
	}
	parts, _, err := x.model.ListParts(x.ctx, ref, 0, 100)
	if err != nil || len(parts) == 0 {
		parts = []storage.Part{{Number: 1, ETag: "x"}}
	}
	for i, p := range parts {
		if len(parts) > 1 && chance(o.n[2]>>i, 5) {
			continue // not every part need be named
		}
		c := storage.CompletePart{Number: p.Number, ETag: p.ETag}
		if chance(o.n[3]>>i, 2) {
			c.Checksum = p.Checksum.Value
		}
		by.parts = append(by.parts, c)
	}
	switch o.n[4] % 16 {
	case 0:
		slices.Reverse(by.parts)
	case 1:
		if len(by.parts) > 0 {
			by.parts[len(by.parts)-1].ETag = "wrong"
		}
	case 2:
		if len(by.parts) > 0 {
			by.parts[0].Checksum = "d3Jvbmc="
		}
	case 3:
		by.parts = append(by.parts, storage.CompletePart{Number: 10001, ETag: "missing"})
	case 4:
		by.min = 5000
	case 5:
		failing = true
	}
	return by, o.n[5], failing
}

func (x *exec) buildComplete(o op, bucket string) call {
	ref := x.upload(bucket, o.n[1])
	by, cond, failing := x.completion(o, ref)
	refused := errors.New("refused by Digest")
	return call{
		text: oneLine(fmt.Sprintf("complete %.60q of %v, parts of at least %d, digest failing %t%s", ref, by.parts, by.min, failing, conditionText(cond))),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			out, err := b.CompleteUpload(x.ctx, storage.CompleteInput{
				Upload: refFor(ref, id), Parts: by.parts, MinPartSize: by.min,
				If: condition(x, b, storage.Ref{Bucket: ref.Bucket, Key: ref.Key}, cond, false),
				Digest: func(u *storage.Upload, parts []storage.Part) (storage.Digest, error) {
					if failing {
						return storage.Digest{}, refused
					}
					return joinDigest(u, parts)
				},
			})
			if a.fail(err) {
				a.add(" by Digest %t", errors.Is(err, refused))
				return a
			}
			a.object(out)
			return a
		},
		ended: func(answer) { x.done[ref.ID] = by },
	}
}

func (x *exec) buildAbort(o op, bucket string) call {
	ref := x.upload(bucket, o.n[1])
	mode := o.n[2] % 4
	return call{
		text: oneLine(fmt.Sprintf("abort %.60q mode %d", ref, mode)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			in := storage.AbortInput{Upload: refFor(ref, id)}
			if u, err := b.Upload(x.ctx, in.Upload); err == nil {
				switch mode {
				case 0:
					in.IfBegun = u.Begun.Truncate(time.Second)
				case 1:
					in.IfBegun = u.Begun.Truncate(time.Second).Add(time.Second)
				}
			}
			a.fail(b.AbortUpload(x.ctx, in))
			return a
		},
	}
}
