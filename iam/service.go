package iam

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Options configure a Service.
type Options struct {
	RootUser     string // access key of root
	RootPassword string // its secret
	// AccountID is the account of the deployment, 12 digits. "" means the one in the
	// store, or a random one for a store that is new.
	AccountID string
	// Trust tells that other processes write the store as well: a session that is not in memory is looked
	// for in the store, and what is in memory counts for so long after the store was last
	// reached; then every credential but root's is ErrUnavailable. 0: the store is this service's alone.
	Trust time.Duration
	// Report is told of damaged records and of trouble in following the store; nil
	// drops that. It may be called from any goroutine.
	Report func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service holds the principals of a deployment. Credential and Authorize are answered
// from memory without locks; changes are durable when acknowledged, and in force for
// every request that begins then. Safe for concurrent use.
type Service struct {
	store  store.Store
	report func(error)
	now    func() time.Time

	account   string
	canonical string // CanonicalID of account
	root      Credential
	tokenKey  []byte // signs session tokens

	snap     atomic.Pointer[snapshot]
	compiled documents // bucket policies
	refusals refusals
	expiries expiries // of sessions; for the goroutine that publishes
	shared   *sharing // nil unless others write the store

	stop context.CancelFunc
	done chan struct{} // closed when nothing is followed any more
	rest sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when snap changes
}

// Open reads the store and follows it until Close. It does not take the store over: the
// caller closes it after the service. Damaged records do not stop it: what they stood
// for is refused, and Report hears of each.
func Open(st store.Store, o Options) (*Service, error) {
	s := &Service{
		store: st, report: o.Report, now: o.Now,
		done: make(chan struct{}), changed: make(chan struct{}),
	}
	if s.report == nil {
		s.report = func(error) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := CheckAccessKey(o.RootUser); err != nil {
		return nil, fmt.Errorf("root user: %w", err)
	}
	if err := CheckSecret(o.RootPassword); err != nil {
		return nil, fmt.Errorf("root password: %w", err)
	}
	if o.Trust > 0 {
		s.shared = newSharing(o.Trust)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	w, err := s.load(ctx, &o)
	if err != nil {
		stop()
		return nil, err
	}
	go s.follow(ctx, w)
	if s.shared != nil {
		s.rest.Go(func() { s.look(ctx) })
	}
	if err := s.removeOrphans(ctx); err != nil {
		s.report(err) // they harm nobody
	}
	return s, nil
}

// load settles the account and reads the first snapshot.
func (s *Service) load(ctx context.Context, o *Options) (store.Watcher, error) {
	var err error
	if s.account, err = s.ensureAccount(ctx, o.AccountID); err != nil {
		return nil, fmt.Errorf("open identity store: %w", err)
	}
	if s.tokenKey, err = s.ensureTokenKey(ctx); err != nil {
		return nil, fmt.Errorf("open identity store: %w", err)
	}
	s.canonical = CanonicalID(s.account)
	s.root = Credential{AccessKey: o.RootUser, Secret: o.RootPassword, Identity: &Identity{
		Account: s.account, ID: s.account, Name: o.RootUser,
		ARN: "arn:aws:iam::" + s.account + ":root", AccessKey: o.RootUser, Root: true,
	}}
	w, err := s.resync(ctx)
	if err != nil {
		return nil, fmt.Errorf("read identity store: %w", err)
	}
	return w, nil
}

// Close stops following the store. Requests may still be answered, changes not be made.
func (s *Service) Close() error {
	s.stop()
	<-s.done
	s.rest.Wait()
	return nil
}

// Account returns the account of the deployment, 12 digits.
func (s *Service) Account() string { return s.account }

// RootUser returns root's access key.
func (s *Service) RootUser() string { return s.root.AccessKey }

// ensureAccount returns the account in the store, and writes it when the store is new.
func (s *Service) ensureAccount(ctx context.Context, want string) (string, error) {
	if want != "" {
		if err := CheckAccount(want); err != nil {
			return "", err
		}
	}
	for {
		r, err := s.store.Get(ctx, kindDeployment, nameDeployment)
		if err == nil {
			var d deploymentRecord
			if err := decode(r.Value, &d, &d.header); err != nil {
				return "", err
			}
			if want != "" && want != d.Account {
				return "", fmt.Errorf("%w: the store belongs to account %s, not to %s", ErrInvalid, d.Account, want)
			}
			return d.Account, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		account := want
		if account == "" {
			account = newAccount()
		}
		value, err := encode(deploymentRecord{header: header{formatVersion, account}, Created: s.now().UTC()})
		if err != nil {
			return "", err
		}
		_, err = s.store.Commit(ctx, store.Change{Kind: kindDeployment, Name: nameDeployment, Value: value})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return "", err
		}
	}
}

// resync reads everything anew and returns a watcher for what follows.
func (s *Service) resync(ctx context.Context) (store.Watcher, error) {
	w, err := s.store.Watch(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.store.List(ctx, "")
	damaged, partial := store.Damage(err)
	if err != nil && !partial {
		w.Close()
		return nil, err
	}
	sn, err := newSnapshot(s.root.Identity)
	if err != nil {
		w.Close()
		return nil, err
	}
	sn.revision = l.Revision
	s.fill(sn, l.Records)
	for _, d := range damaged {
		s.report(d)
		sn.damage(d.Kind, d.Name, d)
		if d.ClaimedKind != "" {
			if _, ok := sn.damaged.get(damageKey(d.ClaimedKind, d.ClaimedName)); !ok && !sn.has(d.ClaimedKind, d.ClaimedName) {
				sn.damage(d.ClaimedKind, d.ClaimedName, d)
			}
		}
	}
	s.publish(sn)
	return w, nil
}

// fill puts all records into a new snapshot.
func (s *Service) fill(sn *snapshot, records []store.Record) {
	s.expiries = nil
	var sessions []*session
	for i := range records {
		r := &records[i]
		var err error
		if r.Kind == kindSession {
			var ss *session
			if ss, err = sn.readSession(r); err == nil {
				sessions = append(sessions, ss)
			} else {
				err = sn.unreadable(r, err)
			}
		} else {
			err = sn.add(r)
		}
		if err != nil {
			s.report(err)
		}
		s.expiries.note(r)
		r.Value = nil // not needed any more, and there may be many
	}
	sn.putSessions(sessions)
}

// follow applies the events of w until ctx ends or the store is closed.
func (s *Service) follow(ctx context.Context, w store.Watcher) {
	defer close(s.done)
	for {
		ev, err := w.Next(ctx)
		switch {
		case err == nil:
			s.apply(w, &ev)
			continue
		case ctx.Err() != nil, errors.Is(err, store.ErrClosed):
			w.Close()
			return
		}
		s.report(fmt.Errorf("follow identity store: %w", err))
		w.Close()
		if w = s.rejoin(ctx); w == nil {
			return
		}
	}
}

// rejoin repeats resync until it succeeds, or returns nil when ctx ends.
func (s *Service) rejoin(ctx context.Context) store.Watcher {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		w, err := s.resync(ctx)
		if err == nil {
			return w
		}
		if ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
			return nil
		}
		s.report(fmt.Errorf("read identity store: %w", err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// maxTogether bounds the events after the first that one snapshot takes: those who made the first wait.
const maxTogether = 1000

// apply publishes the snapshot after a commit, and after those whose events wait already: commits
// that shared a sync come together, and most of the path to a session is copied once for all.
func (s *Service) apply(w store.Watcher, ev *store.Event) {
	sn := *s.snap.Load()
	sn.thaw()
	for n := 0; ; n++ {
		s.take(&sn, ev)
		if n == maxTogether {
			break
		}
		next, ok := w.Poll()
		if !ok {
			break
		}
		ev = &next
	}
	s.expiries.sweep(&sn, s.now())
	s.publish(&sn)
}

// take puts one event into a thawed snapshot.
func (s *Service) take(sn *snapshot, ev *store.Event) {
	if ev.Revision <= sn.revision {
		return
	}
	sn.revision = ev.Revision
	for i := range ev.Records {
		r := &ev.Records[i]
		if r.Deleted {
			sn.remove(r.Kind, r.Name)
		} else if err := sn.put(&r.Record); err != nil {
			s.report(err)
		}
		s.expiries.note(&r.Record)
	}
}

func (s *Service) publish(sn *snapshot) {
	sn.freeze()
	s.mu.Lock()
	s.snap.Store(sn)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}

// Changed returns a channel that is closed when anything of the store changes next.
func (s *Service) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// commit writes changes and waits until requests see them.
func (s *Service) commit(ctx context.Context, changes ...store.Change) error {
	rev, err := s.store.Commit(ctx, changes...)
	if err != nil {
		return domainError(err)
	}
	return s.await(ctx, rev)
}

// domainError says a store's error in the words of this package. Conflicts stay.
func domainError(err error) error {
	switch {
	case errors.Is(err, store.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(err, store.ErrFull):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
