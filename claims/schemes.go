package claims

import (
	"cmp"
	"slices"
	"strings"
)

// Scheme is an authentication scheme beside Bearer under which tokens are taken
// that are bound to a key: what a challenge says of it.
type Scheme struct {
	// Name is that of the scheme, such as "DPoP".
	Name string

	// Algorithms are those that a proof may be signed with, space-separated, as
	// the parameter "algs" has them (RFC 9449 section 7.1). Empty means that
	// there is nothing to choose.
	Algorithms string
}

// compare orders schemes, by all that they are.
func (s Scheme) compare(other Scheme) int {
	return cmp.Or(strings.Compare(s.Name, other.Name),
		strings.Compare(s.Algorithms, other.Algorithms))
}

func (s Scheme) is(name string) bool { return strings.EqualFold(s.Name, name) }

// union returns the schemes of both lists, each once, with what either says of
// it. It modifies neither.
func union(list, more []Scheme) []Scheme {
	if len(list) == 0 {
		return more
	}
	list = slices.Clip(list)
	for _, scheme := range more {
		i := slices.IndexFunc(list, func(s Scheme) bool { return s.is(scheme.Name) })
		if i < 0 {
			list = append(list, scheme)
			continue
		}
		if with := unionOf(list[i].Algorithms, scheme.Algorithms); with != list[i].Algorithms {
			list = slices.Clone(list)
			list[i].Algorithms = with
		}
	}
	return list
}

// unionOf returns the words of both texts, each once.
func unionOf(text, more string) string {
	words := strings.Fields(text)
	for _, word := range strings.Fields(more) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}
