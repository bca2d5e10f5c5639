package claims

import (
	"fmt"
	"strconv"
	"strings"
)

// term is a requirement as its text has it.
type term struct {
	name  string
	words []string // its quoted arguments
	bare  string   // its argument that is neither quoted nor a term, as a duration
	parts []term
}

const maxTermDepth = 100

// parseTerm reads the text of a requirement.
func parseTerm(text string) (term, error) {
	p := &termParser{rest: text}
	t, err := p.term(0)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("there is more than a requirement: %q", p.rest)
	}
	return t, err
}

type termParser struct{ rest string }

func (p *termParser) term(depth int) (term, error) {
	open := strings.IndexByte(p.rest, '(')
	if open < 1 || strings.Trim(p.rest[:open], letters) != "" {
		return term{}, fmt.Errorf("%q is no requirement", p.rest)
	}
	if depth > maxTermDepth {
		return term{}, fmt.Errorf("requirements are more than %d deep", maxTermDepth)
	}
	t := term{name: p.rest[:open]}
	p.rest = p.rest[open+1:]
	for first := true; !p.skip(")"); first = false {
		if !first && !p.skip(", ") {
			return term{}, fmt.Errorf("%q does not end in a parenthesis", t.name)
		}
		if err := p.argument(&t, depth); err != nil {
			return term{}, err
		}
	}
	return t, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (p *termParser) argument(t *term, depth int) error {
	if strings.HasPrefix(p.rest, `"`) || strings.HasPrefix(p.rest, "`") {
		quoted, err := strconv.QuotedPrefix(p.rest)
		if err != nil {
			return fmt.Errorf("%q begins with no string", p.rest)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("%q is no string", quoted)
		}
		t.words = append(t.words, word)
		p.rest = p.rest[len(quoted):]
		return nil
	}
	end := strings.IndexAny(p.rest, "(,)")
	if end < 0 {
		return fmt.Errorf("%q does not end in a parenthesis", t.name)
	}
	if p.rest[end] == '(' {
		part, err := p.term(depth + 1)
		t.parts = append(t.parts, part)
		return err
	}
	if end == 0 || t.bare != "" {
		return fmt.Errorf("%q has an argument that is none", t.name)
	}
	t.bare, p.rest = p.rest[:end], p.rest[end:]
	return nil
}

func (p *termParser) skip(text string) bool {
	rest, found := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return found
}
