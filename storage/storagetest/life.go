package storagetest

import (
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

var lifeCases = []testCase{
	{"life/close", lifeClose},
	{"life/reopen", lifeReopen},
	{"life/reopen-empty", lifeReopenEmpty},
}

func lifeClose(e *env) {
	e = e.on(e.open())
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "x")
	e.ok("Close", e.Close())
	for what, err := range e.everyCall(bucket, bucket) {
		if !errors.Is(err, storage.ErrClosed) {
			e.Errorf("%s after Close: %v", what, err)
		}
	}
	_, _, err := e.ListBuckets(e.ctx, "", "", 10)
	e.is("ListBuckets after Close", err, storage.ErrClosed)
	e.is("CreateBucket after Close", e.CreateBucket(e.ctx, storage.Bucket{Name: "new"}), storage.ErrClosed)
}

// lifeReopen fills a store step by step and opens it again after each: everything must
// be as it was, and go on as it would have.
func lifeReopen(e *env) {
	if e.reopen == nil {
		e.Logf("this store keeps nothing")
		return
	}
	s := e.on(e.open())
	again := func(what string) {
		e.Helper()
		before, err := snapshot(s.ctx, s.Backend)
		e.ok("snapshot", err)
		s.Backend = e.reopen(s.Backend)
		after, err := snapshot(s.ctx, s.Backend)
		e.ok("snapshot", err)
		e.equal("the store opened again after "+what, after.exact(), before.exact())
	}
	bucket := s.bucket(storage.VersioningUnset)
	again("CreateBucket")
	e.ok("UpdateBucket", s.UpdateBucket(s.ctx, bucket, func(b *storage.Bucket) error {
		b.Docs = map[string][]byte{"policy": []byte("p\x00"), "empty": {}}
		b.Region = "r"
		return nil
	}))
	again("UpdateBucket")
	for i, size := range s.sizes() {
		in := putInput(bucket, fmt.Sprint("k", i), noise(uint64(i), int(size)))
		in.Meta = e.fullMeta("m")
		_, err := s.PutObject(s.ctx, in)
		e.ok("PutObject", err)
	}
	again("PutObject")
	s.put(bucket, "k1", "overwritten")
	s.del(bucket, "k2", "")
	again("overwriting and deleting")
	ids := s.script(bucket, "versioned", "n E a b d S m E c d e")
	again("versions and markers")
	s.del(bucket, "versioned", ids["e"])
	_, err := s.SetTags(s.ctx, storage.Ref{Bucket: bucket, Key: "versioned", Version: ids["b"]}, []storage.Tag{{Key: "a", Value: "b"}})
	e.ok("SetTags", err)
	again("deleting the latest version and tagging an old one")
	s.putAll(bucket, e.kept(weirdKeys()), func(key string) string { return key })
	again("weird keys")
	up, err := s.CreateUpload(s.ctx, storage.UploadInput{Bucket: bucket, Key: "u", Meta: e.fullMeta("u"), Initiator: "i", ChecksumAlgorithm: "SHA1", ChecksumType: "COMPOSITE"})
	e.ok("CreateUpload", err)
	parts := []storage.Part{*s.part(up, 1, "small"), *s.part(up, 7, string(noise(1, 1<<20)))}
	again("CreateUpload and PutPart")
	s.part(up, 3, "unused")
	s.part(up, 1, "replaced")
	parts[0] = *s.part(up, 1, "small again")
	again("replacing parts")
	complete := completeInput(up.UploadRef, parts...)
	done, err := s.CompleteUpload(s.ctx, complete)
	e.ok("CompleteUpload", err)
	again("CompleteUpload")
	s.repeatable(complete, done)
	_, err = s.CopyObject(s.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "u"}, Bucket: bucket, Key: "copy"})
	e.ok("CopyObject", err)
	s.del(bucket, "u", done.VersionID)
	again("CopyObject and deleting its source")
	e.equal("content of the copy", s.get(bucket, "copy", "") == "small again"+string(noise(1, 1<<20)), true)
	other := s.bucket(storage.VersioningUnset)
	s.upload(other, "k")
	e.ok("DeleteBucket", s.DeleteBucket(s.ctx, other))
	again("DeleteBucket")
	// Ids must not be given out again.
	all := map[string]bool{}
	for _, o := range s.allVersions(bucket) {
		all[o.VersionID] = true
	}
	for range 20 {
		if id := s.put(bucket, "new", "x").VersionID; all[id] {
			e.Errorf("version id %q was given out twice", id)
		}
	}
}

func lifeReopenEmpty(e *env) {
	if e.reopen == nil {
		e.Logf("this store keeps nothing")
		return
	}
	s := e.on(e.open())
	for range 3 {
		s.Backend = e.reopen(s.Backend)
	}
	list, more, err := s.ListBuckets(s.ctx, "", "", 10)
	if len(list) != 0 || more || err != nil {
		e.Errorf("a new store has %d buckets, error %v", len(list), err)
	}
}
