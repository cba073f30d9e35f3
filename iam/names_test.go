package iam

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for s, ok := range map[string]bool{
		"abc": true, "AKIAIOSFODNN7EXAMPLE": true, "a.b@c+d-e_f": true, strings.Repeat("a", 128): true,
		"": false, "ab": false, strings.Repeat("a", 129): false, "a b": false, "a/b": false, "a=b": false, "a,b": false,
		"a\nb": false, "a*b": false, "äbc": false, "...": false, "a${b}": false, "a:b": false,
	} {
		if (CheckAccessKey(s) == nil) != ok {
			t.Errorf("access key %q: %v", s, CheckAccessKey(s))
		}
	}
	for s, ok := range map[string]bool{
		"12345678": true, "with a space": true, strings.Repeat("a", 128): true, "a/+=!~\"'": true,
		"1234567": false, strings.Repeat("a", 129): false, " leading space": false, "trailing space ": false,
		"tab\tinside": false, "umlaut ä inside": false, "nul\x00inside": false,
	} {
		if (CheckSecret(s) == nil) != ok {
			t.Errorf("secret %q: %v", s, CheckSecret(s))
		}
	}
	for s, ok := range map[string]bool{"p": true, "a=b": true, "a,b": false, "": false, "a/b": false, "..": false, "a b": false} {
		if (CheckPolicyName(s) == nil) != ok {
			t.Errorf("policy %q: %v", s, CheckPolicyName(s))
		}
	}
}

func TestGenerated(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		for _, v := range []string{NewAccessKeyName(), NewSecret(), newID(userID), newAccount()} {
			if seen[v] {
				t.Fatalf("%q twice", v)
			}
			seen[v] = true
		}
		if CheckAccessKey(NewAccessKeyName()) != nil || CheckSecret(NewSecret()) != nil || CheckAccount(newAccount()) != nil || len(newID(userID)) != 21 {
			t.Fatal("a generated value is not valid")
		}
		if WeakSecret(NewAccessKeyName(), NewSecret()) != "" {
			t.Fatal("a generated secret is weak")
		}
	}
}

func TestWeakSecret(t *testing.T) {
	for _, tt := range []struct {
		user, secret string
		weak         bool
	}{
		{"minioadmin", "minioadmin", true}, {"x", "MinioAdmin", true}, {"alice", "alice", true}, {"alicealice", "AliceAlice", true},
		{"administrator1", "administrator123", true}, {"root", "password", true}, {"root", "shortone", true},
		{"root", "aaaaaaaaaaaaaaaaaaaa", true}, {"root", "ababababababababab", true}, {"root", "changeme123", true},
		{"root", "correct horse battery staple", false}, {"root", "Tr0ub4dor&3x9q", false}, {"", "correct horse battery", false},
	} {
		if got := WeakSecret(tt.user, tt.secret); (got != "") != tt.weak {
			t.Errorf("%q of %q: %q", tt.secret, tt.user, got)
		}
	}
}

// TestTrie compares random changes with a map, and checks that old versions stay as they were.
func TestTrie(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	tr, model := newTrie[int](), map[string]int{}
	check := func(tr trie[int], model map[string]int) {
		t.Helper()
		n := 0
		tr.all(func(k string, v int) bool {
			if w, ok := model[k]; !ok || v != w {
				t.Fatalf("%q is %d, want %d, %v", k, v, w, ok)
			}
			n++
			return true
		})
		if n != len(model) || tr.n != n {
			t.Fatalf("%d entries, counted %d, want %d", n, tr.n, len(model))
		}
	}
	var old trie[int]
	oldModel := map[string]int{}
	for i := range 20000 {
		k := strconv.Itoa(rnd.IntN(1500))
		if rnd.IntN(5) < 2 {
			tr = tr.without(k)
			delete(model, k)
		} else {
			tr = tr.with(k, i)
			model[k] = i
		}
		if v, ok := tr.get(k); ok != (model[k] != 0 || i == 0 && ok) || ok && v != model[k] {
			t.Fatalf("get %q: %d, %v", k, v, ok)
		}
		if rnd.IntN(10) == 0 {
			if tr = tr.frozen(); rnd.IntN(2) == 0 {
				tr = tr.thawed()
			}
		}
		if i == 9999 {
			tr = tr.frozen()
			old = tr
			for k, v := range model {
				oldModel[k] = v
			}
		}
	}
	check(tr, model)
	check(old, oldModel)
	for k := range model {
		tr = tr.without(k)
	}
	check(tr, nil)
	if tr.root != nil {
		t.Error("an empty trie keeps nodes")
	}
}

// TestTrieCollisions drives the lists at the end of equal hashes.
func TestTrieCollisions(t *testing.T) {
	var root *node[int]
	for i := range 5 {
		var added bool
		if root, added = root.with(slot[int]{key: strconv.Itoa(i), hash: 42, value: i}, 0, nil); !added {
			t.Fatal("not added")
		}
	}
	tr := trie[int]{root: root, n: 5}
	n := 0
	tr.all(func(string, int) bool { n++; return true })
	if n != 5 {
		t.Fatalf("%d entries", n)
	}
	for i := range 5 {
		var removed bool
		if root, removed = root.without(strconv.Itoa(i), 42, 0); !removed {
			t.Fatal("not removed")
		}
	}
	if root != nil {
		t.Error("nodes are left")
	}
}
