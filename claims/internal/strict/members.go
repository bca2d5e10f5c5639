package strict

import (
	"iter"
	"slices"
	"strings"
)

// Members are those of an object: names, and the texts of values where the
// reader of the object sets them. While they are few, nothing is allocated; of
// many, which the sender of a token may choose, a map keeps the time linear.
type Members struct {
	few  [16]member
	n    int
	bits uint64            // of the names that there are, so that most others need no comparison
	many map[string]string // all of them, nil while they are few

	// mixed is set where a name is not all in lower case, by who cares.
	Mixed bool
}

type member struct{ name, value string }

// bitOf returns the bit of a name, which few others share.
func bitOf(name string) uint64 {
	if name == "" {
		return 1
	}
	return 1 << ((len(name) ^ int(name[0])*5 ^ int(name[len(name)-1])*11) & 63)
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
		m.many = make(map[string]string, 2*len(m.few))
		for _, other := range m.few {
			m.many[other.name] = other.value
		}
	}
	before := len(m.many)
	m.many[name] = ""
	return len(m.many) > before
}

// Set says what the text of a member's value is, that was added last.
func (m *Members) Set(name, value string) {
	if m.many != nil {
		m.many[name] = value
		return
	}
	m.few[m.n-1].value = value
}

// Find returns the text of a member's value.
func (m *Members) Find(name string) (value string, ok bool) {
	if m.many != nil {
		value, ok = m.many[name]
		return value, ok
	}
	if m.bits&bitOf(name) == 0 {
		return "", false
	}
	if i := m.index(name); i >= 0 {
		return m.few[i].value, true
	}
	return "", false
}

// index returns where a name is among the few, -1 if it is not.
func (m *Members) index(name string) int {
	for i := range m.few[:m.n] {
		if m.few[i].name == name {
			return i
		}
	}
	return -1
}

// Some reports whether one of the names is as wanted.
func (m *Members) Some(wanted func(name string) bool) bool {
	for name := range m.many {
		if wanted(name) {
			return true
		}
	}
	return m.many == nil && slices.ContainsFunc(m.few[:m.n], func(member member) bool {
		return wanted(member.name)
	})
}

// All yields the members in the order of their names.
func (m *Members) All() iter.Seq2[string, string] {
	list := slices.Clone(m.few[:m.n])
	if m.many != nil {
		list = list[:0]
		for name, value := range m.many {
			list = append(list, member{name, value})
		}
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return func(yield func(string, string) bool) {
		for _, member := range list {
			if !yield(member.name, member.value) {
				return
			}
		}
	}
}

// Folded returns that of names which equals name if case is ignored, empty if none
// does or name is in lower case.
func Folded(name string, names []string) string {
	if IsLower(name) {
		return ""
	}
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	return ""
}

// IsLower reports whether name consists of characters that fold to nothing but
// capitals of theirs, as all names that this package acts on do.
func IsLower(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
