package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/objsrv/objsrv/storage"
)

var raceCases = []testCase{
	{"races/one-creator", raceOneCreator},
	{"races/one-changer", raceOneChanger},
	{"races/last-one-stays", raceLastOneStays},
	{"races/complete-and-abort", raceCompleteAbort},
	{"races/complete-twice", raceCompleteTwice},
	{"races/bucket-deletion", raceBucketDeletion},
	{"races/bucket-creation", raceBucketCreation},
	{"races/counters", raceCounters},
	{"races/readers", raceReaders},
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// racers is how many goroutines compete.
const racers = 32

// writers are the ways to write a key with conditions, each with content of its own.
func (e *env) writers(bucket, key string) []func(i int, c storage.Conditions) error {
	e.Helper()
	e.put(bucket, "source", "copied")
	return []func(int, storage.Conditions) error{
		func(i int, c storage.Conditions) error {
			in := putInput(bucket, key, fmt.Append(nil, "put ", i))
			in.If = c
			_, err := e.PutObject(e.ctx, in)
			return err
		},
		func(i int, c storage.Conditions) error {
			in := putInput(bucket, key, noise(uint64(i), 70000+i))
			in.If = c
			_, err := e.PutObject(e.ctx, in)
			return err
		},
		func(_ int, c storage.Conditions) error {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "source"}, Bucket: bucket, Key: key, If: c})
			return err
		},
		func(i int, c storage.Conditions) error {
			u, err := e.CreateUpload(e.ctx, storage.UploadInput{Bucket: bucket, Key: key})
			if err != nil {
				return err
			}
			p, err := e.PutPart(e.ctx, partInput(u.UploadRef, 1, fmt.Append(nil, "part ", i)))
			if err != nil {
				return err
			}
			in := completeInput(u.UploadRef, *p)
			in.If = c
			_, err = e.CompleteUpload(e.ctx, in)
			return err
		},
	}
}

func raceOneCreator(e *env) {
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled} {
		bucket := e.bucket(v)
		for round := range 5 {
			key := fmt.Sprint("k", round)
			writers := e.writers(bucket, key)
			if round%2 == 0 { // all in the same way, which lets them meet more closely
				writers = writers[round/2:][:1]
			}
			var won atomic.Int64
			together(racers, func(i int) {
				err := writers[i%len(writers)](i, storage.Conditions{IfNoneMatch: "*"})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, storage.ErrPrecondition):
					e.Errorf("a loser got %v", err)
				}
			})
			e.equal("winners of If-None-Match: *", won.Load(), int64(1))
			page, err := e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Prefix: key, Limit: 100})
			e.ok("ListVersions", err)
			e.equal("versions made", len(page.Objects), 1)
		}
		e.equal("counters", e.count(bucket), mustUsage(e, bucket))
	}
}

// mustUsage returns a bucket's counters.
func mustUsage(e *env, bucket string) storage.Usage {
	e.Helper()
	u, err := e.Usage(e.ctx, bucket)
	e.ok("Usage", err)
	return u
}

// raceOneChanger lets all change a known version: exactly one may.
func raceOneChanger(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	for round := range 5 {
		key := fmt.Sprint("k", round)
		writers := e.writers(bucket, key)
		old := e.put(bucket, key, "the version they all saw")
		writers = append(writers, func(_ int, c storage.Conditions) error {
			res, err := e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: key, If: c}})
			if err == nil {
				err = res[0].Err
			}
			return err
		})
		var won atomic.Int64
		together(racers, func(i int) {
			err := writers[i%len(writers)](i, storage.Conditions{IfMatch: old.ETag})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrPrecondition) && !errors.Is(err, storage.ErrNoSuchKey):
				e.Errorf("a loser got %v", err)
			}
		})
		e.equal("winners of If-Match", won.Load(), int64(1))
	}
}

