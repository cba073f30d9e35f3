package iam

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// trie is an immutable map from strings: with and without return changed copies that
// share all but the path to the change, so that a snapshot of any size is replaced in
// microseconds while readers go on with the old one.
//
// Between thawed and frozen, with changes the nodes that it has made since in place. The
// trie is then for one goroutine, and copies of it change with it.
type trie[V any] struct {
	seed  maphash.Seed
	root  *node[V]
	n     int
	owner *owner // nil when frozen
}

// owner marks the nodes that one thawed trie has made.
type owner struct{ _ byte }

const (
	trieBits = 5
	trieMask = 1<<trieBits - 1
	trieMax  = 60 // shift at which equal hashes are kept in a list
)

// node has a child for each bit of bitmap, in order; at the end of the hash it is a list.
type node[V any] struct {
	owner  *owner
	bitmap uint32
	slots  []slot[V]
}

// slot is a subtree when sub is not nil, else an entry.
type slot[V any] struct {
	value V // first, since a void at the end would take room
	sub   *node[V]
	key   string
	hash  uint64
}

func newTrie[V any]() trie[V] { return trie[V]{seed: maphash.MakeSeed()} }

func (t trie[V]) thawed() trie[V] {
	t.owner = &owner{}
	return t
}

func (t trie[V]) frozen() trie[V] {
	t.owner = nil
	return t
}

func (t trie[V]) get(key string) (v V, ok bool) {
	hash := maphash.String(t.seed, key)
	nd := t.root
	for shift := uint(0); nd != nil; shift += trieBits {
		if shift >= trieMax {
			for i := range nd.slots {
				if nd.slots[i].key == key {
					return nd.slots[i].value, true
				}
			}
			return v, false
		}
		bit := uint32(1) << (hash >> shift & trieMask)
		if nd.bitmap&bit == 0 {
			return v, false
		}
		s := &nd.slots[bits.OnesCount32(nd.bitmap&(bit-1))]
		if s.sub == nil {
			if s.hash == hash && s.key == key {
				return s.value, true
			}
			return v, false
		}
		nd = s.sub
	}
	return v, false
}

func (t trie[V]) with(key string, value V) trie[V] {
	hash := maphash.String(t.seed, key)
	root, added := t.root.with(slot[V]{key: key, hash: hash, value: value}, 0, t.owner)
	t.root = root
	if added {
		t.n++
	}
	return t
}

func (t trie[V]) without(key string) trie[V] {
	root, removed := t.root.without(key, maphash.String(t.seed, key), 0)
	if removed {
		t.root = root
		t.n--
	}
	return t
}

// all calls yield for every entry, in no order.
func (t trie[V]) all(yield func(string, V) bool) { t.root.all(yield) }

func (nd *node[V]) all(yield func(string, V) bool) bool {
	if nd == nil {
		return true
	}
	for i := range nd.slots {
		s := &nd.slots[i]
		if s.sub != nil && !s.sub.all(yield) || s.sub == nil && !yield(s.key, s.value) {
			return false
		}
	}
	return true
}

func (nd *node[V]) with(s slot[V], shift uint, o *owner) (*node[V], bool) {
	if nd == nil {
		nd = &node[V]{owner: o}
	}
	if shift >= trieMax {
		for i := range nd.slots {
			if nd.slots[i].key == s.key {
				return nd.replace(i, s, o), false
			}
		}
		return nd.insert(len(nd.slots), s, o), true
	}
	bit := uint32(1) << (s.hash >> shift & trieMask)
	i := bits.OnesCount32(nd.bitmap & (bit - 1))
	if nd.bitmap&bit == 0 {
		c := nd.insert(i, s, o)
		c.bitmap |= bit
		return c, true
	}
	old := nd.slots[i]
	if old.sub == nil {
		if old.key == s.key {
			return nd.replace(i, s, o), false
		}
		sub, _ := (*node[V])(nil).with(old, shift+trieBits, o)
		sub, _ = sub.with(s, shift+trieBits, o)
		return nd.replace(i, slot[V]{sub: sub}, o), true
	}
	sub, added := old.sub.with(s, shift+trieBits, o)
	return nd.replace(i, slot[V]{sub: sub}, o), added
}

func (nd *node[V]) without(key string, hash uint64, shift uint) (*node[V], bool) {
	if nd == nil {
		return nil, false
	}
	if shift >= trieMax {
		for i := range nd.slots {
			if nd.slots[i].key == key {
				return nd.remove(i, 0), true
			}
		}
		return nd, false
	}
	bit := uint32(1) << (hash >> shift & trieMask)
	if nd.bitmap&bit == 0 {
		return nd, false
	}
	i := bits.OnesCount32(nd.bitmap & (bit - 1))
	old := nd.slots[i]
	if old.sub == nil {
		if old.key != key {
			return nd, false
		}
		return nd.remove(i, bit), true
	}
	sub, removed := old.sub.without(key, hash, shift+trieBits)
	if !removed {
		return nd, false
	}
	if sub == nil {
		return nd.remove(i, bit), true
	}
	return nd.replace(i, slot[V]{sub: sub}, nil), true
}

func (nd *node[V]) replace(i int, s slot[V], o *owner) *node[V] {
	if o != nil && nd.owner == o {
		nd.slots[i] = s
		return nd
	}
	c := &node[V]{owner: o, bitmap: nd.bitmap, slots: make([]slot[V], len(nd.slots))}
	copy(c.slots, nd.slots)
	c.slots[i] = s
	return c
}

func (nd *node[V]) insert(i int, s slot[V], o *owner) *node[V] {
	if o != nil && nd.owner == o {
		nd.slots = slices.Insert(nd.slots, i, s)
		return nd
	}
	c := &node[V]{owner: o, bitmap: nd.bitmap, slots: make([]slot[V], len(nd.slots)+1)}
	copy(c.slots, nd.slots[:i])
	c.slots[i] = s
	copy(c.slots[i+1:], nd.slots[i:])
	return c
}

func (nd *node[V]) remove(i int, bit uint32) *node[V] {
	if len(nd.slots) == 1 {
		return nil
	}
	c := &node[V]{bitmap: nd.bitmap &^ bit, slots: make([]slot[V], len(nd.slots)-1)}
	copy(c.slots, nd.slots[:i])
	copy(c.slots[i:], nd.slots[i+1:])
	return c
}

// sorted returns the keys in byte order.
func (t trie[V]) sorted() []string {
	out := make([]string, 0, t.n)
	t.all(func(key string, _ V) bool {
		out = append(out, key)
		return true
	})
	slices.Sort(out)
	return out
}
