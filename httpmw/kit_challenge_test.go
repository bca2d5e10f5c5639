package httpmw_test

import (
	"errors"
	"fmt"
	"strings"
)

// readChallenge is a challenge as a client reads it.
type readChallenge struct {
	scheme string // in lower case
	params map[string]string
}

// readChallenges is a strict reader of WWW-Authenticate fields by the grammar
// of RFC 9110 sections 5.6 and 11.6.1. It shares nothing with what writes them.
func readChallenges(fields []string) ([]readChallenge, error) {
	s := &scanner{rest: strings.Join(fields, ", ")}
	var found []readChallenge
	for {
		for s.skip(" \t,") {
		}
		if s.rest == "" {
			if len(found) == 0 {
				return nil, errors.New("no challenge")
			}
			return found, nil
		}
		c := readChallenge{params: map[string]string{}}
		if c.scheme = strings.ToLower(s.token()); c.scheme == "" {
			return nil, fmt.Errorf("no scheme at %q", s.rest)
		}
		if err := s.parameters(&c); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
}

// scanner is what is left to be read.
type scanner struct{ rest string }

func (s *scanner) skip(chars string) bool {
	trimmed := strings.TrimLeft(s.rest, chars)
	skipped := len(trimmed) < len(s.rest)
	s.rest = trimmed
	return skipped
}

// token reads a token (section 5.6.2), empty if there is none.
func (s *scanner) token() string {
	end := 0
	for end < len(s.rest) && tchar(s.rest[end]) {
		end++
	}
	token := s.rest[:end]
	s.rest = s.rest[end:]
	return token
}

func tchar(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' ||
		c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// parameters reads what follows a scheme.
func (s *scanner) parameters(c *readChallenge) error {
	if s.rest != "" && s.rest[0] != ',' && s.rest[0] != ' ' {
		return fmt.Errorf("%s is followed by %q", c.scheme, s.rest)
	}
	s.skip(" ")
	for first := true; s.rest != ""; first = false {
		before := s.rest
		for s.skip(" \t,") {
		}
		name := s.token()
		s.skip(" \t")
		if name == "" || !strings.HasPrefix(s.rest, "=") {
			s.rest = before
			if first && s.rest != "" && s.rest[0] != ',' {
				return fmt.Errorf("%s has no parameter at %q", c.scheme, s.rest)
			}
			return nil // the next challenge, or the end
		}
		if first && before[0] == ',' {
			return fmt.Errorf("%s has a parameter behind a comma", c.scheme)
		}
		s.rest = s.rest[1:]
		s.skip(" \t")
		value, err := s.value()
		if err != nil {
			return fmt.Errorf("%s of %s: %w", name, c.scheme, err)
		}
		name = strings.ToLower(name)
		if _, twice := c.params[name]; twice {
			return fmt.Errorf("%s of %s is there twice", name, c.scheme)
		}
		c.params[name] = value
		s.skip(" \t")
		if s.rest != "" && s.rest[0] != ',' {
			return fmt.Errorf("%s of %s is followed by %q", name, c.scheme, s.rest)
		}
	}
	return nil
}

// value reads a token or a quoted-string (section 5.6.4).
func (s *scanner) value() (string, error) {
	if !strings.HasPrefix(s.rest, `"`) {
		if value := s.token(); value != "" {
			return value, nil
		}
		return "", errors.New("no value")
	}
	var value []byte
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return string(value), nil
		case c == '\\':
			if i++; i == len(s.rest) || s.rest[i] < ' ' && s.rest[i] != '\t' || s.rest[i] == 0x7f {
				return "", errors.New("a bad quoted-pair")
			}
			value = append(value, s.rest[i])
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", errors.New("a control character")
		default:
			value = append(value, c)
		}
	}
	return "", errors.New("no closing quotation mark")
}
