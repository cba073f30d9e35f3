package webui

import (
	"archive/zip"
	"encoding/json"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// archive asks for an archive and returns the address of its download.
func (b *browser) archive(in zipRequest) string {
	b.s.t.Helper()
	var out struct{ URL string }
	if err := json.Unmarshal([]byte(b.want(200, b.post("zip", in)).body), &out); err != nil {
		b.s.t.Fatal(err)
	}
	return strings.TrimPrefix(out.URL, "./")
}

// files unpacks an archive.
func (b *browser) files(r *reply) map[string]string {
	b.s.t.Helper()
	z, err := zip.NewReader(strings.NewReader(r.body), int64(len(r.body)))
	if err != nil {
		b.s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			b.s.t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			b.s.t.Fatal(err)
		}
		if _, twice := out[f.Name]; twice {
			b.s.t.Errorf("%q is there twice", f.Name)
		}
		out[f.Name] = string(content)
	}
	return out
}

// TestZip: an archive has what was chosen and may be read, under names that lead nowhere else, and is
// downloaded once, within a minute, by who has asked for it.
func TestZip(t *testing.T) {
	s := newSite(t, options{})
	b := s.browser().login(rootUser, rootPassword)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	large := strings.Repeat("0123456789abcdef", 1<<16)
	for key, content := range map[string]string{
		"photos/a.jpg": "a", "photos/A.JPG": "A", "photos/deep/b": large, "photos/empty": "", "photos/../../etc/passwd": "evil", "photos//abs": "abs",
		"photos/c:\\x": "x", "photos/con.txt": "device", "other/z": "z", "top": "top",
	} {
		escaped := strings.NewReplacer("..", "%2e%2e", "\\", "%5c").Replace(key)
		b.want(200, b.do("PUT", "s3/bucket/"+escaped, content))
	}
	address := b.archive(zipRequest{Bucket: "bucket", Base: "photos/", Keys: []string{"photos/a.jpg", "photos/gone"}, Prefixes: []string{"photos/"}})
	other := s.browser()
	other.want(401, other.do("GET", address, ""))
	s.user("ann", annPassword, "readwrite")
	ann := s.browser().login("ann", annPassword)
	ann.want(404, ann.do("GET", address, ""), "NoSuchArchive")
	r := b.want(200, b.do("GET", address, ""))
	if r.Header.Get("Content-Disposition") != "attachment; filename=photos.zip" || r.Header.Get("Content-Type") != "application/zip" {
		t.Error(r.Header)
	}
	want := map[string]string{
		"a.jpg": "a", "A (2).JPG": "A", "a (3).jpg": "a", "deep/b": large, "empty": "", "__/__/etc/passwd": "evil", "abs": "abs", "c__x": "x", "_con.txt": "device",
	}
	got := b.files(r)
	why := got["NOT IN THIS ARCHIVE.txt"]
	delete(got, "NOT IN THIS ARCHIVE.txt")
	if !maps.Equal(got, want) || why != "photos/gone: NoSuchKey\r\n" {
		t.Errorf("%q, %q", slices.Sorted(maps.Keys(got)), why)
	}
	for name := range got {
		if strings.HasPrefix(name, "/") || path.Clean(name) != strings.TrimSuffix(name, "/") || strings.ContainsAny(name, `\:`) {
			t.Errorf("%q leads elsewhere", name)
		}
	}
	b.want(404, b.do("GET", address, ""), "NoSuchArchive")
	late := b.archive(zipRequest{Bucket: "bucket", Keys: []string{"top"}})
	s.clock.set(zipLife + time.Second)
	b.want(404, b.do("GET", late, ""))
	s.clock.set(0)
	// Of one user's there are no more than so many.
	first := b.archive(zipRequest{Bucket: "bucket", Keys: []string{"top"}})
	for range zipsOfOne {
		late = b.archive(zipRequest{Bucket: "bucket", Keys: []string{"top"}})
	}
	b.want(404, b.do("GET", first, ""))
	if got := b.files(b.want(200, b.do("GET", late, ""))); len(got) != 1 || got["top"] != "top" {
		t.Errorf("%q", got)
	}
	b.want(404, b.do("HEAD", late, ""))
	for _, in := range []zipRequest{{}, {Bucket: "bucket"}, {Bucket: "a/b", Keys: []string{"k"}}, {Bucket: "bucket", Base: "photos/", Keys: []string{"top"}}} {
		b.want(400, b.post("zip", in))
	}
}

// TestZipRights: an archive has nothing that the session may not read.
func TestZipRights(t *testing.T) {
	s := newSite(t, options{})
	root := s.browser().login(rootUser, rootPassword)
	root.want(200, root.do("PUT", "s3/bucket", ""))
	for _, key := range []string{"open/1", "shut/2"} {
		root.want(200, root.do("PUT", "s3/bucket/"+key, key))
	}
	_, err := s.iam.SetPolicy(t.Context(), "open", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/open/*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s.user("ann", annPassword, "open")
	ann := s.browser().login("ann", annPassword)
	got := ann.files(ann.want(200, ann.do("GET", ann.archive(zipRequest{Bucket: "bucket", Keys: []string{"open/1", "shut/2"}, Prefixes: []string{"shut/"}}), "")))
	if len(got) != 2 || got["open/1"] != "open/1" || got["NOT IN THIS ARCHIVE.txt"] != "shut/2: AccessDenied\r\nshut/: AccessDenied\r\n" {
		t.Errorf("%q", got)
	}
}

// FuzzSafeName: no key makes a name that leads out of the folder that an archive is unpacked into.
func FuzzSafeName(f *testing.F) {
	for _, key := range []string{"a/b", "../../x", "/etc/passwd", "..\\x", "C:\\x", "a/./b/..", "con", "nul.txt", "a. ", "\xff\x00", "a//", "/", "", strings.Repeat("ä", 600)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		name := safeName(key)
		if name == "" || strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\:\x00") {
			t.Fatalf("%q: %q", key, name)
		}
		for element := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
			if element == "" || strings.Trim(element, ".") == "" || len(element) > maxElement+1 || strings.HasSuffix(element, " ") {
				t.Fatalf("%q: %q", key, name)
			}
		}
	})
}
