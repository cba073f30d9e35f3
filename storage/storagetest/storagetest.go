// Package storagetest is the one conformance suite of storage.Backend. Run checks an
// implementation sentence by sentence of the contract in package storage; Programs
// compares it with the reference model on random programs; Crashes does the same
// across simulated power cuts.
//
// What an implementation can't do is given as data, by the name of the case and with
// the reason (Options.Skip). The suite is itself tested: deliberately wrong backends
// must fail it.
//
// It imports packages storage and storage/mem (the model), and is imported by tests
// only. Where a rule is not the contract's own, it is Amazon S3's as the API
// reference and the user guide tell it.
package storagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// T is what the cases need of a *testing.T; the suite's own tests put a recorder of
// failures in its place.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Options tells Run about an implementation. The zero value is right for one that
// does everything and loses its content when it is closed.
type Options struct {
	// Skip names the cases, or groups of cases ("uploads"), that the implementation
	// can't pass, each with the reason. A name without a case fails the run.
	Skip map[string]string
	// Reopen closes a store and opens it again on the same data; nil for a store
	// that keeps nothing.
	Reopen func(t *testing.T, b storage.Backend) storage.Backend
	// Within bounds what the cases ask for, for a store that another server keeps; nil for one that keeps all
	// that the contract allows.
	Within *Within
	// Thresholds are content sizes at which the implementation changes the way it
	// stores; each is tested with the sizes beside it.
	Thresholds []int64
}

// Within is what can be kept of that which the contract allows.
type Within struct {
	Keys func(key string) bool          // tells whether a key can
	Meta func(mark string) storage.Meta // makes metadata with a mark in all of its fields that can; its owner is that of every object
}

// testCase is one case of the suite.
type testCase struct {
	name string // group/case
	run  func(e *env)
}

// allCases lists the suite.
func allCases() []testCase {
	return slices.Concat(bucketCases, objectCases, versionCases, conditionCases, copyCases, renameCases, appendCases,
		listCases, pagingCases, keyCases, uploadCases, completeCases, bodyCases, contentCases, codedCases,
		usageCases, raceCases, lifeCases)
}

// Run runs the suite. The cases share one store, each in buckets of its own, but for
// those about the store as a whole, which open one for themselves; open makes an
// empty store and sees to its end (t.Cleanup).
func Run(t *testing.T, open func(t *testing.T) storage.Backend, opt Options) {
	for name := range opt.Skip {
		if !slices.ContainsFunc(allCases(), func(c testCase) bool { return c.name == name || strings.HasPrefix(c.name, name+"/") }) {
			t.Errorf("Options.Skip names %q, which is no case of the suite", name)
		}
	}
	b := open(t)
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			group, _, _ := strings.Cut(c.name, "/")
			for _, name := range []string{c.name, group} {
				if reason, ok := opt.Skip[name]; ok {
					t.Skip(reason)
				}
			}
			e := newEnv(t, b, opt)
			e.open = func() storage.Backend { return open(t) }
			if opt.Reopen != nil {
				e.reopen = func(b storage.Backend) storage.Backend { return opt.Reopen(t, b) }
			}
			c.run(e)
		})
	}
}

// env is what a case works with.
type env struct {
	T
	storage.Backend // the shared store
	ctx             context.Context
	opt             Options
	open            func() storage.Backend
	reopen          func(storage.Backend) storage.Backend // nil when the store keeps nothing
	buckets         atomic.Int64
	id              string
}

// newEnv makes the environment of one case. Its id keeps the names of its buckets apart
// from those of other cases, and of other runs where a store outlives the test.
func newEnv(t T, b storage.Backend, opt Options) *env {
	return &env{T: t, Backend: b, ctx: context.Background(), opt: opt, id: fmt.Sprintf("case%016x", rand.Uint64())}
}

// on returns an environment for another store.
func (e *env) on(b storage.Backend) *env {
	return newEnv(e.T, b, e.opt)
}

// name makes up the name of a bucket that no other case uses.
func (e *env) name() string {
	return fmt.Sprintf("%s-b%03d", e.id, e.buckets.Add(1))
}

// bucketOwner owns the buckets of cases.
const bucketOwner = "owner"

// kept returns the keys that the store can keep.
func (e *env) kept(keys []string) []string {
	if e.opt.Within == nil {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !e.opt.Within.Keys(key) })
}

// keeps tells whether the store can keep all of keys.
func (e *env) keeps(keys ...string) bool { return len(e.kept(keys)) == len(keys) }

// bucket makes a bucket with the versioning state and returns its name.
func (e *env) bucket(v storage.Versioning) string {
	e.Helper()
	name := e.name()
	e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: name, Owner: bucketOwner}))
	if v != storage.VersioningUnset {
		e.versioning(name, v)
	}
	return name
}

// versioning sets a bucket's versioning state.
func (e *env) versioning(bucket string, v storage.Versioning) {
	e.Helper()
	e.ok("UpdateBucket", e.UpdateBucket(e.ctx, bucket, func(b *storage.Bucket) error {
		b.Versioning = v
		return nil
	}))
}

// ok ends the case when err is not nil.
func (e *env) ok(what string, err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("%s: %v", what, err)
	}
}

// sentinels are the errors that callers branch on; one error must not be two of them.
var sentinels = []error{
	storage.ErrNoSuchBucket, storage.ErrBucketExists, storage.ErrBucketNotEmpty, storage.ErrNoSuchKey,
	storage.ErrNoSuchVersion, storage.ErrMarker, storage.ErrNoSuchUpload, storage.ErrInvalidPart,
	storage.ErrPartOrder, storage.ErrPartTooSmall, storage.ErrOffset, storage.ErrTooManyParts, storage.ErrPrecondition, storage.ErrDamaged,
	storage.ErrFull, storage.ErrUnavailable, storage.ErrClosed, storage.ErrSize, storage.ErrNotSupported,
}

// is fails the case when err is not the wanted sentinel, or is another one as well;
// want nil wants no error.
func (e *env) is(what string, err, want error) {
	e.Helper()
	if got := errorName(err); got != errorName(want) {
		e.Errorf("%s: got error %v (%s), want %s", what, err, got, errorName(want))
	}
}

// errorName names the sentinels that an error is.
func errorName(err error) string {
	if err == nil {
		return "no error"
	}
	var names []string
	for _, s := range sentinels {
		if isError(err, s) {
			names = append(names, s.Error())
		}
	}
	if names == nil {
		return "an error without identity"
	}
	return strings.Join(names, " + ")
}
