package fs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/objsrv/objsrv/storage"
)

func (c *checker) fileOf(id uint64) string {
	segment, name := blobName(id)
	return c.s.fs.PathJoin(blobsName, segment, name)
}

// data checks that there is no inline content that no version refers to. Each
// version's content has been seen, so that equal numbers say so.
func (c *checker) data() error {
	var n int64
	if err := c.each(rangeData, func(_, _ []byte) error { n++; return nil }); err != nil {
		return err
	}
	if n <= c.inline {
		return nil // missing content has been reported with its version
	}
	var known []uint64
	collect := func(key []byte, id uint64, v []byte) {
		r := new(record)
		if decodeRecord(r, v, id, key, &arena{chunk: 64}, false) == nil && r.place == placeInline {
			known = append(known, r.loc)
		}
	}
	if err := c.eachVersion(collect); err != nil {
		return err
	}
	slices.Sort(known)
	return c.each(rangeData, func(k, v []byte) error {
		if len(k) != 9 {
			return indexError(errKeyForm)
		}
		id := binary.BigEndian.Uint64(k[1:])
		if _, ok := slices.BinarySearch(known, id); !ok {
			c.problem(Problem{Kind: "reference", Detail: fmt.Sprintf("content %x of %d bytes in the index belongs to no version", id, len(v))})
		}
		return nil
	})
}

// eachVersion calls use for every version of every bucket.
func (c *checker) eachVersion(use func(key []byte, bucket uint64, value []byte)) error {
	if err := c.each(rangeObject, func(k, v []byte) error {
		use(k[9:], binary.BigEndian.Uint64(k[1:]), v)
		return nil
	}); err != nil {
		return err
	}
	return c.each(rangeVersion, func(k, v []byte) error {
		key, _, err := splitEscaped(nil, k)
		if err != nil {
			return indexError(err)
		}
		use(key, binary.BigEndian.Uint64(k[1:]), v)
		return nil
	})
}

