package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

// table is that of tests.
func table() []Subsystem {
	return []Subsystem{
		{Name: "site", Description: "the site", Keys: []Key{
			{Name: "name", Type: "string", Description: "its name"},
			{Name: "region", Type: "string", Description: "its region", Check: func(v string) error {
				if strings.ContainsAny(v, " !") {
					return errors.New("not a region")
				}
				return nil
			}},
		}},
		{Name: "api", Description: "requests", Keys: []Key{{Name: "mode", Type: "boolean"}}},
	}
}

func newService(t *testing.T, overrides map[string]Override) (*Service, store.Store) {
	st := mem.Open()
	t.Cleanup(func() { st.Close() })
	return New(st, table(), overrides), st
}

func text(t *testing.T, s *Service, name string) string {
	t.Helper()
	out, err := s.Text(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSet(t *testing.T) {
	ctx := context.Background()
	for in, want := range map[string]string{
		"site region=eu":                                       "site name= region=eu \n",
		"  site   name=a   region=eu  ":                        "site name=a region=eu \n",
		"site:_ region=eu":                                     "site name= region=eu \n",
		"site: region=eu":                                      "site name= region=eu \n",
		`site region="eu" name='b c'`:                          "site name=\"b c\" region=eu \n",
		"site name=two words region=eu":                        "site name=\"two words\" region=eu \n",
		"site comment=why not=1 name=x":                        "",
		"site comment=why region=eu":                           "site name= region=eu comment=why \n",
		"site name= region=eu":                                 "site name= region=eu \n",
		"# all\n\nsite region=eu\n# api mode=x\nsite name=z\n": "site name=z region=eu \n",
		"site region=":                                         "site name= region= \n",
	} {
		s, _ := newService(t, nil)
		err := s.Set(ctx, in)
		if want == "" {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%q: %v", in, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		got := text(t, s, "site")
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		// What is told can be set again.
		if err := s.Replace(ctx, got); err != nil || text(t, s, "site") != got {
			t.Errorf("%q can't be set again: %v", got, err)
		}
	}
}

// TestRefused: nothing is written of a text with a mistake.
func TestRefused(t *testing.T) {
	ctx := context.Background()
	s, st := newService(t, nil)
	if err := s.Set(ctx, "site region=eu name=n"); err != nil {
		t.Fatal(err)
	}
	before, err := st.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]error{
		"": ErrInvalid, "  \n# x\n": ErrInvalid, "site": ErrInvalid, "nosuch a=b": ErrInvalid, "site regoin=us": ErrInvalid, "site region": ErrInvalid,
		"site =x": ErrInvalid, "site region=a region=b": ErrInvalid, "site:other region=a": ErrInvalid, `site name="a`: ErrInvalid, `site name="a"b`: ErrInvalid,
		"site region=a!": ErrValue, `site name=a"b`: ErrValue, "site name=a\x00b": ErrValue, "site name=\xff": ErrInvalid,
		"site name=" + strings.Repeat("x", maxValue+1): ErrValue, "site name=" + strings.Repeat("x", MaxText): ErrInvalid,
		"site region=us\nnosuch a=b": ErrInvalid, "site region=us\napi mode=\"x": ErrInvalid, "SITE region=us": ErrInvalid,
	} {
		if err := s.Set(ctx, in); !errors.Is(err, want) {
			t.Errorf("set %.60q: %v", in, err)
		}
		if err := s.Replace(ctx, in); !errors.Is(err, want) {
			t.Errorf("replace %.60q: %v", in, err)
		}
	}
	if err := s.Replace(ctx, "site region=a\nsite name=b"); !errors.Is(err, ErrInvalid) {
		t.Errorf("two lines: %v", err)
	}
	for _, in := range []string{"", "nosuch", "site nosuch", "site:x"} {
		if err := s.Reset(ctx, in); !errors.Is(err, ErrInvalid) {
			t.Errorf("reset %q: %v", in, err)
		}
	}
	for _, id := range []string{"", "x", "../current", strings.Repeat("x", 2000)} {
		if err := s.Restore(ctx, id); !errors.Is(err, ErrNoHistory) {
			t.Errorf("restore %.40q: %v", id, err)
		}
		if err := s.Clear(ctx, id); !errors.Is(err, ErrNoHistory) {
			t.Errorf("clear %.40q: %v", id, err)
		}
	}
	after, err := st.List(ctx, "")
	if err != nil || after.Revision != before.Revision || len(after.Records) != len(before.Records) {
		t.Errorf("a refused change was written: %v, %v", after, err)
	}
}

func TestReplaceAndReset(t *testing.T) {
	ctx := context.Background()
	s, _ := newService(t, nil)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Set(ctx, "site region=eu name=n comment=c"))
	must(s.Set(ctx, "api mode=on"))
	if got, want := text(t, s, ""), "site name=n region=eu comment=c \napi mode=on \n"; got != want {
		t.Errorf("all: %q", got)
	}
	must(s.Reset(ctx, "site name"))
	if got, want := text(t, s, "site"), "site name= region=eu comment=c \n"; got != want {
		t.Errorf("a key reset: %q", got)
	}
	must(s.Reset(ctx, "site"))
	if got, want := text(t, s, ""), "site name= region= \napi mode=on \n"; got != want {
		t.Errorf("a sub-system reset: %q", got)
	}
	must(s.Replace(ctx, "site region=us"))
	if got, want := text(t, s, ""), "site name= region=us \napi mode= \n"; got != want {
		t.Errorf("replaced: %q", got)
	}
	v, err := s.Values(ctx)
	if err != nil || fmt.Sprint(v) != "map[site:map[region:us]]" {
		t.Errorf("values %v, %v", v, err)
	}
}

func TestOverrides(t *testing.T) {
	s, _ := newService(t, map[string]Override{"site region": {"--region", "here"}, "site name": {"MINIO_SITE_NAME", "n"}})
	if err := s.Set(context.Background(), "site region=eu"); err != nil {
		t.Fatal(err)
	}
	want := "# MINIO_SITE_NAME=n\n# by --region:\n# MINIO_SITE_REGION=here\nsite name= region=eu \n"
	if got := text(t, s, "site"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHistory(t *testing.T) {
	ctx := context.Background()
	s, _ := newService(t, nil)
	for i := range MaxHistory + 3 {
		if err := s.Set(ctx, fmt.Sprintf("site region=r%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.History(ctx, 0)
	if err != nil || len(all) != MaxHistory || all[0].Text != "site region=r3" {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	last, _ := s.History(ctx, 2)
	if len(last) != 2 || last[1].Text != fmt.Sprintf("site region=r%d", MaxHistory+2) {
		t.Errorf("last two: %v", last)
	}
	if err := s.Restore(ctx, all[0].ID); err != nil || text(t, s, "site") != "site name= region=r3 \n" {
		t.Errorf("restored: %v, %s", err, text(t, s, "site"))
	}
	if err := s.Restore(ctx, all[0].ID); !errors.Is(err, ErrNoHistory) {
		t.Errorf("restored twice: %v", err)
	}
	if err := s.Clear(ctx, all[1].ID); err != nil {
		t.Error(err)
	}
	if err := s.Clear(ctx, "all"); err != nil {
		t.Error(err)
	}
	if all, err = s.History(ctx, 0); err != nil || len(all) != 0 {
		t.Errorf("cleared: %v, %v", all, err)
	}
	if err := s.Clear(ctx, "all"); err != nil {
		t.Errorf("cleared twice: %v", err)
	}
}

// TestConcurrent: changes at the same time lose nothing.
func TestConcurrent(t *testing.T) {
	ctx := context.Background()
	s, _ := newService(t, nil)
	var wg sync.WaitGroup
	for _, in := range []string{"site region=eu", "site name=n", "api mode=on", "site comment=c"} {
		wg.Go(func() {
			if err := s.Set(ctx, in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := text(t, s, ""), "site name=n region=eu comment=c \napi mode=on \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHelp(t *testing.T) {
	s, _ := newService(t, nil)
	for _, tt := range []struct {
		sub, key  string
		variables bool
		want      string
	}{
		{"", "", false, "[site api]"}, {"site", "", false, "[name region comment]"}, {"site", "region", false, "[region]"}, {"site", "comment", false, "[comment]"},
		{"site", "", true, "[MINIO_SITE_NAME MINIO_SITE_REGION]"}, {"nosuch", "", false, "error"}, {"site", "nosuch", false, "error"},
	} {
		h, err := s.Help(tt.sub, tt.key, tt.variables)
		var names []string
		for _, k := range h.Keys {
			names = append(names, k.Name)
		}
		if got := fmt.Sprint(names); err == nil && got != tt.want || err != nil && (tt.want != "error" || !errors.Is(err, ErrInvalid)) {
			t.Errorf("%+v: %s, %v", tt, got, err)
		}
	}
}

// TestDamaged: settings that can't be read are not absent.
func TestDamaged(t *testing.T) {
	ctx := context.Background()
	for _, value := range []string{"", "x", `{"v":2}`} {
		s, st := newService(t, nil)
		if _, err := st.Commit(ctx, store.Change{Kind: kind, Name: nameCurrent, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Values(ctx); err == nil {
			t.Errorf("%q is read", value)
		}
		if err := s.Set(ctx, "site region=eu"); err == nil {
			t.Errorf("%q is overwritten", value)
		}
	}
}

// FuzzParse: a text that is taken can be told and set again, and means the same.
func FuzzParse(f *testing.F) {
	f.Add(`site region=eu name="a b" comment=x y`)
	f.Add("site name='a'\napi mode=on")
	f.Fuzz(func(t *testing.T, in string) {
		ctx := context.Background()
		st := mem.Open()
		defer st.Close()
		s := New(st, table(), nil)
		if s.Set(ctx, in) != nil {
			return
		}
		first := text(t, s, "")
		if err := s.Replace(ctx, first); err != nil {
			t.Fatalf("%q told as %q: %v", in, first, err)
		}
		if again := text(t, s, ""); again != first {
			t.Errorf("%q told as %q, then as %q", in, first, again)
		}
	})
}
