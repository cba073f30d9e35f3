package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// traffic is what clients do while the move is on. Each worker has keys of its own, so that it knows what they hold.
type traffic struct {
	stopped chan struct{}
	wg      sync.WaitGroup
	rnd     *rand.Rand

	mu    sync.Mutex
	keys  map[place]*touched
	bad   []error
	reads int
	puts  int
	dels  int
	fails int // requests without an answer, while the server was killed
}

// touched is a key that traffic has changed: what has been done to it, the last first.
type touched struct {
	ops   []change
	doubt bool // the last change got no answer: it may have happened, and no other follows
}

type change struct {
	marker  bool   // a deletion
	content string // SHA-256
}

const trafficWorkers = 4

func (t *traffic) random() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rnd.Float64()
}

func (t *traffic) start(r *run) {
	t.stopped, t.keys, t.rnd = make(chan struct{}), map[place]*touched{}, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	var all []place
	for at := range r.history.versions {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b place) int { return bytes.Compare([]byte(a.bucket+a.key), []byte(b.bucket+b.key)) })
	client := r.server.Client(harness.Access, harness.Secret)
	for w := range trafficWorkers {
		var mine []place
		for i := w; i < len(all); i += trafficWorkers {
			mine = append(mine, all[i])
		}
		rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(w)))
		t.wg.Go(func() {
			for {
				select {
				case <-t.stopped:
					return
				case <-time.After(time.Duration(rnd.IntN(10)) * time.Millisecond):
					t.step(r, client, rnd, mine)
				}
			}
		})
	}
}

func (t *traffic) stop() { close(t.stopped); t.wg.Wait() }

