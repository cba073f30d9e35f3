// Package archive reads tar archives, compressed or not, and zip archives that a client has sent, within limits: what an
// archive says of itself is not believed. Names are given as they are stored; what is no plain name is refused. It imports
// nothing of ours, and owns the compressions of archives. Which forms of compression there are, and how they are told apart,
// is as in MinIO's automatic extraction; limits are those of THREATS.md (S-092, S-246).
package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Errors that end the reading of an archive.
var (
	ErrFormat      = errors.New("not a tar archive that can be read")
	ErrCompression = errors.New("compression that is not supported")
	ErrLimit       = errors.New("archive exceeds a limit")
)

// EntryError says that one entry of an archive is not given out. Reading can go on behind it.
type EntryError struct{ Name, Why string }

// Error implements error.
func (e *EntryError) Error() string { return fmt.Sprintf("entry %q: %s", e.Name, e.Why) }

// Limits bound what is read.
type Limits struct {
	Entries int   // of all kinds
	Size    int64 // of one entry
	Total   int64 // bytes before decompression stops; 0 for no bound but the next
	// Ratio is how many times its compressed size an archive may have, beyond a first Free bytes.
	Ratio, Free int64
}

// Entry is a file or directory of an archive.
type Entry struct {
	Name    string // without "./" in front; that of a directory ends in "/"
	Dir     bool
	Size    int64
	Records map[string]string // PAX records
}

// Tar reads a tar archive.
type Tar struct {
	t      *tar.Reader
	limits Limits
	count  int
}

// window is the largest window that a zstd stream may ask for, which is memory.
const window = 8 << 20

// OpenTar reads the beginning of an archive, and tells by it how it is compressed. Nothing but memory has to be given
// back. ErrCompression for a form that is known and not read.
func OpenTar(r io.Reader, l Limits) (*Tar, error) {
	in := &counter{r: r}
	head := bufio.NewReaderSize(in, 64<<10)
	magic, err := head.Peek(10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	plain, err := decompress(head, magic)
	if err != nil {
		return nil, err
	}
	out := &bound{r: plain, in: in, limits: l}
	return &Tar{t: tar.NewReader(out), limits: l}, nil
}

func decompress(head *bufio.Reader, magic []byte) (io.Reader, error) {
	switch is := func(s string) bool { return bytes.HasPrefix(magic, []byte(s)) }; {
	case is("\x1f\x8b"):
		z, err := gzip.NewReader(head)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w: %w", ErrFormat, err)
		}
		return z, nil
	case is("\x28\xb5\x2f\xfd"):
		z, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w: %w", ErrFormat, err)
		}
		return z, nil
	case is("\xff\x06\x00\x00S2sTwO"), is("\xff\x06\x00\x00sNaPpY"):
		return s2.NewReader(head), nil
	case is("BZh"):
		return bzip2.NewReader(head), nil
	case is("\x04\x22\x4d\x18"):
		return nil, fmt.Errorf("lz4: %w", ErrCompression)
	case is("\xfd7zXZ\x00"):
		return nil, fmt.Errorf("xz: %w", ErrCompression)
	}
	return head, nil
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bound ends the reading of an archive that grows beyond measure.
type bound struct {
	r      io.Reader
	in     *counter
	limits Limits
	n      int64
}

// Read implements io.Reader.
func (b *bound) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.limits.Total > 0 && b.n > b.limits.Total {
		return n, fmt.Errorf("%d bytes: %w", b.n, ErrLimit)
	}
	if b.limits.Ratio > 0 && b.n > b.limits.Free+b.in.n*b.limits.Ratio {
		return n, fmt.Errorf("%d bytes out of %d: %w", b.n, b.in.n, ErrLimit)
	}
	return n, err
}

// Next gives the next file or directory; links, devices and whatever else there is are passed over. io.EOF at the end, an
// *EntryError for an entry that is refused; other errors end the reading, and those of the source are among them.
func (t *Tar) Next() (*Entry, error) {
	for {
		h, err := t.t.Next()
		switch {
		case err == io.EOF:
			return nil, err
		case errors.Is(err, tar.ErrHeader):
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		case err != nil:
			return nil, err
		}
		if t.count++; t.count > t.limits.Entries {
			return nil, fmt.Errorf("more than %d entries: %w", t.limits.Entries, ErrLimit)
		}
		e := &Entry{Name: h.Name, Dir: h.Typeflag == tar.TypeDir, Size: h.Size, Records: h.PAXRecords}
		switch {
		case h.Typeflag != tar.TypeReg && !e.Dir:
			continue
		case sparse(h):
			return nil, &EntryError{h.Name, "is a sparse file"}
		case e.Size > t.limits.Size:
			return nil, &EntryError{h.Name, fmt.Sprintf("has %d bytes, more than the %d of an object", h.Size, t.limits.Size)}
		}
		if why := e.clean(); why != "" {
			return nil, &EntryError{h.Name, why}
		}
		if e.Name == "" { // of the archive itself
			continue
		}
		return e, nil
	}
}

// sparse tells files with holes, which can be of any size in an archive of a few bytes.
func sparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// clean takes "./" off the front, with which tar begins the names of what it is given as ".", and says why a name is
// refused. Nothing else is changed: what is judged is what is stored.
func (e *Entry) clean() (why string) {
	for strings.HasPrefix(e.Name, "./") {
		e.Name = e.Name[2:]
	}
	if e.Name == "." {
		e.Name = ""
	}
	switch {
	case !utf8.ValidString(e.Name):
		return "has a name that is not UTF-8"
	case strings.HasPrefix(e.Name, "/"):
		return "has a name that begins with a slash"
	case strings.ContainsFunc(e.Name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return "has a name with a backslash or a control character"
	}
	for part := range strings.SplitSeq(e.Name, "/") {
		if part == "." || part == ".." {
			return "has a name with . or .. in it"
		}
	}
	if e.Dir && e.Name != "" && !strings.HasSuffix(e.Name, "/") {
		e.Name += "/"
	}
	return ""
}

// Read reads the content of the entry that Next has given last.
func (t *Tar) Read(p []byte) (int, error) { return t.t.Read(p) }
