package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/objsrv/objsrv/storage"
)

// stored is content of a test, which notes how much of it is read.
type stored struct {
	b    []byte
	read *int
}

func (s stored) Range(off, n int64) io.Reader {
	if off < 0 || n < 0 || off+n > int64(len(s.b)) {
		return iotest.ErrReader(fmt.Errorf("range %d+%d of %d: %w", off, n, len(s.b), storage.ErrSize))
	}
	return &counting{bytes.NewReader(s.b[off : off+n]), s.read}
}

// inBlocks is content whose readers write themselves in blocks of their own, as those of package fs do.
type inBlocks struct {
	stored
	block int
}

func (s inBlocks) Range(off, n int64) io.Reader { return &blocks{s.stored.Range(off, n), s.block} }

type blocks struct {
	io.Reader
	n int
}

func (b *blocks) WriteTo(w io.Writer) (total int64, err error) {
	buf := make([]byte, b.n)
	for {
		n, err := io.ReadFull(b.Reader, buf)
		if n > 0 {
			m, err := w.Write(buf[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func (s stored) Bytes() ([]byte, bool) { return s.b, true }
func (s stored) Close() error          { return nil }

type counting struct {
	r io.Reader
	n *int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n != nil {
		*c.n += n
	}
	return n, err
}

func testKey(seed byte) []byte { return bytes.Repeat([]byte{seed}, KeySize) }

// text makes n bytes that shrink, noise n that do not.
func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "2026-11-26T12:%02d:%02d level=info request=%d status=%d path=/bucket/key-%d\n", i/60%60, i%60, i*7919, 200+i%7, i%97)
	}
	return b.Bytes()[:n]
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// encode makes a piece.
func encode(t testing.TB, content []byte, o Options) []byte {
	t.Helper()
	e, err := Encode(iotest.DataErrReader(bytes.NewReader(content)), o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	out, err := io.ReadAll(e)
	if err != nil {
		t.Fatal(err)
	}
	if want := Length(int64(len(content)), o); want >= 0 && want != int64(len(out)) {
		t.Fatalf("%d bytes of content make a piece of %d, Length says %d", len(content), len(out), want)
	}
	return out
}

// decode reads a range of pieces, by Read and by WriteTo, from blocks of several sizes and unverified, and by Bytes, all of
// which must agree.
func decode(b []byte, key []byte, off, n int64, pieces ...Piece) ([]byte, error) {
	c := Open(stored{b: b}, key, pieces)
	defer c.Close()
	got, err := io.ReadAll(c.Range(off, n))
	for range 2 {
		if all, ok := c.Bytes(); ok && (err != nil || off+n > int64(len(all)) || !bytes.Equal(all[off:off+n], got)) {
			return all, fmt.Errorf("Bytes gives %d bytes, Read %d and error %v", len(all), len(got), err)
		}
	}
	for _, block := range []int{-1, 0, 1000, segmentSize, sealedSize, 256 << 10} {
		var from storage.Content = stored{b: b}
		switch {
		case block < 0:
			from = unproved{stored: stored{b: b}, bare: b}
		case block > 0:
			from = inBlocks{stored{b: b}, block}
		}
		var buf bytes.Buffer
		m, werr := Open(from, key, pieces).Range(off, n).(io.WriterTo).WriteTo(&buf)
		if m != int64(buf.Len()) || (werr == nil) != (err == nil) || werr == nil && !bytes.Equal(buf.Bytes(), got) || !bytes.HasPrefix(got, buf.Bytes()) {
			return buf.Bytes(), fmt.Errorf("WriteTo from blocks of %d gives %d of %d bytes and error %v, Read %d and error %v", block, m, buf.Len(), werr, len(got), err)
		}
		if werr != nil && !errors.Is(werr, storage.ErrDamaged) {
			return buf.Bytes(), werr
		}
	}
	return got, err
}

// modes are all combinations of options.
func modes() map[string]Options {
	return map[string]Options{
		"plain": {}, "compressed": {Compress: true},
		"encrypted": {Key: testKey(1), Number: 3}, "both": {Key: testKey(1), Number: 3, Compress: true},
	}
}

var contentSizes = []int{0, 1, 100, segmentSize - 1, segmentSize, segmentSize + 1, 4 * segmentSize, 5*segmentSize + 7, 3<<20 + 1}

func TestRoundTrip(t *testing.T) {
	for name, o := range modes() {
		t.Run(name, func(t *testing.T) {
			for _, size := range contentSizes {
				for _, content := range [][]byte{text(size), noise(size)} {
					b := encode(t, content, o)
					p := Piece{Number: o.Number, Size: int64(size), Stored: int64(len(b))}
					got, err := decode(b, o.Key, 0, int64(size), p)
					if err != nil || !bytes.Equal(got, content) {
						t.Fatalf("%d bytes: got %d, error %v", size, len(got), err)
					}
					if err := iotest.TestReader(Open(stored{b: b}, o.Key, []Piece{p}).Range(0, int64(size)), content); err != nil {
						t.Errorf("%d bytes: %v", size, err)
					}
				}
			}
		})
	}
}

// TestRanges reads ranges across pieces of different kinds, some of them empty.
func TestRanges(t *testing.T) {
	for _, key := range [][]byte{nil, testKey(9)} {
		var all, content []byte
		var pieces []Piece
		for i, size := range []int{100, 0, 3*segmentSize + 5, 1 << 20, 0, 1} {
			piece := text(size)
			b := encode(t, piece, Options{Key: key, Number: i + 1, Compress: i%2 == 1})
			content, all = append(content, piece...), append(all, b...)
			pieces = append(pieces, Piece{Number: i + 1, Size: int64(size), Stored: int64(len(b))})
		}
		c := Open(stored{b: all}, key, pieces)
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			off := rnd.Int64N(int64(len(content)) + 1)
			n := rnd.Int64N(int64(len(content)) - off + 1)
			if rnd.IntN(2) == 0 {
				n = min(n, 300)
			}
			got, err := decode(all, key, off, n, pieces...)
			if err != nil || !bytes.Equal(got, content[off:off+n]) {
				t.Fatalf("bytes %d+%d: got %d, error %v", off, n, len(got), err)
			}
		}
		if _, err := io.ReadAll(c.Range(0, int64(len(content))+1)); !errors.Is(err, storage.ErrSize) {
			t.Errorf("a range beyond the end: %v", err)
		}
	}
}

// TestRangesReadLittle measures what a short range in a large piece makes the store read.
func TestRangesReadLittle(t *testing.T) {
	const size = 32 << 20
	content := text(size)
	for name, most := range map[string]int{"plain": 64, "encrypted": 2 * sealedSize, "compressed": 1 << 20, "both": 1 << 20} {
		o := modes()[name]
		b := encode(t, content, o)
		var read int
		c := Open(stored{b, &read}, o.Key, []Piece{{Number: o.Number, Size: size, Stored: int64(len(b))}})
		got, err := io.ReadAll(c.Range(20<<20, 10))
		if err != nil || !bytes.Equal(got, content[20<<20:20<<20+10]) {
			t.Fatalf("%s: got %q, error %v", name, got, err)
		}
		if read > most || read > len(b)/2 {
			t.Errorf("%s: 10 bytes made it read %d of %d", name, read, len(b))
		}
	}
}

// TestChanged changes, moves, cuts and swaps what is stored, S-131 among it: nothing opens.
func TestChanged(t *testing.T) {
	content := noise(3*segmentSize + 100)
	o := Options{Key: testKey(1), Number: 2}
	good := encode(t, content, o)
	other := encode(t, content, o)
	body := func(b []byte) []byte { return b[sealedHeader:] }
	segment := func(b []byte, i int) []byte { return body(b)[i*sealedSize : min((i+1)*sealedSize, len(body(b)))] }
	for name, change := range map[string]func(b []byte) []byte{
		"format":      func(b []byte) []byte { b[0]++; return b },
		"said plain":  func(b []byte) []byte { b[1] = 0; return b },
		"said shrunk": func(b []byte) []byte { b[1] |= flagCompressed; return b },
		"salt":        func(b []byte) []byte { b[5] ^= 1; return b },
		"commitment":  func(b []byte) []byte { b[sealedHeader-1] ^= 1; return b },
		"first byte":  func(b []byte) []byte { b[sealedHeader] ^= 1; return b },
		"last byte":   func(b []byte) []byte { b[len(b)-1] ^= 0x80; return b },
		"segments moved": func(b []byte) []byte {
			return slicesConcat(b[:sealedHeader], segment(good, 1), segment(good, 0), segment(good, 2), segment(good, 3))
		},
		"segment of another": func(b []byte) []byte {
			return slicesConcat(b[:sealedHeader], segment(good, 0), segment(other, 1), segment(good, 2), segment(good, 3))
		},
		"cut in front":      func(b []byte) []byte { return slicesConcat(b[:sealedHeader], body(good)[sealedSize:]) },
		"cut at a segment":  func(b []byte) []byte { return b[:sealedHeader+3*sealedSize] },
		"cut in a segment":  func(b []byte) []byte { return b[:len(b)-20] },
		"longer":            func(b []byte) []byte { return append(b, 0) },
		"header of another": func(b []byte) []byte { return slicesConcat(other[:sealedHeader], body(good)) },
	} {
		b := change(bytes.Clone(good))
		// The index may have been changed with it: both lengths that an attacker could write are tried.
		for _, size := range []int64{int64(len(content)), int64(len(b)) - sealedHeader - int64((len(b)-sealedHeader+sealedSize-1)/sealedSize)*tagSize} {
			got, err := decode(b, o.Key, 0, size, Piece{Number: 2, Size: size, Stored: int64(len(b))})
			if !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("%s: %d of %d bytes, error %v", name, len(got), size, err)
			}
			if !bytes.HasPrefix(content, got) {
				t.Errorf("%s: other bytes than the content's were given", name)
			}
		}
	}
	size, n := int64(len(content)), int64(len(good))
	for name, p := range map[string]Piece{"another part": {Number: 3, Size: size, Stored: n}, "no part": {Size: size, Stored: n}} {
		if got, err := decode(good, o.Key, 0, size, p); len(got) > 0 || !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %d bytes, error %v", name, len(got), err)
		}
	}
	for name, key := range map[string][]byte{"another key": testKey(2), "no key": nil} {
		if got, err := decode(good, key, 0, size, Piece{Number: 2, Size: size, Stored: n}); len(got) > 0 || !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %d bytes, error %v", name, len(got), err)
		}
	}
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestNeverTwice encrypts the same content twice: nothing of the two is alike but their form.
func TestNeverTwice(t *testing.T) {
	content := make([]byte, segmentSize)
	a, b := encode(t, content, Options{Key: testKey(1)}), encode(t, content, Options{Key: testKey(1)})
	for i := 2; i+8 <= len(a); i += 8 {
		if bytes.Equal(a[i:i+8], b[i:i+8]) {
			t.Fatalf("bytes %d to %d are alike", i, i+8)
		}
	}
}

// TestSourceFails tells the error of the source and never ends well after one.
func TestSourceFails(t *testing.T) {
	broken := errors.New("broken")
	for name, o := range modes() {
		for _, n := range []int{0, 1, segmentSize, segmentSize + 1, 1 << 20} {
			e, err := Encode(io.MultiReader(bytes.NewReader(text(n)), iotest.ErrReader(broken)), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(e); !errors.Is(err, broken) {
				t.Errorf("%s, %d bytes: error %v", name, n, err)
			}
			if _, err := e.Read(make([]byte, 1)); !errors.Is(err, broken) {
				t.Errorf("%s, %d bytes: after that, error %v", name, n, err)
			}
			e.Close()
		}
	}
	if _, err := Encode(strings.NewReader(""), Options{Key: []byte("short")}); err == nil {
		t.Error("a short key is taken")
	}
}

func TestShrinks(t *testing.T) {
	if !Shrinks(text(SampleSize)) || Shrinks(noise(SampleSize)) || Shrinks(nil) {
		t.Error("Shrinks is wrong of text, noise or nothing")
	}
}

// FuzzOpen changes a piece anywhere: what is given out is a beginning of the content, and an end without an
// error means all of it.
func FuzzOpen(f *testing.F) {
	content := text(2*segmentSize + 10)
	var good [2][]byte
	for i := range good {
		good[i] = encode(f, content, Options{Key: testKey(7), Number: 1, Compress: i == 1})
	}
	f.Add(uint32(0), byte(1), uint32(0), true)
	f.Add(uint32(70), byte(3), uint32(100), false)
	f.Fuzz(func(t *testing.T, at uint32, flip byte, cut uint32, compress bool) {
		g := good[0]
		if compress {
			g = good[1]
		}
		b := bytes.Clone(g)
		b[int(at)%len(b)] ^= flip
		b = b[:len(b)-int(cut)%len(b)]
		got, err := decode(b, testKey(7), 0, int64(len(content)), Piece{Number: 1, Size: int64(len(content)), Stored: int64(len(b))})
		if !bytes.HasPrefix(content, got) {
			t.Fatal("other bytes than the content's were given")
		}
		if err == nil && len(got) != len(content) {
			t.Fatalf("%d bytes without an error", len(got))
		}
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("error %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	content := text(16 << 20)
	for name, o := range modes() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			buf := make([]byte, 64<<10)
			for range b.N {
				e, err := Encode(bytes.NewReader(content), o)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyBuffer(onlyWriter{io.Discard}, e, buf); err != nil {
					b.Fatal(err)
				}
				e.Close()
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	content := text(16 << 20)
	for name, o := range modes() {
		b.Run(name, func(b *testing.B) {
			piece := encode(b, content, o)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			buf := make([]byte, 256<<10)
			for range b.N {
				c := Open(stored{b: piece}, o.Key, []Piece{{Number: o.Number, Size: int64(len(content)), Stored: int64(len(piece))}})
				if n, err := io.CopyBuffer(onlyWriter{io.Discard}, c.Range(0, int64(len(content))), buf); err != nil || n != int64(len(content)) {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// onlyWriter hides that io.Discard can read for itself.
type onlyWriter struct{ io.Writer }

// BenchmarkOpenSmall opens an object of 4 KiB that lies in memory.
func BenchmarkOpenSmall(b *testing.B) {
	content := text(4 << 10)
	key := testKey(1)
	piece := encode(b, content, Options{Key: key})
	b.ReportAllocs()
	for range b.N {
		c := Open(stored{b: piece}, key, []Piece{{Size: int64(len(content)), Stored: int64(len(piece))}})
		if data, ok := c.Bytes(); !ok || len(data) != len(content) {
			b.Fatal(ok, len(data))
		}
		c.Close()
	}
}
