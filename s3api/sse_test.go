package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// lines makes content in which every stretch tells where it is.
func lines(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %08d of content that must not be readable\n", i)
	}
	return b.String()[:n]
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// S-109: what is asked to be encrypted is, in every mode and size, and reads as it was.
func TestSealedObjects(t *testing.T) {
	e := newSealedEnv(t)
	for _, m := range sseModes() {
		for _, size := range []int{0, 1, 5000, 64 << 10, 64<<10 + 1, 300_000} {
			t.Run(fmt.Sprint(m.name, " ", size), func(t *testing.T) {
				e := e.at(t)
				content := lines(size)
				put := e.must(200, "PUT", "/bkt/k", content, slices.Concat(m.write, []string{"X-Amz-Checksum-Crc32c: " + sumOf("CRC32C", content)})...)
				e.wantHeader(put, "X-Amz-Server-Side-Encryption", m.told)
				if (put.Get("Etag") == quoteETag(md5Hex(content))) != m.md5 {
					t.Errorf("ETag %s", put.Get("Etag"))
				}
				got := e.must(200, "GET", "/bkt/k", "", append(m.read, "X-Amz-Checksum-Mode: ENABLED")...)
				if got.body != content {
					t.Fatalf("%d bytes of %d", len(got.body), size)
				}
				e.wantHeader(got, "X-Amz-Server-Side-Encryption", m.told)
				e.wantHeader(got, "X-Amz-Checksum-Crc32c", sumOf("CRC32C", content))
				head := e.must(200, "HEAD", "/bkt/k", "", m.read...)
				e.wantHeader(head, "Content-Length", strconv.Itoa(size))
				e.wantHeader(head, "Etag", put.Get("Etag"))
				for _, r := range [][2]int{{0, 0}, {3, 70}, {size / 2, size/2 + 9}, {65535, 65537}, {size - 1, size - 1}} {
					if r[0] < 0 || r[1] >= size {
						continue
					}
					a := e.must(206, "GET", "/bkt/k", "", append(m.read, fmt.Sprintf("Range: bytes=%d-%d", r[0], r[1]))...)
					if a.body != content[r[0]:r[1]+1] {
						t.Errorf("range %v: %q", r, a.body)
					}
					e.wantHeader(a, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", r[0], r[1], size))
				}
				list := e.must(200, "GET", "/bkt?list-type=2", "")
				if list.element("Size") != strconv.Itoa(size) {
					t.Errorf("listed with %s bytes", list.element("Size"))
				}
				attributes := e.must(200, "GET", "/bkt/k?attributes", "", append(m.read, "X-Amz-Object-Attributes: ObjectSize,ETag")...)
				if attributes.element("ObjectSize") != strconv.Itoa(size) {
					t.Errorf("attributes: %s", attributes.body)
				}
				use, err := e.s.Backend.Usage(t.Context(), "bkt")
				if err != nil || use.Bytes != int64(size) {
					t.Errorf("usage %d, %v", use.Bytes, err)
				}
				if stored := e.content("k"); m.name != "plain" && size >= 5000 && bytes.Contains(stored, []byte("readable")) {
					t.Error("the content lies in the clear")
				}
			})
		}
	}
}

// TestKMSAnswers tells the name of the key, and takes it in the forms that clients have.
func TestKMSAnswers(t *testing.T) {
	e := newSealedEnv(t)
	const kms, id = "X-Amz-Server-Side-Encryption: aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	for asked, told := range map[string]string{"": "objsrv-default", "second": "second", "arn:aws:kms:second": "second", "arn:aws:kms:us-east-1:000000000001:key/second": "second"} {
		headers := []string{kms, "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled: true"}
		if asked != "" {
			headers = append(headers, id+": "+asked)
		}
		for _, a := range []*answered{e.must(200, "PUT", "/bkt/k", "x", headers...), e.must(200, "GET", "/bkt/k", ""), e.must(200, "HEAD", "/bkt/k", "")} {
			e.wantHeader(a, id, told)
			e.wantHeader(a, "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
		}
	}
	e.refused(400, "KMS.NotFoundException", "PUT", "/bkt/k2", "x", kms, id+": third")
	e.refused(400, "KMS.NotFoundException", "PUT", "/bkt/k2", "x", kms, id+": ../third")
	e.refused(400, "KMS.NotFoundException", "POST", "/bkt/k2?uploads", "", kms, id+": third")
	e.must(404, "HEAD", "/bkt/k2", "")
}

func TestSealingRefused(t *testing.T) {
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/plain", "x")
	const sse = "X-Amz-Server-Side-Encryption"
	c := withCustomer(1)
	for name, row := range map[string]struct {
		status  int
		code    string
		headers []string
	}{
		"unknown":              {400, "InvalidArgument", []string{sse + ": aes:kms"}},
		"empty":                {400, "InvalidArgument", []string{sse + ":"}},
		"two layers":           {501, "NotImplemented", []string{sse + ": aws:kms:dsse"}},
		"key without kms":      {400, "InvalidArgument", []string{sse + "-Aws-Kms-Key-Id: second"}},
		"key with s3":          {400, "InvalidArgument", []string{sse + ": AES256", sse + "-Aws-Kms-Key-Id: second"}},
		"context without kms":  {400, "InvalidArgument", []string{sse + "-Context: e30="}},
		"context no base64":    {400, "InvalidArgument", []string{sse + ": aws:kms", sse + "-Context: {}"}},
		"context no strings":   {400, "InvalidArgument", []string{sse + ": aws:kms", sse + "-Context: eyJhIjoxfQ=="}},
		"bucket key":           {400, "InvalidArgument", []string{sse + ": aws:kms", sse + "-Bucket-Key-Enabled: yes"}},
		"both":                 {400, "InvalidArgument", append(c, sse+": AES256")},
		"c, no key":            {400, "InvalidArgument", []string{c[0], c[2]}},
		"c, no MD5":            {400, "InvalidArgument", c[:2]},
		"c, no algorithm":      {400, "InvalidArgument", c[1:]},
		"c, other algorithm":   {400, "InvalidArgument", []string{sse + "-Customer-Algorithm: AES128", c[1], c[2]}},
		"c, MD5 of another":    {400, "InvalidArgument", []string{c[0], c[1], withCustomer(2)[2]}},
		"c, MD5 of no form":    {400, "InvalidArgument", []string{c[0], c[1], sse + "-Customer-Key-MD5: x"}},
		"c, short key":         {400, "InvalidArgument", []string{c[0], sse + "-Customer-Key: c2hvcnQ=", c[2]}},
		"c, key of no base64":  {400, "InvalidArgument", []string{c[0], sse + "-Customer-Key: ***", c[2]}},
		"copy source's of put": {501, "NotImplemented", fromCustomer(1)},
	} {
		for _, target := range []string{"PUT /bkt/new", "POST /bkt/new?uploads"} {
			method, path, _ := strings.Cut(target, " ")
			a := e.refused(row.status, row.code, method, path, "", row.headers...)
			if strings.Contains(a.body, "c2hvcnQ") || strings.Contains(a.body, "AQEBAQEB") {
				t.Errorf("%s: the answer shows the key: %s", name, a.body)
			}
		}
	}
	e.must(404, "HEAD", "/bkt/new", "")
	for _, h := range []string{sse + ": AES256", sse + ": aws:kms", sse + "-Aws-Kms-Key-Id: second"} {
		e.refused(400, "InvalidArgument", "GET", "/bkt/plain", "", h)
		e.must(400, "HEAD", "/bkt/plain", "", h)
	}
}

// S-039, S-040: without the customer's key, or with another, nothing of an object is told, be it empty.
func TestCustomerKeyNeeded(t *testing.T) {
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/plain", "x")
	for _, size := range []int{0, 10, 100_000} {
		content := lines(size)
		put := e.must(200, "PUT", "/bkt/k", content, withCustomer(1)...)
		e.wantHeader(put, "X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256")
		if put.Get("X-Amz-Server-Side-Encryption-Customer-Key-Md5") == "" {
			t.Error("the answer does not tell the key's MD5")
		}
		marker := "X-Minio-Source-Replication-Request: true"
		etag := "If-None-Match: " + put.Get("Etag")
		for _, row := range []struct {
			status int
			code   string
			with   []string
		}{
			{400, "InvalidRequest", nil}, {400, "InvalidRequest", []string{marker}}, {400, "InvalidRequest", []string{etag}},
			{403, "AccessDenied", withCustomer(2)}, {403, "AccessDenied", append(withCustomer(2), marker)}, {403, "AccessDenied", append(withCustomer(2), etag)},
		} {
			for _, a := range []*answered{
				e.refused(row.status, row.code, "GET", "/bkt/k", "", row.with...),
				e.must(row.status, "HEAD", "/bkt/k", "", row.with...),
				e.refused(row.status, row.code, "GET", "/bkt/k?attributes", "", append(row.with, "X-Amz-Object-Attributes: ETag,ObjectSize")...),
			} {
				if a.Get("Etag") != "" || a.Get("Last-Modified") != "" {
					t.Errorf("%d bytes, %q: refused, but told %v", size, row.with, a.Header)
				}
			}
		}
		for code, with := range map[string][]string{"InvalidRequest": nil, "AccessDenied": fromCustomer(2)} {
			status := map[string]int{"InvalidRequest": 400, "AccessDenied": 403}[code]
			e.refused(status, code, "PUT", "/bkt/copy", "", append(with, "X-Amz-Copy-Source: bkt/k")...)
		}
	}
	e.must(404, "HEAD", "/bkt/copy", "")
	e.refused(400, "InvalidRequest", "GET", "/bkt/plain", "", withCustomer(1)...)
	e.refused(400, "InvalidRequest", "PUT", "/bkt/copy", "", append(fromCustomer(1), "X-Amz-Copy-Source: bkt/plain")...)
}

// SSE-C needs TLS, for reads and writes.
func TestCustomerKeyOverTLSOnly(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "x")
	for _, target := range []string{"PUT /bkt/new", "GET /bkt/k", "POST /bkt/new?uploads", "GET /bkt/k?attributes"} {
		method, path, _ := strings.Cut(target, " ")
		headers := withCustomer(1)
		if strings.HasSuffix(path, "?attributes") {
			headers = append(headers, "X-Amz-Object-Attributes: ETag")
		}
		if a := e.refused(400, "InvalidRequest", method, path, "", headers...); !strings.Contains(a.body, "secure connection") {
			t.Errorf("%s: %s", target, a.body)
		}
	}
}

