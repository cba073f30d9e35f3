package s3api

import (
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

const defaultLock = `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>10</Days></DefaultRetention></Rule></ObjectLockConfiguration>`

// newLockEnv has a bucket "lck" with object lock, and a clock, e.now, that can be set while passed goes on by itself.
func newLockEnv(t *testing.T) (e *env, passed *time.Duration) {
	e, passed = newEnv(t), new(time.Duration)
	e.s = New(Config{Backend: mem.New(mem.Options{}), IAM: e.iam, Now: func() time.Time { return e.now }, Passed: func() time.Duration { return *passed }})
	e.srv.Config.Handler = e.s
	e.must(200, "PUT", "/lck", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
	return e, passed
}

// TestLockClockJumps: a clock that is set forward ends no lock, nor does one that goes back and forth; those that
// are made while it is back last as long as they should.
func TestLockClockJumps(t *testing.T) {
	e, passed := newLockEnv(t)
	right := e.now
	const day = 24 * time.Hour
	pass := func(d time.Duration, jump time.Duration) { // time passes, and the clock is off by the jump
		*passed += d
		e.now = right.Add(*passed + jump)
	}
	put := func(key string) string {
		until := e.now.Add(10 * day).Format(time.RFC3339)
		return "/lck/" + key + "?versionId=" + e.must(200, "PUT", "/lck/"+key, "x", "X-Amz-Object-Lock-Mode: GOVERNANCE", "X-Amz-Object-Lock-Retain-Until-Date: "+until).Get("X-Amz-Version-Id")
	}
	k := put("k")
	for _, jump := range []time.Duration{365 * day, 0, -365 * day, 11 * day, 0, 365 * day} {
		pass(time.Hour, jump)
		e.refused(403, "AccessDenied", "DELETE", k, "")
		e.refused(403, "AccessDenied", "PUT", k+"&retention", "<Retention></Retention>")
	}
	// Set by the bucket's default while the clock is a year back.
	e.must(200, "PUT", "/lck?object-lock", defaultLock)
	pass(0, -365*day)
	version := "/lck/back?versionId=" + e.must(200, "PUT", "/lck/back", "x").Get("X-Amz-Version-Id")
	pass(0, 0)
	e.refused(403, "AccessDenied", "DELETE", version, "")
	pass(9*day, 0)
	e.refused(403, "AccessDenied", "DELETE", version, "")
	e.refused(403, "AccessDenied", "DELETE", k, "")
	// In the end they end, also with a clock that is right.
	pass(2*day, 0)
	e.must(204, "DELETE", k, "")
	e.must(204, "DELETE", version, "")
}

// TestLockOfNothing: what describes a lock tells about keys that are not there what GetObject tells, and no more.
func TestLockOfNothing(t *testing.T) {
	e, _ := newLockEnv(t)
	for _, doc := range []string{"retention", "legal-hold"} {
		e.refused(404, "NoSuchKey", "GET", "/lck/none?"+doc, "")
		e.refused(400, "InvalidArgument", "GET", "/lck/none?versionId=&"+doc, "")
	}
	e.refused(400, "InvalidArgument", "PUT", "/lck/none?versionId=&retention", "<Retention/>")
	e.iam.deny = denyActions("s3:ListBucket")
	for _, doc := range []string{"retention", "legal-hold"} {
		e.refused(403, "AccessDenied", "GET", "/lck/none?"+doc, "")
	}
}

// TestLockConfiguration: object lock is enabled on a bucket that exists when its versioning is on, and what was written
// before is not locked.
func TestLockConfiguration(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	e.bucket("sus", storage.VersioningSuspended)
	e.refused(404, "ObjectLockConfigurationNotFoundError", "GET", "/ver?object-lock", "")
	before := e.must(200, "PUT", "/ver/before", "x").Get("X-Amz-Version-Id")
	e.refused(400, "InvalidRequest", "PUT", "/ver/k", "x", "X-Amz-Object-Lock-Legal-Hold: ON")
	for _, b := range []string{"/bkt", "/sus"} {
		e.refused(409, "InvalidBucketState", "PUT", b+"?object-lock", defaultLock)
	}
	e.must(200, "PUT", "/ver?object-lock", defaultLock)
	after := e.must(200, "PUT", "/ver/after", "x").Get("X-Amz-Version-Id")
	head := e.must(200, "HEAD", "/ver/after", "")
	e.wantHeader(head, "X-Amz-Object-Lock-Mode", "COMPLIANCE")
	e.wantHeader(head, "X-Amz-Object-Lock-Retain-Until-Date", e.now.AddDate(0, 0, 10).Format("2006-01-02T15:04:05.000Z"))
	e.refused(403, "AccessDenied", "DELETE", "/ver/after?versionId="+after, "")
	e.must(204, "DELETE", "/ver/before?versionId="+before, "")
	e.refused(409, "InvalidBucketState", "PUT", "/ver?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
	// Without a rule new objects are not locked by default, and the bucket stays what it is.
	e.must(200, "PUT", "/ver?object-lock", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
	free := e.must(200, "PUT", "/ver/free", "x").Get("X-Amz-Version-Id")
	e.must(204, "DELETE", "/ver/free?versionId="+free, "")
	e.refused(403, "AccessDenied", "DELETE", "/ver/after?versionId="+after, "")
	e.refused(400, "MalformedXML", "PUT", "/ver?object-lock", "<ObjectLockConfiguration><ObjectLockEnabled>Disabled</ObjectLockEnabled></ObjectLockConfiguration>")
}
