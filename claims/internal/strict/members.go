package strict

import (
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// Members are those of an object: names, and the texts of values where the
// reader of the object sets them. While they are few, nothing is allocated; of
// many, which the sender of a token may choose, a table keeps the time linear.
type Members struct {
	few  [16]member
	n    int
	bits uint64   // of the names that there are, so that most others need no comparison
	many []member // all of them, nil while they are few

	// table has the places in many, from 1, by the hash of the name: 0 is none.
	// It is at most half full.
	table []uint32

	// Mixed is for the reader of the object to set where a name is not all in
	// lower case.
	Mixed bool
}

type member struct{ name, value string }

// seed keeps whoever chooses names from choosing their hashes.
var seed = maphash.MakeSeed()

// bitOf returns the bit of a name, which few others share.
func bitOf(name string) uint64 {
	if name == "" {
		return 1
	}
	return 1 << ((len(name) ^ int(name[0])*5 ^ int(name[len(name)-1])*11) & 63)
}

// Len returns how many members there are.
func (m *Members) Len() int { return len(m.list()) }

// list returns the members in the order in which they were added.
func (m *Members) list() []member {
	if m.many != nil {
		return m.many
	}
	return m.few[:m.n]
}

// Add reports whether name is new.
func (m *Members) Add(name string) bool {
	if m.many == nil {
		bit := bitOf(name)
		if m.bits&bit != 0 && m.index(name) >= 0 {
			return false
		}
		m.bits |= bit
		if m.n < len(m.few) {
			m.few[m.n].name = name
			m.n++
			return true
		}
		m.many = append(make([]member, 0, 2*len(m.few)), m.few[:]...)
		m.rehash(4 * len(m.few))
	}
	if 2*len(m.many) >= len(m.table) {
		m.rehash(4 * len(m.table))
	}
	slot, found := m.slot(name)
	if found {
		return false
	}
	m.many = append(m.many, member{name: name})
	m.table[slot] = uint32(len(m.many))
	return true
}

// rehash makes a table of a size, a power of two.
func (m *Members) rehash(size int) {
	m.table = make([]uint32, size)
	for i := range m.many {
		slot, _ := m.slot(m.many[i].name)
		m.table[slot] = uint32(i + 1)
	}
}

// slot returns where in the table a name is, or belongs.
func (m *Members) slot(name string) (slot int, found bool) {
	mask := len(m.table) - 1
	slot = int(maphash.String(seed, name)) & mask
	for ; m.table[slot] != 0; slot = (slot + 1) & mask {
		if m.many[m.table[slot]-1].name == name {
			return slot, true
		}
	}
	return slot, false
}

// Set says what the text of a member's value is, that was added last.
func (m *Members) Set(_, value string) {
	list := m.list()
	list[len(list)-1].value = value
}

// Find returns the text of a member's value.
func (m *Members) Find(name string) (value string, ok bool) {
	if m.many == nil && m.bits&bitOf(name) == 0 {
		return "", false
	}
	if i := m.index(name); i >= 0 {
		return m.list()[i].value, true
	}
	return "", false
}

// index returns where a name is in the list, -1 if it is not.
func (m *Members) index(name string) int {
	if m.many != nil {
		if slot, found := m.slot(name); found {
			return int(m.table[slot]) - 1
		}
		return -1
	}
	for i := range m.few[:m.n] {
		if m.few[i].name == name {
			return i
		}
	}
	return -1
}

// Some reports whether one of the names is as wanted.
func (m *Members) Some(wanted func(name string) bool) bool {
	return slices.ContainsFunc(m.list(), func(member member) bool { return wanted(member.name) })
}

// All yields the members in the order of their names.
func (m *Members) All() iter.Seq2[string, string] {
	list := slices.Clone(m.list())
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return func(yield func(string, string) bool) {
		for _, member := range list {
			if !yield(member.name, member.value) {
				return
			}
		}
	}
}
