package s3api

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

func compressing(m Compression) func(*Config) { return func(c *Config) { c.Compression = m } }

func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{3}).Read(b)
	return string(b)
}

// TestCompression compresses what is told to be, and what shrinks of it; sizes are those of the content everywhere.
func TestCompression(t *testing.T) {
	for name, row := range map[string]struct {
		m        Compression
		key      string
		content  string
		headers  []string
		shrinks  bool
		stays    bool // stored as it is
		readable bool // not encrypted
	}{
		"off":                  {Compression{}, "a.txt", lines(300_000), nil, false, true, true},
		"all":                  {Compression{Enabled: true}, "a", lines(300_000), nil, true, false, true},
		"extension":            {Compression{Enabled: true, Extensions: []string{".txt"}}, "a.TXT", lines(300_000), nil, true, false, true},
		"type":                 {Compression{Enabled: true, Types: []string{"text/*"}}, "a", lines(300_000), []string{"Content-Type: Text/Plain; charset=utf-8"}, true, false, true},
		"neither":              {Compression{Enabled: true, Extensions: []string{".txt"}, Types: []string{"text/*"}}, "a.zip", lines(300_000), []string{"Content-Type: application/zip"}, false, true, true},
		"noise":                {Compression{Enabled: true}, "a", noise(300_000), nil, false, true, true},
		"small":                {Compression{Enabled: true}, "a", lines(minCompressed - 1), nil, false, true, true},
		"just not small":       {Compression{Enabled: true}, "a", lines(minCompressed), nil, true, false, true},
		"empty":                {Compression{Enabled: true}, "a", "", nil, false, true, true},
		"encrypted, not asked": {Compression{Enabled: true}, "a", lines(300_000), sseModes()[1].write, false, false, false},
		"encrypted":            {Compression{Enabled: true, Encrypted: true}, "a", lines(300_000), sseModes()[1].write, true, false, false},
		"encrypted noise":      {Compression{Enabled: true, Encrypted: true}, "a", noise(300_000), sseModes()[1].write, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newSealedEnv(t, compressing(row.m))
			size := len(row.content)
			put := e.must(200, "PUT", "/bkt/"+row.key, row.content, row.headers...)
			e.wantHeader(put, "Etag", quoteETag(md5Hex(row.content)))
			stored := e.content(row.key)
			if (len(stored) < size/2) != row.shrinks {
				t.Errorf("%d bytes are stored in %d", size, len(stored))
			}
			if row.stays != (string(stored) == row.content) {
				t.Error("stored as it is, or not, against what was asked")
			}
			if a := e.must(200, "GET", "/bkt/"+row.key, ""); a.body != row.content {
				t.Fatalf("%d bytes of %d", len(a.body), size)
			}
			e.wantHeader(e.must(200, "HEAD", "/bkt/"+row.key, ""), "Content-Length", strconv.Itoa(size))
			if size > 0 {
				a := e.must(206, "GET", "/bkt/"+row.key, "", fmt.Sprintf("Range: bytes=%d-%d", size/2, size/2+9))
				if a.body != row.content[size/2:size/2+10] {
					t.Errorf("range: %q", a.body)
				}
			}
			if got := e.must(200, "GET", "/bkt?list-type=2", "").element("Size"); got != strconv.Itoa(size) {
				t.Errorf("listed with %s bytes", got)
			}
			e.must(200, "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/"+row.key)
			if a := e.must(200, "GET", "/bkt/copy", ""); a.body != row.content {
				t.Errorf("copy: %d bytes of %d", len(a.body), size)
			}
			e.must(200, "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/"+row.key, "X-Amz-Checksum-Algorithm: SHA256")
			if a := e.must(200, "GET", "/bkt/copy", "", "X-Amz-Checksum-Mode: ENABLED"); a.body != row.content || a.Get("X-Amz-Checksum-Sha256") != sumOf("SHA256", row.content) {
				t.Errorf("copy with another checksum: %d bytes of %d, %s", len(a.body), size, a.Get("X-Amz-Checksum-Sha256"))
			}
		})
	}
}

// TestCompressedParts compresses the parts that shrink.
func TestCompressedParts(t *testing.T) {
	e := newSealedEnv(t, compressing(Compression{Enabled: true}))
	id := e.must(200, "POST", "/bkt/k?uploads", "").element("UploadId")
	parts := []string{lines(minPartSize), noise(minPartSize), lines(3)}
	var doc, whole bytes.Buffer
	for i, p := range parts {
		a := e.must(200, "PUT", fmt.Sprintf("/bkt/k?partNumber=%d&uploadId=%s", i+1, id), p)
		fmt.Fprintf(&doc, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, a.Get("Etag"))
		whole.WriteString(p)
	}
	e.must(200, "POST", "/bkt/k?uploadId="+id, "<CompleteMultipartUpload>"+doc.String()+"</CompleteMultipartUpload>")
	if n := len(e.content("k")); n > minPartSize*5/4 || n < minPartSize {
		t.Errorf("%d bytes are stored in %d", whole.Len(), n)
	}
	if a := e.must(200, "GET", "/bkt/k", ""); a.body != whole.String() {
		t.Fatal("the content differs")
	}
	at := minPartSize
	for _, off := range []int{0, at - 3, at, 2*at - 3, 2 * at} {
		end := min(off+5, whole.Len()-1)
		if a := e.must(206, "GET", "/bkt/k", "", fmt.Sprintf("Range: bytes=%d-%d", off, end)); a.body != whole.String()[off:end+1] {
			t.Errorf("bytes from %d: %q", off, a.body)
		}
	}
	use, err := e.s.Backend.Usage(t.Context(), "bkt")
	if err != nil || use.Bytes != int64(whole.Len()) {
		t.Errorf("usage %d, %v", use.Bytes, err)
	}
	// Where the server compresses no more, what is compressed still reads.
	e.s.Compression = Compression{}
	if a := e.must(206, "GET", "/bkt/k?partNumber=1", ""); a.body != parts[0] {
		t.Error("part 1 differs")
	}
}
