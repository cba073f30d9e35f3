package etcd

import (
	"fmt"
	"strings"
)

const (
	defaultPrefix = "objsrv"
	maxPrefix     = 256
)

// keyspace makes the keys of one store.
type keyspace struct {
	root   string // prefix and two slashes
	commit string
}

func newKeyspace(prefix string) (keyspace, error) {
	if prefix == "" {
		prefix = defaultPrefix
	}
	p := strings.TrimRight(prefix, "/")
	switch {
	case p == "":
		return keyspace{}, fmt.Errorf("prefix %q: it must name something, such as %s", prefix, defaultPrefix)
	case strings.Contains(p, "//"):
		return keyspace{}, fmt.Errorf("prefix %q: two slashes in a row end a prefix", prefix)
	case len(p) > maxPrefix:
		return keyspace{}, fmt.Errorf("prefix of %d bytes: at most %d", len(p), maxPrefix)
	}
	for _, c := range []byte(p) {
		if c < ' ' || c == 0x7f {
			return keyspace{}, fmt.Errorf("prefix %q: control characters", prefix)
		}
	}
	return keyspace{root: p + "//", commit: p + "//commit"}, nil
}

// all returns the range of every key of the store.
func (k keyspace) all() (from, end string) { return k.root, k.root[:len(k.root)-1] + "0" }

// records returns the range of the records of a kind, or of all for "".
func (k keyspace) records(kind string) (from, end string) {
	dir := k.root + "record"
	if kind != "" {
		dir += "/" + kind
	}
	return dir + "/", dir + "0" // "0" follows "/"
}

// record is the key of a record: the kind has no slash, so that the first one ends it,
// and none of its letters sorts before one.
func (k keyspace) record(kind, name string) string { return k.root + "record/" + kind + "/" + name }

func (k keyspace) isRecord(key []byte) bool { return strings.HasPrefix(string(key), k.root+"record/") }

// split takes the key of a record apart. A key that is none of ours gives a kind or name
// that no record has.
func (k keyspace) split(key []byte) (kind, name string) {
	kind, name, _ = strings.Cut(strings.TrimPrefix(string(key), k.root+"record/"), "/")
	return kind, name
}
