package s3gw

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/objsrv/objsrv/storage"
)

// Map says where the buckets of a gateway lie upstream: each in a bucket of another name, or below a prefix in one
// that several share. No two places overlap, and what lies outside of a bucket's place can't be reached through it.
// A nil *Map has every bucket at the upstream's of the same name. It is not changed after ParseMap.
type Map struct {
	entries map[string]place // by the local name
	taken   map[string]bool  // the upstream's buckets that entries name
	rest    *pattern         // the place of all other buckets; nil: there are none
}

// place is where a bucket lies.
type place struct {
	bucket string
	prefix string // "", or a path that ends with a slash
	// own tells whether no other bucket may lie in the upstream's bucket: then it comes and goes with the local one, and
	// its settings are those of the local one.
	own bool
	// made tells whether the bucket is there when it has been created through a gateway, which its record tells;
	// one that shares a bucket and is named by the map is there as long as that is.
	made bool
}

// String is the place as the map has it.
func (p place) String() string {
	if p.prefix == "" {
		return p.bucket
	}
	return p.bucket + "/" + p.prefix
}

// pattern makes the places of buckets that the map does not name.
type pattern struct {
	bucket, prefix string // one of them has the variable, once
}

// variable stands in a pattern for the bucket's name.
const variable = "{bucket}"

func (p *pattern) own() bool { return strings.Contains(p.bucket, variable) }

func (p *pattern) place(name string) place {
	return place{bucket: strings.ReplaceAll(p.bucket, variable, name), prefix: strings.ReplaceAll(p.prefix, variable, name), own: p.own(), made: !p.own()}
}

// name returns the local bucket that the pattern puts into a bucket of the upstream's, "" for none.
func (p *pattern) name(bucket string) string {
	before, after, ok := strings.Cut(p.bucket, variable)
	if !ok || len(bucket) < len(before)+len(after) || !strings.HasPrefix(bucket, before) || !strings.HasSuffix(bucket, after) {
		return ""
	}
	return bucket[len(before) : len(bucket)-len(after)]
}

// mappable are the names of buckets that a map takes, those of today's S3 (S3 user guide, "Bucket naming rules").
var mappable = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func isMappable(name string) bool {
	return mappable.MatchString(name) && !strings.Contains(name, "..") && !strings.HasPrefix(name, probePrefix)
}

// maxPrefix leaves half of what a key may have to clients.
const maxPrefix = storage.MaxKey / 2

// ParseMap reads a map from entries LOCAL=UPSTREAM or LOCAL=UPSTREAM/PREFIX, which are separated by commas or the ends of
// lines; what follows # in a line is a comment. LOCAL may be *, for all buckets that no entry names: then {bucket} stands
// in UPSTREAM or in PREFIX for their name. Without an entry for * there are no other buckets. Text without an entry
// gives nil. Errors name the entry and say what is wrong with it, or with which other it overlaps.
func ParseMap(text string) (*Map, error) {
	m := &Map{entries: map[string]place{}, taken: map[string]bool{}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			if err := m.add(entry); err != nil {
				return nil, fmt.Errorf("bucket map: %q: %w", entry, err)
			}
		}
	}
	if len(m.entries) == 0 && m.rest == nil {
		return nil, nil
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("bucket map: %w", err)
	}
	return m, nil
}

func (m *Map) add(entry string) error {
	local, upstream, ok := strings.Cut(entry, "=")
	local, upstream = strings.TrimSpace(local), strings.TrimSpace(upstream)
	if !ok || local == "" || upstream == "" {
		return fmt.Errorf("an entry is LOCAL=UPSTREAM/PREFIX, such as photos=shared/photos")
	}
	bucket, prefix, _ := strings.Cut(upstream, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/" // so that no prefix is the beginning of another's last name
	}
	vars := strings.Count(upstream, variable)
	if err := checkPlace(strings.ReplaceAll(bucket, variable, "xxx"), strings.ReplaceAll(prefix, variable, "xxx")); err != nil {
		return err
	}
	if local == "*" {
		switch {
		case m.rest != nil:
			return fmt.Errorf("there is another entry for *")
		case vars != 1:
			return fmt.Errorf("the entry for * has the name of the bucket, %s, once: such as *=shared/%s or *=company-%s", variable, variable, variable)
		}
		m.rest = &pattern{bucket, prefix}
		return nil
	}
	switch _, twice := m.entries[local]; {
	case twice:
		return fmt.Errorf("there is another entry for %s", local)
	case vars != 0:
		return fmt.Errorf("%s stands in the entry for * alone", variable)
	case !isMappable(local):
		return fmt.Errorf("%q can't be the name of a bucket", local)
	}
	m.entries[local] = place{bucket: bucket, prefix: prefix, own: prefix == ""}
	m.taken[bucket] = true
	return nil
}

