package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// TestPrefixUsage: keys are counted below the next slash, within bounds that are told.
func TestPrefixUsage(t *testing.T) {
	b := mem.New(mem.Options{})
	t.Cleanup(func() { b.Close() })
	ctx := t.Context()
	if err := b.CreateBucket(ctx, storage.Bucket{Name: "bkt"}); err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"a", "a!", "a/1", "a/b/2", "a0", "b/", "b//x", "c/1", "c/2", "c/3", "d"} {
		body := bytes.Repeat([]byte("x"), i+1)
		if _, err := b.PutObject(ctx, storage.PutInput{Bucket: "bkt", Key: key, Body: bytes.NewReader(body), Size: int64(len(body)), Digest: noDigest}); err != nil {
			t.Fatal(err)
		}
	}
	line := func(u adminapi.PrefixUsage) string {
		var b strings.Builder
		fmt.Fprintf(&b, "%d/%d here %d/%d", u.Objects, u.Bytes, u.Here.Objects, u.Here.Bytes)
		for _, c := range u.Children {
			fmt.Fprintf(&b, " %s %d/%d", c.Prefix, c.Objects, c.Bytes)
			if c.Partly {
				b.WriteString("+")
			}
		}
		if u.Cut {
			b.WriteString(" cut " + u.Last)
		}
		return b.String()
	}
	never := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		prefix   string
		limit    int64
		deadline time.Time
		want     string
	}{
		{"", 1000, never, "11/66 here 4/19 a/ 2/7 b/ 2/13 c/ 3/27"},
		{"a", 1000, never, "5/15 here 3/8 a/ 2/7"},
		{"a/", 1000, never, "2/7 here 1/3 a/b/ 1/4"},
		{"b/", 1000, never, "2/13 here 1/6 b// 1/7"},
		{"c/", 1000, never, "3/27 here 3/27"},
		{"none", 1000, never, "0/0 here 0/0"},
		{"", 11, never, "11/66 here 4/19 a/ 2/7 b/ 2/13 c/ 3/27"},
		{"", 4, never, "4/10 here 2/3 a/ 2/7+ cut a/b/2"},
		{"", 5, never, "5/15 here 3/8 a/ 2/7 cut a0"},
		{"", 9, never, "9/45 here 3/8 a/ 2/7 b/ 2/13 c/ 2/17+ cut c/2"},
	} {
		u, err := prefixUsage(ctx, b, "bkt", tt.prefix, tt.limit, tt.deadline)
		if got := line(u); err != nil || got != tt.want || u.Counted != u.Objects {
			t.Errorf("%q, %d: %s, %v, want %s", tt.prefix, tt.limit, got, err, tt.want)
		}
	}
	if _, err := prefixUsage(ctx, b, "none", "", 10, never); err == nil {
		t.Error("no bucket, no error")
	}
	for i := range countPage + 1 {
		if _, err := b.PutObject(ctx, storage.PutInput{Bucket: "bkt", Key: fmt.Sprintf("many/%05d/x", i), Body: strings.NewReader("x"), Size: 1, Digest: noDigest}); err != nil {
			t.Fatal(err)
		}
	}
	if u, err := prefixUsage(ctx, b, "bkt", "many/", maxCounted, never); err != nil || u.Objects != countPage+1 || len(u.Children) != countPage+1 || u.Cut {
		t.Errorf("%d objects of %d children, %v", u.Objects, len(u.Children), err)
	}
	if u, err := prefixUsage(ctx, b, "bkt", "many/", maxCounted, time.Now().Add(-time.Second)); err != nil || u.Objects != countPage || !u.Cut || !u.Children[countPage-1].Partly {
		t.Errorf("behind the deadline: %d objects, cut %v, %v", u.Objects, u.Cut, err)
	}
}

// noDigest is that of content which nobody looks at.
func noDigest() storage.Digest { return storage.Digest{} }
