package fs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// encodeBucket encodes a bucket's record.
func encodeBucket(id uint64, b *storage.Bucket) []byte {
	v := []byte{recordVersion}
	v = binary.LittleEndian.AppendUint64(v, id)
	v = binary.AppendVarint(v, b.Created.UnixMilli())
	v = appendString(v, b.Owner)
	v = appendString(v, b.Region)
	lock := byte(0)
	if b.ObjectLock {
		lock = 1
	}
	v = append(v, byte(b.Versioning), lock)
	names := make([]string, 0, len(b.Docs))
	for n := range b.Docs {
		names = append(names, n)
	}
	slices.Sort(names)
	v = binary.AppendUvarint(v, uint64(len(names)))
	for _, n := range names {
		v = appendString(v, n)
		v = appendString(v, string(b.Docs[n]))
	}
	return seal(v, bucketKey(b.Name))
}

func decodeBucket(name string, value []byte) (uint64, *storage.Bucket, error) {
	v, err := unseal(value, bucketKey(name))
	if err != nil {
		return 0, nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	d := reader{b: v[1:]}
	a := &arena{chunk: len(v)}
	id := d.u64()
	b := &storage.Bucket{Name: name, Created: time.UnixMilli(d.varint()).UTC()}
	b.Owner = a.str(d.bytes())
	b.Region = a.str(d.bytes())
	b.Versioning = storage.Versioning(d.byte())
	b.ObjectLock = d.byte() == 1
	n := d.count()
	if n > 0 {
		b.Docs = make(map[string][]byte, n)
	}
	for range n {
		name := a.str(d.bytes())
		b.Docs[name] = append([]byte{}, d.bytes()...)
	}
	return id, b, d.err("bucket " + name)
}

// uploadRecord is an open upload as the index keeps it.
type uploadRecord struct {
	seq, rnd uint64
	storage.Upload
}

func encodeUpload(key []byte, u *uploadRecord) []byte {
	v := []byte{recordVersion}
	v = binary.LittleEndian.AppendUint64(v, u.rnd)
	v = binary.AppendVarint(v, u.Begun.UnixMilli())
	for _, s := range []string{u.Initiator, u.Meta.Owner, u.Meta.Class, u.ChecksumAlgorithm, u.ChecksumType} {
		v = appendString(v, s)
	}
	v = appendMeta(v, u.Meta.Attrs, u.Meta.Tags, u.Meta.Props)
	return seal(v, key)
}

func decodeUpload(key, value []byte, bucket, name string, seq uint64, full bool) (*uploadRecord, error) {
	v, err := unseal(value, key)
	if err != nil {
		return nil, fmt.Errorf("upload of %q: %w", name, err)
	}
	d := reader{b: v[1:]}
	a := &arena{chunk: len(v)}
	u := &uploadRecord{seq: seq, rnd: d.u64()}
	u.UploadRef = storage.UploadRef{Bucket: bucket, Key: name, ID: formatID(seq, u.rnd)}
	u.Begun = time.UnixMilli(d.varint()).UTC()
	for _, s := range []*string{&u.Initiator, &u.Meta.Owner, &u.Meta.Class, &u.ChecksumAlgorithm, &u.ChecksumType} {
		*s = a.str(d.bytes())
	}
	if full {
		u.Meta.Attrs, u.Meta.Tags, u.Meta.Props = d.meta(a)
	}
	return u, d.err("upload")
}

// extent is a blob that holds a piece of a part, whole.
type extent struct {
	blob uint64
	size int64
}

// partRecord is a part with the blobs that hold it.
type partRecord struct {
	storage.Part
	extents []extent
}

func appendPart(v []byte, p *partRecord) []byte {
	v = binary.AppendUvarint(v, uint64(p.Number))
	v = binary.AppendUvarint(v, uint64(p.Size))
	v = binary.AppendVarint(v, p.Modified.UnixMilli())
	v = appendETag(v, p.ETag)
	v = appendChecksum(v, p.Checksum)
	v = binary.AppendUvarint(v, uint64(len(p.extents)))
	for _, e := range p.extents {
		v = binary.AppendUvarint(v, e.blob)
		v = binary.AppendUvarint(v, uint64(e.size))
	}
	return v
}

func (d *reader) part(a *arena) (p partRecord) {
	p.Number = int(d.uvarint())
	p.Size = int64(d.uvarint())
	p.Modified = time.UnixMilli(d.varint()).UTC()
	p.ETag = d.etag(a)
	p.Checksum = d.checksum(a)
	n := d.count()
	if n > 0 {
		p.extents = make([]extent, n)
	}
	for i := range p.extents {
		p.extents[i] = extent{blob: d.uvarint(), size: int64(d.uvarint())}
		if p.extents[i].size < 0 {
			d.fail()
		}
	}
	p.setStored()
	return p
}

// length is the number of bytes that the part's blobs hold.
func (p *partRecord) length() (n int64) {
	for i := range p.extents {
		n += p.extents[i].size
	}
	return n
}

// setStored tells the length of what is stored where it is not that of the content.
func (p *partRecord) setStored() {
	p.Stored = 0
	if n := p.length(); n != p.Size {
		p.Stored = n
	}
}

func encodePart(key []byte, p *partRecord) []byte {
	return seal(appendPart([]byte{recordVersion}, p), key)
}

func decodePart(key, value []byte) (*partRecord, error) {
	v, err := unseal(value, key)
	if err != nil {
		return nil, fmt.Errorf("part: %w", err)
	}
	d := reader{b: v[1:]}
	p := d.part(&arena{chunk: 128})
	return &p, d.err("part")
}

// manifest is the list of parts of a version whose content is not one blob of its own.
type manifest struct {
	flat  bool // the version counts as put whole
	parts []partRecord
}

// size is the length of the content, stored that of the blobs that hold it.
func (m *manifest) size() (size, stored int64) {
	for i := range m.parts {
		size += m.parts[i].Size
		stored += m.parts[i].length()
	}
	return size, stored
}

// check compares the manifest with the version that it belongs to.
func (m *manifest) check(r *record) error {
	if size, stored := m.size(); size != r.size || stored != r.stored {
		return fmt.Errorf("manifest has %d bytes in %d, the version %d in %d: %w", size, stored, r.size, r.stored, storage.ErrDamaged)
	}
	return nil
}

// whole tells whether it is that of a copy which shares the content of an object that was put whole.
func (m *manifest) whole() bool { return m.flat && len(m.parts) == 1 && m.parts[0].Number == wholePart }

// wholePart is the number of the one part of such a manifest. No part of an upload has it.
const wholePart = 0

func (m *manifest) list() []storage.Part {
	list := make([]storage.Part, len(m.parts))
	for i := range m.parts {
		list[i] = m.parts[i].Part
	}
	return list
}

func encodeManifest(id uint64, m *manifest) []byte {
	v := make([]byte, 0, 16+64*len(m.parts))
	flags := byte(0)
	if m.flat {
		flags = 1
	}
	v = append(v, recordVersion, flags)
	v = binary.AppendUvarint(v, uint64(len(m.parts)))
	for i := range m.parts {
		v = appendPart(v, &m.parts[i])
	}
	return seal(v, keyOf(rangeManifest, id))
}

func decodeManifest(id uint64, value []byte) (*manifest, error) {
	v, err := unseal(value, keyOf(rangeManifest, id))
	if err != nil {
		return nil, fmt.Errorf("manifest %x: %w", id, err)
	}
	d := reader{b: v[1:]}
	m := &manifest{flat: d.byte()&1 != 0}
	a := &arena{chunk: min(len(v)*4, 1<<20)}
	m.parts = make([]partRecord, d.count())
	for i := range m.parts {
		m.parts[i] = d.part(a)
		if d.bad {
			break
		}
	}
	return m, d.err("manifest")
}

// encodeMark and decodeMark keep one number.
func encodeMark(key []byte, n uint64) []byte {
	return seal(binary.LittleEndian.AppendUint64([]byte{recordVersion}, n), key)
}

func decodeMark(key, value []byte) (uint64, error) {
	v, err := unseal(value, key)
	if err != nil {
		return 0, err
	}
	d := reader{b: v[1:]}
	n := d.u64()
	return n, d.err("number")
}
