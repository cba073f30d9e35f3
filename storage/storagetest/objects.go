package storagetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var objectCases = []testCase{
	{"objects/round-trip", objectRoundTrip},
	{"objects/bare", objectBare},
	{"objects/overwrite", objectOverwrite},
	{"objects/private-copies", objectPrivate},
	{"objects/missing", objectMissing},
	{"objects/tags", objectTags},
	{"objects/props", objectProps},
	{"objects/props-concurrent", objectPropsConcurrent},
	{"objects/delete", objectDelete},
	{"objects/delete-batch", objectDeleteBatch},
	{"objects/delete-guard", objectDeleteGuard},
	{"objects/time", objectTime},
}

// wantObject is how a version that was put from in must be described.
func wantObject(in storage.PutInput, content []byte, version string) *storage.Object {
	d := digestOf(content)
	return &storage.Object{
		Key: in.Key, VersionID: version, Latest: true, Size: int64(len(content)), ETag: d.ETag, Checksum: d.Checksum,
		Owner: in.Meta.Owner, Class: in.Meta.Class, Attrs: in.Meta.Attrs, Tags: in.Meta.Tags, Props: in.Meta.Props,
	}
}

func objectRoundTrip(e *env) {
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
		bucket := e.bucket(v)
		for _, size := range e.sizes() {
			content := noise(uint64(size), int(size))
			in := putInput(bucket, fmt.Sprint("k", size), content)
			in.Meta = e.fullMeta("m")
			if size%2 == 1 {
				in.Size = -1
			}
			o, err := e.PutObject(e.ctx, in)
			e.ok("PutObject", err)
			want := wantObject(in, content, storage.NullVersion)
			want.Modified = o.Modified
			if v == storage.VersioningEnabled {
				if o.VersionID == "" || o.VersionID == storage.NullVersion {
					e.Errorf("version id %q in a versioned bucket", o.VersionID)
				}
				want.VersionID = o.VersionID
			}
			e.sameObject("PutObject's answer", o, want)
			e.sameObject("StatObject", e.stat(bucket, in.Key, ""), want)
			e.sameObject("StatObject of the version", e.stat(bucket, in.Key, o.VersionID), want)
			got, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: in.Key})
			e.ok("GetObject", err)
			e.sameObject("GetObject", got, want)
			text, err := readContent(c, got.Size)
			e.ok("read", err)
			if text != string(content) {
				e.Errorf("size %d: content differs", size)
			}
			e.ok("Close", c.Close())
			parts, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: in.Key})
			if len(parts) != 0 || err != nil {
				e.Errorf("Parts of an object put whole: %d parts, error %v", len(parts), err)
			}
			page, err := e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Prefix: in.Key, Limit: 1})
			e.ok("ListObjects", err)
			if len(page.Objects) != 1 {
				e.Fatalf("ListObjects gives %d objects, want 1", len(page.Objects))
			}
			e.equal("ListObjects", listed(&page.Objects[0]), listed(want))
		}
	}
}

// sizes are the content sizes worth testing.
func (e *env) sizes() []int64 {
	sizes := []int64{0, 1, 511, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 20}
	for _, n := range e.opt.Thresholds {
		sizes = append(sizes, n-1, n, n+1)
	}
	return sizes
}

func objectBare(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	in := putInput(bucket, "k", nil)
	in.Digest = func() storage.Digest { return storage.Digest{ETag: "made-up-etag-3"} }
	o, err := e.PutObject(e.ctx, in)
	e.ok("PutObject", err)
	want := &storage.Object{Key: "k", VersionID: storage.NullVersion, Latest: true, ETag: "made-up-etag-3", Modified: o.Modified}
	e.sameObject("an object without metadata", e.stat(bucket, "k", ""), want)
	e.equal("content", e.get(bucket, "k", ""), "")
}

func objectOverwrite(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	contents := []string{"one", strings.Repeat("two", 100000), "", "four"}
	for i, content := range contents {
		in := putInput(bucket, "k", []byte(content))
		if i%2 == 0 {
			in.Meta = e.fullMeta(fmt.Sprint(i))
		}
		o, err := e.PutObject(e.ctx, in)
		e.ok("PutObject", err)
		want := wantObject(in, []byte(content), storage.NullVersion)
		want.Modified = o.Modified
		e.sameObject("overwritten object", e.stat(bucket, "k", ""), want)
		e.equal("content", e.get(bucket, "k", ""), content)
		e.equal("versions", e.versions(bucket), []string{"k null*"})
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: int64(len(content))})
	}
}

