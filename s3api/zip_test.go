package s3api

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

const lookInto = "X-Minio-Extract: true"

// zipOf is an archive of files, by name and content.
func zipOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestZipRead(t *testing.T) {
	text := lines(300_000)
	for _, m := range sseModes() {
		t.Run(m.name, func(t *testing.T) {
			e := newSealedEnv(t)
			e.must(200, "PUT", "/bkt/p/a.zip", zipOf(t, "x", "small", "d/y", text, "empty", ""), m.write...)
			for name, want := range map[string]string{"x": "small", "d/y": text, "empty": ""} {
				got := e.must(200, "GET", "/bkt/p/a.zip/"+name, "", append(m.read, lookInto)...)
				if got.body != want {
					t.Errorf("%s: %d bytes that differ", name, len(got.body))
				}
				head := e.must(200, "HEAD", "/bkt/p/a.zip/"+name, "", append(m.read, lookInto)...)
				e.wantHeader(head, "Content-Length", strconv.Itoa(len(want)))
				e.wantHeader(head, "Etag", got.Get("Etag"))
				e.wantHeader(head, "X-Amz-Server-Side-Encryption", m.told)
			}
			part := e.must(206, "GET", "/bkt/p/a.zip/d/y", "", append(m.read, lookInto, "Range: bytes=70000-200000")...)
			if part.body != text[70000:200001] {
				t.Error("a range differs")
			}
			e.wantHeader(part, "Content-Range", "bytes 70000-200000/300000")
			tail := e.must(206, "GET", "/bkt/p/a.zip/d/y", "", append(m.read, lookInto, "Range: bytes=-10", "If-Match: "+part.Get("Etag"))...)
			if tail.body != text[len(text)-10:] {
				t.Error("the end differs")
			}
			e.must(412, "GET", "/bkt/p/a.zip/d/y", "", append(m.read, lookInto, "If-Match: other")...)
			e.must(304, "GET", "/bkt/p/a.zip/d/y", "", append(m.read, lookInto, "If-None-Match: "+part.Get("Etag"))...)
			e.must(416, "GET", "/bkt/p/a.zip/x", "", append(m.read, lookInto, "Range: bytes=5-")...)
			e.must(404, "GET", "/bkt/p/a.zip/none", "", append(m.read, lookInto)...)
			e.must(404, "GET", "/bkt/p/a.zip/d/", "", append(m.read, lookInto)...)
			e.must(404, "GET", "/bkt/p/a.zip/x", "", m.read...) // without the header it is a key like any other
		})
	}
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x", "1"), withCustomer(1)...)
	e.refused(400, "InvalidRequest", "GET", "/bkt/a.zip/x", "", lookInto)
	e.must(200, "PUT", "/bkt/no.zip", "no archive")
	e.refused(400, "InvalidRequest", "GET", "/bkt/no.zip/x", "", lookInto)
	e.refused(404, "NoSuchKey", "GET", "/bkt/none.zip/x", "", lookInto)
	if got := e.must(200, "GET", "/bkt/no.zip", "", lookInto); got.body != "no archive" {
		t.Error("a whole archive can't be read with the header")
	}
	e.must(200, "PUT", "/bkt/bomb.zip", zipOf(t, "zeros", strings.Repeat("\x00", 80<<20)))
	e.refused(400, "InvalidRequest", "GET", "/bkt/bomb.zip/zeros", "", lookInto)
}

func TestZipVersions(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	old := e.must(200, "PUT", "/ver/a.zip", zipOf(t, "x", "old")).Get("X-Amz-Version-Id")
	first := e.must(200, "GET", "/ver/a.zip/x", "", lookInto).Get("Etag")
	e.must(200, "PUT", "/ver/a.zip", zipOf(t, "x", "new"))
	if got := e.must(200, "GET", "/ver/a.zip/x", "", lookInto); got.body != "new" || got.Get("Etag") == first {
		t.Errorf("%q with ETag %s, which was %s", got.body, got.Get("Etag"), first)
	}
	if got := e.must(200, "GET", "/ver/a.zip/x?versionId="+old, "", lookInto); got.body != "old" || got.Get("X-Amz-Version-Id") != old {
		t.Errorf("the old version holds %q", got.body)
	}
}

