package s3api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

func atOffset(n int) string { return "X-Amz-Write-Offset-Bytes: " + strconv.Itoa(n) }

func TestAppend(t *testing.T) {
	e := newEnv(t)
	const whole = "first, second and third"
	a := e.must(200, "PUT", "/bkt/log", whole[:7], atOffset(0), "Content-Type: text/x", "X-Amz-Meta-A: b", "X-Amz-Tagging: k=v")
	e.wantHeader(a, "X-Amz-Object-Size", "7")
	e.wantHeader(a, "Etag", quoteETag(md5Hex(whole[:7])))
	etags := []string{a.Get("Etag")}
	for _, piece := range [][2]int{{7, 17}, {17, len(whole)}} {
		text := whole[piece[0]:piece[1]]
		a := e.must(200, "PUT", "/bkt/log", text, atOffset(piece[0]), "Content-Type: application/octet-stream", "X-Amz-Checksum-Crc64nvme: "+sumOf("CRC64NVME", text))
		e.wantHeader(a, "X-Amz-Object-Size", strconv.Itoa(piece[1]))
		e.wantHeader(a, "X-Amz-Checksum-Crc64nvme", sumOf("CRC64NVME", whole[:piece[1]]))
		e.wantHeader(a, "X-Amz-Checksum-Type", "FULL_OBJECT")
		etags = append(etags, a.Get("Etag"))
	}
	if slices.Sort(etags); len(slices.Compact(etags)) != 3 {
		t.Errorf("ETags %q", etags)
	}
	got := e.must(200, "GET", "/bkt/log", "", "X-Amz-Checksum-Mode: ENABLED")
	if got.body != whole {
		t.Errorf("content %q", got.body)
	}
	for name, want := range map[string]string{"Content-Type": "text/x", "X-Amz-Meta-A": "b", "X-Amz-Tagging-Count": "1", "X-Amz-Checksum-Crc64nvme": sumOf("CRC64NVME", whole)} {
		e.wantHeader(got, name, want)
	}
	if !strings.HasSuffix(got.Get("Etag"), `-3"`) {
		t.Errorf("ETag %s", got.Get("Etag"))
	}
	list := e.must(200, "GET", "/bkt?list-type=2", "")
	if list.element("Size") != strconv.Itoa(len(whole)) || !strings.Contains(list.element("ETag"), strings.Trim(got.Get("Etag"), `"`)) {
		t.Errorf("listed as %s", list.body)
	}
}

func TestAppendRefused(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	e.bucket("sus", storage.VersioningSuspended)
	e.must(200, "PUT", "/bkt/k", "12345", "X-Amz-Checksum-Crc32: "+sumOf("CRC32", "12345"))
	e.must(200, "PUT", "/bkt/sha", "12345", "X-Amz-Checksum-Sha256: "+sumOf("SHA256", "12345"))
	for _, row := range []struct {
		status         int
		code, key, off string
		headers        []string
		body           string
	}{
		{400, "InvalidWriteOffset", "bkt/k", "4", nil, "x"},
		{400, "InvalidWriteOffset", "bkt/k", "0", nil, "x"},
		{400, "InvalidWriteOffset", "bkt/k", "6", nil, "x"},
		{400, "InvalidWriteOffset", "bkt/none", "1", nil, "x"},
		{400, "InvalidArgument", "bkt/k", "-1", nil, "x"},
		{400, "InvalidArgument", "bkt/k", "", nil, "x"},
		{400, "InvalidArgument", "bkt/k", "5x", nil, "x"},
		{400, "InvalidArgument", "bkt/k", "99999999999999999999", nil, "x"},
		{400, "InvalidRequest", "bkt/k", "5", nil, ""},
		{400, "InvalidRequest", "bkt/none", "0", nil, ""},
		{400, "InvalidRequest", "bkt/k", "5", []string{"X-Amz-Meta-A: b"}, "x"},
		{400, "InvalidRequest", "bkt/k", "5", []string{"X-Amz-Tagging: a=b"}, "x"},
		{400, "InvalidRequest", "bkt/k", "5", []string{"X-Amz-Storage-Class: STANDARD_IA"}, "x"},
		{400, "InvalidRequest", "bkt/k", "5", []string{"X-Amz-Checksum-Crc32c: " + sumOf("CRC32C", "x")}, "x"},
		{400, "BadDigest", "bkt/k", "5", []string{"X-Amz-Checksum-Crc32: " + sumOf("CRC32", "y")}, "x"},
		{400, "InvalidRequest", "bkt/sha", "5", nil, "x"},
		{412, "PreconditionFailed", "bkt/k", "5", []string{"If-None-Match: *"}, "x"},
		{412, "PreconditionFailed", "bkt/k", "5", []string{"If-Match: other"}, "x"},
		{404, "NoSuchKey", "bkt/none", "0", []string{"If-Match: *"}, "x"},
		{404, "NoSuchBucket", "nobkt/k", "0", nil, "x"},
		{501, "NotImplemented", "ver/k", "0", nil, "x"},
		{501, "NotImplemented", "sus/k", "0", nil, "x"},
	} {
		a := e.do("PUT", "/"+row.key, row.body, append(row.headers, "X-Amz-Write-Offset-Bytes: "+row.off)...)
		if a.status != row.status || a.code() != row.code {
			t.Errorf("%s at %q %q: %d %s", row.key, row.off, row.headers, a.status, a.body)
		}
	}
	for key, want := range map[string]string{"k": "12345", "sha": "12345"} {
		if got := e.must(200, "GET", "/bkt/"+key, ""); got.body != want {
			t.Errorf("refused appends have made %q of %s", got.body, key)
		}
	}
	e.must(404, "HEAD", "/bkt/none", "")
	e.quota("bkt", 11)
	e.refused(400, errCodeQuota, "PUT", "/bkt/k", "xx", atOffset(5))
	e.must(200, "PUT", "/bkt/k", "x", atOffset(5))
}

