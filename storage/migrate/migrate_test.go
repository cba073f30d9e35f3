package migrate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/migrate"
)

// TestWholeMove: what the source holds is here afterwards to the last detail, and the source is not asked any more.
func TestWholeMove(t *testing.T) {
	w := newWorld(t)
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	w.bucket(w.old.Store, "plain", storage.VersioningUnset)
	if err := w.old.Store.CreateBucket(w.ctx, storage.Bucket{Name: "locked", Versioning: storage.VersioningEnabled, ObjectLock: true, Created: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		w.put(w.old.Store, "plain", fmt.Sprintf("k%02d", i), strings.Repeat("x", i*2000))
		w.put(w.old.Store, "locked", fmt.Sprintf("k%02d", i%20), fmt.Sprint(i))
	}
	w.multipart(w.old.Store, "plain", "parts", strings.Repeat("a", 100_000), "b", strings.Repeat("c", 70_000))
	w.del(w.old.Store, "locked", "k03", "")
	if _, err := w.old.Store.SetProps(w.ctx, storage.Ref{Bucket: "locked", Key: "k04"}, func(*storage.Object) (map[string]string, error) {
		return map[string]string{storage.PropLockMode: "COMPLIANCE", storage.PropLockUntil: until, storage.PropLegalHold: "ON"}, nil
	}); err != nil {
		t.Fatal(err)
	}
	w.old.docs["locked/tagging"], w.old.docs["locked/lifecycle"] = "<Tagging/>", "<Lifecycle/>"
	w.open()
	w.finish()
	st := w.store.Status()
	if st.Complete.IsZero() || st.FailureCount > 0 || st.Done != st.Total || st.Done != st.Copied || st.Done.Versions != 102 {
		t.Errorf("status: %+v", st)
	}
	if got := fmt.Sprint(w.applied.applied); got != "[locked/tagging.xml=<Tagging/>]" {
		t.Errorf("settings: %s", got)
	}
	if b := st.Buckets[0]; b.Name != "locked" || len(b.NotCarried) != 1 || !strings.Contains(b.NotCarried[0], "not carried: lifecycle") {
		t.Errorf("not carried: %+v", b)
	}
	w.old.down.Store(true) // nobody asks it
	for _, name := range []string{"plain", "locked"} {
		in := storage.ListInput{Bucket: name, Limit: 1000}
		if have, want := w.dump(w.store, in), w.dump(w.old.Store, in); fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("bucket %s:\n%s\nwant\n%s", name, strings.Join(have, "\n"), strings.Join(want, "\n"))
		}
		a, b := must[*storage.Bucket](t)(w.store.Bucket(w.ctx, name)), must[*storage.Bucket](t)(w.old.Store.Bucket(w.ctx, name))
		if a.Versioning != b.Versioning || a.ObjectLock != b.ObjectLock || !a.Created.Equal(b.Created) {
			t.Errorf("bucket %+v, want %+v", a, b)
		}
	}
	for _, ref := range []storage.Ref{{Bucket: "plain", Key: "k30"}, {Bucket: "plain", Key: "parts"}, {Bucket: "locked", Key: "k04"}} {
		have, want := must[*storage.Object](t)(w.store.StatObject(w.ctx, ref)), must[*storage.Object](t)(w.old.Store.StatObject(w.ctx, ref))
		have.UploadID, want.UploadID = "", ""
		if fmt.Sprintf("%+v", have) != fmt.Sprintf("%+v", want) {
			t.Errorf("%+v\nwant\n%+v", have, want)
		}
		if a, b := w.get(w.store, ref.Bucket, ref.Key, ""), w.get(w.old.Store, ref.Bucket, ref.Key, ""); a != b {
			t.Errorf("%v: %d bytes, want %d", ref, len(a), len(b))
		}
	}
	parts := must[[]storage.Part](t)(w.store.Parts(w.ctx, storage.Ref{Bucket: "plain", Key: "parts"}))
	if len(parts) != 3 || parts[0].Size != 100_000 || parts[1].Size != 1 {
		t.Errorf("parts: %+v", parts)
	}
	w.cutOver()
}

