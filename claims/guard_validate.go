package claims

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Validate returns what is wrong with the requirement of an operation whose
// requests are of the type that request is: what [Requirement.ValidateFor]
// says, or [Requirement.Validate] if request is nil, as the type is not known,
// and whether nobody can ever meet it. That is so if it needs a
// permission, there is no [PermissionSource], and no token grants it by
// [Config].PermissionClaims and PermissionMap, or grants it in a workspace,
// which a token never does. Transports call it when they are given a
// requirement.
//
// Of an alternative in [AnyOf] it says nothing while another can be met, and
// nothing of permissions in the tokens of an [Authenticator] that is not this
// package's, or of [Tenants], whose Configs are not known yet. A nil Guard says
// nothing of permissions at all.
func (g *Guard) Validate(op Operation, request any) error {
	needs := op.Requirement
	errs := []error{needs.Validate()}
	if request != nil {
		errs[0] = needs.validateFor(request)
	}
	if !g.isMade() {
		return errors.Join(errs...)
	}
	errs = append(errs, g.unnamedSeconds(needs)...)
	if g.permissions != nil {
		return errors.Join(errs...)
	}
	lacking := ungranted{guard: g}
	lacking.find(needs, g.auth, false)
	if list := lacking.byToken; len(list) > 0 {
		errs = append(errs, fmt.Errorf("claims: %s can never be met: no token grants %s "+
			"by Config.PermissionClaims and PermissionMap, and there is no PermissionSource",
			needs, quoted(list)))
	}
	if list := lacking.inWorkspace; len(list) > 0 {
		errs = append(errs, fmt.Errorf("claims: %s can never be met: "+
			"only a PermissionSource grants %s in a workspace, and there is none", needs, quoted(list)))
	}
	return errors.Join(errs...)
}

// ungranted are the permissions that nothing grants.
type ungranted struct {
	byToken, inWorkspace []string
	guard                *Guard
}

// find adds those for which a requirement can never be met, and reports whether
// there are any.
func (u *ungranted) find(needs Requirement, auth Authenticator, within bool) (never bool) {
	switch rule := needs.rule.(type) {
	case *permissions:
		for _, permission := range rule.all {
			switch {
			case within:
				u.inWorkspace = appendOnce(u.inWorkspace, permission)
			case !mayGrant(auth, permission):
				u.byToken = appendOnce(u.byToken, permission)
			default:
				continue
			}
			never = true
		}
	case *inWorkspace:
		return u.find(rule.needs, auth, true)
	case *invalid: // which is another fault
		return u.find(Requirement{rule.rule}, auth, within)
	case *reportOnly:
		return u.find(rule.needs, auth, within)
	case *lasts:
		return u.find(rule.needs, auth, within)
	case *second:
		if own := u.guard.second[rule.name]; own != nil {
			return u.find(rule.needs, own.auth, within)
		}
	case *allOf:
		for _, part := range rule.needs {
			never = u.find(part, auth, within) || never
		}
	case *anyOf:
		before := *u
		for _, part := range rule.alternatives {
			if !u.find(part, auth, within) {
				*u = before
				return false
			}
		}
		return len(rule.alternatives) > 0
	}
	return never
}

// unnamedSeconds returns an error for each second credential that a requirement
// asks for and the guard does not have.
func (g *Guard) unnamedSeconds(needs Requirement) []error {
	var errs []error
	for _, name := range secondsOf(needs) {
		if g.second[name] == nil {
			errs = append(errs, fmt.Errorf("claims: %s can never be met: "+
				"Config.Second has no %q, but %s", needs, name, listed(g.second)))
		}
	}
	return errs
}

func listed(guards map[string]*Guard) string {
	if len(guards) == 0 {
		return "nothing"
	}
	return quoted(slices.Sorted(maps.Keys(guards)))
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(slices.Clip(list), s)
}

// mayGrant reports whether a token that an Authenticator accepts may grant a
// permission.
func mayGrant(auth Authenticator, permission string) bool {
	known, ok := auth.(interface {
		mayGrant(auth Authenticator, permission string) bool
	})
	return !ok || known.mayGrant(auth, permission)
}

// mayGrant is told what is asked: a type that embeds a Verifier may
// authenticate in a way of its own.
func (v *Verifier) mayGrant(auth Authenticator, permission string) bool {
	return auth != Authenticator(v) || v.meaning.permissions.mayGrant(permission)
}

// mayGrant goes by the issuers that are trusted now.
func (i *Issuers) mayGrant(auth Authenticator, permission string) bool {
	if auth != Authenticator(i) {
		return true
	}
	verifiers := i.trusted.Load().verifiers
	for _, v := range verifiers.All() {
		if v.mayGrant(v, permission) {
			return true
		}
	}
	return verifiers.Len() == 0
}

func (f *firstOf) mayGrant(auth Authenticator, permission string) bool {
	return auth != Authenticator(f) || slices.ContainsFunc(f.auths, func(part Authenticator) bool {
		return mayGrant(part, permission)
	})
}
