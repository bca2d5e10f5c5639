package strict

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ReadString reads a string.
func (r *Reader) ReadString() string { return r.readString(true) }

// readString reads a string; one with escapes is put together only to be kept.
func (r *Reader) readString(keep bool) string {
	r.expect('"')
	if r.Failed() {
		return ""
	}
	start := r.pos
	if start < len(r.text) && r.text[start] == '"' {
		r.pos++
		return ""
	}
	end, beyondASCII := plainRun(r.text, start)
	for ; end < len(r.text); end++ {
		switch c := r.text[end]; {
		case c == '"':
			s := r.text[start:end]
			if beyondASCII && !utf8.ValidString(s) {
				r.fail(NotUTF8)
				return ""
			}
			r.pos = end + 1
			return s
		case c == '\\':
			if !utf8.ValidString(r.text[start:end]) {
				r.fail(NotUTF8)
				return ""
			}
			return r.escapedString(end, keep)
		case c < 0x20:
			r.pos = end
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
// backslash, nor a control character, eight bytes at a time, and whether there
// may be characters beyond ASCII until there.
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

// escapedString reads on from the first escape in a string.
func (r *Reader) escapedString(at int, keep bool) string {
	var b []byte
	if keep {
		b = append(make([]byte, 0, at-r.pos+32), r.text[r.pos:at]...)
	}
	for r.pos = at; r.pos < len(r.text); {
		switch c := r.text[r.pos]; {
		case c == '"':
			r.pos++
			return string(b)
		case c == '\\':
			r.pos++
			char := r.escape()
			if r.Failed() {
				return ""
			}
			if keep {
				b = utf8.AppendRune(b, char)
			}
		case c < 0x20:
			r.Fail()
			return ""
		default:
			end := r.pos + 1
			for end < len(r.text) && r.text[end] >= 0x20 && r.text[end] != '"' &&
				r.text[end] != '\\' {
				end++
			}
			if !utf8.ValidString(r.text[r.pos:end]) {
				r.fail(NotUTF8)
				return ""
			}
			if keep {
				b = append(b, r.text[r.pos:end]...)
			}
			r.pos = end
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
		if !strings.HasPrefix(r.text[r.pos:], `\u`) {
			r.fail(NotUTF8)
			return 0
		}
		r.pos += len(`\u`)
		char := utf16.DecodeRune(first, r.hex4())
		if char == utf8.RuneError {
			r.fail(NotUTF8)
		}
		return char
	}
	r.Fail()
	return 0
}

func (r *Reader) hex4() rune {
	if r.Failed() || r.pos+4 > len(r.text) {
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
		if r.isFull(len(list)) {
			return nil
		}
		list = append(list, r.ReadString())
	}
	return list
}

// isFull reports whether a list that has n elements may have no more, which
// makes the Reader bad.
func (r *Reader) isFull(n int) bool {
	if r.longest == 0 || n < r.longest {
		return false
	}
	r.fail(TooLong)
	return true
}

// ReadWords reads a space-separated string, or an array of strings; never nil.
// An element of an array is one scope, spaces and all: it can then equal no
// scope that a requirement names.
func (r *Reader) ReadWords() []string {
	if r.Peek() == '[' {
		return r.ReadStrings()
	}
	// RFC 6749 section 3.3: space is the one separator.
	text := r.ReadString()
	n := words(text)
	if n > 0 && r.isFull(n-1) {
		return nil
	}
	return appendWords(make([]string, 0, n), text)
}

// appendWords appends what spaces separate.
func appendWords(list []string, text string) []string {
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

// Plain returns the value of a JSON string, and the text of any other value.
func Plain(value string) string {
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	r := NewReader(value)
	return r.ReadString()
}
