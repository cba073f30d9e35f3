package madmin

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
)

// zipOf makes an archive of names and contents in turn.
func zipOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (s *server) importBuckets(query, archive string) (int, string) {
	s.t.Helper()
	return s.send(request{as: "objroot", method: put, path: "import-bucket-metadata", query: query, body: archive})
}

func TestImportBuckets(t *testing.T) {
	s, host := newHostServer(t)
	status, body := s.importBuckets("", zipOf(t,
		"b/policy.json", "p", "b/versioning.xml", "v", "b/quota.json", `{"quota":5,"quotatype":"hard"}`, "b/lifecycle.xml", "l", "b/replication.xml", "r", "b/", "",
		"new/object-lock.xml", "x", "new/cors.xml", "bad", "new/quota.json", `{"quota":5,"quotatype":"fifo"}`, "new/policy.json", "p",
		"Bad/policy.json", "p"))
	if status != http.StatusOK {
		t.Fatal(status, body)
	}
	var r importReport
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	b, n := r.Buckets["b"], r.Buckets["new"]
	set := fileReport{IsSet: true}
	if b.Policy != set || b.Versioning != set || b.Quota != set || b.Tagging != (fileReport{}) || !b.Lifecycle.IsSet || !strings.Contains(b.Lifecycle.Error, "not implemented") ||
		!strings.Contains(b.Error, "replication.xml: replication.xml is not implemented") {
		t.Errorf("b: %+v", b)
	}
	if got := fmt.Sprint(host.files["b"]); host.quotas["b"] != 5 || got != fmt.Sprint([]BucketFile{{"versioning.xml", []byte("v")}, {"policy.json", []byte("p")}}) {
		t.Errorf("b has %s and a quota of %d", got, host.quotas["b"])
	}
	if !host.locked || n.Policy != set || n.CORS.Error != "malformed" || n.Error != "cors.xml: malformed" || !strings.Contains(n.Quota.Error, "hard") || !n.ObjectLock.IsSet || n.ObjectLock.Error == "" {
		t.Errorf("new: %+v", n)
	}
	if r.Buckets["Bad"].Error != "bad name" {
		t.Errorf("Bad: %+v", r.Buckets["Bad"])
	}
	if status, body = s.importBuckets("bucket=b", zipOf(t, "b/policy.json", "q", "other/policy.json", "p")); status != 200 || !strings.Contains(body, "the request is for b") || len(host.files["other"]) != 0 {
		t.Errorf("one bucket: %d %s", status, body)
	}
	if status, body = s.importBuckets("", zipOf(t, "b/policy.json", "failing")); status != 500 || strings.Contains(body, "detail") {
		t.Errorf("a failure of the server: %d %s", status, body)
	}
}

// TestHostileArchives is S-246 and S-123: an archive that is not what it should be is refused as a whole, and
// read within limits.
func TestHostileArchives(t *testing.T) {
	s, host := newHostServer(t)
	many := make([]string, 0, 2*maxArchiveFiles+2)
	for i := range maxArchiveFiles + 1 {
		many = append(many, fmt.Sprintf("b/f%d", i), "")
	}
	var heavy []string
	for i := range maxArchiveContent/maxArchiveFile + 1 {
		heavy = append(heavy, fmt.Sprintf("b/f%d", i), strings.Repeat("0", maxArchiveFile))
	}
	good := zipOf(t, "b/policy.json", "policy that is stored")
	for name, archive := range map[string]string{
		"empty": "", "no zip": "PK", "cut": good[:len(good)-10], "text": strings.Repeat("x", 1000),
		"no bucket": zipOf(t, "policy.json", "p"), "root": zipOf(t, "/b/policy.json", "p"), "up": zipOf(t, "../b/policy.json", "p"), "up from b": zipOf(t, "b/../c/policy.json", "p"),
		"dots": zipOf(t, "../policy.json", "p"), "dots behind": zipOf(t, "b/..", "p"), "dot": zipOf(t, "./policy.json", "p"), "backslash": zipOf(t, `b\policy.json`, "p"),
		"backslash behind": zipOf(t, `b/..\policy.json`, "p"), "drive": zipOf(t, "C:/policy.json", "p"), "NUL": zipOf(t, "b/policy.json\x00.txt", "p"), "deep": zipOf(t, "b/c/policy.json", "p"),
		"twice": zipOf(t, "b/policy.json", "p", "b/policy.json", "q"), "empty twice": zipOf(t, "b/policy.json", "", "b/policy.json", ""),
		"one good": zipOf(t, "b/policy.json", "p", "x", ""), "link": linkZip(t),
		"large file": zipOf(t, "b/policy.json", strings.Repeat("0", maxArchiveFile+1)), "lying length": lyingZip(t), "many files": zipOf(t, many...), "large together": zipOf(t, heavy...),
		"damaged": strings.Replace(storedZip(t, "b/policy.json", "content"), "content", "CONTENT", 1),
	} {
		if status, body := s.importBuckets("", archive); status != http.StatusBadRequest || !strings.Contains(body, "XMinioAdminInvalidArgument") {
			t.Errorf("%s: %d %.200s", name, status, body)
		}
	}
	if status, body := s.importBuckets("", good+strings.Repeat("x", maxArchive)); status != http.StatusBadRequest {
		t.Errorf("a large archive: %d %.200s", status, body)
	}
	if len(host.files) != 0 || len(host.quotas) != 1 {
		t.Errorf("a refused archive has an effect: %v %v", host.files, host.quotas)
	}
	if status, body := s.importBuckets("", zipOf(t)); status != http.StatusOK || body != `{"buckets":{}}` {
		t.Errorf("an archive of nothing: %d %s", status, body)
	}
}