// TestAppendSealed appends to objects in every form that they are kept in.
func TestAppendSealed(t *testing.T) {
	for _, m := range sseModes() {
		for _, shrink := range []bool{false, true} {
			t.Run(fmt.Sprint(m.name, shrink), func(t *testing.T) {
				e := newSealedEnv(t, func(c *Config) { c.Compression = Compression{Enabled: shrink, Encrypted: true} })
				text := lines(300_000)
				e.must(200, "PUT", "/bkt/k", text[:100_000], m.write...)
				pieces := []int{100_000, 100_010, 230_000, 300_000}
				for i := range pieces[1:] {
					a := e.must(200, "PUT", "/bkt/k", text[pieces[i]:pieces[i+1]], append(m.read, atOffset(pieces[i]))...)
					e.wantHeader(a, "X-Amz-Server-Side-Encryption", m.told)
				}
				got := e.must(200, "GET", "/bkt/k", "", append(m.read, "X-Amz-Checksum-Mode: ENABLED")...)
				if got.body != text {
					t.Fatalf("%d bytes that differ", len(got.body))
				}
				e.wantHeader(got, "X-Amz-Checksum-Crc64nvme", sumOf("CRC64NVME", text))
				part := e.must(206, "GET", "/bkt/k", "", append(m.read, "Range: bytes=99990-230010")...)
				if part.body != text[99990:230011] {
					t.Error("a range across pieces differs")
				}
				if (m.name != "plain" || shrink) && strings.Contains(string(e.content("k")), text[:200]) {
					t.Error("the content lies as it was sent")
				}
				e.must(200, "PUT", "/bkt/copy", "", append(append(m.write, m.source...), "X-Amz-Copy-Source: bkt/k")...)
				if got := e.must(200, "GET", "/bkt/copy", "", m.read...); got.body != text {
					t.Error("a copy differs")
				}
			})
		}
	}
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/plain", "x")
	e.must(200, "PUT", "/bkt/s3", "x", "X-Amz-Server-Side-Encryption: AES256")
	e.must(200, "PUT", "/bkt/c", "x", withCustomer(1)...)
	e.refused(400, "EncryptionTypeMismatch", "PUT", "/bkt/plain", "y", atOffset(1), "X-Amz-Server-Side-Encryption: AES256")
	e.refused(400, "EncryptionTypeMismatch", "PUT", "/bkt/s3", "y", atOffset(1), "X-Amz-Server-Side-Encryption: aws:kms")
	e.refused(400, "InvalidRequest", "PUT", "/bkt/c", "y", atOffset(1))
	e.refused(403, "AccessDenied", "PUT", "/bkt/c", "y", append(withCustomer(2), atOffset(1))...)
	e.must(200, "PUT", "/bkt/s3", "y", atOffset(1), "X-Amz-Server-Side-Encryption: AES256")
}

// TestAppendUpload appends to an object of parts: what is added is one more.
func TestAppendUpload(t *testing.T) {
	e := newEnv(t)
	big := strings.Repeat("0123456789", 600_000)
	id := e.create("/bkt/mp")
	p := e.must(200, "PUT", "/bkt/mp?partNumber=1&uploadId="+id, big)
	e.must(200, "POST", "/bkt/mp?uploadId="+id, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+strings.Trim(p.Get("Etag"), `"`)+"</ETag></Part></CompleteMultipartUpload>")
	e.must(200, "PUT", "/bkt/mp", "tail", atOffset(len(big)))
	got := e.must(206, "GET", "/bkt/mp?partNumber=2", "")
	if got.body != "tail" || got.Get("X-Amz-Mp-Parts-Count") != "2" {
		t.Errorf("part 2 of %s is %q", got.Get("X-Amz-Mp-Parts-Count"), got.body)
	}
	if got := e.must(200, "GET", "/bkt/mp", ""); got.body != big+"tail" {
		t.Error("content differs")
	}
}
