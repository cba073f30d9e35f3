package s3api

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/storage"
)

// The limits of a lifecycle configuration (S3 user guide, "Lifecycle configuration elements").
const (
	maxLifecycleRules = 1000
	maxLifecycleID    = 255
	maxLifecycleDays  = 1<<31 - 1
)

// lifecycleConfiguration is the document of PutBucketLifecycleConfiguration, with MinIO's actions.
type lifecycleConfiguration struct {
	XMLName xml.Name        `xml:"LifecycleConfiguration"`
	Rules   []lifecycleRule `xml:"Rule"`
	// Updated is a note in MinIO's exports; it says nothing of what is to be done.
	Updated string     `xml:"ExpiryUpdatedAt"`
	Unknown []anything `xml:",any"`
}

// anything is an element that no field has taken.
type anything struct{ XMLName xml.Name }

type lifecycleRule struct {
	ID         string           `xml:"ID"`
	Status     string           `xml:"Status"`
	Prefix     *string          `xml:"Prefix"`
	Filter     *lifecycleFilter `xml:"Filter"`
	Expiration *struct {
		Days        *int64     `xml:"Days"`
		Date        *string    `xml:"Date"`
		Marker      *string    `xml:"ExpiredObjectDeleteMarker"`
		AllVersions *string    `xml:"ExpiredObjectAllVersions"`
		Unknown     []anything `xml:",any"`
	} `xml:"Expiration"`
	Noncurrent *struct {
		Days    *int64     `xml:"NoncurrentDays"`
		Newer   *int64     `xml:"NewerNoncurrentVersions"`
		Unknown []anything `xml:",any"`
	} `xml:"NoncurrentVersionExpiration"`
	Abort *struct {
		Days    *int64     `xml:"DaysAfterInitiation"`
		Unknown []anything `xml:",any"`
	} `xml:"AbortIncompleteMultipartUpload"`
	DelMarker *struct {
		Days    *int64     `xml:"Days"`
		Unknown []anything `xml:",any"`
	} `xml:"DelMarkerExpiration"`
	All *struct {
		Days    *int64     `xml:"Days"`
		Marker  *string    `xml:"DeleteMarker"`
		Unknown []anything `xml:",any"`
	} `xml:"AllVersionsExpiration"`
	Transitions []struct {
		Date    *string    `xml:"Date"`
		Unknown []anything `xml:",any"`
	} `xml:"Transition"`
	NoncurrentTransitions []struct{} `xml:"NoncurrentVersionTransition"`
	Unknown               []anything `xml:",any"`
}

type lifecycleFilter struct {
	Prefix  *string  `xml:"Prefix"`
	Tag     []xmlTag `xml:"Tag"`
	Larger  *int64   `xml:"ObjectSizeGreaterThan"`
	Smaller *int64   `xml:"ObjectSizeLessThan"`
	And     *struct {
		Prefix  *string    `xml:"Prefix"`
		Tags    []xmlTag   `xml:"Tag"`
		Larger  *int64     `xml:"ObjectSizeGreaterThan"`
		Smaller *int64     `xml:"ObjectSizeLessThan"`
		Unknown []anything `xml:",any"`
	} `xml:"And"`
	Unknown []anything `xml:",any"`
}

// parseLifecycle reads and judges a configuration. Rules without an ID get one from makeID.
func parseLifecycle(data []byte, makeID func() string) (*lifecycleConfiguration, *lifecycle.Rules, error) {
	var conf lifecycleConfiguration
	if err := decodeXML(data, &conf); err != nil {
		return nil, nil, err
	}
	if len(conf.Rules) == 0 || len(conf.Rules) > maxLifecycleRules || len(conf.Unknown) > 0 {
		return nil, nil, errorf("MalformedXML", "A lifecycle configuration has 1 to %d rules and nothing else.", maxLifecycleRules)
	}
	rules := &lifecycle.Rules{}
	seen := map[string]bool{}
	for i := range conf.Rules {
		r := &conf.Rules[i]
		if len(r.ID) > maxLifecycleID {
			return nil, nil, errorf("InvalidArgument", "ID length should not exceed allowed limit of %d", maxLifecycleID)
		}
		if r.ID == "" {
			r.ID = makeID()
		}
		if seen[r.ID] {
			return nil, nil, errorf("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule").with("ArgumentName", "ID").with("ArgumentValue", r.ID)
		}
		seen[r.ID] = true
		rule, err := r.compile()
		if err != nil {
			return nil, nil, err
		}
		rules.List = append(rules.List, rule)
	}
	return &conf, rules, nil
}

