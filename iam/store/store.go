// Package store is the interface between the identity service and the place where its
// records are kept, and the errors that both sides know. It is a vocabulary package: it
// imports the standard library only and knows nothing of users or policies. Package
// storetest is its contract as a test; bolt, etcd and mem implement it.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors that callers branch on, with errors.Is.
var (
	ErrNotFound    = errors.New("no such record")
	ErrConflict    = errors.New("record has another revision")
	ErrDamaged     = errors.New("stored record is damaged")
	ErrFull        = errors.New("no space left")      // nothing was written; the store goes on
	ErrUnavailable = errors.New("store unavailable")  // a commit's outcome is unknown; bolt is to be reopened
	ErrClosed      = errors.New("store closed")       // Close was called
	ErrLagged      = errors.New("watcher too slow")   // events were dropped; list again
	ErrInvalid     = errors.New("invalid record key") // kind, name, size or number outside the limits
)

// Limits of a record.
const (
	MaxKind  = 32      // bytes of a kind, at least 1, lower-case letters and digits
	MaxName  = 1024    // bytes of a name, at least 1, any bytes
	MaxValue = 1 << 20 // bytes of a value
)

// Any, as the expected revision of a Change, accepts every state of the record.
const Any = ^uint64(0)

// Record is a value under a kind ("user") and a name, unique within the kind.
type Record struct {
	Kind  string
	Name  string
	Value []byte
	// Revision is that of the commit which wrote the record last. Revisions are
	// positive and grow with every commit of the store.
	Revision uint64
	// Expires ends the record's life; zero is for ever. An expired record is absent
	// for Get, List and the check of revisions, and is removed at some later time.
	Expires time.Time
}

// Op is what a Change does.
type Op uint8

// The operations of a Change.
const (
	Put    Op = iota // write Value and Expires
	Delete           // remove the record; removing what is absent is no error
	Check            // write nothing, demand the revision only
)

// Change is one part of a commit.
type Change struct {
	Op    Op
	Kind  string
	Name  string
	Value []byte
	// Expires is meaningful for Put.
	Expires time.Time
	// Revision is the revision that the record must have: 0 means it must not exist,
	// Any accepts everything.
	Revision uint64
}

// Event is one commit as watchers see it. Its records are shared and must not be
// modified; a record with Deleted set has neither value nor expiry.
type Event struct {
	Revision uint64
	Records  []Changed
}

// Changed is a record that a commit wrote or removed.
type Changed struct {
	Record
	Deleted bool
}

// Listing is the content of one kind, or of all, at one revision.
type Listing struct {
	Revision uint64   // of the last commit that the listing contains
	Records  []Record // in byte order of kind, then name
}

// Store keeps records. All methods may be called concurrently. Slices given to a store are
// not kept, slices returned belong to the caller.
//
// What is damaged is never reported as absent: Get returns an error that Is ErrDamaged, a
// commit that would have to check or replace the record's revision fails likewise (with
// revision Any it overwrites, which is how an administrator heals a record), and List
// says which records are missing from its answer.
type Store interface {
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, kind, name string) (Record, error)

	// List returns the records of a kind, or of all kinds for "", as they were at one
	// moment. When records are damaged it returns all others and an error from which
	// Damage extracts the list; any other error comes with an empty Listing.
	List(ctx context.Context, kind string) (Listing, error)

	// Commit applies all changes or none, and returns the revision that they got. The
	// changes are applied in order, each sees those before it. A nil error means they are
	// on stable storage, and that every later Get and List sees them. ErrConflict means
	// that a revision was not as demanded and nothing was written. ErrUnavailable, and
	// an error of ctx, leave open whether they were. Concurrent commits may share a sync. A
	// commit of checks only succeeds without writing and returns the current revision,
	// that of the last commit. Every store takes 100 changes with MaxValue bytes in all;
	// one that does not take more says ErrInvalid, and nothing was written.
	Commit(ctx context.Context, changes ...Change) (uint64, error)

	// Watch returns a watcher that sees every commit which ends after the call, of this
	// process and of others, in the order of revisions, none twice. A commit that changed
	// nothing, because what it removed was absent, may have no records. To follow a store,
	// watch first, list then, and skip events up to the revision of the listing.
	// The removal of expired records need not be reported.
	Watch(ctx context.Context) (Watcher, error)

	// Close waits for running commits and releases the store. Watchers get ErrClosed.
	Close() error
}

// Watcher delivers events to one consumer.
type Watcher interface {
	// Next waits for an event. It returns the error of ctx, ErrClosed after Close of the
	// watcher or its store, ErrLagged when events were lost, or ErrUnavailable when the
	// store can't be followed: in both cases the consumer watches and lists anew.
	Next(ctx context.Context) (Event, error)
	// Poll returns the next event if it has come already, so that a consumer takes at once what
	// waits for it. ok is false without one, be it that the watch has ended: Next says why.
	Poll() (ev Event, ok bool)
	// Close releases the watcher.
	Close()
}

// DamageError names a damaged record. It Is ErrDamaged.
type DamageError struct {
	Kind, Name string // under which it is stored
	// ClaimedKind and ClaimedName say which record the value belongs to when it is whole but
	// stored under a foreign name, else they are empty.
	ClaimedKind, ClaimedName string
	Reason                   string
}

// Error implements error.
func (e *DamageError) Error() string {
	if e.ClaimedKind != "" {
		return fmt.Sprintf("record %s/%q is damaged: %s (it holds %s/%q)", e.Kind, e.Name, e.Reason, e.ClaimedKind, e.ClaimedName)
	}
	return fmt.Sprintf("record %s/%q is damaged: %s", e.Kind, e.Name, e.Reason)
}

// Is makes errors.Is(e, ErrDamaged) true.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }

// DamageList is the error of a List that could not read every record. It Is ErrDamaged.
type DamageList []*DamageError

// Error implements error.
func (l DamageList) Error() string {
	if len(l) == 1 {
		return l[0].Error()
	}
	return fmt.Sprintf("%d records are damaged, the first: %v", len(l), l[0])
}

// Is makes errors.Is(l, ErrDamaged) true.
func (l DamageList) Is(target error) bool { return target == ErrDamaged }

// Damage returns the damaged records that err, returned by List, speaks of, and whether the
// listing is complete but for them.
func Damage(err error) (DamageList, bool) {
	var l DamageList
	if errors.As(err, &l) {
		return l, true
	}
	return nil, false
}

// CheckChanges returns an error that Is ErrInvalid when a change is outside the limits of
// this package. Implementations call it first.
func CheckChanges(changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if err := CheckKey(c.Kind, c.Name); err != nil {
			return err
		}
		if len(c.Value) > MaxValue {
			return fmt.Errorf("%w: value of %s/%q has %d bytes", ErrInvalid, c.Kind, c.Name, len(c.Value))
		}
		if c.Op > Check {
			return fmt.Errorf("%w: operation %d", ErrInvalid, c.Op)
		}
	}
	return nil
}

// CheckKey returns an error that Is ErrInvalid when kind or name is outside the limits.
func CheckKey(kind, name string) error {
	if len(kind) == 0 || len(kind) > MaxKind {
		return fmt.Errorf("%w: kind %q", ErrInvalid, kind)
	}
	for _, c := range []byte(kind) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return fmt.Errorf("%w: kind %q", ErrInvalid, kind)
		}
	}
	if len(name) == 0 || len(name) > MaxName {
		return fmt.Errorf("%w: name of %d bytes", ErrInvalid, len(name))
	}
	return nil
}