// cutOver closes the migration, forgets it, and looks that nothing of it is left.
func (w *world) cutOver() {
	w.t.Helper()
	w.close()
	s := openFS(w.t, w.mem)
	defer s.Close()
	p, err := migrate.Remembered(w.ctx, s)
	if err != nil || p == nil || !p.Complete || p.URL != "http://old" {
		w.t.Errorf("remembered: %+v, %v", p, err)
	}
	if err := migrate.Forget(w.ctx, s); err != nil {
		w.t.Errorf("forget: %v", err)
	}
	if p, err := migrate.Remembered(w.ctx, s); err != nil || p != nil {
		w.t.Errorf("remembered afterwards: %+v, %v", p, err)
	}
	if list, _, err := s.ListBuckets(w.ctx, "", "", 100); err != nil || len(list) != len(w.store.Status().Buckets) {
		w.t.Errorf("buckets left: %d, %v", len(list), err)
	}
}

// TestSourceDown: what is here is served, what is not answers ErrUnavailable, and the copier goes on by itself.
func TestSourceDown(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "plain", storage.VersioningUnset)
	w.bucket(w.old.Store, "kept", storage.VersioningEnabled)
	for _, b := range []string{"plain", "kept"} {
		w.put(w.old.Store, b, "a", "old a")
		w.put(w.old.Store, b, "b", "old b")
	}
	w.open().Ready(&w.applied)
	w.put(w.store, "plain", "b", "new b") // takes the buckets over
	w.put(w.store, "kept", "b", "new b")
	w.old.down.Store(true)
	for _, c := range []struct{ bucket, key, want string }{
		{"plain", "a", "!down"}, {"plain", "b", "new b"}, {"kept", "a", "!down"}, {"kept", "b", "new b"}, {"plain", "never", "!down"},
	} {
		if got := w.get(w.store, c.bucket, c.key, ""); got != c.want {
			t.Errorf("%s/%s: %s, want %s", c.bucket, c.key, got, c.want)
		}
	}
	w.put(w.store, "plain", "a", "replaced") // needs nothing of the source
	w.del(w.store, "plain", "never", "")
	_, err := w.store.PutObject(w.ctx, storage.PutInput{Bucket: "kept", Key: "a", Body: strings.NewReader("x"), Size: 1, Digest: digest("x")})
	if !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a write whose history can't be read: %v", err)
	}
	if _, err := w.store.ListObjects(w.ctx, storage.ListInput{Bucket: "plain", Limit: 10}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a list of half: %v", err)
	}
	w.store.Start(&w.applied)
	w.eventually("the copier says what it waits for", func() bool { return w.store.Status().Waiting != "" })
	w.old.down.Store(false)
	w.eventually("the copier ends", func() bool { return !w.store.Status().Copying })
	for _, c := range []struct{ bucket, key, want string }{
		{"plain", "a", "replaced"}, {"plain", "b", "new b"}, {"kept", "a", "old a"}, {"kept", "b", "new b"}, {"plain", "never", "!key"},
	} {
		if got := w.get(w.store, c.bucket, c.key, ""); got != c.want {
			t.Errorf("afterwards %s/%s: %s, want %s", c.bucket, c.key, got, c.want)
		}
	}
	if st := w.store.Status(); st.Complete.IsZero() || st.Waiting != "" {
		t.Errorf("status: %+v", st)
	}
	w.close()
}

