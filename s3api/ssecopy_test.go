package s3api

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// noted counts what a backend is asked to copy by itself.
type noted struct {
	storage.Backend
	shared *int
}

func copiesNoted(n *int) func(*Config) {
	return func(c *Config) { c.Backend = noted{c.Backend, n} }
}

// TestCopyModes copies from each way to keep an object to each, whole, a part and onto itself.
func TestCopyModes(t *testing.T) {
	e := newSealedEnv(t)
	content := lines(200_000)
	for _, from := range sseModes() {
		for _, to := range sseModes() {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				e := e.at(t)
				put := e.must(200, "PUT", "/bkt/source", content, from.write...)
				headers := slices.Concat(to.write, from.source, []string{"X-Amz-Copy-Source: bkt/source"})
				cp := e.must(200, "PUT", "/bkt/copy", "", headers...)
				e.wantHeader(cp, "X-Amz-Server-Side-Encryption", to.told)
				e.reads("copy", content, to)
				if strings.Contains(cp.element("ETag"), md5Hex(content)) != to.md5 {
					t.Errorf("ETag %s", cp.element("ETag"))
				}
				if to.name != "plain" && bytes.Contains(e.content("copy"), []byte("readable")) {
					t.Error("the copy lies in the clear")
				}
				// A part of the source as a part of an upload.
				id := e.must(200, "POST", "/bkt/joined?uploads", "", to.write...).element("UploadId")
				part := e.must(200, "PUT", "/bkt/joined?partNumber=3&uploadId="+id, "", slices.Concat(headers, []string{"X-Amz-Copy-Source-Range: bytes=70000-170000"}, dropSealing(to.write))[len(to.write):]...)
				e.wantHeader(part, "X-Amz-Server-Side-Encryption", to.told)
				e.complete("joined", id, 3, part.element("ETag"))
				e.reads("joined", content[70000:170001], to)
				if to.name != "plain" && bytes.Contains(e.content("joined"), []byte("readable")) {
					t.Error("the copied part lies in the clear")
				}
				// Onto itself, which is how keys are changed, and a customer's encryption is ended.
				if to.name != "plain" || from.source != nil {
					e.must(200, "PUT", "/bkt/source", "", headers...)
					e.reads("source", content, to)
				}
				if from.name == "plain" {
					e.wantHeader(put, "X-Amz-Server-Side-Encryption", "")
				}
			})
		}
	}
}

// dropSealing leaves the headers that a part takes: those of a customer's key.
func dropSealing(headers []string) []string {
	return slices.DeleteFunc(slices.Clone(headers), func(h string) bool { return !strings.Contains(h, "-Customer-") })
}

// reads checks the content of a key.
func (e *env) reads(key, content string, m sseMode) {
	e.t.Helper()
	a := e.must(200, "GET", "/bkt/"+key, "", m.read...)
	if a.body != content {
		e.t.Fatalf("%s: %d bytes of %d", key, len(a.body), len(content))
	}
	e.wantHeader(a, "X-Amz-Server-Side-Encryption", m.told)
}

