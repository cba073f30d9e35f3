package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

var pagingCases = []testCase{
	{"paging/every-size", pagingEverySize},
	{"paging/version-gone", pagingVersionGone},
	{"paging/upload-gone", pagingUploadGone},
	{"paging/emptying", pagingEmptying},
	{"paging/under-writes", pagingUnderWrites},
	{"paging/large", pagingLarge},
}

// pages lists from begin to end in pages of one size.
func (e *env) pages(list lister, in storage.ListInput) []string {
	e.Helper()
	var out []string
	for {
		lines, truncated, after, id := list(in)
		out = append(out, lines...)
		if len(lines) > in.Limit || truncated && len(lines) != in.Limit {
			e.Fatalf("%+v: a page of %d, truncated %t", in, len(lines), truncated)
		}
		if !truncated {
			return out
		}
		if len(out) > maxListed {
			e.Fatalf("%+v: paging does not come to an end", in)
		}
		in.After, in.AfterID = after, id
	}
}

// maxListed is more than any case stores in one bucket.
const maxListed = 20000

func pagingEverySize(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	for i, key := range e.kept(listKeys) {
		for range i%4 + 1 {
			e.put(bucket, key, "x")
		}
		if i%3 == 0 {
			e.del(bucket, key, "")
		}
		for range i % 3 {
			e.upload(bucket, key)
		}
	}
	for what, list := range map[string]lister{"objects": e.objectLister(), "versions": e.versionLister(), "uploads": e.uploadLister()} {
		for _, prefix := range e.kept([]string{"", "a/", "c", "\xff"}) {
			for _, delimiter := range e.kept([]string{"", "/", "\xff"}) {
				in := storage.ListInput{Bucket: bucket, Prefix: prefix, Delimiter: delimiter, Limit: 1000}
				whole := e.pages(list, in)
				for in.Limit = 1; in.Limit <= len(whole)+1; in.Limit++ {
					e.equal(fmt.Sprintf("%s, prefix %q, delimiter %q in pages of %d", what, prefix, delimiter, in.Limit), e.pages(list, in), whole)
				}
			}
		}
	}
}

// pagingVersionGone continues behind a version that was deleted between two pages:
// what was there all the time is not left out.
func pagingVersionGone(e *env) {
	for _, script := range []string{"E a b c d1x e", "n E b c d1x e", "E a b S n E d1x e"} {
		for gone := range 5 {
			bucket := e.bucket(storage.VersioningUnset)
			e.script(bucket, "k", script)
			e.put(bucket, "next", "x")
			all := e.pages(e.versionLister(), storage.ListInput{Bucket: bucket, Limit: 100})
			key, id, _ := strings.Cut(all[gone], " ")
			e.del(bucket, key, id)
			rest := e.pages(e.versionLister(), storage.ListInput{Bucket: bucket, After: key, AfterID: id, Limit: 100})
			if len(rest) < len(all)-gone-1 || !slices.Equal(rest[len(rest)-(len(all)-gone-1):], all[gone+1:]) {
				e.Errorf("%s: behind the deleted %q: %q, all were %q", script, all[gone], rest, all)
			}
			unique := slices.Clone(rest)
			slices.Sort(unique)
			if len(slices.Compact(unique)) != len(rest) {
				e.Errorf("%s: behind the deleted %q: %q", script, all[gone], rest)
			}
		}
	}
}

func pagingUploadGone(e *env) {
	for gone := range 4 {
		bucket := e.bucket(storage.VersioningUnset)
		for range 4 {
			e.upload(bucket, "k")
		}
		e.upload(bucket, "next")
		all := e.pages(e.uploadLister(), storage.ListInput{Bucket: bucket, Limit: 100})
		key, id, _ := strings.Cut(all[gone], " ")
		e.ok("AbortUpload", e.AbortUpload(e.ctx, storage.AbortInput{Upload: storage.UploadRef{Bucket: bucket, Key: key, ID: id}}))
		rest := e.pages(e.uploadLister(), storage.ListInput{Bucket: bucket, After: key, AfterID: id, Limit: 100})
		if len(rest) < len(all)-gone-1 || !slices.Equal(rest[len(rest)-(len(all)-gone-1):], all[gone+1:]) {
			e.Errorf("behind the aborted %q: %q, all were %q", all[gone], rest, all)
		}
	}
}

