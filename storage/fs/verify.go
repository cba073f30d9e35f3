package fs

import (
	"context"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// inspected is what a blob file says about itself.
type inspected struct {
	owner blobOwner
	size  int64
	meta  []byte // the version's record; none for parts
}

// inspectBlob reads header, tail and record of a blob file and checks that they agree
// with each other and with the id that names the file.
func (s *Store) inspectBlob(id uint64) (*inspected, *blobFile, error) {
	b, err := s.openBlob(id, 0)
	if err != nil {
		return nil, nil, err
	}
	in, err := b.inspect()
	if err != nil {
		b.close()
		return nil, nil, err
	}
	b.size = in.size
	return in, b, nil
}

func (b *blobFile) inspect() (*inspected, error) {
	head := make([]byte, headerSize)
	if err := b.readAt(head, 0); err != nil {
		return nil, err
	}
	id, owner, err := parseHeader(head)
	if err != nil {
		return nil, err
	}
	if id != b.id {
		return nil, fmt.Errorf("file of blob %x holds blob %x of %s: %w", b.id, id, &owner, storage.ErrDamaged)
	}
	info, err := b.f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat blob: %w", err)
	}
	end := info.Size()
	if end < headerSize+tailSize {
		return nil, fmt.Errorf("blob %x has %d bytes: %w", b.id, end, storage.ErrDamaged)
	}
	raw := make([]byte, tailSize)
	if err := b.readAt(raw, end-tailSize); err != nil {
		return nil, err
	}
	tail, err := parseTail(raw)
	if err != nil {
		return nil, err
	}
	if tail.id != b.id || tail.metaAt < headerSize+tail.size+tableSize(tail.size) || tail.metaAt+tail.metaN+4+tailSize != end {
		return nil, fmt.Errorf("tail of blob %x does not fit the file: %w", b.id, storage.ErrDamaged)
	}
	meta := make([]byte, tail.metaN+4)
	if err := b.readAt(meta, tail.metaAt); err != nil {
		return nil, err
	}
	d := reader{b: meta[tail.metaN:]}
	if d.u32() != crcOf(meta[:tail.metaN]) {
		return nil, fmt.Errorf("record in blob %x: %w", b.id, storage.ErrDamaged)
	}
	return &inspected{owner: owner, size: tail.size, meta: meta[:tail.metaN]}, nil
}

// verify reads all data of a blob and checks it. use, when set, is given the data.
func (b *blobFile) verify(ctx context.Context, use func([]byte)) error {
	w := b.s.windows.get()
	defer b.s.windows.put(w)
	for off := int64(0); off < b.size; off += windowSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := b.fill(w, off, b.size)
		if err != nil {
			return err
		}
		if use != nil {
			use(data)
		}
	}
	return nil
}

// readManifest reads a manifest from its blob.
func (b *blobFile) readManifest(ctx context.Context) (*manifest, error) {
	var raw []byte
	if err := b.verify(ctx, func(p []byte) { raw = append(raw, p...) }); err != nil {
		return nil, err
	}
	return decodeManifest(b.id, raw)
}

// recordOf decodes the record that a blob holds.
func (in *inspected) recordOf() (*record, error) {
	r := new(record)
	err := decodeRecord(r, in.meta, in.owner.bucketID, []byte(in.owner.key), &arena{chunk: 64}, true)
	return r, err
}
