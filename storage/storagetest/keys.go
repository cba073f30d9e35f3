package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

var keyCases = []testCase{
	{"keys/weird", keysWeird},
	{"keys/weird-versioned", keysWeirdVersioned},
	{"keys/weird-uploads", keysWeirdUploads},
	{"keys/buckets-apart", keysBucketsApart},
}

// weirdKeys are keys that file systems, URLs, terminals and careless encodings of an
// index get wrong.
func weirdKeys() []string {
	keys := []string{
		"a", "a/b", "a/b/c", "a/", "a//", "a//b", "a///b", "/", "//", "/a", "//a", "/a/",
		".", "..", "./x", "../x", "x/..", "x/.", "x/../y", "a/./b", "../../../etc/passwd", ".hidden", "a/.hidden/..b",
		" ", "a b", " a", "a ", "\t", "\n", "\r\n", "a\nb", "\x00", "\x00\x00", "a\x00", "a\x00b", "\x00a", "a\x00/b", "a/\x00", "\x01", "\x1f", "\x7f",
		"\x00\x01", "\x00\xff", "\x01\x00", "a\x00\x00b", "a\x00\xffb", "a\x01b", "a\xff", "a\xff\x00", "a\xff\xff", "\xff", "\xff\xff", "\xff\x00", "\xfe\xff",
		"\\", "a\\b", "C:\\x", "con", "NUL", "a:b", "*", "?", "a?b=c&d", "#", "%", "%2F", "a%2Fb", "%00", "+", "a+b", "\"", "'", "<>", "|", "`", "$x", "~", ";", "&amp;",
		"ü", "u\u0308", "Ü", "A", "ﬁ", "fi", "日本語", "𝒳", "😀", "👨‍👩‍👧", "\u200b", "\u202e", "\ufeff", "\ufffd", "\uffff", "\U0010ffff", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
		"null", "index", ".meta", "part.1", "objects", "__XLDIR__", "xl.meta", "a.tmp", "a~",
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 1000), strings.Repeat("x", 1000) + "/y", strings.Repeat("y", 1023), strings.Repeat("y", storage.MaxKey),
		strings.Repeat("z/", storage.MaxKey/2), strings.Repeat("/", storage.MaxKey), strings.Repeat("\x00", storage.MaxKey), strings.Repeat("\xff", storage.MaxKey), strings.Repeat("\xff", storage.MaxKey-1),
		strings.Repeat("😀", storage.MaxKey/4), strings.Repeat("../", 341),
	}
	for c := range 256 {
		keys = append(keys, "byte/"+string([]byte{byte(c)}), "byte/"+string([]byte{byte(c)})+"/x")
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func keysWeird(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	keys := e.kept(weirdKeys())
	e.putAll(bucket, keys, func(key string) string { return "content of " + key })
	var want []string
	for _, key := range keys {
		want = append(want, key+" ")
		if got := e.get(bucket, key, ""); got != "content of "+key {
			e.Errorf("key %q has %.60q", key, got)
		}
		if o := e.stat(bucket, key, ""); o.Key != key {
			e.Errorf("key %q is named %q", key, o.Key)
		}
	}
	for _, limit := range []int{1, 2, 3, 7, 50, 1000} {
		got := e.pages(e.objectLister(), storage.ListInput{Bucket: bucket, Limit: limit})
		if !slices.Equal(got, want) {
			e.Fatalf("keys in pages of %d are wrong: %s", limit, firstDifference(got, want))
		}
	}
	for _, key := range keys { // every key as the prefix of a listing
		var want []string
		for _, k := range keys {
			if strings.HasPrefix(k, key) {
				want = append(want, k+" ")
			}
		}
		if got := e.pages(e.objectLister(), storage.ListInput{Bucket: bucket, Prefix: key, Limit: 1000}); !slices.Equal(got, want) {
			e.Fatalf("prefix %q: %s", key, firstDifference(got, want))
		}
	}
	for len(keys) > 0 { // deleting some leaves the others
		n := min(len(keys), 50)
		var in []storage.DeleteInput
		for i := range n {
			in = append(in, storage.DeleteInput{Key: keys[i*len(keys)/n]})
		}
		res, err := e.DeleteObjects(e.ctx, bucket, in)
		e.ok("DeleteObjects", err)
		for i := range in {
			e.equal("result", res[i], storage.DeleteResult{VersionID: storage.NullVersion})
			e.absent(bucket, in[i].Key, "")
		}
		keys = slices.DeleteFunc(keys, func(key string) bool {
			return slices.ContainsFunc(in, func(d storage.DeleteInput) bool { return d.Key == key })
		})
		e.usage(bucket, storage.Usage{Objects: int64(len(keys)), Versions: int64(len(keys)), Bytes: e.bytes(bucket)})
		e.equal("keys left", len(e.versions(bucket)), len(keys))
	}
	e.is("DeleteBucket", e.DeleteBucket(e.ctx, bucket), nil)
}

// bytes adds up the sizes that a listing of a bucket shows.
func (e *env) bytes(bucket string) (n int64) {
	e.Helper()
	for _, o := range e.allVersions(bucket) {
		n += o.Size
	}
	return n
}

// firstDifference tells where two lists part.
func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("%d entries, missing %.80q", len(got), want[i])
		case i >= len(want):
			return fmt.Sprintf("%d entries, not expected %.80q", len(got), got[i])
		case got[i] != want[i]:
			return fmt.Sprintf("entry %d is %.80q, want %.80q", i, got[i], want[i])
		}
	}
	return "none"
}

