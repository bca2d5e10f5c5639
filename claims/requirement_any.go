package claims

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// AnyOf needs what any one of the requirements needs. None of them may be
// [Authenticated] or [ReportOnly], which all callers meet. It first checks what
// the token alone decides.
//
// If none is met, the refusal is [ErrUnavailable] if one of them could not be
// decided; otherwise that of the first alternative that another token would
// help with; otherwise that of the first.
func AnyOf(alternatives ...Requirement) Requirement {
	return valid(newAnyOf("AnyOf", printed(alternatives), alternatives))
}

type anyOf struct {
	name         string
	text         string
	alternatives []Requirement
	ordered      []int // of alternatives, those first that the token decides
	byToken      bool  // the token decides all of them
}

func newAnyOf(name, args string, alternatives []Requirement) *anyOf {
	a := &anyOf{
		name: name, text: name + "(" + args + ")", alternatives: slices.Clone(alternatives),
	}
	a.byToken = allLocal(a.alternatives)
	for i := range a.alternatives {
		a.ordered = append(a.ordered, i)
	}
	slices.SortStableFunc(a.ordered, func(i, j int) int {
		switch left, right := a.alternatives[i].local(), a.alternatives[j].local(); {
		case left == right:
			return 0
		case left:
			return -1
		}
		return 1
	})
	return a
}

func (a *anyOf) check(q *query) error {
	var refusal error
	var by int
	asked := false
	for _, i := range a.ordered {
		if !asked && !a.alternatives[i].local() {
			if asked = true; a.hasPermission(q) {
				return nil
			}
		}
		err := q.tries(a.alternatives[i])
		if err == nil {
			return nil
		}
		if refusal == nil || weight(err) > weight(refusal) ||
			weight(err) == weight(refusal) && i < by {
			refusal, by = err, i
		}
	}
	return refusal
}

// hasPermission reports whether permissions that are known already meet an
// alternative, so that the source need not be asked about others.
func (a *anyOf) hasPermission(q *query) bool {
	return slices.ContainsFunc(a.alternatives, func(r Requirement) bool {
		_, ok := r.rule.(*permissions)
		return ok && q.knows(r)
	})
}

// weight ranks the refusals of alternatives: the greatest is the one to give.
func weight(err error) int {
	refusal := AsError(err)
	switch refusal.class { // not what its cause may match as well
	case ErrUnavailable:
		return 2
	case ErrInsufficientScope, ErrInsufficientAuthentication:
		return 1
	case ErrNoToken, ErrInvalidRequest, ErrInvalidToken:
		if refusal.second != "" {
			return 1
		}
	}
	return 0
}

// wants returns what an alternative asks for that goes with the rest: one that
// the caller meets, or else the first that another token would help with. Each
// is asked once: alternatives in alternatives would double the work otherwise.
func (a *anyOf) wants(q *query, acr []string) wants {
	var unmet wants
	for _, r := range a.alternatives {
		met := q != nil && q.knows(r)
		if !met && !unmet.isEmpty() {
			continue
		}
		asks := r.wants(q, acr)
		switch {
		case !asks.goesWith(acr):
		case met:
			return asks
		case unmet.isEmpty():
			unmet = asks
		}
	}
	return unmet
}

// within is that of any alternative, as it is not known which will decide.
func (a *anyOf) within() time.Duration { return youngest(a.alternatives) }

func (a *anyOf) parts() []Requirement { return a.alternatives }
func (a *anyOf) fits(any) error       { return nil }
func (a *anyOf) local() bool          { return a.byToken }
func (a *anyOf) String() string       { return a.text }

func (a *anyOf) equal(other rule) bool {
	o, ok := other.(*anyOf)
	return ok && a.name == o.name &&
		slices.EqualFunc(a.alternatives, o.alternatives, Requirement.Equal)
}

func (a *anyOf) meetable() bool {
	for _, r := range a.alternatives {
		if r.meetable() {
			return true
		}
	}
	return false
}

// admits is false: [Optional] is no alternative, as everybody would meet it.
func (*anyOf) admits() bool { return false }

func (a *anyOf) validate() error {
	errs := []error{
		validateParts(a.name, a.alternatives), validateNoOptional(a.name, a.alternatives),
	}
	for _, r := range a.alternatives {
		if meetsAll(r) {
			errs = append(errs, fmt.Errorf(
				"claims: %s cannot be part of %s: all callers would meet it", r, a.name))
		}
	}
	return errors.Join(errs...)
}

// meetsAll reports whether every caller meets a requirement.
func meetsAll(r Requirement) bool {
	switch rule := r.rule.(type) {
	case nil, *reportOnly, optional:
		return true
	case *allOf:
		return !slices.ContainsFunc(rule.needs, func(r Requirement) bool {
			return !meetsAll(r)
		})
	}
	return false
}
