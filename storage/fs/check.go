package fs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// Problem is one thing that Check found wrong. Fields that do not apply are empty.
type Problem struct {
	Kind    string // "index", "record", "content", "blob", "reference", "counter", "stray"
	Bucket  string
	Key     string
	Version string
	Upload  string // with Part, of an upload that is open
	Part    int
	File    string // relative to the directory
	Detail  string
}

// String gives the problem in one line.
func (p Problem) String() string {
	s := p.Kind + ": "
	if p.Bucket != "" {
		s += fmt.Sprintf("bucket %s ", p.Bucket)
	}
	if p.Key != "" {
		s += fmt.Sprintf("key %q ", p.Key)
	}
	if p.Version != "" {
		s += fmt.Sprintf("version %s ", p.Version)
	}
	if p.Upload != "" {
		s += fmt.Sprintf("part %d of upload %s ", p.Part, p.Upload)
	}
	if p.File != "" {
		s += fmt.Sprintf("file %s ", p.File)
	}
	return s + p.Detail
}

// CheckStats counts what Check has looked at.
type CheckStats struct {
	Buckets, Objects, Versions, Markers, Uploads, Parts, Blobs int64
	Bytes                                                      int64 // of content verified
	Problems                                                   int64
}

// Check verifies every checksum and every reference of an open store, while it goes
// on serving, and reports what is wrong. The error is of the check itself, not of what
// it found.
func (s *Store) Check(ctx context.Context, report func(Problem)) (CheckStats, error) {
	if err := s.enter(); err != nil {
		return CheckStats{}, err
	}
	defer s.leave()
	select {
	case <-s.reclaim.swept: // files without a commit are known from here on
	case <-ctx.Done():
		return CheckStats{}, ctx.Err()
	}
	c := newChecker(ctx, s, report)
	c.upcoming = s.blobs.upcoming()
	snap := s.db.NewSnapshot()
	defer snap.Close()
	c.r = snap
	wait(s.commits.barrier())
	err := c.run()
	return c.stats, err
}

// Check verifies the store in opts.Dir while nothing else uses it, without changing
// anything but the lock file. An index that can't be opened is a problem that is
// reported; the blobs are verified all the same.
func Check(ctx context.Context, opts Options, report func(Problem)) (st CheckStats, err error) {
	s := newStore(opts)
	l := &layout{fs: s.fs, dir: opts.Dir}
	if _, err := s.fs.Stat(l.path(formatName)); err != nil {
		return st, fmt.Errorf("check %s: no store there: %w", opts.Dir, err)
	}
	if l.lock, err = s.fs.Lock(l.path(lockName)); err != nil {
		return st, fmt.Errorf("lock %s: %w (%w)", opts.Dir, ErrInUse, err)
	}
	defer l.close()
	if err := l.begin(false); err != nil {
		return st, err
	}
	s.layout = l
	s.segs.init(s.fs, l)
	s.space = &space{fs: s.fs}
	c := newChecker(ctx, s, report)
	if err := s.openReadOnly(); err != nil {
		c.problem(Problem{Kind: "index", File: indexName, Detail: err.Error()})
		c.upcoming = ^uint64(0)
		err := c.blobsAlone()
		return c.stats, err
	}
	defer s.cache.Unref()
	defer s.db.Close()
	c.r = s.db
	c.upcoming = ^uint64(0)
	err = c.run()
	return c.stats, err
}

// openReadOnly opens the index without changing it.
func (s *Store) openReadOnly() error {
	s.cache = pebble.NewCache(s.opts.CacheSize)
	o := indexOptions(gateFS{s.opts.FS, s.gate, true}, s.cache, defaultMemTable, indexLogger{s.gate, s.report}, func(error) {})
	o.ReadOnly = true
	db, err := pebble.Open(s.layout.path(indexName), o)
	if err != nil {
		s.cache.Unref()
		return err
	}
	s.db = db
	_, _, err = s.loadMarks()
	if err == nil {
		err = s.buckets.load(db)
	}
	if err != nil {
		_ = db.Close()
		s.cache.Unref()
	}
	return err
}

// blobRefs is what the index says about a blob.
type blobRefs struct {
	refs    int64
	size    int64 // -1 when not known
	pending bool  // in the queue of blobs to reclaim
}

type checker struct {
	ctx      context.Context
	s        *Store
	r        pebble.Reader
	report   func(Problem)
	stats    CheckStats
	upcoming uint64 // files with ids from here on are newer than the check

	names  map[uint64]string // buckets
	use    map[uint64]*usage
	blobs  map[uint64]*blobRefs
	bad    map[uint64]string // blobs, and what is wrong with them
	inline int64             // versions with inline content
}

func newChecker(ctx context.Context, s *Store, report func(Problem)) *checker {
	return &checker{
		ctx: ctx, s: s, report: report, names: map[uint64]string{}, use: map[uint64]*usage{},
		blobs: map[uint64]*blobRefs{}, bad: map[uint64]string{},
	}
}

func (c *checker) problem(p Problem) {
	c.stats.Problems++
	c.report(p)
}

func (c *checker) run() error {
	for _, step := range []func() error{
		c.buckets, c.objects, c.versions, c.nulls, c.manifests, c.uploads, c.parts, c.queue, c.data,
		c.references, c.files, c.blame, c.counters,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each calls use for each entry of a range. What can't be read is a problem of the
// index; only the end of the check's context is an error.
func (c *checker) each(rng byte, use func(key, value []byte) error) error {
	err := scan(c.r, []byte{rng}, []byte{rng + 1}, func(k, v []byte) (bool, error) {
		if err := c.ctx.Err(); err != nil {
			return false, err
		}
		return true, use(k, v)
	})
	if err != nil && errors.Is(err, storage.ErrDamaged) {
		c.problem(Problem{Kind: "index", File: indexName, Detail: fmt.Sprintf("range %q: %v", rng, err)})
		return nil
	}
	return err
}

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
		if r.size != 0 {
			p.Detail = fmt.Sprintf("%d bytes without a place", r.size)
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
		c.blob(r.loc).size = r.size
	case placeManifest:
		c.blob(r.loc).refs++
		m, err := c.manifest(r.loc)
		if err == nil && m.size() != r.size {
			err = fmt.Errorf("manifest has %d of %d bytes", m.size(), r.size)
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
		if int64(len(v)) != r.size || contentCRC(r.loc, v) != r.crc {
			return fmt.Errorf("checksum of the bytes in the index: %w", storage.ErrDamaged)
		}
		c.stats.Bytes += r.size
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
