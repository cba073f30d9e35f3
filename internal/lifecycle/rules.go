package lifecycle

import (
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// Rule is one rule. A number of days that is 0 means that the rule has no such action.
type Rule struct {
	ID      string
	Enabled bool

	// What the rule is for; all of it must hold.
	Prefix  string
	Tags    []storage.Tag
	Larger  *int64 // the size must be above it
	Smaller *int64 // and below this

	// Expiration.
	Days        int
	Date        time.Time // zero for none
	Marker      bool      // ExpiredObjectDeleteMarker
	AllVersions bool      // ExpiredObjectAllVersions: all versions go with the current one

	// NoncurrentVersionExpiration. Newer alone acts at the next midnight.
	NoncurrentDays int
	Newer          int // so many newer noncurrent versions stay

	AbortDays int // AbortIncompleteMultipartUpload

	MarkerDays int  // DelMarkerExpiration: all versions below a delete marker go with it
	AllDays    int  // AllVersionsExpiration: all versions go with the current one
	AllMarkers bool // also when that is a delete marker
}

// noncurrent tells whether the rule has an action for noncurrent versions.
func (r *Rule) noncurrent() bool { return r.NoncurrentDays > 0 || r.Newer > 0 }

// filtered tells whether the rule asks for more than a prefix.
func (r *Rule) filtered() bool { return len(r.Tags) > 0 || r.Larger != nil || r.Smaller != nil }

// matches tells whether the rule is for the version, whose tags must be filled when the rule has any. Delete markers
// have neither tags nor a size, so a rule that asks for them is not for markers.
func (r *Rule) matches(o *storage.Object) bool {
	if !strings.HasPrefix(o.Key, r.Prefix) || o.DeleteMarker && r.filtered() {
		return false
	}
	if r.Larger != nil && o.Size <= *r.Larger || r.Smaller != nil && o.Size >= *r.Smaller {
		return false
	}
	for _, t := range r.Tags {
		if !slices.Contains(o.Tags, t) {
			return false
		}
	}
	return true
}

// Rules are the rules of one bucket.
type Rules struct {
	List []Rule // also those that are disabled
}

// enabled gives the rules that count.
func (rs *Rules) enabled(use func(*Rule)) {
	for i := range rs.List {
		if rs.List[i].Enabled {
			use(&rs.List[i])
		}
	}
}

// asksTags tells whether a rule that may be for the key asks for tags.
func (rs *Rules) asksTags(key string) (yes bool) {
	rs.enabled(func(r *Rule) { yes = yes || len(r.Tags) > 0 && strings.HasPrefix(key, r.Prefix) })
	return yes
}

// aborts tells whether a rule ends uploads.
func (rs *Rules) aborts() (yes bool) {
	rs.enabled(func(r *Rule) { yes = yes || r.AbortDays > 0 })
	return yes
}

// delays returns the numbers of days after something was made on which anything may be due, in ascending order.
func (rs *Rules) delays() []int64 {
	var days []int64
	rs.enabled(func(r *Rule) {
		for _, n := range []int{r.Days, r.AllDays, r.AbortDays, r.NoncurrentDays, r.MarkerDays} {
			if n > 0 {
				days = append(days, int64(n))
			}
		}
		if r.Newer > 0 || r.Marker || !r.Date.IsZero() { // what is made now makes others due
			days = append(days, 0)
		}
	})
	slices.Sort(days)
	return slices.Compact(days)
}

// dateDay is the first day that does not begin before the rule's date.
func (r *Rule) dateDay(day time.Duration) int64 {
	d := storage.DayOf(r.Date, day)
	if r.Date.After(dayTime(d, day)) { // a day of tests is not one of the calendar
		d++
	}
	return d
}

// dates returns the days of the dates of rules.
func (rs *Rules) dates(day time.Duration) (list []int64) {
	rs.enabled(func(r *Rule) {
		if !r.Date.IsZero() {
			list = append(list, r.dateDay(day))
		}
	})
	return list
}