// complete ends an upload of one part.
func (e *env) complete(key, id string, number int, etag string) *answered {
	e.t.Helper()
	return e.must(200, "POST", "/bkt/"+key+"?uploadId="+id, fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", number, etag))
}

// CopyObject implements storage.Backend.
func (n noted) CopyObject(ctx context.Context, in storage.CopyInput) (*storage.Object, error) {
	*n.shared++
	return n.Backend.CopyObject(ctx, in)
}

// TestCopyShares leaves the content where it lies when the copy can have it so.
func TestCopyShares(t *testing.T) {
	var shared int
	e := newSealedEnv(t, copiesNoted(&shared))
	content := lines(100_000)
	want := map[string]bool{"plain to plain": true, "s3 to s3": true, "s3 to kms": true, "s3 to kms second": true, "s3 to c": true, "s3 to c another": true}
	for _, from := range sseModes() {
		for _, to := range sseModes() {
			name := from.name + " to " + to.name
			hides := func(m sseMode) bool { return !m.md5 }
			e.must(200, "PUT", "/bkt/source", content, from.write...)
			shared = 0
			e.must(200, "PUT", "/bkt/copy", "", slices.Concat(to.write, from.source, []string{"X-Amz-Copy-Source: bkt/source"})...)
			if w := want[name] || hides(from) && hides(to); (shared == 1) != w {
				t.Errorf("%s: shared %v, want %v", name, shared == 1, w)
			}
			e.reads("copy", content, to)
		}
	}
}

// TestMultipartModes uploads parts, out of order and of odd numbers, and reads across them.
func TestMultipartModes(t *testing.T) {
	e := newSealedEnv(t)
	parts := []string{lines(minPartSize), lines(minPartSize + 70_001)[1:], lines(10)}
	whole := strings.Join(parts, "")
	for _, m := range sseModes() {
		t.Run(m.name, func(t *testing.T) {
			e := e.at(t)
			begun := e.must(200, "POST", "/bkt/k?uploads", "", m.write...)
			e.wantHeader(begun, "X-Amz-Server-Side-Encryption", m.told)
			id := begun.element("UploadId")
			var doc strings.Builder
			for i, p := range parts {
				a := e.must(200, "PUT", fmt.Sprintf("/bkt/k?partNumber=%d&uploadId=%s", 2*i+1, id), p, append(dropSealing(m.write), "Content-Md5: "+sumOf("MD5", p))...)
				e.wantHeader(a, "X-Amz-Server-Side-Encryption", m.told)
				if (a.Get("Etag") == quoteETag(md5Hex(p))) != m.md5 {
					t.Errorf("part's ETag %s", a.Get("Etag"))
				}
				fmt.Fprintf(&doc, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", 2*i+1, a.Get("Etag"))
			}
			list := e.must(200, "GET", "/bkt/k?uploadId="+id, "", dropSealing(m.write)...)
			if !strings.Contains(list.body, fmt.Sprint("<Size>", len(parts[1]), "</Size>")) {
				t.Errorf("parts: %s", list.body)
			}
			done := e.must(200, "POST", "/bkt/k?uploadId="+id, "<CompleteMultipartUpload>"+doc.String()+"</CompleteMultipartUpload>", dropSealing(m.write)...)
			e.wantHeader(done, "X-Amz-Server-Side-Encryption", m.told)
			e.reads("k", whole, m)
			at := len(parts[0])
			for _, r := range [][2]int{{at - 5, at + 5}, {at, at}, {len(whole) - 11, len(whole) - 1}, {10, len(whole) - 3}} {
				a := e.must(206, "GET", "/bkt/k", "", append(m.read, fmt.Sprintf("Range: bytes=%d-%d", r[0], r[1]))...)
				if a.body != whole[r[0]:r[1]+1] {
					t.Errorf("range %v differs", r)
				}
			}
			if a := e.must(206, "GET", "/bkt/k?partNumber=2", "", m.read...); a.body != parts[1] {
				t.Error("part 2 differs")
			}
			if m.name != "plain" && bytes.Contains(e.content("k"), []byte("readable")) {
				t.Error("the content lies in the clear")
			}
			// The copy of an object of parts reads across them too, whole and flattened by another checksum.
			for _, checksum := range []string{"", "X-Amz-Checksum-Algorithm: SHA256"} {
				headers := slices.Concat(m.write, m.source, []string{"X-Amz-Copy-Source: bkt/k"})
				if checksum != "" {
					headers = append(headers, checksum)
				}
				e.must(200, "PUT", "/bkt/copy", "", headers...)
				e.reads("copy", whole, m)
			}
		})
	}
}

// TestPartKeys: parts of an upload with a customer's key need that key, and parts of others take none.
func TestPartKeys(t *testing.T) {
	e := newSealedEnv(t)
	id := e.must(200, "POST", "/bkt/k?uploads", "", withCustomer(1)...).element("UploadId")
	e.must(200, "PUT", "/bkt/source", "x")
	for name, headers := range map[string][]string{"no key": nil, "another key": withCustomer(2)} {
		if a := e.refused(400, "InvalidRequest", "PUT", "/bkt/k?partNumber=1&uploadId="+id, "x", headers...); a.body == "" {
			t.Error(name)
		}
		e.refused(400, "InvalidRequest", "PUT", "/bkt/k?partNumber=1&uploadId="+id, "", append(headers, "X-Amz-Copy-Source: bkt/source")...)
	}
	part := e.must(200, "PUT", "/bkt/k?partNumber=1&uploadId="+id, "x", withCustomer(1)...)
	complete := fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", part.Get("Etag"))
	e.refused(400, "InvalidRequest", "POST", "/bkt/k?uploadId="+id, complete, withCustomer(2)...)
	e.refused(400, "InvalidRequest", "GET", "/bkt/k?uploadId="+id, "", withCustomer(2)...)
	e.must(200, "POST", "/bkt/k?uploadId="+id, complete)
	// With a checksum algorithm the key is needed to the end.
	id = e.must(200, "POST", "/bkt/k2?uploads", "", append(withCustomer(1), "X-Amz-Checksum-Algorithm: CRC32")...).element("UploadId")
	part = e.must(200, "PUT", "/bkt/k2?partNumber=1&uploadId="+id, "x", withCustomer(1)...)
	complete = fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", part.Get("Etag"))
	e.refused(400, "InvalidRequest", "POST", "/bkt/k2?uploadId="+id, complete)
	e.must(200, "POST", "/bkt/k2?uploadId="+id, complete, withCustomer(1)...)
	e.must(400, "HEAD", "/bkt/k", "")
	e.must(200, "HEAD", "/bkt/k", "", withCustomer(1)...)
	for i, m := range sseModes()[:4] {
		id := e.must(200, "POST", "/bkt/k?uploads", "", m.write...).element("UploadId")
		e.refused(400, "InvalidRequest", "PUT", "/bkt/k?partNumber=1&uploadId="+id, "x", withCustomer(1)...)
		// What was asked for may be repeated, anything else is refused.
		for j, other := range sseModes()[1:4] {
			a := e.do("PUT", "/bkt/k?partNumber=1&uploadId="+id, "x", other.write...)
			if ok := i == j+1 || i == 3 && j+1 == 2; (a.status == 200) != ok || !ok && a.code() != "InvalidRequest" {
				t.Errorf("part with %s of an upload with %s: %d %s", other.name, m.name, a.status, a.body)
			}
		}
	}
}
