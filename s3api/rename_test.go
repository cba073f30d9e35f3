package s3api

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/storage"
)

const renameFrom = "X-Amz-Rename-Source: "

func TestRename(t *testing.T) {
	e := newEnv(t)
	put := e.must(200, "PUT", "/bkt/a/old%20name", "content", "Content-Type: text/x", "X-Amz-Meta-A: b", "X-Amz-Tagging: k=v")
	before := e.must(200, "HEAD", "/bkt/a/old%20name", "")
	e.must(200, "PUT", "/bkt/new", "what was there")
	e.now = e.now.Add(time.Hour)
	e.must(200, "PUT", "/bkt/new?renameObject", "", renameFrom+"a/old%20name")
	got := e.must(200, "GET", "/bkt/new", "")
	if got.body != "content" {
		t.Errorf("content %q", got.body)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Meta-A", "Last-Modified", "X-Amz-Tagging-Count"} {
		e.wantHeader(got, name, before.Get(name))
	}
	e.wantHeader(got, "Etag", put.Get("Etag"))
	e.refused(404, "NoSuchKey", "GET", "/bkt/a/old%20name", "")

	e.refused(404, "NoSuchKey", "PUT", "/bkt/new?renameObject", "", renameFrom+"none")
	e.refused(400, "InvalidArgument", "PUT", "/bkt/new?renameObject", "")
	e.refused(400, "InvalidArgument", "PUT", "/bkt/new?renameObject", "", renameFrom+"%zz")
	e.refused(400, "InvalidArgument", "PUT", "/bkt/new?renameObject", "", renameFrom+strings.Repeat("x", 1025))
	e.refused(400, "InvalidRequest", "PUT", "/bkt/new?renameObject", "", renameFrom+"new")
	e.refused(400, "EntityTooLarge", "PUT", "/bkt/new2?renameObject", "body", renameFrom+"new")
	e.refused(404, "NoSuchBucket", "PUT", "/nobucket/new?renameObject", "", renameFrom+"k")
	e.refused(501, "NotImplemented", "PUT", "/bkt/new2?renameObject", "", renameFrom+"new", "X-Amz-Meta-X: y")
	e.refused(501, "NotImplemented", "PUT", "/bkt/new2", "", renameFrom+"new")
	if got := e.must(200, "GET", "/bkt/new", ""); got.body != "content" {
		t.Errorf("refused renames have left %q", got.body)
	}
}

func TestRenameConditions(t *testing.T) {
	const source = "X-Amz-Rename-Source-"
	past, future := "Sun, 01 Jan 2012 00:00:00 GMT", "Sun, 01 Jan 2040 00:00:00 GMT"
	for _, row := range []struct {
		header  string
		there   bool // the new name stands for something
		status  int
		because string
	}{
		{source + "If-Match: " + md5Hex("old"), true, 200, ""},
		{source + "If-Match: " + md5Hex("new"), true, 412, "x-amz-rename-source-if-match"},
		{source + "If-None-Match: " + md5Hex("old"), false, 412, "x-amz-rename-source-if-none-match"},
		{source + "If-None-Match: *", false, 412, "x-amz-rename-source-if-none-match"},
		{source + "If-None-Match: other", false, 200, ""},
		{source + "If-Modified-Since: " + past, false, 200, ""},
		{source + "If-Modified-Since: " + future, false, 412, "x-amz-rename-source-if-modified-since"},
		{source + "If-Unmodified-Since: " + past, false, 412, "x-amz-rename-source-if-unmodified-since"},
		{source + "If-Unmodified-Since: " + future, false, 200, ""},
		{"If-Match: " + md5Hex("new"), true, 200, ""},
		{"If-Match: *", true, 200, ""},
		{"If-Match: " + md5Hex("old"), true, 412, "If-Match"},
		{"If-Match: *", false, 412, "If-Match"},
		{"If-None-Match: *", true, 412, "If-None-Match"},
		{"If-None-Match: *", false, 200, ""},
		{"If-Modified-Since: " + past, true, 200, ""},
		{"If-Modified-Since: " + past, false, 412, "If-Modified-Since"},
		{"If-Modified-Since: " + future, true, 412, "If-Modified-Since"},
		{"If-Unmodified-Since: " + future, true, 200, ""},
		{"If-Unmodified-Since: " + past, true, 412, "If-Unmodified-Since"},
		{"If-Unmodified-Since: " + past, false, 200, ""},
	} {
		t.Run(strings.ReplaceAll(row.header, "/", ""), func(t *testing.T) {
			e := newEnv(t)
			e.must(200, "PUT", "/bkt/old", "old")
			if row.there {
				e.must(200, "PUT", "/bkt/new", "new")
			}
			a := e.must(row.status, "PUT", "/bkt/new?renameObject", "", renameFrom+"old", row.header)
			if a.element("Condition") != row.because {
				t.Errorf("refused because of %q", a.element("Condition"))
			}
			moved := e.do("HEAD", "/bkt/old", "").status == 404
			if moved != (row.status == 200) {
				t.Errorf("moved %t", moved)
			}
			if row.there && !moved {
				if got := e.must(200, "GET", "/bkt/new", ""); got.body != "new" {
					t.Errorf("the new name holds %q", got.body)
				}
			}
		})
	}
}

