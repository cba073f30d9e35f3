package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/internal/feed"
)

// The pauses before a watch is begun again.
const (
	minWait = 50 * time.Millisecond
	maxWait = 2 * time.Second
)

// watcher is one watch of etcd, read as it comes into a queue with a bound.
type watcher struct {
	store.Watcher // of feed
	feed          feed.Feed
	store         *Store
	cancel        context.CancelFunc
}

// Watch implements store.Store. The watch goes on where it was when a connection or a
// member is lost, without a gap; where etcd has compacted what it missed, or a record can't
// be read, watchers get ErrLagged, for what to do is the same: list again. Records that
// etcd drops after their expiry are reported.
func (s *Store) Watch(ctx context.Context) (store.Watcher, error) {
	resp, err := s.read(ctx, clientv3.OpGet(s.keys.commit, clientv3.WithKeysOnly()))
	if err != nil {
		return nil, err
	}
	w := &watcher{store: s}
	if w.Watcher, err = w.feed.Watch(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, store.ErrClosed
	}
	var life context.Context
	life, w.cancel = context.WithCancel(s.life)
	s.watchers[w] = struct{}{}
	s.rest.Go(func() { w.run(life, resp.Header.Revision+1) })
	return w, nil
}

// Close implements store.Watcher.
func (w *watcher) Close() {
	w.Watcher.Close()
	w.end(store.ErrClosed)
	w.store.mu.Lock()
	delete(w.store.watchers, w)
	w.store.mu.Unlock()
}

// end stops the watch; its consumer gets err unless it has got another.
func (w *watcher) end(err error) {
	w.feed.Fail(err)
	w.cancel()
}

// run reads the watch from revision next on, until ctx ends or something is lost. The
// client resumes a watch after a lost connection, this after a lost leader.
func (w *watcher) run(ctx context.Context, next int64) {
	for wait := minWait; ; wait = min(2*wait, maxWait) {
		began := next
		err := w.follow(ctx, &next)
		if ctx.Err() != nil {
			err = store.ErrClosed
		}
		if ctx.Err() != nil || !transient(err) {
			w.end(err)
			return
		}
		if next > began {
			wait = minWait
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// follow publishes what one watch brings. It keeps in next the first revision that is
// still to come.
func (w *watcher) follow(ctx context.Context, next *int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	from, end := w.store.keys.all()
	for resp := range w.store.client.Watch(ctx, from, clientv3.WithRange(end), clientv3.WithRev(*next), clientv3.WithProgressNotify()) {
		if err := resp.Err(); err != nil {
			return watchError(err)
		}
		if err := w.publish(resp.Events); err != nil {
			return fmt.Errorf("%w: %w", store.ErrLagged, err)
		}
		// A response to one who is catching up has etcd's present revision, and more of them
		// follow; only that of a progress report is behind everything.
		if n := len(resp.Events); n > 0 {
			*next = resp.Events[n-1].Kv.ModRevision + 1
		} else if resp.IsProgressNotify() {
			*next = resp.Header.Revision + 1
		}
	}
	return fmt.Errorf("%w: the watch has ended", store.ErrUnavailable)
}

func watchError(err error) error {
	if errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("%w: etcd has compacted what was missed", store.ErrLagged)
	}
	return classify(err)
}

// publish makes an event of the records of each revision. Etcd sends those together.
func (w *watcher) publish(changes []*clientv3.Event) error {
	s := w.store
	for len(changes) > 0 {
		ev := store.Event{Revision: uint64(changes[0].Kv.ModRevision)}
		n := 0
		for ; n < len(changes) && uint64(changes[n].Kv.ModRevision) == ev.Revision; n++ {
			kv := changes[n].Kv
			if !s.keys.isRecord(kv.Key) {
				continue
			}
			if changes[n].Type == mvccpb.DELETE {
				kind, name := s.keys.split(kv.Key)
				ev.Records = append(ev.Records, store.Changed{Record: store.Record{Kind: kind, Name: name, Revision: ev.Revision}, Deleted: true})
				continue
			}
			r, err := s.decode(kv)
			if err != nil {
				return err
			}
			ev.Records = append(ev.Records, store.Changed{Record: r})
		}
		w.feed.Publish(ev)
		changes = changes[n:]
	}
	return nil
}
