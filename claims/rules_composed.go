package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// All needs everything that the requirements need. What the token alone decides is
// checked first, then the rest, each in the order given, and the first that refuses
// decides; one that can not be decided does so only if none refuses. A refusal for
// lack of scope, or for an authentication that is too weak, asks for what all of
// them need, as the token that it asks for must have it all.
func All(needs ...Requirement) Requirement { return valid(newAllOf(needs)) }

// AnyOf needs what any one of the requirements needs, of which none can be
// [Authenticated] or [ReportOnly], as all callers meet those. What the token alone
// decides is checked first. Where none is met, the refusal is [ErrUnavailable] if
// one of them could not be decided; else that of the first one that another token
// would help with; else that of the first.
func AnyOf(alternatives ...Requirement) Requirement {
	return valid(newAnyOf("AnyOf", printed(alternatives), alternatives))
}

// ReportOnly records whether needs would refuse, in the [Decision] that an
// [Observer] is told, and refuses nobody for it: a requirement can be tried before
// it is enforced. A valid token is needed all the same. Without an Observer needs is
// not checked. Of a stream, what looks at the first message is tried only if something
// that is enforced waits for it.
func ReportOnly(needs Requirement) Requirement { return valid(&reportOnly{needs}) }

type allOf struct {
	needs   []Requirement
	ordered []Requirement // those of needs that the token decides first
	choice  bool          // some of needs have alternatives

	// Where there is no choice, the refusals are always the same.
	scope, authentication *Error
}

func newAllOf(needs []Requirement) *allOf {
	a := &allOf{needs: slices.Clone(needs)}
	a.ordered = localFirst(a.needs)
	a.choice = slices.ContainsFunc(a.needs, hasChoice)
	a.scope = a.wants(nil, wants{}).refusal(ErrInsufficientScope)
	a.authentication = a.wants(nil, wants{}).refusal(ErrInsufficientAuthentication)
	return a
}

// localFirst returns the requirements with those first that the token decides, and
// those last that are only reported.
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

// hasChoice reports whether what a client should ask for depends on what it has.
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
			return a.refusal(q, r, refusal)
		default:
			return err
		}
	}
	return undecided
}

// refusal returns one that asks for what all parts need, of which one has refused.
func (a *allOf) refusal(q *query, refused Requirement, refusal *Error) error {
	if !a.choice && refusal.cause == nil && refusal.reason == defaultReason(refusal.class) {
		if refusal.class == ErrInsufficientScope {
			return a.scope
		}
		return a.authentication
	}
	// What has refused decides where the others leave a choice.
	asks, parts := wanted(refusal), make([]wants, len(a.needs))
	for i, r := range a.needs {
		parts[i] = wanted(refusal)
		if r.rule != refused.rule {
			parts[i] = r.wants(q, asks)
			asks = asks.and(parts[i])
		}
	}
	asks.scopes = nil // in their own order
	for _, part := range parts {
		asks.scopes = asks.and(wants{scopes: part.scopes}).scopes
	}
	return asks.refusal(refusal.class).because(refusal)
}

func (a *allOf) wants(q *query, with wants) wants {
	var sum wants
	for _, r := range a.needs {
		sum = sum.and(r.wants(q, with.and(sum)))
	}
	return sum
}

func (a *allOf) local() bool    { return allLocal(a.needs) }
func (a *allOf) String() string { return "All(" + printed(a.needs) + ")" }

func (a *allOf) equal(other rule) bool {
	o, ok := other.(*allOf)
	return ok && slices.EqualFunc(a.needs, o.needs, Requirement.Equal)
}

func (a *allOf) validate() error {
	err := validateParts("All", a.needs)
	if _, ok := a.commonACR(); !ok {
		err = errors.Join(err, fmt.Errorf("claims: %s: no acr meets all of its parts", a))
	}
	return err
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

// acrOf returns the values of "acr" that a requirement needs one of, none for any.
func acrOf(r Requirement) []string {
	switch rule := r.rule.(type) {
	case *acr:
		return rule.any
	case *allOf:
		common, _ := rule.commonACR() // what is wrong in it is its own fault
		return common
	case *inWorkspace:
		return acrOf(rule.needs)
	}
	return nil
}

type anyOf struct {
	name         string
	args         string
	alternatives []Requirement
	ordered      []int // of alternatives, those first that the token decides
}

func newAnyOf(name, args string, alternatives []Requirement) *anyOf {
	a := &anyOf{name: name, args: args, alternatives: slices.Clone(alternatives)}
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
		if refusal == nil || weight(err) > weight(refusal) || weight(err) == weight(refusal) && i < by {
			refusal, by = err, i
		}
	}
	return refusal
}