func TestRenameToken(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/old", "first")
	again := []string{renameFrom + "old", "X-Amz-Client-Token: t-1"}
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	e.must(200, "PUT", "/bkt/old", "second")
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	if got := e.must(200, "GET", "/bkt/new", ""); got.body != "first" {
		t.Errorf("a repeated request has renamed %q", got.body)
	}
	e.refused(400, "IdempotencyParameterMismatch", "PUT", "/bkt/new?renameObject", "", append(again, "If-Match: *")...)
	e.must(200, "PUT", "/bkt/third", "third")
	e.refused(400, "IdempotencyParameterMismatch", "PUT", "/bkt/new?renameObject", "", renameFrom+"third", again[1])
	e.must(200, "PUT", "/bkt/new?renameObject", "", renameFrom+"old", "X-Amz-Client-Token: t-2")
	if got := e.must(200, "GET", "/bkt/new", ""); got.body != "second" {
		t.Errorf("another token has left %q", got.body)
	}
	// The token is of that renaming, whatever has become of what it made.
	e.must(200, "PUT", "/bkt/old", "fourth")
	e.refused(400, "IdempotencyParameterMismatch", "PUT", "/bkt/other?renameObject", "", again...)
	e.refused(400, "IdempotencyParameterMismatch", "PUT", "/bkt/other?renameObject", "", renameFrom+"none", again[1])
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	e.must(204, "DELETE", "/bkt/new", "")
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	e.refused(404, "NoSuchKey", "HEAD", "/bkt/new", "")
	if got := e.must(200, "GET", "/bkt/old", ""); got.body != "fourth" {
		t.Errorf("a repeated request has renamed %q", got.body)
	}
	e.bucket("second", storage.VersioningEnabled)
	e.must(200, "PUT", "/second/old", "x")
	e.must(200, "PUT", "/second/other?renameObject", "", again...) // where it is another client's
	e.s.tokens = tokens{}                                          // as after a restart
	e.must(200, "PUT", "/second/other?renameObject", "", again...)
	for _, token := range []string{"", strings.Repeat("x", 65), "a b", "ü"} {
		e.refused(400, "InvalidArgument", "PUT", "/bkt/new?renameObject", "", renameFrom+"third", "X-Amz-Client-Token: "+token)
	}
}

// TestTokens: the oldest are forgotten.
func TestTokens(t *testing.T) {
	var k tokens
	b := &storage.Bucket{Name: "b", Created: time.Unix(1, 0)}
	for i := range maxTokens + 10 {
		k.add(b, fmt.Sprint(i), "x")
		k.add(b, fmt.Sprint(i), fmt.Sprint("done ", i))
	}
	if len(k.done) != maxTokens || len(k.ring) != maxTokens || k.find(b, "9") != "" || k.find(b, "10") != "done 10" || k.find(b, fmt.Sprint(maxTokens+9)) == "" {
		t.Error(len(k.done), len(k.ring), k.find(b, "9"), k.find(b, "10"))
	}
	if k.find(&storage.Bucket{Name: "b", Created: time.Unix(2, 0)}, "10") != "" {
		t.Error("a bucket that was made anew knows tokens")
	}
}

// TestRenameSealed renames objects in every form that they are kept in; the name is part of what they are sealed for.
func TestRenameSealed(t *testing.T) {
	for _, m := range sseModes() {
		t.Run(m.name, func(t *testing.T) {
			e := newSealedEnv(t, func(c *Config) { c.Compression = Compression{Enabled: true, Encrypted: true} })
			content := lines(200_000)
			put := e.must(200, "PUT", "/bkt/old", content, m.write...)
			before := e.content("old")
			e.must(200, "PUT", "/bkt/new?renameObject", "", append(m.read, renameFrom+"old")...)
			got := e.must(200, "GET", "/bkt/new", "", m.read...)
			if got.body != content {
				t.Errorf("%d bytes that differ", len(got.body))
			}
			e.wantHeader(got, "Etag", put.Get("Etag"))
			e.wantHeader(got, "X-Amz-Server-Side-Encryption", m.told)
			if !slices.Equal(before, e.content("new")) {
				t.Error("the content was written anew")
			}
			e.must(200, "PUT", "/bkt/back?renameObject", "", append(m.read, renameFrom+"new")...)
			if got := e.must(200, "GET", "/bkt/back", "", m.read...); got.body != content {
				t.Error("renamed twice it differs")
			}
		})
	}
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/old", "x", withCustomer(1)...)
	e.refused(400, "InvalidRequest", "PUT", "/bkt/new?renameObject", "", renameFrom+"old")
	e.refused(403, "AccessDenied", "PUT", "/bkt/new?renameObject", "", append(withCustomer(2), renameFrom+"old")...)
	e.must(200, "GET", "/bkt/old", "", withCustomer(1)...)
}

