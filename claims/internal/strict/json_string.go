package strict

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ReadString reads a string.
func (r *Reader) ReadString() string {
	r.expect('"')
	if r.bad {
		return ""
	}
	start := r.pos
	end, beyondASCII := plainRun(r.text, start)
	for ; end < len(r.text); end++ {
		switch c := r.text[end]; {
		case c == '"':
			s := r.text[start:end]
			r.pos = end + 1
			if beyondASCII && !utf8.ValidString(s) {
				r.Fail()
				return ""
			}
			return s
		case c == '\\':
			return r.escapedString()
		case c < 0x20:
			r.Fail()
			return ""
		case c >= utf8.RuneSelf:
			beyondASCII = true
		}
	}
	r.Fail()
	return ""
}

// plainRun returns how far the text is surely neither a quotation mark, nor a
// backslash, nor a control character, eight bytes at a time, and whether there may
// be characters beyond ASCII until there.
func plainRun(text string, from int) (end int, beyondASCII bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	seen := uint64(0)
	for ; from+8 <= len(text); from += 8 {
		s := text[from : from+8]
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		seen |= x
		// A byte of zero is told by its high bit after one is taken from it.
		quote, slash, control := x^ones*'"', x^ones*'\\', x
		found := (quote-ones)&^quote | (slash-ones)&^slash | (control-ones*0x20)&^control
		if found &= highs; found != 0 {
			return from + bits.TrailingZeros64(found)/8, seen&highs != 0
		}
	}
	return from, seen&highs != 0
}

// escapedString reads on from the start of a string that has an escape.
func (r *Reader) escapedString() string {
	start := r.pos
	var b strings.Builder
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		r.pos++
		switch {
		case c == '"':
			if !utf8.ValidString(r.text[start:r.pos]) {
				r.Fail()
				return ""
			}
			return b.String()
		case c == '\\':
			b.WriteRune(r.escape())
			if r.bad {
				return ""
			}
		case c < 0x20:
			r.Fail()
			return ""
		default:
			b.WriteByte(c)
		}
	}
	r.Fail()
	return ""
}

// escape reads what follows a backslash.
func (r *Reader) escape() rune {
	if r.pos >= len(r.text) {
		r.Fail()
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
			r.Fail()
		}
		return char
	}
	r.Fail()
	return 0
}

func (r *Reader) hex4() rune {
	if r.bad || r.pos+4 > len(r.text) {
		r.Fail()
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
			r.Fail()
			return 0
		}
	}
	r.pos += 4
	return char
}

// ReadStrings reads a string or an array of strings: "aud" is either (RFC 7519
// section 4.1.3), and so are the scope claims of different issuers.
func (r *Reader) ReadStrings() []string {
	if r.Peek() != '[' {
		return []string{r.ReadString()}
	}
	list := make([]string, 0, 2) // as many as most have
	for r.Enter('['); r.Next(']'); {
		list = append(list, r.ReadString())
	}
	return list
}

// ReadWords reads a space-separated string, or an array of strings; never nil. An
// element of an array is one scope, spaces and all: it can then equal no scope
// that a requirement names.
func (r *Reader) ReadWords() []string {
	if r.Peek() == '[' {
		return r.ReadStrings()
	}
	// RFC 6749 section 3.3: space is the one separator.
	text := r.ReadString()
	list := make([]string, 0, words(text))
	start := 0
	for i := range len(text) + 1 {
		if i < len(text) && text[i] != ' ' {
			continue
		}
		if i > start {
			list = append(list, text[start:i])
		}
		start = i + 1
	}
	return list
}

// words counts what spaces separate.
func words(text string) (n int) {
	for i := range len(text) {
		if text[i] != ' ' && (i == 0 || text[i-1] == ' ') {
			n++
		}
	}
	return n
}
