package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var bucketCases = []testCase{
	{"buckets/create", bucketCreate},
	{"buckets/private-copies", bucketPrivate},
	{"buckets/list", bucketList},
	{"buckets/update", bucketUpdate},
	{"buckets/update-refused", bucketUpdateRefused},
	{"buckets/update-concurrent", bucketUpdateConcurrent},
	{"buckets/delete", bucketDelete},
	{"buckets/delete-not-empty", bucketNotEmpty},
	{"buckets/missing", bucketMissing},
}

func bucketCreate(e *env) {
	before := time.Now().Add(-time.Minute)
	plain := e.name()
	e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: plain}))
	b, err := e.Bucket(e.ctx, plain)
	e.ok("Bucket", err)
	if b.Created.Before(before) || b.Created.After(time.Now().Add(time.Minute)) {
		e.Errorf("Created was set to %v", b.Created)
	}
	full := storage.Bucket{
		Name: e.name(), Created: time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC), Owner: "123456789012", Region: "eu-west-1",
		Versioning: storage.VersioningEnabled, ObjectLock: true,
		Docs: map[string][]byte{"policy": []byte(`{"a":1}`), "cors": {0, 1, 255}, "empty": {}},
	}
	e.ok("CreateBucket", e.CreateBucket(e.ctx, full))
	for i := range 2 {
		b, err = e.Bucket(e.ctx, full.Name)
		e.ok("Bucket", err)
		e.sameBucket(fmt.Sprintf("bucket, read %d", i), b, &full)
	}
	e.is("second CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: full.Name, Owner: "other"}), storage.ErrBucketExists)
	b, err = e.Bucket(e.ctx, full.Name)
	e.ok("Bucket", err)
	e.sameBucket("bucket after a refused creation", b, &full)
	u, err := e.Usage(e.ctx, full.Name)
	e.ok("Usage", err)
	e.equal("usage of a new bucket", u, storage.Usage{})
}

// sameBucket compares two descriptions of one bucket.
func (e *env) sameBucket(what string, got, want *storage.Bucket) {
	e.Helper()
	e.equal(what, describeBucket(got), describeBucket(want))
}

// describeBucket prints everything of a bucket.
func describeBucket(b *storage.Bucket) string {
	var docs []string
	for name, doc := range b.Docs {
		docs = append(docs, fmt.Sprintf("%s=%q", name, doc))
	}
	slices.Sort(docs)
	return fmt.Sprintf("%s created %s owner %q region %q versioning %d lock %t docs %s",
		b.Name, b.Created.UTC().Format(time.RFC3339Nano), b.Owner, b.Region, b.Versioning, b.ObjectLock, strings.Join(docs, " "))
}

func bucketPrivate(e *env) {
	name := e.name()
	docs := map[string][]byte{"policy": []byte("p")}
	e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: name, Docs: docs}))
	docs["cors"] = []byte("added by the caller afterwards")
	b, err := e.Bucket(e.ctx, name)
	e.ok("Bucket", err)
	e.equal("documents", len(b.Docs), 1)
	var kept *storage.Bucket
	e.ok("UpdateBucket", e.UpdateBucket(e.ctx, name, func(b *storage.Bucket) error {
		kept = b
		b.Docs["tagging"] = []byte("t")
		b.Owner = "new"
		return nil
	}))
	if len(b.Docs) != 1 || b.Owner != "" {
		e.Errorf("an update changed the Bucket that had been given out: %s", describeBucket(b))
	}
	kept.Docs["cors"] = []byte("added by the caller afterwards")
	kept.Owner = "changed by the caller afterwards"
	b, err = e.Bucket(e.ctx, name)
	e.ok("Bucket", err)
	if len(b.Docs) != 2 || b.Owner != "new" {
		e.Errorf("what change was given is not private: %s", describeBucket(b))
	}
}

