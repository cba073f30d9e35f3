package fs

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

func (c *checker) buckets() error {
	return c.each(rangeBucket, func(k, v []byte) error {
		c.stats.Buckets++
		id, info, err := decodeBucket(string(k[1:]), v)
		if err != nil {
			c.problem(Problem{Kind: "record", Bucket: string(k[1:]), Detail: err.Error()})
			return nil
		}
		c.names[id] = info.Name
		c.use[id] = &usage{}
		return nil
	})
}

// bucket names a bucket for a problem, and returns its counters.
func (c *checker) bucket(id uint64) (string, *usage) {
	if name, ok := c.names[id]; ok {
		return name, c.use[id]
	}
	return fmt.Sprintf("(unknown, id %d)", id), &usage{}
}

func (c *checker) blob(id uint64) *blobRefs {
	b := c.blobs[id]
	if b == nil {
		b = &blobRefs{size: -1}
		c.blobs[id] = b
	}
	return b
}

// version checks one version and its content.
func (c *checker) version(bucketID uint64, key, value []byte) (*record, bool) {
	name, use := c.bucket(bucketID)
	p := Problem{Kind: "record", Bucket: name, Key: string(key)}
	if _, ok := c.names[bucketID]; !ok {
		p.Detail = "no such bucket"
		c.problem(p)
	}
	r := new(record)
	if err := decodeRecord(r, value, bucketID, key, &arena{chunk: 64}, true); err != nil {
		p.Detail = err.Error()
		c.problem(p)
		return nil, false
	}
	p.Version = versionName(r)
	if r.marker {
		c.stats.Markers++
		use.markers++
		return r, true
	}
	c.stats.Versions++
	use.versions++
	use.bytes += r.size
	p.Kind = "content"
	switch r.place {
	case placeNone:
		if r.stored != 0 {
			p.Detail = fmt.Sprintf("%d bytes without a place", r.stored)
			c.problem(p)
		}
	case placeInline:
		c.inline++
		if err := c.content(r); err != nil {
			p.Detail = err.Error()
			c.problem(p)
		}
	case placeBlob:
		c.blob(r.loc).refs++
		c.blob(r.loc).size = r.stored
	case placeManifest:
		c.blob(r.loc).refs++
		m, err := c.manifest(r.loc)
		if err == nil {
			err = m.check(r)
		}
		if err != nil {
			p.Detail = err.Error()
			c.problem(p)
		}
	}
	return r, true
}

