package checksum

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"testing"
)

// The vectors of "123456789" and of no bytes: the check values of the CRC catalogue,
// RFC 1321, FIPS 180-4, and the canonical (big-endian) forms of xxHash.
func TestVectors(t *testing.T) {
	for _, tc := range []struct {
		alg   Algorithm
		empty string
		nine  string
	}{
		{CRC32, "00000000", "cbf43926"},
		{CRC32C, "00000000", "e3069283"},
		{CRC64NVME, "0000000000000000", "ae8b14860a799888"},
		{SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
		{SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
		{MD5, "d41d8cd98f00b204e9800998ecf8427e", "25f9e794323b453885f5181f1b624d0b"},
		{XXHASH64, "ef46db3751d8e999", "8cb841db40e6ae83"},
		{XXHASH3, "2d06800538d394c2", ""},
		{XXHASH128, "99aa06d3014798d86001c324468d497f", ""},
	} {
		h := tc.alg.New()
		if got := hex.EncodeToString(h.Sum(nil)); got != tc.empty {
			t.Errorf("%s of nothing = %s, want %s", tc.alg, got, tc.empty)
		}
		if tc.nine == "" {
			continue
		}
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != tc.nine {
			t.Errorf("%s of 123456789 = %s, want %s", tc.alg, got, tc.nine)
		}
	}
}

func TestNames(t *testing.T) {
	if len(Algorithms()) != 10 {
		t.Fatalf("%d algorithms, the S3 model has 10", len(Algorithms()))
	}
	for _, a := range Algorithms() {
		if b, ok := Parse(a.String()); !ok || b != a {
			t.Errorf("Parse(%q) = %v, %v", a.String(), b, ok)
		}
		if b, ok := ParseHeader(a.Header()); !ok || b != a {
			t.Errorf("ParseHeader(%q) = %v, %v", a.Header(), b, ok)
		}
		if n := a.New().Size(); n != a.Size() {
			t.Errorf("%s: Size %d, hash says %d", a, a.Size(), n)
		}
		if !a.Allows(a.DefaultType()) {
			t.Errorf("%s: default type %q is not allowed", a, a.DefaultType())
		}
		if a.Allows(FullObject) != a.Composable() {
			t.Errorf("%s: a full-object checksum of parts needs Combine", a)
		}
	}
	for _, bad := range []string{"", "CRC", "CRC32 ", "x-amz-checksum-crc32", "SHA-256"} {
		if a, ok := Parse(bad); ok {
			t.Errorf("Parse(%q) = %v", bad, a)
		}
	}
	for _, bad := range []string{"", "x-amz-checksum-", "x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode", "CRC32"} {
		if a, ok := ParseHeader(bad); ok {
			t.Errorf("ParseHeader(%q) = %v", bad, a)
		}
	}
	if CRC64NVME.DefaultType() != FullObject || CRC64NVME.Allows(Composite) || CRC32.DefaultType() != Composite || SHA256.Allows(FullObject) {
		t.Error("types differ from the S3 user guide's table")
	}
}

func TestDecode(t *testing.T) {
	sum := []byte{0xcb, 0xf4, 0x39, 0x26}
	if got, ok := CRC32.Decode(Encode(sum)); !ok || !bytes.Equal(got, sum) {
		t.Errorf("Decode(%q) = %x, %v", Encode(sum), got, ok)
	}
	for _, bad := range []string{"", "y/Q5Jg", "y/Q5Jg=", "y/Q5Jh==", "y_Q5Jg==", "y/Q5Jg==-2", "y/Q5\nJg=", "y/Q5JgAA", "\n\n\n\n\n\n\n\n", "====", "y/Q5Jg== "} {
		if got, ok := CRC32.Decode(bad); ok {
			t.Errorf("Decode(%q) = %x", bad, got)
		}
	}
	if got, n, ok := CRC32.DecodeComposite("y/Q5Jg==-10000"); !ok || n != 10000 || !bytes.Equal(got, sum) {
		t.Errorf("DecodeComposite = %x, %d, %v", got, n, ok)
	}
	for _, bad := range []string{"y/Q5Jg==", "y/Q5Jg==-", "y/Q5Jg==-0", "y/Q5Jg==-01", "y/Q5Jg==-+1", "y/Q5Jg==-10001", "y/Q5Jg==-1-1", "-1", "y/Q5Jg==--1"} {
		if _, _, ok := CRC32.DecodeComposite(bad); ok {
			t.Errorf("DecodeComposite(%q) accepted", bad)
		}
	}
	if _, ok := DecodeMD5("1B2M2Y8AsgTpgAmY7PhCfg=="); !ok {
		t.Error("DecodeMD5 refuses the MD5 of nothing")
	}
	if _, ok := DecodeMD5("d41d8cd98f00b204e9800998ecf8427e"); ok {
		t.Error("DecodeMD5 accepts hex")
	}
}

func TestComposeAndETag(t *testing.T) {
	a, b := md5.Sum([]byte("a")), md5.Sum([]byte("b"))
	want := md5.Sum(append(a[:], b[:]...))
	if got := ETag([][16]byte{a, b}); got != hex.EncodeToString(want[:])+"-2" {
		t.Errorf("ETag = %s", got)
	}
	if got := Compose(MD5, [][]byte{a[:], b[:]}); got != Encode(want[:])+"-2" {
		t.Errorf("Compose = %s", got)
	}
}

func TestCombineRefuses(t *testing.T) {
	four := make([]byte, 4)
	for _, tc := range []struct {
		alg  Algorithm
		a, b []byte
		n    int64
	}{{SHA256, make([]byte, 32), make([]byte, 32), 1}, {None, nil, nil, 1}, {CRC32, four, four[:3], 1}, {CRC32, four[:2], four, 1}, {CRC32, four, four, -1}, {CRC32, four, nil, 0}} {
		if got, err := Combine(tc.alg, tc.a, tc.b, tc.n); err == nil {
			t.Errorf("Combine(%v, %x, %x, %d) = %x", tc.alg, tc.a, tc.b, tc.n, got)
		}
	}
}

// FuzzCombine: cutting a body anywhere and combining gives the checksum of the whole.
func FuzzCombine(f *testing.F) {
	f.Add([]byte("123456789"), uint(4))
	f.Add([]byte{}, uint(0))
	f.Add(bytes.Repeat([]byte("x"), 5000), uint(4999))
	f.Fuzz(func(t *testing.T, data []byte, cut uint) {
		cut %= uint(len(data)) + 1
		for _, alg := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
			got, err := Combine(alg, sumOf(alg, data[:cut]), sumOf(alg, data[cut:]), int64(len(data))-int64(cut))
			if err != nil {
				t.Fatal(err)
			}
			if want := sumOf(alg, data); !bytes.Equal(got, want) {
				t.Fatalf("%s cut at %d: %x, want %x", alg, cut, got, want)
			}
		}
	})
}

// Lengths that no test can hash: combining is associative.
func TestCombineLong(t *testing.T) {
	for _, alg := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		a, b, c := sumOf(alg, []byte("a")), sumOf(alg, []byte("b")), sumOf(alg, []byte("c"))
		const nb, nc = 5<<40 + 12345, 1<<38 + 7
		ab, _ := Combine(alg, a, b, nb)
		left, _ := Combine(alg, ab, c, nc)
		bc, _ := Combine(alg, b, c, nc)
		right, _ := Combine(alg, a, bc, nb+nc)
		if !bytes.Equal(left, right) {
			t.Errorf("%s: (a+b)+c = %x, a+(b+c) = %x", alg, left, right)
		}
	}
}