func bucketList(e *env) {
	var names []string
	prefix := e.name()
	for _, suffix := range []string{"", "-a", "-b", "-ba", "-bb", "-c", ".x", "0", "z"} {
		names = append(names, prefix+suffix)
	}
	for i := range names { // not in order
		e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: names[(i*5)%len(names)], Owner: "o"}))
	}
	slices.Sort(names)
	for limit := 1; limit <= len(names)+1; limit++ {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, more, err := e.ListBuckets(e.ctx, prefix, after, limit)
			e.ok("ListBuckets", err)
			for _, b := range page {
				got = append(got, b.Name)
				if b.Owner != "o" || b.Created.IsZero() {
					e.Errorf("ListBuckets gives %s", describeBucket(b))
				}
			}
			if want := min(limit, len(names)-len(got)+len(page)); len(page) != want {
				e.Fatalf("limit %d: page of %d, want %d", limit, len(page), want)
			}
			if more != (len(got) < len(names)) {
				e.Errorf("limit %d: more is %t after %d of %d", limit, more, len(got), len(names))
			}
			if !more {
				break
			}
		}
		e.equal(fmt.Sprintf("names in pages of %d", limit), got, names)
	}
	page, more, err := e.ListBuckets(e.ctx, prefix+"-b", prefix+"-b0", 10)
	e.ok("ListBuckets", err)
	if len(page) != 2 || more || page[0].Name != prefix+"-ba" || page[1].Name != prefix+"-bb" {
		e.Errorf("prefix and after together give %d buckets", len(page))
	}
	page, more, err = e.ListBuckets(e.ctx, prefix+"~", "", 10)
	if len(page) != 0 || more || err != nil {
		e.Errorf("a prefix that no bucket has gives %d buckets, more %t, error %v", len(page), more, err)
	}
}

func bucketUpdate(e *env) {
	want := storage.Bucket{Name: e.name(), Owner: "o", Created: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}
	e.ok("CreateBucket", e.CreateBucket(e.ctx, want))
	for _, change := range []func(b *storage.Bucket){
		func(b *storage.Bucket) { b.Docs = map[string][]byte{"policy": []byte("p")} },
		func(b *storage.Bucket) { b.Versioning = storage.VersioningEnabled },
		func(b *storage.Bucket) { b.Docs["cors"] = []byte(strings.Repeat("c", 70000)) },
		func(b *storage.Bucket) { delete(b.Docs, "policy"); b.ObjectLock = true },
		func(b *storage.Bucket) { b.Versioning, b.Owner, b.Region = storage.VersioningSuspended, "o2", "r" },
		func(b *storage.Bucket) { b.Versioning, b.Docs = storage.VersioningEnabled, nil },
	} {
		change(&want)
		e.ok("UpdateBucket", e.UpdateBucket(e.ctx, want.Name, func(b *storage.Bucket) error { change(b); return nil }))
		b, err := e.Bucket(e.ctx, want.Name)
		e.ok("Bucket", err)
		e.sameBucket("updated bucket", b, &want)
	}
}

func bucketUpdateRefused(e *env) {
	want := storage.Bucket{Name: e.name(), Owner: "o", Created: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), Versioning: storage.VersioningEnabled,
		Docs: map[string][]byte{"policy": []byte("p")}}
	e.ok("CreateBucket", e.CreateBucket(e.ctx, want))
	same := func(what string) {
		e.Helper()
		b, err := e.Bucket(e.ctx, want.Name)
		e.ok("Bucket", err)
		e.sameBucket(what, b, &want)
	}
	refused := errors.New("refused")
	err := e.UpdateBucket(e.ctx, want.Name, func(b *storage.Bucket) error {
		b.Owner = "other"
		b.Docs["policy"] = []byte("q")
		return refused
	})
	if err != refused {
		e.Errorf("the error of change came back as %v", err)
	}
	same("after an error of change")
	// Either refused or undone, but never stored.
	_ = e.UpdateBucket(e.ctx, want.Name, func(b *storage.Bucket) error { b.Name = e.name(); return nil })
	same("after a change of Name")
	_ = e.UpdateBucket(e.ctx, want.Name, func(b *storage.Bucket) error { b.Created = time.Now(); return nil })
	same("after a change of Created")
	_ = e.UpdateBucket(e.ctx, want.Name, func(b *storage.Bucket) error { b.Versioning = storage.VersioningUnset; return nil })
	same("after unsetting Versioning")
}

