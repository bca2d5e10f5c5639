package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// All needs everything that the requirements need. It first checks what the
// token alone decides, then the rest, each in the order given. The first that
// refuses decides; a requirement that cannot be decided makes the decision
// [ErrUnavailable] only if none refuses.
//
// A refusal for lack of scope, or for an authentication that is too weak, asks
// for what all of them need: the next token must have all of it.
func All(needs ...Requirement) Requirement { return valid(newAllOf(needs)) }

type allOf struct {
	text    text
	needs   []Requirement
	ordered []Requirement // those of needs that the token decides first
	choice  bool          // some of needs have alternatives
	byToken bool          // the token decides all of needs
	dated   time.Duration // how old what decides may be, zero for any age

	// Where there is no choice, the refusals are always the same.
	scope, authentication *Error
}

func newAllOf(needs []Requirement) *allOf {
	a := &allOf{needs: slices.Clone(needs)}
	a.ordered = localFirst(a.needs)
	a.choice = slices.ContainsFunc(a.needs, hasChoice)
	a.byToken = allLocal(a.needs)
	a.dated = youngest(a.needs)
	asks := a.wants(nil, nil)
	a.scope = asks.refusal(ErrInsufficientScope)
	a.authentication = asks.refusal(ErrInsufficientAuthentication)
	return a
}

// localFirst returns the requirements in the order to check them in: those that
// the token decides, the others, and those that are only reported.
func localFirst(list []Requirement) []Requirement {
	list = slices.Clone(list)
	rank := func(r Requirement) int {
		if _, ok := r.rule.(*reportOnly); ok {
			return 2
		}
		if r.local() {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b Requirement) int { return rank(a) - rank(b) })
	return list
}

// hasChoice reports whether what a client should ask for depends on what it
// has.
func hasChoice(r Requirement) bool {
	switch rule := r.rule.(type) {
	case *anyOf:
		return true
	case *allOf:
		return rule.choice
	case *inWorkspace:
		return hasChoice(rule.needs)
	}
	return false
}

func (a *allOf) check(q *query) error {
	var undecided error
	for _, r := range a.ordered {
		err := q.tries(r)
		if err == nil {
			continue
		}
		switch refusal := AsError(err); refusal.class {
		case ErrUnavailable:
			if undecided == nil {
				undecided = err
			}
		case ErrInsufficientScope, ErrInsufficientAuthentication:
			if refusal.second != "" { // what the first lacks would not help
				return err
			}
			return a.refusal(q, r, refusal)
		default:
			return err
		}
	}
	return undecided
}

// refusal returns one that asks for what all parts need, after one of them has
// refused.
func (a *allOf) refusal(q *query, refused Requirement, refusal *Error) error {
	if !a.choice && refusal.cause == nil && refusal.reason == defaultReason(refusal.class) {
		if refusal.class == ErrInsufficientScope {
			return a.scope
		}
		return a.authentication
	}
	if q.quiet { // nobody is told what to ask for
		return refusal
	}
	// What has refused decides where the others leave a choice.
	var sum total
	own := wanted(refusal)
	sum.narrow(own)
	for _, r := range a.needs {
		if r.rule == refused.rule {
			sum.addScopes(own.scopes)
			continue
		}
		asks := r.wants(q, sum.acr)
		sum.addScopes(asks.scopes)
		sum.narrow(asks)
	}
	return sum.refusal(refusal.class).because(refusal)
}

func (a *allOf) wants(q *query, acr []string) wants {
	var sum total
	both := acr // as far as one token can have it
	for _, r := range a.needs {
		asks := r.wants(q, both)
		sum.addScopes(asks.scopes)
		sum.narrow(asks)
		if len(asks.acr) > 0 {
			both = narrowACR(acr, sum.acr)
		}
	}
	return sum.wants
}

func (a *allOf) within() time.Duration { return a.dated }

func (a *allOf) parts() []Requirement { return a.needs }
func (a *allOf) fits(any) error       { return nil }
func (a *allOf) local() bool          { return a.byToken }

func (a *allOf) String() string {
	return a.text.or(func() string { return "All(" + printed(a.needs) + ")" })
}

func (a *allOf) equal(other rule) bool {
	o, ok := other.(*allOf)
	return ok && slices.EqualFunc(a.needs, o.needs, Requirement.Equal)
}

func (a *allOf) validate() error {
	err := validateParts("All", a.needs)
	if _, ok := a.commonACR(); !ok {
		err = errors.Join(err, fmt.Errorf("claims: %s: no acr meets all of its parts", a))
	}
	return errors.Join(err, validateOptional(a.needs), validateSeconds(a.needs))
}

func (a *allOf) meetable() bool {
	for _, r := range a.needs {
		if !r.meetable() {
			return false
		}
	}
	return true
}

func (a *allOf) admits() bool {
	admitted := false
	for _, r := range a.needs {
		admitted = admitted || r.admitsAnonymous()
	}
	return admitted && a.meetable()
}

// commonACR returns the values of "acr" that meet every ACR that has to be met,
// none for any value. It reports false if nothing does.
func (a *allOf) commonACR() (common []string, ok bool) {
	for _, r := range a.needs {
		values := acrOf(r)
		if len(values) == 0 {
			continue
		}
		if common == nil {
			common = values
		} else if common = intersection(common, values); len(common) == 0 {
			return nil, false
		}
	}
	return common, true
}

// acrOf returns the values of "acr" that a requirement needs one of, none for
// any.
func acrOf(r Requirement) []string {
	switch rule := r.rule.(type) {
	case *acr:
		return rule.values
	case *allOf:
		common, _ := rule.commonACR() // what is wrong in it is its own fault
		return common
	case *inWorkspace:
		return acrOf(rule.needs)
	}
	return nil
}

func validateParts(name string, parts []Requirement) error {
	if len(parts) == 0 {
		return fmt.Errorf("claims: %s needs at least one requirement", name)
	}
	var errs []error
	for _, r := range parts {
		if r.IsPublic() {
			// What it meant, that all is public or that it adds nothing, would
			// be for the reader to guess.
			errs = append(errs, fmt.Errorf("claims: Public cannot be part of %s", name))
		}
		if whole, ok := r.rule.(interface{ ofOperation() string }); ok {
			errs = append(errs, fmt.Errorf("claims: %s is of a whole operation "+
				"and cannot be part of %s", whole.ofOperation(), name))
		}
		errs = append(errs, r.Validate())
	}
	return errors.Join(errs...)
}

func allLocal(list []Requirement) bool {
	return !slices.ContainsFunc(list, func(r Requirement) bool { return !r.local() })
}

func printed(list []Requirement) string {
	var b strings.Builder
	for i, r := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.String())
	}
	return b.String()
}

// credentialed is a rule about a credential of a name.
type credentialed interface{ credential() string }

func hasSecond(r Requirement) bool { return len(secondsOf(r)) > 0 }

// secondsOf returns the names of the second credentials that a requirement asks
// for, one for each place.
func secondsOf(r Requirement) (names []string) {
	r.each(func(part Requirement) {
		if of, ok := part.rule.(credentialed); ok {
			names = append(names, of.credential())
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
			case credentialed:
				name := rule.credential()
				if seen[name] {
					errs = append(errs, fmt.Errorf(
						"claims: All has Second(%q) several times: say all it needs in one", name))
				}
				seen[name] = true
			}
		}
	}
	look(parts)
	return errors.Join(errs...)
}
