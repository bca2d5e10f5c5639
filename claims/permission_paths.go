package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// permissionPath is an entry of Config.PermissionClaims, taken apart.
type permissionPath struct {
	steps []pathStep
	// flat is the path as the name of one claim, which it may be as well if it
	// is plain names with dots between them; else empty.
	flat string
}

// pathStep leads from a value to some of those inside it.
type pathStep struct {
	kind stepKind
	name string // of a stepMember and a stepElementBy
}

type stepKind uint8

const (
	stepMember    stepKind = iota // name: the member of an object
	stepEvery                     // *: each member, whose name goes before the values
	stepElement                   // []: each element of an array
	stepElementBy                 // [*name]: the same, and its member goes before the values
	stepNames                     // @names: not the members of an object but their names
)

// namesToken is a stepNames as it is written.
const namesToken = "@names"

// parsePath takes a path apart. The error says what is wrong with it and where,
// and does not repeat the path.
func parsePath(text string) (permissionPath, error) {
	if text == "" {
		return permissionPath{}, errors.New("is empty")
	}
	if !utf8.ValidString(text) {
		return permissionPath{}, errors.New("is not UTF-8, as every claim is")
	}
	if isURLClaim(text) {
		return permissionPath{steps: []pathStep{{stepMember, text}}}, nil
	}
	p := pathParser{text: text}
	path, err := p.path()
	if err != nil {
		return permissionPath{}, err
	}
	return path, path.validate()
}

// isURLClaim reports whether a path is nothing but a URL, whose one reading is
// the name of a claim: its dots are those of a host.
func isURLClaim(text string) bool {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || strings.ContainsAny(text, `*[]"`) || strings.ContainsAny(scheme, ".") {
		return false
	}
	host, after, _ := strings.Cut(rest, "/")
	return host != "" && !strings.Contains(after, ".") && plainFault(text) == ""
}

// plainFault says why a name has to be written in quotes, empty if it need not.
func plainFault(name string) string {
	switch {
	case strings.ContainsAny(name, `*[]"`):
		return "holds a star, a bracket or a quotation mark"
	case name[0] == '@':
		return `begins with "@"`
	case name != strings.TrimSpace(name):
		return "has space around it"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds a control character"
	}
	return ""
}

// pathParser reads the text of a path from front to back.
type pathParser struct {
	text string
	pos  int
}

// fault returns an error about what follows.
func (p *pathParser) fault(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if p.pos == 0 {
		return err
	}
	return fmt.Errorf("%w, after %q", err, p.text[:p.pos])
}

func (p *pathParser) path() (permissionPath, error) {
	var path permissionPath
	plain := true
	for dotted := true; ; dotted = false {
		if !dotted && p.pos == len(p.text) {
			break
		}
		read := p.plain
		switch {
		case p.next('[') && (!dotted || p.pos == 0):
			read = p.bracket
		case dotted:
		case p.next('.'):
			p.pos++
		default:
			return path, p.fault("has neither a dot nor a bracket")
		}
		step, err := read()
		if err != nil {
			return path, err
		}
		plain = plain && step.kind == stepMember && p.text[p.pos-1] != ']'
		path.steps = append(path.steps, step)
	}
	if plain && len(path.steps) > 1 {
		path.flat = p.text
	}
	return path, nil
}

func (p *pathParser) next(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// plain reads a step without brackets.
func (p *pathParser) plain() (pathStep, error) {
	name := p.text[p.pos:]
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name = name[:i]
	}
	switch {
	case name == "":
		return pathStep{}, p.fault("has an empty name")
	case name == "*":
		p.pos++
		return pathStep{kind: stepEvery}, nil
	case name == namesToken:
		p.pos += len(name)
		return pathStep{kind: stepNames}, nil
	case strings.Contains(name, "://"):
		return pathStep{}, p.fault(`has a URL, of which nobody knows where it ends: ` +
			`write it in quotes, as in ["https://api.example/claims"].roles`)
	}
	if fault := plainFault(name); fault != "" {
		return pathStep{}, p.fault(
			`has a name, %q, that %s: write it in quotes, as in ["a.b"].c`, name, fault)
	}
	p.pos += len(name)
	return pathStep{stepMember, name}, nil
}

// bracket reads a step in brackets.
func (p *pathParser) bracket() (pathStep, error) {
	start := p.pos
	p.pos++
	step := pathStep{kind: stepMember}
	var err error
	switch {
	case p.next(']'):
		step.kind = stepElement
	case p.next('*'):
		p.pos++
		step.kind = stepElementBy
		if p.next('"') {
			step.name, err = p.quoted()
		} else {
			name, _, _ := strings.Cut(p.text[p.pos:], "]")
			if name == "" || plainFault(name) != "" {
				return step, p.fault(
					`needs the name of a member, in quotes if it holds more than letters`)
			}
			step.name = name
			p.pos += len(name)
		}
	case p.next('"'):
		step.name, err = p.quoted()
	default:
		return step, p.fault(`needs a name in double quotes, "]", or "*" and a name`)
	}
	if err != nil {
		return step, err
	}
	if !p.next(']') {
		p.pos = start
		return step, p.fault(`has a "[" that is not closed`)
	}
	p.pos++
	return step, nil
}

// quoted reads a name that is written as a JSON string.
func (p *pathParser) quoted() (string, error) {
	r := strict.NewReader(p.text[p.pos:])
	name := r.ReadString()
	if r.Failed() {
		return "", p.fault("has a name in quotes that is not a JSON string")
	}
	if name == "" {
		return "", p.fault("has an empty name")
	}
	rest, _ := r.Since(0)
	p.pos += len(rest)
	return name, nil
}

// validate returns why the path can match nothing in any token, nil if it can.
func (path permissionPath) validate() error {
	last := path.steps[len(path.steps)-1]
	switch {
	case path.steps[0].kind == stepElement || path.steps[0].kind == stepElementBy:
		return errors.New("begins with an array, and the claims are an object")
	case path.steps[0].kind == stepNames:
		return errors.New("must name the claim whose members' names are meant")
	case last.kind == stepEvery:
		return fmt.Errorf(`must name a claim after the last "*", or end in %s, without the star, `+
			`if the names themselves are the values`, namesToken)
	case last.kind == stepElement || last.kind == stepElementBy:
		return errors.New(`must name what is in the elements: an array of strings needs no "[]"`)
	case slices.ContainsFunc(path.steps[:len(path.steps)-1], isNames):
		return fmt.Errorf("has something after %s, and a name has nothing inside", namesToken)
	case len(path.steps) > strict.MaxDepth:
		return fmt.Errorf("has %d steps, and a token has %d levels at most",
			len(path.steps), strict.MaxDepth)
	}
	return path.validateClaim()
}

func isNames(s pathStep) bool { return s.kind == stepNames }

// validateClaim is validate for claims whose type is fixed.
func (path permissionPath) validateClaim() error {
	first := path.first()
	for _, claim := range registered {
		switch {
		case claim.name != first || claim.wanted == wantedAny:
		case len(path.steps) > 1:
			return fmt.Errorf("goes into %q, which is %s and has nothing inside",
				first, claim.wanted)
		case claim.wanted == wantedDate:
			return fmt.Errorf("is %s, which is no permission", claim.wanted)
		}
	}
	return nil
}

// first returns the claim that the path begins with, empty for every claim.
func (path permissionPath) first() string {
	if len(path.steps) == 0 || path.steps[0].kind != stepMember {
		return ""
	}
	return path.steps[0].name
}