// raceLastOneStays overwrites one key at once: what stays is one of the contents,
// whole, and its description is that of the same write.
func raceLastOneStays(e *env) {
	for _, size := range []int{100, 70000} {
		bucket := e.bucket(storage.VersioningUnset)
		contents := map[string]string{}
		for i := range racers {
			contents[digestOf(noise(uint64(i), size+i)).ETag] = string(noise(uint64(i), size+i))
		}
		together(racers, func(i int) {
			in := putInput(bucket, "k", noise(uint64(i), size+i))
			in.Meta = e.fullMeta(fmt.Sprint(i))
			o, err := e.PutObject(e.ctx, in)
			if err != nil || !reflect.DeepEqual(o.Attrs, in.Meta.Attrs) || o.Size != int64(size+i) {
				e.Errorf("PutObject: %+v, error %v", o, err)
			}
		})
		o := e.stat(bucket, "k", "")
		want, ok := contents[o.ETag]
		if got := e.get(bucket, "k", ""); !ok || got != want || o.Size != int64(len(want)) || !reflect.DeepEqual(o.Attrs, e.fullMeta(fmt.Sprint(len(want)-size)).Attrs) {
			e.Errorf("what stays is torn: %+v", *o)
		}
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: o.Size})
	}
}

func raceCompleteAbort(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for round := range 20 {
		key := fmt.Sprint("k", round)
		u := e.upload(bucket, key)
		in := completeInput(u.UploadRef, *e.part(u, 1, "x"))
		var completed, aborted atomic.Int64
		together(4, func(i int) {
			var err error
			switch i {
			case 0, 1:
				if _, err = e.CompleteUpload(e.ctx, in); err == nil {
					completed.Add(1)
				}
			case 2:
				if err = e.AbortUpload(e.ctx, storage.AbortInput{Upload: u.UploadRef}); err == nil {
					aborted.Add(1)
				}
			default:
				_, err = e.PutPart(e.ctx, partInput(u.UploadRef, 2, []byte("late")))
			}
			if err != nil && !errors.Is(err, storage.ErrNoSuchUpload) {
				e.Errorf("racer %d: %v", i, err)
			}
		})
		_, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: key})
		switch {
		case completed.Load() == 2 && aborted.Load() == 0 && err == nil:
			e.equal("content", e.get(bucket, key, ""), "x")
		case completed.Load() == 0 && aborted.Load() == 1 && errors.Is(err, storage.ErrNoSuchKey):
		default:
			e.Errorf("%d completed, %d aborted, StatObject: %v", completed.Load(), aborted.Load(), err)
		}
		_, err = e.Upload(e.ctx, u.UploadRef)
		e.is("Upload afterwards", err, storage.ErrNoSuchUpload)
	}
	e.equal("counters", e.count(bucket), mustUsage(e, bucket))
}

func raceCompleteTwice(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	u := e.upload(bucket, "k")
	in := completeInput(u.UploadRef, *e.part(u, 1, "x"))
	var ids sync.Map
	together(racers, func(int) {
		o, err := e.CompleteUpload(e.ctx, in)
		if err != nil {
			e.Errorf("CompleteUpload: %v", err)
			return
		}
		ids.Store(o.VersionID, true)
	})
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	e.equal("versions told", n, 1)
	e.equal("versions made", len(e.versions(bucket)), 1)
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 1})
}

