package record

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

func TestRoundTrip(t *testing.T) {
	for _, r := range []store.Record{
		{Kind: "k", Name: "n", Value: []byte{}},
		{Kind: strings.Repeat("k", store.MaxKind), Name: strings.Repeat("\x00", store.MaxName), Value: []byte("v"), Revision: 1<<64 - 1},
		{Kind: "session", Name: "ä/\xff", Value: make([]byte, store.MaxValue), Expires: time.Unix(1, 2)},
	} {
		v := Encode(&r)
		got, err := Decode(r.Kind, r.Name, v)
		if err != nil || got.Kind != r.Kind || got.Name != r.Name || !bytes.Equal(got.Value, r.Value) ||
			got.Revision != r.Revision || !got.Expires.Equal(r.Expires) {
			t.Errorf("%s/%.20q: %v", r.Kind, r.Name, err)
		}
		var d *store.DamageError
		if _, err := Decode(r.Kind, r.Name+"x", v); !errors.As(err, &d) || d.ClaimedName != r.Name || d.ClaimedKind != r.Kind {
			t.Errorf("under a foreign name: %v", err)
		}
	}
}

func TestNanos(t *testing.T) {
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ in, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Unix(0, 0), time.Unix(0, 1)}, // 0 is kept for no expiry
		{time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Unix(0, 1)},
		{time.Unix(5, 7), time.Unix(5, 7)},
		{far, time.Unix(0, 1<<63-1)},
	} {
		if got := fromNanos(Nanos(tt.in)); !got.Equal(tt.want) {
			t.Errorf("%v became %v, want %v", tt.in, got, tt.want)
		}
	}
}

// FuzzDecode reads bytes whose checksum is right: it finds damage, or the record of this
// place, which can be written again. With one bit flipped it always finds damage.
func FuzzDecode(f *testing.F) {
	sound, _ := Unseal(Encode(&store.Record{Kind: "k", Name: "n", Value: []byte("v"), Expires: time.Unix(1, 0)}))
	f.Add("k", "n", sound, uint(3))
	f.Add("k", "n", sound[:18], uint(0))
	f.Fuzz(func(t *testing.T, kind, name string, body []byte, bit uint) {
		v := Seal(bytes.Clone(body))
		r, err := Decode(kind, name, v)
		if err != nil {
			if !errors.Is(err, store.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if r.Kind != kind || r.Name != name {
			t.Fatalf("%s/%q in the place of %s/%q", r.Kind, r.Name, kind, name)
		}
		again, err := Decode(kind, name, Encode(&r))
		if err != nil || again.Revision != r.Revision || !bytes.Equal(again.Value, r.Value) || Nanos(again.Expires) != Nanos(r.Expires) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
		bit %= uint(len(v) * 8)
		v[bit/8] ^= 1 << (bit % 8)
		if _, err := Decode(kind, name, v); err == nil {
			t.Fatalf("bit %d is flipped", bit)
		}
	})
}
