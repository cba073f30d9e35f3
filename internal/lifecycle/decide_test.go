package lifecycle

import (
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// at is a time on a day of January 2030, which is day 21915 of all.
func at(day int, clock string) time.Time {
	t, err := time.Parse("15:04:05", clock)
	if err != nil {
		panic(err)
	}
	return time.Date(2030, 1, day, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func num(n int64) *int64 { return &n }

func TestDecide(t *testing.T) {
	noon := at(2, "12:00:00")
	current := func(o storage.Object) Version {
		o.Latest = true
		if o.Key == "" {
			o.Key = "logs/a"
		}
		if o.Modified.IsZero() {
			o.Modified = noon
		}
		return Version{Object: &o}
	}
	marker := func(alone bool) Version {
		v := current(storage.Object{DeleteMarker: true})
		v.Alone = alone
		return v
	}
	noncurrent := func(since time.Time, newer int) Version {
		v := current(storage.Object{Modified: at(1, "00:00:00")})
		v.Latest, v.Since, v.Newer = false, since, newer
		return v
	}
	for _, row := range []struct {
		name   string
		rule   Rule
		v      Version
		action Action // "" for nothing
		day    int    // of January
	}{
		{"days round up to midnight", Rule{Days: 3}, current(storage.Object{}), Expire, 6},
		{"what was made at midnight has a whole day more", Rule{Days: 1}, current(storage.Object{Modified: at(2, "00:00:00")}), Expire, 4},
		{"a second before midnight", Rule{Days: 1}, current(storage.Object{Modified: at(2, "23:59:59")}), Expire, 4},
		{"as late as can be", Rule{Days: 1<<31 - 1}, current(storage.Object{}), Expire, 0},
		{"another prefix", Rule{Days: 1, Prefix: "data/"}, current(storage.Object{}), "", 0},
		{"the prefix", Rule{Days: 1, Prefix: "logs/"}, current(storage.Object{}), Expire, 4},
		{"date to come", Rule{Date: at(9, "00:00:00")}, current(storage.Object{}), Expire, 9},
		{"date gone by", Rule{Date: at(1, "00:00:00")}, current(storage.Object{}), Expire, 3},
		{"size at the bound", Rule{Days: 1, Larger: num(10)}, current(storage.Object{Size: 10}), "", 0},
		{"size above", Rule{Days: 1, Larger: num(10), Smaller: num(12)}, current(storage.Object{Size: 11}), Expire, 4},
		{"size at the upper bound", Rule{Days: 1, Smaller: num(12)}, current(storage.Object{Size: 12}), "", 0},
		{"tags missing", Rule{Days: 1, Tags: []storage.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}},
			current(storage.Object{Tags: []storage.Tag{{Key: "a", Value: "1"}}}), "", 0},
		{"tags there", Rule{Days: 1, Tags: []storage.Tag{{Key: "a", Value: "1"}}},
			current(storage.Object{Tags: []storage.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}}), Expire, 4},
		{"all versions", Rule{Days: 1, AllVersions: true}, current(storage.Object{}), ExpireAll, 4},
		{"all versions, MinIO's other element", Rule{AllDays: 2}, current(storage.Object{}), ExpireAll, 5},
		{"that is not for markers", Rule{AllDays: 2}, marker(true), "", 0},
		{"unless it says so", Rule{AllDays: 2, AllMarkers: true}, marker(false), ExpireAll, 5},
		{"days are not for a marker above versions", Rule{Days: 1}, marker(false), "", 0},
		{"days remove a lone marker", Rule{Days: 1}, marker(true), RemoveMarker, 4},
		{"a lone marker", Rule{Marker: true}, marker(true), RemoveMarker, 3},
		{"a marker above versions", Rule{Marker: true}, marker(false), "", 0},
		{"a rule about tags is not for markers", Rule{Days: 1, Tags: []storage.Tag{{Key: "a", Value: "1"}}}, marker(true), "", 0},
		{"a rule about sizes is not for markers", Rule{Days: 1, Smaller: num(100)}, marker(true), "", 0},
		{"marker and all below", Rule{MarkerDays: 2}, marker(false), ExpireAll, 5},
		{"noncurrent since it was replaced", Rule{NoncurrentDays: 2}, noncurrent(at(5, "01:00:00"), 0), ExpireNoncurrent, 8},
		{"noncurrent in spite of its age", Rule{Days: 1}, noncurrent(at(5, "01:00:00"), 0), "", 0},
		{"the clock went back", Rule{NoncurrentDays: 2}, noncurrent(time.Unix(0, 0), 0), ExpireNoncurrent, 4},
		{"newer ones are too few", Rule{NoncurrentDays: 2, Newer: 2}, noncurrent(noon, 1), "", 0},
		{"newer ones are enough", Rule{NoncurrentDays: 2, Newer: 2}, noncurrent(noon, 2), ExpireNoncurrent, 5},
		{"newer alone", Rule{Newer: 2}, noncurrent(noon, 2), ExpireNoncurrent, 3},
		{"a current version is not noncurrent", Rule{NoncurrentDays: 1}, current(storage.Object{}), "", 0},
	} {
		row.rule.Enabled, row.rule.ID = true, "r"
		rules := Rules{List: []Rule{{ID: "off", Days: 1, NoncurrentDays: 1, Marker: true, MarkerDays: 1}, row.rule}}
		got, ok := rules.Decide(&row.v, realDay)
		if ok != (row.action != "") || got.Action != row.action {
			t.Errorf("%s: %t %+v", row.name, ok, got)
			continue
		}
		want := at(max(row.day, 1), "00:00:00")
		if row.day == 0 {
			want = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		}
		if ok && !dayTime(got.Due, realDay).Equal(want) {
			t.Errorf("%s: due %s, want January %d", row.name, dayTime(got.Due, realDay), row.day)
		}
	}
}

// TestPrecedence has several rules for one version.
func TestPrecedence(t *testing.T) {
	o := storage.Object{Key: "k", Latest: true, Modified: at(2, "12:00:00")}
	rules := Rules{List: []Rule{
		{ID: "late", Enabled: true, Days: 5}, {ID: "early", Enabled: true, Days: 2}, {ID: "same", Enabled: true, Days: 2},
		{ID: "all", Enabled: true, AllDays: 2}, {ID: "other", Enabled: true, Days: 1, Prefix: "x"},
	}}
	got, _ := rules.Decide(&Version{Object: &o}, realDay)
	if got.Rule == nil || got.Rule.ID != "all" || got.Action != ExpireAll {
		t.Errorf("all versions go on the day on which one would: %+v", got)
	}
	rules.List[3].AllDays = 3
	if got, _ = rules.Decide(&Version{Object: &o}, realDay); got.Rule.ID != "early" {
		t.Errorf("the rule that is due first: %+v", got)
	}
	due, id, ok := rules.Expiration(&o)
	if !ok || id != "early" || !due.Equal(at(5, "00:00:00")) {
		t.Error(due, id, ok)
	}
}

func TestAbort(t *testing.T) {
	rules := Rules{List: []Rule{{ID: "a", Enabled: true, AbortDays: 7, Prefix: "up/"}, {ID: "b", Enabled: true, AbortDays: 3, Prefix: "up/x"}, {ID: "c", AbortDays: 1}}}
	due, id, ok := rules.Abort("up/x", at(2, "12:00:00"))
	if !ok || id != "b" || !due.Equal(at(6, "00:00:00")) {
		t.Error(due, id, ok)
	}
	if _, _, ok := rules.Abort("x", at(2, "12:00:00")); ok {
		t.Error("a rule for another prefix")
	}
}

func TestDelays(t *testing.T) {
	rules := Rules{List: []Rule{{Enabled: true, Days: 3, NoncurrentDays: 2}, {Enabled: true, AbortDays: 7}, {Days: 1, Marker: true}, {Enabled: true, AllDays: 3}}}
	if got := rules.delays(); !slices.Equal(got, []int64{2, 3, 7}) {
		t.Error(got)
	}
	rules.List[0].Newer = 1
	if got := rules.delays(); !slices.Equal(got, []int64{0, 2, 3, 7}) {
		t.Error(got)
	}
}
