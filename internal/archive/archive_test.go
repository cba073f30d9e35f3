package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

var limits = Limits{Entries: 100, Size: 1 << 20, Ratio: 100, Free: 1 << 20}

// pack makes an archive of headers, each with Size bytes of content.
func pack(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.Mode = 0o644
		err := w.WriteHeader(&h)
		if err == nil {
			_, err = w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack reads all of an archive: names with their sizes, and what was refused.
func unpack(r io.Reader, l Limits) (list, refused []string, err error) {
	t, err := OpenTar(r, l)
	if err != nil {
		return nil, nil, err
	}
	for {
		e, err := t.Next()
		var one *EntryError
		switch {
		case err == io.EOF:
			return list, refused, nil
		case errors.As(err, &one):
			refused = append(refused, one.Name)
			continue
		case err != nil:
			return list, refused, err
		}
		n, err := io.Copy(io.Discard, t)
		if err != nil {
			return list, refused, err
		}
		if n != e.Size {
			return list, refused, fmt.Errorf("%s has %d bytes, read %d", e.Name, e.Size, n)
		}
		list = append(list, fmt.Sprint(e.Name, " ", e.Size))
	}
}

func TestCompressions(t *testing.T) {
	plain := pack(t, tar.Header{Name: "a", Size: 3}, tar.Header{Name: "dir/b", Size: 70_000})
	squeeze := func(w io.WriteCloser, b *bytes.Buffer) []byte {
		w.Write(plain)
		w.Close()
		return b.Bytes()
	}
	var g, z, s, sn bytes.Buffer
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	// An archive of one file of three bytes, "a", by bzip2.
	bz, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWZIBReAAAGz7gMmAAADAAG0AAADgAB5ACAggAFQyjQABkCKKBobUAfcWJRD3FETbqrFb66IJAQVIzAnMpVBvVnpE7XjMyj1CSB8XckU4UJCSAUXg")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tar": plain, "gzip": squeeze(gzip.NewWriter(&g), &g), "zstd": squeeze(zw, &z), "s2": squeeze(s2.NewWriter(&s), &s),
		"snappy": squeeze(s2.NewWriter(&sn, s2.WriterSnappyCompat()), &sn)} {
		list, refused, err := unpack(bytes.NewReader(data), limits)
		if err != nil || len(refused) > 0 || !slices.Equal(list, []string{"a 3", "dir/b 70000"}) {
			t.Errorf("%s: %q %q %v", name, list, refused, err)
		}
		if _, _, err := unpack(bytes.NewReader(data[:len(data)/2]), limits); err == nil {
			t.Errorf("%s, cut in half, is read without an error", name)
		}
	}
	if list, _, err := unpack(bytes.NewReader(bz), limits); err != nil || !slices.Equal(list, []string{"a 3"}) {
		t.Errorf("bzip2: %q %v", list, err)
	}
	for magic, want := range map[string]error{"\x04\x22\x4d\x18": ErrCompression, "\xfd7zXZ\x00": ErrCompression, "\x1f\x8bxxxxxxxxxxx": ErrFormat, strings.Repeat("no tar", 200): ErrFormat} {
		if _, _, err := unpack(strings.NewReader(magic), limits); !errors.Is(err, want) {
			t.Errorf("%.10q: %v", magic, err)
		}
	}
}

// S-092: names that would lead elsewhere are refused; links and devices are passed over.
func TestNames(t *testing.T) {
	var headers []tar.Header
	names := []string{"../victim/pwn", "a/../../victim/pwn", "a/..", "/abs", `..\victim\pwn`, "a\x01b", "a/./b", "a\nb", "\xff"}
	for _, n := range names {
		headers = append(headers, tar.Header{Name: n, Size: 1, Format: tar.FormatGNU})
	}
	headers = append(headers, tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, tar.Header{Name: "hard", Linkname: "a", Typeflag: tar.TypeLink},
		tar.Header{Name: "dev", Typeflag: tar.TypeChar}, tar.Header{Name: "fifo", Typeflag: tar.TypeFifo}, tar.Header{Name: "./", Typeflag: tar.TypeDir},
		tar.Header{Name: "./dir/", Typeflag: tar.TypeDir}, tar.Header{Name: "./a", Size: 2}, tar.Header{Name: "a", Size: 3}, tar.Header{Name: "a//b..c/...", Size: 4})
	list, refused, err := unpack(bytes.NewReader(pack(t, headers...)), limits)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(refused, names) {
		t.Errorf("refused %q\nwant    %q", refused, names)
	}
	if want := []string{"dir/ 0", "a 2", "a 3", "a//b..c/... 4"}; !slices.Equal(list, want) {
		t.Errorf("given %q, want %q", list, want)
	}
}

// S-092, S-246: bombs end in an error, and cost no more than what the limits allow.
func TestBombs(t *testing.T) {
	zeros := func(w io.WriteCloser, b *bytes.Buffer, n int64) []byte {
		tw := tar.NewWriter(w)
		if err := tw.WriteHeader(&tar.Header{Name: "zeros", Size: n, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		io.Copy(tw, io.LimitReader(zero{}, n))
		tw.Close()
		w.Close()
		return b.Bytes()
	}
	wide := limits
	wide.Size = 1 << 40
	var g, z bytes.Buffer
	zw, _ := zstd.NewWriter(&z)
	for name, data := range map[string][]byte{"gzip": zeros(gzip.NewWriter(&g), &g, 64<<20), "zstd": zeros(zw, &z, 64<<20)} {
		if _, _, err := unpack(bytes.NewReader(data), wide); !errors.Is(err, ErrLimit) {
			t.Errorf("%s of %d bytes: %v", name, len(data), err)
		}
	}
	many := pack(t, slices.Repeat([]tar.Header{{Name: "a"}}, 101)...)
	if list, _, err := unpack(bytes.NewReader(many), limits); !errors.Is(err, ErrLimit) || len(list) != 100 {
		t.Errorf("%d entries: %v", len(list), err)
	}
	if _, refused, err := unpack(bytes.NewReader(pack(t, tar.Header{Name: "big", Size: 1<<20 + 1}, tar.Header{Name: "small", Size: 1})), limits); err != nil || len(refused) != 1 {
		t.Errorf("a file that is too large: refused %q, %v", refused, err)
	}
	total := limits
	total.Total = 5000
	if _, _, err := unpack(bytes.NewReader(pack(t, tar.Header{Name: "a", Size: 6000})), total); !errors.Is(err, ErrLimit) {
		t.Errorf("more than in all is allowed: %v", err)
	}
	// A sparse file of 1 TiB in a kilobyte.
	sparse := pack(t, tar.Header{Name: "hole", Size: 512, Format: tar.FormatPAX, PAXRecords: map[string]string{"COMMENT": "GNU.sparse.xx=12"}})
	sparse = bytes.Replace(sparse, []byte("COMMENT=GNU.sparse.xx=12"), []byte("GNU.sparse.realsize=1234"), 1)
	if list, refused, err := unpack(bytes.NewReader(sparse), wide); err == nil && len(refused) != 1 {
		t.Errorf("a sparse file is given out: %q", list)
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// FuzzTar: whatever comes in, reading ends, and no name leads elsewhere.
func FuzzTar(f *testing.F) {
	f.Add(pack(f, tar.Header{Name: "./a/b", Size: 10}, tar.Header{Name: "../x"}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _, _ := unpack(bytes.NewReader(data), Limits{Entries: 50, Size: 1 << 16, Ratio: 50, Free: 1 << 16})
		for _, name := range list {
			if strings.HasPrefix(name, "/") || strings.Contains("/"+name, "/../") || strings.Contains(name, `\`) {
				t.Errorf("given %q", name)
			}
		}
	})
}
