package migrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// stateBucket holds what is remembered. No client can name it: names of buckets begin with a letter or digit.
const stateBucket = ".migration"

// The keys in it.
const (
	stateKey     = "state"
	bucketPrefix = "b/" // + bucket: its record
	markPrefix   = "m/" // + bucket/key: the key is settled; the content says whether a request has touched it
	failPrefix   = "f/" // + bucket/key: why it is not
)

const stateFormat = 1

// state is the record of the migration.
type state struct {
	Format   int       `json:"v"`
	URL      string    `json:"url"`
	Begun    time.Time `json:"begun"`
	Adopted  bool      `json:"adopted,omitempty"` // all buckets of the source have records
	Complete time.Time `json:"complete,omitzero"` // everything is here
}

// stage is how far a bucket is.
type stage string

const (
	stageSettings stage = "settings" // it is here, not yet its settings
	stageCopying  stage = "copying"
	stageDone     stage = "done"    // what did not fail is here
	stageForeign  stage = "foreign" // there was one of its name here, which stays as it is
	stageGone     stage = "gone"    // it was deleted here
)

// record is what is remembered of a bucket.
type record struct {
	Stage  stage    `json:"stage"`
	Simple bool     `json:"simple,omitempty"` // the source keeps one version of each key
	Cursor string   `json:"cursor,omitempty"` // keys up to it are settled unless they failed
	Notes  []string `json:"notes,omitempty"`  // what was not carried
	Done   amount   `json:"done"`             // of the source, up to the cursor
	Copied amount   `json:"copied"`           // of it by the copier, the rest was here already or is wanted no more
	Total  amount   `json:"total"`            // at the source, once it has been counted
	// Unproven is how many contents could not be compared with their ETags, Whole how many were stored without their parts, which the source does not tell.
	Unproven int64 `json:"unproven,omitempty"`
	Whole    int64 `json:"whole,omitempty"`
	// InTheClear is how many are encrypted there and not here.
	InTheClear int64 `json:"inTheClear,omitempty"`
	Counted    bool  `json:"counted,omitempty"`
}

// amount counts versions, delete markers among them, and their bytes.
type amount struct {
	Versions int64 `json:"versions"`
	Bytes    int64 `json:"bytes"`
}

func (a *amount) add(versions, bytes int64) {
	a.Versions += versions
	a.Bytes += bytes
}

// bucket is a bucket of the source.
type bucket struct {
	name   string
	saving sync.Mutex // held while rec is changed and written
	mu     sync.Mutex
	rec    record
	fail   map[string]string
	marks  map[string]uint64 // keys that are settled though the cursor did not settle them, in the order in which they were
	last   uint64            // of marks

	applying bool // the settings are being set
}

// view is what was known of a bucket at one moment.
type view struct {
	simple, done bool
	cursor       string
	failed       bool   // some key failed
	mark         uint64 // the last one that counted
}

func (b *bucket) view() view {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now()
}

func (b *bucket) now() view {
	return view{b.rec.Simple, b.rec.Stage == stageDone, b.rec.Cursor, len(b.fail) > 0, b.last}
}

// settled tells whether the local store answers for a key.
func (b *bucket) settled(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.now()
	return b.at(key, &v)
}

// settledAt tells whether a key was settled at a moment.
func (b *bucket) settledAt(key string, v *view) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at(key, v)
}

func (b *bucket) at(key string, v *view) bool {
	if n, ok := b.marks[key]; ok {
		return n <= v.mark
	}
	_, failed := b.fail[key]
	return !failed && (v.done || key <= v.cursor)
}

func (b *bucket) failed(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, failed := b.fail[key]
	return failed
}

// failsBelow tells whether a key with a prefix failed.
func (b *bucket) failsBelow(prefix string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.fail {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// marked lets a mark count, which is durable. One of a key that was settled before changes nothing.
func (b *bucket) marked(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.now(); !b.at(key, &v) {
		b.last++
		b.marks[key] = b.last
	}
}

// put stores a small content in the state bucket.
func (s *Store) put(ctx context.Context, key string, content []byte) error {
	_, err := s.local.PutObject(ctx, storage.PutInput{
		Bucket: stateBucket, Key: key, Body: bytes.NewReader(content), Size: int64(len(content)), Digest: func() storage.Digest { return storage.Digest{} },
	})
	return err
}

func (s *Store) save(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return s.put(ctx, key, b)
}

// change alters a bucket's record and makes that durable before it counts. f is called twice.
func (s *Store) change(ctx context.Context, b *bucket, f func(*record)) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	rec := b.rec
	b.mu.Unlock()
	f(&rec)
	if err := s.save(ctx, bucketPrefix+b.name, &rec); err != nil {
		return fmt.Errorf("remember bucket %s: %w", b.name, err)
	}
	b.mu.Lock()
	f(&b.rec) // it may have counted meanwhile
	b.mu.Unlock()
	return nil
}

// read reads a small content of the state bucket; ErrNoSuchKey when it is not there.
func read(ctx context.Context, l storage.Backend, key string, v any) error {
	o, c, err := l.GetObject(ctx, storage.Ref{Bucket: stateBucket, Key: key})
	if err != nil {
		return err
	}
	defer c.Close()
	raw, err := io.ReadAll(c.Range(0, o.Size))
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("state of the migration (%q): %w", key, err)
	}
	return nil
}