// content checks inline content.
func (c *checker) content(r *record) error {
	found, err := get(c.r, dataKey(r.loc), func(v []byte) error {
		if int64(len(v)) != r.stored || contentCRC(r.loc, v) != r.crc {
			return fmt.Errorf("checksum of the bytes in the index: %w", storage.ErrDamaged)
		}
		c.stats.Bytes += r.stored
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("bytes are missing in the index: %w", storage.ErrDamaged)
	}
	return err
}

func (c *checker) manifest(id uint64) (m *manifest, err error) {
	found, err := get(c.r, keyOf(rangeManifest, id), func(v []byte) (err error) {
		m, err = decodeManifest(id, v)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("manifest %x is missing: %w", id, storage.ErrDamaged)
	}
	return m, err
}

func (c *checker) objects() error {
	return c.each(rangeObject, func(k, v []byte) error {
		if len(k) < 9 {
			return indexError(errKeyForm)
		}
		id, key := binary.BigEndian.Uint64(k[1:]), k[9:]
		c.stats.Objects++
		_, use := c.bucket(id)
		use.objects++
		if r, ok := c.version(id, key, v); ok && r.marker {
			name, _ := c.bucket(id)
			c.problem(Problem{Kind: "record", Bucket: name, Key: string(key), Version: versionName(r), Detail: "a delete marker among the live versions"})
		}
		return nil
	})
}

// versions checks the noncurrent versions, and that none of them should be current.
func (c *checker) versions() error {
	var last []byte
	return c.each(rangeVersion, func(k, v []byte) error {
		key, inverse, err := splitEscaped(nil, k)
		if err != nil {
			return indexError(err)
		}
		id := binary.BigEndian.Uint64(k[1:])
		r, ok := c.version(id, key, v)
		if !ok {
			return nil
		}
		name, _ := c.bucket(id)
		p := Problem{Kind: "record", Bucket: name, Key: string(key), Version: versionName(r)}
		if r.seq != ^inverse {
			p.Detail = "record in another version's place"
			c.problem(p)
		}
		prefix := k[:len(k)-8]
		if !bytes.Equal(prefix, last) {
			last = append(last[:0], prefix...)
			if p.Detail = c.newest(id, key, r); p.Detail != "" {
				c.problem(p)
			}
		}
		if r.null {
			if seq, ok, err := nullSeq(c.r, id, string(key)); err != nil || !ok || seq != r.seq {
				p.Detail = fmt.Sprintf("pointer to the null version: %d, there %t, %v", seq, ok, err)
				c.problem(p)
			}
		}
		return nil
	})
}

// newest checks the first noncurrent version of a key against the current one.
func (c *checker) newest(id uint64, key []byte, r *record) (wrong string) {
	var cur *record
	_, err := get(c.r, objectKey(id, string(key)), func(v []byte) error {
		cur = new(record)
		return decodeRecord(cur, v, id, key, &arena{chunk: 64}, false)
	})
	switch {
	case err != nil: // reported with the current version itself
	case cur == nil && !r.marker:
		return "newest version of its key, but not the current one"
	case cur != nil && cur.seq <= r.seq:
		return "newer than the current version"
	}
	return ""
}

func (c *checker) nulls() error {
	return c.each(rangeNull, func(k, v []byte) error {
		if len(k) < 9 {
			return indexError(errKeyForm)
		}
		id, key := binary.BigEndian.Uint64(k[1:]), string(k[9:])
		name, _ := c.bucket(id)
		f, err := nullVersion(c.r, id, key, false)
		if err != nil || f == nil || !f.rec.null {
			c.problem(Problem{Kind: "reference", Bucket: name, Key: key, Version: storage.NullVersion, Detail: fmt.Sprintf("pointer to a null version that is not there (%v)", err)})
		}
		return nil
	})
}

func (c *checker) manifests() error {
	return c.each(rangeManifest, func(k, v []byte) error {
		if len(k) != 9 {
			return indexError(errKeyForm)
		}
		id := binary.BigEndian.Uint64(k[1:])
		m, err := decodeManifest(id, v)
		if err != nil {
			c.problem(Problem{Kind: "record", File: c.fileOf(id), Detail: err.Error()})
			return nil
		}
		for i := range m.parts {
			c.extents(m.parts[i].extents)
		}
		return nil
	})
}

func (c *checker) extents(list []extent) {
	for _, x := range list {
		b := c.blob(x.blob)
		b.refs++
		b.size = x.size
	}
}

func (c *checker) uploads() error {
	return c.each(rangeUpload, func(k, v []byte) error {
		key, seq, err := splitEscaped(nil, k)
		if err != nil {
			return indexError(err)
		}
		c.stats.Uploads++
		name, _ := c.bucket(binary.BigEndian.Uint64(k[1:]))
		if _, err := decodeUpload(k, v, name, string(key), seq, true); err != nil {
			c.problem(Problem{Kind: "record", Bucket: name, Key: string(key), Detail: err.Error()})
		}
		return nil
	})
}

func (c *checker) parts() error {
	return c.each(rangePart, func(k, v []byte) error {
		c.stats.Parts++
		p, err := decodePart(k, v)
		if err != nil {
			c.problem(Problem{Kind: "record", Detail: fmt.Sprintf("part %x: %v", k[1:], err)})
			return nil
		}
		c.extents(p.extents)
		return nil
	})
}

func (c *checker) queue() error {
	return c.each(rangeReclaim, func(k, _ []byte) error {
		if len(k) != 17 {
			return indexError(errKeyForm)
		}
		c.blob(binary.BigEndian.Uint64(k[1:])).pending = true
		return nil
	})
}

// notes reads the calendars; a note of a bucket that is gone, or of a key that is, is no problem.
func (c *checker) notes() error {
	return c.each(rangeNote, func(k, _ []byte) error {
		_, err := parseNote(k)
		return err
	})
}

// counters compares what has been counted with what is stored.
func (c *checker) counters() error {
	for id, use := range c.use {
		k := countKey(id)
		var sum [maxSum]int64
		_, err := get(c.r, k, func(v []byte) (err error) { sum, _, err = decodeSum(k, v); return err })
		want := [maxSum]int64{use.objects, use.versions, use.markers, use.bytes}
		if err != nil || sum != want {
			c.problem(Problem{Kind: "counter", Bucket: c.names[id], Detail: fmt.Sprintf(
				"stored objects, versions, markers, bytes %v, counted %v (%v)", sum, want, err)})
		}
	}
	return nil
}
