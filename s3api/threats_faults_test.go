package s3api

import (
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/objsrv/objsrv/storage"
)

// TestUnreadableSettings: a setting that can't be read is not absent. What it may have forbidden, or asked for, is
// refused, nothing is written, and it can be set anew.
func TestUnreadableSettings(t *testing.T) {
	const origin = "Origin: https://page.example"
	for _, row := range []struct {
		doc    string
		refuse []string // requests that are 500
		deny   []string // requests of somebody without a signature that are 403
		mend   string   // what sets it anew
	}{
		{docLock, []string{"PUT /lck/k", "PUT /lck/src?renameObject", "POST /lck/k?uploads"}, nil, "PUT /lck?object-lock " + defaultLock},
		{docEncryption, []string{"PUT /lck/k", "POST /lck/k?uploads"}, nil, "DELETE /lck?encryption"},
		{docQuota, []string{"PUT /lck/k", "PUT /lck/src?renameObject"}, nil, ""},
		{docObjectQuota, []string{"PUT /lck/k", "PUT /lck/src?renameObject"}, nil, ""},
		{docNotification, []string{"PUT /lck/k", "PUT /lck/src?renameObject", "DELETE /lck/src", "PUT /lck/src?tagging " + tagBody}, nil, "PUT /lck?notification <NotificationConfiguration/>"},
		{docPolicy, nil, []string{"GET /lck/src", "PUT /lck/k"}, "DELETE /lck?policy"},
		{docPublicAccess, nil, []string{"GET /lck/src"}, "DELETE /lck?publicAccessBlock"},
		{docACL, nil, []string{"GET /lck"}, ""},
	} {
		for _, damaged := range []string{"", "<damaged", "\x00\x00\x00\x00"} {
			a := newAccounts(t, "")
			e := newSealedEnv(t)
			if row.deny != nil { // these are about rights, which only the real decisions have
				e = a.env
				a.wants(200, "", "owner", "PUT", "/lck", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
				a.wants(200, "", "owner", "PUT", "/lck/src", "source")
			} else {
				e.must(200, "PUT", "/lck", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
				e.targets(t)
				e.must(200, "PUT", "/lck/src", "source")
			}
			err := e.s.Backend.UpdateBucket(t.Context(), "lck", func(b *storage.Bucket) error {
				if row.doc == docPublicAccess { // a policy that is public, behind the block that is lost
					b.Docs[docPolicy] = []byte(policyDoc("Allow", "s3:GetObject", "/lck"))
				}
				b.Docs[row.doc] = []byte(damaged)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			before := e.keys("lck")
			for _, r := range row.refuse {
				method, rest, _ := strings.Cut(r, " ")
				target, body, _ := strings.Cut(rest, " ")
				var headers []string
				if strings.HasSuffix(target, "?renameObject") {
					target, headers = "/lck/k?renameObject", []string{renameFrom + "src"}
				}
				if got := e.do(method, target, body, headers...); got.status != 500 || got.code() != "InternalError" {
					t.Errorf("%s is %q, %s: %d %s", row.doc, damaged, r, got.status, got.body)
				}
			}
			for _, r := range row.deny {
				method, target, _ := strings.Cut(r, " ")
				if got := a.as("", method, target, "", origin); got.status != 403 && got.status != 500 {
					t.Errorf("%s is %q, %s of nobody: %d %s", row.doc, damaged, r, got.status, got.body)
				}
			}
			if got := e.keys("lck"); !slices.Equal(got, before) {
				t.Errorf("%s is %q: the bucket held %q, and holds %q", row.doc, damaged, before, got)
			}
			if row.mend == "" {
				continue
			}
			method, rest, _ := strings.Cut(row.mend, " ")
			target, body, _ := strings.Cut(rest, " ")
			if row.deny != nil {
				if got := a.as("root-key", method, target, body); got.status/100 != 2 {
					t.Errorf("%s of root: %d %s", row.mend, got.status, got.body)
				}
				continue
			}
			e.must(map[string]int{"PUT": 200, "DELETE": 204}[method], method, target, body)
			e.must(200, "PUT", "/lck/k", "x")
		}
	}
}

// TestCutBodies: a connection that ends anywhere in a body leaves what was there, however the body was to be kept.
// Of an archive the entries that had come are there, whole.
func TestCutBodies(t *testing.T) {
	large := lines(200_000)
	archive := packed(t, "a", "first", "b", large, "c", "third")
	for name, row := range map[string]struct {
		target, body string
		headers      []string
	}{
		"append":           {"/bkt/log", large, []string{atOffset(3)}},
		"append encrypted": {"/bkt/sealed", large, []string{atOffset(3)}},
		"encrypted":        {"/bkt/new", large, []string{"X-Amz-Server-Side-Encryption: AES256"}},
		"compressed":       {"/bkt/new.txt", large, nil},
		"both":             {"/bkt/new.txt", large, []string{"X-Amz-Server-Side-Encryption: aws:kms"}},
		"overwritten":      {"/bkt/sealed", large, []string{"X-Amz-Server-Side-Encryption: AES256"}},
		"archive":          {"/bkt/x.tar", archive, []string{extract, "X-Amz-Server-Side-Encryption: AES256"}},
	} {
		for _, cut := range []int{0, 1, 511, 512, 1100, 65_535, 65_536, 70_000, len(row.body) - 1} {
			e := newSealedEnv(t, func(c *Config) {
				c.Compression = Compression{Enabled: true, Encrypted: true, Extensions: []string{".txt"}}
			})
			e.must(200, "PUT", "/bkt/log", "log")
			e.must(200, "PUT", "/bkt/sealed", "old", "X-Amz-Server-Side-Encryption: AES256")
			r := httptest.NewRequest("PUT", "https://s3.test"+row.target, io.MultiReader(strings.NewReader(row.body[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF)))
			r.ContentLength = int64(len(row.body))
			for _, h := range row.headers {
				k, v, _ := strings.Cut(h, ": ")
				r.Header.Set(k, v)
			}
			e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
			w := httptest.NewRecorder()
			e.s.ServeHTTP(w, r)
			if got := (&answered{w.Code, w.Header(), w.Body.String()}); got.status != 400 || got.code() != "IncompleteBody" {
				t.Errorf("%s cut at %d: %d %s", name, cut, got.status, got.body)
			}
			want := map[string]string{"log": "log", "sealed": "old"}
			if name == "archive" && cut >= 1024 {
				want["a"] = "first"
			}
			keys := e.keys("bkt")
			for key, content := range want {
				if got := e.must(200, "GET", "/bkt/"+key, ""); got.body != content {
					t.Errorf("%s cut at %d: %s is %q", name, cut, key, got.body)
				}
			}
			if name == "archive" {
				keys = slices.DeleteFunc(keys, func(k string) bool { return (k == "b" || k == "c") && cut > 1024+len(large) }) // they had come
			}
			if len(keys) != len(want) {
				t.Errorf("%s cut at %d: the bucket holds %q", name, cut, keys)
			}
			use, err := e.s.Backend.Usage(t.Context(), "bkt")
			if err != nil || use.Versions != int64(len(e.keys("bkt"))) {
				t.Errorf("%s cut at %d: usage %+v, %v", name, cut, use, err)
			}
		}
	}
}

// TestContainedInside (S-207, S-062): a file of an archive is contained and its type guarded as an object's is, and nobody
// without a signature gives it another.
func TestContainedInside(t *testing.T) {
	e := newEnv(t)
	e.s.Contained = true
	e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x.html", "<script>", "x.svg", "<svg/>", "x.txt", "text", "x", "?"))
	for _, name := range []string{"x.html", "x.svg", "x.txt", "x"} {
		got := e.must(200, "GET", "/bkt/a.zip/"+name, "", lookInto)
		if got.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, got.Header)
		}
		if contained := got.Get("Content-Security-Policy") != ""; !contained && !inert(got.Get("Content-Type")) {
			t.Errorf("%s of type %s runs in the origin of the server's own pages", name, got.Get("Content-Type"))
		}
	}
	for _, q := range []string{"response-content-type=text/html", "response-content-disposition=inline", "response-cache-control=x%0d%0aSet-Cookie:a"} {
		if got := e.anonymous("GET", "/bkt/a.zip/x.txt?"+q, "", lookInto); got.status != 400 {
			t.Errorf("%s of nobody: %d %v", q, got.status, got.Header)
		}
	}
	if got := e.must(200, "GET", "/bkt/a.zip/x.txt?response-content-type=text/html", "", lookInto); got.Get("Content-Security-Policy") == "" {
		t.Errorf("asked for as a document: %v", got.Header)
	}
}

// TestDamageOfOtherForms: damage to what is encrypted, compressed or in an archive is an error before the
// first byte, or ends the connection, and a copy of it or what is appended makes nothing of it.
func TestDamageOfOtherForms(t *testing.T) {
	text := lines(1 << 20)
	for _, m := range sseModes() {
		for _, shrink := range []bool{false, true} {
			e := newSealedEnv(t, func(c *Config) { c.Compression = Compression{Enabled: shrink, Encrypted: true} })
			e.must(200, "PUT", "/bkt/k", text, m.write...)
			e.must(200, "PUT", "/bkt/a.zip", zipOf(t, "x", text), m.write...)
			healthy := e.s.Backend
			length := int64(len(e.content("k")))
			e.s.Backend = &damaged{Backend: healthy}
			what := m.name + map[bool]string{true: " compressed"}[shrink]
			e.refused(500, "InternalError", "GET", "/bkt/k", "", m.read...)
			e.refused(500, "InternalError", "GET", "/bkt/k", "", append(m.read, "Range: bytes=500000-600000")...)
			e.refused(500, "InternalError", "GET", "/bkt/a.zip/x", "", append(m.read, lookInto)...)
			if m.name == "plain" { // another key for what is encrypted needs no look at the content
				e.refused(500, "InternalError", "PUT", "/bkt/copy", "", append(withCustomer(3), "X-Amz-Copy-Source: bkt/k")...)
			}
			e.s.Backend = &damaged{Backend: healthy, good: length * 2 / 3}
			r := e.request("GET", "/bkt/k", "", m.read...)
			e.signer().SignHeader(r, "", e.now)
			res, err := e.srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode == 200 && (err == nil || len(got) >= len(text) || !strings.HasPrefix(text, string(got))) {
				t.Errorf("%s: read %d bytes, error %v", what, len(got), err)
			}
			if got := e.do("PUT", "/bkt/k", "more", append(m.read, atOffset(len(text)))...); got.status != 200 && got.status != 500 {
				t.Errorf("%s, append: %d %s", what, got.status, got.body)
			}
			e.s.Backend = healthy
			whole := e.must(200, "GET", "/bkt/k", "", m.read...)
			if whole.body != text && whole.body != text+"more" {
				t.Errorf("%s: %d bytes are left", what, len(whole.body))
			}
			if keys := e.keys("bkt"); !slices.Equal(keys, []string{"a.zip", "k"}) {
				t.Errorf("%s: the bucket holds %q", what, keys)
			}
		}
	}
}
