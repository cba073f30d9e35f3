package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// source is a Source in memory that counts.
type source struct {
	b    []byte
	read int64
	fail error
}

func (s *source) Range(off, n int64) io.Reader {
	s.read += n
	if s.fail != nil {
		return failing{s.fail}
	}
	return bytes.NewReader(s.b[off : off+n])
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// zipped is an archive of files, by name and content.
func zipped(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
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

func (z *Zip) all(name string, off, n int64) (string, error) {
	f, err := z.File(name)
	if err != nil {
		return "", err
	}
	if n < 0 {
		n = f.Size
	}
	r, err := z.Range(f, off, n)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

var zipLimits = Limits{Entries: 1000, Size: 1 << 30, Ratio: 100, Free: 1 << 20}

func TestZip(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	content := text.String()
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		src := &source{b: zipped(t, method, "dir/", "", "dir/a", content, "b", "", "twice", "old", "twice", "new")}
		z, err := OpenZip(src, int64(len(src.b)), zipLimits)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(z.Files("")); n != 4 {
			t.Errorf("%d files", n)
		}
		if list := z.Files("dir/"); len(list) != 1 || list[0].Name != "dir/a" || list[0].Size != int64(len(content)) {
			t.Errorf("below dir/: %+v", list)
		}
		for name, want := range map[string]string{"dir/a": content, "b": "", "twice": "new"} {
			if got, err := z.all(name, 0, -1); err != nil || got != want {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		for _, r := range [][2]int64{{0, 1}, {100, 70_000}, {int64(len(content)) - 5, 5}, {0, 0}} {
			if got, err := z.all("dir/a", r[0], r[1]); err != nil || got != content[r[0]:r[0]+r[1]] {
				t.Errorf("range %v: %d bytes, %v", r, len(got), err)
			}
		}
		for _, name := range []string{"none", "dir/", "dir", ""} {
			if _, err := z.File(name); !errors.Is(err, ErrNoEntry) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// TestZipDamage changes an archive: what was changed is not given out as if it were whole.
func TestZipDamage(t *testing.T) {
	content := strings.Repeat("content ", 1000)
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		good := zipped(t, method, "a", content)
		for at := range good {
			if at%7 > 0 && at < len(good)-100 {
				continue
			}
			b := bytes.Clone(good)
			b[at] ^= 0x10
			z, err := OpenZip(&source{b: b}, int64(len(b)), zipLimits)
			if err != nil {
				continue
			}
			if got, err := z.all("a", 0, -1); err == nil && got != content {
				t.Fatalf("method %d, byte %d changed: %d bytes without an error", method, at, len(got))
			}
		}
	}
	broken := errors.New("broken")
	if _, err := OpenZip(&source{b: zipped(t, zip.Store, "a", "b"), fail: broken}, 100, zipLimits); !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
	if _, err := OpenZip(&source{b: []byte("no archive")}, 10, zipLimits); !errors.Is(err, ErrFormat) {
		t.Errorf("no archive: %v", err)
	}
}

// S-246: bombs cost nothing.
func TestZipBombs(t *testing.T) {
	b := zipped(t, zip.Deflate, "zeros", strings.Repeat("\x00", 20<<20))
	z, err := OpenZip(&source{b: b}, int64(len(b)), zipLimits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.all("zeros", 0, -1); !errors.Is(err, ErrLimit) {
		t.Errorf("20 MiB out of %d bytes: %v", len(b), err)
	}
	var many []string
	for i := range 1001 {
		many = append(many, fmt.Sprint("f", i), "")
	}
	b = zipped(t, zip.Store, many...)
	if _, err := OpenZip(&source{b: b}, int64(len(b)), zipLimits); !errors.Is(err, ErrLimit) {
		t.Errorf("1001 files: %v", err)
	}
	// A directory of many megabytes is not read to its end.
	var long []string
	for i := range 600 {
		long = append(long, fmt.Sprint(strings.Repeat("x", 60_000), i), "")
	}
	src := &source{b: zipped(t, zip.Store, long...)}
	if _, err := OpenZip(src, int64(len(src.b)), zipLimits); !errors.Is(err, ErrLimit) || src.read > maxDirectory+10*cached {
		t.Errorf("a large directory: %v after %d bytes", err, src.read)
	}
	// One that lies about its size gives no more than it has said.
	b = zipped(t, zip.Deflate, "a", strings.Repeat("y", 5000))
	at := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[at+24:], 100)
	if z, err = OpenZip(&source{b: b}, int64(len(b)), zipLimits); err != nil {
		t.Fatal(err)
	}
	if got, err := z.all("a", 0, -1); !errors.Is(err, ErrFormat) {
		t.Errorf("a file of 5000 bytes that tells 100: %d bytes, %v", len(got), err)
	}
}

// FuzzZip: whatever comes in, opening and reading end.
func FuzzZip(f *testing.F) {
	f.Add(zipped(f, zip.Deflate, "a", "content", "b/c", ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := OpenZip(&source{b: data}, int64(len(data)), Limits{Entries: 20, Size: 1 << 16, Ratio: 10, Free: 1 << 12})
		if err != nil {
			return
		}
		for _, file := range z.Files("") {
			if got, err := z.all(file.Name, 0, -1); err == nil && int64(len(got)) > 1<<16 {
				t.Errorf("%d bytes", len(got))
			}
		}
	})
}

// TestForget: a file that was found is read when the directory is dropped.
func TestForget(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		src := &source{b: zipped(t, method, "a", "content", "b", "")}
		z, err := OpenZip(src, int64(len(src.b)), zipLimits)
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.File("a")
		if err != nil {
			t.Fatal(err)
		}
		z.Forget()
		r, err := z.Range(f, 0, f.Size)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "content" || len(z.Files("")) != 0 {
			t.Errorf("%q, %v", b, err)
		}
	}
}
