package claims

import (
	"context"
	"fmt"
	"strconv"
)

// Func needs f to allow the caller, which is never nil. The name is for reading:
// it stands in the requirement's String. A result of false refuses with
// [ErrForbidden]. An error refuses whatever the result: with the class that it
// matches if it is one of this package's sentinels, otherwise with
// [ErrUnavailable], which f must not bring about by what the caller sent.
//
// For a stream whose requirement has a [RequestFunc] too, f is asked when the stream
// starts and again at its first message.
func Func(name string, f func(ctx context.Context, caller *Claims) (bool, error)) Requirement {
	return valid(&funcRule{name, f})
}

type funcRule struct {
	name  string
	allow func(context.Context, *Claims) (bool, error)
}

func (f *funcRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	return verdictOf(f.allow(q.ctx, q.call.caller))
}

// verdictOf returns the refusal that the result of a user's function is, if any.
func verdictOf(allowed bool, err error) error {
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

func (f *funcRule) wants(*query, wants) wants { return wants{} }
func (f *funcRule) local() bool               { return false }
func (f *funcRule) equal(other rule) bool     { return other == f }
func (f *funcRule) String() string            { return "Func(" + strconv.Quote(f.name) + ")" }

func (f *funcRule) validate() error {
	if f.allow == nil {
		return fmt.Errorf("claims: Func(%q) has no function", f.name)
	}
	return nil
}

// RequestFunc is [Func] for a function that looks at the request as well: R is
// *http.Request over HTTP, where path values are set if the middleware stands behind
// the router. Over gRPC it is the type of the decoded request message, or an
// interface that it has, such as one with a GetWorkspace method; of a stream it is
// the first message, before which the handler can send nothing. [Recheck] looks at it
// again, so the handler must not change it, or receive another message into it.
//
// A request that is no R is refused. The transports find that out when they are
// made, or by [Requirement.ValidateFor].
func RequestFunc[R any](
	name string, f func(ctx context.Context, caller *Claims, request R) (bool, error),
) Requirement {
	r := &requestRule{name: name, fits: isA[R]}
	if f != nil {
		r.allow = func(ctx context.Context, caller *Claims, request any) (bool, error) {
			return f(ctx, caller, request.(R))
		}
	}
	return valid(r)
}

func isA[R any](request any) error {
	if _, ok := request.(R); !ok {
		return fmt.Errorf("wants a %s, which a %T is not", typeName[R](), request)
	}
	return nil
}

func typeName[R any]() string { return fmt.Sprintf("%T", (*R)(nil))[1:] }

type requestRule struct {
	name  string
	fits  func(request any) error
	allow func(context.Context, *Claims, any) (bool, error)
}

func (r *requestRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	if q.awaits() {
		return nil
	}
	request := q.call.message()
	if err := r.fits(request); err != nil {
		return NewError(ErrForbidden, ReasonPermission, fmt.Errorf("claims: %s %w", r, err))
	}
	return verdictOf(r.allow(q.ctx, q.call.caller, request))
}

func (r *requestRule) wants(*query, wants) wants { return wants{} }
func (r *requestRule) local() bool               { return false }
func (r *requestRule) equal(other rule) bool     { return other == r }
func (r *requestRule) String() string            { return "RequestFunc(" + strconv.Quote(r.name) + ")" }

func (r *requestRule) validate() error {
	if r.allow == nil {
		return fmt.Errorf("claims: RequestFunc(%q) has no function", r.name)
	}
	return nil
}

// each calls f for every rule in a requirement, nil for that of Authenticated.
func each(r Requirement, f func(rule)) {
	f(r.rule)
	var parts []Requirement
	switch rule := r.rule.(type) {
	case *invalid:
		parts = []Requirement{{rule.rule}}
	case *allOf:
		parts = rule.needs
	case *anyOf:
		parts = rule.alternatives
	case *inWorkspace:
		parts = []Requirement{rule.needs}
	case *reportOnly:
		parts = []Requirement{rule.needs}
	}
	for _, part := range parts {
		each(part, f)
	}
}
