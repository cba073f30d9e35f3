package fs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// Options sets up a store. Only Dir is needed.
type Options struct {
	Dir string // the directory; made when it does not exist
	// FS is the file system, of index and blobs alike; nil for the machine's.
	FS vfs.FS
	// Now tells the time of creation and modification, which order nothing; nil for
	// time.Now.
	Now func() time.Time
	// InlineLimit is the size in bytes up to which content is kept in the index; 0 for
	// the default, which is where a file of its own begins to cost less.
	InlineLimit int
	// Day is the length of a day of the calendar (storage.Calendar); 0 for 24 hours.
	Day time.Duration
	// CacheSize is the memory for blocks of the index in bytes; 0 for the default.
	CacheSize int64
	// Known names entries of Dir that belong to the program and not to this store.
	Known []string
	// OnDamage is told of stored data found damaged, OnFatal of a failed write of the
	// index's log (once; the store refuses writes from then on and the program should
	// end), OnError of failures in the background. They may be nil, and are called from
	// any goroutine.
	OnDamage func(error)
	OnFatal  func(error)
	OnError  func(error)
}

const (
	// DefaultInlineLimit is the measured size from which a file of its own is cheaper.
	DefaultInlineLimit = 32 << 10
	defaultCacheSize   = 96 << 20
	defaultMemTable    = 32 << 20
	minMemTable        = 2 << 20
	seqBlock           = 1 << 16
	// segmentBits of a blob id number it within its directory.
	segmentBits = 12
	blobBlock   = 1 << segmentBits
)

// Store is the embedded storage.Backend.
type Store struct {
	opts   Options
	fs     vfs.FS // for blobs and the directory
	layout *layout
	gate   *gate
	space  *space
	cache  *pebble.Cache
	db     *pebble.DB

	seq     counter
	blobs   inFlight
	commits tracker
	keys    stripes
	uploads stripes
	buckets bucketTable
	segs    segments
	pins    pins
	bodies  buffers[bodyBuffer]
	windows buffers[window]
	reclaim reclaimer

	lowMark atomic.Uint64 // as last written to the index
	damage  atomic.Int64

	committed, created atomic.Int64 // for Stats

	calls   atomic.Int64
	closed  atomic.Bool
	idle    chan struct{} // closed when the last call of a closed store ends
	idleOne sync.Once
}

var _ storage.Backend = (*Store)(nil)

