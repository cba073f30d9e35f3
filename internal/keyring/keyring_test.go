package keyring

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// saved keeps a ring's document.
type saved struct {
	doc  []byte
	fail error
}

func (s *saved) save(b []byte) error {
	if s.fail == nil {
		s.doc = bytes.Clone(b)
	}
	return s.fail
}

func (s *saved) open(root *Root) (*Ring, error) {
	return Open(Options{Document: s.doc, Save: s.save, Root: root})
}

func mustOpen(t *testing.T, s *saved, root *Root) *Ring {
	t.Helper()
	r, err := s.open(root)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testRoot(name string, fill byte) *Root {
	return &Root{Name: name, Key: bytes.Repeat([]byte{fill}, KeySize)}
}

var (
	ctx    = context.Background()
	secret = []byte("the key of an object, 32 bytes..")
	where  = []byte("bucket/key")
)

func TestSealedAgain(t *testing.T) {
	var s saved
	r := mustOpen(t, &s, nil)
	if r.Default() != DefaultName {
		t.Errorf("the default key is %q", r.Default())
	}
	if err := r.Create(ctx, "second"); err != nil {
		t.Fatal(err)
	}
	sealed := map[string][]byte{}
	for _, name := range []string{DefaultName, "second"} {
		b, err := r.Seal(ctx, name, secret, where)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, secret[:8]) {
			t.Fatal("the secret can be read")
		}
		sealed[name] = b
	}
	if err := r.Rotate(ctx, "second"); err != nil {
		t.Fatal(err)
	}
	newer, err := r.Seal(ctx, "second", secret, where)
	if err != nil {
		t.Fatal(err)
	}
	if r.Newest("second", sealed["second"]) || !r.Newest("second", newer) || !r.Newest(DefaultName, sealed[DefaultName]) {
		t.Error("Newest is wrong")
	}
	for _, r := range []*Ring{r, mustOpen(t, &s, nil), mustOpen(t, &s, testRoot("outside", 1)), mustOpen(t, &s, testRoot("outside", 1))} {
		for name, b := range map[string][]byte{DefaultName: sealed[DefaultName], "second": sealed["second"], "second ": newer} {
			got, err := r.Unseal(ctx, strings.TrimSpace(name), b, where)
			if err != nil || !bytes.Equal(got, secret) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// TestRefused changes everything that what is sealed depends on, and each of its bits.
func TestRefused(t *testing.T) {
	var s, other saved
	r := mustOpen(t, &s, nil)
	if err := r.Create(ctx, "second"); err != nil {
		t.Fatal(err)
	}
	b, err := r.Seal(ctx, DefaultName, secret, where)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key, where string
		want       error
	}{
		"another context": {DefaultName, "bucket/other", ErrWrongKey},
		"another key":     {"second", string(where), ErrNoKey}, // versions have ids of their own
		"no such key":     {"third", string(where), ErrNoKey},
	} {
		if got, err := r.Unseal(ctx, c.key, b, []byte(c.where)); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for i := range len(b) * 8 {
		m := bytes.Clone(b)
		m[i/8] ^= 1 << (i % 8)
		if got, err := r.Unseal(ctx, DefaultName, m, where); err == nil || got != nil {
			t.Fatalf("bit %d changed: %q", i, got)
		}
	}
	for i := range b {
		if got, err := r.Unseal(ctx, DefaultName, b[:i], where); err == nil || got != nil {
			t.Fatalf("cut to %d: %q", i, got)
		}
	}
	if _, err := mustOpen(t, &other, nil).Unseal(ctx, DefaultName, b, where); !errors.Is(err, ErrNoKey) {
		t.Errorf("a ring made anew: %v, want a message about the version", err)
	}
}

func TestNames(t *testing.T) {
	var s saved
	r := mustOpen(t, &s, testRoot("outside", 1))
	for _, name := range []string{"", "a b", "a/b", "ä", "a:b", strings.Repeat("x", maxName+1)} {
		if err := r.Create(ctx, name); !errors.Is(err, ErrName) {
			t.Errorf("Create %q: %v", name, err)
		}
	}
	for _, name := range []string{DefaultName, "outside"} {
		if err := r.Create(ctx, name); !errors.Is(err, ErrKeyExists) {
			t.Errorf("Create %q again: %v", name, err)
		}
	}
	for _, name := range []string{"outside", "absent"} {
		if err := r.Rotate(ctx, name); !errors.Is(err, ErrNoKey) {
			t.Errorf("Rotate %q: %v", name, err)
		}
	}
	if err := r.Create(ctx, "a.B_9-"); err != nil {
		t.Error(err)
	}
	list, err := r.List(ctx)
	var names []string
	for _, k := range list {
		names = append(names, k.Name)
	}
	if err != nil || !slices.Equal(names, []string{"a.B_9-", DefaultName, "outside"}) {
		t.Errorf("List: %q, %v", names, err)
	}
}

// TestRoot wraps the ring with a root key, which is then needed, by name and value.
func TestRoot(t *testing.T) {
	var s saved
	plain := mustOpen(t, &s, nil)
	k := plain.keys[DefaultName].Versions[0].Key
	if !bytes.Contains(s.doc, []byte(base64.StdEncoding.EncodeToString(k))) {
		t.Fatal("the test does not know how a key is stored")
	}
	r := mustOpen(t, &s, testRoot("outside", 1))
	if bytes.Contains(s.doc, []byte(base64.StdEncoding.EncodeToString(k))) {
		t.Error("a key lies in the clear beside a root key")
	}
	if r.Default() != "outside" {
		t.Errorf("the default key is %q", r.Default())
	}
	b, err := r.Seal(ctx, "outside", secret, where)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mustOpen(t, &s, testRoot("outside", 1)).Unseal(ctx, "outside", b, where); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unsealed %q, %v", got, err)
	}
	before := bytes.Clone(s.doc)
	for name, root := range map[string]*Root{"none": nil, "another": testRoot("outside", 2), "another name": testRoot("inside", 1)} {
		if _, err := s.open(root); !errors.Is(err, ErrRoot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !bytes.Equal(s.doc, before) {
		t.Error("a refused start has changed the keys")
	}
	var t2 saved
	mustOpen(t, &t2, nil)
	if _, err := t2.open(testRoot(DefaultName, 1)); !errors.Is(err, ErrKeyExists) {
		t.Errorf("a root key with the name of another: %v", err)
	}
}

// TestSaveFails changes nothing that could not be stored.
func TestSaveFails(t *testing.T) {
	var s saved
	r := mustOpen(t, &s, nil)
	s.fail = errors.New("disk full")
	if err := r.Create(ctx, "k"); !errors.Is(err, s.fail) {
		t.Errorf("Create: %v", err)
	}
	if _, err := r.Seal(ctx, "k", secret, where); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key that was not stored seals: %v", err)
	}
	if _, err := Open(Options{Save: s.save}); !errors.Is(err, s.fail) {
		t.Errorf("Open of a new ring: %v", err)
	}
}

func TestDamagedDocument(t *testing.T) {
	var s saved
	mustOpen(t, &s, nil)
	for _, doc := range []string{"", "{}", `{"format":2}`, `{"format":1,"keys":[{"name":"a/b"}]}`, `{"format":1,"keys":[{"name":"a","versions":[]}]}`,
		strings.Replace(string(s.doc), `"id": "`, `"id": "x`, 1), strings.Replace(string(s.doc), `"key": "`, `"key": "AAAA`, 1)} {
		if _, err := Open(Options{Document: []byte(doc), Save: s.save}); err == nil {
			t.Errorf("taken: %s", doc)
		}
	}
}

func TestParseRoot(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	if r, err := ParseRoot("my-key:" + good); err != nil || r.Name != "my-key" || len(r.Key) != 32 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, v := range []string{"", "my-key", good, ":" + good, "a/b:" + good, "k:" + good[:40], "k:***"} {
		if _, err := ParseRoot(v); err == nil {
			t.Errorf("taken: %q", v)
		}
	}
}
