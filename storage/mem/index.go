package mem

import (
	"slices"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// index keeps lists of entries by key, and the keys that have any in bytewise order.
type index[V any] struct {
	keys []string
	at   map[string][]V
}

// set replaces the entries of a key; none removes the key.
func (x *index[V]) set(key string, entries []V) {
	i, found := slices.BinarySearch(x.keys, key)
	switch {
	case len(entries) == 0:
		if found {
			x.keys = slices.Delete(x.keys, i, i+1)
			delete(x.at, key)
		}
		return
	case !found:
		x.keys = slices.Insert(x.keys, i, key)
	}
	if x.at == nil {
		x.at = map[string][]V{}
	}
	x.at[key] = entries
}

// page is what one call of a listing gives out.
type page[V any] struct {
	entries           []V
	prefixes          []string
	truncated         bool
	nextAfter, nextID string
}

// view tells list what an index holds.
type view[V any] struct {
	// visible returns those entries of one key that the listing gives out.
	visible func([]V) []V
	// behind returns those of one key's entries that come behind the one with the
	// id; nil for a listing that has no ids.
	behind func(entries []V, id string) []V
	id     func(V) string
}

// list makes one page by the rules of storage.ListInput.
func list[V any](x *index[V], in storage.ListInput, v view[V]) page[V] {
	var p page[V]
	if in.Limit <= 0 {
		return p
	}
	i, _ := slices.BinarySearch(x.keys, max(in.Prefix, in.After))
	if in.After >= in.Prefix && commonPrefix(in.After, in) == in.After && in.After != "" {
		i = skipPrefix(x.keys, i, in.After)
	}
	for i < len(x.keys) && strings.HasPrefix(x.keys[i], in.Prefix) {
		key := x.keys[i]
		entries := x.at[key]
		if key == in.After && in.After != "" {
			if v.behind == nil || in.AfterID == "" {
				entries = nil
			} else {
				entries = v.behind(entries, in.AfterID)
			}
		}
		entries = v.visible(entries)
		if len(entries) == 0 {
			i++
			continue
		}
		if cp := commonPrefix(key, in); cp != "" {
			if p.full(in.Limit) {
				return p
			}
			p.prefixes = append(p.prefixes, cp)
			p.nextAfter, p.nextID = cp, ""
			i = skipPrefix(x.keys, i, cp)
			continue
		}
		for _, e := range entries {
			if p.full(in.Limit) {
				return p
			}
			p.entries = append(p.entries, e)
			p.nextAfter, p.nextID = key, v.id(e)
		}
		i++
	}
	p.nextAfter, p.nextID = "", ""
	return p
}

// full tells whether the page has no room for one more entry, and if so marks it.
func (p *page[V]) full(limit int) bool {
	p.truncated = len(p.entries)+len(p.prefixes) >= limit
	return p.truncated
}

// commonPrefix is the common prefix that key is rolled up into, or "".
func commonPrefix(key string, in storage.ListInput) string {
	if in.Delimiter == "" || !strings.HasPrefix(key, in.Prefix) {
		return ""
	}
	n := strings.Index(key[len(in.Prefix):], in.Delimiter)
	if n < 0 {
		return ""
	}
	return key[:len(in.Prefix)+n+len(in.Delimiter)]
}

// skipPrefix returns the index of the first key from i on that has not the prefix;
// keys[i:] sorts at or behind it.
func skipPrefix(keys []string, i int, prefix string) int {
	n, _ := slices.BinarySearchFunc(keys[i:], prefix, func(key, prefix string) int {
		if strings.HasPrefix(key, prefix) {
			return -1
		}
		return 1
	})
	return i + n
}
