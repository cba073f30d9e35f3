package s3api

import (
	"context"
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
		l, r, next, err := e.s.Reseal(context.Background(), at)
		if err != nil {
			e.t.Fatal(err)
		}
		looked, resealed = looked+l, resealed+r
		if next == (ResealPlace{}) {
			return looked, resealed
		}
		at = next
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
