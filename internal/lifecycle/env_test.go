package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// env is a runner over the model, with a clock that tests set; its rounds are called, not waited for.
type env struct {
	*testing.T
	storage.Backend
	*Runner
	now     time.Time
	jump    time.Duration // of the wall's clock alone
	removed []string

	announced int
	ended     []bool // whether each announcement was unknown
	deaf      error  // of announcements
}

// telling keeps what is told of removals.
type telling struct {
	*env
	list []Removal
}

func (a *telling) Removed(i int, _ string) {
	a.removed = append(a.removed, fmt.Sprintf("%s %s", a.list[i].Action, a.list[i].Object.Key))
}

func (a *telling) End(unknown bool) { a.ended = append(a.ended, unknown) }

func newEnv(t *testing.T) *env {
	e := &env{T: t, now: at(2, "12:00:00")}
	e.Backend = mem.New(mem.Options{Now: func() time.Time { return e.now.Add(e.jump) }})
	e.start(e.Backend)
	if err := e.Backend.CreateBucket(context.Background(), storage.Bucket{Name: "b"}); err != nil {
		t.Fatal(err)
	}
	return e
}

// start makes a runner, as the start of a server does.
func (e *env) start(b storage.Backend) {
	r, err := New(Config{
		Backend: b,
		Rules: func(b *storage.Bucket) (*Rules, error) {
			rules := new(Rules)
			return rules, json.Unmarshal(b.Docs[storage.DocLifecycle], rules)
		},
		Locked: func(o *storage.Object, now time.Time) (time.Time, bool) {
			if o.Props[storage.PropLegalHold] == "ON" {
				return time.Time{}, true
			}
			until, err := time.Parse(time.RFC3339, o.Props[storage.PropLockUntil])
			return until, err == nil && until.After(now)
		},
		Announce: func(_ context.Context, _ *storage.Bucket, list []Removal) (Announced, error) {
			if e.deaf != nil {
				return nil, e.deaf
			}
			e.announced += len(list)
			return &telling{e, list}, nil
		},
		Report: func(err error) { e.Errorf("reported: %v", err) },
		Now:    func() time.Time { return e.now.Add(e.jump) },
		Mono:   func() time.Duration { return e.now.Sub(at(1, "00:00:00")) },
	})
	if err != nil {
		e.Fatal(err)
	}
	e.Runner = r
	r.begin(context.Background())
}

func (e *env) versioned() {
	e.change(func(b *storage.Bucket) { b.Versioning = storage.VersioningEnabled })
}

func (e *env) change(f func(*storage.Bucket)) {
	e.Helper()
	if err := e.UpdateBucket(context.Background(), "b", func(b *storage.Bucket) error { f(b); return nil }); err != nil {
		e.Fatal(err)
	}
}

// rules gives the bucket rules, all of them enabled.
func (e *env) rules(list ...Rule) {
	e.Helper()
	for i := range list {
		list[i].Enabled = true
		if list[i].ID == "" {
			list[i].ID = fmt.Sprint("rule", i)
		}
	}
	doc, err := json.Marshal(Rules{List: list})
	if err != nil {
		e.Fatal(err)
	}
	e.change(func(b *storage.Bucket) { SetRules(b, doc) })
}

func (e *env) put(key, content string, tags ...storage.Tag) *storage.Object {
	e.Helper()
	return put(e, e.Backend, key, content, tags...)
}

func put(t testing.TB, b storage.Backend, key, content string, tags ...storage.Tag) *storage.Object {
	t.Helper()
	o, err := b.PutObject(context.Background(), storage.PutInput{Bucket: "b", Key: key, Body: bytes.NewReader([]byte(content)), Size: int64(len(content)),
		Meta: storage.Meta{Tags: tags}, Digest: func() storage.Digest { return storage.Digest{ETag: content} }})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (e *env) del(key string) {
	e.Helper()
	if _, err := e.DeleteObjects(context.Background(), "b", []storage.DeleteInput{{Key: key}}); err != nil {
		e.Fatal(err)
	}
}

// pass lets time pass, and has the runner do what is due.
func (e *env) pass(d time.Duration) time.Time {
	e.now = e.now.Add(d)
	return e.round(context.Background())
}

const oneDay = 24 * time.Hour

// keys are the versions in the bucket, as "key", "key old" and "key marker".
func (e *env) keys() string {
	e.Helper()
	page, err := e.ListVersions(context.Background(), storage.ListInput{Bucket: "b", Limit: 1000})
	if err != nil {
		e.Fatal(err)
	}
	var out []string
	for _, o := range page.Objects {
		s := o.Key
		if !o.Latest {
			s += " old"
		}
		if o.DeleteMarker {
			s += " marker"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (e *env) want(what, keys string) {
	e.Helper()
	if got := e.keys(); got != keys {
		e.Errorf("%s: %q, want %q", what, got, keys)
	}
}