// references compares the reference counts, and verifies each blob that is referred to.
func (c *checker) references() error {
	counted := map[uint64]bool{}
	err := c.each(rangeRef, func(k, v []byte) error {
		if len(k) != 9 {
			return indexError(errKeyForm)
		}
		id := binary.BigEndian.Uint64(k[1:])
		counted[id] = true
		sum, _, err := decodeSum(k, v)
		b := c.blob(id)
		switch {
		case err != nil:
			c.problem(Problem{Kind: "reference", File: c.fileOf(id), Detail: err.Error()})
		case sum[0] != b.refs:
			c.problem(Problem{Kind: "reference", File: c.fileOf(id), Detail: fmt.Sprintf("reference count is %d, counted %d", sum[0], b.refs)})
		case sum[0] == 0 && !b.pending:
			c.problem(Problem{Kind: "reference", File: c.fileOf(id), Detail: "nothing refers to it and it is not queued to be reclaimed"})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, b := range c.blobs {
		if b.refs == 0 {
			continue
		}
		if !counted[id] {
			c.problem(Problem{Kind: "reference", File: c.fileOf(id), Detail: fmt.Sprintf("no reference count, counted %d", b.refs)})
		}
		if err := c.verify(id, b); err != nil {
			return err
		}
	}
	return nil
}

// verify reads a blob. What is wrong with it is noted, to be reported with every
// version that it belongs to.
func (c *checker) verify(id uint64, b *blobRefs) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	c.stats.Blobs++
	in, f, err := c.s.inspectBlob(id)
	if err == nil {
		defer f.close()
		if b.size >= 0 && in.size != b.size {
			err = fmt.Errorf("has %d bytes, the index says %d", in.size, b.size)
		} else if err = f.verify(c.ctx, nil); err == nil {
			c.stats.Bytes += in.size
			return nil
		}
	}
	if cerr := c.ctx.Err(); cerr != nil {
		return cerr
	}
	if c.s.stillReferred(id) {
		c.bad[id] = err.Error()
	}
	return nil
}

// stillReferred tells whether a blob has references now. What the check found missing
// may have been deleted since it began.
func (s *Store) stillReferred(id uint64) bool {
	k := keyOf(rangeRef, id)
	var refs int64
	found, err := get(s.db, k, func(v []byte) error {
		sum, _, err := decodeSum(k, v)
		refs = sum[0]
		return err
	})
	return err != nil || found && refs > 0
}

// files looks for files that do not belong to the store.
func (c *checker) files() error {
	root := c.s.layout.path(blobsName)
	segments, err := c.s.fs.List(root)
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	slices.Sort(segments)
	for _, seg := range segments {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		files, err := c.s.fs.List(c.s.fs.PathJoin(root, seg))
		if err != nil {
			c.problem(Problem{Kind: "stray", File: c.s.fs.PathJoin(blobsName, seg), Detail: "not a directory of blobs"})
			continue
		}
		slices.Sort(files)
		for _, name := range files {
			id, ok := parseBlobName(seg, name)
			if ok && (c.blobs[id] != nil || id >= c.upcoming || c.s.blobs.has(id) || c.s.db != nil && c.s.referred(id)) {
				continue
			}
			p := Problem{Kind: "stray", File: c.s.fs.PathJoin(blobsName, seg, name), Detail: "nothing refers to it"}
			if in, f, err := c.s.inspectBlob(id); ok && err == nil {
				f.close()
				p.Bucket, p.Key = in.owner.bucket, in.owner.key
			}
			if _, err := c.s.fs.Stat(c.s.layout.path(p.File)); err == nil {
				c.problem(p)
			}
		}
	}
	return nil
}

// referred tells whether the index knows a blob now.
func (s *Store) referred(id uint64) bool {
	found, err := get(s.db, keyOf(rangeRef, id), func([]byte) error { return nil })
	return found || err != nil
}

// blame reports each version and part that bad blobs belong to.
func (c *checker) blame() error {
	if len(c.bad) == 0 {
		return nil
	}
	named := map[uint64]bool{}
	tell := func(p Problem, id uint64) {
		if why, ok := c.bad[id]; ok {
			named[id] = true
			p.Kind, p.File, p.Detail = "blob", c.fileOf(id), why
			c.problem(p)
		}
	}
	err := c.eachVersion(func(key []byte, bucket uint64, v []byte) {
		r := new(record)
		if decodeRecord(r, v, bucket, key, &arena{chunk: 64}, false) != nil || r.place < placeBlob {
			return
		}
		name, _ := c.bucket(bucket)
		p := Problem{Bucket: name, Key: string(key), Version: versionName(r)}
		tell(p, r.loc)
		if r.place != placeManifest {
			return
		}
		if m, err := c.manifest(r.loc); err == nil {
			for i := range m.parts {
				for _, x := range m.parts[i].extents {
					tell(p, x.blob)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	uploads := map[uint64]Problem{}
	if err := c.each(rangeUpload, func(k, v []byte) error {
		key, seq, err := splitEscaped(nil, k)
		if err != nil {
			return indexError(err)
		}
		name, _ := c.bucket(binary.BigEndian.Uint64(k[1:]))
		if u, err := decodeUpload(k, v, name, string(key), seq, false); err == nil {
			uploads[seq] = Problem{Bucket: name, Key: u.Key, Upload: u.ID}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := c.each(rangePart, func(k, v []byte) error {
		part, err := decodePart(k, v)
		if err != nil || len(k) < 9 {
			return nil // reported before
		}
		p := uploads[binary.BigEndian.Uint64(k[1:])]
		p.Part = part.Number
		for _, x := range part.extents {
			tell(p, x.blob)
		}
		return nil
	}); err != nil {
		return err
	}
	for id, why := range c.bad {
		if !named[id] {
			c.problem(Problem{Kind: "blob", File: c.fileOf(id), Detail: why})
		}
	}
	return nil
}

// blobsAlone verifies all blob files when there is no index to tell what they are for.
func (c *checker) blobsAlone() error {
	return c.s.eachBlob(func(id uint64) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		c.stats.Blobs++
		in, f, err := c.s.inspectBlob(id)
		if err == nil {
			err = f.verify(c.ctx, nil)
			f.close()
		}
		if err == nil {
			c.stats.Bytes += in.size
			return nil
		}
		if !errors.Is(err, storage.ErrDamaged) {
			return err
		}
		p := Problem{Kind: "blob", File: c.fileOf(id), Detail: err.Error()}
		if in != nil {
			p.Bucket, p.Key = in.owner.bucket, in.owner.key
		}
		c.problem(p)
		return nil
	})
}

// eachBlob calls use for the id of every blob file, in ascending order.
func (s *Store) eachBlob(use func(id uint64) error) error {
	root := s.layout.path(blobsName)
	names, err := s.fs.List(root)
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	var segments []uint64
	for _, n := range names {
		if seg, err := strconv.ParseUint(n, 16, 64); err == nil {
			segments = append(segments, seg)
		}
	}
	slices.Sort(segments)
	for _, seg := range segments {
		name := strconv.FormatUint(seg, 16)
		files, err := s.fs.List(s.fs.PathJoin(root, name))
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		var ids []uint64
		for _, f := range files {
			if id, ok := parseBlobName(name, f); ok {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		for _, id := range ids {
			if err := use(id); err != nil {
				return err
			}
		}
	}
	return nil
}