// Open opens the store in opts.Dir, or makes one when the directory is empty. The
// errors that a person has to act on are ErrInUse, ErrNewerFormat, ErrForeign and
// ErrIndexLost.
func Open(opts Options) (*Store, error) {
	s := newStore(opts)
	l, err := openLayout(s.fs, opts.Dir, opts.Known)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.layout = l
	if err := s.open(); err != nil {
		s.abandon()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// newStore makes a store that has touched nothing yet.
func newStore(opts Options) *Store {
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Day < time.Millisecond {
		opts.Day = 24 * time.Hour
	}
	if opts.InlineLimit == 0 {
		opts.InlineLimit = DefaultInlineLimit
	}
	opts.InlineLimit = min(opts.InlineLimit, writeBuffer-1)
	if opts.CacheSize == 0 {
		opts.CacheSize = defaultCacheSize
	}
	s := &Store{opts: opts, gate: &gate{onFatal: opts.OnFatal, down: make(chan struct{})}, idle: make(chan struct{})}
	s.fs = gateFS{opts.FS, s.gate, false}
	return s
}

// open opens the index of a locked directory and loads what is kept in memory.
func (s *Store) open() error {
	l := s.layout
	creating := l.format.State == stateCreating
	if l.format.State == stateRebuilding {
		return ErrRebuilding
	}
	if !creating && !l.hasIndex() {
		return ErrIndexLost
	}
	if err := s.makeDirs(creating); err != nil {
		return err
	}
	if err := s.openIndex(creating); err != nil {
		return err
	}
	if creating {
		l.format.State = stateReady
		if err := l.writeFormat(); err != nil {
			return err
		}
	}
	low, known, err := s.loadMarks()
	if err != nil {
		return err
	}
	if err := s.buckets.load(s.db); err != nil {
		return err
	}
	if err := s.space.inflate(); err != nil {
		s.report(err)
	}
	return s.reclaim.start(s, low, known)
}

func (s *Store) makeDirs(creating bool) error {
	if creating {
		for _, name := range []string{blobsName, indexName} {
			if err := s.fs.MkdirAll(s.layout.path(name), 0o700); err != nil {
				return fmt.Errorf("make directory: %w", err)
			}
		}
		if err := syncDir(s.fs, s.layout.dir); err != nil {
			return err
		}
	} else if _, err := s.fs.Stat(s.layout.path(blobsName)); err != nil {
		return fmt.Errorf("directory of the blobs: %w", err)
	}
	s.segs.init(s.fs, s.layout)
	s.space = newSpace(s.fs, s.layout.dir)
	return nil
}

func (s *Store) openIndex(creating bool) error {
	memTable := uint64(defaultMemTable)
	if s.space.reserve > 0 {
		memTable = max(min(memTable, uint64(s.space.reserve)/2), minMemTable)
	}
	s.cache = pebble.NewCache(s.opts.CacheSize)
	log := indexLogger{s.gate, s.report}
	onFull := vfs.OnDiskFull(s.opts.FS, func() { s.space.deflate() })
	o := indexOptions(gateFS{onFull, s.gate, true}, s.cache, memTable, log, func(err error) { s.noteDamage(err) })
	db, err := openPebble(s.layout.path(indexName), o, creating)
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return ErrIndexLost
	}
	if err != nil {
		return fmt.Errorf("open index (restore it from a backup, or restore the large objects with --rebuild-index): %w", err)
	}
	s.db = db
	return s.gate.err()
}

// openPebble opens an index, or makes one. A new one is opened twice: its first log is
// of an older form, which does not tell damage from the end that a power cut leaves.
func openPebble(dir string, o *pebble.Options, creating bool) (*pebble.DB, error) {
	if creating {
		db, err := openIndex(dir, o)
		if err != nil {
			return nil, err
		}
		if err := db.Close(); err != nil {
			return nil, fmt.Errorf("close new index: %w", err)
		}
	}
	if err := checkJournals(o.FS, dir); err != nil {
		return nil, err
	}
	o.ErrorIfNotExists = true
	return openIndex(dir, o)
}

// loadMarks reads the water marks. low is the least blob id that may lie in a file
// without a commit, known the first id that was never handed out.
func (s *Store) loadMarks() (low, known uint64, err error) {
	read := func(name string) (n uint64) {
		key := markKey(name)
		if err == nil {
			_, err = get(s.db, key, func(v []byte) (err error) { n, err = decodeMark(key, v); return err })
		}
		return n
	}
	saver := func(name string) func(uint64) error {
		return func(limit uint64) error {
			b := s.db.NewBatch()
			defer b.Close()
			key := markKey(name)
			_ = b.Set(key, encodeMark(key, limit), nil)
			return s.commit(b)
		}
	}
	seq, blob := max(read("seq"), 1), max(read("blob"), 1)
	low = max(read("low"), 1)
	s.lowMark.Store(low)
	s.seq = counter{next: seq, limit: seq, block: seqBlock, save: saver("seq")}
	s.blobs = inFlight{counter: counter{next: blob, limit: blob, block: blobBlock, save: saver("blob")}, open: map[uint64]struct{}{}}
	return low, blob, err
}

// abandon releases what a failed Open holds.
func (s *Store) abandon() {
	s.reclaim.stop()
	if s.db != nil {
		_ = s.db.Close() // the error that made Open fail is the one to tell
	}
	if s.cache != nil {
		s.cache.Unref()
	}
	s.segs.close()
	s.layout.close()
}

// Close implements storage.Backend.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return storage.ErrClosed
	}
	if s.calls.Load() == 0 {
		s.idleOne.Do(func() { close(s.idle) })
	}
	if !s.awaitIdle() {
		s.layout.close()
		return s.gate.err()
	}
	s.reclaim.stop()
	err := s.saveMarks()
	if err == nil {
		err = s.flush()
	}
	if cerr := s.closeIndex(); err == nil {
		err = cerr
	}
	if gerr := s.gate.err(); gerr != nil {
		err = gerr
	}
	s.segs.close()
	s.layout.close()
	return err
}

