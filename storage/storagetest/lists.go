package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

var listCases = []testCase{
	{"lists/rules", listRules},
	{"lists/every-parameter", listEveryParameter},
	{"lists/markers", listMarkers},
	{"lists/limits", listLimits},
	{"lists/versions-every-parameter", listVersionsEveryParameter},
	{"lists/uploads-every-parameter", listUploadsEveryParameter},
}

// listTable has the rules of ListInput that are easily got wrong, one by one. want is
// the page's entries and common prefixes ("~") in order, "+" when truncated.
var listTable = []struct {
	keys                     string
	prefix, delimiter, after string
	limit                    int
	want                     string
}{
	{"a b c", "", "", "", 10, "a b c"},
	{"a b c", "", "", "", 3, "a b c"},
	{"a b c", "", "", "", 2, "a b +"},
	{"a b c", "", "", "a", 1, "b +"},
	{"a b c", "", "", "aa", 10, "b c"},
	{"a b c", "", "", "c", 10, ""},
	{"a b c", "b", "", "", 10, "b"},
	{"a b c", "b", "", "a", 10, "b"},
	{"a b c", "b", "", "c", 10, ""},
	{"a a/b a/c b", "", "/", "", 10, "a a/~ b"},
	{"a a/b a/c b", "", "/", "", 1, "a +"},
	{"a a/b a/c b", "", "/", "", 2, "a a/~ +"},
	{"a a/b a/c", "", "/", "", 2, "a a/~"},            // nothing follows the common prefix
	{"a a/b a/c b", "", "/", "a/", 10, "b"},           // After is a common prefix: skipped whole
	{"a a/b a/c b", "", "/", "a/b", 10, "a/~ b"},      // After lies within one: its rest is rolled up
	{"a a/b a/c b", "", "/", "a/c", 10, "b"},          // and nothing is left of it
	{"a a/b a/c b", "", "/", "a/b\x00", 10, "a/~ b"},  //
	{"a a/ a/b b", "", "/", "", 10, "a a/~ b"},        // a key that is its own common prefix
	{"a a/ b", "", "/", "a", 10, "a/~ b"},             //
	{"a/b/c a/b/d a/c", "a/", "/", "a/b/", 10, "a/c"}, // behind a prefix
	{"a/b/c a/b/d a/c", "a/", "/", "a/b/c", 10, "a/b/~ a/c"},
	{"a/b/c a/b/d a/c", "", "/", "a/b/", 10, "a/~"},             // "a/b/" is no common prefix of this listing
	{"a/b/c a/b/d a/c", "a", "/", "", 10, "a/~"},                //
	{"a/b/c a/b/d a/c", "a/b/", "/", "a/b/", 10, "a/b/c a/b/d"}, // nor of this one: no delimiter behind the prefix
	{"a//b a/b", "", "/", "", 10, "a/~"},
	{"a//b a/b", "a/", "/", "", 10, "a//~ a/b"},
	{"a//b a/b", "a/", "/", "a//", 10, "a/b"},
	{"/a //a a", "", "/", "", 10, "/~ a"},
	{"x--y--z x--y-z", "", "--", "", 10, "x--~"},
	{"x--y--z x--y-z", "x--", "--", "", 10, "x--y--~ x--y-z"},
	{"x--y--z x--y-z", "x-", "--", "", 10, "x--y--~ x--y-z"},
	{"x---y x--a", "x", "--", "x--", 10, ""},
	{"aXb aXc aYb", "", "X", "aX", 10, "aYb"},
	{"ab\xff ab\xff/x ac", "", "\xff", "", 10, "ab\xff~ ac"},
	{"ab\xff ab\xff\xff ac", "", "\xff", "ab\xff", 10, "ac"},
	{"\xff/a \xff/b \xff\xff/", "", "/", "", 10, "\xff/~ \xff\xff/~"},
	{"\xff/a \xff/b \xff\xff/", "", "/", "\xff/", 10, "\xff\xff/~"},
	{"\xff/a \xff/b \xff\xff/", "\xff", "", "", 10, "\xff/a \xff/b \xff\xff/"},
	{"a b", "", "a", "", 10, "a~ b"}, // the delimiter may be the whole key
	{"a b", "a", "a", "", 10, "a"},   // and is looked for behind the prefix only
	{"a b c", "", "", "", 0, ""},
}

func listRules(e *env) {
	filled := map[string]string{}
	for _, c := range listTable {
		if !e.keeps(append(strings.Fields(c.keys), c.prefix, c.delimiter, c.after)...) {
			continue
		}
		bucket := filled[c.keys]
		if bucket == "" {
			bucket = e.bucket(storage.VersioningUnset)
			for key := range strings.FieldsSeq(c.keys) {
				e.put(bucket, key, "")
			}
			filled[c.keys] = bucket
		}
		in := storage.ListInput{Bucket: bucket, Prefix: c.prefix, Delimiter: c.delimiter, After: c.after, Limit: c.limit}
		page, err := e.ListObjects(e.ctx, in)
		e.ok("ListObjects", err)
		what := fmt.Sprintf("keys %q, prefix %q, delimiter %q, after %q, limit %d", c.keys, c.prefix, c.delimiter, c.after, c.limit)
		e.equal(what, pageText(page), c.want)
		in.AfterID = "ignored"
		page, err = e.ListObjects(e.ctx, in)
		e.ok("ListObjects", err)
		e.equal(what+", with AfterID", pageText(page), c.want)
	}
}

