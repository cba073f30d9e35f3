package fs

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// place says where a version's content lies.
type place uint8

const (
	placeNone     place = iota // no content
	placeInline                // rangeData
	placeBlob                  // one blob file
	placeManifest              // several blob files, or shared ones, named in rangeManifest
)

// record is the metadata of one version as the index keeps it.
type record struct {
	seq, rnd  uint64
	null      bool // its version id is "null"
	marker    bool // a delete marker
	modified  int64
	size      int64
	stored    int64 // length of the content as it is kept
	place     place
	loc       uint64 // data id, blob id or manifest id
	crc       uint32 // CRC32C of inline content
	etag      string
	owner     string
	class     string
	checksum  storage.Checksum
	partCount int
	uploadID  string
	given     string // the version id, where another store has given it; "" for one that is made of seq and rnd
	attrs     []storage.Attr
	tags      []storage.Tag
	props     map[string]string
}

const (
	flagMarker = 1 << iota
	flagNull
	flagUpload
	flagMeta
	placeShift = 4
	flagCoded  = 1 << 6 // stored is not size
)

// identity is what a record belongs to: the checksum of the record covers it, so that
// a record in another's place shows.
func identity(dst []byte, bucket uint64, key string) []byte {
	dst = binary.BigEndian.AppendUint64(dst, bucket)
	return append(dst, key...)
}

// appendRecord encodes r as a version of key.
func appendRecord(b []byte, r *record, bucket uint64, key string) []byte {
	return appendRecordAt(b, r, identity(make([]byte, 0, 8+len(key)), bucket, key))
}

// appendRecordAt is appendRecord for who has the identity at hand: it is what follows
// the first byte of a key of rangeObject.
func appendRecordAt(b []byte, r *record, ident []byte) []byte {
	start := len(b)
	flags := byte(r.place) << placeShift
	if r.marker {
		flags |= flagMarker
	}
	if r.null {
		flags |= flagNull
	}
	if r.uploadID != "" || r.partCount > 0 {
		flags |= flagUpload
	}
	if len(r.attrs) > 0 || len(r.tags) > 0 || len(r.props) > 0 {
		flags |= flagMeta
	}
	coded := !r.marker && r.stored != r.size
	if coded {
		flags |= flagCoded
	}
	format := byte(recordVersion)
	if r.given != "" {
		format = givenVersion
	}
	b = append(b, format, flags)
	b = binary.LittleEndian.AppendUint64(b, r.seq)
	if !r.null {
		b = binary.LittleEndian.AppendUint64(b, r.rnd)
	}
	b = binary.AppendVarint(b, r.modified)
	if !r.marker {
		b = binary.AppendUvarint(b, uint64(r.size))
		if coded {
			b = binary.AppendUvarint(b, uint64(r.stored))
		}
		b = appendETag(b, r.etag)
		b = appendString(b, r.class)
		b = appendChecksum(b, r.checksum)
	}
	b = appendString(b, r.owner)
	if r.place != placeNone {
		b = binary.AppendUvarint(b, r.loc)
	}
	if r.place == placeInline {
		b = binary.LittleEndian.AppendUint32(b, r.crc)
	}
	if flags&flagUpload != 0 {
		b = binary.AppendUvarint(b, uint64(r.partCount))
		b = appendString(b, r.uploadID)
	}
	if r.given != "" {
		b = appendString(b, r.given)
	}
	if flags&flagMeta != 0 {
		b = appendMeta(b, r.attrs, r.tags, r.props)
	}
	return binary.LittleEndian.AppendUint32(b, crcOf(ident, b[start:]))
}

// decodeRecord decodes the value of a version of key into r.
func decodeRecord(r *record, value []byte, bucket uint64, key []byte, a *arena, full bool) error {
	ident := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(key)), bucket)
	return decodeRecordAt(r, value, append(ident, key...), a, full)
}

// decodeRecordAt is decodeRecord for who has the identity at hand. Strings are made in
// a; attributes, tags and properties only when full. Owner and class reuse r's strings
// when they are the same, so that a listing makes them once.
func decodeRecordAt(r *record, value, ident []byte, a *arena, full bool) error {
	n := len(value) - 4
	if n < 2 || crcOf(ident, value[:n]) != binary.LittleEndian.Uint32(value[n:]) {
		return fmt.Errorf("checksum of the record of %q: %w", ident[8:], storage.ErrDamaged)
	}
	if value[0] != recordVersion && value[0] != givenVersion {
		return fmt.Errorf("record of %q has version %d: %w", ident[8:], value[0], storage.ErrDamaged)
	}
	flags := value[1]
	d := reader{b: value[2:n]}
	owner, class := r.owner, r.class
	if r.seq != 0 { // it has been used
		*r = record{}
	}
	r.marker, r.null, r.place = flags&flagMarker != 0, flags&flagNull != 0, place(flags>>placeShift)&3
	r.seq = d.u64()
	if !r.null {
		r.rnd = d.u64()
	}
	r.modified = d.varint()
	if !r.marker {
		r.size = int64(d.uvarint())
		if r.stored = r.size; flags&flagCoded != 0 {
			r.stored = int64(d.uvarint())
		}
		r.etag = d.etag(a)
		r.class = a.same(class, d.bytes())
		r.checksum = d.checksum(a)
	}
	r.owner = a.same(owner, d.bytes())
	if r.place != placeNone {
		r.loc = d.uvarint()
	}
	if r.place == placeInline {
		r.crc = d.u32()
	}
	if flags&flagUpload != 0 {
		r.partCount = int(d.uvarint())
		r.uploadID = a.str(d.bytes())
	}
	if value[0] == givenVersion {
		r.given = a.str(d.bytes())
	}
	if full && flags&flagMeta != 0 {
		r.attrs, r.tags, r.props = d.meta(a)
	}
	return d.err("record of a version")
}

// fill makes the storage.Object of r in o, which is zero. What is empty is not written,
// and nothing goes through a copy: a page has a thousand of these.
func (r *record) fill(o *storage.Object, key string, latest bool, a *arena) {
	o.Key, o.Latest, o.DeleteMarker = key, latest, r.marker
	o.Size, o.ETag, o.Modified = r.size, r.etag, time.UnixMilli(r.modified).UTC()
	o.Owner, o.Checksum, o.PartCount = r.owner, r.checksum, r.partCount
	if r.stored != r.size {
		o.Stored = r.stored
	}
	if r.class != "" {
		o.Class = r.class
	}
	if r.uploadID != "" {
		o.UploadID = r.uploadID
	}
	if r.attrs != nil || r.tags != nil || r.props != nil {
		o.Attrs, o.Tags, o.Props = r.attrs, r.tags, r.props
	}
	if r.null {
		o.VersionID = storage.NullVersion
		return
	}
	if r.given != "" {
		o.VersionID = r.given
		return
	}
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], r.seq)
	binary.BigEndian.PutUint64(raw[8:], r.rnd)
	o.VersionID = a.hex(raw[:])
}

func (r *record) object(key string, latest bool) *storage.Object {
	o := new(storage.Object)
	r.fill(o, key, latest, &arena{chunk: 32})
	return o
}