// S-082, S-138: each right that a copy and a deletion would take is asked for.
func TestRenameRights(t *testing.T) {
	for _, row := range []struct {
		action, key string
		status      int
	}{
		{"s3:PutObject", "new", 403}, {"s3:GetObject", "old", 403}, {"s3:DeleteObject", "old", 403},
		{"s3:GetObjectTagging", "old", 403}, {"s3:PutObjectTagging", "new", 403},
		{"s3:PutObject", "old", 200}, {"s3:GetObject", "new", 200}, {"s3:DeleteObject", "new", 200},
	} {
		e := newEnv(t)
		e.must(200, "PUT", "/bkt/old", "x", "X-Amz-Tagging: k=v")
		e.iam.deny = func(r *iam.Request) bool { return r.Action == row.action && r.Key == row.key }
		a := e.do("PUT", "/bkt/new?renameObject", "", renameFrom+"old")
		if a.status != row.status {
			t.Errorf("without %s on %s: %d", row.action, row.key, a.status)
		}
		e.iam.deny = nil
		e.must(map[int]int{200: 404, 403: 200}[row.status], "HEAD", "/bkt/old", "")
	}
	e := newEnv(t)
	e.iam.deny = denyActions("s3:ListBucket")
	e.refused(403, "AccessDenied", "PUT", "/bkt/new?renameObject", "", renameFrom+"none")
}

// TestRenameLocked renames a locked version: it stays where it is, locked, below a delete marker.
func TestRenameLocked(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/lck", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
	put := e.must(200, "PUT", "/lck/old", "x", "X-Amz-Object-Lock-Mode: COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date: 2031-01-01T00:00:00Z", "X-Amz-Object-Lock-Legal-Hold: ON")
	e.must(200, "PUT", "/lck?object-lock", `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>2</Days></DefaultRetention></Rule></ObjectLockConfiguration>`)
	renamed := e.must(200, "PUT", "/lck/new?renameObject", "", renameFrom+"old")
	old := "/lck/old?versionId=" + put.Get("X-Amz-Version-Id")
	e.refused(403, "AccessDenied", "DELETE", old, "")
	e.wantHeader(e.must(200, "HEAD", old, ""), "X-Amz-Object-Lock-Mode", "COMPLIANCE")
	version := "/lck/new?versionId=" + renamed.Get("X-Amz-Version-Id")
	got := e.must(200, "HEAD", version, "")
	e.wantHeader(got, "X-Amz-Object-Lock-Mode", "GOVERNANCE")
	e.wantHeader(got, "X-Amz-Object-Lock-Legal-Hold", "")
	e.refused(403, "AccessDenied", "DELETE", version, "")
	e.refused(404, "NoSuchKey", "GET", "/lck/old", "")
}

func TestRenameQuota(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"/old", "0123456789")
		e.quota(b, 15)
	}
	e.must(200, "PUT", "/bkt/new?renameObject", "", renameFrom+"old")
	e.refused(400, errCodeQuota, "PUT", "/ver/new?renameObject", "", renameFrom+"old")
	e.must(200, "HEAD", "/ver/old", "")
}

func TestRenameEvents(t *testing.T) {
	e := newEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	listened := e.listen("/bkt?" + allEvents)
	e.must(200, "PUT", "/bkt/old", "abc")
	again := []string{renameFrom + "old", "X-Amz-Client-Token: t"}
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...)
	e.must(200, "PUT", "/bkt/new?renameObject", "", again...) // has done nothing
	feed.Close()
	want := []string{"s3:ObjectCreated:Put bkt/old 3", "s3:ObjectCreated:Copy bkt/new 3", "s3:ObjectRemoved:Delete bkt/old 0"}
	if got := told(listened()); !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
}

// TestRenameExpected: what a crash has left of a renaming is found, though its object keeps the time of its last change.
func TestRenameExpected(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/old", "x")
	e.now = e.now.Add(time.Hour)
	ask := events.Event{Name: events.CreatedCopy, Bucket: "bkt", Key: "new", Time: e.now}
	if found, err := e.s.Expected(t.Context(), ask); err != nil || len(found) > 0 {
		t.Errorf("before it: %v %v", found, err)
	}
	e.must(200, "PUT", "/bkt/new?renameObject", "", renameFrom+"old")
	if found, err := e.s.Expected(t.Context(), ask); err != nil || len(found) != 1 || found[0].Key != "new" {
		t.Errorf("after it: %v %v", found, err)
	}
	ask.Time = e.now.Add(time.Hour) // of a later one, which has not been made
	if found, err := e.s.Expected(t.Context(), ask); err != nil || len(found) > 0 {
		t.Errorf("long after it: %v %v", found, err)
	}
}
