package seal

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// unproved is content of a store that also gives what it has not verified, here other bytes.
type unproved struct {
	stored
	bare []byte
	used *int // how often it has been asked so
}

func (u unproved) Bare(off, n int64) io.Reader {
	if u.used != nil {
		*u.used++
	}
	return stored{b: u.bare}.Range(off, n)
}

func (u unproved) Bytes() ([]byte, bool) { return nil, false }

// TestUnverified reads from a store that gives unverified bytes: those are taken as long as they prove themselves. What
// does not is read again verified, whose bytes or error count.
func TestUnverified(t *testing.T) {
	content := noise(5*segmentSize + 100)
	size := int64(len(content))
	key := testKey(1)
	piece := encode(t, content, Options{Key: key})
	p := Piece{Size: size, Stored: int64(len(piece))}
	for name, bare := range map[string][]byte{
		"sound":   piece,
		"header":  slicesConcat([]byte{9}, piece[1:]),
		"salt":    slicesConcat(piece[:9], []byte{^piece[9]}, piece[10:]),
		"segment": slicesConcat(piece[:sealedHeader+3*sealedSize+5], []byte{^piece[sealedHeader+3*sealedSize+5]}, piece[sealedHeader+3*sealedSize+6:]),
		"cut":     piece[:sealedHeader+2*sealedSize+5],
		"empty":   nil,
	} {
		var used, read int
		from := func(sound []byte, off int64) ([]byte, error) {
			return io.ReadAll(Open(unproved{stored{sound, &read}, bare, &used}, key, []Piece{p}).Range(off, size-off))
		}
		for _, off := range []int64{0, segmentSize + 5, 3 * segmentSize} {
			used, read = 0, 0
			got, err := from(piece, off)
			if err != nil || !bytes.Equal(got, content[off:]) {
				t.Errorf("%s: %d bytes from %d, error %v", name, len(got), off, err)
			}
			if used == 0 || name == "sound" && read != 0 {
				t.Errorf("%s: asked %d times for unverified bytes, read %d verified ones", name, used, read)
			}
		}
		if got, err := from(nil, 0); name != "sound" && (!errors.Is(err, storage.ErrSize) || !bytes.HasPrefix(content, got)) {
			t.Errorf("%s, and nothing verified: %d bytes, error %v", name, len(got), err)
		}
	}
	// Without encryption nothing proves itself, and compression does not either.
	for _, o := range []Options{{}, {Compress: true}} {
		piece := encode(t, text(int(size)), o)
		var used int
		c := Open(unproved{stored{b: piece}, nil, &used}, nil, []Piece{{Size: size, Stored: int64(len(piece))}})
		if got, err := io.ReadAll(c.Range(0, size)); err != nil || !bytes.Equal(got, text(int(size))) || used != 0 {
			t.Errorf("compressed %v: %d bytes, error %v, asked %d times for unverified ones", o.Compress, len(got), err, used)
		}
	}
}
