package iamzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"
)

// build makes a zip of files whose headers are given.
func build(t testing.TB, files ...zip.FileHeader) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, h := range files {
		content := h.Comment
		h.Comment = ""
		w, err := zw.CreateHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// file has its content as comment, for build.
func file(name, content string) zip.FileHeader {
	return zip.FileHeader{Name: name, Comment: content, Method: zip.Deflate}
}

// TestHostileArchives is S-246: names that are paths, too many files, too large, compressed beyond
// measure, nested, damaged, repeated. All are refused, and little is read.
func TestHostileArchives(t *testing.T) {
	link := file(dir+"users.json", "/etc/passwd")
	link.SetMode(fs.ModeSymlink | 0o777)
	// A directory of as many files as there is room for, with an end that admits to one.
	many := append(bytes.Repeat([]byte("PK\x01\x02"+strings.Repeat("\x00", 42)), 600_000), build(t, file(dir+"users.json", "{}"))...)
	users := func(content string) []byte { return build(t, file(dir+"users.json", content)) }
	bomb := users(`{"a":"` + strings.Repeat("x", 64<<20) + `"}`)
	damaged := users(strings.Repeat(`{"alice":{"secretKey":"a good secret","status":"enabled"}}`, 1))
	damaged[len(dir)+40] ^= 0xff
	for what, data := range map[string][]byte{
		"nothing":           nil,
		"no zip":            []byte("PK\x03\x04 and nothing else"),
		"empty":             build(t),
		"a path":            build(t, file("../iam-assets/users.json", "{}")),
		"a path inside":     build(t, file("iam-assets/../../users.json", "{}")),
		"an absolute path":  build(t, file("/iam-assets/users.json", "{}")),
		"a path of Windows": build(t, file(`iam-assets\..\users.json`, "{}")),
		"a drive":           build(t, file(`C:users.json`, "{}")),
		"a link":            build(t, link),
		"twice":             build(t, file(dir+"users.json", "{}"), file(dir+"users.json", "{}")),
		"many files":        many,
		"a bomb":            bomb,
		"damaged":           damaged,
		"no JSON":           users("{"),
		"a list":            users("[]"),
		"repeated users":    users(`{"alice":{"secretKey":"a good secret"},"alice":{"secretKey":"another secret"}}`),
		"repeated members":  users(`{"alice":{"secretKey":"a good secret","secretKey":"another secret"}}`),
		"deep":              users(strings.Repeat(`{"a":`, 10_000)),
		"wrong types":       users(`{"alice":{"secretKey":1}}`),
		"text behind":       users(`{} {}`),
		"another zip only":  build(t, file("iam-assets/inner.zip", string(build(t, file(dir+"users.json", "{}"))))),
		"too long":          make([]byte, MaxSize+1),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := read(data)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrArchive) {
			t.Errorf("%s: %v %v", what, a, err)
		}
		t.Logf("%s: %d KiB", what, (after.TotalAlloc-before.TotalAlloc)>>10)
		if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
			t.Errorf("%s: %d MiB were needed", what, used>>20)
		}
	}
}

// FuzzImport: whatever the archive says, nothing is root's afterwards but root, and a plan makes
// nothing.
func FuzzImport(f *testing.F) {
	f.Add(`{"alice":{"secretKey":"a good secret","status":"enabled"}}`, `{"K12":{"parent":"alice","accessKey":"K12","secretKey":"a good secret","status":"on"}}`, `{"alice":{"policy":"readonly"}}`)
	f.Add(`{}`, `{"K12":{"parent":"objroot","accessKey":"K12","secretKey":"a good secret","status":"on","claims":{"sub":"x"}}}`, `{}`)
	f.Add(`{}`, `{"K12":{"parent":"uid=x","accessKey":"K12","secretKey":"a good secret","status":"off","groups":["cn=g"]}}`, `{"uid=x":{"policy":"a,b"}}`)
	f.Fuzz(func(t *testing.T, users, keys, mappings string) {
		data := pack(t, map[string]string{"users": users, "svcaccts": keys, "user_mappings": mappings, "stsuser_mappings": mappings, "group_mappings": mappings})
		svc := newService(t)
		im := Importer{IAM: svc, By: importer(t, svc)}
		plan, err := im.Plan(data)
		if err != nil {
			return
		}
		if n := len(svc.Users()); n != 1 {
			t.Fatalf("a plan has made %d users", n-1)
		}
		r, err := im.Apply(t.Context(), data)
		if err != nil {
			t.Fatalf("planned %+v, then %v", plan, err)
		}
		if keys := svc.AccessKeys("objroot"); len(keys) > 0 {
			t.Fatalf("%+v, %+v", keys, r)
		}
		if c, err := svc.Credential("objroot", ""); err != nil || c.Secret != secret {
			t.Fatal("root was changed")
		}
	})
}