// pageText prints a page as listTable does.
func pageText(p *storage.ListPage) string {
	var keys []string
	for _, o := range p.Objects {
		keys = append(keys, o.Key)
	}
	return entriesText(keys, p.Prefixes, p.Truncated)
}

// entriesText merges keys and common prefixes, each in their own order.
func entriesText(keys, prefixes []string, truncated bool) string {
	var out []string
	for len(keys)+len(prefixes) > 0 {
		if len(prefixes) == 0 || len(keys) > 0 && keys[0] < prefixes[0] {
			out, keys = append(out, keys[0]), keys[1:]
		} else {
			out, prefixes = append(out, prefixes[0]+"~"), prefixes[1:]
		}
	}
	if truncated {
		out = append(out, "+")
	}
	return strings.Join(out, " ")
}

// listKeys collide in every way that prefixes, delimiters and markers can.
var listKeys = []string{
	"a", "a/", "a/b", "a/b/c", "a/b/d", "a//b", "a0", "a\x00", "b", "b/c/d", "b//", "/", "//", "/a", "c-d", "c-d-e", "c\xff", "c\xff\xff", "\xff", "\xff/", "\xff/\xff",
}

// reference lists entries the slow and obvious way. Each is a key and an id ("" for
// objects), in the order of the listing; AfterID, when set, names an entry.
func reference(entries [][2]string, in storage.ListInput) (out []string, truncated bool) {
	behind := in.After == "" // of the entry that After and AfterID name
	for _, entry := range entries {
		key := entry[0]
		if !strings.HasPrefix(key, in.Prefix) {
			continue
		}
		cp := ""
		if before, _, found := strings.Cut(key[len(in.Prefix):], in.Delimiter); found && in.Delimiter != "" {
			cp = in.Prefix + before + in.Delimiter
		}
		switch {
		case in.After == "":
		case cp != "" && cp == in.After, key < in.After:
			continue
		case key == in.After:
			here := entry[1] == in.AfterID
			if !behind || here {
				behind = behind || here && in.AfterID != ""
				continue
			}
		}
		line := key + " " + entry[1]
		if cp != "" {
			line = cp + "~"
			if len(out) > 0 && out[len(out)-1] == line {
				continue
			}
		}
		if len(out) >= in.Limit {
			return out, in.Limit > 0
		}
		out = append(out, line)
	}
	return out, false
}

// lister makes one page of any listing and describes it as reference does.
type lister func(in storage.ListInput) (lines []string, truncated bool, nextAfter, nextID string)

// mergeLines orders the entries of a page and its common prefixes.
func mergeLines(e *env, keys, ids, prefixes []string) []string {
	e.Helper()
	if !slices.IsSorted(keys) || !slices.IsSorted(prefixes) {
		e.Errorf("a page is not in order: %q %q", keys, prefixes)
	}
	var out []string
	for len(keys)+len(prefixes) > 0 {
		if len(prefixes) == 0 || len(keys) > 0 && keys[0] < prefixes[0] {
			out = append(out, keys[0]+" "+ids[0])
			keys, ids = keys[1:], ids[1:]
		} else {
			out, prefixes = append(out, prefixes[0]+"~"), prefixes[1:]
		}
	}
	return out
}

// compareLists lists with every combination of parameters and compares with reference.
func (e *env) compareLists(bucket string, entries [][2]string, list lister, ids bool) {
	e.Helper()
	keys := e.kept([]string{"", "zz", "a/b/cc", "b/", "c", "\x00"})
	for _, entry := range entries {
		if !slices.Contains(keys, entry[0]) {
			keys = append(keys, entry[0])
		}
	}
	bad := 0
	for _, prefix := range e.kept([]string{"", "a", "a/", "a/b", "b/", "b//", "/", "c", "c\xff", "\xff", "nothing"}) {
		for _, delimiter := range e.kept([]string{"", "/", "//", "-", "\xff", "b"}) {
			for _, after := range keys {
				afterIDs := []string{""}
				for _, entry := range entries {
					if ids && after != "" && entry[0] == after {
						afterIDs = append(afterIDs, entry[1])
					}
				}
				for _, afterID := range afterIDs {
					for _, limit := range []int{1, 2, 5, 1000} {
						in := storage.ListInput{Bucket: bucket, Prefix: prefix, Delimiter: delimiter, After: after, AfterID: afterID, Limit: limit}
						want, truncated := reference(entries, in)
						got, gotTruncated, nextAfter, nextID := list(in)
						if !slices.Equal(got, want) || truncated != gotTruncated || !nextIs(want, truncated, nextAfter, nextID) {
							e.Errorf("%+v:\n got %q truncated %t next %q %q\nwant %q truncated %t", in, got, gotTruncated, nextAfter, nextID, want, truncated)
							if bad++; bad > 5 {
								e.Fatalf("and more")
							}
						}
					}
				}
			}
		}
	}
}

