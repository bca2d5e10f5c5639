package strict

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Names are names that no other may resemble: json.Unmarshal, and much code
// that reads what this package has read, takes names that differ in case alone
// for one.
type Names struct {
	byFold  map[string][]string
	longest int  // of the keys
	ascii   bool // all of them
}

// NewNames returns the Names.
func NewNames(names ...string) *Names {
	n := &Names{byFold: make(map[string][]string, len(names)), ascii: true}
	for _, name := range names {
		if name == "" {
			continue
		}
		folded := appendFold(nil, name)
		n.byFold[string(folded)] = append(n.byFold[string(folded)], name)
		n.longest = max(n.longest, len(folded))
		n.ascii = n.ascii && !slices.ContainsFunc(folded, func(c byte) bool {
			return c >= utf8.RuneSelf
		})
	}
	return n
}

// Resembled returns one of the Names which equals name if case is ignored, as
// strings.EqualFold ignores it, empty if none does or name is one of them. It
// costs no more the more Names there are.
func (n *Names) Resembled(name string) string {
	var buffer [64]byte
	folded := buffer[:0]
	for i := 0; i < len(name) && len(folded) <= n.longest; {
		c := name[i]
		if c < utf8.RuneSelf {
			folded = append(folded, lower(c))
			i++
			continue
		}
		char, size := utf8.DecodeRuneInString(name[i:])
		if char = fold(char); n.ascii && char >= utf8.RuneSelf {
			return ""
		}
		folded = utf8.AppendRune(folded, char)
		i += size
	}
	if len(folded) > n.longest {
		return ""
	}
	names := n.byFold[string(folded)]
	if len(names) == 0 || slices.Contains(names, name) {
		return ""
	}
	return names[0]
}

func appendFold(dst []byte, name string) []byte {
	for _, char := range name {
		dst = utf8.AppendRune(dst, fold(char))
	}
	return dst
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// fold returns one character for all that differ in case alone: of ASCII the
// small letter, also for the two beyond it that fold to one.
func fold(char rune) rune {
	switch {
	case char < utf8.RuneSelf:
		return rune(lower(byte(char)))
	case char == '\u017f': // long s
		return 's'
	case char == '\u212a': // Kelvin sign
		return 'k'
	}
	least := char
	for other := unicode.SimpleFold(char); other != char; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
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
