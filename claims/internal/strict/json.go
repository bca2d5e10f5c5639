// Package strict reads JSON (RFC 8259) and base64url (RFC 4648 section 5) as
// the JWS specifications want them read: each text has one meaning, and a text
// that another parser could read in another way is refused.
package strict

import "strings"

const (
	// MaxDepth bounds the nesting of a token's JSON and so the recursion over
	// it.
	MaxDepth = 32
	// MaxMembers is how many members a text may have, in all of its objects:
	// real tokens have some forty, and those with the roles of many clients
	// some hundred.
	MaxMembers = 512
)

// Fault is why a text was refused.
type Fault uint8

// The faults.
const (
	Sound   Fault = iota
	Syntax        // no JSON, or not of the type that was wanted
	NotUTF8       // bytes that are not UTF-8, or half of a surrogate pair
	Twice         // a member's name twice in one object
	TooDeep       // more than MaxDepth
	TooMany       // more than MaxMembers
	TooLong       // a list of more strings than the Reader takes
)

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
	fault Fault

	longest  int    // of the lists that are returned; zero for any
	members  int    // that were read, in all objects
	repeated string // the name that was there already
}

// NewReader returns a Reader of a text.
func NewReader(text string) Reader { return Reader{text: text} }

// Bound bounds the lists that ReadStrings and ReadWords return.
func (r *Reader) Bound(longest int) { r.longest = longest }

// Fail makes the Reader bad: what was read is not what it should be.
func (r *Reader) Fail() { r.fail(Syntax) }

func (r *Reader) fail(f Fault) {
	if r.fault == Sound {
		r.fault = f
	}
}

// Failed reports whether the Reader is bad.
func (r *Reader) Failed() bool { return r.fault != Sound }

// Fault returns what made the Reader bad.
func (r *Reader) Fault() Fault { return r.fault }

// Repeated returns the name that is twice in one object, if that is the fault.
func (r *Reader) Repeated() string { return r.repeated }

// Place returns how far the Reader has come: near the fault if it is bad.
func (r *Reader) Place() int { return r.pos }

// End reports whether the text was well-formed and is at its end.
func (r *Reader) End() bool {
	r.space()
	return !r.Failed() && r.pos == len(r.text)
}

// Peek returns the next byte that is not white space, 0 at the end.
func (r *Reader) Peek() byte {
	r.space()
	if r.Failed() || r.pos >= len(r.text) {
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
	for !r.Failed() && r.pos < len(r.text) {
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
		r.fail(TooDeep)
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
	return !r.Failed()
}

// ReadName reads the name of a member, which must not be in seen, and adds it.
func (r *Reader) ReadName(seen *Members) string {
	name := r.ReadString()
	if r.Failed() {
		return ""
	}
	if !seen.Add(name) {
		r.fail(Twice)
		r.repeated = name
		return ""
	}
	if r.members++; r.members > MaxMembers {
		r.fail(TooMany)
	}
	if r.expect(':'); r.Failed() {
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

// Since returns the text from a place to where the reader is. It reports false
// if the reader is bad.
func (r *Reader) Since(place int) (text string, ok bool) {
	if r.Failed() {
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
		r.readString(false)
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
	if r.Enter('{'); r.Next('}') {
		r.skipMembers()
	}
}

func (r *Reader) skipMembers() {
	var seen Members // which costs more than to read an empty object
	for {
		r.ReadName(&seen)
		if r.Skip(); !r.Next('}') {
			return
		}
	}
}

func (r *Reader) literal(word string) {
	if r.Failed() || !strings.HasPrefix(r.text[r.pos:], word) {
		r.Fail()
		return
	}
	r.pos += len(word)
}
