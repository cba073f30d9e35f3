package main

import (
	"errors"
	"testing"
)

// The judgement has to be able to fail: each row is an answer about an object that holds "abc".
func TestSight(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		err    error
		good   bool
		errors int
	}{
		{"whole", 200, "abc", nil, true, 0},
		{"wrong byte", 200, "abd", nil, false, 0},
		{"short and complete", 200, "ab", nil, false, 0},
		{"long", 200, "abcd", nil, false, 0},
		{"cut", 200, "ab", errors.New("unexpected EOF"), true, 1},
		{"error", 500, "<Error>", nil, true, 1},
		{"absent", 404, "", nil, false, 0},
		{"denied", 403, "", nil, false, 0},
	} {
		s := &sight{}
		s.see("k", []byte("abc"), c.status, []byte(c.body), c.err)
		if good := s.verdict() == nil; good != c.good || s.errors != c.errors {
			t.Errorf("%s: verdict %v, %d errors", c.name, s.verdict(), s.errors)
		}
	}
}
