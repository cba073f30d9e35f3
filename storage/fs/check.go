package fs

import (
	"context"
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
	var db *pebble.DB
	err := checkJournals(s.opts.FS, s.layout.path(indexName))
	if err == nil {
		db, err = openIndex(s.layout.path(indexName), o)
	}
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
		c.buckets, c.objects, c.versions, c.nulls, c.manifests, c.uploads, c.parts, c.queue, c.notes, c.data,
		c.references, c.files, c.blame, c.counters, c.indexFiles,
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