// load reads everything that is remembered but for the marks.
func (s *Store) load(ctx context.Context) (st state, err error) {
	err = read(ctx, s.local, stateKey, &st)
	if errors.Is(err, storage.ErrNoSuchBucket) || errors.Is(err, storage.ErrNoSuchKey) {
		return state{}, nil
	}
	if err == nil && st.Format != stateFormat {
		err = fmt.Errorf("format %d is not known", st.Format)
	}
	if err != nil {
		return st, err
	}
	err = eachKey(ctx, s.local, bucketPrefix, func(o *storage.Object) error {
		b := newBucket(strings.TrimPrefix(o.Key, bucketPrefix))
		s.buckets[b.name] = b
		return read(ctx, s.local, o.Key, &b.rec)
	})
	if err != nil {
		return st, err
	}
	for _, b := range s.buckets {
		if b.rec.Stage == stageDone {
			continue
		}
		if err := s.loadMarks(ctx, b); err != nil {
			return st, err
		}
	}
	// A failure counts until its key has a mark.
	return st, eachKey(ctx, s.local, failPrefix, func(o *storage.Object) error {
		name, key, _ := strings.Cut(strings.TrimPrefix(o.Key, failPrefix), "/")
		var why string
		if b := s.buckets[name]; b != nil {
			if _, err := s.local.StatObject(ctx, storage.Ref{Bucket: stateBucket, Key: markKey(name, key)}); err == nil {
				return nil // it has been settled since
			}
			if err := read(ctx, s.local, o.Key, &why); err != nil {
				return err
			}
			b.fail[key] = why
		}
		return nil
	})
}

// loadMarks reads the marks of a bucket that the cursor does not make needless.
func (s *Store) loadMarks(ctx context.Context, b *bucket) error {
	prefix := markKey(b.name, "")
	return eachKeyAfter(ctx, s.local, prefix, prefix+b.rec.Cursor, func(o *storage.Object) error {
		b.last++
		b.marks[strings.Clone(strings.TrimPrefix(o.Key, prefix))] = b.last
		return nil
	})
}

func newBucket(name string) *bucket {
	return &bucket{name: name, fail: map[string]string{}, marks: map[string]uint64{}}
}

// eachKey calls f with everything in the state bucket that has a prefix.
func eachKey(ctx context.Context, l storage.Backend, prefix string, f func(*storage.Object) error) error {
	return eachKeyAfter(ctx, l, prefix, "", f)
}

func eachKeyAfter(ctx context.Context, l storage.Backend, prefix, after string, f func(*storage.Object) error) error {
	in := storage.ListInput{Bucket: stateBucket, Prefix: prefix, After: after, Limit: 1000}
	for {
		p, err := l.ListObjects(ctx, in)
		if err != nil {
			return err
		}
		for i := range p.Objects {
			if err := f(&p.Objects[i]); err != nil {
				return err
			}
		}
		if !p.Truncated {
			return nil
		}
		in.After = p.NextAfter
	}
}

// Pending is a migration that a local store remembers.
type Pending struct {
	URL      string
	Complete bool
}

// Remembered returns the migration that a local store was in the middle of, or has completed; nil for none.
func Remembered(ctx context.Context, l storage.Backend) (*Pending, error) {
	var st state
	err := read(ctx, l, stateKey, &st)
	if errors.Is(err, storage.ErrNoSuchBucket) || errors.Is(err, storage.ErrNoSuchKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Pending{st.URL, !st.Complete.IsZero()}, nil
}

// Forget removes what a local store remembers of a migration: what is not here stays where it is, and uploads that the copier
// had begun are aborted.
func Forget(ctx context.Context, l storage.Backend) error {
	if err := abortOwn(ctx, l); err != nil {
		return fmt.Errorf("forget the migration: %w", err)
	}
	// The state goes last, so that whoever is cut off is asked again.
	for _, prefix := range []string{markPrefix, failPrefix, bucketPrefix, stateKey} {
		if err := dropAll(ctx, l, prefix); err != nil {
			return fmt.Errorf("forget the migration: %w", err)
		}
	}
	if err := l.DeleteBucket(ctx, stateBucket); err != nil && !errors.Is(err, storage.ErrNoSuchBucket) {
		return fmt.Errorf("forget the migration: %w", err)
	}
	return nil
}

func dropAll(ctx context.Context, l storage.Backend, prefix string) error {
	var in []storage.DeleteInput
	drop := func() error {
		res, err := l.DeleteObjects(ctx, stateBucket, in)
		for i := range res {
			err = errors.Join(err, res[i].Err)
		}
		in = in[:0]
		return err
	}
	err := eachKey(ctx, l, prefix, func(o *storage.Object) error {
		if in = append(in, storage.DeleteInput{Key: strings.Clone(o.Key)}); len(in) < 1000 {
			return nil
		}
		return drop()
	})
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return nil
	}
	if err == nil && len(in) > 0 {
		err = drop()
	}
	return err
}