// TestFailures: what the source does not give is named, stays readable there as far as it is, does not keep the rest, and
// comes with the next start when it can.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "kept", storage.VersioningEnabled)
	w.bucket(w.old.Store, "plain", storage.VersioningUnset)
	for _, key := range []string{"a", "dir/settled", "far/secret", "secret", "z"} {
		w.put(w.old.Store, "kept", key, "1")
		w.put(w.old.Store, "kept", key, "2")
		w.put(w.old.Store, "plain", key, "1")
	}
	refuse := true
	w.old.gate = func(ref storage.Ref) error {
		if refuse && strings.HasSuffix(ref.Key, "secret") {
			return fmt.Errorf("the customer's key is needed: %w", storage.ErrNotSupported)
		}
		return nil
	}
	w.open()
	w.finish()
	st := w.store.Status()
	if !st.Complete.IsZero() || st.FailureCount != 4 || st.Failures[1].Key != "secret" || !strings.Contains(st.Failures[0].Reason, "customer's key") {
		t.Fatalf("status: %+v", st)
	}
	if got := w.get(w.store, "kept", "z", ""); got != "2" {
		t.Errorf("behind a failure: %s", got)
	}
	if got := fmt.Sprint(w.keys(w.store, storage.ListInput{Bucket: "kept", Limit: 2})); got != "[a dir/settled far/secret secret z]" {
		t.Errorf("list: %s", got)
	}
	if got := fmt.Sprint(w.keys(w.store, storage.ListInput{Bucket: "kept", Delimiter: "/", Limit: 2})); got != "[a dir/ far/ secret z]" {
		t.Errorf("list of folders: %s", got)
	}
	w.del(w.store, "kept", "dir/settled", "")
	if got := fmt.Sprint(w.keys(w.store, storage.ListInput{Bucket: "kept", Delimiter: "/", Limit: 2})); got != "[a far/ secret z]" {
		t.Errorf("list of folders after a deletion: %s", got)
	}
	if n := len(w.dump(w.store, storage.ListInput{Bucket: "kept", Limit: 1})); n != 11 {
		t.Errorf("%d versions", n)
	}
	w.put(w.store, "plain", "secret", "replaced") // makes the failure needless
	if st := w.store.Status(); st.FailureCount != 3 {
		t.Errorf("after a write: %+v", st.Failures)
	}
	if err := w.store.Verify(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the verification ends", func() bool { return !w.store.Status().Verification.Running })
	if v := w.store.Status().Verification; v.NotYet != 5 || v.Same != 9 || v.Changed != 1 || v.Different != 0 {
		t.Errorf("verification: %+v", v)
	}
	w.close()
	local := openFS(t, w.mem)
	p, err := migrate.Remembered(w.ctx, local)
	if err != nil || p == nil || p.Complete {
		t.Errorf("remembered: %+v, %v", p, err)
	}
	if err := local.Close(); err != nil {
		t.Fatal(err)
	}
	refuse = false
	w.open()
	w.finish()
	if st := w.store.Status(); st.Complete.IsZero() || st.FailureCount != 0 {
		t.Errorf("after another start: %+v", st)
	}
	if got := w.get(w.store, "kept", "secret", ""); got != "2" {
		t.Errorf("what failed: %s", got)
	}
	w.cutOver()
}

// TestLastFailure: when nobody wants any more what could not be copied, the migration is complete at once.
func TestLastFailure(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "b", storage.VersioningUnset)
	w.put(w.old.Store, "b", "secret", "1")
	w.old.gate = func(storage.Ref) error { return storage.ErrNotSupported }
	w.open()
	w.finish()
	if st := w.store.Status(); !st.Complete.IsZero() || st.FailureCount != 1 {
		t.Fatalf("status: %+v", st)
	}
	w.del(w.store, "b", "secret", "")
	if st := w.store.Status(); st.Complete.IsZero() || st.FailureCount != 0 {
		t.Errorf("after the deletion: %+v", st)
	}
	w.cutOver()
}

// TestVerifyFinds: a comparison is no formality.
func TestVerifyFinds(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "b", storage.VersioningEnabled)
	for _, key := range []string{"same", "lost", "tagged", "changed", "deleted"} {
		w.put(w.old.Store, "b", key, key)
	}
	w.open()
	w.finish()
	lost := must[*storage.Object](t)(w.local.StatObject(w.ctx, storage.Ref{Bucket: "b", Key: "lost"}))
	w.del(w.local, "b", "lost", lost.VersionID) // behind the migration's back
	must[*storage.Object](t)(w.local.SetTags(w.ctx, storage.Ref{Bucket: "b", Key: "tagged"}, nil))
	must[*storage.Object](t)(w.store.SetTags(w.ctx, storage.Ref{Bucket: "b", Key: "changed"}, nil))
	deleted := must[*storage.Object](t)(w.store.StatObject(w.ctx, storage.Ref{Bucket: "b", Key: "deleted"}))
	w.del(w.store, "b", "deleted", deleted.VersionID)
	if err := w.store.Verify(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the verification ends", func() bool { return !w.store.Status().Verification.Running })
	v := w.store.Status().Verification
	if v.Compared != 5 || v.Same != 1 || v.Changed != 2 || v.Different != 2 || len(v.Problems) != 2 {
		t.Errorf("verification: %+v", v)
	}
	if p := strings.Join(v.Problems, "\n"); !strings.Contains(p, "is missing") || !strings.Contains(p, "other tags") {
		t.Errorf("problems: %s", p)
	}
	w.close()
}