func bucketUpdateConcurrent(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	const n = 32
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			err := e.UpdateBucket(e.ctx, bucket, func(b *storage.Bucket) error {
				if b.Docs == nil {
					b.Docs = map[string][]byte{}
				}
				b.Docs[fmt.Sprintf("doc%d", i)] = []byte{byte(i)}
				return nil
			})
			if err != nil {
				e.Errorf("UpdateBucket: %v", err)
			}
		})
	}
	wg.Wait()
	b, err := e.Bucket(e.ctx, bucket)
	e.ok("Bucket", err)
	e.equal("documents set by concurrent updates", len(b.Docs), n)
}

func bucketDelete(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	o := e.put(bucket, "k", "v")
	u := e.upload(bucket, "open")
	e.part(u, 1, "part")
	e.del(bucket, "k", o.VersionID)
	e.ok("DeleteBucket with an open upload", e.DeleteBucket(e.ctx, bucket))
	_, err := e.Bucket(e.ctx, bucket)
	e.is("Bucket after DeleteBucket", err, storage.ErrNoSuchBucket)
	e.is("second DeleteBucket", e.DeleteBucket(e.ctx, bucket), storage.ErrNoSuchBucket)
	list, _, err := e.ListBuckets(e.ctx, bucket, "", 10)
	e.ok("ListBuckets", err)
	e.equal("buckets listed", len(list), 0)

	e.ok("CreateBucket again", e.CreateBucket(e.ctx, storage.Bucket{Name: bucket, Owner: "new"}))
	b, err := e.Bucket(e.ctx, bucket)
	e.ok("Bucket", err)
	e.equal("versioning of the new bucket", b.Versioning, storage.VersioningUnset)
	_, err = e.Upload(e.ctx, u.UploadRef)
	e.is("Upload of the old bucket", err, storage.ErrNoSuchUpload)
	_, err = e.PutPart(e.ctx, partInput(u.UploadRef, 2, []byte("x")))
	e.is("PutPart to an upload of the old bucket", err, storage.ErrNoSuchUpload)
	e.equal("state of the new bucket", e.versions(bucket), []string(nil))
	e.usage(bucket, storage.Usage{})
	e.put(bucket, "k", "new")
	e.equal("content in the new bucket", e.get(bucket, "k", ""), "new")
}

func bucketNotEmpty(e *env) {
	for what, fill := range map[string]func(bucket string) (undo func()){
		"an object": func(b string) func() {
			e.put(b, "k", "")
			return func() { e.del(b, "k", storage.NullVersion) }
		},
		"an old version under a marker": func(b string) func() {
			e.versioning(b, storage.VersioningEnabled)
			o := e.put(b, "k", "x")
			m := e.del(b, "k", "")
			return func() { e.del(b, "k", o.VersionID); e.del(b, "k", m.VersionID) }
		},
		"a delete marker alone": func(b string) func() {
			e.versioning(b, storage.VersioningEnabled)
			m := e.del(b, "k", "")
			return func() { e.del(b, "k", m.VersionID) }
		},
		"a null delete marker": func(b string) func() {
			e.versioning(b, storage.VersioningSuspended)
			last := e.kept([]string{"~", "\xff"})
			key := last[len(last)-1]
			e.del(b, key, "")
			return func() { e.del(b, key, storage.NullVersion) }
		},
	} {
		bucket := e.bucket(storage.VersioningUnset)
		undo := fill(bucket)
		e.is("DeleteBucket with "+what, e.DeleteBucket(e.ctx, bucket), storage.ErrBucketNotEmpty)
		if _, err := e.Bucket(e.ctx, bucket); err != nil {
			e.Errorf("Bucket after a refused DeleteBucket: %v", err)
		}
		undo()
		e.is("DeleteBucket after removing "+what, e.DeleteBucket(e.ctx, bucket), nil)
	}
}

func bucketMissing(e *env) {
	no := e.name()
	there := e.bucket(storage.VersioningUnset)
	e.put(there, "k", "v")
	for what, err := range e.everyCall(no, there) {
		want := storage.ErrNoSuchBucket
		if strings.HasPrefix(what, "upload: ") {
			want = storage.ErrNoSuchUpload
		}
		e.is(what+" in a missing bucket", err, want)
	}
}
