package madmin

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"
)

// TestSealRoundTrip: every size around the borders of packets opens to itself with its secret,
// and with no other; no byte may be changed, none left off or added (S-056).
func TestSealRoundTrip(t *testing.T) {
	s, ctx := cheapSealer(), t.Context()
	for _, n := range []int{0, 1, packetSize - 1, packetSize, packetSize + 1, 2 * packetSize, 3*packetSize + 5} {
		data := bytes.Repeat([]byte{byte(n), 7}, n/2+1)[:n]
		sealed, err := s.seal(ctx, "secret", data)
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(n) + sealOverhead(int64(n)); int64(len(sealed)) != want {
			t.Errorf("%d bytes are %d sealed, want %d", n, len(sealed), want)
		}
		if got, err := s.open(ctx, "secret", bytes.Clone(sealed)); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		refused := func(what, secret string, b []byte) {
			t.Helper()
			if _, err := s.open(ctx, secret, b); !errors.Is(err, errSealed) {
				t.Errorf("%d bytes, %s: %v", n, what, err)
			}
		}
		refused("wrong secret", "Secret", bytes.Clone(sealed))
		refused("cut", "secret", bytes.Clone(sealed[:len(sealed)-1]))
		refused("longer", "secret", append(bytes.Clone(sealed), 0))
		refused("header only", "secret", sealed[:headerSize])
		if n > packetSize {
			refused("cut between packets", "secret", bytes.Clone(sealed[:headerSize+packetSize+tagSize]))
		}
		for range 3 {
			changed := bytes.Clone(sealed)
			changed[rand.IntN(len(changed))] ^= 1 << rand.IntN(8)
			refused("changed", "secret", changed)
		}
	}
}

// TestSealDefault: what the server seals is what clients open: Argon2id and AES-256-GCM.
func TestSealDefault(t *testing.T) {
	s := newSealer()
	sealed, err := s.seal(t.Context(), "secret", []byte("text"))
	if err != nil || sealed[saltSize] != argon2AESGCM {
		t.Fatalf("%x %v", sealed, err)
	}
	if got, err := s.open(t.Context(), "secret", sealed); err != nil || string(got) != "text" {
		t.Errorf("%q %v", got, err)
	}
}

// TestSealAlgorithms opens bodies of all three algorithms. They were made with the client in mc
// for the secret "vector-secret".
func TestSealAlgorithms(t *testing.T) {
	for name, sealed := range sealVectors {
		data, err := hex.DecodeString(sealed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := newSealer().open(t.Context(), "vector-secret", data)
		if err != nil || string(got) != "what mc sends: "+name {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// TestSealWaits: a request that is given up does not wait for a key.
func TestSealWaits(t *testing.T) {
	s := newSealer()
	for range concurrentKeys {
		s.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.seal(ctx, "secret", nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// FuzzOpen: whatever is sent, it opens only when it was sealed; nothing panics. The algorithm
// is the one that needs no 64 MiB.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("some text"), []byte{1}, uint(50))
	f.Add([]byte{}, []byte{}, uint(0))
	f.Fuzz(func(t *testing.T, data, noise []byte, at uint) {
		if len(noise) > 1<<16 {
			return
		}
		s := cheapSealer()
		sealed, err := s.seal(t.Context(), "secret", data)
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Clone(sealed)
		i := int(at % uint(len(sent)+1))
		sent = append(sent[:i], append(bytes.Clone(noise), sent[min(len(sent), i+len(noise)):]...)...)
		if len(sent) > saltSize && sent[saltSize] != pbkdf2AESGCM {
			return
		}
		got, err := s.open(t.Context(), "secret", bytes.Clone(sent))
		if same := bytes.Equal(sent, sealed); same != (err == nil) || same && !bytes.Equal(got, data) {
			t.Fatalf("sealed as sent: %v, error %v", same, err)
		}
	})
}

// sealVectors are bodies by what they are encrypted with.
var sealVectors = map[string]string{
	"Argon2id and AES-256-GCM":       "b4a8c6165c93e535dbecc61d734a735c80598d0ea99cac9486d0ca966d5e791100b9f7c462c0a88684f2b12f5564a0104c93ae12beedcd4eec66c48da6f78fff9848e0931edf3108830985d2884e79bd94e2dada9969c07fcd442a0f5cb91323",
	"Argon2id and ChaCha20-Poly1305": "126793c6114675f5edfafe0f0240e2184ff83c3321eaca79f83c14e1db765fd801c97827589640ea1a8e42f9bf40401949ab4dbfc4382434c3994777471dbf23487ab54488e18f96c2e81ee1b9b4b9f9bc7c184aa00b5819e5959cc477708e0538b35ceb163c",
	"PBKDF2 and AES-256-GCM":         "126793c6114675f5edfafe0f0240e2184ff83c3321eaca79f83c14e1db765fd8029a488e632cc22007a94adf07a5a4750bdd3a80545eb6688a5216d08feee6be4f8d02265ce0119c25e9971238a10aeaf6db7a0587df3e4badacf129f477",
}
