package strict

// Checked reads a value again that a Reader has read without a fault, and so
// checks nothing: not the UTF-8, not the names that are there twice, not the
// depth. Of any other text the answers mean nothing, but it comes to an end.
//
// An object is read by
//
//	for r.Enter(); r.Next(); {
//		name := r.ReadName()
//		// read the value
//	}
//
// and an array likewise, without a name. A copy of a Checked reads on from the
// same place.
type Checked struct {
	text string
	pos  int
}

// NewChecked returns a Checked of a text.
func NewChecked(text string) Checked { return Checked{text: text} }

// Peek returns the next byte that is not white space, 0 at the end.
func (r *Checked) Peek() byte {
	for ; r.pos < len(r.text); r.pos++ {
		if c := r.text[r.pos]; c > ' ' {
			return c
		}
	}
	return 0
}

// Enter begins an object or an array.
func (r *Checked) Enter() {
	r.Peek()
	r.pos++
}

// Next reports whether another member or element follows, which must then be
// read; if none does, the object or array is over.
func (r *Checked) Next() bool {
	switch r.Peek() {
	case 0, '}', ']':
		r.pos++
		return false
	case ',':
		r.pos++
	}
	return true
}

// ReadName reads the name of a member.
func (r *Checked) ReadName() string {
	name := r.ReadString()
	r.Peek()
	r.pos++ // the colon
	return name
}

// ReadString reads a string: a slice of the text unless it has escapes.
func (r *Checked) ReadString() string {
	r.Peek()
	start := min(r.pos+1, len(r.text))
	end := r.untilSpecial(start)
	if end < len(r.text) && r.text[end] == '\\' {
		escaped := Reader{text: r.text, pos: start}
		s := escaped.escapedString(end, true)
		r.pos = max(escaped.pos, end+1)
		return s
	}
	r.pos = end + 1
	return r.text[start:end]
}

// AppendWords reads a space-separated string and appends what is in it.
func (r *Checked) AppendWords(list []string) []string { return appendWords(list, r.ReadString()) }

// untilSpecial returns where the next quotation mark or backslash is, or the
// end.
func (r *Checked) untilSpecial(from int) int {
	end, _ := plainRun(r.text, from)
	for end < len(r.text) && r.text[end] != '"' && r.text[end] != '\\' {
		end++
	}
	return end
}

// At returns the place of the next value, for Since.
func (r *Checked) At() int {
	r.Peek()
	return min(r.pos, len(r.text))
}

// Since returns the text from a place to where the Checked is.
func (r *Checked) Since(place int) string { return r.text[place:min(r.pos, len(r.text))] }

// Skip reads a value of any type and forgets it.
func (r *Checked) Skip() {
	depth := 0
	for c := r.Peek(); c != 0; c = r.Peek() {
		switch c {
		case '"':
			r.skipString()
		case '{', '[':
			depth++
			r.pos++
		case '}', ']':
			depth--
			r.pos++
		case ',', ':':
			r.pos++
		default:
			r.skipWord()
		}
		if depth <= 0 {
			return
		}
	}
}

func (r *Checked) skipString() {
	at := r.untilSpecial(r.pos + 1)
	for at < len(r.text) && r.text[at] == '\\' {
		at = r.untilSpecial(min(at+2, len(r.text)))
	}
	r.pos = at + 1
}

// skipWord skips a number or a literal.
func (r *Checked) skipWord() {
	for r.pos++; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c <= ' ', c == ',', c == ']', c == '}':
			return
		}
	}
}
