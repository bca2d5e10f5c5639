package claims

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a token's JSON and so the recursion over it.
const maxDepth = 32

// reader reads one JSON text (RFC 8259) from front to back, more strictly than
// encoding/json: valid UTF-8, no lone surrogates, no member name twice in an
// object whatever way it is escaped, nothing after the value. The first fault
// makes it bad for good, and every later call returns a zero value.
//
// Strings without escapes are slices of the text and cost no allocation.
type reader struct {
	text  string
	pos   int
	depth int
	bad   bool
}

// readObject calls member for each member of the object that text consists of,
// with the reader at the member's value, which member must read. It reports
// whether the text was well-formed.
func readObject(text string, member func(r *reader, name string)) bool {
	if !utf8.ValidString(text) {
		return false
	}
	r := &reader{text: text}
	r.object(member)
	r.space()
	return !r.bad && r.pos == len(r.text)
}

func (r *reader) fail() { r.bad = true }

// peek returns the next byte that is not white space, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.bad || r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *reader) space() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// accept consumes c if it is next.
func (r *reader) accept(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.pos++
	return true
}

func (r *reader) expect(c byte) {
	if !r.accept(c) {
		r.fail()
	}
}

func (r *reader) enter() {
	if r.depth++; r.depth > maxDepth {
		r.fail()
	}
}

func (r *reader) object(member func(r *reader, name string)) {
	r.enter()
	r.expect('{')
	var seen names
	for more := !r.accept('}'); more && !r.bad; {
		name := r.string()
		r.expect(':')
		if r.bad || !seen.add(name) {
			r.fail()
			return
		}
		member(r, name)
		if more = r.accept(','); !more {
			r.expect('}')
		}
	}
	r.depth--
}

func (r *reader) array(element func(r *reader)) {
	r.enter()
	r.expect('[')
	for more := !r.accept(']'); more && !r.bad; {
		element(r)
		if more = r.accept(','); !more {
			r.expect(']')
		}
	}
	r.depth--
}

// skip reads a value of any type and forgets it.
func (r *reader) skip() {
	switch c := r.peek(); {
	case c == '{':
		r.object(func(r *reader, _ string) { r.skip() })
	case c == '[':
		r.array((*reader).skip)
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

func (r *reader) literal(word string) {
	if r.bad || !strings.HasPrefix(r.text[r.pos:], word) {
		r.fail()
		return
	}
	r.pos += len(word)
}

// string reads a string.
func (r *reader) string() string {
	r.expect('"')
	if r.bad {
		return ""
	}
	for i := r.pos; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			s := r.text[r.pos:i]
			r.pos = i + 1
			return s
		case c == '\\':
			return r.escapedString()
		case c < 0x20:
			r.fail()
			return ""
		}
	}
	r.fail()
	return ""
}

// escapedString reads on from the start of a string that has an escape.
func (r *reader) escapedString() string {
	var b strings.Builder
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		r.pos++
		switch {
		case c == '"':
			return b.String()
		case c == '\\':
			b.WriteRune(r.escape())
			if r.bad {
				return ""
			}
		case c < 0x20:
			r.fail()
			return ""
		default:
			b.WriteByte(c)
		}
	}
	r.fail()
	return ""
}

// escape reads what follows a backslash.
func (r *reader) escape() rune {
	if r.pos >= len(r.text) {
		r.fail()
		return 0
	}
	c := r.text[r.pos]
	r.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		first := r.hex4()
		if !utf16.IsSurrogate(first) {
			return first
		}
		r.literal(`\u`)
		char := utf16.DecodeRune(first, r.hex4())
		if char == utf8.RuneError {
			r.fail()
		}
		return char
	}
	r.fail()
	return 0
}

func (r *reader) hex4() rune {
	if r.bad || r.pos+4 > len(r.text) {
		r.fail()
		return 0
	}
	var char rune
	for _, c := range []byte(r.text[r.pos : r.pos+4]) {
		switch {
		case '0' <= c && c <= '9':
			char = char<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			char = char<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			char = char<<4 | rune(c-'A'+10)
		default:
			r.fail()
			return 0
		}
	}
	r.pos += 4
	return char
}

// number reads a number and returns its text.
func (r *reader) number() string {
	r.space()
	start := r.pos
	r.acceptAt('-')
	if !r.acceptAt('0') {
		r.digits()
	}
	if r.acceptAt('.') {
		r.digits()
	}
	if r.acceptAt('e') || r.acceptAt('E') {
		if !r.acceptAt('+') {
			r.acceptAt('-')
		}
		r.digits()
	}
	if r.bad {
		return ""
	}
	return r.text[start:r.pos]
}

// acceptAt is accept without white space before c.
func (r *reader) acceptAt(c byte) bool {
	if r.bad || r.pos >= len(r.text) || r.text[r.pos] != c {
		return false
	}
	r.pos++
	return true
}

func (r *reader) digits() {
	start := r.pos
	for r.pos < len(r.text) && '0' <= r.text[r.pos] && r.text[r.pos] <= '9' {
		r.pos++
	}
	if r.pos == start {
		r.fail()
	}
}

// strings reads a string or an array of strings: "aud" is either (RFC 7519
// section 4.1.3), and so are the scope claims of different issuers.
func (r *reader) strings() []string {
	if r.peek() != '[' {
		return []string{r.string()}
	}
	list := []string{}
	r.array(func(r *reader) { list = append(list, r.string()) })
	return list
}

// maxDate is the last second of the year 9999, the last that RFC 3339 can write.
const maxDate = 253402300799

// date reads a NumericDate (RFC 7519 section 2), an integer or a fraction, from
// 1970 to 9999.
func (r *reader) date() time.Time {
	text := r.number()
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		if seconds < 0 || seconds > maxDate {
			r.fail()
		}
		return time.Unix(seconds, 0)
	}
	// Within the range a float64 is exact to a few microseconds.
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > maxDate {
		r.fail()
		return time.Time{}
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9))
}

// names tells whether a name was there before: by comparison while they are
// few, so that nothing is allocated, then by a map, so that many names, which
// the sender of a token may choose, take linear time.
type names struct {
	few  [16]string
	n    int
	many map[string]struct{}
}

// add reports whether name is new.
func (s *names) add(name string) bool {
	if s.many == nil {
		for _, other := range s.few[:s.n] {
			if other == name {
				return false
			}
		}
		if s.n < len(s.few) {
			s.few[s.n] = name
			s.n++
			return true
		}
		s.many = make(map[string]struct{}, 2*len(s.few))
		for _, other := range s.few {
			s.many[other] = struct{}{}
		}
	}
	before := len(s.many)
	s.many[name] = struct{}{}
	return len(s.many) > before
}