func objectPrivate(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	in := putInput(bucket, "k", []byte("content"))
	in.Meta = e.fullMeta("m")
	_, err := e.PutObject(e.ctx, in)
	e.ok("PutObject", err)
	in.Meta.Props["lock"] = "changed by the caller afterwards"
	in.Meta.Attrs[0].Value = "changed by the caller afterwards"
	in.Meta.Tags[0].Value = "changed by the caller afterwards"
	want := e.fullMeta("m")
	for range 2 {
		o := e.stat(bucket, "k", "")
		e.equal("Attrs", o.Attrs, want.Attrs)
		e.equal("Tags", o.Tags, want.Tags)
		e.equal("Props", normal(o).Props, normal(&storage.Object{Props: want.Props}).Props)
		o.Attrs[0].Value, o.Tags[0].Value = "changed", "changed"
		if o.Props != nil {
			o.Props["lock"] = "changed"
		}
	}
}

func objectMissing(e *env) {
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
		bucket := e.bucket(v)
		e.put(bucket, "there", "x")
		for _, key := range []string{"their", "ther", "there/", "there\x00", "There", "zzz"} {
			for _, version := range []string{"", "null", "no-such-version", strings.Repeat("9", 200), "0123456789abcdef", "../x", "\x00\xff"} {
				want := storage.ErrNoSuchKey
				if version != "" {
					want = storage.ErrNoSuchVersion
				}
				e.refErrors(storage.Ref{Bucket: bucket, Key: key, Version: version}, want)
				res := storage.DeleteResult{}
				if version != "" || v == storage.VersioningUnset {
					e.equal("result of deleting what is not there", e.del(bucket, key, version), res)
				}
			}
		}
		e.refErrors(storage.Ref{Bucket: bucket, Key: "there", Version: "no-such-version"}, storage.ErrNoSuchVersion)
		e.equal("content", e.get(bucket, "there", ""), "x")
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 1})
	}
}

// refErrors checks that every reader of the reference fails as wanted.
func (e *env) refErrors(ref storage.Ref, want error) {
	e.Helper()
	what := fmt.Sprintf(" %.40q version %.40q", ref.Key, ref.Version)
	_, err := e.StatObject(e.ctx, ref)
	e.is("StatObject"+what, err, want)
	_, c, err := e.GetObject(e.ctx, ref)
	e.is("GetObject"+what, err, want)
	if c != nil {
		e.Errorf("GetObject%s: content beside an error", what)
	}
	_, err = e.Parts(e.ctx, ref)
	e.is("Parts"+what, err, want)
	_, err = e.SetTags(e.ctx, ref, []storage.Tag{{Key: "a", Value: "b"}})
	e.is("SetTags"+what, err, want)
	_, err = e.SetProps(e.ctx, ref, noProps)
	e.is("SetProps"+what, err, want)
	_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: ref, Bucket: ref.Bucket, Key: "copy"})
	e.is("CopyObject"+what, err, want)
	u := e.upload(ref.Bucket, "copy")
	_, err = e.CopyPart(e.ctx, copyPartInput(u.UploadRef, 1, ref, 0, 0))
	e.is("CopyPart"+what, err, want)
	e.equal("parts after a refused CopyPart", e.partNumbers(u.UploadRef), []int(nil))
	e.ok("AbortUpload", e.AbortUpload(e.ctx, storage.AbortInput{Upload: u.UploadRef}))
}

func objectTags(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	in := putInput(bucket, "k", []byte("content"))
	in.Meta = e.fullMeta("m")
	first, err := e.PutObject(e.ctx, in)
	e.ok("PutObject", err)
	second := e.put(bucket, "k", "second")
	for _, tags := range [][]storage.Tag{
		{{Key: "b", Value: "1"}, {Key: "a", Value: "ü"}}, {{Key: "only", Value: ""}}, nil, {{Key: strings.Repeat("k", 128), Value: strings.Repeat("v", 256)}},
	} {
		for _, version := range []string{first.VersionID, second.VersionID, ""} {
			want := *first
			if version != first.VersionID {
				want = *second
			}
			want.Latest = version != first.VersionID
			want.Tags = tags
			o, err := e.SetTags(e.ctx, storage.Ref{Bucket: bucket, Key: "k", Version: version}, tags)
			e.ok("SetTags", err)
			e.sameObject("SetTags' answer", o, &want)
			e.sameObject("tagged version", e.stat(bucket, "k", version), &want)
		}
	}
	e.equal("content", e.get(bucket, "k", first.VersionID), "content")
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 2, Bytes: 13})
}

