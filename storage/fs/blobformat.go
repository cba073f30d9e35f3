package fs

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/objsrv/objsrv/storage"
)

// A blob file:
//
//	header  4096 bytes: magic, format, kind, blob id, whose it is; CRC32C at the end
//	data    the content from offset 4096 on, as it is
//	table   a CRC32C for each 64 KiB of data, in chunks of 1024, each chunk followed
//	        by a CRC32C over the blob's id, its size, the chunk's number and the chunk
//	meta    the record of the version, for restoring the index; with a CRC32C
//	tail    64 bytes: magic, blob id, size, where the meta is, CRC32C
//
// The tail is what the file ends with; a record that had to be replaced before the
// version was published is followed by a new one and a new tail. A read needs the
// table and the data alone, and finds the table by the size.
const (
	headerSize  = 4096
	blockData   = 64 << 10
	chunkBlocks = 1024
	tailSize    = 64
	blobFormat  = 1
	headerMagic = "OBJSRVB1"
	tailMagic   = "OBJSRVT1"
)

// blobKind says what a blob file holds.
type blobKind byte

const (
	kindObject   blobKind = 1 // the content of an object
	kindPart     blobKind = 2 // a part of an upload
	kindManifest blobKind = 3 // the manifest of an object
)

// blobOwner is whose a blob file is, as its header tells.
type blobOwner struct {
	kind     blobKind
	bucket   string
	bucketID uint64
	key      string
	upload   string
	part     int
}

func (o *blobOwner) String() string {
	s := fmt.Sprintf("%s/%s", o.bucket, o.key)
	if o.kind == kindPart {
		s += fmt.Sprintf(" (part %d of upload %s)", o.part, o.upload)
	}
	return s
}

// putHeader writes the header into its 4096 bytes.
func putHeader(h []byte, id uint64, o *blobOwner) {
	clear(h[:headerSize])
	b := append(h[:0], headerMagic...)
	b = append(b, blobFormat, byte(o.kind))
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint64(b, o.bucketID)
	b = binary.LittleEndian.AppendUint32(b, uint32(o.part))
	b = appendString(b, o.bucket)
	b = appendString(b, o.upload)
	appendString(b, o.key)
	binary.LittleEndian.PutUint32(h[headerSize-4:], crcOf(h[:headerSize-4]))
}

// parseHeader checks a header and tells the blob's id and whose it is.
func parseHeader(h []byte) (id uint64, o blobOwner, err error) {
	if len(h) != headerSize || string(h[:8]) != headerMagic ||
		crcOf(h[:headerSize-4]) != binary.LittleEndian.Uint32(h[headerSize-4:]) {
		return 0, o, fmt.Errorf("header of a blob: %w", storage.ErrDamaged)
	}
	d := reader{b: h[8 : headerSize-4]}
	if f := d.byte(); f != blobFormat {
		return 0, o, fmt.Errorf("blob of format %d: %w", f, storage.ErrDamaged)
	}
	o.kind = blobKind(d.byte())
	id = d.u64()
	o.bucketID = d.u64()
	o.part = int(d.u32())
	o.bucket = string(d.bytes())
	o.upload = string(d.bytes())
	o.key = string(d.bytes())
	return id, o, d.err("header of a blob")
}

// blocksOf is the number of checksummed blocks of n bytes of data.
func blocksOf(n int64) int64 { return (n + blockData - 1) / blockData }

// tableSize is the length of the table for n bytes of data.
func tableSize(n int64) int64 {
	blocks := blocksOf(n)
	return 4 * (blocks + (blocks+chunkBlocks-1)/chunkBlocks)
}

// chunkCRC is the checksum of one chunk of the table.
func chunkCRC(id uint64, size int64, chunk int64, entries []byte) uint32 {
	var h [24]byte
	binary.LittleEndian.PutUint64(h[:], id)
	binary.LittleEndian.PutUint64(h[8:], uint64(size))
	binary.LittleEndian.PutUint64(h[16:], uint64(chunk))
	return crcOf(h[:], entries)
}

// appendTable appends the table for the checksums of all blocks.
func appendTable(b []byte, id uint64, size int64, sums []uint32) []byte {
	for chunk := int64(0); len(sums) > 0; chunk++ {
		n := min(len(sums), chunkBlocks)
		start := len(b)
		for _, s := range sums[:n] {
			b = binary.LittleEndian.AppendUint32(b, s)
		}
		b = binary.LittleEndian.AppendUint32(b, chunkCRC(id, size, chunk, b[start:]))
		sums = sums[n:]
	}
	return b
}

// appendTail appends the record and the tail; at is the offset where the record goes.
func appendTail(b []byte, id uint64, size, at int64, meta []byte) []byte {
	b = append(b, meta...)
	b = binary.LittleEndian.AppendUint32(b, crcOf(meta))
	start := len(b)
	b = append(b, tailMagic...)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(meta)))
	b = append(b, make([]byte, tailSize-4-(len(b)-start))...)
	return binary.LittleEndian.AppendUint32(b, crcOf(b[start:]))
}

// blobTail is what the tail tells.
type blobTail struct {
	id            uint64
	size          int64
	metaAt, metaN int64
}

func parseTail(b []byte) (t blobTail, err error) {
	if len(b) != tailSize || string(b[:8]) != tailMagic ||
		crcOf(b[:tailSize-4]) != binary.LittleEndian.Uint32(b[tailSize-4:]) {
		return t, fmt.Errorf("tail of a blob: %w", storage.ErrDamaged)
	}
	d := reader{b: b[8:]}
	t.id, t.size, t.metaAt, t.metaN = d.u64(), int64(d.u64()), int64(d.u64()), int64(d.u64())
	if t.size < 0 || t.metaAt < headerSize || t.metaN < 0 {
		return t, fmt.Errorf("tail of a blob: %w", storage.ErrDamaged)
	}
	return t, nil
}

// blobName is a blob's directory and file name.
func blobName(id uint64) (segment, name string) {
	return strconv.FormatUint(id>>segmentBits, 16), strconv.FormatUint(id, 16)
}

// parseBlobName undoes blobName.
func parseBlobName(segment, name string) (id uint64, ok bool) {
	id, err := strconv.ParseUint(name, 16, 64)
	if err != nil {
		return 0, false
	}
	s, n := blobName(id)
	return id, s == segment && n == name
}