// TestSealedNotSwapped moves how an object is kept, and its content, to another: neither opens.
func TestSealedNotSwapped(t *testing.T) {
	e := newSealedEnv(t)
	ctx := t.Context()
	e.must(200, "PUT", "/bkt/a", lines(5000), sseModes()[1].write...)
	e.must(200, "PUT", "/bkt/b", lines(5000), sseModes()[1].write...)
	stat := func(key string) *storage.Object {
		o, err := e.s.Backend.StatObject(ctx, storage.Ref{Bucket: "bkt", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	set := func(key, value string) {
		_, err := e.s.Backend.SetProps(ctx, storage.Ref{Bucket: "bkt", Key: key}, func(*storage.Object) (map[string]string, error) {
			return map[string]string{propSealing: value}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := stat("a").Props[propSealing], stat("b").Props[propSealing]
	for name, value := range map[string]string{
		"another's":      b,
		"said kms":       strings.Replace(a, sseS3, sseKMS, 1),
		"a context more": strings.Replace(a, `"sealed"`, `"context":"{}","sealed"`, 1),
		"another key":    strings.Replace(a, "objsrv-default", "second", 1),
		"no key there":   strings.Replace(a, "objsrv-default", "third", 1),
		"not encrypted":  "{}",
		"unreadable":     "{",
	} {
		set("a", value)
		if got := e.refused(500, "InternalError", "GET", "/bkt/a", ""); got.Get("Etag") != "" || strings.Contains(got.body, "readable") {
			t.Errorf("%s: %v %s", name, got.Header, got.body)
		}
	}
	set("a", a)
	e.must(200, "GET", "/bkt/a", "")
	// The content of the one as that of the other: a copy by the store's own means, which keeps the props of the other.
	_, err := e.s.Backend.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: "bkt", Key: "b"}, Bucket: "bkt", Key: "a", Meta: storage.Meta{Props: map[string]string{propSealing: a}}})
	if err != nil {
		t.Fatal(err)
	}
	e.refused(500, "InternalError", "GET", "/bkt/a", "")
}

// TestSealedForms: the fields of a form stand for the headers of encryption, under its policy.
func TestSealedForms(t *testing.T) {
	e := newSealedEnv(t)
	for _, m := range sseModes()[1:] {
		f := fields("key=k")
		conditions := []string{`["starts-with", "$key", ""]`, `{"bucket": "bkt"}`}
		for _, h := range m.write {
			name, value, _ := strings.Cut(strings.ToLower(h[:strings.Index(h, ":")])+h[strings.Index(h, ":"):], ": ")
			f.fields = append(f.fields, [2]string{name, value})
			conditions = append(conditions, fmt.Sprintf(`{%q: %q}`, name, value))
		}
		a := e.post("/bkt", e.signed(f, conditions...))
		if a.status != 204 {
			t.Fatalf("%s: %d %s", m.name, a.status, a.body)
		}
		e.wantHeader(a, "X-Amz-Server-Side-Encryption", m.told)
		e.reads("k", f.content, m)
		if string(e.content("k")) == f.content {
			t.Errorf("%s: the content lies in the clear", m.name)
		}
	}
	e.must(200, "PUT", "/bkt?encryption", byDefault("AES256", ""))
	if a := e.post("/bkt", e.signed(fields("key=d"), `["starts-with", "$key", ""]`, `{"bucket": "bkt"}`)); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	e.reads("d", "hello", sseModes()[1])
}

// TestSealedPresigned writes and reads by URLs whose headers of encryption were signed.
func TestSealedPresigned(t *testing.T) {
	e := newSealedEnv(t)
	for _, m := range sseModes() {
		put := e.request("PUT", "/bkt/k", "content", m.write...)
		e.signer().Presign(put, time.Hour, e.now)
		if a := e.send(put); a.status != 200 {
			t.Fatalf("%s: %d %s", m.name, a.status, a.body)
		}
		get := e.request("GET", "/bkt/k", "", m.read...)
		e.signer().Presign(get, time.Hour, e.now)
		if a := e.send(get); a.status != 200 || a.body != "content" {
			t.Errorf("%s: %d %s", m.name, a.status, a.body)
		}
	}
}
