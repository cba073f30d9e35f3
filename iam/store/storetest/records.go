package storetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

func testPutGetDelete(t *testing.T, f Factory) {
	s := f.Open(t)
	wantAbsent(t, s, "user", "a")
	r1 := commit(t, s, put("user", "a", "1", 0))
	wantValue(t, s, "user", "a", "1", r1)
	wantAbsent(t, s, "use", "ra")
	wantAbsent(t, s, "policy", "a")
	r2 := commit(t, s, put("user", "a", "", r1))
	if r2 <= r1 {
		t.Fatalf("revision %d after %d", r2, r1)
	}
	wantValue(t, s, "user", "a", "", r2)
	commit(t, s, del("user", "a", r2))
	wantAbsent(t, s, "user", "a")
	commit(t, s, del("user", "a", store.Any))
	commit(t, s, del("user", "a", 0))
	r3 := commit(t, s, put("user", "a", "3", 0))
	wantValue(t, s, "user", "a", "3", r3)
}

func testNames(t *testing.T, f Factory) {
	s := f.Open(t)
	names := []string{"a", "A", "a ", "a/b", "../x", "a\x00b", "\xff\xfe", "ä", "\x00", string(make([]byte, store.MaxName))}
	for i, n := range names {
		commit(t, s, put("k", n, strconv.Itoa(i), 0))
	}
	for i, n := range names {
		r, err := s.Get(t.Context(), "k", n)
		if err != nil || string(r.Value) != strconv.Itoa(i) || r.Name != n {
			t.Errorf("name %q: %+v, %v", n, r, err)
		}
	}
}

func testList(t *testing.T, f Factory) {
	s := f.Open(t)
	if l, err := s.List(t.Context(), ""); err != nil || len(l.Records) != 0 {
		t.Fatalf("list of nothing: %+v, %v", l, err)
	}
	commit(t, s, put("user", "b", "ub", 0), put("key", "z", "kz", 0))
	last := commit(t, s, put("user", "a", "ua", 0), put("users", "a", "x", 0))
	tests := []struct{ kind, want string }{
		{"", "key/z=kz user/a=ua user/b=ub users/a=x "},
		{"user", "user/a=ua user/b=ub "},
		{"key", "key/z=kz "},
		{"use", ""},
	}
	for _, tt := range tests {
		l, err := s.List(t.Context(), tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range l.Records {
			got += r.Kind + "/" + r.Name + "=" + string(r.Value) + " "
		}
		if got != tt.want || l.Revision != last {
			t.Errorf("list %q: %q at %d, want %q at %d", tt.kind, got, l.Revision, tt.want, last)
		}
	}
}

func testLimits(t *testing.T, f Factory) {
	s := f.Open(t)
	long := string(make([]byte, store.MaxName+1))
	for _, c := range []store.Change{
		put("", "a", "", 0), put("user", "", "", 0), put("User", "a", "", 0), put("a/b", "a", "", 0),
		put("a\x00b", "a", "", 0), put("user", long, "", 0), {Kind: "user", Name: "a", Value: make([]byte, store.MaxValue+1)},
		{Op: 9, Kind: "user", Name: "a"},
	} {
		if _, err := s.Commit(t.Context(), c); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("commit of kind %q, name of %d bytes: %v", c.Kind, len(c.Name), err)
		}
	}
	if _, err := s.Get(t.Context(), "user", ""); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("get of an empty name: %v", err)
	}
	big := store.Change{Kind: "user", Name: "big", Value: make([]byte, store.MaxValue)}
	commit(t, s, big)
	if r, err := s.Get(t.Context(), "user", "big"); err != nil || len(r.Value) != store.MaxValue {
		t.Errorf("largest value: %d bytes, %v", len(r.Value), err)
	}
}

func testExpiry(t *testing.T, f Factory) {
	s := f.Open(t)
	soon := time.Now().Add(50 * time.Millisecond)
	later := time.Now().Add(time.Hour).Round(0)
	var changes []store.Change
	for i := range 100 {
		c := put("session", strconv.Itoa(i), "x", 0)
		c.Expires = soon
		changes = append(changes, c)
	}
	keep := put("session", "keep", "x", 0)
	keep.Expires = later
	old := put("session", "old", "x", 0)
	old.Expires = time.Unix(0, 0)
	rev := commit(t, s, append(changes, keep, old)...)
	wantAbsent(t, s, "session", "old")
	prolonged := put("session", "1", "y", rev)
	prolonged.Expires = later
	if _, err := s.Commit(t.Context(), prolonged); err != nil && time.Now().Before(soon) {
		t.Fatal(err)
	} else if err != nil {
		prolonged.Revision = 0
		commit(t, s, prolonged)
	}
	for time.Now().Before(soon) {
		time.Sleep(time.Until(soon))
	}
	wantAbsent(t, s, "session", "0")
	wantConflict(t, s, put("session", "2", "x", rev))
	commit(t, s, put("session", "2", "again", 0))
	for range 3 {
		commit(t, s, put("user", "a", "", store.Any))
	}
	l, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, r := range l.Records {
		got += r.Name + " "
		if r.Name == "keep" && !r.Expires.Equal(later) {
			t.Errorf("expiry %v, want %v", r.Expires, later)
		}
		if r.Name == "2" && !r.Expires.IsZero() {
			t.Errorf("expiry %v, want none", r.Expires)
		}
	}
	if got != "1 2 keep a " {
		t.Errorf("records %q", got)
	}
}

func testCopies(t *testing.T, f Factory) {
	s := f.Open(t)
	v := []byte("value")
	rev := commit(t, s, store.Change{Kind: "k", Name: "n", Value: v})
	v[0] = 'X'
	wantValue(t, s, "k", "n", "value", rev)
	r, _ := s.Get(t.Context(), "k", "n")
	r.Value[0] = 'Y'
	wantValue(t, s, "k", "n", "value", rev)
	l, _ := s.List(t.Context(), "")
	l.Records[0].Value[0] = 'Z'
	wantValue(t, s, "k", "n", "value", rev)
}