func objectProps(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	in := putInput(bucket, "k", []byte("content"))
	in.Meta = e.fullMeta("m")
	want, err := e.PutObject(e.ctx, in)
	e.ok("PutObject", err)
	e.put(bucket, "k", "second")
	want.Latest = false
	ref := storage.Ref{Bucket: bucket, Key: "k", Version: want.VersionID}
	for _, props := range []map[string]string{{"hold": "ON", "a": ""}, {"hold": "OFF"}, nil, {"x": strings.Repeat("y", 5000)}} {
		given := maps.Clone(props)
		o, err := e.SetProps(e.ctx, ref, func(o *storage.Object) (map[string]string, error) {
			e.sameObject("what change was given", o, want)
			return given, nil
		})
		e.ok("SetProps", err)
		if given != nil {
			given["later"] = "changed by the caller afterwards"
		}
		want.Props = props
		e.sameObject("SetProps' answer", o, want)
		e.sameObject("changed version", e.stat(bucket, "k", want.VersionID), want)
	}
	refused := errors.New("refused")
	_, err = e.SetProps(e.ctx, ref, func(*storage.Object) (map[string]string, error) { return map[string]string{"new": "x"}, refused })
	if err != refused {
		e.Errorf("the error of change came back as %v", err)
	}
	e.sameObject("version after a refused change", e.stat(bucket, "k", want.VersionID), want)
	e.equal("Props of the current version", len(e.stat(bucket, "k", "").Props), 0)
	e.equal("content", e.get(bucket, "k", want.VersionID), "content")
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 2, Bytes: 13})
}

// objectPropsConcurrent counts up in a property: no step may be lost.
func objectPropsConcurrent(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "x")
	together(racers, func(i int) {
		ref := storage.Ref{Bucket: bucket, Key: "k"}
		if i%4 == 0 {
			if _, err := e.SetTags(e.ctx, ref, []storage.Tag{{Key: "t", Value: "v"}}); err != nil {
				e.Errorf("SetTags: %v", err)
			}
			return
		}
		_, err := e.SetProps(e.ctx, ref, func(o *storage.Object) (map[string]string, error) {
			return map[string]string{"n": o.Props["n"] + "+"}, nil
		})
		if err != nil {
			e.Errorf("SetProps: %v", err)
		}
	})
	o := e.stat(bucket, "k", "")
	e.equal("steps", len(o.Props["n"]), racers*3/4)
	e.equal("tags", o.Tags, []storage.Tag{{Key: "t", Value: "v"}})
}

func objectDelete(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, version := range []string{"", storage.NullVersion} {
		e.put(bucket, "k", "x")
		e.put(bucket, "k2", "y")
		e.equal("result", e.del(bucket, "k", version), storage.DeleteResult{VersionID: storage.NullVersion})
		e.absent(bucket, "k", "")
		e.absent(bucket, "k", storage.NullVersion)
		e.equal("result of the second delete", e.del(bucket, "k", version), storage.DeleteResult{})
		e.equal("versions", e.versions(bucket), []string{"k2 null*"})
	}
}

func objectDeleteBatch(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	old := e.put(bucket, "a", "1")
	e.put(bucket, "b", "2")
	e.put(bucket, "c", "3")
	in := []storage.DeleteInput{
		{Key: "c", If: storage.Conditions{IfMatch: "wrong"}},
		{Key: "a", Version: old.VersionID},
		{Key: "b"}, {Key: "b", Owner: "second"},
		{Key: "missing", Version: "none"},
		{Key: "new"},
	}
	res, err := e.DeleteObjects(e.ctx, bucket, in)
	e.ok("DeleteObjects", err)
	if len(res) != len(in) {
		e.Fatalf("%d results for %d entries", len(res), len(in))
	}
	e.is("entry 0", res[0].Err, storage.ErrPrecondition)
	e.equal("entry 1", res[1], storage.DeleteResult{VersionID: old.VersionID})
	for _, i := range []int{2, 3, 5} {
		if res[i].Err != nil || !res[i].DeleteMarker || res[i].VersionID == "" {
			e.Errorf("entry %d: %+v, want a new marker", i, res[i])
		}
	}
	e.equal("entry 4", res[4], storage.DeleteResult{})
	if res[2].VersionID == res[3].VersionID {
		e.Errorf("two deletes of a key in one call made one marker")
	}
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 2, Markers: 3, Bytes: 2})
	page, err := e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Prefix: "b", Limit: 1})
	e.ok("ListVersions", err)
	if len(page.Objects) != 1 || page.Objects[0].VersionID != res[3].VersionID || page.Objects[0].Owner != "second" {
		e.Errorf("the second entry's marker is not the latest: %+v", page.Objects)
	}
	none, err := e.DeleteObjects(e.ctx, bucket, nil)
	if len(none) != 0 || err != nil {
		e.Errorf("DeleteObjects of nothing: %v, error %v", none, err)
	}

	var many []storage.DeleteInput
	for i := range 1000 {
		key := fmt.Sprintf("many/%04d", i)
		if i%2 == 0 {
			e.put(bucket, key, "")
		}
		many = append(many, storage.DeleteInput{Key: key})
	}
	res, err = e.DeleteObjects(e.ctx, bucket, many)
	e.ok("DeleteObjects of 1000", err)
	ids := map[string]bool{}
	for _, r := range res {
		ids[r.VersionID] = r.Err == nil && r.DeleteMarker
	}
	e.equal("distinct markers", len(ids), 1000)
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 502, Markers: 1003, Bytes: 2})
}