// hasPermission reports whether permissions that are known already do, so that nobody
// need be asked about others.
func (a *anyOf) hasPermission(q *query) bool {
	return slices.ContainsFunc(a.alternatives, func(r Requirement) bool {
		_, ok := r.rule.(*permissions)
		return ok && q.knows(r)
	})
}

// weight ranks the refusals of alternatives: the greatest is the one to give.
func weight(err error) int {
	switch AsError(err).Class() { // not what its cause may match as well
	case ErrUnavailable:
		return 2
	case ErrInsufficientScope, ErrInsufficientAuthentication:
		return 1
	}
	return 0
}

// wants returns that of an alternative which the caller meets, or else of the first
// that another token would help with; of those, if possible, that go with the rest.
func (a *anyOf) wants(q *query, with wants) wants {
	var other wants
	for _, met := range []bool{true, false} {
		for _, r := range a.alternatives {
			if met && (q == nil || !q.knows(r)) {
				continue
			}
			asks := r.wants(q, with)
			switch goes := with.goesWith(asks); {
			case goes && (met || !asks.isEmpty()):
				return asks
			case !goes && other.isEmpty():
				other = asks
			}
		}
	}
	return other
}

func (a *anyOf) local() bool    { return allLocal(a.alternatives) }
func (a *anyOf) String() string { return a.name + "(" + a.args + ")" }

func (a *anyOf) equal(other rule) bool {
	o, ok := other.(*anyOf)
	return ok && slices.EqualFunc(a.alternatives, o.alternatives, Requirement.Equal)
}

func (a *anyOf) validate() error {
	errs := []error{validateParts(a.name, a.alternatives)}
	for _, r := range a.alternatives {
		if meetsAll(r) {
			errs = append(errs, fmt.Errorf(
				"claims: %s can not be part of %s: all callers would meet it", r, a.name))
		}
	}
	return errors.Join(errs...)
}

// meetsAll reports whether every caller meets a requirement.
func meetsAll(r Requirement) bool {
	switch rule := r.rule.(type) {
	case nil, *reportOnly:
		return true
	case *inWorkspace:
		return meetsAll(rule.needs)
	case *allOf:
		return len(rule.needs) > 0 && !slices.ContainsFunc(rule.needs, func(r Requirement) bool {
			return !meetsAll(r)
		})
	}
	return false
}

type reportOnly struct{ needs Requirement }

func (r *reportOnly) check(q *query) error {
	if q.quiet || !q.call.observed() {
		return nil
	}
	trial := *q // nothing of which has consequences
	err := r.needs.check(&trial)
	q.from(trial.origin)
	if err != nil && q.reported == nil {
		q.reported = AsError(err)
	}
	return nil
}

func (r *reportOnly) wants(*query, wants) wants { return wants{} }
func (r *reportOnly) local() bool               { return false }
func (r *reportOnly) String() string            { return "ReportOnly(" + r.needs.String() + ")" }

func (r *reportOnly) equal(other rule) bool {
	o, ok := other.(*reportOnly)
	return ok && r.needs.Equal(o.needs)
}

func (r *reportOnly) validate() error { return validateParts("ReportOnly", []Requirement{r.needs}) }

func validateParts(name string, parts []Requirement) error {
	if len(parts) == 0 {
		return fmt.Errorf("claims: %s needs at least one requirement", name)
	}
	var errs []error
	for _, r := range parts {
		if r.IsPublic() {
			// What it meant, that all is public or that it adds nothing, would be
			// for the reader to guess.
			errs = append(errs, fmt.Errorf("claims: Public can not be part of %s", name))
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