// TestForeign: a bucket that is here already is left alone, and that is said. Another source is refused.
func TestForeign(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "b", storage.VersioningUnset)
	w.put(w.old.Store, "b", "k", "theirs")
	s := openFS(t, w.mem)
	w.bucket(s, "b", storage.VersioningUnset)
	w.put(s, "b", "k", "ours")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.finish()
	if got := w.get(w.store, "b", "k", ""); got != "ours" {
		t.Errorf("got %s", got)
	}
	if b := w.store.Status().Buckets[0]; b.State != "foreign" || len(b.NotCarried) != 1 {
		t.Errorf("%+v", b)
	}
	w.close()
	local := openFS(t, w.mem)
	defer local.Close()
	if _, err := migrate.Open(w.ctx, migrate.Options{Local: local, Source: keepOpen{w.old}, URL: "http://other"}); !errors.Is(err, migrate.ErrOther) {
		t.Errorf("another source: %v", err)
	}
}

// TestDeletedBucket: a bucket that was emptied and deleted here does not come back, also under its name.
func TestDeletedBucket(t *testing.T) {
	w := newWorld(t)
	w.bucket(w.old.Store, "b", storage.VersioningUnset)
	w.put(w.old.Store, "b", "k", "theirs")
	w.open().Ready(&w.applied)
	if err := w.store.DeleteBucket(w.ctx, "b"); !errors.Is(err, storage.ErrBucketNotEmpty) {
		t.Fatalf("delete with content at the source: %v", err)
	}
	w.del(w.store, "b", "k", "")
	if err := w.store.DeleteBucket(w.ctx, "b"); err != nil {
		t.Fatal(err)
	}
	w.close()
	w.open()
	w.finish()
	if _, err := w.store.Bucket(w.ctx, "b"); !errors.Is(err, storage.ErrNoSuchBucket) {
		t.Errorf("after another start: %v", err)
	}
	w.bucket(w.store, "b", storage.VersioningUnset)
	if got := w.keys(w.store, storage.ListInput{Bucket: "b", Limit: 10}); len(got) != 0 {
		t.Errorf("a new bucket has %v", got)
	}
	w.close()
}

// TestNoParts: of a source that does not tell the parts, a multipart object comes whole, under its ETag.
func TestNoParts(t *testing.T) {
	w := newWorld(t)
	w.old.noPart = true
	w.bucket(w.old.Store, "b", storage.VersioningUnset)
	want := w.multipart(w.old.Store, "b", "k", "one", "two")
	w.open()
	w.finish()
	o := must[*storage.Object](t)(w.store.StatObject(w.ctx, storage.Ref{Bucket: "b", Key: "k"}))
	if o.ETag != want.ETag || w.get(w.store, "b", "k", "") != "onetwo" || w.store.Status().Buckets[0].Whole != 1 {
		t.Errorf("%+v; %+v", o, w.store.Status())
	}
	w.close()
}

// TestRate: the copier keeps to its bytes a second, and a request that waits for a key does not.
func TestRate(t *testing.T) {
	w := newWorld(t)
	w.rate = 64 << 10
	w.bucket(w.old.Store, "b", storage.VersioningEnabled)
	w.put(w.old.Store, "b", "k", strings.Repeat("x", 10<<20))
	w.open()
	w.store.Start(&w.applied)
	w.eventually("the key is on its way", func() bool { return w.old.asked.Load() > 3 })
	w.put(w.store, "b", "k", "new") // would take minutes at that rate
	if got := len(w.dump(w.store, storage.ListInput{Bucket: "b", Limit: 10})); got != 2 {
		t.Errorf("%d versions", got)
	}
	w.eventually("the copier ends", func() bool { return !w.store.Status().Copying })
	w.close()
}
