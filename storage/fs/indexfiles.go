package fs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// The forms of Pebble's files that are looked at here: a file of values (extension
// "blob") is blocks, each behind its bytes the kind of compression and a checksum, then
// an index of them as one more block, then a footer. A log and a manifest are blocks of
// 32 KiB of chunks, each with a checksum, its length and its encoding in front.
const (
	valueExt       = ".blob"
	tableExt       = ".sst"
	logExt         = ".log"
	blockTrailer   = 5
	valueFooterLen = 38
	chunkBlock     = 32 << 10
)

// indexCRC is the checksum of the index's files, as Pebble finishes it.
func indexCRC(p []byte) uint32 {
	c := crc32.Checksum(p, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// checkBlock verifies a block that is followed by its trailer.
func checkBlock(p []byte) error {
	n := len(p) - 4
	if n < 1 || indexCRC(p[:n]) != binary.LittleEndian.Uint32(p[n:]) {
		return fmt.Errorf("checksum of a block of %d bytes: %w", len(p), storage.ErrDamaged)
	}
	return nil
}

// valueFooter is what the footer of a file of values tells.
type valueFooter struct{ indexOff, indexLen int64 }

func parseValueFooter(p []byte) (f valueFooter, err error) {
	if len(p) != valueFooterLen || indexCRC(p[4:]) != binary.LittleEndian.Uint32(p) {
		return f, fmt.Errorf("checksum of the footer: %w", storage.ErrDamaged)
	}
	return valueFooter{int64(binary.LittleEndian.Uint64(p[4:])), int64(binary.LittleEndian.Uint64(p[12:]))}, nil
}

// valueFile is a file of values that Pebble reads. Pebble panics when it finds one
// damaged as it opens it or rewrites it, in a goroutine of its own even. So damage is
// found here first and given to Pebble as an error of reading, which it hands on.
type valueFile struct {
	vfs.File
	name string
	size int64
}

func openValueFile(file vfs.File, name string) (vfs.File, error) {
	info, err := file.Stat()
	if err == nil && info.Size() < valueFooterLen {
		err = fmt.Errorf("index file %s has %d bytes: %w", name, info.Size(), storage.ErrDamaged)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return valueFile{file, name, info.Size()}, nil
}

// ReadAt implements vfs.File. Pebble reads the footer, or one block with its trailer.
func (f valueFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	switch {
	case n < len(p) && (err == nil || errors.Is(err, io.EOF)):
		err = fmt.Errorf("it ends at %d: %w", off+int64(n), storage.ErrDamaged)
	case err != nil:
	case off == f.size-valueFooterLen:
		_, err = parseValueFooter(p)
	default:
		err = checkBlock(p)
	}
	if err != nil {
		return n, fmt.Errorf("index file %s at %d: %w", f.name, off, err)
	}
	return n, nil
}

// checkJournals looks for damage in the manifest and the logs of a closed index, that
// Pebble would take for the torn end of a write that a power cut left behind, and drop
// with all that follows.
func checkJournals(fs vfs.FS, dir string) error {
	desc, err := pebble.Peek(dir, fs)
	if err != nil {
		return fmt.Errorf("look at index: %w", err)
	}
	if !desc.Exists {
		return nil
	}
	raw, err := readFile(fs, desc.ManifestFilename)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if at, bad := damagedManifest(raw); bad {
		return fmt.Errorf("index file %s at %d: %w", fs.PathBase(desc.ManifestFilename), at, storage.ErrDamaged)
	}
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("list index: %w", err)
	}
	for _, name := range names {
		num, err := strconv.ParseUint(strings.TrimSuffix(name, logExt), 10, 64)
		if path.Ext(name) != logExt || err != nil {
			continue
		}
		raw, err := readFile(fs, fs.PathJoin(dir, name))
		if err != nil {
			return fmt.Errorf("read log of the index: %w", err)
		}
		if at, bad := damagedLog(raw, uint32(num)); bad {
			return fmt.Errorf("index file %s at %d: %w", name, at, storage.ErrDamaged)
		}
	}
	return nil
}

// chunk is a chunk of a manifest or log.
type chunk struct {
	end    int
	synced uint64 // how much of the log was durable when it was written
	log    uint32
	form   byte // 0 plain, 1 with the number of the log, 2 with synced too
}

// chunkHeaders are the lengths of headers by form.
var chunkHeaders = [3]int{7, 11, 19}

// parseChunk reads the chunk at a place. ok is false when there is no sound one.
func parseChunk(b []byte, at int) (c chunk, ok bool) {
	limit := min(len(b), at-at%chunkBlock+chunkBlock)
	if at+chunkHeaders[0] > limit {
		return c, false
	}
	encoding := b[at+6]
	if encoding < 1 || encoding > 12 {
		return c, false
	}
	c.form = (encoding - 1) / 4
	header := chunkHeaders[c.form]
	c.end = at + header + int(binary.LittleEndian.Uint16(b[at+4:]))
	if c.end > limit || indexCRC(b[at+6:c.end]) != binary.LittleEndian.Uint32(b[at:]) {
		return c, false
	}
	if c.form > 0 {
		c.log = binary.LittleEndian.Uint32(b[at+7:])
	}
	if c.form > 1 {
		c.synced = binary.LittleEndian.Uint64(b[at+11:])
	}
	return c, true
}

// chunksEnd is where the sound chunks from the beginning end.
func chunksEnd(b []byte, log uint32) int {
	at := 0
	for at < len(b) {
		c, ok := parseChunk(b, at)
		if ok && (c.form == 0 || c.log == log) {
			at = c.end
			continue
		}
		// What is too short for a header at the end of a block is zeros.
		next := at - at%chunkBlock + chunkBlock
		if next-at >= chunkHeaders[2] || next >= len(b) || !zeros(b[at:next]) {
			return at
		}
		at = next
	}
	return at
}

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// damagedLog tells whether a log is damaged where its chunks end: when a chunk behind
// says that more had been durable by then. Without one, this is where a power cut left
// off, or a flipped bit in what was written last, which looks the same.
func damagedLog(b []byte, log uint32) (at int, bad bool) {
	end := chunksEnd(b, log)
	for at := end + 1; at+chunkHeaders[2] <= len(b); at++ {
		if b[at+6] < 9 || b[at+6] > 12 || binary.LittleEndian.Uint32(b[at+7:]) != log {
			continue
		}
		if c, ok := parseChunk(b, at); ok && c.synced > uint64(end) {
			return end, true
		}
	}
	return end, false
}

// damagedManifest tells whether a manifest is damaged where its chunks end. Each of its
// records is durable before the next one is written, so that a sound chunk behind says
// that this one was. The last one is torn when it goes beyond the end of the file or
// lacks a sector, and else damaged.
func damagedManifest(b []byte) (at int, bad bool) {
	end := chunksEnd(b, 0)
	if len(b)-end < chunkHeaders[0] {
		return end, false
	}
	for at := end + 1; at+chunkHeaders[0] < len(b); at++ {
		if c, ok := parseChunk(b, at); ok && c.form == 0 && c.end > at+chunkHeaders[0] {
			return end, true
		}
	}
	for s := end; s < len(b); s = s - s%512 + 512 {
		if zeros(b[s:min(len(b), s-s%512+512)]) {
			return end, false
		}
	}
	limit := min(len(b), end-end%chunkBlock+chunkBlock)
	if end+chunkHeaders[0]+int(binary.LittleEndian.Uint16(b[end+4:])) <= limit {
		return end, true
	}
	// The length may be what is damaged, which its checksum does not cover.
	return end, indexCRC(b[end+6:limit]) == binary.LittleEndian.Uint32(b[end:])
}
