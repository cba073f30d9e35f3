package lifecycle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// naive is what the documentation says, version by version, in calendar days and without anything of the package: it
// returns the versions that must be gone on a day, each as its index in the list of a key's versions, newest first, or
// -1 for "the current one gets a delete marker".
func naive(rules []Rule, versions []storage.Object, now time.Time) (gone []int) {
	reached := func(t time.Time, days int) bool {
		y, m, d := t.UTC().Date()
		return !now.Before(time.Date(y, m, d+days+1, 0, 0, 0, 0, time.UTC))
	}
	add := func(i int) {
		if !slices.Contains(gone, i) {
			gone = append(gone, i)
		}
	}
	for _, r := range rules {
		for i, o := range versions {
			asks := len(r.Tags) > 0 || r.Larger != nil
			if !strings.HasPrefix(o.Key, r.Prefix) || asks && o.DeleteMarker {
				continue
			}
			if len(r.Tags) > 0 && !slices.Contains(o.Tags, r.Tags[0]) || r.Larger != nil && o.Size <= *r.Larger {
				continue
			}
			if i == 0 && !o.DeleteMarker {
				if r.Days > 0 && !r.AllVersions && reached(o.Modified, r.Days) {
					add(-1)
				}
				if r.Days > 0 && r.AllVersions && reached(o.Modified, r.Days) || r.AllDays > 0 && reached(o.Modified, r.AllDays) {
					for j := range versions {
						add(j)
					}
				}
			}
			if i == 0 && o.DeleteMarker {
				if r.MarkerDays > 0 && reached(o.Modified, r.MarkerDays) {
					for j := range versions {
						add(j)
					}
				}
				if len(versions) == 1 && (r.Marker && reached(o.Modified, 0) || r.Days > 0 && reached(o.Modified, r.Days)) {
					add(0)
				}
			}
			if i > 0 && (r.NoncurrentDays > 0 || r.Newer > 0) {
				newer := 0
				for _, v := range versions[1:i] {
					if !v.DeleteMarker {
						newer++
					}
				}
				if newer >= r.Newer && reached(versions[i-1].Modified, r.NoncurrentDays) {
					add(i)
				}
			}
		}
	}
	return gone
}

// after applies what naive says once.
func naiveAfter(rules []Rule, versions []storage.Object, now time.Time) []storage.Object {
	gone := naive(rules, versions, now)
	var left []storage.Object
	for i, o := range versions {
		if !slices.Contains(gone, i) {
			left = append(left, o)
		}
	}
	if slices.Contains(gone, -1) && !slices.Contains(gone, 0) {
		left = append([]storage.Object{{Key: versions[0].Key, DeleteMarker: true, Modified: now, VersionID: "new"}}, left...)
	}
	return left
}

// randomRule makes a rule that the documentation allows.
func randomRule(rnd *rand.Rand) Rule {
	r := Rule{Enabled: true, Prefix: []string{"", "a", "b"}[rnd.IntN(3)]}
	n := func() int { return 1 + rnd.IntN(4) }
	switch rnd.IntN(8) {
	case 0, 1:
		r.Days = n()
	case 2:
		r.NoncurrentDays = n()
	case 3:
		r.NoncurrentDays, r.Newer = n(), n()
	case 4:
		r.Marker, r.NoncurrentDays = true, n()
	case 5:
		r.Days, r.AllVersions = n(), true
	case 6:
		r.MarkerDays = n()
	case 7:
		r.AllDays = n()
	}
	if r.Marker || r.MarkerDays > 0 {
		return r
	}
	switch rnd.IntN(4) {
	case 0:
		r.Tags = []storage.Tag{{Key: "t", Value: "1"}}
	case 1:
		r.Larger = num(int64(rnd.IntN(3)))
	}
	return r
}

