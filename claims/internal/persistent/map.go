// Package persistent has a map that never changes: what would change it makes
// another, which shares nearly all of its memory.
package persistent

import (
	"hash/maphash"
	"iter"
	"slices"
)

const (
	fan   = 16 // of a branch
	shift = 4  // bits of a hash that choose among them
	most  = 8  // entries of a leaf, unless their hashes are the same
	depth = 64 / shift
)

// Map is a map from strings. It is immutable, so that it may be read without a
// lock while others are made of it. To look up, [Map.With] and [Map.Without]
// cost the same however large it is, but for a level more for each sixteenfold.
// The zero Map is empty.
type Map[V any] struct {
	root node[V]
	n    int
}

// node is a branch, or a leaf.
type node[V any] struct {
	children *[fan]node[V]
	entries  []entry[V]
}

type entry[V any] struct {
	hash  uint64
	key   string
	value V
}

// seed is random: nobody can choose keys of the same hash.
var seed = maphash.MakeSeed()

// Len returns how many keys there are.
func (m *Map[V]) Len() int { return m.n }

// Get returns the value of a key. It costs no allocation.
func (m *Map[V]) Get(key string) (value V, ok bool) {
	if m.n == 0 {
		return value, false
	}
	hash := maphash.String(seed, key)
	entries := m.root.leaf(hash)
	for i := range entries {
		if e := &entries[i]; e.hash == hash && e.key == key {
			return e.value, true
		}
	}
	return value, false
}

// GetBytes is Get for a key that is no string yet.
func (m *Map[V]) GetBytes(key []byte) (value V, ok bool) {
	if m.n == 0 {
		return value, false
	}
	hash := maphash.Bytes(seed, key)
	entries := m.root.leaf(hash)
	for i := range entries {
		if e := &entries[i]; e.hash == hash && e.key == string(key) {
			return e.value, true
		}
	}
	return value, false
}

// With returns the Map with a value for a key, in the place of the one before.
func (m *Map[V]) With(key string, value V) Map[V] {
	root, added := m.root.with(entry[V]{maphash.String(seed, key), key, value}, 0)
	n := m.n
	if added {
		n++
	}
	return Map[V]{root, n}
}

// Without returns the Map without a key.
func (m *Map[V]) Without(key string) Map[V] {
	if _, ok := m.Get(key); !ok {
		return *m
	}
	return Map[V]{m.root.without(maphash.String(seed, key), key, 0), m.n - 1}
}

// All yields the keys and their values, in no order.
func (m *Map[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { m.root.each(yield) }
}

func (n *node[V]) leaf(hash uint64) []entry[V] {
	for n.children != nil {
		n = &n.children[hash%fan]
		hash >>= shift
	}
	return n.entries
}

func childOf(hash uint64, level int) uint64 { return hash >> (shift * level) % fan }

func (n *node[V]) with(e entry[V], level int) (changed node[V], added bool) {
	if n.children != nil {
		children := *n.children
		child := &children[childOf(e.hash, level)]
		*child, added = child.with(e, level+1)
		return node[V]{children: &children}, added
	}
	at := slices.IndexFunc(n.entries, func(o entry[V]) bool { return o.key == e.key })
	if at >= 0 {
		entries := slices.Clone(n.entries)
		entries[at] = e
		return node[V]{entries: entries}, false
	}
	entries := make([]entry[V], 0, len(n.entries)+1)
	entries = append(append(entries, n.entries...), e)
	if len(entries) <= most || level >= depth {
		return node[V]{entries: entries}, true
	}
	children := new([fan]node[V])
	for _, e := range entries {
		child := &children[childOf(e.hash, level)]
		child.entries = append(child.entries, e)
	}
	return node[V]{children: children}, true
}

// without is for a key that is there.
func (n *node[V]) without(hash uint64, key string, level int) node[V] {
	if n.children == nil {
		return node[V]{entries: slices.DeleteFunc(slices.Clone(n.entries),
			func(o entry[V]) bool { return o.key == key })}
	}
	children := *n.children
	child := &children[childOf(hash, level)]
	*child = child.without(hash, key, level+1)
	left := 0
	for i := range children {
		if left += len(children[i].entries); children[i].children != nil || left > most/2 {
			return node[V]{children: &children}
		}
	}
	// A leaf again, with room for more before it is a branch.
	entries := make([]entry[V], 0, left)
	for i := range children {
		entries = append(entries, children[i].entries...)
	}
	return node[V]{entries: entries}
}

func (n *node[V]) each(yield func(string, V) bool) bool {
	for i := range n.entries {
		if !yield(n.entries[i].key, n.entries[i].value) {
			return false
		}
	}
	if n.children != nil {
		for i := range n.children {
			if !n.children[i].each(yield) {
				return false
			}
		}
	}
	return true
}
