package storagetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var renameCases = []testCase{
	{"renames/plain", renamePlain},
	{"renames/versions", renameVersions},
	{"renames/suspended", renameSuspended},
	{"renames/multipart", renameMultipart},
	{"renames/coded", renameCoded},
	{"renames/check", renameCheck},
	{"renames/refused", renameRefused},
	{"renames/there-and-back", renameBack},
	{"renames/races", renameRaces},
}

// rename renames and fails the case when that fails.
func (e *env) rename(bucket, from, to string) *storage.Object {
	e.Helper()
	o, source, err := e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: from, Key: to, Owner: "renamer"})
	e.ok("RenameObject", err)
	e.ok("the deletion of the source", source.Err)
	return o
}

func renamePlain(e *env) {
	for _, size := range append([]int64{0, 5, 4096, 70000, 2 << 20}, e.opt.Thresholds...) {
		bucket := e.bucket(storage.VersioningUnset)
		content := noise(uint64(size), int(size))
		in := putInput(bucket, "old", content)
		in.Meta = e.fullMeta("old")
		before, err := e.PutObject(e.ctx, in)
		e.ok("PutObject", err)
		e.put(bucket, "new", "what was there")
		props := e.fullMeta("new").Props
		o, _, err := e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "old", Key: "new", Props: props})
		e.ok("RenameObject", err)
		want := *before
		want.Key, want.Props = "new", props
		e.sameObject("RenameObject's answer", o, &want)
		e.sameObject("the object under its new name", e.stat(bucket, "new", ""), &want)
		e.equal("content", e.get(bucket, "new", "") == string(content), true)
		e.absent(bucket, "old", "")
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: size})
	}
}

func renameVersions(e *env) {
	for _, size := range []int{7, 100_000} {
		bucket := e.bucket(storage.VersioningEnabled)
		content := string(noise(3, size))
		first := e.put(bucket, "old", content)
		there := e.put(bucket, "new", "there")
		o := e.rename(bucket, "old", "new")
		if o.VersionID == first.VersionID || o.VersionID == there.VersionID || o.VersionID == storage.NullVersion {
			e.Errorf("the renamed object has the id %q", o.VersionID)
		}
		if o.Modified.Before(there.Modified) {
			e.Errorf("the new version is older than the one that it replaces")
		}
		e.absent(bucket, "old", "")
		e.equal("the version that was renamed", e.get(bucket, "old", first.VersionID) == content, true)
		e.equal("the object under its new name", e.get(bucket, "new", "") == content, true)
		e.equal("the version that was there", e.get(bucket, "new", there.VersionID), "there")
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 3, Markers: 1, Bytes: int64(2*size + 5)})
		page, err := e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Prefix: "old", Limit: 10})
		e.ok("ListVersions", err)
		e.equal("versions of the old name", len(page.Objects), 2)
		e.equal("the newest is a marker", page.Objects[0].DeleteMarker, true)
		e.equal("its owner", page.Objects[0].Owner, "renamer")
		_, _, err = e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "old", Key: "new"})
		e.is("RenameObject of what is deleted", err, storage.ErrNoSuchKey)
	}
}

func renameSuspended(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	kept := e.put(bucket, "named", "with an id")
	e.versioning(bucket, storage.VersioningSuspended)
	e.put(bucket, "null", "the null version")
	e.put(bucket, "to", "replaced")
	o := e.rename(bucket, "null", "to")
	e.equal("id", o.VersionID, storage.NullVersion)
	e.equal("content", e.get(bucket, "to", storage.NullVersion), "the null version")
	e.absent(bucket, "null", "")
	e.usage(bucket, storage.Usage{Objects: 2, Versions: 2, Markers: 1, Bytes: 26})
	e.rename(bucket, "named", "to")
	e.equal("content", e.get(bucket, "to", ""), "with an id")
	e.equal("the version that had an id", e.get(bucket, "named", kept.VersionID), "with an id")
	e.absent(bucket, "named", "")
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 2, Markers: 2, Bytes: 20})
}

func renameMultipart(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	src, content := e.multipart(bucket, "old", 70000, 3, 5<<20)
	parts, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "old"})
	e.ok("Parts", err)
	o := e.rename(bucket, "old", "new")
	want := *src
	want.Key, want.UploadID = "new", ""
	e.sameObject("the renamed object", o, &want)
	got, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "new"})
	e.ok("Parts", err)
	e.equal("parts", describeParts(got), describeParts(parts))
	e.equal("content", e.get(bucket, "new", "") == string(content), true)
	e.absent(bucket, "old", "")
}

