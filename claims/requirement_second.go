package claims

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Second needs a second credential of the request, beside that of its caller,
// and the caller whom that one is of to meet needs: a sandbox's token, the
// token of the user for whom a service asks. Its name is that of an entry in
// the Config of the transport, which says where it stands and who verifies it;
// needs is anything but [Public] and another Second, [Authenticated] for a
// valid token and no more, [Optional] for one that may be missing but not bad.
//
// The credential is looked at only if a requirement is checked that asks for
// it, after all that the first token decides. The handler finds its caller by
// [SecondFromContext]. What needs asks of a [PermissionSource] is asked about
// that caller; a [Func] is called with them. The refusal names the credential
// ([Error.Second]), so that no client renews the wrong one, and asks for the
// scopes of needs alone.
func Second(name string, needs Requirement) Requirement {
	return valid(&second{name: name, needs: needs})
}

type second struct {
	text  text
	name  string
	needs Requirement
}

func (s *second) check(q *query) error {
	caller, err := q.second(s)
	if err == nil {
		err = q.checkSecond(caller, s)
	}
	if err != nil {
		return AsError(err).ofSecond(s)
	}
	return nil
}

// wants nothing of the first token.
func (*second) wants(*query, []string) wants { return wants{} }
func (*second) local() bool                  { return false }
func (*second) meetable() bool               { return true }
func (*second) admits() bool                 { return false }

func (s *second) parts() []Requirement { return []Requirement{s.needs} }
func (*second) fits(any) error         { return nil }

func (s *second) String() string {
	return s.text.or(func() string {
		return "Second(" + strconv.Quote(s.name) + ", " + s.needs.String() + ")"
	})
}

func (s *second) equal(other rule) bool {
	o, ok := other.(*second)
	return ok && s.name == o.name && s.needs.Equal(o.needs)
}

func (s *second) validate() error {
	var errs []error
	if fault := secondNameFault(s.name); fault != "" {
		errs = append(errs, fmt.Errorf("claims: Second(%q) %s", s.name, fault))
	}
	if hasSecond(s.needs) {
		errs = append(errs, fmt.Errorf("claims: %s has a Second in a Second", s))
	}
	return errors.Join(append(errs, validateParts("Second", []Requirement{s.needs}))...)
}

// secondNameFault returns what is wrong with the name of a second credential,
// which is the scheme of its challenges too.
func secondNameFault(name string) string {
	if !isScheme(name) || len(name) > maxSecondName {
		return "is not a token (RFC 9110 section 5.6.2) of at most 32 characters"
	}
	switch strings.ToLower(name) {
	case "basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual",
		"negotiate", "oauth", "privatetoken", "scram-sha-1", "scram-sha-256", "vapid":
		return "is an authentication scheme"
	}
	return ""
}

const maxSecondName = 32

func hasSecond(r Requirement) bool { return len(secondsOf(r)) > 0 }

// secondsOf returns the names of the second credentials that a requirement asks
// for, one for each place.
func secondsOf(r Requirement) (names []string) {
	r.each(func(part Requirement) {
		if s, ok := part.rule.(*second); ok {
			names = append(names, s.name)
		}
	})
	return names
}

// validateSeconds returns an error if parts that are all needed ask for one
// credential several times: a refusal would ask for a part of what is needed.
func validateSeconds(parts []Requirement) error {
	var errs []error
	seen := map[string]bool{}
	var look func(parts []Requirement)
	look = func(parts []Requirement) {
		for _, r := range parts {
			switch rule := r.rule.(type) {
			case *allOf:
				look(rule.needs)
			case *second:
				if seen[rule.name] {
					errs = append(errs, fmt.Errorf(
						"claims: All has Second(%q) several times: say all it needs in one", rule.name))
				}
				seen[rule.name] = true
			}
		}
	}
	look(parts)
	return errors.Join(errs...)
}
