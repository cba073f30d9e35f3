package storagetest

import (
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

func (x *exec) buildRename(o op, bucket, key string) call {
	from := x.liveKey(bucket, pick(keyNames, o.n[3]), o.n[11])
	refusing := chance(o.n[4], 10)
	return call{
		text: oneLine(fmt.Sprintf("rename %s %.60q to %.60q, refusing %t", bucket, from, key, refusing)),
		do: func(b storage.Backend, _ func(string) string) (a answer) {
			out, source, err := b.RenameObject(x.ctx, storage.RenameInput{
				Bucket: bucket, Source: from, Key: key, Owner: "renamer", Props: props(o.n[5]),
				Check: func(from, to *storage.Object) error {
					a.object(from)
					if to != nil {
						a.object(to)
					}
					if refusing {
						return errBody
					}
					return nil
				},
			})
			if !a.fail(err) {
				a.object(out)
				a.add(" source %t", source.DeleteMarker)
				a.id(source.VersionID)
			}
			return a
		},
	}
}