// compile judges a rule.
func (r *lifecycleRule) compile() (out lifecycle.Rule, err error) {
	out.ID = r.ID
	switch r.Status {
	case "Enabled":
		out.Enabled = true
	case "Disabled":
	default:
		return out, errorf("MalformedXML", "Status is Enabled or Disabled.")
	}
	if err := r.unknown(); err != nil {
		return out, err
	}
	if err := r.transitions(); err != nil {
		return out, err
	}
	if err := r.filter(&out); err != nil {
		return out, err
	}
	if err := r.expiration(&out); err != nil {
		return out, err
	}
	if err := r.others(&out); err != nil {
		return out, err
	}
	if r.Expiration == nil && r.Noncurrent == nil && r.Abort == nil && r.DelMarker == nil && r.All == nil {
		return out, errorf("InvalidRequest", "At least one action needs to be specified in a rule")
	}
	return out, nil
}

// unknown refuses what a rule has and nobody here knows: nothing is accepted and ignored.
func (r *lifecycleRule) unknown() error {
	var all []anything
	all = append(all, r.Unknown...)
	if f := r.Filter; f != nil {
		all = append(all, f.Unknown...)
		if f.And != nil {
			all = append(all, f.And.Unknown...)
		}
	}
	if r.Expiration != nil {
		all = append(all, r.Expiration.Unknown...)
	}
	if r.Noncurrent != nil {
		all = append(all, r.Noncurrent.Unknown...)
	}
	if r.Abort != nil {
		all = append(all, r.Abort.Unknown...)
	}
	if r.DelMarker != nil {
		all = append(all, r.DelMarker.Unknown...)
	}
	if r.All != nil {
		all = append(all, r.All.Unknown...)
	}
	if len(all) > 0 {
		return errorf("MalformedXML", "%s is no element of a lifecycle rule.", all[0].XMLName.Local)
	}
	return nil
}

// transitions refuses what moves data to another class: there is but one place where data can be.
func (r *lifecycleRule) transitions() error {
	for _, t := range r.Transitions {
		if t.Date != nil {
			if _, err := lifecycleDate(*t.Date); err != nil {
				return err
			}
		}
	}
	if len(r.Transitions) == 0 && len(r.NoncurrentTransitions) == 0 {
		return nil
	}
	name := "Transition"
	if len(r.Transitions) == 0 {
		name = "NoncurrentVersionTransition"
	}
	return errorf("NotImplemented", "%s is not implemented: this server keeps all objects in one place and has no other storage class to move them to. Leave it out of the rule.", name)
}

// filter reads which objects the rule is for.
func (r *lifecycleRule) filter(out *lifecycle.Rule) error {
	malformed := errorf("MalformedXML", "A rule has either a Prefix or a Filter, and a Filter at most one of Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan and And, which has two or more of them.")
	f := r.Filter
	if (f == nil) == (r.Prefix == nil) {
		return malformed
	}
	if f == nil {
		out.Prefix = *r.Prefix
		return checkKeyLength(out.Prefix)
	}
	n := len(f.Tag)
	for _, given := range []bool{f.Prefix != nil, f.Larger != nil, f.Smaller != nil, f.And != nil} {
		if given {
			n++
		}
	}
	if n > 1 {
		return malformed
	}
	prefix, tags, larger, smaller := f.Prefix, f.Tag, f.Larger, f.Smaller
	if a := f.And; a != nil {
		prefix, tags, larger, smaller = a.Prefix, a.Tags, a.Larger, a.Smaller
		n = len(tags)
		for _, given := range []bool{prefix != nil, larger != nil, smaller != nil} {
			if given {
				n++
			}
		}
		if n < 2 {
			return malformed
		}
	}
	if prefix != nil {
		out.Prefix = *prefix
	}
	out.Larger, out.Smaller = larger, smaller
	if larger != nil && *larger < 0 || smaller != nil && *smaller <= 0 || larger != nil && smaller != nil && *larger >= *smaller {
		return errorf("InvalidRequest", "ObjectSizeGreaterThan is not negative, ObjectSizeLessThan is positive and greater than ObjectSizeGreaterThan.")
	}
	if err := checkTags(tags, len(tags)); err != nil {
		return err
	}
	for _, t := range tags {
		out.Tags = append(out.Tags, storage.Tag{Key: t.Key, Value: t.Value})
	}
	return checkKeyLength(out.Prefix)
}

