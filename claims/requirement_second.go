package claims

import (
	"errors"
	"fmt"
	"strconv"
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
	s := &second{name: name, needs: needs}
	s.over = errExpired.ofSecond(s)
	return valid(s)
}

type second struct {
	single // what needs is made of is no part, as it is about another caller
	text   text
	name   string
	needs  Requirement
	over   *Error // the refusal once the credential is not accepted any more
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

func (s *second) credential() string     { return s.name }
func (s *second) fits(request any) error { return s.needs.fitsAll(request) }

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

// ofSecond returns e as a refusal of a second credential, which tells a client
// what to ask for.
func (e *Error) ofSecond(s *second) *Error {
	if e.second != "" {
		return e
	}
	of := *e.forOperation(s.needs)
	of.second = s.name
	return &of
}
