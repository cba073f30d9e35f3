package storagetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var conditionCases = []testCase{
	{"conditions/put", func(e *env) { e.conditions("put") }},
	{"conditions/copy", func(e *env) { e.conditions("copy") }},
	{"conditions/complete", func(e *env) { e.conditions("complete") }},
	{"conditions/delete", func(e *env) { e.conditions("delete") }},
	{"conditions/delete-version", conditionsOfVersions},
}

// conditionStates are what a key may be in; the last word of the script that puts
// content is the current version.
var conditionStates = []struct {
	script string
	exists bool
}{
	{"", false},
	{"a", true},
	{"a b", true},
	{"a d", false},
	{"E", false},
	{"E a", true},
	{"E a b", true},
	{"E a d", false},
	{"E a d b", true},
	{"E a d -d1", true},
	{"S a", true},
	{"S d", false},
	{"E a S d", false},
	{"E a S d b", true},
}

// conditionTable tells what a condition gives for an existing version cur and a
// missing one. Conditions of deletes only come last.
var conditionTable = []struct {
	what            string
	c               func(cur *storage.Object) storage.Conditions
	exists, missing error
	deletes         bool
}{
	{"none", func(*storage.Object) storage.Conditions { return storage.Conditions{} }, nil, nil, false},
	{"if-none-match *", func(*storage.Object) storage.Conditions { return storage.Conditions{IfNoneMatch: "*"} }, storage.ErrPrecondition, nil, false},
	{"if-none-match etag", func(o *storage.Object) storage.Conditions { return storage.Conditions{IfNoneMatch: o.ETag} }, storage.ErrPrecondition, nil, false},
	{"if-none-match other", func(*storage.Object) storage.Conditions { return storage.Conditions{IfNoneMatch: "other"} }, nil, nil, false},
	{"if-match *", func(*storage.Object) storage.Conditions { return storage.Conditions{IfMatch: "*"} }, nil, storage.ErrNoSuchKey, false},
	{"if-match etag", func(o *storage.Object) storage.Conditions { return storage.Conditions{IfMatch: o.ETag} }, nil, storage.ErrNoSuchKey, false},
	{"if-match other", func(*storage.Object) storage.Conditions { return storage.Conditions{IfMatch: "other"} }, storage.ErrPrecondition, storage.ErrNoSuchKey, false},
	{"size", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatchSize: o.Size, HasSize: true}
	}, nil, storage.ErrNoSuchKey, true},
	{"other size", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatchSize: o.Size + 1, HasSize: true}
	}, storage.ErrPrecondition, storage.ErrNoSuchKey, true},
	{"size 0", func(*storage.Object) storage.Conditions { return storage.Conditions{HasSize: true} }, storage.ErrPrecondition, storage.ErrNoSuchKey, true},
	{"time", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatchModified: o.Modified.Truncate(time.Second)}
	}, nil, storage.ErrNoSuchKey, true},
	{"other time", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatchModified: o.Modified.Truncate(time.Second).Add(time.Second)}
	}, storage.ErrPrecondition, storage.ErrNoSuchKey, true},
	{"all", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatch: o.ETag, IfMatchSize: o.Size, HasSize: true, IfMatchModified: o.Modified.Truncate(time.Second)}
	}, nil, storage.ErrNoSuchKey, true},
	{"etag but other size", func(o *storage.Object) storage.Conditions {
		return storage.Conditions{IfMatch: o.ETag, IfMatchSize: o.Size + 1, HasSize: true}
	}, storage.ErrPrecondition, storage.ErrNoSuchKey, true},
}

// conditions tries every condition in every state with one kind of write.
func (e *env) conditions(write string) {
	src := e.bucket(storage.VersioningUnset)
	e.put(src, "k", "source")
	for _, state := range conditionStates {
		for _, c := range conditionTable {
			if c.deletes && write != "delete" {
				continue
			}
			bucket := e.bucket(storage.VersioningUnset)
			e.script(bucket, "k", state.script)
			cur := &storage.Object{ETag: "there is none", Size: 1, Modified: time.Now()}
			want := c.missing
			if state.exists {
				cur, want = e.stat(bucket, "k", ""), c.exists
			}
			before := e.versions(bucket)
			what := fmt.Sprintf("%s in state %q with %s", write, state.script, c.what)
			err := e.conditionalWrite(write, bucket, src, c.c(cur))
			e.is(what, err, want)
			if want != nil {
				e.equal(what+": versions after", e.versions(bucket), before)
				continue
			}
			if write == "delete" {
				_, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
				e.is(what+": StatObject after", err, storage.ErrNoSuchKey)
			} else {
				e.equal(what+": content after", e.get(bucket, "k", ""), "source")
			}
		}
	}
}

// conditionalWrite writes "source" to the key "k", or deletes it.
func (e *env) conditionalWrite(write, bucket, src string, c storage.Conditions) error {
	e.Helper()
	switch write {
	case "put":
		in := putInput(bucket, "k", []byte("source"))
		in.If = c
		_, err := e.PutObject(e.ctx, in)
		return err
	case "copy":
		_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: src, Key: "k"}, Bucket: bucket, Key: "k", If: c})
		return err
	case "complete":
		u := e.upload(bucket, "k")
		in := completeInput(u.UploadRef, *e.part(u, 1, "source"))
		in.If = c
		_, err := e.CompleteUpload(e.ctx, in)
		if err != nil { // the upload must still be there, with its part
			e.equal("parts after a refused CompleteUpload", e.partNumbers(u.UploadRef), []int{1})
		}
		return err
	default:
		return e.tryDel(bucket, storage.DeleteInput{Key: "k", If: c}).Err
	}
}

// conditionsOfVersions deletes a version by its id: the condition is about that one.
func conditionsOfVersions(e *env) {
	for _, c := range conditionTable {
		if strings.HasPrefix(c.what, "if-none-match") {
			continue
		}
		bucket := e.bucket(storage.VersioningEnabled)
		old := e.put(bucket, "k", "old")
		e.put(bucket, "k", "newer")
		cond := c.c(old)
		res := e.tryDel(bucket, storage.DeleteInput{Key: "k", Version: "none", If: cond})
		e.is("delete of a missing version with "+c.what, res.Err, c.missing)
		res = e.tryDel(bucket, storage.DeleteInput{Key: "k", Version: old.VersionID, If: cond})
		e.is("delete of an old version with "+c.what, res.Err, c.exists)
		_, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k", Version: old.VersionID})
		if c.exists == nil {
			e.is("StatObject after it", err, storage.ErrNoSuchVersion)
		} else {
			e.is("StatObject after it", err, nil)
		}
		e.equal("content of the current version", e.get(bucket, "k", ""), "newer")
	}
	bucket := e.bucket(storage.VersioningEnabled)
	marker := e.del(bucket, "k", "")
	res := e.tryDel(bucket, storage.DeleteInput{Key: "k", Version: marker.VersionID, If: storage.Conditions{IfMatch: "*"}})
	e.is("delete of a marker with if-match", res.Err, storage.ErrNoSuchKey)
}
