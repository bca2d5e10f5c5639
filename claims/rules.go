package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// valid returns the Requirement that a rule is, or one that refuses everybody.
func valid(r rule) Requirement {
	if err := r.validate(); err != nil {
		return Requirement{&invalid{r, err}}
	}
	return Requirement{r}
}

// invalid is a rule that was put together wrongly.
type invalid struct {
	rule
	err error
}

func (*invalid) check(context.Context, *Claims) error { return errPermission }
func (*invalid) scopes() []string                     { return nil }
func (i *invalid) validate() error                    { return i.err }

type public struct{}

func (public) check(context.Context, *Claims) error { return nil }
func (public) scopes() []string                     { return nil }
func (public) validate() error                      { return nil }
func (public) String() string                       { return "Public()" }

// scopes is all of a list of scopes.
type scopes struct {
	name    string
	all     []string
	refusal *Error
}

func newScopes(name string, all []string) *scopes {
	return &scopes{name, slices.Clone(all), insufficientScope(all)}
}

func insufficientScope(all []string) *Error {
	return &Error{class: ErrInsufficientScope, reason: ReasonScope, scope: strings.Join(all, " ")}
}

func (s *scopes) check(_ context.Context, caller *Claims) error {
	for _, scope := range s.all {
		if !caller.HasScope(scope) {
			return s.refusal
		}
	}
	return nil
}

func (s *scopes) scopes() []string { return s.all }
func (s *scopes) String() string   { return s.name + "(" + quoted(s.all) + ")" }

func (s *scopes) validate() error {
	if len(s.all) == 0 {
		return fmt.Errorf("claims: %s needs at least one scope", s.name)
	}
	var errs []error
	for _, scope := range s.all {
		if !isScope(scope) {
			errs = append(errs, fmt.Errorf(
				"claims: %s: %q is not a scope (RFC 6749 section 3.3)", s.name, scope))
		}
	}
	return errors.Join(errs...)
}

// isScope reports whether s is a scope-token.
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// permissions is all of a list of permissions.
type permissions struct {
	name string
	all  []string
}

func newPermissions(name string, all []string) *permissions {
	return &permissions{name, slices.Clone(all)}
}

func (p *permissions) check(_ context.Context, caller *Claims) error {
	for _, permission := range p.all {
		if !caller.HasPermission(permission) {
			return errPermission
		}
	}
	return nil
}

func (p *permissions) scopes() []string { return nil }
func (p *permissions) String() string   { return p.name + "(" + quoted(p.all) + ")" }

func (p *permissions) validate() error {
	if len(p.all) == 0 || slices.Contains(p.all, "") {
		return fmt.Errorf("claims: %s needs at least one permission, and none that is empty", p.name)
	}
	return nil
}

type allOf struct {
	needs   []Requirement
	refusal *Error
}

func (a *allOf) check(ctx context.Context, caller *Claims) error {
	for _, r := range a.needs {
		err := r.Check(ctx, caller)
		switch {
		case err == nil:
		case AsError(err).Class() == ErrInsufficientScope:
			return a.refusal
		default:
			return err
		}
	}
	return nil
}

func (a *allOf) scopes() []string {
	var union []string
	for _, r := range a.needs {
		for _, scope := range r.scopes() {
			if !slices.Contains(union, scope) {
				union = append(union, scope)
			}
		}
	}
	return union
}

func (a *allOf) validate() error { return validateParts("All", a.needs) }
func (a *allOf) String() string  { return "All(" + printed(a.needs) + ")" }

type anyOf struct {
	name         string
	args         string
	alternatives []Requirement
}

func (a *anyOf) check(ctx context.Context, caller *Claims) error {
	var refusal error
	for _, r := range a.alternatives {
		err := r.Check(ctx, caller)
		if err == nil {
			return nil
		}
		if refusal == nil || weight(err) > weight(refusal) {
			refusal = err
		}
	}
	return refusal
}

// weight ranks the refusals of alternatives: the greatest is the one to give.
func weight(err error) int {
	switch AsError(err).Class() { // not what its cause may match as well
	case ErrUnavailable:
		return 3
	case ErrInsufficientScope:
		return 2
	case ErrInsufficientAuthentication:
		return 1
	}
	return 0
}

func (a *anyOf) scopes() []string {
	for _, r := range a.alternatives {
		if list := r.scopes(); len(list) > 0 {
			return list
		}
	}
	return nil
}

func (a *anyOf) validate() error { return validateParts(a.name, a.alternatives) }
func (a *anyOf) String() string  { return a.name + "(" + a.args + ")" }

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
		if r.rule == nil && name != "All" {
			errs = append(errs, fmt.Errorf(
				"claims: Authenticated can not be part of %s: all callers would meet it", name))
		}
		errs = append(errs, r.Validate())
	}
	return errors.Join(errs...)
}

type funcRule struct {
	name  string
	allow func(context.Context, *Claims) (bool, error)
}

func (f *funcRule) check(ctx context.Context, caller *Claims) error {
	allowed, err := f.allow(ctx, caller)
	switch {
	case err == nil && allowed:
		return nil
	case err == nil:
		return errPermission
	}
	if _, ok := classOf(err); ok {
		return AsError(err)
	}
	return NewError(ErrUnavailable, ReasonUndecided, err)
}

func (f *funcRule) scopes() []string { return nil }
func (f *funcRule) String() string   { return "Func(" + strconv.Quote(f.name) + ")" }

func (f *funcRule) validate() error {
	if f.allow == nil {
		return fmt.Errorf("claims: Func(%q) has no function", f.name)
	}
	return nil
}

func quoted(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(s))
	}
	return b.String()
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