func sumOf(alg Algorithm, data []byte) []byte {
	h := alg.New()
	h.Write(data)
	return h.Sum(nil)
}

// Every implementation of MD5 and every pair of algorithms gives what the plain hashes give,
// however the body is cut into writes, and a reused Hasher keeps nothing of its last body.
func TestHasher(t *testing.T) {
	for _, lanes := range []bool{false, true} {
		p := NewPool()
		size := int64(-1)
		if lanes {
			p.large.Store(laneMinStreams) // as if other large bodies were under way
			size = laneMinSize
		}
		rng := rand.New(rand.NewPCG(1, 2))
		data := make([]byte, 200<<10)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		for _, n := range []int{0, 1, 63, 64, 65, laneBuffer - 1, laneBuffer, laneBuffer + 1, 3*laneBuffer + 17, len(data)} {
			for _, a := range append(Algorithms(), None) {
				b := Algorithm(rng.IntN(int(numAlgorithms)))
				h := p.Get(size, a, b)
				if lanes != (h.lane != nil) {
					t.Fatalf("lane in use: %v, want %v", h.lane != nil, lanes)
				}
				for rest := data[:n]; len(rest) > 0; {
					k := min(len(rest), 1+rng.IntN(1+rng.IntN(70<<10)))
					h.Write(rest[:k])
					rest = rest[k:]
				}
				if h.MD5() != md5.Sum(data[:n]) || h.Len() != int64(n) {
					t.Fatalf("MD5 of %d bytes wrong, lanes %v", n, lanes)
				}
				for _, alg := range []Algorithm{a, b, MD5} {
					if alg != None && !bytes.Equal(h.Sum(alg), sumOf(alg, data[:n])) {
						t.Fatalf("%s of %d bytes (%s, %s) wrong", alg, n, a, b)
					}
				}
				if h.Sum(None) != nil {
					t.Fatal("Sum(None) is not nil")
				}
				p.Put(h)
			}
		}
		p.Close()
	}
}

