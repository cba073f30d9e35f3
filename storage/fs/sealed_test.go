package fs_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/seal"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
)

// The places in what package seal makes of a content of more than two segments, behind the header of a blob.
const (
	sealHeader  = 66
	sealSegment = 64<<10 + 16
)

var sealKey = bytes.Repeat([]byte{7}, seal.KeySize)

// sealed encrypts a content.
func sealed(t testing.TB, content []byte, part int) []byte {
	t.Helper()
	e, err := seal.Encode(bytes.NewReader(content), seal.Options{Key: sealKey, Number: part})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := io.ReadAll(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readSealed reads a range of an object of pieces, in both ways that a reader has.
func readSealed(t testing.TB, s *fs.Store, key string, off, n int64, pieces ...seal.Piece) (got []byte, err error) {
	t.Helper()
	var written bytes.Buffer
	for _, use := range []func(io.Reader) error{
		func(r io.Reader) (err error) { got, err = io.ReadAll(r); return err },
		func(r io.Reader) error { _, err := r.(io.WriterTo).WriteTo(&written); return err },
	} {
		var c storage.Content
		if _, c, err = s.GetObject(ctx, storage.Ref{Bucket: "b", Key: key}); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.(interface {
			Bare(off, n int64) io.Reader
		}); !ok {
			t.Fatal("the content gives nothing unverified: this tests something else")
		}
		c = seal.Open(c, sealKey, pieces)
		err = use(c.Range(off, n))
		c.Close()
	}
	if !bytes.HasPrefix(got, written.Bytes()) || err == nil && len(got) != written.Len() {
		t.Errorf("WriteTo gives %d bytes, Read %d, which are others", written.Len(), len(got))
	}
	return got, err
}

// TestDamagedSealedBlob flips a bit in each region of the blob of an encrypted object (S-131): no wrong byte is given out,
// what can't be read is counted and reported with the object's name although it is read without a look at the
// checksums, and the check names it. What no read needs is found by the check alone.
func TestDamagedSealedBlob(t *testing.T) {
	content := bytesOf(3, 200_000)
	piece := sealed(t, content, 0)
	table := 4096 + len(piece)
	for _, c := range []struct {
		name  string
		edit  func([]byte) []byte
		reads bool
	}{
		{"header of the blob", flip(20), true},
		{"format", flip(4096), false},
		{"flags", flip(4097), false},
		{"salt", flip(4096 + 10), false},
		{"commitment", flip(4096 + 60), false},
		{"first byte", flip(4096 + sealHeader), false},
		{"tag of the first segment", flip(4096 + sealHeader + sealSegment - 1), false},
		{"third segment", flip(4096 + sealHeader + 2*sealSegment + 100), false},
		{"last tag", flip(table - 1), false},
		{"table", flip(table), true},
		{"checksum of the table", flip(table + 16), true},
		{"segments moved", func(b []byte) []byte {
			first, second := b[4096+sealHeader:][:sealSegment], b[4096+sealHeader+sealSegment:][:sealSegment]
			for i := range first {
				first[i], second[i] = second[i], first[i]
			}
			return b
		}, false},
		{"cut", func(b []byte) []byte { return b[:4096+sealHeader+2*sealSegment] }, false},
		{"cut in a segment", func(b []byte) []byte { return b[:4096+sealHeader+sealSegment+5] }, false},
		{"empty", func(b []byte) []byte { return nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, damage := damagedStore(t, dir)
			mustBucket(t, s, "b", storage.VersioningUnset)
			mustPut(t, s, "b", "k", piece)
			file := blobFiles(t, dir)[0]
			change(t, file, c.edit)
			got, err := readSealed(t, s, "k", 0, int64(len(content)), seal.Piece{Size: int64(len(content)), Stored: int64(len(piece))})
			if !bytes.HasPrefix(content, got) {
				t.Error("wrong bytes were given out")
			}
			switch {
			case c.reads:
				if err != nil || len(got) != len(content) || damage.Load() != 0 {
					t.Errorf("read gives %d bytes, error %v, damage counted %d times", len(got), err, damage.Load())
				}
			case !errors.Is(err, storage.ErrDamaged) || !strings.Contains(err.Error(), "b/k: ") || damage.Load() == 0:
				t.Errorf("read gives %v, damage counted %d times", err, damage.Load())
			}
			list, _ := check(t, s)
			if len(list) != 1 || list[0].Bucket != "b" || list[0].Key != "k" || !strings.HasSuffix(file, list[0].File) {
				t.Errorf("check finds %v", list)
			}
		})
	}
}

// TestForgedSealedContent stores encrypted content that was changed before it was stored, so that all checksums are right:
// nothing of it is given out but what stood in front of the change.
func TestForgedSealedContent(t *testing.T) {
	content := bytesOf(4, 200_000)
	piece := sealed(t, content, 0)
	s, _ := damagedStore(t, t.TempDir())
	mustBucket(t, s, "b", storage.VersioningUnset)
	segment := func(i int) []byte { return piece[sealHeader+i*sealSegment:][:sealSegment] }
	for name, forged := range map[string][]byte{
		"bit":           flip(sealHeader + sealSegment + 9)(bytes.Clone(piece)),
		"moved":         bytes.Join([][]byte{piece[:sealHeader], segment(0), segment(2), segment(1), piece[sealHeader+3*sealSegment:]}, nil),
		"cut":           piece[:sealHeader+3*sealSegment],
		"of another":    bytes.Join([][]byte{piece[:sealHeader], sealed(t, content, 0)[sealHeader:]}, nil),
		"another part":  sealed(t, content, 5),
		"not encrypted": content,
	} {
		mustPut(t, s, "b", name, forged)
		size := int64(len(content))
		got, err := readSealed(t, s, name, 0, size, seal.Piece{Size: size, Stored: int64(len(forged))})
		if !errors.Is(err, storage.ErrDamaged) || !bytes.HasPrefix(content, got) || len(got) > sealSegment {
			t.Errorf("%s: %d bytes, error %v", name, len(got), err)
		}
	}
	mustBeSound(t, s)
}

// TestSealedParts reads ranges of an encrypted object of parts, forwards and backwards within one open content, and with
// one part damaged.
func TestSealedParts(t *testing.T) {
	dir := t.TempDir()
	s, damage := damagedStore(t, dir)
	mustBucket(t, s, "b", storage.VersioningUnset)
	var all []byte
	var parts [][]byte
	var pieces []seal.Piece
	for i, size := range []int{5 << 20, 5<<20 + 1, 70_000} {
		content := bytesOf(byte(i), size)
		parts = append(parts, sealed(t, content, i+1))
		pieces = append(pieces, seal.Piece{Number: i + 1, Size: int64(size), Stored: int64(len(parts[i]))})
		all = append(all, content...)
	}
	mustMultipart(t, s, "b", "k", parts...)
	_, c, err := s.GetObject(ctx, storage.Ref{Bucket: "b", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	c = seal.Open(c, sealKey, pieces)
	defer c.Close()
	for _, off := range []int64{0, 10 << 20, 1, 6 << 20, 5<<20 - 3, int64(len(all)) - 70_001, 100} {
		n := min(int64(len(all))-off, 70_001)
		got, err := io.ReadAll(c.Range(off, n))
		if err != nil || !bytes.Equal(got, all[off:off+n]) {
			t.Errorf("bytes %d+%d: %d, error %v", off, n, len(got), err)
		}
	}
	change(t, blobFiles(t, dir)[1], flip(4096+sealHeader+100))
	if got, err := readSealed(t, s, "k", 0, int64(len(all)), pieces...); !errors.Is(err, storage.ErrDamaged) || !bytes.Equal(got, all[:5<<20]) || damage.Load() == 0 {
		t.Errorf("with a damaged part: %d bytes, error %v, damage counted %d times", len(got), err, damage.Load())
	}
	for _, off := range []int64{0, 5<<20 + 200_000, 10<<20 + 1} {
		if got, err := readSealed(t, s, "k", off, 1000, pieces...); err != nil || !bytes.Equal(got, all[off:off+1000]) {
			t.Errorf("1000 bytes at %d, beside the damage: %d, error %v", off, len(got), err)
		}
	}
}
