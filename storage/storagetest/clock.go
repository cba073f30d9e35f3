package storagetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Clock checks a store whose clock jumps, forth, back, and to 1970: the version that
// was written last is the latest, and times are what the clock said. open makes an
// empty store with the clock and sees to its end.
func Clock(t *testing.T, open func(t *testing.T, now func() time.Time) storage.Backend) {
	start := time.Date(2024, 2, 29, 23, 59, 59, 987654321, time.UTC)
	var now atomic.Pointer[time.Time]
	now.Store(&start)
	e := newEnv(t, open(t, func() time.Time { return *now.Load() }), Options{})
	bucket := e.bucket(storage.VersioningEnabled)
	b, err := e.Bucket(e.ctx, bucket)
	e.ok("Bucket", err)
	e.stamped("bucket", b.Created, start)
	var want []string
	for i, jump := range []time.Duration{0, time.Hour, -2 * time.Hour, 0, 366 * 24 * time.Hour, -3 * 366 * 24 * time.Hour, time.Nanosecond, -time.Duration(start.UnixNano()), 0} {
		at := start.Add(jump)
		now.Store(&at)
		o := e.put(bucket, "k", fmt.Sprint(i))
		e.stamped("version", o.Modified, at)
		e.stamped("version, read again", e.stat(bucket, "k", o.VersionID).Modified, at)
		e.equal("the latest content", e.get(bucket, "k", ""), fmt.Sprint(i))
		want = append(want, "k "+o.VersionID)
		if i%3 == 2 {
			want = append(want, "k "+e.del(bucket, "k", "").VersionID+" marker")
			e.is("the marker made last is the latest", last(e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})), storage.ErrNoSuchKey)
		}
		u := e.upload(bucket, "u")
		e.stamped("upload", u.Begun, at)
		e.stamped("part", e.part(u, 1, "x").Modified, at)
	}
	slices.Reverse(want)
	want[0] = fmt.Sprint(want[0][:len(want[0])-len(" marker")], "* marker")
	e.equal("versions", e.versions(bucket), want)
	// Conditions about the time compare whole seconds.
	at := start
	now.Store(&at)
	e.put(bucket, "c", "x")
	other := storage.Conditions{IfMatchModified: start.Truncate(time.Second).Add(time.Second)}
	e.is("a condition about the next second", e.tryDel(bucket, storage.DeleteInput{Key: "c", If: other}).Err, storage.ErrPrecondition)
	same := storage.Conditions{IfMatchModified: start.Truncate(time.Second)}
	e.is("a condition about the same second", e.tryDel(bucket, storage.DeleteInput{Key: "c", If: same}).Err, nil)
}

// last returns the error of a call.
func last[V any](_ V, err error) error { return err }

// stamped checks a time that a store took from its clock. It may keep it by the
// millisecond, as S3 tells it.
func (e *env) stamped(what string, got, want time.Time) {
	e.Helper()
	if got.Sub(want).Abs() >= time.Millisecond {
		e.Errorf("%s: time %v, the clock says %v", what, got, want)
	}
}
