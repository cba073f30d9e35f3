package s3api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/storage"
)

const extract = "X-Amz-Meta-Snowball-Auto-Extract: true"

// packed is an archive of files, by name and content; a name that ends in a slash is a directory.
func packed(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}
		if strings.HasSuffix(h.Name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if strings.HasPrefix(h.Name, "meta/") {
			h.Format, h.PAXRecords = tar.FormatPAX, map[string]string{"minio.metadata.X-Amz-Meta-Color": "red", "minio.metadata.Content-Type": "text/x", "minio.metadata.X-Amz-Tagging": "a=b"}
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
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

// keys lists a bucket.
func (e *env) keys(bucket string) (out []string) {
	e.t.Helper()
	page, err := e.s.Backend.ListObjects(e.t.Context(), storage.ListInput{Bucket: bucket, Limit: 1000})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, o := range page.Objects {
		out = append(out, o.Key)
	}
	return out
}

func TestExtract(t *testing.T) {
	large := lines(300_000)
	archive := packed(t, "./a", "one", "dir/", "", "dir/b", large, "meta/c", "", "a", "two")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(archive))
	z.Close()
	for name, row := range map[string]struct {
		body    string
		headers []string
		keys    []string
	}{
		"plain":   {archive, nil, []string{"a", "dir/", "dir/b", "meta/c"}},
		"gzip":    {zipped.String(), nil, []string{"a", "dir/", "dir/b", "meta/c"}},
		"no dirs": {archive, []string{"X-Amz-Meta-Minio-Snowball-Ignore-Dirs: true"}, []string{"a", "dir/b", "meta/c"}},
		"prefix":  {archive, []string{"X-Amz-Meta-Minio-Snowball-Prefix: /p/q/"}, []string{"p/q/a", "p/q/dir/", "p/q/dir/b", "p/q/meta/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newSealedEnv(t)
			put := e.must(200, "PUT", "/bkt/archive.tar", row.body, append(row.headers, extract, "X-Amz-Server-Side-Encryption: AES256", "Content-Type: application/x-tar", "X-Amz-Storage-Class: STANDARD_IA")...)
			e.wantHeader(put, "Etag", quoteETag(md5Hex(row.body)))
			if got := e.keys("bkt"); !slices.Equal(got, row.keys) {
				t.Fatalf("keys %q, want %q", got, row.keys)
			}
			root := strings.TrimSuffix(row.keys[0], "a")
			for key, want := range map[string]string{"a": "two", "dir/b": large} {
				got := e.must(200, "GET", "/bkt/"+root+key, "")
				if got.body != want {
					t.Errorf("%s: %d bytes that differ", key, len(got.body))
				}
				e.wantHeader(got, "X-Amz-Server-Side-Encryption", "AES256")
				e.wantHeader(got, "X-Amz-Storage-Class", "STANDARD_IA")
				e.wantHeader(got, "Content-Type", "binary/octet-stream")
				e.wantHeader(got, "Etag", quoteETag(md5Hex(want)))
			}
			meta := e.must(200, "HEAD", "/bkt/"+root+"meta/c", "")
			for h, want := range map[string]string{"X-Amz-Meta-Color": "red", "Content-Type": "text/x", "X-Amz-Tagging-Count": "1", "X-Amz-Meta-Snowball-Auto-Extract": ""} {
				e.wantHeader(meta, h, want)
			}
		})
	}
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/archive.tar", archive, "X-Amz-Meta-Snowball-Auto-Extract: false")
	if got := e.keys("bkt"); !slices.Equal(got, []string{"archive.tar"}) {
		t.Errorf("an archive that is not to be extracted has become %q", got)
	}
}

// S-092: what is stored before an error is told, and nothing after it is stored.
func TestExtractErrors(t *testing.T) {
	big := lines(100_000)
	for _, row := range []struct {
		name, body   string
		status       int
		code         string
		done         string
		keys, ignore []string // what is stored, and what with errors ignored; nil when those end the extraction too
	}{
		{"traversal", packed(t, "a", "1", "../victim/x", "2", "b", "3"), 400, "InvalidArgument", "1", []string{"a"}, []string{"a", "b"}},
		{"long key", packed(t, "a", "1", strings.Repeat("x", 1025), "2", "b", "3"), 400, "KeyTooLongError", "1", []string{"a"}, []string{"a", "b"}},
		{"cut", packed(t, "a", "1", "b", big)[:3000], 400, "InvalidRequest", "1", []string{"a"}, nil},
		{"no archive", strings.Repeat("no archive", 200), 400, "InvalidRequest", "0", nil, nil},
		{"lz4", "\x04\x22\x4d\x18 and so on", 501, "NotImplemented", "0", nil, nil},
	} {
		e := newEnv(t)
		got := e.refused(row.status, row.code, "PUT", "/bkt/x.tar", row.body, extract)
		if got.element("Extracted") != row.done || !strings.Contains(got.element("Message"), "Stored before that: "+row.done) {
			t.Errorf("%s: %s", row.name, got.body)
		}
		if keys := e.keys("bkt"); !slices.Equal(keys, row.keys) {
			t.Errorf("%s: stored %q", row.name, keys)
		}
		e = newEnv(t)
		a := e.do("PUT", "/bkt/x.tar", row.body, extract, "X-Amz-Meta-Minio-Snowball-Ignore-Errors: true")
		if keys := e.keys("bkt"); (a.status == 200) != (row.ignore != nil) || row.ignore != nil && !slices.Equal(keys, row.ignore) {
			t.Errorf("%s, errors ignored: %d, stored %q", row.name, a.status, keys)
		}
	}
	e := newEnv(t)
	e.refused(501, "NotImplemented", "PUT", "/bkt/x.tar", packed(t, "a", "1"), extract, "If-None-Match: *")
	e.quota("bkt", 5)
	e.refused(400, errCodeQuota, "PUT", "/bkt/x.tar", packed(t, "a", "123", "b", "123"), extract)
	if keys := e.keys("bkt"); !slices.Equal(keys, []string{"a"}) {
		t.Errorf("beyond the quota: %q", keys)
	}
}

// TestExtractRights: each entry is authorised by its own key, and so is the archive by its.
func TestExtractRights(t *testing.T) {
	body := packed(t, "a", "1", "secret/b", "2", "meta/c", "3")
	for denied, want := range map[[2]string][]string{
		{"s3:PutObject", "secret/b"}: {"a"}, {"s3:PutObject", "x.tar"}: nil, {"s3:PutObjectTagging", "meta/c"}: {"a", "secret/b"},
	} {
		e := newEnv(t)
		e.iam.deny = func(r *iam.Request) bool { return r.Action == denied[0] && r.Key == denied[1] }
		e.refused(403, "AccessDenied", "PUT", "/bkt/x.tar", body, extract)
		if keys := e.keys("bkt"); !slices.Equal(keys, want) {
			t.Errorf("without %s: %q", denied, keys)
		}
	}
}

// S-032: a forged signature extracts nothing, in any form of body; nor does one whose body is another in its end.
func TestExtractForged(t *testing.T) {
	e := newEnv(t)
	body := packed(t, "pwn", "1")
	for _, sum := range []string{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"} {
		r := e.request("PUT", "/bkt/x.tar", body, extract, "X-Amz-Decoded-Content-Length: "+strconv.Itoa(len(body)))
		e.signer().SignHeader(r, sum, e.now)
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature=", "Signature=0", 1)[:len(r.Header.Get("Authorization"))])
		if a := e.send(r); a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", sum, a.status, a.body)
		}
	}
	if keys := e.keys("bkt"); len(keys) > 0 {
		t.Errorf("extracted %q", keys)
	}
}

func TestExtractEvents(t *testing.T) {
	e := newEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	listened := e.listen("/bkt?" + allEvents)
	e.must(200, "PUT", "/bkt/x.tar", packed(t, "a", "123", "b", "1"), extract)
	feed.Close()
	if got := told(listened()); !slices.Equal(got, []string{"s3:ObjectCreated:Put bkt/a 3", "s3:ObjectCreated:Put bkt/b 1"}) {
		t.Errorf("told %q", got)
	}
}