// pagingEmptying deletes each page before it asks for the next, as clients do that
// empty a bucket: nothing may be left.
func pagingEmptying(e *env) {
	for _, limit := range []int{1, 2, 3, 7} {
		bucket := e.bucket(storage.VersioningUnset)
		for i, key := range []string{"a", "b", "b/c", "d"} {
			e.script(bucket, key, []string{"n E a b c d S m E d e d", "E a b d d", "n E a", "S n E a S d"}[i])
			e.versioning(bucket, storage.VersioningSuspended)
		}
		in := storage.ListInput{Bucket: bucket, Limit: limit}
		deleted := 0
		for {
			page, err := e.ListVersions(e.ctx, in)
			e.ok("ListVersions", err)
			var del []storage.DeleteInput
			for _, o := range page.Objects {
				del = append(del, storage.DeleteInput{Key: o.Key, Version: o.VersionID})
			}
			_, err = e.DeleteObjects(e.ctx, bucket, del)
			e.ok("DeleteObjects", err)
			if deleted += len(del); deleted > maxListed {
				e.Fatalf("paging does not come to an end")
			}
			if !page.Truncated {
				break
			}
			in.After, in.AfterID = page.NextAfter, page.NextID
		}
		e.equal("versions left", e.versions(bucket), []string(nil))
		e.is("DeleteBucket", e.DeleteBucket(e.ctx, bucket), nil)
	}
}

// pagingUnderWrites pages while other keys come and go: each stable key is given
// exactly once, and every page is in order.
func pagingUnderWrites(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	var stable []string
	for i := range 60 {
		key := fmt.Sprintf("k%02d", i)
		e.put(bucket, key, "x")
		stable = append(stable, key)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprintf("k%02d-%d", (i*7+w)%60, w)
				in := putInput(bucket, key, nil)
				if _, err := e.PutObject(e.ctx, in); err != nil {
					e.Errorf("PutObject: %v", err)
					return
				}
				if _, err := e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: key}}); err != nil {
					e.Errorf("DeleteObjects: %v", err)
					return
				}
			}
		})
	}
	for limit := 1; limit <= 10; limit++ {
		var got []string
		for _, line := range e.pages(e.objectLister(), storage.ListInput{Bucket: bucket, Limit: limit}) {
			if key := strings.TrimSuffix(line, " "); !strings.Contains(key, "-") {
				got = append(got, key)
			}
		}
		if !slices.Equal(got, stable) {
			e.Errorf("pages of %d under writes give %q", limit, got)
		}
	}
	close(stop)
	wg.Wait()
}

func pagingLarge(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var keys, want, wantDirs []string
	for d := range 30 {
		for i := range 70 {
			key := fmt.Sprintf("dir%03d/file%04d", d, i)
			keys, want = append(keys, key), append(want, key+" ")
		}
		wantDirs = append(wantDirs, fmt.Sprintf("dir%03d/~", d))
	}
	e.putAll(bucket, keys, func(string) string { return "" })
	for _, limit := range []int{7, 100, 999, 1000, 1001, 2100, 5000} {
		e.equal(fmt.Sprintf("keys in pages of %d", limit), slices.Equal(e.pages(e.objectLister(), storage.ListInput{Bucket: bucket, Limit: limit}), want), true)
	}
	for _, limit := range []int{1, 29, 30, 31} {
		e.equal(fmt.Sprintf("directories in pages of %d", limit), e.pages(e.objectLister(), storage.ListInput{Bucket: bucket, Delimiter: "/", Limit: limit}), wantDirs)
	}
}
