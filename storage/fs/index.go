package fs

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// indexLogger hands Pebble's messages on. Pebble expects Fatalf not to return; here it
// shuts the gate instead, which every commit looks at before it is acknowledged.
type indexLogger struct {
	g   *gate
	log func(error)
}

// Infof implements pebble.Logger.
func (indexLogger) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (l indexLogger) Errorf(format string, args ...any) {
	l.log(fmt.Errorf("index: "+format, args...))
}

// Fatalf implements pebble.Logger.
func (l indexLogger) Fatalf(format string, args ...any) {
	l.g.shut(fmt.Errorf("index: "+format, args...))
}

const (
	blockSize     = 8 << 10
	separateAbove = 1 << 10
)

// indexOptions returns Pebble's options. Memtables are small enough that the log of a
// process that was killed is replayed in well under a second.
func indexOptions(fs vfs.FS, cache *pebble.Cache, memTable uint64, log pebble.Logger, damaged func(error)) *pebble.Options {
	o := &pebble.Options{
		FS: fs, Cache: cache, Logger: log, Merger: newMerger(),
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       memTable,
		// Commits that come within this time of a sync share the next one: under load that saves a tenth of
		// the CPU of a small PUT and of what is written, and a lone commit waits for nothing.
		WALMinSyncInterval:          func() time.Duration { return 200 * time.Microsecond },
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       64,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		// Statistics of tables would be collected by reads after each start.
		DisableTableStats: true,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if errors.Is(err, storage.ErrDamaged) {
					damaged(err)
				}
				log.Errorf("background work: %v", err)
			},
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				damaged(fmt.Errorf("index file %s: %v: %w", i.Path, i.Details, storage.ErrDamaged))
			},
		},
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = blockSize
		o.Levels[i].IndexBlockSize = 64 << 10
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.FastestCompression }
	}
	// The content of small objects goes into files of its own, so that compactions of
	// the records do not rewrite it.
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{
			Enabled: true, MinimumSize: separateAbove, MaxBlobReferenceDepth: 10, TargetGarbageRatio: 0.3,
		}
	}
	return o
}

// openIndex opens an index with a scheduler of its own. Compactions begin only now: Open would
// wait for those that it starts itself.
func openIndex(dir string, o *pebble.Options) (*pebble.DB, error) {
	s, listen := newScheduler(), *o.EventListener
	listen.CompactionEnd = func(i pebble.CompactionInfo) { s.ended(i.Err) }
	listen.BlobFileRewriteEnd = func(i pebble.BlobFileRewriteInfo) { s.ended(i.Err) }
	o = o.Clone()
	o.EventListener = &listen
	o.Experimental.CompactionScheduler = s
	db, err := pebble.Open(dir, o)
	if err == nil {
		s.begin()
	}
	return db, err
}

// indexError gives an error of an index read its meaning: what can't be read is
// damaged. A missing record is pebble.ErrNotFound, which callers look for first.
func indexError(err error) error {
	if errors.Is(err, storage.ErrDamaged) {
		return err
	}
	return fmt.Errorf("read index: %w: %w", err, storage.ErrDamaged)
}

// get reads one value and gives it to use before it is released. found is false when
// there is none.
func get(r pebble.Reader, key []byte, use func(value []byte) error) (found bool, err error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, indexError(err)
	}
	err = use(v)
	if cerr := closer.Close(); err == nil && cerr != nil {
		err = indexError(cerr)
	}
	return true, err
}

// scan calls use for each entry of a range until it returns false or an error.
func scan(r pebble.Reader, lower, upper []byte, use func(key, value []byte) (bool, error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return indexError(err)
	}
	defer func() {
		if cerr := it.Close(); err == nil && cerr != nil {
			err = indexError(cerr)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return indexError(err)
		}
		if more, err := use(it.Key(), v); err != nil || !more {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return indexError(err)
	}
	return nil
}
