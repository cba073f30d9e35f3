package lifecycle

import (
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Action is what becomes of a version or an upload.
type Action string

// The actions.
const (
	Expire           Action = "expire"            // the current version goes; where versions are kept it gets a delete marker
	ExpireAll        Action = "expire-all"        // a version goes for good together with all others of its key
	ExpireNoncurrent Action = "expire-noncurrent" // a noncurrent version goes for good
	RemoveMarker     Action = "remove-marker"     // a delete marker goes that has no versions below it
	AbortUpload      Action = "abort-upload"
)

// Actions lists them all.
func Actions() []Action {
	return []Action{Expire, ExpireAll, ExpireNoncurrent, RemoveMarker, AbortUpload}
}

// Verdict is what the rules ask for.
type Verdict struct {
	Action Action
	Rule   *Rule
	Due    int64 // the day on which it is due, see storage.DayOf
}

// Version is what has to be known of a version.
type Version struct {
	*storage.Object           // with its tags, where Rules.asksTags
	Since           time.Time // when it became noncurrent: when the next newer one was made
	Newer           int       // how many noncurrent versions with content are newer
	Alone           bool      // its key has no other version
}

// earlier keeps the verdict that is due first; of those of one day that which takes all versions.
func (v *Verdict) earlier(a Action, r *Rule, due int64) {
	if v.Rule == nil || due < v.Due || due == v.Due && a == ExpireAll && v.Action != ExpireAll {
		*v = Verdict{a, r, due}
	}
}

// after is the day on which something is due that a rule wants done days after t.
func after(t time.Time, days int, day time.Duration) int64 {
	return storage.DayOf(t, day) + int64(days) + 1
}

// Decide tells what the rules ask for of a version; ok is false for nothing. day is the length of a day.
func (rs *Rules) Decide(v *Version, day time.Duration) (out Verdict, ok bool) {
	rs.enabled(func(r *Rule) {
		if !r.matches(v.Object) {
			return
		}
		switch {
		case !v.Latest:
			r.noncurrentVersion(v, day, &out)
		case v.DeleteMarker:
			r.marker(v, day, &out)
		default:
			r.current(v.Object, day, &out)
		}
	})
	return out, out.Rule != nil
}

// current decides about a current version.
func (r *Rule) current(o *storage.Object, day time.Duration, out *Verdict) {
	a := Expire
	if r.AllVersions {
		a = ExpireAll
	}
	if r.Days > 0 {
		out.earlier(a, r, after(o.Modified, r.Days, day))
	}
	if !r.Date.IsZero() {
		out.earlier(a, r, r.onDate(o.Modified, day))
	}
	if r.AllDays > 0 {
		out.earlier(ExpireAll, r, after(o.Modified, r.AllDays, day))
	}
}

// onDate is the day of the rule's date, or for what came later the next midnight.
func (r *Rule) onDate(t time.Time, day time.Duration) int64 {
	if t.Before(r.Date) {
		return r.dateDay(day)
	}
	return after(t, 0, day)
}

// marker decides about a delete marker that is the latest version of its key.
func (r *Rule) marker(v *Version, day time.Duration, out *Verdict) {
	if r.MarkerDays > 0 {
		out.earlier(ExpireAll, r, after(v.Modified, r.MarkerDays, day))
	}
	if r.AllDays > 0 && r.AllMarkers {
		out.earlier(ExpireAll, r, after(v.Modified, r.AllDays, day))
	}
	if !v.Alone {
		return
	}
	if r.Marker {
		out.earlier(RemoveMarker, r, after(v.Modified, 0, day))
	}
	if r.Days > 0 {
		out.earlier(RemoveMarker, r, after(v.Modified, r.Days, day))
	}
	if !r.Date.IsZero() {
		out.earlier(RemoveMarker, r, r.onDate(v.Modified, day))
	}
}

// noncurrentVersion decides about a version or marker that is not the latest.
func (r *Rule) noncurrentVersion(v *Version, day time.Duration, out *Verdict) {
	if !r.noncurrent() || v.Newer < r.Newer {
		return
	}
	since := v.Since
	if v.Modified.After(since) { // the clock went back in between
		since = v.Modified
	}
	out.earlier(ExpireNoncurrent, r, after(since, r.NoncurrentDays, day))
}

// DecideUpload tells when an open upload is to be ended.
func (rs *Rules) DecideUpload(key string, begun time.Time, day time.Duration) (out Verdict, ok bool) {
	o := &storage.Object{Key: key}
	rs.enabled(func(r *Rule) {
		if r.AbortDays > 0 && !r.filtered() && r.matches(o) {
			out.earlier(AbortUpload, r, after(begun, r.AbortDays, day))
		}
	})
	return out, out.Rule != nil
}

// realDay is a day as headers tell it, whatever the days of the runner are.
const realDay = 24 * time.Hour

// Expiration tells when the current version o, with its tags, is to expire, and by which rule.
func (rs *Rules) Expiration(o *storage.Object) (due time.Time, rule string, ok bool) {
	if o.DeleteMarker {
		return due, "", false
	}
	v := Version{Object: o}
	current := *o
	current.Latest = true
	v.Object = &current
	out, ok := rs.Decide(&v, realDay)
	if !ok {
		return due, "", false
	}
	return dayTime(out.Due, realDay), out.Rule.ID, true
}

// Abort tells when an upload is to be ended, and by which rule.
func (rs *Rules) Abort(key string, begun time.Time) (due time.Time, rule string, ok bool) {
	out, ok := rs.DecideUpload(key, begun, realDay)
	if !ok {
		return due, "", false
	}
	return dayTime(out.Due, realDay), out.Rule.ID, true
}

// dayTime is the midnight with which a day begins, or the last day that can be written with four digits of a year.
func dayTime(n int64, day time.Duration) time.Time {
	last := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	if n > storage.DayOf(last, day) {
		return last
	}
	return time.UnixMilli(n * day.Milliseconds()).UTC()
}
