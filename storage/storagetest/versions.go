package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

var versionCases = []testCase{
	{"versions/programs", versionScripts},
	{"versions/ids", versionIDs},
	{"versions/markers", versionMarkers},
	{"versions/many", versionMany},
}

// versions lists everything in a bucket as "key id", with "*" for the latest version
// and " marker" for delete markers.
func (e *env) versions(bucket string) []string {
	e.Helper()
	var out []string
	for _, o := range e.allVersions(bucket) {
		line := o.Key + " " + o.VersionID
		if o.Latest {
			line += "*"
		}
		if o.DeleteMarker {
			line += " marker"
		}
		out = append(out, line)
	}
	return out
}

// allVersions lists everything in a bucket.
func (e *env) allVersions(bucket string) []storage.Object {
	e.Helper()
	var out []storage.Object
	in := storage.ListInput{Bucket: bucket, Limit: 1000}
	for {
		page, err := e.ListVersions(e.ctx, in)
		e.ok("ListVersions", err)
		out = append(out, page.Objects...)
		if !page.Truncated {
			return out
		}
		if len(out) > maxListed {
			e.Fatalf("ListVersions does not come to an end")
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}

// versionScripts are programs about one key and what is left of it, newest first.
// E and S enable and suspend versioning, "d" deletes the key, "-x" deletes the version
// x and "-null" the null version; any other word is put as content and names its
// version, a marker is named d1, d2, ... in the order they are made. "!" is what
// stands for the null version.
var versionTable = []struct{ script, want string }{
	{"a b", "b!"},
	{"a d", ""},
	{"d", ""},
	{"E d", "d1"},
	{"E d d d", "d3 d2 d1"},
	{"E a b c", "c b a"},
	{"E a b c -c", "b a"},
	{"E a b c -b", "c a"},
	{"E a b c -a -b -c", ""},
	{"E a d", "d1 a"},
	{"E a d d", "d2 d1 a"},
	{"E a d -d1", "a"},
	{"E a d d -d2", "d1 a"},
	{"E a d d -d1", "d2 a"},
	{"E a d b -b", "d1 a"},
	{"E a d -a", "d1"},
	{"E a d -a -d1", ""},
	{"a E b", "b a!"},
	{"a E d", "d1 a!"},
	{"a E b -null", "b"},
	{"a E b c -c -b", "a!"},
	{"a S", "a!"},
	{"a S b", "b!"},
	{"a S d", "d1!"},
	{"S d", "d1!"},
	{"S d d", "d2!"},
	{"S a d b", "b!"},
	{"S d a", "a!"},
	{"S d -null", ""},
	{"a S d -null", ""},
	{"E a S b", "b! a"},
	{"E a S b c d", "d1! a"},
	{"E a S d d", "d2! a"},
	{"E a S d -d1", "a"},
	{"E a S d b", "b! a"},
	{"E a S b E c", "c b! a"},
	{"E a S b E c S d", "d1! c a"},
	{"E a S b E c S e", "e! c a"},
	{"E a S b E d", "d1 b! a"},
	{"E a S b E d S c", "c! d1 a"},
	{"E a S d E b", "b d1! a"},
	{"E a S d E b -null", "b a"},
	{"E a S d E b S c", "c! b a"},
	{"n E a b S -a -b d", "d1!"},
	{"n E a S b -a", "b!"},
	{"n E a -a d", "d1 n!"},
}

// script runs one versionScript on the key and returns the ids by name.
func (e *env) script(bucket, key, script string) map[string]string {
	ids := map[string]string{}
	state, markers := storage.VersioningUnset, 0
	for word := range strings.FieldsSeq(script) {
		switch {
		case word == "E", word == "S":
			state = map[string]storage.Versioning{"E": storage.VersioningEnabled, "S": storage.VersioningSuspended}[word]
			e.versioning(bucket, state)
		case word == "d":
			res := e.del(bucket, key, "")
			if state == storage.VersioningUnset {
				break
			}
			markers++
			ids[fmt.Sprint("d", markers)] = res.VersionID
			if !res.DeleteMarker || (res.VersionID == storage.NullVersion) != (state == storage.VersioningSuspended) || res.VersionID == "" {
				e.Errorf("%s: delete of the key gave %+v", script, res)
			}
		case word == "-null":
			e.del(bucket, key, storage.NullVersion)
		case word[0] == '-':
			res := e.del(bucket, key, ids[word[1:]])
			e.equal(script+": "+word, res, storage.DeleteResult{VersionID: ids[word[1:]], DeleteMarker: word[1] == 'd'})
		default:
			o := e.put(bucket, key, word)
			ids[word] = o.VersionID
			if (o.VersionID == storage.NullVersion) != (state != storage.VersioningEnabled) || o.VersionID == "" {
				e.Errorf("%s: put %s got version id %q", script, word, o.VersionID)
			}
		}
	}
	return ids
}

func versionScripts(e *env) {
	for _, c := range versionTable {
		bucket := e.bucket(storage.VersioningUnset)
		e.put(bucket, "before", "1")
		e.put(bucket, "k-", "2")
		ids := e.script(bucket, "k", c.script)
		var want []string
		var use storage.Usage
		for i, word := range strings.Fields(c.want) {
			name, null := strings.CutSuffix(word, "!")
			id, marker := ids[name], name[0] == 'd' && len(name) == 2
			if null != (id == storage.NullVersion) {
				e.Errorf("%s: %s has id %q", c.script, name, id)
			}
			line := "k " + id
			if i == 0 {
				line += "*"
			}
			if marker {
				line += " marker"
				use.Markers++
			} else {
				use.Versions++
				use.Bytes++
				if i == 0 {
					use.Objects++
				}
			}
			want = append(want, line)
			e.versionReads(bucket, c.script, name, id, marker, i == 0)
		}
		if want == nil {
			e.absent(bucket, "k", "")
		}
		before, after := "before null*", "k- null*"
		e.equal(c.script+": versions", e.versions(bucket), slices.Concat([]string{before}, want, []string{after}))
		use.Objects, use.Versions, use.Bytes = use.Objects+2, use.Versions+2, use.Bytes+2
		e.usage(bucket, use)
		e.equal(c.script+": content of a neighbour", e.get(bucket, "k-", ""), "2")
	}
}

// versionReads reads one version of the key "k" by its id, and as the current one.
func (e *env) versionReads(bucket, script, name, id string, marker, latest bool) {
	e.Helper()
	asked := []string{id}
	if latest {
		asked = append(asked, "")
	}
	for _, version := range asked {
		what := fmt.Sprintf("%s: %s asked for as %q", script, name, version)
		ref := storage.Ref{Bucket: bucket, Key: "k", Version: version}
		o, err := e.StatObject(e.ctx, ref)
		if marker {
			e.marker(what, err, id, version != "")
			continue
		}
		e.ok(what, err)
		if o.VersionID != id || o.Latest != latest || o.DeleteMarker {
			e.Errorf("%s: %+v", what, *o)
		}
		e.equal(what, e.get(bucket, "k", version), name)
	}
}

// marker checks that err is the error for a delete marker.
func (e *env) marker(what string, err error, id string, named bool) {
	e.Helper()
	var m *storage.MarkerError
	if !errors.As(err, &m) {
		e.Errorf("%s: error %v, want a MarkerError", what, err)
		return
	}
	if m.VersionID != id || m.Named != named || m.Modified.IsZero() {
		e.Errorf("%s: %+v, want version %q, named %t", what, *m, id, named)
	}
}

func versionIDs(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	seen := map[string]bool{}
	for i := range 50 {
		for _, key := range []string{"a", "b"} {
			id := e.put(bucket, key, fmt.Sprint(i)).VersionID
			if i%3 == 0 {
				id = e.del(bucket, key, "").VersionID
			}
			if seen[id] || id == "" || id == storage.NullVersion || len(id) > 1024 {
				e.Fatalf("version id %q is not new", id)
			}
			for _, c := range id {
				if c <= ' ' || c >= 0x7f || strings.ContainsRune(`"<>&?#%/\+`, c) {
					e.Fatalf("version id %q needs quoting", id)
				}
			}
			seen[id] = true
		}
	}
	// The id of another key's version names nothing here.
	id := e.put(bucket, "a", "x").VersionID
	e.refErrors(storage.Ref{Bucket: bucket, Key: "b", Version: id}, storage.ErrNoSuchVersion)
	e.equal("deleting another key's version", e.del(bucket, "b", id), storage.DeleteResult{})
	e.equal("content", e.get(bucket, "a", id), "x")
	// Nor does one that was deleted name the next.
	e.del(bucket, "a", id)
	next := e.put(bucket, "a", "y").VersionID
	if next == id {
		e.Errorf("a version id was given out twice")
	}
}

func versionMarkers(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	o := e.put(bucket, "k", "x")
	res := e.del(bucket, "k", "")
	for _, version := range []string{"", res.VersionID} {
		ref := storage.Ref{Bucket: bucket, Key: "k", Version: version}
		named := version != ""
		want := storage.ErrNoSuchKey
		if named {
			want = storage.ErrMarker
		}
		e.refErrors(ref, want)
		_, err := e.StatObject(e.ctx, ref)
		e.marker("StatObject", err, res.VersionID, named)
		_, _, err = e.GetObject(e.ctx, ref)
		e.marker("GetObject", err, res.VersionID, named)
	}
	list := e.allVersions(bucket)
	if len(list) != 2 {
		e.Fatalf("%d versions listed, want 2", len(list))
	}
	m := normal(&list[0])
	if m.Modified.IsZero() {
		e.Errorf("the marker has no time")
	}
	m.Modified = list[0].Modified
	e.equal("listed marker", m, storage.Object{Key: "k", VersionID: res.VersionID, Latest: true, DeleteMarker: true, Owner: e.deleter(), Modified: m.Modified})
	o.Latest = false
	e.equal("listed version", listed(&list[1]), listed(o))
	page, err := e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Limit: 10})
	e.ok("ListObjects", err)
	e.equal("objects listed under a marker", len(page.Objects), 0)
}

func versionMany(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	const n = 300
	var ids []string
	for i := range n {
		if i%7 == 3 {
			ids = append(ids, "k "+e.del(bucket, "k", "").VersionID+" marker")
		} else {
			ids = append(ids, "k "+e.put(bucket, "k", fmt.Sprint(i)).VersionID)
		}
	}
	slices.Reverse(ids)
	ids[0] += "*"
	e.equal("versions, newest first", e.versions(bucket), ids)
	for i, line := range ids {
		f := strings.Fields(line)
		if len(f) == 2 {
			e.equal("content", e.get(bucket, "k", strings.TrimSuffix(f[1], "*")), fmt.Sprint(n-1-i))
		}
	}
}
