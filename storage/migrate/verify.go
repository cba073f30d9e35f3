package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Verification is the outcome of comparing every version of the source with what is here.
type Verification struct {
	Running    bool
	Begun      time.Time
	Ended      time.Time // zero while it runs, and when it never has
	Compared   int64     // versions of the source
	Same       int64
	Changed    int64 // differ because requests have changed or removed them here
	NotYet     int64 // of keys that are not copied yet or can't be
	Different  int64 // differ or are missing without a reason
	Problems   []string
	Incomplete string // why it ended before the end
}

// ErrRunning says that a verification is under way.
var ErrRunning = errors.New("a verification is running already")

// Verify compares every version of the source with what is here, in the background: existence, order, ETag, size, time, metadata, tags,
// lock, checksum. Contents were compared with their ETags when they were copied, and are not read again.
func (s *Store) Verify() error {
	s.verifying.Lock()
	defer s.verifying.Unlock()
	if s.Status().Verification.Running {
		return ErrRunning
	}
	if !s.spawn(func() {
		err := s.verifyAll(s.ctx)
		s.tell(func(v *Verification) {
			v.Running, v.Ended = false, s.o.Now().UTC()
			if err != nil {
				v.Incomplete = err.Error()
			}
		})
	}, func() { s.verify = Verification{Running: true, Begun: s.o.Now().UTC()} }) {
		return storage.ErrClosed
	}
	return nil
}

func (s *Store) verifyAll(ctx context.Context) error {
	if err := s.adoptAll(ctx); err != nil {
		return err
	}
	for _, b := range s.sorted() {
		if st := b.stage(); st == stageForeign || st == stageGone {
			continue
		}
		if err := s.verifyBucket(ctx, b); err != nil {
			return fmt.Errorf("compare bucket %s: %w", b.name, err)
		}
	}
	return nil
}

// verifyBucket compares the keys of a bucket, several at once.
func (s *Store) verifyBucket(ctx context.Context, b *bucket) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobs := make(chan *task)
	var workers sync.WaitGroup
	for range s.o.Workers {
		workers.Go(func() {
			for t := range jobs {
				if err := s.compare(ctx, b, t); err != nil {
					stop(err)
				}
			}
		})
	}
	whole := newBucket(b.name) // from the beginning, whatever the cursor
	err := s.tasks(ctx, whole, func(t *task) error {
		select {
		case jobs <- t:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(jobs)
	workers.Wait()
	if cause := context.Cause(ctx); err == nil {
		err = cause
	}
	return err
}

// compare compares the versions of one key.
func (s *Store) compare(ctx context.Context, b *bucket, t *task) error {
	n := int64(len(t.list))
	if !b.settled(t.key) && !b.view().simple {
		s.tell(func(v *Verification) { v.Compared += n; v.NotYet += n })
		return nil
	}
	have, err := versions(ctx, s.local, b.name, t.key)
	if err != nil {
		return err
	}
	if len(have) == 0 && !b.settled(t.key) {
		s.tell(func(v *Verification) { v.Compared += n; v.NotYet += n })
		return nil
	}
	touched, err := s.isTouched(ctx, b.name, t.key)
	if err != nil {
		return err
	}
	at := -1 // of the last version of the source among those here
	for i := range t.list {
		want := &t.list[i]
		j := slices.IndexFunc(have, func(o storage.Object) bool { return o.VersionID == want.VersionID })
		what := "is missing"
		if j >= 0 {
			if what, err = s.differs(ctx, b, want, &have[j]); err != nil {
				return err
			}
			if what == "" && j < at {
				what = "is in another place of the history"
			}
			at = max(at, j)
		}
		// What has replaced a version under its id, "null", is younger than the migration.
		changed := touched || j >= 0 && want.VersionID == storage.NullVersion && !have[j].Modified.Before(s.begun())
		s.tell(func(v *Verification) {
			v.Compared++
			switch {
			case what == "":
				v.Same++
			case changed:
				v.Changed++
			default:
				if v.Different++; len(v.Problems) < maxFailures {
					v.Problems = append(v.Problems, fmt.Sprintf("%s/%q version %q %s", b.name, t.key, want.VersionID, what))
				}
			}
		})
	}
	return nil
}

func (s *Store) begun() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Begun
}

func (s *Store) tell(f func(*Verification)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.verify)
}

// isTouched tells whether a request has changed versions of a key here.
func (s *Store) isTouched(ctx context.Context, name, key string) (bool, error) {
	o, err := s.local.StatObject(ctx, storage.Ref{Bucket: stateBucket, Key: markKey(name, key)})
	if errors.Is(err, storage.ErrNoSuchKey) {
		return false, nil
	}
	return err == nil && o.Size > 0, err
}

// differs compares a version as the source lists it with that here, "" when they are the same.
func (s *Store) differs(ctx context.Context, b *bucket, want, have *storage.Object) (string, error) {
	switch {
	case want.DeleteMarker != have.DeleteMarker:
		return "is a delete marker on one side", nil
	case !want.Modified.Truncate(time.Millisecond).Equal(have.Modified):
		return fmt.Sprintf("has time %v here and %v there", have.Modified, want.Modified), nil
	case want.DeleteMarker:
		return "", nil
	case want.ETag != have.ETag:
		return fmt.Sprintf("has ETag %s here and %s there", have.ETag, want.ETag), nil
	case want.Size != have.Size:
		return fmt.Sprintf("has %d bytes here and %d there", have.Size, want.Size), nil
	}
	ref := storage.Ref{Bucket: b.name, Key: want.Key, Version: want.VersionID}
	here, err := s.local.StatObject(ctx, ref)
	if err != nil {
		return "", err
	}
	if b.view().simple {
		ref.Version = ""
	}
	there, err := s.source.StatObject(ctx, ref)
	if errors.Is(err, storage.ErrUnavailable) || ctx.Err() != nil {
		return "", err
	}
	if err != nil {
		return fmt.Sprintf("can't be read at the source: %v", err), nil
	}
	plain(there)
	switch {
	case !slices.Equal(here.Attrs, there.Attrs):
		return "has other metadata", nil
	case !sameTags(here.Tags, there.Tags):
		return "has other tags", nil
	case !maps.Equal(here.Props, there.Props):
		return "has another lock", nil
	case here.Checksum != there.Checksum:
		return "has another checksum", nil
	case here.Class != there.Class:
		return "has another storage class", nil
	}
	return "", nil
}

// sameTags compares tags, which have no order.
func sameTags(a, b []storage.Tag) bool {
	set := func(tags []storage.Tag) map[string]string {
		m := map[string]string{}
		for _, t := range tags {
			m[t.Key] = t.Value
		}
		return m
	}
	return len(a) == len(b) && maps.Equal(set(a), set(b))
}
