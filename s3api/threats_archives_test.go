package s3api

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// archiveWith is an archive of one file, with records of its own.
func archiveWith(t testing.TB, name, content string, records map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: records})
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// recordsOf are headers as the records of an entry of an archive.
func recordsOf(headers []string) map[string]string {
	records := map[string]string{}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		records[recordHeader+name] = value
	}
	return records
}

// TestEntriesOfArchives (S-030, S-092): what an entry's own records say is taken as a header of a PutObject would be, and
// no other header can be had by them.
func TestEntriesOfArchives(t *testing.T) {
	for _, h := range []string{
		"X-Amz-Copy-Source: bkt/secret", "X-Amz-Rename-Source: secret", "X-Amz-Write-Offset-Bytes: 0", "X-Amz-Bypass-Governance-Retention: true", "X-Amz-Security-Token: x",
		"X-Amz-Date: 20300102T030405Z", "X-Amz-Expected-Bucket-Owner: 000000000009", "X-Amz-Mfa: 1 2", "X-Amz-Unheard-Of: x", "X-Amz-Checksum-Crc32: AAAAAA==", "Content-Md5: AAAA",
		"X-Amz-Content-Sha256: x", "X-Amz-Decoded-Content-Length: 9", "X-Amz-Trailer: x", "If-None-Match: *", "If-Match: x",
	} {
		e := newEnv(t)
		e.must(200, "PUT", "/bkt/secret", "secret")
		e.refused(501, "NotImplemented", "PUT", "/bkt/x.tar", archiveWith(t, "new", "x", recordsOf([]string{h})), extract)
		if keys := e.keys("bkt"); !slices.Equal(keys, []string{"secret"}) {
			t.Errorf("%s: stored %q", h, keys)
		}
	}
	e := newEnv(t)
	for _, h := range []string{"X-Amz-Meta-A: b\r\nSet-Cookie: c=d", "X-Amz-Meta-A: b\nc", "Content-Type: text/html\r\n\r\n<script>", "X-Amz-Meta-A B: c", "X-Amz-Meta-A\n: c", "X-Amz-Meta-A: \x00", "Cache-Control: \x7f"} {
		if got := e.do("PUT", "/bkt/x.tar", archiveWith(t, "new", "x", recordsOf([]string{h})), extract); got.status != 400 {
			t.Errorf("%q: %d %s", h, got.status, got.body)
		}
		if keys := e.keys("bkt"); len(keys) > 0 {
			t.Errorf("%q: stored %q", h, keys)
		}
	}
	// What servers of MinIO tell each other, or anybody's own, is nothing to a PutObject, and so nothing here.
	e.must(200, "PUT", "/bkt/x.tar", archiveWith(t, "new", "x", recordsOf([]string{"X-Minio-Internal-Server-Side-Encryption-Sealed-Key: x", "X-Minio-Source-Etag: 0", "Host: evil",
		"Authorization: x", "Content-Length: 5", "X-Amz-Meta-Color: red"})), extract)
	got := e.must(200, "GET", "/bkt/new", "")
	if got.body != "x" || got.Get("Etag") != quoteETag(md5Hex("x")) || got.Get("X-Amz-Meta-Color") != "red" {
		t.Errorf("%q %v", got.body, got.Header)
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "X-Minio") || name == "Authorization" {
			t.Errorf("answered with %s", name)
		}
	}
	// The name that counts is the one that is checked, whichever header of the archive has it.
	for _, name := range []string{"../victim/pwn", "/abs", "a/../../victim/pwn"} {
		for _, format := range []tar.Format{tar.FormatPAX, tar.FormatGNU, tar.FormatUSTAR} {
			for _, long := range []string{"", strings.Repeat("d/", 60)} {
				var b bytes.Buffer
				w := tar.NewWriter(&b)
				h := &tar.Header{Name: name + "/" + long + "f", Size: 1, Mode: 0o644, Typeflag: tar.TypeReg, Format: format}
				if format == tar.FormatPAX {
					h.PAXRecords = map[string]string{"comment": "so that there are records"}
				}
				if err := w.WriteHeader(h); err != nil {
					continue // a form that has no room for the name
				}
				w.Write([]byte("x"))
				w.Close()
				e.refused(400, "InvalidArgument", "PUT", "/bkt/x.tar", b.String(), extract)
			}
		}
	}
	if keys := e.keys("bkt"); !slices.Equal(keys, []string{"new"}) {
		t.Errorf("stored %q", keys)
	}
}

// TestChangedArchive (S-032, S-173): nothing is stored of an archive that somebody has changed on its way, be it signed as
// a whole or by chunks; what was signed in a chunk before the changed one is the sender's.
func TestChangedArchive(t *testing.T) {
	e := newEnv(t)
	signed, changed := packed(t, "a", "mine", "b", "mine"), packed(t, "a", "mine", "b", "evil")
	sum := sha256.Sum256([]byte(signed))
	send := func(body string, presigned bool) *answered {
		r := e.request("PUT", "/bkt/x.tar", body, extract)
		if presigned {
			r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
			e.signer().Presign(r, time.Hour, e.now)
		} else {
			e.signer().SignHeader(r, hex.EncodeToString(sum[:]), e.now)
		}
		return e.send(r)
	}
	for _, presigned := range []bool{false, true} {
		got := send(changed, presigned)
		if got.status != 400 || got.code() != "XAmzContentSHA256Mismatch" || got.element("Extracted") != "0" {
			t.Errorf("presigned %v: %d %s", presigned, got.status, got.body)
		}
		if keys := e.keys("bkt"); len(keys) > 0 {
			t.Errorf("presigned %v: stored %q", presigned, keys)
		}
	}
	large := packed(t, "big", strings.Repeat("x", maxProvenFirst))
	e.refused(400, "InvalidRequest", "PUT", "/bkt/x.tar", large, extract)
	if keys := e.keys("bkt"); len(keys) > 0 {
		t.Errorf("stored %q", keys)
	}
	if got := send(signed, false); got.status != 200 || len(e.keys("bkt")) != 2 {
		t.Errorf("the twin: %d %s", got.status, got.body)
	}
	tls := newSealedEnv(t)
	tls.must(200, "PUT", "/bkt/x.tar", large, extract)
	var wg sync.WaitGroup // more at a time than are proven at once
	for range 3 * provenAtOnce {
		wg.Go(func() {
			if got := send(signed, false); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if len(e.s.proving) > 0 {
		t.Error("a place is not given back")
	}
}
