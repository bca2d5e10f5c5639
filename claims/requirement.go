package claims

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Requirement is what an operation needs of its caller. The zero value is
// [Authenticated]. A Requirement is immutable and safe for concurrent use.
//
// A Requirement that was put together wrongly, such as [Scopes] of nothing,
// refuses everybody, and [Requirement.Validate] says why; the transports
// validate the requirements they are given when they are given them.
type Requirement struct{ rule rule }

// rule is the inside of a Requirement, nil for Authenticated.
type rule interface {
	fmt.Stringer
	// check returns nil or an *Error.
	check(ctx context.Context, caller *Claims) error
	// scopes returns what a client has to ask its token for.
	scopes() []string
	validate() error
}

// Public needs nothing. Credentials of a request are not looked at, so a bad
// token does no harm and the handler finds no claims. It can not be part of
// [All] or [AnyOf].
func Public() Requirement { return Requirement{public{}} }

// Authenticated needs a valid token and no more.
func Authenticated() Requirement { return Requirement{} }

// Scopes needs every one of the scopes (RFC 6749 section 3.3), compared exactly.
func Scopes(all ...string) Requirement { return valid(newScopes("Scopes", all)) }

// AnyScope needs at least one of the scopes. A refusal asks for the first, so
// name first what a client should ask its token for.
func AnyScope(any ...string) Requirement {
	alternatives := make([]Requirement, len(any))
	for i, scope := range any {
		alternatives[i] = valid(newScopes("AnyScope", []string{scope}))
	}
	return valid(&anyOf{name: "AnyScope", args: quoted(any), alternatives: alternatives})
}

// Permissions needs every one of the permissions, compared exactly. A refusal is
// [ErrForbidden] and asks for no scope: another token would not help.
func Permissions(all ...string) Requirement { return valid(newPermissions("Permissions", all)) }

// AnyPermission needs at least one of the permissions.
func AnyPermission(any ...string) Requirement {
	alternatives := make([]Requirement, len(any))
	for i, permission := range any {
		alternatives[i] = valid(newPermissions("AnyPermission", []string{permission}))
	}
	return valid(&anyOf{name: "AnyPermission", args: quoted(any), alternatives: alternatives})
}

// All needs everything that the requirements need. They are checked in order,
// and the first that refuses decides; a refusal for lack of scope names the
// scopes of all of them, as the token that it asks for must have them all.
func All(needs ...Requirement) Requirement {
	a := &allOf{needs: slices.Clone(needs)}
	a.refusal = insufficientScope(a.scopes())
	return valid(a)
}

// AnyOf needs what any one of the requirements needs, of which none can be
// [Authenticated], as all callers meet that. They are checked in order. Where
// none is met, the refusal is [ErrUnavailable] if one of them could not be
// decided; else that of the first one that another token would help with; else
// that of the first.
func AnyOf(alternatives ...Requirement) Requirement {
	return valid(&anyOf{
		name: "AnyOf", args: printed(alternatives), alternatives: slices.Clone(alternatives),
	})
}

// Func needs f to allow the caller, which is never nil. The name is for reading:
// it stands in the requirement's String. A result of false refuses with
// [ErrForbidden]. An error refuses whatever the result: with the class that it
// matches if it is one of this package's sentinels, otherwise with
// [ErrUnavailable], which f must not bring about by what the caller sent.
func Func(name string, f func(ctx context.Context, caller *Claims) (bool, error)) Requirement {
	return valid(&funcRule{name, f})
}

// Check returns nil if the caller, which must not be nil, has what is needed,
// and otherwise an [*Error]: [ErrInsufficientScope], [ErrForbidden],
// [ErrUnavailable], or of another class if a [Func] says so.
func (r Requirement) Check(ctx context.Context, caller *Claims) error {
	if r.rule == nil {
		return nil
	}
	return r.rule.check(ctx, caller)
}

// IsPublic reports whether r is [Public].
func (r Requirement) IsPublic() bool { return r.rule == public{} }

// Scope returns the space-separated scope that a client should ask its token
// for to meet r, the first alternative where there are several; empty if no
// scope is needed. It is the "scope" of a challenge (RFC 6750 section 3).
func (r Requirement) Scope() string { return strings.Join(r.scopes(), " ") }

// String returns r as it would be written in Go, without the package name.
func (r Requirement) String() string {
	if r.rule == nil {
		return "Authenticated()"
	}
	return r.rule.String()
}

// Validate returns what is wrong with r, nil if nothing is.
func (r Requirement) Validate() error {
	if r.rule == nil {
		return nil
	}
	return r.rule.validate()
}

func (r Requirement) scopes() []string {
	if r.rule == nil {
		return nil
	}
	return r.rule.scopes()
}