// TestAgainstNaive lets random things happen to a bucket with random rules. After each day nothing is left that the
// documentation says must be gone by then, and nothing is gone that it does not let go, also not step by step.
func TestAgainstNaive(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 60
	}
	for seed := range uint64(programs) {
		if program(t, rand.New(rand.NewPCG(seed, 7))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func program(t *testing.T, rnd *rand.Rand) {
	e := newEnv(t)
	if rnd.IntN(4) > 0 {
		e.versioned()
	}
	var rules []Rule
	setRules := func() {
		rules = nil
		for i := range 1 + rnd.IntN(3) {
			r := randomRule(rnd)
			r.ID = fmt.Sprint(i)
			rules = append(rules, r)
		}
		e.rules(rules...)
	}
	for range rnd.IntN(6) {
		e.happen(rnd)
		e.now = e.now.Add(time.Duration(rnd.Int64N(int64(2 * oneDay))))
	}
	setRules()
	e.pass(0)
	for range 15 {
		for range rnd.IntN(6) {
			e.happen(rnd)
			e.now = e.now.Add(time.Duration(rnd.Int64N(int64(oneDay / 3))))
		}
		switch rnd.IntN(12) {
		case 0:
			setRules()
		case 1:
			e.start(e.Backend)
		}
		if rnd.IntN(3) == 0 {
			continue // the runner sleeps over a day
		}
		e.now = e.now.Truncate(oneDay).Add(oneDay + time.Duration(1+rnd.IntN(1000))*time.Minute)
		before := e.byKey()
		e.pass(0)
		after := e.byKey()
		for key, versions := range before {
			e.compare(rules, key, versions, after[key])
		}
		if e.Failed() {
			e.Logf("rules %+v", rules)
			return
		}
	}
}

// happen does something to a random key.
func (e *env) happen(rnd *rand.Rand) {
	key := []string{"a", "a/b", "b", "a"}[rnd.IntN(4)]
	switch rnd.IntN(8) {
	default:
		var tags []storage.Tag
		if rnd.IntN(2) == 0 {
			tags = []storage.Tag{{Key: "t", Value: "1"}}
		}
		e.put(key, strings.Repeat("x", rnd.IntN(4)), tags...)
	case 5:
		e.del(key)
	case 6:
		if list := e.byKey()[key]; len(list) > 0 {
			o := list[rnd.IntN(len(list))]
			if _, err := e.DeleteObjects(e.Context(), "b", []storage.DeleteInput{{Key: key, Version: o.VersionID}}); err != nil {
				e.Fatal(err)
			}
		}
	case 7:
		if list := e.byKey()[key]; len(list) > 0 && !list[0].DeleteMarker {
			tags := []storage.Tag{{Key: "t", Value: fmt.Sprint(rnd.IntN(2))}}
			if _, err := e.SetTags(e.Context(), storage.Ref{Bucket: "b", Key: key, Version: list[0].VersionID}, tags); err != nil {
				e.Fatal(err)
			}
		}
	}
}

// byKey returns the versions of each key, with their tags.
func (e *env) byKey() map[string][]storage.Object {
	e.Helper()
	page, err := e.ListVersions(e.Context(), storage.ListInput{Bucket: "b", Limit: 1000})
	if err != nil {
		e.Fatal(err)
	}
	out := map[string][]storage.Object{}
	for _, o := range page.Objects {
		if !o.DeleteMarker {
			full, err := e.StatObject(e.Context(), storage.Ref{Bucket: "b", Key: o.Key, Version: o.VersionID})
			if err != nil {
				e.Fatal(err)
			}
			o.Tags = full.Tags
		}
		out[o.Key] = append(out[o.Key], o)
	}
	return out
}

// compare judges what a round has left of a key.
func (e *env) compare(rules []Rule, key string, before, after []storage.Object) {
	e.Helper()
	b, err := e.Bucket(e.Context(), "b")
	if err != nil {
		e.Fatal(err)
	}
	keeps := b.Versioning == storage.VersioningEnabled
	once := naiveAfter(rules, before, e.now)
	if !keeps && slices.Contains(naive(rules, before, e.now), -1) {
		once = nil
	}
	most := once
	for range 10 { // what was let go lets others go
		if !keeps || len(most) == 0 {
			break
		}
		most = naiveAfter(rules, most, e.now)
	}
	ids := func(list []storage.Object) map[string]bool {
		m := map[string]bool{}
		for _, o := range list {
			m[o.VersionID] = true
		}
		return m
	}
	left, must, may := ids(after), ids(once), ids(most)
	for _, o := range before {
		if left[o.VersionID] && !must[o.VersionID] {
			e.Errorf("%s: %q version %s of %s should be gone", e.now, key, o.VersionID, o.Modified)
		}
		if !left[o.VersionID] && may[o.VersionID] {
			e.Errorf("%s: %q version %s of %s should be there", e.now, key, o.VersionID, o.Modified)
		}
	}
	if must["new"] && keeps && (len(after) == 0 || !after[0].DeleteMarker) {
		e.Errorf("%s: %q has no delete marker", e.now, key)
	}
	if len(after) > len(before)+1 {
		e.Errorf("%s: %q has grown from %d to %d", e.now, key, len(before), len(after))
	}
}
