// Package bolt is a store.Store in one bbolt file. It imports bbolt, package store, and
// its internal packages feed and record. A commit is synced before it is acknowledged;
// commits that arrive while another one is being synced share the next sync.
package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/feed"
	"github.com/objsrv/objsrv/iam/store/internal/record"
)

var (
	bucketMeta    = []byte("meta")
	bucketRecords = []byte("records")
	bucketExpiry  = []byte("expiry")
	keyState      = []byte("state")
)

// Store implements store.Store.
type Store struct {
	db   *bbolt.DB
	feed feed.Feed
	now  func() time.Time
	// sync makes a transaction durable; tests replace it to inject faults.
	sync func(*bbolt.Tx) error

	mu      sync.Mutex
	queue   []*request
	running bool
	closed  bool
	failed  error // set by the first sync whose outcome is unknown
	idle    sync.Cond
}

// request is a commit that waits for its sync.
type request struct {
	changes  []store.Change
	revision uint64
	err      error
	done     chan struct{}
}

// Open opens or creates the file, readable by its owner only. A file that another
// process holds is refused after a second.
//
// A new file gets its name when it is complete, so that one which is empty or cut short
// is always damage, never a fresh start.
func Open(path string) (*Store, error) {
	fail := func(err error) (*Store, error) {
		return nil, fmt.Errorf("open identity store %s: %w", filepath.Base(path), err)
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := create(path); err != nil {
			return fail(err)
		}
	case err != nil:
		return fail(err)
	case !info.Mode().IsRegular():
		return fail(errors.New("it is not a regular file"))
	case info.Size() == 0:
		return fail(fmt.Errorf("%w: the file is empty", store.ErrDamaged))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fail(err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil { // whoever has made the file may have been killed before
		return fail(err)
	}
	s := &Store{now: time.Now, sync: (*bbolt.Tx).Commit}
	s.idle.L = &s.mu
	if err := warm(path); err != nil {
		return fail(err)
	}
	var err error
	if s.db, err = openFile(path); err != nil {
		return fail(err)
	}
	if err := guard(func() error { return s.db.View(checkBuckets) }); err != nil {
		s.db.Close()
		return fail(err)
	}
	return s, nil
}

// warm reads the file once from its begin to its end, so that what follows finds it in the system's cache. All of it
// is about to be listed, in the order of keys, and bbolt has the system read nothing ahead: of half a gigabyte, page by
// page, that takes some seconds longer.
func warm(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

func openFile(path string) (db *bbolt.DB, err error) {
	err = guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
		return err
	})
	if errors.Is(err, berrors.ErrTimeout) {
		err = errors.New("another process has it open")
	}
	return db, err
}

// create makes a new file under another name, syncs it, and renames it.
func create(path string) error {
	unfinished := path + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := openFile(unfinished)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketRecords, bucketExpiry, bucketMeta} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyState, encodeState(&state{}))
	})
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

func checkBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketRecords, bucketExpiry, bucketMeta} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: the bucket %s is missing", store.ErrDamaged, name)
		}
	}
	_, err := decodeState(tx.Bucket(bucketMeta).Get(keyState))
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// guard runs f and turns the panics with which bbolt meets a damaged page, and the
// faults of a file that was cut short, into errors.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: reading its pages: %v", store.ErrDamaged, p)
		}
	}()
	return f()
}

func (s *Store) view(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := guard(func() error { return s.db.View(f) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return store.ErrClosed
	}
	return err
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, kind, name string) (r store.Record, err error) {
	if err := store.CheckKey(kind, name); err != nil {
		return r, err
	}
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		k := recordKey(kind, name)
		v := tx.Bucket(bucketRecords).Get(k)
		if v != nil {
			if r, err = decodeRecord(k, v); err != nil {
				return err
			}
		}
		if v == nil || s.expired(&r) {
			return fmt.Errorf("%s/%q: %w", kind, name, store.ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return store.Record{}, err
	}
	return r, nil
}

func (s *Store) expired(r *store.Record) bool {
	return !r.Expires.IsZero() && !s.now().Before(r.Expires)
}

// List implements store.Store. It compares the number of records with the one that the
// commits have kept, so that records lost with a page show.
func (s *Store) List(ctx context.Context, kind string) (store.Listing, error) {
	var l store.Listing
	var damaged store.DamageList
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		st, err := decodeState(tx.Bucket(bucketMeta).Get(keyState))
		if err != nil {
			return err
		}
		l.Revision = st.revision
		l.Records = make([]store.Record, 0, min(st.expected(kind), 1<<20))
		found := map[string]uint64{}
		c := tx.Bucket(bucketRecords).Cursor()
		k, v := c.First()
		if kind != "" {
			k, v = c.Seek(recordKey(kind, ""))
		}
		kd := "" // of the record before: most are of one kind, and need no copy of it each
		for ; k != nil; k, v = c.Next() {
			if n := bytes.IndexByte(k, 0); n < 0 || string(k[:n]) != kd {
				kd, _ = splitKey(k)
			}
			if kind != "" && kd != kind {
				break
			}
			found[kd]++
			r, err := record.Decode(kd, string(k[min(len(k), len(kd)+1):]), v)
			var d *store.DamageError
			switch {
			case errors.As(err, &d):
				damaged = append(damaged, d)
			case !s.expired(&r):
				l.Records = append(l.Records, r)
			}
		}
		return compareCounts(kind, found, st.counts, len(damaged) > 0)
	})
	if err != nil {
		return store.Listing{}, err
	}
	if len(damaged) > 0 {
		return l, damaged
	}
	return l, nil
}

// compareCounts reports records that have vanished or appeared. When some are known to be
// damaged only the total is compared, for a key's damage may have changed its kind.
func compareCounts(kind string, found, want map[string]uint64, damaged bool) error {
	var nFound, nWant uint64
	for k, n := range want {
		if kind == "" || k == kind {
			nWant += n
			if !damaged && found[k] != n {
				return fmt.Errorf("%w: %d records of kind %s are there, %d were written", store.ErrDamaged, found[k], k, n)
			}
		}
	}
	for _, n := range found {
		nFound += n
	}
	if nFound != nWant && (kind == "" || !damaged) {
		return fmt.Errorf("%w: %d records are there, %d were written", store.ErrDamaged, nFound, nWant)
	}
	return nil
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context) (store.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.feed.Watch()
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for s.running {
		s.idle.Wait()
	}
	s.mu.Unlock()
	s.feed.Close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close identity store: %w", err)
	}
	return nil
}

// full tells whether err means that the file could not grow and that nothing of the
// transaction can have reached the disk as valid: a write or truncate failed, no sync.
func full(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && p.Op != "sync" && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT))
}
