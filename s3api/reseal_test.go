package s3api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
)

// resealAll goes through all pages.
func (e *env) resealAll() (looked, resealed int) {
	e.t.Helper()
	for at := (ResealPlace{}); ; {
		page, err := e.s.Reseal(context.Background(), at)
		if err != nil {
			e.t.Fatal(err)
		}
		if page.Failed > 0 {
			e.t.Fatal(page.First)
		}
		looked, resealed = looked+page.Looked, resealed+page.Resealed
		if at = page.Next; at == (ResealPlace{}) {
			return looked, resealed
		}
	}
}

// TestReseal rotates a key: old objects read before and after they are sealed anew, and no content is rewritten.
func TestReseal(t *testing.T) {
	e := newSealedEnv(t)
	ring := e.s.Keys.(*keyring.Ring)
	e.bucket("vers", storage.VersioningEnabled)
	for _, m := range sseModes() {
		e.must(200, "PUT", "/bkt/"+strings.ReplaceAll(m.name, " ", "-"), lines(5000), append(m.write, "X-Amz-Tagging: a=b")...)
	}
	const n = resealPage + 3
	for i := range n {
		e.must(200, "PUT", fmt.Sprintf("/vers/k%d", i%7), fmt.Sprint(i), sseModes()[1].write...)
	}
	e.must(204, "DELETE", "/vers/k0", "")
	if looked, resealed := e.resealAll(); looked != n+6 || resealed != 0 {
		t.Errorf("looked at %d, sealed %d anew before anything was rotated", looked, resealed)
	}
	before := e.content("s3")
	for _, key := range []string{keyring.DefaultName, "second"} {
		if err := ring.Rotate(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	stat := func() *storage.Object {
		o, err := e.s.Backend.StatObject(t.Context(), storage.Ref{Bucket: "bkt", Key: "s3"})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	old := stat()
	if looked, resealed := e.resealAll(); looked != n+6 || resealed != n+3 {
		t.Errorf("looked at %d, sealed %d anew, want %d and %d", looked, resealed, n+6, n+3)
	}
	fresh := stat()
	if old.Props[propSealing] == fresh.Props[propSealing] || !fresh.Modified.Equal(old.Modified) || fresh.ETag != old.ETag || len(fresh.Tags) != 1 {
		t.Errorf("from %+v to %+v", old, fresh)
	}
	if string(e.content("s3")) != string(before) {
		t.Error("the content was rewritten")
	}
	for _, m := range sseModes() {
		e.reads(strings.ReplaceAll(m.name, " ", "-"), lines(5000), m)
	}
	if a := e.must(200, "GET", "/vers/k1", ""); a.body == "" {
		t.Error("nothing read")
	}
	if _, resealed := e.resealAll(); resealed != 0 {
		t.Errorf("sealed %d anew for the second time", resealed)
	}
}

// leavingKeys are keys of a server that is asked for the last time after some questions.
type leavingKeys struct {
	Keys
	left int
}

func (k *leavingKeys) asked() error {
	if k.left--; k.left < 0 {
		return fmt.Errorf("%w: gone", keyring.ErrUnavailable)
	}
	return nil
}

func (k *leavingKeys) Seal(ctx context.Context, name string, secret, bound []byte) ([]byte, error) {
	if err := k.asked(); err != nil {
		return nil, err
	}
	return k.Keys.Seal(ctx, name, secret, bound)
}

func (k *leavingKeys) Unseal(ctx context.Context, name string, sealed, bound []byte) ([]byte, error) {
	if err := k.asked(); err != nil {
		return nil, err
	}
	return k.Keys.Unseal(ctx, name, sealed, bound)
}

// Newest of a server that can't be asked tells nothing.
func (k *leavingKeys) Newest(name string, sealed []byte) bool {
	return k.asked() == nil && k.Keys.Newest(name, sealed)
}

// TestResealInterrupted takes the key server away after each number of questions: the call ends with that, all
// objects read when it is back, and what is left is sealed anew then. An object whose key is lost stops nobody.
func TestResealInterrupted(t *testing.T) {
	e := newSealedEnv(t)
	ring := e.s.Keys.(*keyring.Ring)
	m := sseModes()[1]
	const n = 4
	for i := range n {
		e.must(200, "PUT", fmt.Sprintf("/bkt/k%d", i), lines(100), m.write...)
	}
	for questions := range 3*n + 1 {
		if err := ring.Rotate(t.Context(), keyring.DefaultName); err != nil {
			t.Fatal(err)
		}
		e.s.Keys = &leavingKeys{ring, questions}
		page, err := e.s.Reseal(t.Context(), ResealPlace{})
		if questions < 3*n && !errors.Is(err, keyring.ErrUnavailable) || questions == 3*n && err != nil || page.Resealed != questions/3 || page.Failed != 0 {
			t.Errorf("%d questions: %+v, %v", questions, page, err)
		}
		e.s.Keys = ring
		for i := range n {
			e.reads(fmt.Sprintf("k%d", i), lines(100), m)
		}
		if _, resealed := e.resealAll(); resealed != n-questions/3 {
			t.Errorf("%d questions: %d were left", questions, resealed)
		}
	}
	ref := storage.Ref{Bucket: "bkt", Key: "k1"}
	_, err := e.s.Backend.SetProps(t.Context(), ref, func(o *storage.Object) (map[string]string, error) {
		s, err := sealingOf(o.Props)
		if err != nil {
			return nil, err
		}
		s.KeyName = "lost"
		return s.in(cloneProps(o.Props))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(t.Context(), keyring.DefaultName); err != nil {
		t.Fatal(err)
	}
	page, err := e.s.Reseal(t.Context(), ResealPlace{})
	if err != nil || page.Looked != n || page.Resealed != n-1 || page.Failed != 1 || !strings.Contains(page.First.Error(), "bkt/k1: ") || !strings.Contains(page.First.Error(), "'lost'") {
		t.Errorf("with a lost key: %+v, %v", page, err)
	}
}
