package claims

import (
	"fmt"
	"slices"
)

// Optional lets through who has no credential at all, as anonymous: the handler
// finds no claims, [FromContext] reports false, and [Allowed] refuses every
// part that is not [Public] or Optional itself with [ErrNoToken]. A credential
// that is there is looked at as everywhere: one that is bad, malformed, empty
// or of a scheme that is not understood is refused, so that nobody whose token
// has expired is taken for anonymous without learning of it.
//
// It stands alone, as the requirement of an operation; beside a [Second] in
// [All], for an operation to whose first credential there may be no caller; or
// in a Second. Elsewhere it would add nothing, or take away everything, and is
// an error.
func Optional() Requirement { return Requirement{optional{}} }

type optional struct{ single }

func (optional) check(*query) error           { return nil }
func (optional) wants(*query, []string) wants { return wants{} }
func (optional) local() bool                  { return true }
func (optional) equal(other rule) bool        { return other == optional{} }
func (optional) validate() error              { return nil }
func (optional) String() string               { return "Optional()" }

func (r Requirement) isOptional() bool { return r.rule == optional{} }

func (optional) meetable() bool { return true }
func (optional) admits() bool   { return true }

// validateOptional returns an error if an [Optional] among the parts of an
// [All] says nothing, as another part can only be met with the credential.
func validateOptional(parts []Requirement) error {
	if !slices.ContainsFunc(parts, Requirement.isOptional) {
		return nil
	}
	for _, r := range parts {
		if !r.meetable() {
			return fmt.Errorf("claims: Optional cannot be part of All beside %s, "+
				"which needs the credential", r)
		}
	}
	return nil
}

// validateNoOptional returns an error for parts in which [Optional] would say
// nothing.
func validateNoOptional(name string, parts []Requirement) error {
	if slices.ContainsFunc(parts, hasOptional) {
		return fmt.Errorf("claims: Optional cannot be part of %s", name)
	}
	return nil
}

// hasOptional reports whether a requirement says that the credential which it
// is about may be missing.
func hasOptional(r Requirement) bool {
	switch rule := r.rule.(type) {
	case nil:
		return false
	case optional:
		return true
	default:
		return slices.ContainsFunc(rule.parts(), hasOptional)
	}
}