// step does one thing to a key of the worker.
func (t *traffic) step(r *run, c *minio.Client, rnd *rand.Rand, mine []place) {
	at := mine[rnd.IntN(len(mine))]
	if rnd.IntN(20) == 0 {
		at.key = fmt.Sprintf("new/%d", rnd.IntN(1_000_000)*trafficWorkers)
		if t.of(at) != nil {
			return
		}
	}
	if k := t.of(at); k != nil && k.doubt {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, 60*time.Second)
	defer cancel()
	switch n := rnd.IntN(10); {
	case n < 6 || at.bucket == "locked":
		t.read(ctx, r, c, at)
	case n < 9:
		body := content(rnd.IntN(1_000_000_000), rnd.IntN(6000))
		sum := sha256.Sum256(body)
		t.begin(at, change{content: hex.EncodeToString(sum[:])})
		_, err := c.PutObject(ctx, at.bucket, at.key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
		t.end(at, "put", &t.puts, err)
	default:
		t.begin(at, change{marker: true})
		t.end(at, "delete", &t.dels, c.RemoveObject(ctx, at.bucket, at.key, minio.RemoveObjectOptions{}))
	}
}

func (t *traffic) of(at place) *touched {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys[at]
}

// begin notes a change before it is asked for.
func (t *traffic) begin(at place, c change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.keys[at]
	if k == nil {
		k = &touched{}
		t.keys[at] = k
	}
	k.ops = slices.Insert(k.ops, 0, c)
	k.doubt = true
}

func (t *traffic) end(at place, what string, count *int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*count++
	if err == nil {
		t.keys[at].doubt = false
		return
	}
	t.failed(at, what, err)
}

// failed notes a request that failed. Without an answer it is the kill's fault; any other error is wrong.
func (t *traffic) failed(at place, what string, err error) {
	t.fails++
	if e := minio.ToErrorResponse(err); e.Code != "" && e.StatusCode != 0 && e.StatusCode != 503 {
		t.bad = append(t.bad, fmt.Errorf("%s %v: %w", what, at, err))
	}
}

// read reads a key and compares it with what it must hold.
func (t *traffic) read(ctx context.Context, r *run, c *minio.Client, at place) {
	want := t.current(r, at)
	o, err := c.GetObject(ctx, at.bucket, at.key, minio.GetObjectOptions{})
	var sum string
	if err == nil {
		h := sha256.New()
		_, err = io.Copy(h, o)
		sum = hex.EncodeToString(h.Sum(nil))
		o.Close()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	switch missing := err != nil && minio.ToErrorResponse(err).Code == "NoSuchKey"; {
	case err != nil && !missing:
		t.failed(at, "get", err)
	case want == nil: // in doubt
	case want.marker != missing || !missing && want.content != sum:
		t.bad = append(t.bad, fmt.Errorf("get %v: missing %t, want missing %t; %s, want %s", at, missing, want.marker, sum, want.content))
	}
}

// current is what a key must hold, nil when that is in doubt.
func (t *traffic) current(r *run, at place) *change {
	k := t.of(at)
	switch {
	case k != nil && k.doubt:
		return nil
	case k != nil:
		return &k.ops[0]
	}
	list := r.history.versions[at]
	if len(list) == 0 || list[0].Marker {
		return &change{marker: true}
	}
	return &change{content: list[0].Content}
}

// left compares what is left of a key with what was there and what traffic did.
func (t *traffic) left(at place, was, is []version) error {
	k := t.of(at)
	if k == nil {
		return sameHistory(was, is)
	}
	switch at.bucket {
	case "plain":
		return leftPlain(k, was, is)
	case "suspended":
		return leftSuspended(k, was, is)
	}
	return leftVersioned(k, was, is)
}

// sameHistory wants every version as it was, in order.
func sameHistory(was, is []version) error {
	if len(was) != len(is) {
		return fmt.Errorf("%d versions, were %d", len(is), len(was))
	}
	for i := range was {
		if d := was[i].differs(&is[i]); d != "" {
			return fmt.Errorf("version %s: %s", was[i].ID, d)
		}
		if is[i].Latest != (i == 0) {
			return fmt.Errorf("version %s is latest: %t", is[i].ID, is[i].Latest)
		}
	}
	return nil
}

// holds wants a version to be what a change has made.
func (c *change) holds(v *version) error {
	if v.Marker != c.marker || v.Content != c.content {
		return fmt.Errorf("marker %t, content %s, want marker %t, content %s", v.Marker, v.Content, c.marker, c.content)
	}
	return nil
}

// leftPlain: the last change alone counts, or the one before when it is in doubt.
func leftPlain(k *touched, was, is []version) error {
	one := func(c *change) error {
		if c.marker {
			return sameHistory(nil, is)
		}
		if len(is) != 1 {
			return fmt.Errorf("%d versions where one was written", len(is))
		}
		return c.holds(&is[0])
	}
	err := one(&k.ops[0])
	if err != nil && k.doubt {
		if len(k.ops) > 1 {
			return one(&k.ops[1])
		}
		return sameHistory(was, is)
	}
	return err
}

// leftVersioned: every change is a version on top of what was.
func leftVersioned(k *touched, was, is []version) error {
	ops := k.ops
	if k.doubt && len(is) == len(was)+len(ops)-1 {
		ops = ops[1:] // it has not happened
	}
	if len(is) != len(was)+len(ops) {
		return fmt.Errorf("%d versions after %d changes of %d", len(is), len(ops), len(was))
	}
	for i := range ops {
		if err := ops[i].holds(&is[i]); err != nil {
			return fmt.Errorf("change %d: %w", len(ops)-i, err)
		}
	}
	return sameRest(was, is[len(ops):])
}

// leftSuspended: the last change is the null version, in the place of the one that was.
func leftSuspended(k *touched, was, is []version) error {
	rest := slices.DeleteFunc(slices.Clone(was), func(v version) bool { return v.ID == "null" })
	if k.doubt && len(k.ops) == 1 && sameHistory(was, is) == nil {
		return nil
	}
	if len(is) != len(rest)+1 || is[0].ID != "null" {
		return fmt.Errorf("%d versions, want %d with a null version first", len(is), len(rest)+1)
	}
	err := k.ops[0].holds(&is[0])
	if err != nil && k.doubt && len(k.ops) > 1 {
		err = k.ops[1].holds(&is[0])
	}
	return errors.Join(err, sameRest(rest, is[1:]))
}

// sameRest is sameHistory of what is not the latest any more.
func sameRest(was, is []version) error {
	for i := range was {
		if d := was[i].differs(&is[i]); d != "" {
			return fmt.Errorf("version %s: %s", was[i].ID, d)
		}
	}
	return nil
}

func (t *traffic) wrong() []error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bad[:min(len(t.bad), 20)]
}

func (t *traffic) summary() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d reads, %d writes, %d deletions on %d keys, %d without an answer", t.reads, t.puts, t.dels, len(t.keys), t.fails)
}
