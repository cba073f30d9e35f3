package main

import (
	"io"
	"slices"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Setenv("PEERS", "a=http://127.0.0.1:1,k,s")
	c, err := parse([]string{"-rounds", "5", "-idle-time", "3s", "listscale", "idle"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.peers != "a=http://127.0.0.1:1,k,s" || c.rounds != 5 || c.idle != 3*time.Second || !slices.Equal(c.modes, []string{"listscale", "idle"}) {
		t.Errorf("%+v", *c)
	}
	if c, err = parse([]string{"-peers", "b=http://127.0.0.1:2,k,s"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if c.peers != "b=http://127.0.0.1:2,k,s" || !slices.Equal(c.modes, []string{"load"}) || c.conns != 16 {
		t.Errorf("%+v", *c)
	}
	if c, err = parse([]string{"-server", "none", "sessions"}, io.Discard); err != nil || !slices.Equal(c.modes, []string{"sessions"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"fast"},
		{"-conns", "0"},
		{"-rounds", "0"},
		{"-duration", "0s"},
		{"-keys", "1000", "listscale"},
		{"-server", "none", "restart"},
		{"-nonsense"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v accepted", args)
		}
	}
}