func keysWeirdVersioned(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	keys := e.kept(weirdKeys())
	want := make([][3]string, len(keys))
	for n := range 3 {
		e.inParallel(len(keys), func(i int) error {
			if n == 1 && i%2 == 0 {
				res, err := e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: keys[i]}})
				if err != nil {
					return err
				}
				want[i][n] = res[0].VersionID
				return res[0].Err
			}
			o, err := e.PutObject(e.ctx, putInput(bucket, keys[i], fmt.Append(nil, n, keys[i])))
			if err == nil {
				want[i][n] = o.VersionID
			}
			return err
		})
	}
	var all []string
	for i, key := range keys {
		all = append(all, key+" "+want[i][2], key+" "+want[i][1], key+" "+want[i][0])
		if got := e.get(bucket, key, want[i][0]); got != string(fmt.Append(nil, 0, key)) {
			e.Errorf("key %q, oldest version, has %.60q", key, got)
		}
	}
	for _, limit := range []int{1, 2, 7, 1000} {
		got := e.pages(e.versionLister(), storage.ListInput{Bucket: bucket, Limit: limit})
		if !slices.Equal(got, all) {
			e.Fatalf("versions in pages of %d are wrong: %s", limit, firstDifference(got, all))
		}
	}
	e.inParallel(len(keys), func(i int) error {
		key := keys[i]
		in := []storage.DeleteInput{{Key: key, Version: want[i][0]}, {Key: key, Version: want[i][2]}, {Key: key, Version: want[i][1]}}
		_, err := e.DeleteObjects(e.ctx, bucket, in)
		return err
	})
	e.is("DeleteBucket", e.DeleteBucket(e.ctx, bucket), nil)
}

func keysWeirdUploads(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	keys := e.kept(weirdKeys())
	var all []string
	refs := make([]storage.UploadRef, len(keys))
	e.inParallel(len(keys), func(i int) error {
		u, err := e.CreateUpload(e.ctx, storage.UploadInput{Bucket: bucket, Key: keys[i]})
		if err != nil {
			return err
		}
		refs[i] = u.UploadRef
		_, err = e.PutPart(e.ctx, partInput(u.UploadRef, 1, []byte("part of "+keys[i])))
		return err
	})
	for i, key := range keys {
		all = append(all, key+" "+refs[i].ID)
	}
	for _, limit := range []int{1, 9, 1000} {
		got := e.pages(e.uploadLister(), storage.ListInput{Bucket: bucket, Limit: limit})
		if !slices.Equal(got, all) {
			e.Fatalf("uploads in pages of %d are wrong: %s", limit, firstDifference(got, all))
		}
	}
	e.inParallel(len(keys), func(i int) error {
		_, err := e.CompleteUpload(e.ctx, completeInput(refs[i], storage.Part{Number: 1, ETag: digestOf([]byte("part of " + keys[i])).ETag}))
		return err
	})
	for _, key := range keys {
		if got := e.get(bucket, key, ""); got != "part of "+key {
			e.Errorf("key %q has %.60q", key, got)
		}
	}
}

// keysBucketsApart has buckets whose names begin alike: nothing of one shows in another.
func keysBucketsApart(e *env) {
	base := e.name()
	keys := e.kept([]string{"k", "a", "\x00", "-", "\xff"})
	names := []string{base, base + "a", base + "-0", base + "0", base + ".a"}
	for _, name := range names {
		e.ok("CreateBucket", e.CreateBucket(e.ctx, storage.Bucket{Name: name}))
		for _, key := range keys {
			e.put(name, key, name)
			e.upload(name, key)
		}
	}
	for _, name := range names {
		for _, key := range keys {
			e.equal("content", e.get(name, key, ""), name)
		}
		e.equal("keys", len(e.versions(name)), len(keys))
		e.equal("uploads", len(e.pages(e.uploadLister(), storage.ListInput{Bucket: name, Limit: 100})), len(keys))
		e.usage(name, storage.Usage{Objects: int64(len(keys)), Versions: int64(len(keys)), Bytes: int64(len(keys) * len(name))})
	}
	for _, key := range keys {
		e.del(base, key, "")
	}
	e.is("DeleteBucket", e.DeleteBucket(e.ctx, base), nil)
	for _, name := range names[1:] {
		e.equal("keys", len(e.versions(name)), len(keys))
		e.equal("uploads", len(e.pages(e.uploadLister(), storage.ListInput{Bucket: name, Limit: 100})), len(keys))
	}
}
