package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of zip archives beside those of tar archives.
var (
	ErrNoEntry = errors.New("no such file in the archive")
	ErrMethod  = errors.New("compression or encryption of the file is not supported")
)

// Source is where an archive lies: readers of ranges of it, as storage.Content gives them.
type Source interface {
	Range(off, n int64) io.Reader
}

// maxDirectory bounds the directory of a zip archive, which is held in memory while the archive is read: some 50 000 files.
const maxDirectory = 4 << 20

// Zip is a zip archive of which the directory has been read.
type Zip struct {
	src    Source
	z      *zip.Reader
	limits Limits
}

// File is a file of a zip archive, as its directory describes it.
type File struct {
	Name string
	Size int64
	CRC  uint32
	f    *zip.File
}

// OpenZip reads the directory of an archive of size bytes. ErrFormat when it is none, ErrLimit when the directory is too
// large; errors of the source as they are.
func OpenZip(src Source, size int64, l Limits) (*Zip, error) {
	at := &readerAt{src: src, size: size, left: maxDirectory + 3*cached}
	z, err := zip.NewReader(at, size)
	switch {
	case at.err != nil:
		return nil, at.err
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, fmt.Errorf("zip: %w: %w", ErrFormat, err)
	case len(z.File) > l.Entries:
		return nil, fmt.Errorf("%d files: %w", len(z.File), ErrLimit)
	}
	at.left = 1 << 62 // a file's own bytes are bounded by what it is asked for
	return &Zip{src: src, z: z, limits: l}, nil
}

// Forget drops the directory, which can take some ten times its size in memory. Files that were found before are still read.
func (z *Zip) Forget() { z.z.File = nil }

// Files lists the files whose names begin with a prefix, in the order of the directory. Directories are no files.
func (z *Zip) Files(prefix string) (list []File) {
	for _, f := range z.z.File {
		if strings.HasPrefix(f.Name, prefix) && f.Name != "" && !strings.HasSuffix(f.Name, "/") {
			list = append(list, fileOf(f))
		}
	}
	return list
}

func fileOf(f *zip.File) File {
	return File{Name: f.Name, Size: int64(f.UncompressedSize64 & (1<<63 - 1)), CRC: f.CRC32, f: f}
}

// File finds a file by its name; of several the last one, which is what a later addition to an archive means. ErrNoEntry,
// ErrMethod, or ErrLimit when the file is larger than is allowed, or than its compressed size makes likely.
func (z *Zip) File(name string) (*File, error) {
	for i := len(z.z.File) - 1; i >= 0; i-- {
		f := z.z.File[i]
		if f.Name != name || strings.HasSuffix(name, "/") {
			continue
		}
		file := fileOf(f)
		switch {
		case f.Flags&1 != 0 || f.Method != zip.Store && f.Method != zip.Deflate:
			return nil, fmt.Errorf("%q: %w", name, ErrMethod)
		case f.UncompressedSize64 > uint64(z.limits.Size) || file.Size > z.limits.Free+z.limits.Ratio*int64(f.CompressedSize64&(1<<40-1)):
			return nil, fmt.Errorf("%q has %d bytes out of %d: %w", name, f.UncompressedSize64, f.CompressedSize64, ErrLimit)
		}
		return &file, nil
	}
	return nil, fmt.Errorf("%q: %w", name, ErrNoEntry)
}

// Range reads n bytes of a file from off on, which lie within it. The reader gives its last bytes only when it is sure that
// there are as many as the directory says, and, where they are read from the beginning to the end, that they have its
// checksum; else its error Is ErrFormat. What is compressed is decompressed from its beginning.
func (z *Zip) Range(f *File, off, n int64) (io.Reader, error) {
	if f.f.Method == zip.Store && f.f.CompressedSize64 != f.f.UncompressedSize64 {
		return nil, fmt.Errorf("%q: %w", f.Name, ErrFormat)
	}
	if f.f.Method == zip.Store && n < f.Size {
		at, err := f.f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("%q: %w: %w", f.Name, ErrFormat, err)
		}
		return z.src.Range(at+off, n), nil
	}
	r, err := f.f.Open()
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %w", f.Name, ErrFormat, err)
	}
	if _, err := io.CopyN(io.Discard, r, off); err != nil {
		return nil, fmt.Errorf("%q: %w: %w", f.Name, ErrFormat, err)
	}
	return &exact{r: r, left: n, ends: off+n == f.Size}, nil
}

// exact gives exactly so many bytes.
type exact struct {
	r    io.Reader
	left int64
	ends bool // they are the last ones
}

// Read implements io.Reader.
func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := io.ReadFull(e.r, p[:min(int64(len(p)), e.left)])
	if err != nil {
		return 0, fmt.Errorf("file in a zip archive: %w: %w", ErrFormat, err)
	}
	if e.left -= int64(n); e.left == 0 && e.ends {
		var one [1]byte
		if _, err := io.ReadFull(e.r, one[:]); err != io.EOF { // the checksum is compared at the end
			return 0, fmt.Errorf("file in a zip archive: %w: %w", ErrFormat, err)
		}
	}
	return n, nil
}

// cached is how much is read at once.
const cached = 128 << 10

// readerAt makes many small reads few.
type readerAt struct {
	src  Source
	size int64
	left int64 // how much may still be read of the source
	buf  []byte
	off  int64 // of buf
	err  error // of the source, or that too much was asked for
}

// ReadAt implements io.ReaderAt. It is not for concurrent use.
func (r *readerAt) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at < 0 || at >= r.size {
			return n, io.EOF
		}
		if at < r.off || at >= r.off+int64(len(r.buf)) {
			if err := r.fill(at); err != nil {
				r.err = err
				return n, err
			}
		}
		n += copy(p[n:], r.buf[at-r.off:])
	}
	return n, nil
}

func (r *readerAt) fill(at int64) error {
	start := at / cached * cached
	n := min(cached, r.size-start)
	if r.left -= n; r.left < 0 {
		return fmt.Errorf("directory of a zip archive: %w", ErrLimit)
	}
	if cap(r.buf) < cached {
		r.buf = make([]byte, cached)
	}
	r.buf, r.off = r.buf[:n], start
	if _, err := io.ReadFull(r.src.Range(start, n), r.buf); err != nil {
		r.buf = r.buf[:0]
		return err
	}
	return nil
}