// An upload that breaks off in mid-body must leave its lane clean for the next.
func TestHasherAbandoned(t *testing.T) {
	p := NewPool()
	defer p.Close()
	p.large.Store(laneMinStreams)
	data := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	for range 2 * laneHashes {
		h := p.Get(laneMinSize, None, None)
		h.Write(data)
		p.Put(h)
		h = p.Get(laneMinSize, None, None)
		h.Write(data[:100])
		if h.MD5() != md5.Sum(data[:100]) {
			t.Fatal("a reused lane remembers an abandoned body")
		}
		p.Put(h)
	}
	if p.made != 1 || p.large.Load() != laneMinStreams {
		t.Errorf("%d lanes made, %d bodies counted", p.made, p.large.Load())
	}
}

func TestHasherConcurrent(t *testing.T) {
	p := NewPool()
	defer p.Close()
	data := bytes.Repeat([]byte("0123456789abcdef"), laneMinSize/16)
	want := md5.Sum(data)
	var wg sync.WaitGroup
	for range 3 * laneHashes { // more than there are lanes, and than md5-simd has buffers
		wg.Go(func() {
			h := p.Get(laneMinSize, CRC32, None)
			defer p.Put(h)
			for rest := data; len(rest) > 0; rest = rest[min(len(rest), 5000):] {
				h.Write(rest[:min(len(rest), 5000)])
			}
			if h.MD5() != want {
				t.Error("wrong MD5 under concurrency")
			}
		})
	}
	wg.Wait()
	if p.large.Load() != 0 {
		t.Errorf("%d large bodies counted after the last", p.large.Load())
	}
}

// A Hasher without MD5 has the other checksums, and the next body has its MD5 again.
func TestHasherBare(t *testing.T) {
	p := NewPool()
	defer p.Close()
	data := []byte("some content")
	for _, a := range Algorithms() {
		h := p.GetBare(a, None)
		h.Write(data)
		if h.Bare() == (a == MD5) || h.Len() != int64(len(data)) || !bytes.Equal(h.Sum(a), sumOf(a, data)) {
			t.Errorf("%s: bare %v, %d bytes, %x", a, h.Bare(), h.Len(), h.Sum(a))
		}
		p.Put(h)
		if h = p.Get(-1, a, None); h.Bare() {
			t.Errorf("%s: the next body has no MD5", a)
		}
		h.Write(data)
		if h.MD5() != md5.Sum(data) {
			t.Errorf("%s: the next body has a wrong MD5", a)
		}
		p.Put(h)
	}
}

func TestHasherAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops entries at random under the race detector")
	}
	p := NewPool()
	defer p.Close()
	data := make([]byte, 4096)
	if n := testing.AllocsPerRun(100, func() {
		h := p.Get(4096, CRC32, SHA256)
		h.Write(data)
		h.MD5()
		h.Sum(CRC32)
		h.Sum(SHA256)
		p.Put(h)
	}); n >= 1 {
		t.Errorf("%v allocations a body, want none", n)
	}
}

func BenchmarkHasher(b *testing.B) {
	p := NewPool()
	defer p.Close()
	data := make([]byte, 64<<10)
	for _, alg := range append([]Algorithm{None}, Algorithms()...) {
		b.Run("MD5+"+alg.String(), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				h := p.Get(int64(len(data)), alg, None)
				h.Write(data)
				h.MD5()
				p.Put(h)
			}
		})
	}
}

func BenchmarkCombine(b *testing.B) {
	for _, alg := range []Algorithm{CRC32, CRC64NVME} {
		b.Run(alg.String(), func(b *testing.B) {
			a, c := sumOf(alg, []byte("a")), sumOf(alg, []byte("c"))
			b.ReportAllocs()
			for b.Loop() {
				a, _ = Combine(alg, a, c, 5<<20+1)
			}
		})
	}
}