// closeLimit is how long Close waits for what may never end once the index's log has
// failed. The process is expected to end then.
const closeLimit = 2 * time.Second

// awaitIdle waits for running calls. It is false when calls hang in a failed index.
func (s *Store) awaitIdle() bool {
	select {
	case <-s.idle:
		return true
	case <-s.gate.down:
	}
	select {
	case <-s.idle:
		return true
	case <-time.After(closeLimit):
		return false
	}
}

// flush moves what is in memory into files of the index, so that the next start need
// not read the log.
func (s *Store) flush() error {
	done, err := s.db.AsyncFlush()
	if err != nil {
		return fmt.Errorf("flush index: %w", err)
	}
	select {
	case <-done:
		return nil
	case <-s.gate.down:
		return s.gate.err()
	}
}

func (s *Store) closeIndex() error {
	closed := make(chan error, 1)
	go func() { closed <- s.db.Close() }()
	var err error
	select {
	case err = <-closed:
	case <-s.gate.down:
		select {
		case err = <-closed:
		case <-time.After(closeLimit):
			return s.gate.err()
		}
	}
	s.cache.Unref()
	if err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// saveMarks writes the exact water marks when they have moved, so that a clean restart
// wastes no numbers.
func (s *Store) saveMarks() error {
	low, next := s.blobs.low(), s.blobs.upcoming()
	if s.gate.err() != nil || (low == s.lowMark.Load() && next == s.blobs.limit && s.seq.next == s.seq.limit) {
		return s.gate.err()
	}
	b := s.db.NewBatch()
	defer b.Close()
	for name, n := range map[string]uint64{"low": low, "blob": next, "seq": s.seq.next} {
		key := markKey(name)
		_ = b.Set(key, encodeMark(key, n), nil)
	}
	return s.commit(b)
}

// enter begins a call; leave ends it.
func (s *Store) enter() error {
	s.calls.Add(1)
	if s.closed.Load() {
		s.leave()
		return storage.ErrClosed
	}
	return nil
}

func (s *Store) leave() {
	if s.calls.Add(-1) == 0 && s.closed.Load() {
		s.idleOne.Do(func() { close(s.idle) })
	}
}

// commit makes a batch durable. ErrUnavailable when the log could not be written; the
// outcome is then unknown until the next start.
func (s *Store) commit(b *pebble.Batch) error {
	if err := s.gate.err(); err != nil {
		return err
	}
	if b.Empty() {
		return nil
	}
	s.committed.Add(1)
	g := s.commits.begin()
	err := b.Commit(pebble.Sync)
	s.commits.end(g)
	if ferr := s.gate.err(); ferr != nil {
		return ferr // Pebble has reported the failure to the logger, not to us
	}
	if err != nil {
		err = fmt.Errorf("commit: %w", err)
		s.gate.shut(err)
		return s.gate.err()
	}
	return nil
}

// noteDamage counts and reports damage; it returns err.
func (s *Store) noteDamage(err error) error {
	if errors.Is(err, storage.ErrDamaged) {
		s.damage.Add(1)
		if s.opts.OnDamage != nil {
			s.opts.OnDamage(err)
		}
	}
	return err
}

// report hands on a failure of background work.
func (s *Store) report(err error) {
	if s.opts.OnError != nil && err != nil {
		s.opts.OnError(err)
	}
}

// now is the time in the resolution that is kept.
func (s *Store) now() int64 { return s.opts.Now().UnixMilli() }

// random is the part of an id that can't be guessed from others.
func random() uint64 { return rand.Uint64() }

// Deployment returns the id that was given to the store when it was made.
func (s *Store) Deployment() string { return s.layout.format.Deployment }
