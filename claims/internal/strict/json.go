// Package strict reads JSON (RFC 8259) and base64url (RFC 4648 section 5) as the
// JWS specifications want them read: each text has one meaning, and a text that
// another parser could read in another way is refused.
package strict

import "strings"

// MaxDepth bounds the nesting of a token's JSON and so the recursion over it.
const MaxDepth = 32

// Reader reads one JSON text (RFC 8259) from front to back, more strictly than
// encoding/json: valid UTF-8, no lone surrogates, no member name twice in an
// object whatever way it is escaped, nothing after the value. The first fault
// makes it bad for good, and every later call returns a zero value.
//
// Strings without escapes are slices of the text and cost no allocation.
//
// An object is read by
//
//	for r.Enter('{'); r.Next('}'); {
//		name := r.ReadName(&seen)
//		// read the value
//	}
//
// and an array likewise, by its brackets and without a name.
type Reader struct {
	text  string
	pos   int
	depth int
	first bool // nothing was read since the last Enter
	bad   bool
}

// NewReader returns a Reader of a text.
func NewReader(text string) Reader { return Reader{text: text} }

// Fail makes the Reader bad: what was read is not what it should be.
func (r *Reader) Fail() { r.bad = true }

// Failed reports whether the Reader is bad.
func (r *Reader) Failed() bool { return r.bad }

// End reports whether the text was well-formed and is at its end.
func (r *Reader) End() bool {
	r.space()
	return !r.bad && r.pos == len(r.text)
}

// Peek returns the next byte that is not white space, 0 at the end.
func (r *Reader) Peek() byte {
	r.space()
	if r.bad || r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *Reader) space() {
	if r.pos < len(r.text) && r.text[r.pos] > ' ' { // as nearly always
		return
	}
	r.manySpaces()
}

func (r *Reader) manySpaces() {
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
func (r *Reader) expect(c byte) {
	if r.Peek() != c {
		r.Fail()
		return
	}
	r.pos++
}

// Enter begins an object or an array.
func (r *Reader) Enter(opening byte) {
	r.expect(opening)
	r.first = true
	if r.depth++; r.depth > MaxDepth {
		r.Fail()
	}
}

// Next reports whether another member or element follows, which must then be
// read; if none does, the object or array is over.
func (r *Reader) Next(closing byte) bool {
	first := r.first
	r.first = false
	switch r.Peek() {
	case closing:
		r.pos++
		r.depth--
		return false
	case ',':
		r.pos++
		if first {
			r.Fail()
		}
	default:
		if !first {
			r.Fail()
		}
	}
	return !r.bad
}

// ReadName reads the name of a member, which must not be in seen, and adds it.
func (r *Reader) ReadName(seen *Members) string {
	name := r.ReadString()
	r.expect(':')
	if r.bad || !seen.Add(name) {
		r.Fail()
		return ""
	}
	return name
}

// ReadRaw reads a value of any type and returns its text.
func (r *Reader) ReadRaw() string {
	start := r.At()
	r.Skip()
	text, _ := r.Since(start)
	return text
}

// At returns the place of the next value, for Since.
func (r *Reader) At() int {
	r.space()
	return r.pos
}

// Since returns the text from a place to where the reader is. It reports false if
// the reader is bad.
func (r *Reader) Since(place int) (text string, ok bool) {
	if r.bad {
		return "", false
	}
	return r.text[place:r.pos], true
}

// Skip reads a value of any type and forgets it.
func (r *Reader) Skip() {
	switch c := r.Peek(); {
	case c == '{':
		r.skipObject()
	case c == '[':
		for r.Enter('['); r.Next(']'); {
			r.Skip()
		}
	case c == '"':
		r.ReadString()
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	default:
		r.ReadNumber()
	}
}

func (r *Reader) skipObject() {
	var seen Members
	for r.Enter('{'); r.Next('}'); {
		r.ReadName(&seen)
		r.Skip()
	}
}

func (r *Reader) literal(word string) {
	if r.bad || !strings.HasPrefix(r.text[r.pos:], word) {
		r.Fail()
		return
	}
	r.pos += len(word)
}