func checkPlace(bucket, prefix string) error {
	switch {
	case !isMappable(bucket):
		return fmt.Errorf("%q can't be the name of an upstream bucket", bucket)
	case len(prefix) > maxPrefix:
		return fmt.Errorf("the prefix has %d bytes: at most %d", len(prefix), maxPrefix)
	case !plain(prefix) || !utf8.ValidString(prefix):
		return fmt.Errorf("the prefix has a character that not every key may have")
	case strings.Contains("/"+prefix, "//") || hasDots(prefix):
		return fmt.Errorf("the prefix is a path of names between single slashes, none of them . or ..")
	}
	return nil
}

// hasDots tells whether a key has a part "." or "..", which something on its way might take for a path and resolve.
func hasDots(key string) bool {
	for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// check refuses places that overlap. The whole upstream buckets of a pattern leave out those that entries name.
func (m *Map) check() error {
	names := m.names()
	for i, a := range names {
		for _, b := range names[i+1:] {
			if p, q := m.entries[a], m.entries[b]; p.bucket == q.bucket && nested(p.prefix, q.prefix) {
				return fmt.Errorf("%s and %s overlap: %s and %s", a, b, p, q)
			}
		}
	}
	if m.rest == nil || m.rest.own() {
		return nil
	}
	before, _, _ := strings.Cut(m.rest.prefix, variable)
	for _, a := range names {
		if p := m.entries[a]; p.bucket == m.rest.bucket && nested(p.prefix, before) {
			return fmt.Errorf("%s and what * is for overlap: %s and %s/%s", a, p, m.rest.bucket, m.rest.prefix)
		}
	}
	return nil
}

func nested(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// names are those of the entries, in order.
func (m *Map) names() []string {
	names := make([]string, 0, len(m.entries))
	for name := range m.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// place returns where a bucket lies; ok is false when there can't be one of this name.
func (m *Map) place(name string) (p place, ok bool) {
	if m == nil {
		return place{bucket: name, own: true}, true
	}
	if p, ok = m.entries[name]; ok {
		return p, true
	}
	if m.rest == nil || !isMappable(name) {
		return place{}, false
	}
	p = m.rest.place(name)
	if !isMappable(p.bucket) || p.own && m.taken[p.bucket] {
		return place{}, false
	}
	return p, true
}

// Locate returns bucket and key that a key has upstream, with a slash between, "" when it can't be kept there.
func (m *Map) Locate(bucket, key string) string {
	c := client{places: m}
	b, k, err := c.key(bucket, key)
	if err != nil {
		return ""
	}
	return b + "/" + k
}

// local returns the bucket that is all of one of the upstream's, by a pattern or an entry; "" for none.
func (m *Map) local(bucket string) string {
	if m == nil {
		return bucket
	}
	for name, p := range m.entries {
		if p.own && p.bucket == bucket {
			return name
		}
	}
	if m.rest != nil && m.rest.own() && !m.taken[bucket] {
		if name := m.rest.name(bucket); isMappable(name) && m.entries[name].bucket == "" {
			return name
		}
	}
	return ""
}

// upstream are the buckets of the upstream's that must be there for the map to work, in order.
func (m *Map) upstream() []string {
	if m == nil {
		return nil
	}
	var list []string
	for _, p := range m.entries {
		if !p.own {
			list = append(list, p.bucket)
		}
	}
	if m.rest != nil && !m.rest.own() {
		list = append(list, m.rest.bucket)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// trial is the bucket in which the upstream is tried out.
type trial struct {
	name  string
	place place
}

// at returns the place of a bucket. ErrNoSuchBucket when there can't be one of this name.
func (c *client) at(bucket string) (place, error) {
	if t := c.trial.Load(); t != nil && bucket == t.name {
		return t.place, nil
	}
	p, ok := c.places.place(bucket)
	if !ok {
		return place{}, fmt.Errorf("bucket %s is not in the map: %w", bucket, storage.ErrNoSuchBucket)
	}
	return p, nil
}

// key returns the bucket and the key that the upstream has for a key of a local bucket.
func (c *client) key(bucket, key string) (upBucket, upKey string, err error) {
	p, err := c.at(bucket)
	if err != nil {
		return "", "", err
	}
	if key == "" || p.prefix == "" {
		return p.bucket, key, nil
	}
	if hasDots(key) {
		return "", "", fmt.Errorf("a key with . or .. as a part, in a bucket below a prefix: %w", storage.ErrNotSupported)
	}
	return p.bucket, p.prefix + key, nil
}