// TestZipRights: the right that counts is that to the archive, and the header must be signed.
func TestZipRights(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x", "1"))
	for _, target := range []string{"/bkt/a.zip/x", "/bkt?list-type=2&prefix=a.zip/"} {
		e.iam.deny = func(r *iam.Request) bool { return r.Action == "s3:GetObject" && r.Key == "a.zip" }
		e.refused(403, "AccessDenied", "GET", target, "", lookInto)
		e.iam.deny = func(r *iam.Request) bool { return r.Action == "s3:GetObject" && r.Key != "a.zip" }
		e.must(200, "GET", target, "", lookInto)
		e.iam.deny = nil
		r := e.request("GET", target, "")
		e.signer().SignHeader(r, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", e.now)
		r.Header.Set("X-Minio-Extract", "true")
		if a := e.send(r); a.status != http.StatusForbidden {
			t.Errorf("%s with a header that is not signed: %d", target, a.status)
		}
	}
}

func TestZipList(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/q/a.zip", zipOf(t, "z", "1", "d/", "", "d/a", "22", "d/e/f", "333", "b", "old", "b", "4444"))
	list := func(query string) (keys, prefixes []string, token string) {
		got := e.must(200, "GET", "/bkt?list-type=2&"+query, "", lookInto).body
		for part := range strings.SplitSeq(got, "<Contents>") {
			if key, _, ok := strings.Cut(strings.TrimPrefix(part, "<Key>"), "</Key>"); ok && strings.HasPrefix(part, "<Key>") {
				size, _, _ := strings.Cut(part[strings.Index(part, "<Size>")+6:], "<")
				keys = append(keys, key+" "+size)
			}
		}
		for part := range strings.SplitSeq(got, "<CommonPrefixes><Prefix>") {
			if p, _, ok := strings.Cut(part, "</Prefix></CommonPrefixes>"); ok {
				prefixes = append(prefixes, p)
			}
		}
		a := answered{body: got}
		return keys, prefixes, a.element("NextContinuationToken")
	}
	all := []string{"q/a.zip/b 4", "q/a.zip/d/a 2", "q/a.zip/d/e/f 3", "q/a.zip/z 1"}
	for query, want := range map[string]string{
		"prefix=q/a.zip/":                                    fmt.Sprint(all, []string(nil)),
		"prefix=q/a.zip/&delimiter=/":                        fmt.Sprint([]string{all[0], all[3]}, []string{"q/a.zip/d/"}),
		"prefix=q/a.zip/d/&delimiter=/":                      fmt.Sprint(all[1:2], []string{"q/a.zip/d/e/"}),
		"prefix=q/a.zip/&start-after=q/a.zip/d/a":            fmt.Sprint(all[2:], []string(nil)),
		"prefix=q/a.zip/&delimiter=/&start-after=q/a.zip/d/": fmt.Sprint(all[3:], []string(nil)),
		"prefix=q/a.zip/&max-keys=0":                         fmt.Sprint([]string(nil), []string(nil)),
		"prefix=q/":                                          fmt.Sprint([]string{"q/a.zip " + e.must(200, "HEAD", "/bkt/q/a.zip", "").Get("Content-Length")}, []string(nil)),
	} {
		keys, prefixes, _ := list(query)
		if got := fmt.Sprint(keys, prefixes); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	var paged []string
	for token, more := "", true; more; {
		keys, prefixes, next := list("prefix=q/a.zip/&delimiter=/&max-keys=1&continuation-token=" + token)
		paged = slices.Concat(paged, keys, prefixes)
		token, more = next, next != ""
	}
	if want := []string{all[0], "q/a.zip/d/", all[3]}; !slices.Equal(paged, want) {
		t.Errorf("page by page %q", paged)
	}
}

// TestZipsAtOnce: more are read at a time than directories are held; each place is given back, also by those that fail.
func TestZipsAtOnce(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x", "small", "x", "the last"))
	e.must(200, "PUT", "/bkt/no.zip", "no archive")
	var wg sync.WaitGroup
	for i := range 6 * lookingAtOnce {
		wg.Go(func() {
			target := []string{"/bkt/a.zip/x", "/bkt?list-type=2&prefix=a.zip/", "/bkt/a.zip/none", "/bkt/no.zip/x"}[i%4]
			if got := e.do("GET", target, "", lookInto); got.status != []int{200, 200, 404, 400}[i%4] {
				t.Errorf("%s: %d %s", target, got.status, got.body)
			}
		})
	}
	wg.Wait()
	if len(e.s.looking) > 0 {
		t.Error("a place is not given back")
	}
}
