package fs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/sstable/colblk"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// indexFiles verifies every byte of the tables and files of values: the blocks of a file
// lie side by side from its beginning to its footer, and each of them, and the footer,
// has a checksum. The manifest and the logs have been read when the index was opened.
// Of the others in the directory Pebble uses the names (markers, the lock), or compares
// words with those it expects before it opens (OPTIONS): there is nothing in them that
// could turn into other data.
func (c *checker) indexFiles() error {
	dir := c.s.layout.path(indexName)
	names, err := c.s.fs.List(dir)
	if err != nil {
		return fmt.Errorf("list index: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		full := c.s.fs.PathJoin(dir, name)
		if _, writing := c.s.gate.writing.Load(full); writing {
			continue // not of the index yet
		}
		switch path.Ext(name) {
		case tableExt:
			err = checkFile(c.ctx, c.s.fs, full, c.s.checkTable)
		case valueExt:
			err = checkFile(c.ctx, c.s.fs, full, checkValues)
		default:
			continue
		}
		if err == nil || isNotExist(err) {
			continue
		}
		if cerr := c.ctx.Err(); cerr != nil {
			return cerr
		}
		if _, serr := c.s.fs.Stat(full); serr == nil {
			c.problem(Problem{Kind: "index", File: c.s.fs.PathJoin(indexName, name), Detail: err.Error()})
		}
	}
	return nil
}

// span is a block within a file, with its trailer.
type span struct{ off, n int64 }

// checkFile verifies a file of the index: find gives its blocks and where its footer,
// which find verifies, begins.
func checkFile(ctx context.Context, fs vfs.FS, name string, find func(context.Context, vfs.File, int64) ([]span, int64, error)) error {
	f, err := fs.Open(name, vfs.SequentialReadsOption)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	spans, footer, err := find(ctx, f, info.Size())
	if err != nil {
		return err
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.off - b.off) })
	var at int64
	var buf []byte
	for _, s := range append(spans, span{off: footer}) {
		if s.off != at {
			return fmt.Errorf("bytes %d to %d belong to no block: %w", at, s.off, storage.ErrDamaged)
		}
		if s.n == 0 {
			break
		}
		buf = slices.Grow(buf[:0], int(s.n))[:s.n]
		if _, err := f.ReadAt(buf, s.off); err != nil {
			return fmt.Errorf("read block at %d: %w", s.off, err)
		}
		if err := checkBlock(buf); err != nil {
			return fmt.Errorf("at %d: %w", s.off, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		at += s.n
	}
	return nil
}

// noClose keeps a file open that a reader would close.
type noClose struct{ vfs.File }

// Close implements vfs.File.
func (noClose) Close() error { return nil }

// checkTable finds the blocks of a table. To open it verifies the footer.
func (s *Store) checkTable(ctx context.Context, f vfs.File, size int64) (spans []span, footer int64, err error) {
	in, err := sstable.NewSimpleReadable(noClose{f})
	if err != nil {
		return nil, 0, err
	}
	o := indexOptions(s.fs, s.cache, minMemTable, indexLogger{s.gate, s.report}, func(error) {})
	o.EnsureDefaults()
	r, err := sstable.NewReader(ctx, in, o.MakeReaderOptions())
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	l, err := r.Layout()
	if err != nil {
		return nil, 0, err
	}
	add := func(list ...block.Handle) {
		for _, h := range list {
			if h.Length > 0 {
				spans = append(spans, span{int64(h.Offset), int64(h.Length) + blockTrailer})
			}
		}
	}
	for _, h := range l.Data {
		add(h.Handle)
	}
	for _, h := range l.Filter {
		add(h.Handle)
	}
	add(l.Index...)
	add(l.ValueBlock...)
	add(l.TopIndex, l.RangeDel, l.RangeKey, l.ValueIndex, l.Properties, l.MetaIndex, l.BlobReferenceIndex)
	if end := int64(l.Footer.Offset + l.Footer.Length); end != size {
		return nil, 0, fmt.Errorf("footer ends at %d of %d: %w", end, size, storage.ErrDamaged)
	}
	return spans, int64(l.Footer.Offset), nil
}

// checkValues finds the blocks of a file of values. Their index is a columnar block of
// two columns behind four bytes, the second of which has where each block begins, and
// where the last one ends.
func checkValues(_ context.Context, f vfs.File, size int64) (spans []span, footer int64, err error) {
	if size < valueFooterLen {
		return nil, 0, fmt.Errorf("file of %d bytes: %w", size, storage.ErrDamaged)
	}
	foot := make([]byte, valueFooterLen)
	footer = size - valueFooterLen
	if _, err := f.ReadAt(foot, footer); err != nil {
		return nil, 0, fmt.Errorf("read footer: %w", err)
	}
	h, err := parseValueFooter(foot)
	if err != nil {
		return nil, 0, err
	}
	if h.indexOff < 0 || h.indexLen < 4 || h.indexOff+h.indexLen+blockTrailer != footer {
		return nil, 0, fmt.Errorf("place of the index %d+%d: %w", h.indexOff, h.indexLen, storage.ErrDamaged)
	}
	raw := make([]byte, h.indexLen+blockTrailer)
	if _, err := f.ReadAt(raw, h.indexOff); err != nil {
		return nil, 0, fmt.Errorf("read index: %w", err)
	}
	if err := checkBlock(raw); err != nil {
		return nil, 0, fmt.Errorf("index: %w", err)
	}
	if raw[h.indexLen] != byte(block.NoCompressionIndicator) {
		return nil, 0, errors.New("index is compressed, which no known version writes")
	}
	d := colblk.DecodeBlock(raw[:h.indexLen], 4)
	virtual := int(binary.LittleEndian.Uint32(raw))
	_ = colblk.DecodeColumn(&d, 0, virtual, colblk.DataTypeUint, colblk.DecodeUnsafeUints)
	offsets := colblk.DecodeColumn(&d, 1, d.Rows()+1, colblk.DataTypeUint, colblk.DecodeUnsafeUints)
	for i := range d.Rows() {
		off := int64(offsets.At(i))
		spans = append(spans, span{off, int64(offsets.At(i+1)) - off})
	}
	return append(spans, span{h.indexOff, h.indexLen + blockTrailer}), footer, nil
}
