package migrate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// TestMergedState runs random programs on a store that moves in, at every stage of it, and on one that had everything
// from the beginning. They must not be told apart but for ids and times of what is made on the way.
func TestMergedState(t *testing.T) {
	programs := 12
	if testing.Short() {
		programs = 2
	}
	for seed := range programs {
		for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
			t.Run(fmt.Sprintf("%d-%d", seed, v), func(t *testing.T) { mergedState(t, uint64(seed), v) })
		}
	}
}

// twin is the store that moves in and the one that had everything.
type twin struct {
	*world
	model storage.Backend
	rnd   *rand.Rand
}

func mergedState(t *testing.T, seed uint64, versioning storage.Versioning) {
	w := &twin{world: newWorld(t), rnd: rand.New(rand.NewPCG(seed, uint64(versioning)))}
	w.model = openFS(t, vfs.NewMem())
	defer w.model.Close()
	defer w.old.Store.Close()
	for _, b := range []storage.Backend{w.old.Store, w.model} {
		w.bucket(b, "b", min(versioning, storage.VersioningEnabled))
	}
	for range 60 {
		w.change(w.old.Store, true)
	}
	if versioning == storage.VersioningSuspended {
		for _, b := range []storage.Backend{w.old.Store, w.model} {
			if err := b.UpdateBucket(w.ctx, "b", func(b *storage.Bucket) error { b.Versioning = versioning; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			w.change(w.old.Store, true)
		}
	}
	w.open().Ready(&w.applied)
	for step := range 60 {
		switch n := w.rnd.IntN(12); {
		case n == 0:
			w.close()
			w.open().Ready(&w.applied)
		case n < 4:
			if _, err := w.store.CopyOne("b"); err != nil {
				t.Fatal(err)
			}
		case n < 9:
			w.change(w.store, false)
		default:
			w.compare(step)
		}
	}
	w.store.Start(&w.applied)
	for step := range 20 {
		w.change(w.store, false)
		if step%5 == 0 {
			w.compare(step)
		}
	}
	w.eventually("the copier ends", func() bool { return !w.store.Status().Copying })
	w.compare(1000)
	if err := w.store.Verify(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the verification ends", func() bool { return !w.store.Status().Verification.Running })
	if v := w.store.Status().Verification; v.Different > 0 || v.NotYet > 0 || v.Incomplete != "" {
		t.Errorf("verification: %+v", v)
	}
	asked := w.old.asked.Load()
	w.change(w.store, false)
	w.compare(1001)
	if n := w.old.asked.Load(); n != asked {
		t.Errorf("the source was asked %d times after everything had come", n-asked)
	}
	w.close()
}

var keyNames = strings.Fields("a a/ a/b a/b/c a/c a0 b b/x b/y/z c d/e/f d/e/g d/h e")

// change does the same to a store and to the model.
func (w *twin) change(b storage.Backend, filling bool) {
	w.t.Helper()
	key := keyNames[w.rnd.IntN(len(keyNames))]
	body := strings.Repeat(fmt.Sprint(w.rnd.IntN(1000)), 1+w.rnd.IntN(3)*20_000)
	both := []storage.Backend{b, w.model}
	switch n := w.rnd.IntN(20); {
	case n < 9:
		for _, s := range both {
			w.put(s, "b", key, body)
		}
	case n < 11:
		for _, s := range both {
			w.multipart(s, "b", key, body, "tail")
		}
	case n < 15:
		for _, s := range both {
			w.del(s, "b", key, "")
		}
	case n < 17: // of one version, by its place
		of := func(s storage.Backend) []storage.Object {
			p := must[*storage.ListPage](w.t)(s.ListVersions(w.ctx, storage.ListInput{Bucket: "b", Limit: 1000}))
			return p.Objects
		}
		have, want := of(b), of(w.model)
		if len(have) != len(want) {
			w.t.Fatalf("%d versions, want %d", len(have), len(want))
		}
		if len(have) > 0 {
			i := w.rnd.IntN(len(have))
			w.del(b, "b", have[i].Key, have[i].VersionID)
			w.del(w.model, "b", want[i].Key, want[i].VersionID)
		}
	case filling:
	case n < 18:
		var errs [2]error
		for i, s := range both {
			_, errs[i] = s.SetTags(w.ctx, storage.Ref{Bucket: "b", Key: key}, []storage.Tag{{Key: "new", Value: "tag"}})
		}
		w.alike("tags", errs)
	case n < 19:
		var errs [2]error
		for i, s := range both {
			_, errs[i] = s.PutObject(w.ctx, storage.PutInput{Bucket: "b", Key: key, Body: strings.NewReader("if"), Size: 2, Digest: digest("if"), If: storage.Conditions{IfNoneMatch: "*"}})
		}
		w.alike("If-None-Match", errs)
	default:
		var errs [2]error
		to := keyNames[w.rnd.IntN(len(keyNames))]
		for i, s := range both {
			_, errs[i] = s.CopyObject(w.ctx, storage.CopyInput{Source: storage.Ref{Bucket: "b", Key: key}, Bucket: "b", Key: to})
		}
		w.alike("copy", errs)
	}
}

// alike wants two errors of one kind.
func (w *twin) alike(what string, errs [2]error) {
	w.t.Helper()
	if (errs[0] == nil) != (errs[1] == nil) {
		w.t.Fatalf("%s: %v, the model: %v", what, errs[0], errs[1])
	}
}

// plain is a dump without ids and times.
func plain(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		if f := strings.Fields(l); len(f) > 5 {
			null := f[1] == storage.NullVersion
			l = fmt.Sprint(f[0], null, f[2:len(f)-1])
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// compare lists and reads both.
func (w *twin) compare(step int) {
	w.t.Helper()
	limit := []int{1, 2, 3, 7, 1000}[w.rnd.IntN(5)]
	for _, in := range []storage.ListInput{
		{}, {Delimiter: "/"}, {Prefix: "a"}, {Prefix: "a/", Delimiter: "/"}, {Prefix: "d/", Delimiter: "/"}, {After: "a/b"}, {After: "a/", Delimiter: "/"}, {After: "b/x", Delimiter: "/"},
	} {
		in.Bucket, in.Limit = "b", limit
		if have, want := fmt.Sprint(w.keys(w.store, in)), fmt.Sprint(w.keys(w.model, in)); have != want {
			w.t.Fatalf("step %d, objects of %+v:\n%s\nwant\n%s", step, in, have, want)
		}
		if have, want := plain(w.dump(w.store, in)), plain(w.dump(w.model, in)); have != want {
			w.t.Fatalf("step %d, versions of %+v:\n%s\nwant\n%s", step, in, have, want)
		}
	}
	for _, key := range keyNames {
		if have, want := w.get(w.store, "b", key, ""), w.get(w.model, "b", key, ""); have != want {
			w.t.Fatalf("step %d, %s: %.40s, want %.40s", step, key, have, want)
		}
	}
	p := must[*storage.ListPage](w.t)(w.store.ListVersions(w.ctx, storage.ListInput{Bucket: "b", Limit: 1000}))
	q := must[*storage.ListPage](w.t)(w.model.ListVersions(w.ctx, storage.ListInput{Bucket: "b", Limit: 1000}))
	for i, o := range p.Objects {
		if have, want := w.get(w.store, "b", o.Key, o.VersionID), w.get(w.model, "b", o.Key, q.Objects[i].VersionID); have != want {
			w.t.Fatalf("step %d, %s %s: %.40s, want %.40s", step, o.Key, o.VersionID, have, want)
		}
	}
}