// linkZip has a symbolic link.
func linkZip(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "b/policy.json"}
	h.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	w, err := z.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "/etc/passwd")
	z.Close()
	return b.String()
}

func storedZip(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, content)
	z.Close()
	return b.String()
}

// lyingZip has a file that is longer than its header says.
func lyingZip(t *testing.T) string {
	t.Helper()
	var packed bytes.Buffer
	content := bytes.Repeat([]byte{'0'}, maxArchiveFile+100)
	honest, err := zip.NewReader(strings.NewReader(zipOf(t, "x", string(content))), int64(len(zipOf(t, "x", string(content)))))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := honest.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(&packed, raw)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "b/policy.json", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(packed.Len()), UncompressedSize64: 10})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(packed.Bytes())
	z.Close()
	return b.String()
}

func TestExportBuckets(t *testing.T) {
	s, host := newHostServer(t)
	host.files["a"], host.files["b"] = []BucketFile{{"policy.json", []byte("pa")}}, []BucketFile{{"policy.json", []byte("pb")}, {"cors.xml", []byte("cb")}}
	host.quotas["a"], host.quotas["b"] = 0, 7
	export := func(query string) string {
		t.Helper()
		status, body := s.send(request{as: "objroot", method: get, path: "export-bucket-metadata", query: query})
		if status != http.StatusOK {
			t.Fatal(status, body)
		}
		files, err := readArchive([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s", files)
	}
	b := `b:map[cors.xml:cb policy.json:pb quota.json:{"quota":7,"size":7,"rate":0,"requests":0,"quotatype":"hard"}]`
	if got, want := export("bucket="), "map[a:map[policy.json:pa] "+b+"]"; got != want {
		t.Errorf("all: %s, want %s", got, want)
	}
	if got, want := export("bucket=b"), "map["+b+"]"; got != want {
		t.Errorf("one: %s, want %s", got, want)
	}
	if status, body := s.send(request{as: "objroot", method: get, path: "export-bucket-metadata", query: "bucket=x"}); status != http.StatusNotFound {
		t.Errorf("no such bucket: %d %s", status, body)
	}
}

// FuzzArchive: whatever an archive is, what is read of it is within the limits and named BUCKET/SETTING.
func FuzzArchive(f *testing.F) {
	f.Add([]byte("PK"))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, _ := z.Create("b/policy.json")
	io.WriteString(w, "p")
	z.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := readArchive(data)
		if err != nil {
			return
		}
		total := 0
		for bucket, list := range files {
			for name, content := range list {
				if total += len(content); strings.ContainsAny(bucket+name, "/\\\x00") || len(content) > maxArchiveFile || content == nil {
					t.Errorf("%q %q of %d bytes", bucket, name, len(content))
				}
			}
		}
		if total > maxArchiveContent {
			t.Errorf("%d bytes", total)
		}
	})
}
