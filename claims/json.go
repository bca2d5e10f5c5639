package claims

import "strings"

// maxDepth bounds the nesting of a token's JSON and so the recursion over it.
const maxDepth = 32

// reader reads one JSON text (RFC 8259) from front to back, more strictly than
// encoding/json: valid UTF-8, no lone surrogates, no member name twice in an
// object whatever way it is escaped, nothing after the value. The first fault
// makes it bad for good, and every later call returns a zero value.
//
// Strings without escapes are slices of the text and cost no allocation.
//
// An object is read by
//
//	for r.enter('{'); r.next('}'); {
//		name := r.name(&seen)
//		// read the value
//	}
//
// and an array likewise, by its brackets and without a name.
type reader struct {
	text  string
	pos   int
	depth int
	first bool // nothing was read since the last enter
	bad   bool
}

func newReader(text string) reader { return reader{text: text} }

func (r *reader) fail() { r.bad = true }

// end reports whether the text was well-formed and is at its end.
func (r *reader) end() bool {
	r.space()
	return !r.bad && r.pos == len(r.text)
}

// peek returns the next byte that is not white space, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.bad || r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *reader) space() {
	if r.pos < len(r.text) && r.text[r.pos] > ' ' { // as nearly always
		return
	}
	r.manySpaces()
}

func (r *reader) manySpaces() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// expect consumes c, which must be next.
func (r *reader) expect(c byte) {
	if r.peek() != c {
		r.fail()
		return
	}
	r.pos++
}

// enter begins an object or an array.
func (r *reader) enter(opening byte) {
	r.expect(opening)
	r.first = true
	if r.depth++; r.depth > maxDepth {
		r.fail()
	}
}

// next reports whether another member or element follows, which must then be
// read; if none does, the object or array is over.
func (r *reader) next(closing byte) bool {
	first := r.first
	r.first = false
	switch r.peek() {
	case closing:
		r.pos++
		r.depth--
		return false
	case ',':
		r.pos++
		if first {
			r.fail()
		}
	default:
		if !first {
			r.fail()
		}
	}
	return !r.bad
}

// name reads the name of a member, which must not be in seen, and adds it.
func (r *reader) name(seen *members) string {
	name := r.string()
	r.expect(':')
	if r.bad || !seen.add(name) {
		r.fail()
		return ""
	}
	return name
}

// raw reads a value of any type and returns its text.
func (r *reader) raw() string {
	r.space()
	start := r.pos
	r.skip()
	if r.bad {
		return ""
	}
	return r.text[start:r.pos]
}

// skip reads a value of any type and forgets it.
func (r *reader) skip() {
	switch c := r.peek(); {
	case c == '{':
		r.skipObject()
	case c == '[':
		for r.enter('['); r.next(']'); {
			r.skip()
		}
	case c == '"':
		r.string()
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	default:
		r.number()
	}
}

func (r *reader) skipObject() {
	var seen members
	for r.enter('{'); r.next('}'); {
		r.name(&seen)
		r.skip()
	}
}

func (r *reader) literal(word string) {
	if r.bad || !strings.HasPrefix(r.text[r.pos:], word) {
		r.fail()
		return
	}
	r.pos += len(word)
}