func objectDeleteGuard(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	refused := errors.New("locked")
	var asked []storage.Object
	guard := func(answer error) func(*storage.Object) error {
		asked = nil
		return func(o *storage.Object) error { asked = append(asked, normal(o)); return answer }
	}
	try := func(what string, in storage.DeleteInput, answer error, wantAsked []storage.Object) {
		e.Helper()
		before := e.versions(bucket)
		in.Guard = guard(answer)
		res := e.tryDel(bucket, in)
		e.equal(what+": the guard was asked with", asked, wantAsked)
		if answer != nil && len(wantAsked) > 0 {
			if !errors.Is(res.Err, answer) {
				e.Errorf("%s: error %v, want the guard's", what, res.Err)
			}
			e.equal(what+": versions", e.versions(bucket), before)
		} else if res.Err != nil {
			e.Errorf("%s: %v", what, res.Err)
		}
	}
	in := putInput(bucket, "k", []byte("x"))
	in.Meta = e.fullMeta("guarded")
	null, err := e.PutObject(e.ctx, in)
	e.ok("PutObject", err)
	try("unversioned delete", storage.DeleteInput{Key: "k"}, refused, []storage.Object{normal(null)})
	e.versioning(bucket, storage.VersioningEnabled)
	v2 := e.put(bucket, "k", "2")
	null.Latest = false
	try("delete of an old version", storage.DeleteInput{Key: "k", Version: storage.NullVersion}, refused, []storage.Object{normal(null)})
	try("a marker that is merely added", storage.DeleteInput{Key: "k"}, refused, nil)
	v2.Latest = false
	try("delete of a version", storage.DeleteInput{Key: "k", Version: v2.VersionID}, refused, []storage.Object{normal(v2)})
	try("delete of what is not there", storage.DeleteInput{Key: "k", Version: "none"}, refused, nil)
	e.versioning(bucket, storage.VersioningSuspended)
	try("suspended delete of the null version", storage.DeleteInput{Key: "k"}, refused, []storage.Object{normal(null)})
	try("suspended delete of the null version", storage.DeleteInput{Key: "k"}, nil, []storage.Object{normal(null)})
	page, err := e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Prefix: "k", Limit: 1})
	e.ok("ListVersions", err)
	try("suspended delete of the null marker", storage.DeleteInput{Key: "k"}, refused, []storage.Object{normal(&page.Objects[0])})
	try("delete of a marker by its id", storage.DeleteInput{Key: "k", Version: storage.NullVersion}, refused, []storage.Object{normal(&page.Objects[0])})
	try("granted delete of a version", storage.DeleteInput{Key: "k", Version: v2.VersionID}, nil, []storage.Object{normal(v2)})
	e.absent(bucket, "k", v2.VersionID)
}

func objectTime(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	before := time.Now().Add(-time.Minute)
	o := e.put(bucket, "k", "x")
	if o.Modified.Before(before) || o.Modified.After(time.Now().Add(time.Minute)) {
		e.Errorf("Modified is %v at %v", o.Modified, time.Now())
	}
	if s := e.stat(bucket, "k", ""); !s.Modified.Equal(o.Modified) {
		e.Errorf("Modified was %v in PutObject's answer and is %v", o.Modified, s.Modified)
	}
}