// nextIs tells whether the continuation of a page is right: its last line when it is
// truncated, else nothing.
func nextIs(lines []string, truncated bool, after, id string) bool {
	if !truncated {
		return after == "" && id == ""
	}
	last := lines[len(lines)-1]
	return last == after+" "+id || last == after+"~" && id == ""
}

// objectLister lists current objects.
func (e *env) objectLister() lister {
	return func(in storage.ListInput) ([]string, bool, string, string) {
		p, err := e.ListObjects(e.ctx, in)
		e.ok("ListObjects", err)
		var keys []string
		for _, o := range p.Objects {
			keys = append(keys, o.Key)
		}
		return mergeLines(e, keys, make([]string, len(keys)), p.Prefixes), p.Truncated, p.NextAfter, p.NextID
	}
}

// versionLister lists versions.
func (e *env) versionLister() lister {
	return func(in storage.ListInput) ([]string, bool, string, string) {
		p, err := e.ListVersions(e.ctx, in)
		e.ok("ListVersions", err)
		var keys, ids []string
		for _, o := range p.Objects {
			keys, ids = append(keys, o.Key), append(ids, o.VersionID)
		}
		return mergeLines(e, keys, ids, p.Prefixes), p.Truncated, p.NextAfter, p.NextID
	}
}

// uploadLister lists uploads.
func (e *env) uploadLister() lister {
	return func(in storage.ListInput) ([]string, bool, string, string) {
		p, err := e.ListUploads(e.ctx, in)
		e.ok("ListUploads", err)
		var keys, ids []string
		for _, u := range p.Uploads {
			keys, ids = append(keys, u.Key), append(ids, u.ID)
		}
		return mergeLines(e, keys, ids, p.Prefixes), p.Truncated, p.NextAfter, p.NextID
	}
}

func listEveryParameter(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var entries [][2]string
	for _, key := range slices.Sorted(slices.Values(e.kept(listKeys))) {
		entries = append(entries, [2]string{key, ""})
	}
	for _, key := range slices.Backward(e.kept(listKeys)) { // put in another order
		e.put(bucket, key, "x")
	}
	e.compareLists(bucket, entries, e.objectLister(), false)
}

func listVersionsEveryParameter(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var entries [][2]string
	for i, key := range slices.Sorted(slices.Values(e.kept(listKeys))) {
		if i%2 == 0 {
			continue
		}
		ids := e.script(bucket, key, []string{"a E b", "E a d b", "E a S d E b"}[i/2%3])
		e.ok("UpdateBucket", e.UpdateBucket(e.ctx, bucket, func(b *storage.Bucket) error { b.Versioning = storage.VersioningSuspended; return nil }))
		for _, name := range []string{"b", "d1", "a"} {
			if id, ok := ids[name]; ok {
				entries = append(entries, [2]string{key, id})
			}
		}
	}
	e.compareLists(bucket, entries, e.versionLister(), true)
}

func listUploadsEveryParameter(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var entries [][2]string
	for i, key := range slices.Sorted(slices.Values(e.kept(listKeys))) {
		for range i % 3 {
			entries = append(entries, [2]string{key, e.upload(bucket, key).ID})
		}
	}
	e.compareLists(bucket, entries, e.uploadLister(), true)
}

func listMarkers(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	for _, key := range []string{"a", "b/1", "b/2", "c/1", "c/2", "d"} {
		e.put(bucket, key, "x")
	}
	for _, key := range []string{"a", "b/1", "c/1", "c/2", "e/1"} {
		e.del(bucket, key, "")
	}
	in := storage.ListInput{Bucket: bucket, Delimiter: "/", Limit: 10}
	page, err := e.ListObjects(e.ctx, in)
	e.ok("ListObjects", err)
	e.equal("objects", pageText(page), "b/~ d")
	in.Limit = 2
	page, err = e.ListObjects(e.ctx, in)
	e.ok("ListObjects", err)
	e.equal("objects on a full last page", pageText(page), "b/~ d")
	page, err = e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Delimiter: "/", Limit: 10})
	e.ok("ListVersions", err)
	e.equal("versions", pageText(page), "a a b/~ c/~ d e/~")
	page, err = e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Prefix: "b/", Limit: 1})
	e.ok("ListObjects", err)
	e.equal("objects of b/", pageText(page), "b/2")
}

func listLimits(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "a", "x")
	e.upload(bucket, "a")
	in := storage.ListInput{Bucket: bucket}
	for what, list := range map[string]lister{"objects": e.objectLister(), "versions": e.versionLister(), "uploads": e.uploadLister()} {
		in.Limit = 0
		lines, truncated, after, id := list(in)
		if len(lines) != 0 || truncated || after != "" || id != "" {
			e.Errorf("%s with limit 0: %q truncated %t next %q %q", what, lines, truncated, after, id)
		}
		in.Limit = 1 << 30
		lines, truncated, _, _ = list(in)
		if len(lines) != 1 || truncated {
			e.Errorf("%s with a huge limit: %q truncated %t", what, lines, truncated)
		}
	}
}