func checkKeyLength(prefix string) error {
	if len(prefix) > storage.MaxKey {
		return errorf("InvalidRequest", "The maximum size of a prefix is %d.", storage.MaxKey)
	}
	return nil
}

// positive reads a number of days that must be there.
func positive(n *int64, name, action string) (int, error) {
	if n == nil {
		return 0, errorf("MalformedXML", "%s has no %s.", action, name)
	}
	if *n <= 0 || *n > maxLifecycleDays {
		return 0, errorf("InvalidArgument", "'%s' for %s action must be a positive integer", name, action)
	}
	return int(*n), nil
}

// expiration reads what becomes of current versions and of lone delete markers.
func (r *lifecycleRule) expiration(out *lifecycle.Rule) (err error) {
	e := r.Expiration
	if e == nil {
		return nil
	}
	if out.Marker, err = lifecycleSwitch(e.Marker, "ExpiredObjectDeleteMarker"); err != nil {
		return err
	}
	if out.AllVersions, err = lifecycleSwitch(e.AllVersions, "ExpiredObjectAllVersions"); err != nil {
		return err
	}
	n := 0
	for _, given := range []bool{e.Days != nil, e.Date != nil, out.Marker} {
		if given {
			n++
		}
	}
	switch {
	case n != 1:
		return errorf("MalformedXML", "Expiration has one of Days, Date and ExpiredObjectDeleteMarker.")
	case out.Marker && (len(out.Tags) > 0 || out.Larger != nil || out.Smaller != nil):
		return errorf("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with tags or object sizes: delete markers have none.")
	case out.AllVersions && e.Days == nil:
		return errorf("MalformedXML", "ExpiredObjectAllVersions needs Days.")
	case e.Days != nil:
		out.Days, err = positive(e.Days, "Days", "Expiration")
		return err
	case e.Date != nil:
		out.Date, err = lifecycleDate(*e.Date)
		return err
	}
	return nil
}

// others reads the actions beside Expiration.
func (r *lifecycleRule) others(out *lifecycle.Rule) (err error) {
	if n := r.Noncurrent; n != nil {
		if n.Newer != nil {
			if out.Newer, err = positive(n.Newer, "NewerNoncurrentVersions", "NoncurrentVersionExpiration"); err != nil {
				return err
			}
		}
		if n.Days != nil || n.Newer == nil {
			if out.NoncurrentDays, err = positive(n.Days, "NoncurrentDays", "NoncurrentVersionExpiration"); err != nil {
				return err
			}
		}
	}
	filtered := len(out.Tags) > 0 || out.Larger != nil || out.Smaller != nil
	if r.Abort != nil {
		if filtered {
			return errorf("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.")
		}
		if out.AbortDays, err = positive(r.Abort.Days, "DaysAfterInitiation", "AbortIncompleteMultipartUpload"); err != nil {
			return err
		}
	}
	if r.DelMarker != nil {
		if filtered {
			return errorf("InvalidRequest", "DelMarkerExpiration cannot be specified with tags or object sizes: delete markers have none.")
		}
		if out.MarkerDays, err = positive(r.DelMarker.Days, "Days", "DelMarkerExpiration"); err != nil {
			return err
		}
	}
	if r.All != nil {
		if out.AllDays, err = positive(r.All.Days, "Days", "AllVersionsExpiration"); err != nil {
			return err
		}
		if out.AllMarkers, err = lifecycleSwitch(r.All.Marker, "DeleteMarker"); err != nil {
			return err
		}
	}
	return nil
}

// lifecycleSwitch reads a truth value.
func lifecycleSwitch(v *string, name string) (bool, error) {
	if v == nil {
		return false, nil
	}
	switch *v {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, errorf("MalformedXML", "%s is true or false.", name)
}

// lifecycleDate reads a date, which is a midnight in UTC.
func lifecycleDate(v string) (time.Time, error) {
	v = strings.TrimSpace(v)
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		t, err = time.Parse(time.DateOnly, v)
	}
	if err != nil {
		return t, errorf("MalformedXML", "%q is no date such as 2026-01-01T00:00:00Z.", v)
	}
	t = t.UTC()
	if !t.Equal(t.Truncate(24 * time.Hour)) {
		return t, errorf("InvalidArgument", "'Date' must be at midnight GMT")
	}
	if t.Year() < 1970 {
		return t, errorf("InvalidArgument", "'Date' must not be before 1970")
	}
	return t, nil
}