// raceBucketDeletion puts into a bucket while it is deleted: either the deletion is
// refused, or the object is not there, nor in a new bucket of that name.
func raceBucketDeletion(e *env) {
	for round := range 30 {
		bucket := e.bucket(storage.VersioningUnset)
		writers := e.writers(bucket, "k")
		e.del(bucket, "source", "")
		u := e.upload(bucket, "k")
		p := e.part(u, 1, "x")
		var gone atomic.Bool
		var stored atomic.Int64
		together(4, func(i int) {
			var err error
			switch i {
			case 0:
				if round%2 == 0 {
					runtime.Gosched()
				}
				err = e.DeleteBucket(e.ctx, bucket)
				gone.Store(err == nil)
				if errors.Is(err, storage.ErrBucketNotEmpty) {
					err = nil
				}
			case 1:
				_, err = e.CompleteUpload(e.ctx, completeInput(u.UploadRef, *p))
			default:
				err = writers[i-2](i, storage.Conditions{})
			}
			switch {
			case err == nil && i > 0:
				stored.Add(1)
			case err != nil && !errors.Is(err, storage.ErrNoSuchBucket) && !errors.Is(err, storage.ErrNoSuchUpload):
				e.Errorf("racer %d: %v", i, err)
			}
		})
		if gone.Load() {
			if stored.Load() > 0 {
				e.Errorf("%d writes were acknowledged in a bucket that was deleted as empty", stored.Load())
			}
			e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: bucket}))
		} else if stored.Load() == 0 {
			e.Errorf("DeleteBucket was refused, but nothing was stored")
		}
		want := storage.Usage{}
		if !gone.Load() {
			want = storage.Usage{Objects: 1, Versions: 1, Bytes: e.bytes(bucket)}
		}
		e.usage(bucket, want)
		e.equal("listing", e.count(bucket), want)
	}
}

func raceBucketCreation(e *env) {
	for range 5 {
		name := e.name()
		var won atomic.Int64
		together(racers, func(i int) {
			err := e.CreateBucket(e.ctx, storage.Bucket{Name: name, Owner: fmt.Sprint(i)})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrBucketExists):
				e.Errorf("CreateBucket: %v", err)
			}
		})
		e.equal("creators", won.Load(), int64(1))
	}
}

// raceCounters lets everything happen to a few keys at once; the counters must be
// those of a listing afterwards.
func raceCounters(e *env) {
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
		bucket := e.bucket(v)
		writers := e.writers(bucket, "k1")
		together(racers, func(i int) {
			for n := range 8 {
				key := fmt.Sprint("k", (i+n)%3)
				var err error
				switch (i + n) % 5 {
				case 0:
					_, err = e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: key}, {Key: "k0", Version: storage.NullVersion}})
				case 1:
					_, err = e.PutObject(e.ctx, putInput(bucket, key, make([]byte, i)))
				case 2:
					var page *storage.ListPage
					if page, err = e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Prefix: key, Limit: 1}); err == nil && len(page.Objects) > 0 {
						_, err = e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: key, Version: page.Objects[0].VersionID}})
					}
				default:
					err = writers[(i+n)%len(writers)](i, storage.Conditions{})
				}
				if err != nil {
					e.Errorf("racer %d: %v", i, err)
				}
			}
		})
		e.equal("counters", mustUsage(e, bucket), e.count(bucket))
	}
}

// raceReaders reads a key while it is overwritten and deleted: what is read is always
// whole, and belongs to the description that came with it.
func raceReaders(e *env) {
	for _, size := range []int{100, 70000} {
		bucket := e.bucket(storage.VersioningUnset)
		together(8, func(i int) {
			for n := range 25 {
				if i%2 == 0 {
					in := putInput(bucket, "k", noise(uint64(n), size+n))
					if _, err := e.PutObject(e.ctx, in); err != nil {
						e.Errorf("PutObject: %v", err)
					}
					if n%5 == 4 {
						if _, err := e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: "k"}}); err != nil {
							e.Errorf("DeleteObjects: %v", err)
						}
					}
					continue
				}
				o, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
				if errors.Is(err, storage.ErrNoSuchKey) {
					continue
				}
				if err != nil {
					e.Errorf("GetObject: %v", err)
					continue
				}
				content, err := readContent(c, o.Length())
				if err != nil || digestOf([]byte(content)).ETag != o.ETag {
					e.Errorf("read %d bytes of %+v: error %v", len(content), *o, err)
				}
				if err := c.Close(); err != nil {
					e.Errorf("Close: %v", err)
				}
			}
		})
	}
}