func renameCoded(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, size := range []int{10, 100_000} {
		b := newBody(nil)
		in := putInput(bucket, "old", noise(5, size))
		b = newBody(in.Body).code(77)
		in.Body, in.Digest = b, b.digest
		before, err := e.PutObject(e.ctx, in)
		e.ok("PutObject", err)
		o := e.rename(bucket, "old", "new")
		e.equal("sizes", [2]int64{o.Size, o.Stored}, [2]int64{before.Size, before.Stored})
		e.equal("what is stored", e.get(bucket, "new", "") == string(noise(5, size)), true)
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 77})
	}
}

func renameCheck(e *env) {
	refused := errors.New("refused")
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled} {
		bucket := e.bucket(v)
		from, to := e.put(bucket, "old", "old"), e.put(bucket, "new", "new")
		calls := 0
		in := storage.RenameInput{Bucket: bucket, Source: "old", Key: "new", Check: func(a, b *storage.Object) error {
			calls++
			e.sameObject("the source", a, from)
			e.sameObject("what is there", b, to)
			return refused
		}}
		_, _, err := e.RenameObject(e.ctx, in)
		if err != refused || calls != 1 {
			e.Errorf("RenameObject with a refusing check: %v after %d calls", err, calls)
		}
		e.equal("the source", e.get(bucket, "old", ""), "old")
		e.equal("the target", e.get(bucket, "new", ""), "new")
		e.del(bucket, "new", "")
		in.Check = func(_, b *storage.Object) error {
			if b != nil {
				e.Errorf("a key without a current version is checked as %s", describeObject(b))
			}
			return nil
		}
		_, _, err = e.RenameObject(e.ctx, in)
		e.ok("RenameObject", err)
		e.equal("content", e.get(bucket, "new", ""), "old")
	}
}

func renameRefused(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "x")
	_, _, err := e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "none", Key: "k"})
	e.is("RenameObject of a missing key", err, storage.ErrNoSuchKey)
	e.equal("the target", e.get(bucket, "k", ""), "x")
	_, _, err = e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "k", Key: "k"})
	e.is("RenameObject onto itself", err, storage.ErrNotSupported)
	e.equal("the object", e.get(bucket, "k", ""), "x")
}

// renameBack renames often, which must leave nothing behind, and keeps what is open readable.
func renameBack(e *env) {
	for _, size := range []int{10, 200_000} {
		bucket := e.bucket(storage.VersioningUnset)
		content := string(noise(9, size))
		o := e.put(bucket, "a", content)
		_, open, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "a"})
		e.ok("GetObject", err)
		_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "a"}, Bucket: bucket, Key: "copy"})
		e.ok("CopyObject", err)
		for i := range 6 {
			names := []string{"a", "b"}
			e.rename(bucket, names[i%2], names[(i+1)%2])
		}
		if !e.stat(bucket, "a", "").Modified.Equal(o.Modified) {
			e.Errorf("renaming has changed the time of the last change")
		}
		got, err := readContent(open, int64(size))
		e.ok("read what was open", err)
		e.equal("content that was open", got == content, true)
		e.ok("Close", open.Close())
		e.equal("content", e.get(bucket, "a", "") == content, true)
		e.del(bucket, "a", "")
		e.equal("the copy", e.get(bucket, "copy", "") == content, true)
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: int64(size)})
	}
}

// renameRaces: of many who rename one key one wins, and nobody sees none or two of them.
func renameRaces(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for round := range 5 {
		e.put(bucket, "from", "content")
		var won atomic.Int32
		e.inParallel(8, func(i int) error {
			_, _, err := e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "from", Key: fmt.Sprint("to", round, i)})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrNoSuchKey):
				return err
			}
			return nil
		})
		e.equal("renames that succeeded", won.Load(), int32(1))
		e.usage(bucket, storage.Usage{Objects: int64(round + 1), Versions: int64(round + 1), Bytes: int64(7 * (round + 1))})
	}
	// A ring of names, all renamed at once, must neither lock up nor lose a counter.
	end := time.Now().Add(time.Minute)
	e.inParallel(6, func(i int) error {
		for n := range 20 {
			from, to := fmt.Sprint("ring", (i+n)%3), fmt.Sprint("ring", (i+n+1)%3)
			_, err := e.PutObject(e.ctx, putInput(bucket, from, noise(uint64(n), 10)))
			if err == nil {
				_, _, err = e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: from, Key: to})
			}
			if err != nil && !errors.Is(err, storage.ErrNoSuchKey) {
				return err
			}
			if time.Now().After(end) {
				return errors.New("renames lock each other up")
			}
		}
		return nil
	})
	e.usage(bucket, e.count(bucket))
}
